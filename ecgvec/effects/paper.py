"""The paper itself: its fibres, its yellowing, the print of another page that shows through."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field

from ecgvec._typing import Float64Array, Image, Uint8Array
from ecgvec.components import Degrees, HexColor, Seed, key, register, rgb
from ecgvec.effects.base import EFFECTS, OnPaper
from ecgvec.effects.color import Dye, apply_dye, dye_levels, dye_tables
from ecgvec.effects.texture import VARIANTS, Clouds, Patch, Tiled, Woven, bare_paper, fine_noise
from ecgvec.effects.tones import apply_lut, bands, freeze
from ecgvec.warp.base import in_rgb
from ecgvec.warp.parts import Bend, Paper, generator

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Place = Annotated[float, Field(ge=-0.5, le=1.5, allow_inf_nan=False)]  # as a share of the page's width or height

FIBRE_WAYS = 5  # directions in which fibres of a tile lie
FIBRE_MM = (1.1, 0.09)  # of a fibre: length and width, standard deviations
YELLOW: Dye = (0.09, 0.2, 0.5)  # old wood pulp: blue goes first (lignin's chromophores absorb below 500 nm)
EDGE_MM = 16.0  # over which air has browned a sheet from its edge
BEHIND_MM = 0.2  # that of a sheet pressed to the next
GRIDS_BEHIND = ((1.0, 0.12), (5.0, 0.3))  # mm between lines, and their width
SCATTER_MM = 0.3  # paper's point spread: print on the other side is seen that blurred


@register(EFFECTS)
class Fibres(OnPaper):
    """Fibres and the cloudy look-through of uncoated paper."""

    kind: Literal["fibres"] = "fibres"
    contrast: float = key(0.07, "How much darker its darkest places are than its lightest.", ge=0, le=0.4)
    seed: Seed = 0

    def apply(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3) on such paper."""
        if not self.contrast:
            return page
        table = np.rint(255 - self.contrast * np.arange(256)).astype(np.uint8)
        tile = apply_lut(_sheet(self.seed % VARIANTS, scale), table)
        gains, changed = Tiled.place_randomly(generator(self.seed), tile, page.shape, scale), np.empty_like(page)
        for rows in bands(len(page)):
            gain = in_rgb(gains[rows])
            cv2.multiply(page[rows], gain, scale=1 / 255, dst=changed[rows])
        return changed


@lru_cache(maxsize=2 * VARIANTS)
def _sheet(variant: int, scale: float) -> Uint8Array:
    """A tile of paper, 255 where it is darkest."""
    rng = generator(variant)
    turn = rng.uniform(0, np.pi)
    dark = 0.36 * fine_noise(rng, scale, 0.9, 0.7)  # flocs
    dark += 0.5 * fine_noise(rng, scale, 0.06, 0.06)  # the mesh of the wire, fillers, pores
    for way in range(FIBRE_WAYS):
        lying = fine_noise(rng, scale, *FIBRE_MM, turn + np.pi * (way + rng.uniform(-0.3, 0.3)) / FIBRE_WAYS)
        dark += 1.1 * np.maximum(lying - 1.3, 0) - 0.5 * np.maximum(-1.7 - lying, 0)
    return freeze(np.rint(255 * np.clip(0.3 + 0.17 * dark, 0, 1)).astype(np.uint8))


@register(EFFECTS)
class Yellowing(OnPaper):
    """Paper that has aged."""

    kind: Literal["yellowing"] = "yellowing"
    amount: Share = key(0.4, "How far it has yellowed.")
    edges: Share = key(0.5, "How much further at the sheet's edges.")
    seed: Seed = 0

    def apply(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3), yellowed."""
        if not self.amount:
            return page
        rng = generator(self.seed)
        patch = Patch.whole(page, scale)
        clouds = Clouds.draw(rng, 9, 180, 0.9).weave(patch.x, patch.y, scale)
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
            apply_dye(changed[rows], dye_levels(np.float32(self.amount) * np.clip(aged, 0, 1)), tables)
        return changed


@register(EFFECTS)
class ShowThrough(OnPaper):
    """Print on the other side, or the grid and vague beats of a second sheet, that shine through thin paper.

    The ``other-side`` is taken to hold another page of the same print-out, mirrored. The ``sheet-behind`` is not
    mirrored.
    """

    kind: Literal["show-through"] = "show-through"
    source: Literal["other-side", "sheet-behind", "both"] = key("sheet-behind", "What shines through.")
    strength: Share = key(0.14, "How strongly.")
    x: float = key(3.0, "Shift to the right.", "mm", ge=-500, le=500)
    y: float = key(17.0, "Shift downwards.", "mm", ge=-500, le=500)
    angle: Degrees = key(0.8, "Turn of the sheet behind.")
    grid: HexColor = key("#D06060", "Colour of its grid.")
    pitch: Literal[1, 5] = key(1, "Distance of its finest lines.", "mm")
    traces: int = key(4, "How many traces it has.", ge=0, le=12)
    seed: Seed = 0

    def apply(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
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

    def _table(self, ink: Float64Array) -> Uint8Array:
        """Table (3, 256): what is left, of 255, of the light by print behind, 255 where it is full, of an ``ink`` that
        takes a share (3,) of it."""
        return np.rint(255 - self.strength * np.outer(ink, np.arange(256))).astype(np.uint8)

    def _grid(self, patch: Patch, scale: float) -> Callable[[slice], Uint8Array]:
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
        seen = lines.weave(patch.x - self.x, patch.y - self.y, scale)
        between = np.percentile(Woven(seen.left[::7], seen.right[:, ::11])[:], 25)
        return lambda rows: np.asarray(np.clip(255 * (seen[rows] - between), 0, 255).astype(np.uint8))

    def _traces(self, shape: tuple[int, ...], scale: float, paper: Paper) -> Uint8Array:
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


def _through(page: Image, dark: Uint8Array, table: Uint8Array) -> Image:
    """Some rows of the page with ``dark`` (h, W) behind, of what a ``table`` (3, 256) leaves."""
    shadow = cv2.merge([cv2.LUT(dark, gain) for gain in table])
    return np.asarray(cv2.multiply(page, shadow, scale=1 / 255), dtype=np.uint8)
