"""What a lens does: defocus, motion blur while the shutter is open, less light in the corners."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal, cast

import cv2
import numpy as np

from ecgvec._typing import AnyArray, Float32Array, Float64Array, Image
from ecgvec.components import Degrees, key, register
from ecgvec.effects.base import EFFECTS, Shading
from ecgvec.effects.in_light import Changed, InLight, Step, make_filter
from ecgvec.effects.tones import apply_lut, bands
from ecgvec.warp.base import SRGB_POWER, apply_gain, in_rgb

BOXES = 5  # of which a disc is put together
SIDES = 8  # different sides these may have
LIGHTEST = 0.05  # share of the disc below which a box is left out
SHORT_LINE = 12.0  # px
DIRECT = 2  # px that a kernel reaches at most to be summed directly


@register(EFFECTS)
class Defocus(InLight):
    """Out of focus: a point becomes a disc."""

    kind: Literal["defocus"] = "defocus"
    radius: float = key(0.2, "Radius of the disc.", "mm", ge=0, le=1)

    def step(self, shape: tuple[int, ...], scale: float) -> Step | None:
        """A weighted sum of boxes, which costs the same at every radius."""
        boxes = disc_boxes(round(self.radius * scale, 2))
        if all(width == height == 1 for width, height, _ in boxes):
            return None  # the disc lies within a pixel
        reach = max(max(width, height) for width, height, _ in boxes) // 2
        if reach <= DIRECT:
            shares = [weight * _box(width // 2, height // 2, reach) for width, height, weight in boxes]
            return make_filter(np.asarray(np.sum(shares, axis=0)))
        return Changed(reach, lambda light: sum_boxes(light, boxes))


def sum_boxes(light: Float32Array, boxes: tuple[tuple[int, int, float], ...]) -> AnyArray:
    """The sum of boxes, given by width and height in px and weight."""
    found: Any = None
    total = 0.0
    for width, height, weight in boxes:
        whole = width == height == 1  # a box of one pixel changes nothing
        box = light if whole else cv2.blur(light, (width, height), borderType=cv2.BORDER_REPLICATE)
        total += weight  # a running mean
        found = box if found is None else cv2.addWeighted(found, 1 - weight / total, box, weight / total, 0)
    return cast(AnyArray, found)


def disc(radius: float) -> Float64Array:
    """A disc's share (n, n) of each pixel, of ``radius`` px, its edge softened over a pixel; it sums to 1."""
    reach = int(np.ceil(radius + 0.5))
    along = np.arange(-reach, reach + 1)
    kernel = np.clip(radius + 0.5 - np.hypot(along[:, None], along), 0, 1)
    kernel[reach, reach] = max(kernel[reach, reach], 1e-9)
    return np.asarray(kernel / kernel.sum())


@lru_cache(maxsize=64)
def disc_boxes(radius: float) -> tuple[tuple[int, int, float], ...]:
    """Widths and heights in px, both odd, and weights of at most BOXES boxes that come nearest to a disc. They are
    given in mirrored pairs, so that no direction is blurred more than another."""
    from scipy.optimize import nnls  # which making pages need not pay for

    target = disc(radius)
    reach = target.shape[0] // 2
    halves = np.unique(np.rint(np.linspace(0, reach, min(reach + 1, SIDES))).astype(int))
    pairs = [(int(a), int(b)) for a in halves for b in halves if a <= b]
    columns = np.stack([_pair(a, b, reach) for a, b in pairs], axis=1)
    weights = nnls(columns, target.ravel())[0]
    costs = np.array([1 if a == b else 2 for a, b in pairs])
    kept = [int(k) for k in np.argsort(-weights, kind="stable") if weights[k] > LIGHTEST]
    kept = [k for i, k in enumerate(kept) if costs[kept[: i + 1]].sum() <= BOXES]
    weights = nnls(columns[:, kept], target.ravel())[0]
    weights /= weights.sum()
    boxes: list[tuple[int, int, float]] = []
    for (a, b), weight in zip([pairs[k] for k in kept], weights, strict=True):
        sides = [(a, b)] if a == b else [(a, b), (b, a)]
        boxes += [(2 * x + 1, 2 * y + 1, float(weight) / len(sides)) for x, y in sides if weight > 0]
    return tuple(boxes)


def _pair(a: int, b: int, reach: int) -> Float64Array:
    """The mean of a box of half sides ``a`` and ``b`` and of the same on its side, as a column (n * n,)."""
    both = _box(a, b, reach)
    return np.asarray((both + both.T).ravel() / 2)


def _box(a: int, b: int, reach: int) -> Float64Array:
    """A box of half sides ``a`` along x and ``b`` along y, (n, n) for n = 2 ``reach`` + 1; it sums to 1."""
    across, down = (np.abs(np.arange(-reach, reach + 1)) <= half for half in (a, b))
    return np.asarray(np.outer(down, across) / (down.sum() * across.sum()))


@register(EFFECTS)
class MotionBlur(InLight):
    """The camera moves.

    It moves evenly, half of the way before the picture's time and half after it.
    """

    kind: Literal["motion-blur"] = "motion-blur"
    length: float = key(0.5, "How far.", "mm", ge=0, le=4)
    angle: Degrees = key(0.0, "In which direction, 0 along the rows, 90 along the columns.")

    def step(self, shape: tuple[int, ...], scale: float) -> Step | None:
        """A long line is one of half the length, seen twice; a short one is a mean of moved pictures."""
        length = self.length * scale
        shares = line(min(length, SHORT_LINE), self._way())
        reach = max(max(abs(x), abs(y)) for x, y in shares)
        if not reach:
            return None  # the line lies within a pixel
        if length <= SHORT_LINE and reach <= DIRECT:
            kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
            for (x, y), share in shares.items():
                kernel[reach + y, reach + x] = share  # and its mirror, so that turning it over changes nothing
            return make_filter(kernel)
        return Changed(2 * int(length / 2) + 4, lambda light: self._blurred(light, length))

    def _blurred(self, light: Float32Array, length: float) -> AnyArray:
        way, step = self._way(), length / 4
        while length > SHORT_LINE:
            x, y = (int(n) for n in np.rint(step * way))
            light = _mean_of_moved(light, {(x, y): 0.5, (-x, -y): 0.5})
            length, step = length / 2, step / 2
        return _mean_of_moved(light, line(length, way))

    def _way(self) -> Float64Array:
        """The unit vector (2,) along which the camera moves, x right and y down."""
        turn = np.radians(self.angle)
        return np.array([np.cos(turn), -np.sin(turn)])


def line(length: float, way: Float64Array) -> dict[tuple[int, int], float]:
    """Pixels (x, y) of a line of ``length`` px along the unit vector ``way``, its middle at (0, 0), and their shares:
    those at its ends only so far as it reaches into them. Each pixel has its mirror, so that nothing moves."""
    half = max(0.0, (length - 1) / 2)
    reach = int(np.ceil(half))
    shares: dict[tuple[int, int], float] = {}
    for k in range(-reach, reach + 1):
        x, y = (int(np.copysign(np.floor(abs(k * w) + 0.5), k * w)) for w in way)
        share = 1.0 if abs(k) < reach or not k else half - (reach - 1)
        shares[x, y] = shares.get((x, y), 0.0) + share
    total = sum(shares.values())
    return {place: share / total for place, share in shares.items()}


def _mean_of_moved(light: Float32Array, shares: dict[tuple[int, int], float]) -> Float32Array:
    """The mean of pictures moved by whole pixels (x, y), each with its share of the whole."""
    height, width = light.shape[:2]
    right, down = (max(abs(place[axis]) for place in shares) for axis in (0, 1))
    wide = cv2.copyMakeBorder(light, down, down, right, right, cv2.BORDER_REPLICATE)
    found: Any = None
    total = 0.0
    for (x, y), share in shares.items():
        moved = wide[down - y : down - y + height, right - x : right - x + width]
        total += share  # a running mean
        found = moved if found is None else cv2.addWeighted(found, 1 - share / total, moved, share / total, 0)
    return cast(Float32Array, np.ascontiguousarray(found))


@register(EFFECTS)
class Vignette(Shading):
    """Darker corners, after the cosine law (cos^4 of the angle to the axis)."""

    kind: Literal["vignette"] = "vignette"
    amount: float = key(0.35, "How much less light the corners get.", ge=0, le=0.95)

    def factor(self, places: Float64Array, size: tuple[int, int]) -> Float64Array:
        """cos^4 = (1 + tan^2)^-2, and tan^2 grows with the squared distance from the middle."""
        middle = np.array(size) / 2
        return self._left(np.sum((places - middle) ** 2, axis=-1, keepdims=True) / np.sum(middle**2))

    def _left(self, square: Float64Array) -> Float64Array:
        """What is left of the light at squared distances from the middle, 1 in the corners."""
        return np.asarray((1 + ((1 - self.amount) ** -0.5 - 1) * square) ** -2)

    def capture(self, image: Image, scale: float) -> Image:
        """The same factor, of a pixel's squared distance in 255 steps."""
        height, width = image.shape[:2]
        # The corners are alike: one is worked out, (ceil H / 2, ceil W / 2), and mirrored.
        x, y = ((np.arange((n + 1) // 2, dtype=np.float32) + 0.5 - n / 2) ** 2 for n in (width, height))
        square = np.add.outer(y, x) * np.float32(255 / ((width**2 + height**2) / 4))
        gain = self._left(np.arange(256) / 255) ** (1 / SRGB_POWER)
        corner = apply_lut(square.astype(np.uint8), np.rint(255 * gain).astype(np.uint8))
        upper = np.hstack([corner, corner[:, : width // 2][:, ::-1]])
        found = np.empty_like(image)
        for rows in bands(height):
            down = np.arange(rows.start, rows.stop)
            apply_gain(image[rows], in_rgb(upper[np.minimum(down, height - 1 - down)]), 255, found[rows])
        return found
