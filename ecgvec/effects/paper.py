"""The paper itself: its fibres, its yellowing, the print of another page that shows through. And what ink, paper and
stains share: noise that is the same in millimetres at every resolution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

import cv2
import numpy as np
from numpy import fft
from numpy.typing import NDArray
from pydantic import Field

from ecgvec.effects.base import EFFECTS, Image, OnPaper
from ecgvec.effects.dyes import Dye, dye_levels, dye_tables, dyed
from ecgvec.effects.tones import bands, white_waves
from ecgvec.parts import Degrees, Seed, registered
from ecgvec.style import HexColor, rgb
from ecgvec.warp.parts import Bend, Floats, Paper, generator

Plane = NDArray[np.float32]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Place = Annotated[float, Field(ge=-0.5, le=1.5, allow_inf_nan=False)]  # as a share of the page's width or height

PERIOD_MM = 47.0  # a tile of fine noise repeats after that, too far for the eye to find it
FINEST = 5.0  # cycles a mm: the finest fine noise; some 250 dpi show it
FAINTEST = np.float32(57)  # no wave is weaker than e to the power of minus that: subnormal ones make the FFT slow
FIBRE_WAYS = 5  # directions in which fibres of a tile lie
FIBRE_MM = (1.1, 0.09)  # of a fibre: length and width, standard deviations
YELLOW: Dye = (0.09, 0.2, 0.5)  # old wood pulp: blue goes first (lignin's chromophores absorb below 500 nm)
EDGE_MM = 16.0  # over which air has browned a sheet from its edge
BEHIND_MM = 0.2  # that of a sheet pressed to the next
GRIDS_BEHIND = ((1.0, 0.12), (5.0, 0.3))  # mm between lines, and their width
SCATTER_MM = 0.3  # paper's point spread: print on the other side is seen that blurred


@dataclass(frozen=True, eq=False)
class Clouds:
    """Smooth noise of unit variance on the page: a sum of plane waves with ``turns`` (k, 2) cycles a mm, ``phases``
    (k,) and ``weights`` (k,). A wave is of rank two, so that a page of it is one product of two thin matrices."""

    turns: Floats
    phases: Floats
    weights: Floats

    @classmethod
    def drawn(cls, rng: np.random.Generator, shortest: float, longest: float, slope: float = 0.7) -> Clouds:
        """Waves of ``shortest`` to ``longest`` mm; a wave's weight grows as its length to the power of ``slope``."""
        count = 26
        lengths = shortest * (longest / shortest) ** ((np.arange(count) + rng.random(count)) / count)
        angles = np.pi * (rng.permutation(count) + rng.random(count)) / count
        turns = np.stack([np.cos(angles), np.sin(angles)], axis=-1) / lengths[:, None]
        weights = lengths**slope
        return cls(turns, rng.uniform(0, 2 * np.pi, count), weights * np.sqrt(2 / np.sum(weights**2)))

    def at(self, x: Floats, y: Floats, scale: float) -> Plane:
        """Its mean (len(y), len(x)) over pixels, ``scale`` a mm, with their middles at ``x`` and ``y`` mm."""
        return self.woven(x, y, scale)[:]

    def woven(self, x: Floats, y: Floats, scale: float) -> Woven:
        """The same, of which each row is made when it is asked for."""
        weights = self.weights * np.prod(np.sinc(self.turns / scale), axis=1)
        across = 2 * np.pi * np.outer(x, self.turns[:, 0]) + self.phases
        down = 2 * np.pi * np.outer(y, self.turns[:, 1])
        left = np.hstack([weights * np.cos(down), -weights * np.sin(down)]).astype(np.float32)
        return Woven(left, np.hstack([np.cos(across), np.sin(across)]).astype(np.float32).T)


@dataclass(frozen=True, eq=False)
class Woven:
    """A plane (h, w) that is the product of two thin matrices, ``left`` (h, k) and ``right`` (k, w)."""

    left: Plane
    right: Plane

    def __getitem__(self, rows: slice) -> Plane:
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
    x: Floats
    y: Floats

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

    def offsets(self, x: float, y: float) -> tuple[Plane, Plane]:
        """How far right of and below (x, y) mm its pixels (h, w) are, mm."""
        right, down = np.meshgrid((self.x - x).astype(np.float32), (self.y - y).astype(np.float32))
        return right, down


def bare_paper(page: Image) -> Floats:
    """The colour (3,) of the page where nothing is printed."""
    # strides of no common measure, so that a grid line in the way of all rows is not in that of all columns
    return np.asarray(np.percentile(page[::11, ::13].reshape(-1, 3), 90, axis=0), dtype=np.float64)


def fine_noise(rng: np.random.Generator, scale: float, length: float, width: float, angle: float = 0.0) -> Plane:
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


def _in_tile(mm: Floats, size: int) -> NDArray[np.intp]:
    """Which of a tile's ``size`` rows or columns places (n,) mm down or across the page lie in. Counted in mm, for a
    period is no whole number of the page's pixels, and what each tile is off would add up over the page."""
    return np.asarray((mm * (size / PERIOD_MM)).astype(np.intp) % size)


def cut(tile: Plane, patch: Patch) -> Plane:
    """What lies on a patch when the tile is repeated over the page."""
    return np.asarray(tile[_in_tile(patch.y, tile.shape[0])[:, None], _in_tile(patch.x, tile.shape[1])])


@dataclass(frozen=True, eq=False)
class Tiled:
    """A tile repeated over a page (H, W): the page's ``columns`` of it, (n, W), and which of these n ``rows`` (H,)
    each row of the page shows."""

    columns: NDArray[np.uint8]
    rows: NDArray[np.intp]

    @classmethod
    def over(cls, tile: NDArray[np.uint8], shape: tuple[int, ...], scale: float) -> Tiled:
        """Over a page of that ``shape`` at ``scale`` px/mm."""
        middles = [np.asarray((np.arange(n) + 0.5) / scale, dtype=np.float64) for n in shape[:2]]
        rows, columns = (_in_tile(mm, size) for mm, size in zip(middles, tile.shape, strict=True))
        return cls(np.take(tile, columns, axis=1), rows)

    def __getitem__(self, rows: slice) -> NDArray[np.uint8]:
        """Some of the page's rows."""
        return np.asarray(np.take(self.columns, self.rows[rows], axis=0))


@registered(EFFECTS)
class Fibres(OnPaper):
    """Fibres and the cloudy look-through of uncoated paper; ``contrast``: how much darker its darkest places are than
    its lightest."""

    kind: Literal["fibres"] = "fibres"
    contrast: Annotated[float, Field(ge=0, le=0.4, allow_inf_nan=False)] = 0.07
    seed: Seed = 0

    def applied(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3) on such paper."""
        if not self.contrast:
            return page
        rng = generator(self.seed)
        turn = rng.uniform(0, np.pi)
        dark = 0.36 * fine_noise(rng, scale, 0.9, 0.7)  # flocs
        dark += 0.5 * fine_noise(rng, scale, 0.06, 0.06)  # the mesh of the wire, fillers, pores
        for way in range(FIBRE_WAYS):
            lying = fine_noise(rng, scale, *FIBRE_MM, turn + np.pi * (way + rng.uniform(-0.3, 0.3)) / FIBRE_WAYS)
            dark += 1.1 * np.maximum(lying - 1.3, 0) - 0.5 * np.maximum(-1.7 - lying, 0)
        tile = np.rint(255 * (1 - self.contrast * np.clip(0.3 + 0.17 * dark, 0, 1))).astype(np.uint8)
        gains, changed = Tiled.over(tile, page.shape, scale), np.empty_like(page)
        for rows in bands(len(page)):
            gain = cv2.cvtColor(gains[rows], cv2.COLOR_GRAY2RGB)
            cv2.multiply(page[rows], gain, scale=1 / 255, dst=changed[rows])
        return changed


@registered(EFFECTS)
class Yellowing(OnPaper):
    """Paper that has aged: ``amount`` of it, uneven, and ``edges``: how much further it has gone at the sheet's
    edges, where air and light reach it."""

    kind: Literal["yellowing"] = "yellowing"
    amount: Share = 0.4
    edges: Share = 0.5
    seed: Seed = 0

    def applied(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3), yellowed."""
        if not self.amount:
            return page
        rng = generator(self.seed)
        patch = Patch.whole(page, scale)
        clouds = Clouds.drawn(rng, 9, 180, 0.9).woven(patch.x, patch.y, scale)
        # The nearer a side, the browner; sides add up in the corners. Each side has gone its own way.
        sides = (patch.x, paper.width - patch.x, patch.y, paper.height - patch.y)
        left, right, top, bottom = (
            own * np.exp(-np.maximum(mm, 0) / EDGE_MM) for own, mm in zip(rng.uniform(0.5, 1.2, 4), sides, strict=True)
        )
        changed, tables = page.copy(), dye_tables(YELLOW)
        for rows in bands(len(page)):
            rim = ((left + right)[None] + (top + bottom)[rows, None]).astype(np.float32)
            uneven = clouds[rows]
            aged = 0.42 + 0.07 * uneven + np.float32(0.85 * self.edges) * rim * (1 + 0.25 * uneven)
            dyed(changed[rows], dye_levels(np.float32(self.amount) * np.clip(aged, 0, 1)), tables)
        return changed


@registered(EFFECTS)
class ShowThrough(OnPaper):
    """Print on the sheet's other side, or on a second sheet behind it, that shines through thin paper: ``strength``
    of it, ``x`` and ``y`` mm away from where it would lie.

    The ``other-side`` is taken to hold another page of the same print-out, mirrored. The ``sheet-behind`` is not
    mirrored; it lies turned by ``angle`` degrees and has a grid of the colour ``grid``, its finest lines ``pitch`` mm
    apart, and ``traces`` lines of vague beats.
    """

    kind: Literal["show-through"] = "show-through"
    source: Literal["other-side", "sheet-behind", "both"] = "sheet-behind"
    strength: Share = 0.14
    x: Annotated[float, Field(ge=-500, le=500, allow_inf_nan=False)] = 3.0
    y: Annotated[float, Field(ge=-500, le=500, allow_inf_nan=False)] = 17.0
    angle: Degrees = 0.8
    grid: HexColor = "#D06060"
    pitch: Literal[1, 5] = 1
    traces: Annotated[int, Field(ge=0, le=12)] = 4
    seed: Seed = 0

    def applied(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3) with a faint, blurred shadow of the other."""
        if not self.strength:
            return page
        changed = page
        if self.source != "sheet-behind":
            changed = self._mirrored(changed, scale)
        if self.source != "other-side":
            patch = Patch.whole(page, scale)
            grid, traces = self._grid(patch, scale), self._traces(page.shape, scale, paper)
            tables = [self._table(ink) for ink in (1 - np.array(rgb(self.grid)) / 255, np.ones(3))]
            behind, changed = changed, np.empty_like(changed)
            for rows in bands(len(page)):
                part = _through(behind[rows], grid(rows), tables[0])
                changed[rows] = _through(part, traces[rows], tables[1])
        return changed

    def _mirrored(self, page: Image, scale: float) -> Image:
        """The page with its own print on the other side."""
        behind = cv2.GaussianBlur(page[:, ::-1], (0, 0), SCATTER_MM * scale)
        behind = np.roll(behind, (round(self.y * scale), round(self.x * scale)), axis=(0, 1))
        # What is even over the sheet behind makes a sheet whiter or greyer, and is this page's own paper already.
        light = bare_paper(np.asarray(behind, dtype=np.uint8))
        table = 255 - self.strength * np.maximum(light - np.arange(256)[:, None], 0)
        shadow = cv2.LUT(behind, np.rint(table).astype(np.uint8)[None])
        return np.asarray(cv2.multiply(page, shadow, scale=1 / 255), dtype=np.uint8)

    def _table(self, ink: Floats) -> NDArray[np.uint8]:
        """Table (3, 256): what is left, of 255, of the light by print behind, 255 where it is full, of an ``ink`` that
        takes a share (3,) of it."""
        return np.rint(255 - self.strength * np.outer(ink, np.arange(256))).astype(np.uint8)

    def _grid(self, patch: Patch, scale: float) -> Callable[[slice], NDArray[np.uint8]]:
        """Rows of the grid behind, (h, W): thin lines as the waves that are left of them after scattering."""
        turn = np.radians(self.angle)
        ways = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        turns, weights = [], []
        for apart, wide in GRIDS_BEHIND:
            if apart < self.pitch:
                continue
            for k in range(1, int(apart / BEHIND_MM) + 1):
                left = 2 * wide / apart * np.sinc(k * wide / apart) * np.exp(-2 * (np.pi * k * BEHIND_MM / apart) ** 2)
                turns += list(k * ways / apart)
                weights += [left, left]
        lines = Clouds(np.array(turns), np.zeros(len(turns)), np.array(weights))
        seen = lines.woven(patch.x - self.x, patch.y - self.y, scale)
        between = np.percentile(Woven(seen.left[::7], seen.right[:, ::11])[:], 25)
        return lambda rows: np.asarray(np.clip(255 * (seen[rows] - between), 0, 255).astype(np.uint8))

    def _traces(self, shape: tuple[int, ...], scale: float, paper: Paper) -> NDArray[np.uint8]:
        """Lines of beats behind, (H, W), at the grid's turn and place."""
        rng = generator(self.seed)
        drawn = np.zeros(shape[:2], dtype=np.uint8)
        t = np.arange(-20.0, paper.width + 20, 0.3)
        turn = np.radians(self.angle)
        beat, height, tall = rng.uniform(16, 26), rng.uniform(4, 12, self.traces), rng.uniform(0.1, 0.35, self.traces)
        since = (t + rng.uniform(0, beat)) % beat - 0.35 * beat
        for line in range(self.traces):
            wave = height[line] * (np.exp(-((since / 0.55) ** 2)) - 0.25 * np.exp(-(((since - 1.2) / 0.5) ** 2)))
            wave += height[line] * tall[line] * np.exp(-(((since - 6.5) / 2.2) ** 2))
            down = (line + 0.6) * paper.height / max(self.traces, 1) + self.y - wave
            places = np.column_stack([t * np.cos(turn) + down * np.sin(turn), down * np.cos(turn) - t * np.sin(turn)])
            at = np.rint((places * scale - 0.5) * 16).astype(np.int32)
            cv2.polylines(drawn, [at], False, 255, max(1, round(0.28 * scale)), cv2.LINE_AA, 4)
        return np.asarray(cv2.GaussianBlur(drawn, (0, 0), SCATTER_MM * scale), dtype=np.uint8)


def _through(page: Image, dark: NDArray[np.uint8], table: NDArray[np.uint8]) -> Image:
    """Some rows of the page with ``dark`` (h, W) behind, of what a ``table`` (3, 256) leaves."""
    shadow = cv2.merge([cv2.LUT(dark, gain) for gain in table])
    return np.asarray(cv2.multiply(page, shadow, scale=1 / 255), dtype=np.uint8)
