"""Light that the paper mirrors: glare, flash, windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Float64Array
from ecgvec.components import key, register
from ecgvec.effects.base import EFFECTS, EffectContext, Light, veil_on_paper
from ecgvec.effects.color import planckian
from ecgvec.effects.light import Angle, Elevation, Kelvin, Place, Share, anchor, direction, dot
from ecgvec.warp.grid import Grid
from ecgvec.warp.lattice import RINGS

LEAST_CONTRAST = 0.15  # of ink on paper, below which it cannot be told
CONTOUR_PX = 1  # distance of the places at which the veil is compared with that
HAZE, HAZE_WIDTH = 0.2, 2.2  # of coated paper: a faint lobe about the highlight, so many times as wide
LED_MM = np.array([14.0, 4.0, 0.0])  # of a phone's flash from its lens


def saturated_region(view: EffectContext, lights: Sequence[Light]) -> BaseGeometry:
    """Where so much of the paper is lost in what all ``lights`` together mirror that ink cannot be told, in page mm:
    found in the image, where the veil is what pixels get, and sent back."""
    warp, most, veil = view.composed.warp, 1 - LEAST_CONTRAST, veil_on_paper(view, lights)
    if veil is None:
        return Polygon()
    nodes = veil[..., 0]
    high = np.argwhere(nodes > most)
    if not len(high):
        return Polygon()
    first, last = np.maximum(high.min(axis=0) - 1, 0), np.minimum(high.max(axis=0) + 2, nodes.shape)
    part = nodes[first[0] : last[0], first[1] : last[1]]
    corner = (first[::-1] + 0.5 - RINGS) * warp.step
    columns, rows = ((n - 1) * warp.step // CONTOUR_PX + 1 for n in part.shape[::-1])
    places = np.meshgrid(np.arange(columns) * CONTOUR_PX, np.arange(rows) * CONTOUR_PX)
    fine = Grid(part[None], (0.0, 0.0), (warp.step, warp.step)).at(*(np.asarray(at.ravel(), float) for at in places))
    lost = (fine.reshape(rows, columns) > most).astype(np.uint8)
    rings, _ = cv2.findContours(lost, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    # All rings run through the outermost places that are lost, around holes too: half a cell inside the line between.
    # What is in two rings is a hole; a speck or a thread has no area before that half cell is added.
    found: BaseGeometry = Polygon()
    for ring in rings:
        corners = ring.reshape(-1, 2)
        shape = Polygon(corners) if len(corners) > 2 else shapely.MultiPoint(corners).convex_hull
        found = shapely.symmetric_difference(found, shapely.make_valid(shape))
    found = shapely.simplify(shapely.buffer(found, 0.5), 0.2)
    on_page = shapely.transform(found, lambda cells: warp.inverse(corner + CONTOUR_PX * cells))
    return shapely.intersection(shapely.make_valid(on_page), shapely.box(0, 0, view.paper.width, view.paper.height))


def off_mirror(normals: Float64Array, to_lamp: Float64Array, to_eye: Float64Array) -> Float64Array:
    """By how much (..., 3), along the sheet, the way halfway between lamp and eye leans off its normal; 0 where a
    mirror would show the lamp (Blinn 1977, "Models of light reflection")."""
    half = to_lamp / np.sqrt(dot(to_lamp, to_lamp))[..., None] + to_eye / np.sqrt(dot(to_eye, to_eye))[..., None]
    return np.asarray(half / np.maximum(1e-6, dot(half, normals))[..., None] - normals)


def lobe(radius: Float64Array, softness: float) -> Float64Array:
    """How bright (...) a disc of radius 1 is mirrored, 1 in its middle: a flat top with a steep edge where a sheet is
    smooth, near a Gaussian where it blurs what it mirrors by ``softness`` radii, with a wide haze about it."""
    power, wide = 2 + 6 / (1 + 4 * softness), np.hypot(1, softness)
    near = np.exp(-np.log(2) * (radius / wide) ** power)
    far = np.exp(-np.log(2) * (radius / (wide * HAZE_WIDTH)) ** 2)
    haze = HAZE * min(softness, 1.0)
    return np.asarray((1 - haze) * near + haze * far)


@register(EFFECTS)
class Glare(Light):
    """A lamp mirrored by thermal paper or laminate: what drowns in it is labelled as hidden.

    Where the sheet is flat it is an ellipse; where the sheet bends it goes where its normals send it.
    """

    kind: Literal["glare"] = "glare"
    x: Place = key(0.3, "Place, as a share of the page's width.")
    y: Place = key(0.3, "Place, as a share of the page's height.")
    width: float = key(60.0, "Width on a flat sheet.", "mm", ge=5, le=1_000)
    height: float = key(34.0, "Height on a flat sheet.", "mm", ge=5, le=1_000)
    angle: Angle = key(25.0, "Turn of the ellipse.")
    strength: Share = key(0.65, "Share of the paper that is lost in white in the middle.")
    roughness: float = key(
        0.05, "Slope of the unevenness that blurs it: 0.01 on laminate, 0.1 on matt paper.", ge=0.002, le=0.5
    )
    distance: float = key(1_500.0, "From the lamp to the page.", "mm", ge=100, le=20_000)

    def on_paper(self, view: EffectContext) -> Float64Array:
        """What it lights is in the veil alone."""
        return np.ones((*view.surface.height.shape, 3))

    def on_ground(self, view: EffectContext, ground: Float64Array) -> Float64Array:
        """Nothing: what lies under the sheet has a gloss of its own."""
        return np.ones(ground.shape)

    def veil(self, view: EffectContext) -> Float64Array:
        """The lamp as the sheet mirrors it."""
        place, eye = anchor(view.paper, self.x, self.y), view.composed.camera.viewpoint()
        to_eye = eye - place
        far = np.sqrt(dot(to_eye, to_eye))
        lamp = place + self.distance * to_eye / far * (-1, -1, 1)  # the eye, seen in a mirror
        xyz, normals = view.surface.xyz, view.surface.normals
        lean = off_mirror(normals, lamp - xyz, eye - xyz)
        # A flat sheet's lean grows by so much each mm away from the highlight's middle.
        each_mm = (1 / far + 1 / self.distance) / (2 * to_eye[2] / far)
        c, s = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        along = (c * lean[..., 0] - s * lean[..., 1]) / (each_mm * self.width / 2)
        across = (s * lean[..., 0] + c * lean[..., 1]) / (each_mm * self.height / 2)
        softness = self.roughness / (each_mm * np.sqrt(self.width * self.height) / 2)
        return self.strength * lobe(np.hypot(along, across), float(softness))


@register(EFFECTS)
class Flash(Light):
    """The phone's flash: bright where it faces the paper, dark corners, a highlight.

    Its light falls off with the square of the way, with the sheet's slant and with its own beam.
    """

    kind: Literal["flash"] = "flash"
    strength: Share = key(0.85, "Its share of the light on a flat page's middle.")
    exposure: float = key(0.95, "How light a flat page's middle is.", ge=0.05, le=2)
    beam: float = key(28.0, "Angle at which the beam is half as bright.", "degrees", ge=10, le=80)
    kelvin: Kelvin = key(6_000.0, "Its colour temperature.")
    balanced: Kelvin = key(5_500.0, "Colour temperature that the camera is balanced for.")
    gloss: Share = key(0.35, "Share of the paper that is lost in the highlight.")
    size: float = key(45.0, "Width of the highlight.", "mm", ge=3, le=500)

    def on_paper(self, view: EffectContext) -> Float64Array:
        """The flash on the sheet's slants, and what other light there is."""
        return self._light(view, view.surface.xyz, view.surface.normals)

    def on_ground(self, view: EffectContext, ground: Float64Array) -> Float64Array:
        """The same on a level desk, which is further away."""
        return self._light(view, ground, np.array([0.0, 0.0, 1.0]))

    def _light(self, view: EffectContext, places: Float64Array, normals: Float64Array) -> Float64Array:
        level = self._flash(view, places, normals) / self._flash(view, np.zeros(3), np.array([0.0, 0.0, 1.0]))
        tint = np.array(planckian(self.kelvin)) / np.array(planckian(self.balanced))
        flash = self.strength * level[..., None] * tint / tint[1]
        return np.asarray(self.exposure * (1 - self.strength + flash))

    def _flash(self, view: EffectContext, places: Float64Array, normals: Float64Array) -> Float64Array:
        eye = view.composed.camera.viewpoint()
        axis = eye / np.sqrt(dot(eye, eye))
        ray = eye + LED_MM - places
        square = dot(ray, ray)
        away = np.sqrt(square)
        power = np.log(0.5) / np.log(np.cos(np.radians(self.beam)))
        beam = np.maximum(1e-3, dot(ray, np.broadcast_to(axis, ray.shape)) / away) ** power
        slant = np.maximum(0.0, dot(ray, np.broadcast_to(normals, ray.shape)) / away)
        return np.asarray(beam * slant / square * dot(eye, eye))

    def veil(self, view: EffectContext) -> Float64Array:
        """The flash as the sheet mirrors it."""
        xyz, eye = view.surface.xyz, view.composed.camera.viewpoint()
        lean = off_mirror(view.surface.normals, eye + LED_MM - xyz, eye - xyz)
        mm = np.sqrt(dot(lean, lean)) * eye[2]  # away from the middle of the highlight on a flat sheet
        return self.gloss * lobe(mm / (self.size / 2), 1.0)


ACROSS, UP = 4, 3  # places on the window that stand for all of it
PANES = (3, 2)  # in a patch of sunlight: beside one another and one above the other
BAR_SHARE = 0.14  # of a pane's width that a glazing bar takes
SLATS = 14  # of a blind that are seen
OPEN = 0.56  # share of a blind's pitch that lets the sun through
SLAT_LENGTH = 22.0  # pitches
LEAN = 0.2  # how far upright bars lean, for the sun stands at one side of the window


@register(EFFECTS)
class Window(Light):
    """Daylight from one side, cooler and falling off over the page; with ``bars``, the sun shines in past them.

    The camera is balanced for what window and room make in the page's middle.
    """

    kind: Literal["window"] = "window"
    azimuth: Angle = key(165.0, "Where it is, 0 right, 90 above the upper edge.")
    elevation: Elevation = key(28.0, "Its height over the desk.")
    distance: float = key(750.0, "From the page's middle to the window's.", "mm", ge=100, le=20_000)
    width: float = key(700.0, "Width.", "mm", ge=50, le=10_000)
    height: float = key(900.0, "Height.", "mm", ge=50, le=10_000)
    ambient: float = key(
        0.3, "Share of the room's light in the page's middle.", ge=0.05, le=1
    )  # print in its shade can be told
    exposure: float = key(0.85, "How light a flat page's middle is.", ge=0.05, le=2)
    kelvin: Kelvin = key(7_500.0, "Colour temperature of its light.")
    room_kelvin: Kelvin = key(4_300.0, "Colour temperature of the room's light.")
    bars: Literal["none", "panes", "blind"] = key("none", "Glazing bars, or the slats of a blind.")
    sun: float = key(0.4, "Share of the light that is gone in their shade.", ge=0, le=0.95)  # and in that of its bars
    pitch: float = key(34.0, "From one bar to the next.", "mm", ge=5, le=500)
    penumbra: float = key(9.0, "Width of their soft edges.", "mm", ge=0.5, le=200)
    angle: Angle = key(24.0, "Turn of the bars.")
    x: Place = key(0.5, "Middle of the sunlit patch, as a share of the page's width.")
    y: Place = key(0.5, "Middle of the sunlit patch, as a share of the page's height.")

    def on_paper(self, view: EffectContext) -> Float64Array:
        """The window's light by the sheet's normals, the room's from everywhere."""
        return self._light(view, view.surface.xyz, view.surface.normals)

    def on_ground(self, view: EffectContext, ground: Float64Array) -> Float64Array:
        """The same on a level desk."""
        return self._light(view, ground, np.array([0.0, 0.0, 1.0]))

    def _light(self, view: EffectContext, places: Float64Array, normals: Float64Array) -> Float64Array:
        up = np.array([0.0, 0.0, 1.0])
        level = self._daylight(places, normals) / self._daylight(np.zeros(3), up)
        day, room = (np.array(planckian(k)) for k in (self.kelvin, self.room_kelvin))
        day, room = (1 - self.ambient) * day / day[1], self.ambient * room / room[1]
        light = self.exposure * (level[..., None] * day + room) / (day + room)
        return np.asarray(light * (1 - self.sun * self._shade(view, places))[..., None])

    def _daylight(self, places: Float64Array, normals: Float64Array) -> Float64Array:
        """Light (...) from all over the window, which faces the page's middle: cosines at both ends over the square
        of the way."""
        way = direction(self.azimuth, self.elevation)
        level = direction(self.azimuth + 90, 0)
        rising = np.cross(way, level)
        total = np.zeros(places.shape[:-1])
        for i in (np.arange(ACROSS) + 0.5) / ACROSS - 0.5:
            for j in (np.arange(UP) + 0.5) / UP - 0.5:
                spot = self.distance * way + i * self.width * level + j * self.height * rising
                ray = spot - places
                square = dot(ray, ray)
                leaving = np.maximum(0.0, dot(ray, np.broadcast_to(way, ray.shape)))
                total += np.maximum(0.0, dot(ray, np.broadcast_to(normals, ray.shape))) * leaving / square**2
        return total

    def _shade(self, view: EffectContext, places: Float64Array) -> Float64Array:
        """How much (...) of the sun is shaded, 0 to 1. What is lifted meets its rays earlier."""
        if self.bars == "none":
            return np.zeros(places.shape[:-1])
        way = direction(self.azimuth, self.elevation)
        at = places - anchor(view.paper, self.x, self.y)
        x, y = (at[..., k] - at[..., 2] * way[k] / way[2] for k in (0, 1))
        c, s = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        along, across = c * x - s * y, s * x + c * y
        along = along + LEAN * across
        if self.bars == "blind":
            sun = self._open(across, OPEN * self.pitch) * self._box(along, SLAT_LENGTH * self.pitch)
            return np.asarray(1 - sun * self._box(across, SLATS * self.pitch))
        clear = (1 - BAR_SHARE) * self.pitch
        sun = self._open(along + self.pitch / 2, clear) * self._box(along, PANES[0] * self.pitch)  # one in the middle
        return np.asarray(1 - sun * self._open(across, clear) * self._box(across, PANES[1] * self.pitch))

    def _box(self, t: Float64Array, wide: float) -> Float64Array:
        """1 where places ``t`` mm lie within a band ``wide`` mm about 0, its edges as wide as the penumbra."""
        from scipy.special import erf  # which other lights need not pay for

        soft = self.penumbra / 2.4 * np.sqrt(2)
        return np.asarray((erf((t + wide / 2) / soft) - erf((t - wide / 2) / soft)) / 2)

    def _open(self, t: Float64Array, clear: float) -> Float64Array:
        """Bands of light ``clear`` mm wide at every pitch, at places ``t`` mm: the nearest ones, as ``_box`` has
        them."""
        nearest = np.mod(t, self.pitch) - self.pitch / 2
        reach = int(np.ceil(self.penumbra / self.pitch)) + 1
        return np.asarray(sum(self._box(nearest + k * self.pitch, clear) for k in range(-reach, reach + 1)))
