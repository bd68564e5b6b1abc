"""What ink, paper and stains share: places on the page, and noise that is the same in millimetres at every
resolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy import fft

from ecgvec._typing import Float32Array, Float64Array, Image, IntpArray, Uint8Array
from ecgvec.effects.tones import white_waves

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
    def drawn(cls, rng: np.random.Generator, shortest: float, longest: float, slope: float = 0.7) -> Clouds:
        """Waves of ``shortest`` to ``longest`` mm; a wave's weight grows as its length to the power of ``slope``."""
        count = 26
        lengths = shortest * (longest / shortest) ** ((np.arange(count) + rng.random(count)) / count)
        angles = np.pi * (rng.permutation(count) + rng.random(count)) / count
        turns = np.stack([np.cos(angles), np.sin(angles)], axis=-1) / lengths[:, None]
        weights = lengths**slope
        return cls(turns, rng.uniform(0, 2 * np.pi, count), weights * np.sqrt(2 / np.sum(weights**2)))

    def at(self, x: Float64Array, y: Float64Array, scale: float) -> Float32Array:
        """Its mean (len(y), len(x)) over pixels, ``scale`` a mm, with their middles at ``x`` and ``y`` mm."""
        return self.woven(x, y, scale)[:]

    def woven(self, x: Float64Array, y: Float64Array, scale: float) -> Woven:
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


def cut(tile: Float32Array, patch: Patch) -> Float32Array:
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
    def turned(cls, rng: np.random.Generator, tile: Uint8Array, shape: tuple[int, ...], scale: float) -> Tiled:
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
