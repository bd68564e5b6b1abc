"""Light on the sheet and on what lies around it: lamps, daylight, vignette, and the shadows of hands and phones."""

from __future__ import annotations

from abc import abstractmethod
from functools import lru_cache
from typing import Annotated, Any, Literal

import cv2
import numpy as np
import shapely
from pydantic import Field
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Float64Array
from ecgvec.components import Seed, key, register
from ecgvec.effects.base import EFFECTS, EffectContext, Light
from ecgvec.warp.grid import Grid
from ecgvec.warp.parts import Paper, generator

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Place = Annotated[float, Field(ge=-1, le=2, allow_inf_nan=False)]  # in widths or heights of the paper
Angle = Annotated[float, Field(ge=-360, le=360, allow_inf_nan=False, json_schema_extra={"unit": "degrees"})]
Elevation = Annotated[float, Field(ge=5, le=90, allow_inf_nan=False, json_schema_extra={"unit": "degrees"})]
Kelvin = Annotated[float, Field(ge=1_900, le=40_000, allow_inf_nan=False, json_schema_extra={"unit": "K"})]

SHEEN_POWER = 12  # width of the gloss of coated paper (Blinn 1977, "Models of light reflection")
DARKEST = 0.25  # of the light is left in the deepest hollow


@register(EFFECTS)
class Lamp(Light):
    """One soft lamp near the page, and the light around it."""

    kind: Literal["lamp"] = "lamp"
    azimuth: Angle = key(120.0, "Where it stands, 0 right, 90 above the upper edge.")
    elevation: Elevation = key(40.0, "Its height over the desk.")
    distance: float = key(600.0, "From the page's middle.", "mm", ge=100, le=100_000)
    size: float = key(180.0, "Its width; the larger, the softer.", "mm", ge=0, le=2_000)
    ambient: Share = key(0.48, "Share of the light that comes from everywhere.")
    exposure: float = key(0.75, "How light a flat page's middle is.", ge=0.05, le=2)
    split: float = key(0.05, "How much warmer the lamp is, and cooler the rest of the light.", ge=0, le=0.3)
    sheen: Share = key(0.06, "Gloss of the paper.")
    ambient_occlusion: float = key(0.04, "What a hollow of 1 mm takes of the light, with its dirt.", ge=0, le=0.5)

    def place(self) -> Float64Array:
        """Where the lamp hangs, (3,) mm from the page's middle."""
        return self.distance * direction(self.azimuth, self.elevation)

    def towards(self, xyz: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Unit vectors (..., 3) from places to the lamp, and its strength there, 1 in the page's middle."""
        way = self.place() - xyz
        square = dot(way, way)
        return way / np.sqrt(square)[..., None], self.distance**2 / square

    def falling(self, cosine: Float64Array, strength: Float64Array) -> Float64Array:
        """Lamp light (...) where its rays meet the sheet's normal at that ``cosine``, 1 on a flat page's middle
        (Lambert's law, wrapped round by the lamp's size)."""
        wrap = min(0.5, self.size / 2 / self.distance)
        level = np.sin(np.radians(self.elevation)) + wrap
        return np.asarray(strength * np.maximum(0.0, cosine + wrap) / level)

    def on_paper(self, view: EffectContext) -> Float64Array:
        """Lamp, ambient light less what hollows swallow, and gloss."""
        xyz, normals = view.surface.xyz, view.surface.normals
        to_lamp, strength = self.towards(xyz)
        lamp = self.falling(dot(normals, to_lamp), strength)
        if self.sheen:
            lamp = lamp + self._gloss(to_lamp, strength, view.composed.camera.viewpoint() - xyz, normals)
        return self._mixed(lamp, np.maximum(DARKEST, 1 - self.ambient_occlusion * view.hollows))

    def on_ground(self, view: EffectContext, ground: Float64Array) -> Float64Array:
        """A level desk."""
        to_lamp, strength = self.towards(ground)
        return self._mixed(self.falling(to_lamp[..., 2], strength), np.ones(ground.shape[:-1]))

    def _gloss(
        self, to_lamp: Float64Array, strength: Float64Array, to_eye: Float64Array, normals: Float64Array
    ) -> Float64Array:
        half = to_lamp + to_eye / np.sqrt(dot(to_eye, to_eye))[..., None]
        cosine = dot(normals, half) / np.sqrt(dot(half, half))
        return np.asarray(self.sheen * strength * np.maximum(0.0, cosine) ** SHEEN_POWER)

    def _mixed(self, lamp: Float64Array, open_sky: Float64Array) -> Float64Array:
        direct = self.exposure * (1 - self.ambient) * lamp * np.sqrt(open_sky)
        around = self.exposure * self.ambient * open_sky
        return np.stack([direct * (1 + tint) + around * (1 - tint) for tint in (self.split, 0.0, -self.split)], axis=-1)


def direction(azimuth: float, elevation: float) -> Float64Array:
    """Unit vector (3,) towards what stands at ``azimuth`` (degrees, 0 right, 90 above the upper edge) and at
    ``elevation`` degrees over the desk; x right, y down, z towards the viewer."""
    a, e = np.radians([azimuth, elevation])
    return np.array([np.cos(e) * np.cos(a), -np.cos(e) * np.sin(a), np.sin(e)])


def anchor(paper: Paper, x: float, y: float) -> Float64Array:
    """Mm (3,) from the page's middle of a place on a flat page, ``x`` widths right and ``y`` heights below its
    upper left corner."""
    return np.array([(x - 0.5) * paper.width, (y - 0.5) * paper.height, 0.0])


def dot(a: Float64Array, b: Float64Array) -> Float64Array:
    """Products of vectors (..., 3); three sums are faster than a reduction over so short an axis."""
    return np.asarray(a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2])


# In black shade no print could be told; of this much light 0.29 of the contrast is left in sRGB.
Strength = Annotated[float, Field(ge=0, le=0.95, allow_inf_nan=False)]
EDGE_SIGMAS = 2.4  # an edge softened by a Gaussian looks so many of its sigmas wide
MASK_SIGMAS = 3.0  # px of the mask to which the edge is softened at least
SOFTER = 2.2  # times as wide is the edge of what is higher over the page, from HIGHER mm on
HIGHER = 320.0
ARM = 700.0  # mm from the wrist on
SUB = 4  # bits that OpenCV's corners have below a pixel
# Of a hand as long as 1 from wrist to fingertip: where fingers leave the palm (beside its middle), their length, width
# and fan in degrees; index finger first.
FINGERS = (
    (-0.155, 0.40, 0.088, -7.0),
    (-0.05, 0.44, 0.092, -1.5),
    (0.058, 0.41, 0.088, 4.0),
    (0.158, 0.33, 0.076, 11.0),
)
KNUCKLES, WRIST = 0.44, 1.0  # from the middle fingertip on
CURLED = 0.3  # of a finger's length still sticks out of a fist


class Shadow(Light):
    """Takes a share of the light where something is in the lamps' way.

    Its edge is wider along the arms, which are higher. The lamps' direction moves the shadow on paper that is lifted.
    """

    x: Place = key(0.6, "Place, as a share of the page's width.")
    y: Place = key(0.6, "Place, as a share of the page's height.")
    angle: Angle = key(-60.0, "Where the arms come from, 0 right, 90 above the upper edge.")
    strength: Strength = key(0.45, "Share of the light that is taken.")
    penumbra: float = key(16.0, "Width of the soft edge.", "mm", ge=2, le=200)
    lamps: int = key(1, "Lamps in a row, one shadow each.", ge=1, le=5)
    apart: float = key(40.0, "From one shadow to the next.", "mm", ge=0, le=300)
    azimuth: Angle = key(120.0, "Where the lamps stand, 0 right, 90 above the upper edge.")
    elevation: Elevation = key(55.0, "Their height over the desk.")
    tint: float = key(0.04, "How much bluer the shade is; below 0 warmer.", ge=-0.3, le=0.3)

    @abstractmethod
    def outline(self) -> BaseGeometry:
        """What is in the lamp's way, mm from its anchor; the arms' way is along x."""

    def on_paper(self, view: EffectContext) -> Float64Array:
        """What is left of the light on the sheet as it lies."""
        return self._left(view, view.surface.xyz)

    def on_ground(self, view: EffectContext, ground: Float64Array) -> Float64Array:
        """The same on the desk."""
        return self._left(view, ground)

    def _left(self, view: EffectContext, places: Float64Array) -> Float64Array:
        way = direction(self.azimuth, self.elevation)
        at = places - anchor(view.paper, self.x, self.y)
        x, y = (at[..., k] - at[..., 2] * way[k] / way[2] for k in (0, 1))  # where the lamp's ray meets the desk
        c, s = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        beside = direction(self.azimuth + 90, 0)
        dark = np.zeros(x.shape)
        for k in np.arange(self.lamps) - (self.lamps - 1) / 2:
            right, down = x - k * self.apart * beside[0], y - k * self.apart * beside[1]
            along, across = c * right - s * down, s * right + c * down
            dark += self._dark(along.ravel(), across.ravel()).reshape(x.shape) / self.lamps
        tints = np.clip(1 + self.tint * np.array([1.0, 0.0, -1.0]), 0, None)
        return np.maximum(0.0, 1 - self.strength * dark[..., None] * tints)

    def _dark(self, along: Float64Array, across: Float64Array) -> Float64Array:
        """How much (n,) of one lamp's light is gone at places (n,) mm."""
        near, far = _mask(self).at(along, across)
        high = np.clip(along / HIGHER, 0, 1)
        return np.asarray(near + high * (far - near))


@lru_cache(maxsize=8)
def _mask(shadow: Shadow) -> Grid:
    """The outline as two planes, 0 to 1: as soft as the penumbra is near the page, and as it is high over it."""
    sigma = shadow.penumbra / EDGE_SIGMAS
    step = max(0.5, sigma / MASK_SIGMAS)
    shape = shadow.outline()
    margin = 4 * SOFTER * sigma
    x0, y0, x1, y1 = shapely.bounds(shape)
    size = int(np.ceil((y1 - y0 + 2 * margin) / step)), int(np.ceil((x1 - x0 + 2 * margin) / step))
    origin = np.array([x0 - margin, y0 - margin])
    drawn = np.zeros(size, dtype=np.uint8)
    for piece in shapely.get_parts(shape):
        corners = (shapely.get_coordinates(piece.exterior) - origin) / step
        cv2.fillPoly(drawn, [np.rint(corners * 2**SUB).astype(np.int32)], 255, cv2.LINE_AA, SUB)
    sharp = drawn.astype(np.float32) / 255
    planes: list[Any] = [cv2.GaussianBlur(sharp, (0, 0), times * sigma / step) for times in (1.0, SOFTER)]
    found: Float64Array = np.stack(planes).astype(np.float64)
    return Grid(found, (float(origin[0]), float(origin[1])), (step, step), clamped=True)


@register(EFFECTS)
class HandShadow(Shadow):
    """The soft shadow of a hand, open or pointing, and its arm.

    The middle finger's tip is the anchor. A right hand's thumb is on the left as the arm points.
    """

    kind: Literal["hand-shadow"] = "hand-shadow"
    length: float = key(200.0, "From the wrist to the middle finger's tip.", "mm", ge=60, le=600)
    pose: Literal["open", "pointing"] = key("open", "Open, or one finger points.")
    spread: Share = key(0.5, "How far the fingers are apart.")
    left: bool = key(False, "A left hand.")
    seed: Seed = 0

    def outline(self) -> BaseGeometry:
        """Fingers, palm, thumb, wrist and arm."""
        rng = generator(self.seed)
        parts = [_rounded((0.5, -0.14, 0.075), (0.5, 0.13, 0.07), (0.9, -0.08, 0.1), (0.92, 0.08, 0.09))]
        for number, (root, length, width, fan) in enumerate(FINGERS):
            length *= rng.uniform(0.88, 1.0)
            turn = np.radians(fan * (0.6 + 2.2 * self.spread) + rng.uniform(-2, 2))
            bend = np.radians(rng.uniform(-5, 5))
            if self.pose == "pointing" and number:
                length *= CURLED
            middle = (KNUCKLES + 0.03 - 0.55 * length * np.cos(turn), root + 0.55 * length * np.sin(turn))
            tip = (middle[0] - 0.45 * length * np.cos(turn + bend), middle[1] + 0.45 * length * np.sin(turn + bend))
            parts.append(_rounded((KNUCKLES + 0.08, root, width / 2), (*middle, 0.47 * width)))
            parts.append(_rounded((*middle, 0.47 * width), (*tip, 0.37 * width)))
        parts += self._thumb(rng)
        parts.append(_rounded((0.9, 0.0, 0.17), (WRIST + 0.1, 0.0, 0.145)))
        parts.append(_rounded((WRIST, 0.0, 0.145), (WRIST + ARM / self.length, 0.0, 0.26)))
        hand = shapely.union_all(parts)
        hand = hand.buffer(0.008).buffer(-0.008)  # the webs between fingers
        return shapely.transform(hand, lambda p: p * self.length * (1, -1 if self.left else 1))

    def _thumb(self, rng: np.random.Generator) -> list[BaseGeometry]:
        out = np.radians(35 + 25 * self.spread + rng.uniform(-5, 5))
        joint = (0.80 - 0.2 * np.cos(out), -0.13 - 0.2 * np.sin(out))
        tip = (joint[0] - 0.16 * np.cos(out - 0.35), joint[1] - 0.16 * np.sin(out - 0.35))
        return [_rounded((0.82, -0.09, 0.09), (*joint, 0.06)), _rounded((*joint, 0.056), (*tip, 0.042))]


@register(EFFECTS)
class PhoneShadow(Shadow):
    """The soft shadow of the phone that takes the picture and of who holds it.

    The phone's middle is the anchor.
    """

    kind: Literal["phone-shadow"] = "phone-shadow"
    angle: Angle = key(-80.0, "Where the arms come from, 0 right, 90 above the upper edge.")
    strength: Strength = key(0.35, "Share of the light that is taken.")
    penumbra: float = key(26.0, "Width of the soft edge.", "mm", ge=2, le=200)
    length: float = key(190.0, "Length of the phone's shadow.", "mm", ge=60, le=800)
    turn: Angle = key(0.0, "Turn from the page's lines, counter-clockwise.")
    hands: int = key(1, "Hands that hold it.", ge=1, le=2)

    def outline(self) -> BaseGeometry:
        """A rounded slab, gripped at one end or at both, and the arms."""
        turn = np.radians(self.angle - self.turn)
        c, s = np.cos(turn), np.sin(turn)
        slab = shapely.box(-0.45, -0.19, 0.45, 0.19).buffer(0.05)
        ends = (1, -1) if self.hands == 2 else (1,) if c >= 0 else (-1,)
        parts: list[BaseGeometry] = [shapely.transform(slab, lambda p: p @ np.array([[c, s], [-s, c]]))]
        for end in ends:
            grip = 0.36 * end * np.array([c, s])
            wrist = grip + np.array([0.55, (0.2 if self.hands == 2 else 0.05) * np.sign(grip[1])])
            elbow = wrist + ARM / self.length * np.array([1.0, 0.12 * np.sign(grip[1])])
            parts.append(_rounded((*grip, 0.23), (*wrist, 0.16)))
            parts.append(_rounded((*wrist, 0.155), (*elbow, 0.3)))
            for k in range(4):  # the fingers that show beyond the slab's far side
                at = (0.16 + 0.085 * k) * end * np.array([c, s])
                side = np.array([-s, c]) * (1 if s >= 0 else -1)
                parts.append(_rounded((*at, 0.045), (*(at + (0.285 - 0.012 * k) * side), 0.036)))
        whole = shapely.union_all(parts).buffer(0.02).buffer(-0.02)
        return shapely.transform(whole, lambda p: p * self.length)


def _rounded(*circles: tuple[float, float, float]) -> BaseGeometry:
    """What a cord round circles (x, y, radius) holds."""
    return shapely.union_all([shapely.Point(x, y).buffer(r) for x, y, r in circles]).convex_hull
