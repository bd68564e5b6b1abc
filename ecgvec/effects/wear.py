"""What folds do to the print: ink breaks off along them, fibres show, dirt gathers in the line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from ecgvec._typing import Float32Array, Float64Array, Image, IntpArray
from ecgvec.components import Seed, key, register
from ecgvec.effects.base import EFFECTS, OnPaper
from ecgvec.warp.creases import Creases
from ecgvec.warp.parts import Bend, Paper, generator

CORE_MM = 0.28  # to both sides of a fold ink may be gone
RAGGED_MM = 0.12  # over which the core ends
WANDERING_MM = 0.07  # of the core's middle, standard deviation
LINE_MM = 0.2  # width of the line of dirt
BAND_MM = 0.5  # nothing further from a fold is touched
MOST_WORN = 0.75  # of the ink
MOST_DIRT = 0.14  # of sRGB, where the line is darkest
FULL_ANGLE = np.radians(9.0)  # a fold that is left so sharp, or sharper, is worn in full
FIBRES = (250, 249, 245)  # sRGB of bare paper
CELL_MM = 0.1  # of the fibres' noise
STEP_MM = 0.25  # of the noise along a fold


@register(EFFECTS)
class Wear(OnPaper):
    """Worn ink and dirt along the folds of all creases, the more the sharper a fold is."""

    kind: Literal["wear"] = "wear"
    worn: float = key(0.7, "Wear, as a share of a much used sheet's.", ge=0, le=1)
    dirt: float = key(0.7, "Dirt, as a share of a much used sheet's.", ge=0, le=1)
    seed: Seed = 0

    def apply(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3) with worn folds; the very same array where there is nothing to wear."""
        lines = [line for bend in bends if isinstance(bend, Creases) for line in _lines(bend, paper)]
        if not lines or not (self.worn or self.dirt):
            return page
        rng = generator(self.seed)
        length = float(np.hypot(paper.width, paper.height))
        noise = _Noise.draw(rng, 2 * length)
        changed = np.ascontiguousarray(page).copy()
        for line, start in zip(lines, rng.uniform(length / 2, 3 * length / 2, len(lines)), strict=True):
            where, t, s = _band(line, page.shape[:2], scale, paper)
            self._worn_off(
                line,
                changed.reshape(-1, 3),
                where,
                noise.wear_at(t, s + np.float32(start)),
                noise.dirt(t, s + np.float32(start)),
            )
        return changed

    def _worn_off(self, line: _Line, pixels: Image, where: IntpArray, worn: Float32Array, dirt: Float32Array) -> None:
        """Wears the pixels (m, 3) of the page at ``where``, in place."""
        strength = min(1.0, abs(line.angle) / FULL_ANGLE)
        gone = np.float32(strength * self.worn * MOST_WORN) * worn
        left = 1 - np.float32(strength * self.dirt * MOST_DIRT) * dirt
        for channel, fibres in zip(pixels.T, FIBRES, strict=True):
            old = channel[where].astype(np.float32)
            new = (old + gone * np.maximum(0, fibres - old)) * left
            channel[where] = (new + np.float32(0.5)).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class _Line:
    """A fold: ``offset`` mm from the page's middle along the unit vector ``across`` (2,), its angle in radians."""

    across: Float64Array
    offset: float
    angle: float


def _lines(creases: Creases, paper: Paper) -> list[_Line]:
    pairs = ((folds, pair) for folds in creases.folds(paper) for pair in zip(folds.offsets, folds.angles, strict=True))
    return [_Line(folds.across, float(offset), float(angle)) for folds, (offset, angle) in pairs]


def _band(
    line: _Line, shape: tuple[int, ...], scale: float, paper: Paper
) -> tuple[IntpArray, Float32Array, Float32Array]:
    """A strip of pixels along a fold: their numbers (n, k) row by row in the page; the distance (n, k) from the fold
    in mm, infinite beyond the page, where the numbers are those of some others, each only once; and the place (n, 1)
    along the fold in mm from its middle. It follows the page's rows, or its columns where the fold is nearer to
    these."""
    height, width = shape
    upright = abs(line.across[0]) >= abs(line.across[1])
    ways, centre, sizes = line.across, paper.centre, (width, height)
    if not upright:
        ways, centre, sizes = ways[::-1], centre[::-1], sizes[::-1]
    on = np.arange(sizes[1])
    q = (on + 0.5) / scale - centre[1]
    p = (line.offset - q * ways[1]) / ways[0]  # of the fold itself
    first = np.floor((p + centre[0]) * scale).astype(np.intp)
    reach = int(np.ceil(BAND_MM * scale / abs(ways[0])))
    seen = (first > -reach) & (first < sizes[0] + reach)
    on, q, p, first = on[seen, None], q[seen, None], p[seen, None], first[seen, None]
    over = first + np.arange(-reach, reach + 1)
    t = np.float32(ways[0]) * ((over + np.float32(0.5)) / np.float32(scale) - (p + centre[0]).astype(np.float32))
    t[(over < 0) | (over >= sizes[0])] = np.inf
    where = on * width + over if upright else over * width + on
    return where % (height * width), t, (ways[0] * q - ways[1] * p).astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Noise:
    """Irregularities of a long fold, of which each fold of the page is a piece: how ``broken`` (n,) it is and how dirty
    (``grime``), 0 to 1, and how far its middle ``wanders`` (n,) in mm, each every STEP_MM; ``fibres`` (m, k) every
    CELL_MM along it and across."""

    broken: Float32Array
    grime: Float32Array
    wanders: Float32Array
    fibres: Float32Array

    @classmethod
    def draw(cls, rng: np.random.Generator, length: float) -> _Noise:
        """For a fold of ``length`` mm."""
        count = int(length / STEP_MM) + 2
        broken = 0.66 + 0.22 * _smooth(rng, count, 14) + 0.2 * _smooth(rng, count, 2) + 0.12 * _smooth(rng, count, 0.5)
        # Where the print is whole the line of dirt is seen on it; where it has broken off, pale fibres are.
        grime = 1.15 - 0.9 * np.clip(broken, 0, 1) + 0.2 * _smooth(rng, count, 9) + 0.15 * _smooth(rng, count, 0.8)
        wanders = WANDERING_MM * _smooth(rng, count, 3)
        cells = int(length / CELL_MM) + 2, int(2 * BAND_MM / CELL_MM) + 2
        fibres = cv2.GaussianBlur(rng.standard_normal(cells, dtype=np.float32), (0, 0), 0.6)
        return cls(np.clip(broken, 0, 1), np.clip(grime, 0, 1), wanders, 0.3 + 0.6 * fibres / fibres.std())

    def wear_at(self, t: Float32Array, s: Float32Array) -> Float32Array:
        """Share (n, k) of what can break off that has, at ``t`` (n, k) mm across the fold, ``s`` (n, 1) along it."""
        at, i = _at(s, STEP_MM), _at(s, CELL_MM)
        broken = self.broken[at]
        far = np.abs(t - self.wanders[at])
        j = (np.clip(t, -BAND_MM, BAND_MM) * np.float32(1 / CELL_MM) + np.float32(BAND_MM / CELL_MM)).astype(np.intp)
        frayed = self.fibres[i, j]
        inside = (np.float32(CORE_MM) * (np.float32(0.5) + broken / 2) - far) * np.float32(1 / RAGGED_MM) + frayed
        inside[np.abs(t) > BAND_MM] = 0
        return np.asarray(np.clip(inside, 0, 1) * broken)

    def dirt(self, t: Float32Array, s: Float32Array) -> Float32Array:
        """How dark (n, k) the line is, 0 to 1."""
        at = _at(s, STEP_MM)
        profile = np.maximum(0, 1 - ((t - self.wanders[at] / 2) * np.float32(1 / LINE_MM)) ** 2)
        return np.asarray(self.grime[at] * profile * profile)


def _at(s: Float32Array, step: float) -> IntpArray:
    return (s * np.float32(1 / step)).astype(np.intp)


def _smooth(rng: np.random.Generator, count: int, length: float) -> Float32Array:
    """Noise (count,) of unit variance every STEP_MM, blurred over ``length`` mm."""
    wide = rng.standard_normal((1, count), dtype=np.float32)
    blurred = cv2.GaussianBlur(wide, (0, 0), length / STEP_MM / 2)[0]
    return np.asarray(blurred / max(float(blurred.std()), 1e-6))
