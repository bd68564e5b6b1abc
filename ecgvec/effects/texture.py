"""Textures that tile: noise at many scales, and the materials that desks are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy import fft

from ecgvec._typing import Float32Array, Float64Array, Image, IntpArray, Uint8Array
from ecgvec.effects.tones import white_waves
from ecgvec.warp.base import SRGB_OFFSET, SRGB_POWER, in_rgb
from ecgvec.warp.parts import generator

PERIOD_MM = 47.0  # a tile of fine noise repeats after that, too far for the eye to find it
FINEST = 5.0  # cycles a mm: the finest fine noise; some 250 dpi show it
FAINTEST = np.float32(57)  # no wave is weaker than e to the power of minus that: subnormal ones make the FFT slow
VARIANTS = 8  # tiles of a texture that is costly to make: turned over and begun anywhere, no two pages are alike


@dataclass(frozen=True, eq=False)
class Clouds:
    """Smooth noise of unit variance on the page: a sum of plane waves with ``turns`` (k, 2) cycles a mm, ``phases``
    (k,) and ``weights`` (k,). A wave is of rank two, so that a page of it is one product of two thin matrices."""

    turns: Float64Array
    phases: Float64Array
    weights: Float64Array

    @classmethod
    def draw(cls, rng: np.random.Generator, shortest: float, longest: float, slope: float = 0.7) -> Clouds:
        """Waves of ``shortest`` to ``longest`` mm; a wave's weight grows as its length to the power of ``slope``."""
        count = 26
        lengths = shortest * (longest / shortest) ** ((np.arange(count) + rng.random(count)) / count)
        angles = np.pi * (rng.permutation(count) + rng.random(count)) / count
        turns = np.stack([np.cos(angles), np.sin(angles)], axis=-1) / lengths[:, None]
        weights = lengths**slope
        return cls(turns, rng.uniform(0, 2 * np.pi, count), weights * np.sqrt(2 / np.sum(weights**2)))

    def at(self, x: Float64Array, y: Float64Array, scale: float) -> Float32Array:
        """Its mean (len(y), len(x)) over pixels, ``scale`` a mm, with their middles at ``x`` and ``y`` mm."""
        return self.weave(x, y, scale)[:]

    def weave(self, x: Float64Array, y: Float64Array, scale: float) -> Woven:
        """The same, of which each row is made when it is asked for."""
        weights = self.weights * np.prod(np.sinc(self.turns / scale), axis=1)
        across = 2 * np.pi * np.outer(x, self.turns[:, 0]) + self.phases
        down = 2 * np.pi * np.outer(y, self.turns[:, 1])
        left = np.hstack([weights * np.cos(down), -weights * np.sin(down)]).astype(np.float32)
        return Woven(left, np.hstack([np.cos(across), np.sin(across)]).astype(np.float32).T)


@dataclass(frozen=True, eq=False)
class Woven:
    """A plane (h, w) that is the product of two thin matrices, ``left`` (h, k) and ``right`` (k, w)."""

    left: Float32Array
    right: Float32Array

    def __getitem__(self, rows: slice) -> Float32Array:
        """Some of its rows."""
        return np.asarray(self.left[rows] @ self.right)


class Shaped(Protocol):
    """A page, or as little of it as its ``shape`` (H, W, ...)."""

    @property
    def shape(self) -> tuple[int, ...]:
        """In px."""


@dataclass(frozen=True, eq=False)
class Patch:
    """A rectangle of the page: its ``rows`` and ``columns``, and the middles ``x``, ``y`` of its pixels in mm."""

    rows: slice
    columns: slice
    x: Float64Array
    y: Float64Array

    @classmethod
    def whole(cls, page: Shaped, scale: float) -> Patch:
        """All of the page."""
        return cls.around(page, scale, 0.0, 0.0, np.inf)

    @classmethod
    def around(cls, page: Shaped, scale: float, x: float, y: float, reach: float) -> Patch:
        """What of the page is less than ``reach`` mm from (x, y) mm, along x and along y. It may be empty."""
        return cls.over(page, scale, (x - reach, y - reach, x + reach, y + reach))

    @classmethod
    def over(cls, page: Shaped, scale: float, bounds: tuple[float, float, float, float]) -> Patch:
        """What of the page lies within ``bounds`` (left, upper, right, lower) in mm. It may be empty."""
        spans = []
        for low, high, size in ((bounds[1], bounds[3], page.shape[0]), (bounds[0], bounds[2], page.shape[1])):
            ends = np.clip([low * scale, high * scale + 1], 0, size).astype(int)
            spans.append(slice(int(ends[0]), int(ends[1])))
        centres = [np.asarray((np.arange(span.start, span.stop) + 0.5) / scale, dtype=np.float64) for span in spans]
        return cls(spans[0], spans[1], centres[1], centres[0])

    def __bool__(self) -> bool:
        return len(self.x) > 0 and len(self.y) > 0

    def part(self, rows: slice) -> Patch:
        """Some of its rows, counted from its first."""
        there = slice(self.rows.start + rows.start, self.rows.start + rows.stop)
        return Patch(there, self.columns, self.x, self.y[rows])

    def offsets(self, x: float, y: float) -> tuple[Float32Array, Float32Array]:
        """How far right of and below (x, y) mm its pixels (h, w) are, mm."""
        right, down = np.meshgrid((self.x - x).astype(np.float32), (self.y - y).astype(np.float32))
        return right, down


def bare_paper(page: Image) -> Float64Array:
    """The colour (3,) of the page where nothing is printed."""
    # strides of no common measure, so that a grid line in the way of all rows is not in that of all columns
    return np.asarray(np.percentile(page[::11, ::13].reshape(-1, 3), 90, axis=0), dtype=np.float64)


def fine_noise(rng: np.random.Generator, scale: float, length: float, width: float, angle: float = 0.0) -> Float32Array:
    """A tile (n, n) of noise of unit variance that repeats every PERIOD_MM: white noise blurred by ``length`` mm along
    ``angle`` (radians) and by ``width`` mm across (standard deviations). The same waves at every resolution; those too
    fine for ``scale`` px/mm are left out. Its n pixels share out the period evenly, so they are not quite as large as
    the page's: ``cut`` and ``Tiled`` find each place's own."""
    modes = round(PERIOD_MM * FINEST)
    down = fft.fftfreq(2 * modes, 1 / (2 * modes)).astype(np.float32)[:, None] / np.float32(PERIOD_MM)
    right = np.arange(modes + 1, dtype=np.float32)[None] / np.float32(PERIOD_MM)
    c, s = np.cos(angle), np.sin(angle)
    # (length along)^2 + (width across)^2 as a form of right and down
    both, mixed = ((length * c) ** 2 + (width * s) ** 2, (length * s) ** 2 + (width * c) ** 2), 2 * c * s
    steep = np.float32(both[0]) * right**2 + np.float32(both[1]) * down**2
    steep += np.float32(mixed * (length**2 - width**2)) * down * right
    steep *= np.float32(2 * np.pi**2)
    shape = np.exp(-np.minimum(steep, FAINTEST))
    shape[0, 0] = 0
    shape /= 2 * np.sqrt(np.sum(shape**2))
    waves = white_waves(rng, shape.shape) * shape
    size = max(2, round(PERIOD_MM * scale))
    kept = min(modes, (size - 1) // 2)
    seen = np.zeros((size, size // 2 + 1), dtype=np.complex64)
    seen[: kept + 1, : kept + 1] = waves[: kept + 1, : kept + 1]
    seen[size - kept :, : kept + 1] = waves[2 * modes - kept :, : kept + 1]
    middles = np.exp(1j * np.pi / size * fft.fftfreq(size, 1 / size)).astype(np.complex64)  # half a pixel on
    seen *= middles[:, None] * middles[: size // 2 + 1]
    return np.asarray(fft.irfft2(seen, s=(size, size)) * np.float32(size * size), dtype=np.float32)


def _in_tile(mm: Float64Array, size: int) -> IntpArray:
    """Which of a tile's ``size`` rows or columns places (n,) mm down or across the page lie in. Counted in mm, for a
    period is no whole number of the page's pixels, and what each tile is off would add up over the page."""
    return np.asarray((mm * (size / PERIOD_MM)).astype(np.intp) % size)


def cut_tile(tile: Float32Array, patch: Patch) -> Float32Array:
    """What lies on a patch when the tile is repeated over the page."""
    return np.asarray(tile[_in_tile(patch.y, tile.shape[0])[:, None], _in_tile(patch.x, tile.shape[1])])


@dataclass(frozen=True, eq=False)
class Tiled:
    """A tile repeated over a page (H, W): the page's ``columns`` of it, (n, W), and which of these n ``rows`` (H,)
    each row of the page shows."""

    columns: Uint8Array
    rows: IntpArray

    @classmethod
    def over(cls, tile: Uint8Array, shape: tuple[int, ...], scale: float) -> Tiled:
        """Over a page of that ``shape`` at ``scale`` px/mm."""
        return cls._begun(tile, shape, scale, np.zeros(2))

    @classmethod
    def place_randomly(cls, rng: np.random.Generator, tile: Uint8Array, shape: tuple[int, ...], scale: float) -> Tiled:
        """The same, the tile turned over or not, by each of its axes and its diagonal, and begun anywhere."""
        ways = [slice(None, None, int(way)) for way in rng.choice([-1, 1], 2)]
        return cls._begun(
            (tile if rng.random() < 0.5 else tile.T)[tuple(ways)], shape, scale, rng.uniform(0, PERIOD_MM, 2)
        )

    @classmethod
    def _begun(cls, tile: Uint8Array, shape: tuple[int, ...], scale: float, start: Float64Array) -> Tiled:
        middles = [np.asarray((np.arange(n) + 0.5) / scale + mm) for n, mm in zip(shape[:2], start, strict=True)]
        rows, columns = (_in_tile(mm, size) for mm, size in zip(middles, tile.shape, strict=True))
        return cls(np.take(tile, columns, axis=1), rows)

    def __getitem__(self, rows: slice) -> Uint8Array:
        """Some of the page's rows."""
        return np.asarray(np.take(self.columns, self.rows[rows], axis=0))


Material = Literal["wood", "steel", "cloth", "white", "black"]

TILE_PX_PER_MM = 8.0
TILE = (512, 1024)  # px: across the grain, along it
MATERIAL_VARIANTS = 4  # tiles of a material; angle, place, bending and coarse structure differ for every seed
THREADS = (104, 208)  # of a tile of cloth, even counts: some 0.6 mm apart
# How light the lightest places of a tile are; a desk's colour is that of its mean.
BRIGHTEST = 1.6


def tile(material: Material, variant: int, shrunk: float) -> Uint8Array:
    """A repeating picture (H, W, 3) of the material, grey on the whole, softened for an image that shows it
    1 + ``shrunk`` times smaller."""
    made = _made(material, variant, shrunk)
    return np.asarray(made if made.shape[2] == 3 else in_rgb(made))


@lru_cache(maxsize=80)  # some 60 MB: four variants of all materials, at the scales at which photographs show them
def _made(material: Material, variant: int, shrunk: float) -> Uint8Array:
    """The same, of one channel (H, W, 1) where all three are alike."""
    light = np.atleast_3d(MAKERS[material](generator(variant)))
    if shrunk:
        light = _softened(light, 0.5 * np.sqrt((1 + shrunk) ** 2 - 1))
    # The mean is taken of three channels, alike or not, for float32 sums depend on their order.
    mean = np.repeat(light, 3 // light.shape[2], axis=2).mean(axis=(0, 1))[: light.shape[2]]
    light = np.clip(light / mean / BRIGHTEST, 0, 1)
    made = np.rint((255 + SRGB_OFFSET) * light ** (1 / SRGB_POWER) - SRGB_OFFSET).clip(0, 255).astype(np.uint8)
    made.setflags(write=False)
    return np.asarray(made)


def _softened(light: Float32Array, sigma: float) -> Float32Array:
    edge = int(4 * sigma) + 1
    wide = np.pad(light, ((edge, edge), (edge, edge), (0, 0)), "wrap")
    return np.atleast_3d(cv2.GaussianBlur(wide, (0, 0), sigma)[edge:-edge, edge:-edge])


def _noise(rng: np.random.Generator, along: float, across: float) -> Float32Array:
    """Periodic noise (H, W) of unit variance: white noise blurred by ``along`` and ``across`` px."""
    down, right = (across * fft.fftfreq(TILE[0])) ** 2, (along * fft.rfftfreq(TILE[1])) ** 2
    shape = np.outer(np.exp(-2 * np.pi**2 * down), np.exp(-2 * np.pi**2 * right)).astype(np.float32)
    shape[0, 0] = 0
    found = np.asarray(fft.irfft2(white_waves(rng, shape.shape) * shape, s=TILE), dtype=np.float32)
    found /= found.std()
    return found


def _wood(rng: np.random.Generator) -> Float32Array:
    """Fibres, growth rings a few mm wide, and pores: short dark dashes, most of them in the light rings."""
    rings = np.tanh(1.4 * _noise(rng, 150, 5))
    fibres, fine = _noise(rng, 60, 1.0), _noise(rng, 14, 0.6)
    pores = np.clip(_noise(rng, 7, 0.75) + 0.4 * rings - 1.55, 0, 1.2)
    dark = 0.1 * rings + 0.065 * fibres + 0.03 * fine + 0.38 * pores
    tints = np.array([0.85, 1.0, 1.2], dtype=np.float32)  # what is darker is redder too
    return np.asarray(np.exp(-dark[..., None] * tints))


def _steel(rng: np.random.Generator) -> Float32Array:
    """Fine long scratches of a brush."""
    scratches = 0.035 * _noise(rng, 120, 0.5) + 0.025 * _noise(rng, 40, 0.9) + 0.02 * _noise(rng, 200, 4)
    return np.asarray(1 + scratches + 0.012 * _noise(rng, 0.6, 0.6))


def _cloth(rng: np.random.Generator) -> Float32Array:
    """Plain weave: threads over and under one another, each of its own thickness and shade."""
    y, x = (np.arange(n, dtype=np.float32)[:, None] / np.float32(n) for n in TILE)
    v = np.pi * (THREADS[0] * y + 0.25 * _noise(rng, 40, 6))
    u = np.pi * (THREADS[1] * x.T + 0.25 * _noise(rng, 6, 40))
    weft = (np.floor(u / np.pi).astype(np.int32) + np.floor(v / np.pi).astype(np.int32)) & 1 == 0
    round_u, round_v = np.abs(np.sin(u)), np.abs(np.sin(v))
    height = np.where(weft, round_v**0.7 * round_u**0.3, round_u**0.7 * round_v**0.3)
    shade = np.where(weft, _noise(rng, 50, 1.4), _noise(rng, 1.4, 50))
    light = (0.62 + 0.5 * height) * (1 + 0.07 * shade + 0.04 * _noise(rng, 0.7, 0.7) + 0.03 * weft)
    return np.asarray(light, dtype=np.float32)


def _plain(rng: np.random.Generator) -> Float32Array:
    """Almost nothing: a lid, or a laminated board."""
    return np.asarray(1 + 0.008 * _noise(rng, 0.8, 0.8) + 0.008 * _noise(rng, 6, 6))


def _dusty(rng: np.random.Generator) -> Float32Array:
    """A dark board with specks of dust."""
    specks = np.clip(_noise(rng, 0.9, 0.9) - 3.4, 0, 1) * 2
    return np.asarray(1 + 0.05 * _noise(rng, 0.8, 0.8) + 0.05 * _noise(rng, 5, 5) + specks)


MAKERS: dict[Material, Callable[[np.random.Generator], Float32Array]] = {
    "wood": _wood,
    "steel": _steel,
    "cloth": _cloth,
    "white": _plain,
    "black": _dusty,
}
