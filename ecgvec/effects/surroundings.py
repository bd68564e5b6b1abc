"""What the sheet lies on: a desk of wood, steel or cloth, or a plain white or black one, as a scanner's lid is.

All of it is made from noise. What is finer than a few millimetres is a small tile that repeats; what is coarser is
made for the whole desk at the lattice's nodes, and bends the tile's grain a little, so that no repeat is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import cv2
import numpy as np
import shapely
from shapely import LinearRing, Polygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Float32Array, Float64Array, Int32Array, IntpArray, Points, Uint8Array
from ecgvec.components import Seed, key, register
from ecgvec.effects.base import EFFECTS, EffectContext, Light, Surroundings
from ecgvec.effects.light import Lamp
from ecgvec.effects.texture import BRIGHTEST, MATERIAL_VARIANTS, TILE, TILE_PX_PER_MM, Material, tile
from ecgvec.warp.apply import Ground
from ecgvec.warp.base import SRGB_OFFSET, SRGB_POWER
from ecgvec.warp.grid import Grid
from ecgvec.warp.lattice import RINGS, lattice_pixels
from ecgvec.warp.parts import generator

Color = tuple[int, int, int]

# sRGB, from dark to light, and in each from the one end of tone to the other.
COLORS: dict[Material, tuple[tuple[Color, ...], tuple[Color, ...]]] = {
    "wood": (((66, 50, 34), (72, 42, 26), (70, 34, 24)), ((226, 202, 160), (216, 178, 128), (206, 146, 104))),
    "steel": (((104, 110, 118), (112, 112, 112)), ((186, 192, 200), (200, 197, 192))),
    "cloth": (
        ((74, 70, 64), (42, 66, 54), (34, 62, 70), (38, 54, 84), (58, 54, 78)),
        ((226, 221, 210), (152, 190, 170), (146, 190, 196), (146, 176, 212), (186, 182, 204)),
    ),
    "white": (((206, 209, 212), (212, 208, 200)), ((242, 244, 246), (246, 244, 240))),
    "black": (((24, 25, 28), (28, 26, 25)), ((62, 64, 68), (68, 65, 62))),
}
COARSE = {"wood": 0.1, "steel": 0.05, "cloth": 0.07, "white": 0.012, "black": 0.08}  # of light, standard deviation
BENDING_MM = {"wood": 3.0, "steel": 0.0, "cloth": 2.0, "white": 0.0, "black": 0.0}  # of the grain
GLOSS = {"wood": 0.05, "steel": 0.9, "cloth": 0.0, "white": 0.02, "black": 0.02}  # light at a highlight's peak
STEEL_ALONG, STEEL_ACROSS = 0.16, 0.42  # roughness of brushed steel (Ward 1992, "Measuring and modeling anisotropic
# reflection"): its highlight is a band across the brush's way
GAP_MM = 0.5  # a sheet that lies flat still stands off the desk so far: its shadow is a thin line
STEEPEST = 6.0  # mm that a shadow is thrown for each mm of height, at most
LAMP_SAMPLES = 10
# Ambient light: mm thrown for each mm of height, its share, and by how many nodes more its shadow is softened.
SKY = ((0.7, 0.6, 0.0), (2.2, 0.4, 3.0))
SKY_SAMPLES = 6
MESH = (31, 41)  # of the sheet's points that throw a shadow, rows and columns
STRIPS = 10  # in which what is left of a sheet is looked through for bulges
OUTLINE_MM = 0.3  # to which the shadow follows the outline of what is left
PIECE_MM = 8.0  # longest straight piece of it
RIM_MM = 1.0  # of the paper, at which the desk is still wanted
BULGE_MM = 4.0  # above that a sheet may throw more of a shadow than its rim does
WIDEST_INSET_MM = 1.5  # of the shadow under the sheet
SMOOTHEST = 0.6  # nodes: a mask softened less shows the lattice
NEAREST = 0.05  # of the middle's depth: nodes beyond the horizon lie as if they were so near to it
OVERHEAD = Lamp(azimuth=90, elevation=80, size=400)


@register(EFFECTS)
class Desk(Surroundings):
    """A level desk under the sheet.

    The sheet keeps light off the desk. The shadow's edge is wider the higher the paper lies.
    """

    kind: Literal["desk"] = "desk"
    material: Material = key("wood", "What it is made of.")
    shade: float = key(0.6, "From dark to light.", ge=0, le=1)
    tone: float = key(
        0.5, "Hue: of cloth linen, green, teal, blue, mauve; of wood yellow to red; else cool to warm.", ge=0, le=1
    )
    angle: float = key(0.0, "Angle of the grain to the page's lines, counter-clockwise.", "degrees", ge=-180, le=180)
    shadow: float = key(0.8, "Share of the light that the sheet takes.", ge=0, le=1)
    shadow_softness: float = key(1.5, "Least width of the shadow's edge.", "mm", ge=0, le=50)
    seed: Seed = 0

    def ground(self, view: EffectContext, lights: tuple[Light, ...]) -> Ground:
        """The desk in the light of all ``lights``; the first lamp among them throws the sheet's shadow."""
        lamp = next((light for light in lights if isinstance(light, Lamp)), OVERHEAD)
        warp = view.composed.warp
        plane = _Plane(view)
        shape = warp.nodes.shape[:2]
        bare = plane.bare()
        if not len(bare):  # the paper fills the picture
            return Ground(tile(self.material, 0, 0.0), np.zeros((*shape, 2)), np.ones((*shape, 3)))
        desk = plane.desk(lattice_pixels(warp.size, warp.step)[0].T[bare])
        xyz = np.column_stack([desk, np.zeros(len(desk))])[None]
        x, y = np.ascontiguousarray(desk.T)
        along, across, coarse = self._grain(x, y)
        light = coarse[:, None] * _color(self.material, self.shade, self.tone) + self._gloss(view, lamp, x, y)
        for one in lights:
            light *= one.on_ground(view, xyz)[0]
        if self.shadow:
            light *= self._unshadowed(plane, lamp, bare)
        places, gain = np.full((*shape, 2), np.nan), np.ones((*shape, 3))
        places.reshape(-1, 2)[bare] = TILE_PX_PER_MM * np.column_stack([along, across])
        gain.reshape(-1, 3)[bare] = np.power(light * np.float32(BRIGHTEST), np.float32(1 / SRGB_POWER))
        shrunk = plane.node_mm * TILE_PX_PER_MM / warp.step - 1
        texture = tile(self.material, self.seed % MATERIAL_VARIANTS, round(4 * max(0.0, shrunk)) / 4)
        return Ground(texture, places, gain)

    def _grain(self, x: Float64Array, y: Float64Array) -> tuple[Float64Array, Float64Array, Float32Array]:
        """Places (n,) along and across the grain in mm, and how light the material is there (mean 1)."""
        rng = generator(self.seed)
        c, s = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        along = c * x - s * y + rng.uniform(0, TILE[1] / TILE_PX_PER_MM)
        across = s * x + c * y + rng.uniform(0, TILE[0] / TILE_PX_PER_MM)
        if bending := BENDING_MM[self.material]:
            across = across + bending * _waves(rng, along / 3, across / 2, 60)
        if self.material == "wood":
            coarse = 0.6 * _waves(rng, along / 3, across, 90)
            coarse += 0.8 * _rings(rng, across + 4 * _waves(rng, along / 6, across, 40))
        elif self.material == "steel":
            coarse = _waves(rng, along / 4, across, 40)
        else:
            coarse = _waves(rng, along, across, 90)
        return along, across, np.exp(np.float32(COARSE[self.material]) * coarse.astype(np.float32))

    def _gloss(self, view: EffectContext, lamp: Lamp, x: Float64Array, y: Float64Array) -> Float32Array:
        """What the desk mirrors of the lamp at places (n,) mm: (n, 3) of light."""
        strength = GLOSS[self.material]
        if not strength:
            return np.zeros((1, 3), dtype=np.float32)
        half = np.zeros((3, len(x)), dtype=np.float32)
        for place in (lamp.place(), view.composed.camera.viewpoint()):
            dx, dy, dz = (place[0] - x).astype(np.float32), (place[1] - y).astype(np.float32), np.float32(place[2])
            far = np.sqrt(dx * dx + dy * dy + dz * dz)
            half += np.stack([dx / far, dy / far, dz / far])
        c, s = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        wide = STEEL_ALONG if self.material == "steel" else STEEL_ACROSS
        along, across = (c * half[0] - s * half[1]) / wide, (s * half[0] + c * half[1]) / STEEL_ACROSS
        peak = strength * np.exp(-(along**2 + across**2) / half[2] ** 2)
        tint = _color(self.material, self.shade, self.tone) if self.material == "steel" else np.ones(3)
        return np.asarray(peak[:, None] * tint, dtype=np.float32)

    def _unshadowed(self, plane: _Plane, lamp: Lamp, bare: IntpArray) -> Float32Array:
        """The share (n, 3) of the light that the sheet lets pass, at the nodes ``bare``."""
        softness = max(SMOOTHEST, self.shadow_softness / 2.4 / plane.node_mm)
        inset = min(WIDEST_INSET_MM, softness * plane.node_mm)
        from_lamp = plane.shadow(_spots(lamp), inset, 2 * inset)
        from_sky = np.zeros_like(from_lamp)
        for reach, share, softer in SKY:
            mask = plane.shadow(_ring(reach), 1.6 * inset, 0)
            from_sky += share * (cv2.GaussianBlur(mask, (0, 0), softer) if softer else mask)
        masks = cv2.GaussianBlur(np.dstack([from_lamp, from_sky]), (0, 0), softness).reshape(-1, 2)[bare]
        tint = lamp.split * np.array([1.0, 0.0, -1.0])
        direct, rest = (1 - lamp.ambient) * (1 + tint), lamp.ambient * (1 - tint)
        shares = np.float32(np.stack([direct, rest]) / (direct + rest))
        return np.asarray(1 - np.float32(self.shadow) * (masks @ shares))


class _Plane:
    """The desk as the image shows it, and the shadow that the sheet throws on it."""

    def __init__(self, view: EffectContext) -> None:
        surface, self._warp = view.composed.surface, view.composed.warp
        self._composed, self._surface = view.composed, surface
        self._paper, self._sheet = surface.paper, view.sheet
        rows, columns = (np.linspace(0, n - 1, k).astype(int) for n, k in zip(surface.xyz.shape[:2], MESH, strict=True))
        xyz = surface.xyz[np.ix_(rows, columns)].reshape(-1, 3)
        # What lies straight under the sheet is further from the camera than the sheet is: the camera sees it.
        self._desk, self._height = xyz[:, :2], np.maximum(0.0, xyz[:, 2:])
        feet = view.composed.project(xyz * (1, 1, 0))
        self._homography, _ = cv2.findHomography(self._desk, feet)
        self._off = feet - self._pixels(self._desk)  # by the lens
        middle = feet[len(feet) // 2]
        self._back = np.linalg.inv(self._homography)
        self._back /= self._back[2] @ (*middle, 1.0)
        beside = np.stack([middle, middle + np.array([self._warp.step, 0])])
        self.node_mm = float(np.linalg.norm(np.diff(self.desk(beside), axis=0)))

    def desk(self, pixels: Points) -> Points:
        """Desk mm (n, 2) at image px (n, 2)."""
        h = pixels @ self._back[:, :2].T + self._back[:, 2]
        return np.asarray(h[:, :2] / np.maximum(h[:, 2:], NEAREST))

    def _pixels(self, desk: Points) -> Points:
        h = desk @ self._homography[:, :2].T + self._homography[:, 2]
        return np.asarray(h[:, :2] / np.maximum(h[:, 2:], NEAREST * self._homography[2, 2]))

    def bare(self) -> IntpArray:
        """Numbers (n,) of the nodes that lie off the paper or next to one that does: all that the desk is seen by,
        since within a cell nothing leaves the paper unless one of its corners does."""
        x, y = self._warp.nodes[..., 0], self._warp.nodes[..., 1]
        off = (x < RIM_MM) | (y < RIM_MM) | (x > self._paper.width - RIM_MM) | (y > self._paper.height - RIM_MM)
        if self._sheet is not None:
            off |= ~shapely.contains_xy(self._sheet.buffer(-RIM_MM), x, y)
        return np.flatnonzero(cv2.dilate(off.astype(np.uint8), np.ones((3, 3), dtype=np.uint8)))

    def shadow(self, spots: Float64Array, inset: float, further: float) -> Float32Array:
        """How much (rows, columns) of the light from ``spots`` (n, 3) mm the sheet takes from the desk. It counts as
        smaller by ``inset`` mm on every side, and its shadow falls ``further`` by so many mm away from the light: a
        soft edge must not show on the side that is lit."""
        found = np.zeros(self._warp.nodes.shape[:2], dtype=np.float32)
        drawn = np.zeros(found.shape, dtype=np.uint8)
        # Only a lamp's shadow, which falls further, is sharp enough for what bulges within the rim to be missed.
        strips = further > 0 and self._height.max() > BULGE_MM
        pieces = None if self._sheet is None else self._pieces(self._sheet, inset, strips)
        half = np.ptp(self._desk, axis=0) / 2
        shrunk = self._desk - inset * (self._desk - self._desk.min(axis=0) - half) / half
        mesh = _Points(self._desk, shrunk, self._height, self._off)
        for spot in spots:
            drawn[:] = 0
            if pieces is None:
                self._fill(drawn, self._thrown(mesh, spot, further), strips)
            else:
                for rings in pieces:
                    cv2.fillPoly(drawn, [self._thrown(ring, spot, further) for ring in rings], 255, cv2.LINE_AA, 4)
            found += drawn
        return found / np.float32(255 * len(spots))

    def _thrown(self, points: _Points, spot: Float64Array, further: float) -> Int32Array:
        """Where a light throws the shadows (n, 2) of points, in sixteenths of the lattice."""
        height = points.height + GAP_MM
        slope = (points.desk - spot[:2]) / np.maximum(spot[2] - height, 1.0)
        steep = np.hypot(slope[:, :1], slope[:, 1:])
        thrown = points.counted + height * slope * (STEEPEST / np.maximum(steep, STEEPEST))
        thrown += further * slope / np.maximum(steep, 1)
        places = (self._pixels(thrown) + points.off) / self._warp.step - 0.5 + RINGS
        return np.rint(np.clip(places, -4096, 4096) * 16).astype(np.int32)

    def _pieces(self, sheet: Polygon, inset: float, strips: bool) -> list[list[_Points]]:
        """The rings of what is left of the paper, and of strips of it where ``strips``; its holes are drawn wider."""
        shape = shapely.simplify(sheet, OUTLINE_MM)
        shapes: list[BaseGeometry] = [shape.buffer(-inset, quad_segs=4)]
        if strips:
            ends = np.linspace(0, self._paper.width, STRIPS + 1)
            shapes += [shapely.intersection(shape, shapely.box(a, 0, b, self._paper.height)) for a, b in pairwise(ends)]
        pieces = [part for part in shapely.get_parts(shapes) if isinstance(part, Polygon) and not part.is_empty]
        return [[self._on_desk(ring) for ring in (piece.exterior, *piece.interiors)] for piece in pieces]

    def _on_desk(self, ring: LinearRing) -> _Points:
        """The points of a ring of the page as the sheet lies."""
        at = shapely.get_coordinates(shapely.segmentize(ring, PIECE_MM))
        xyz = Grid(self._surface.planes, (0.0, 0.0), self._surface.step).at(*at.T).T
        feet = self._composed.project(xyz * (1, 1, 0))
        return _Points(xyz[:, :2], xyz[:, :2], np.maximum(0.0, xyz[:, 2:]), feet - self._pixels(xyz[:, :2]))

    def _fill(self, drawn: Uint8Array, places: Int32Array, strips: bool) -> None:
        """Everything within the rim of a mesh of lattice places, and with ``strips`` what bulges over the rim."""
        mesh = places.reshape(*MESH, 2)
        rim = np.concatenate([mesh[0], mesh[1:, -1], mesh[-1, -2::-1], mesh[-2:0:-1, 0]])
        cv2.fillPoly(drawn, [rim], 255, cv2.LINE_AA, 4)
        if strips:
            for i in range(0, MESH[1] - 1, 4):
                cv2.fillPoly(drawn, [np.concatenate([mesh[::2, i], mesh[::-2, i + 4]])], 255, cv2.LINE_8, 4)


@dataclass(frozen=True, eq=False)
class _Points:
    """Points of the sheet that throw a shadow: where they are over the ``desk`` (n, 2) mm, where they are ``counted``
    (n, 2) for a soft edge, their ``height`` (n, 1) mm, and how far the lens moves them, ``off`` (n, 2) px."""

    desk: Float64Array
    counted: Float64Array
    height: Float64Array
    off: Float64Array


def _spots(lamp: Lamp) -> Float64Array:
    """Places (n, 3) mm spread evenly over the lamp, which faces the page's middle."""
    place = lamp.place()
    way = place / np.linalg.norm(place)
    level = np.cross(way, (0.0, 0.0, 1.0))
    level = level / np.linalg.norm(level) if lamp.elevation < 89.9 else np.array([1.0, 0.0, 0.0])
    i = np.arange(LAMP_SAMPLES)
    radius = lamp.size / 2 * np.sqrt((i + 0.5) / LAMP_SAMPLES)
    turn = i * np.pi * (3 - np.sqrt(5))  # Vogel 1979, "A better way to construct the sunflower head"
    return np.asarray(
        place + np.outer(radius * np.cos(turn), level) + np.outer(radius * np.sin(turn), np.cross(way, level))
    )


def _ring(reach: float) -> Float64Array:
    """Far away places (n, 3) mm all around whose light throws a shadow of ``reach`` mm for each mm of height."""
    turns = 2 * np.pi * np.arange(SKY_SAMPLES) / SKY_SAMPLES
    return 1e5 * np.column_stack([reach * np.cos(turns), reach * np.sin(turns), np.ones(SKY_SAMPLES)])


def _color(material: Material, shade: float, tone: float) -> Float32Array:
    """Linear light (3,) that a material throws back."""
    ends = []
    for row in COLORS[material]:
        table = ((np.array(row) + SRGB_OFFSET) / (255 + SRGB_OFFSET)) ** SRGB_POWER
        at = np.linspace(0, 1, len(row))
        ends.append(np.array([np.interp(tone, at, table[:, k]) for k in range(3)]))
    return np.asarray(ends[0] ** (1 - shade) * ends[1] ** shade, dtype=np.float32)


def _waves(rng: np.random.Generator, x: Float64Array, y: Float64Array, shortest: float, count: int = 7) -> Float64Array:
    """Smooth noise of unit variance at desk places in mm, of wavelengths from ``shortest`` to five times that."""
    found = np.zeros(x.shape, dtype=np.float32)
    x, y = x.astype(np.float32), y.astype(np.float32)
    for turn, length, phase in rng.uniform((0, 0, 0), (2 * np.pi, 1, 2 * np.pi), (count, 3)):
        k = 2 * np.pi / (shortest * 5**length)
        found += np.sin(np.float32(k * np.cos(turn)) * x + np.float32(k * np.sin(turn)) * y + np.float32(phase))
    return np.asarray(found * np.sqrt(2 / count))


def _rings(rng: np.random.Generator, across: Float64Array) -> Float64Array:
    """Bands of wood 3 to 15 mm wide, of unit variance or so, at places ``across`` the grain in mm."""
    low, high = float(across.min()), float(across.max())
    at = np.arange(low - 3, high + 6, 3.0)
    steps = rng.standard_normal(len(at))
    return np.interp(across, at, steps + 0.7 * np.convolve(steps, np.ones(5) / 5, "same"))
