"""The print: thermal ink that fades, a head that fails, the dots of printers, ink that bleeds."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import cv2
import numpy as np

from ecgvec._typing import Float32Array, Float64Array, Image, IntpArray, Uint8Array
from ecgvec.components import Seed, key, register
from ecgvec.effects.base import EFFECTS, OnPaper
from ecgvec.effects.paper import Share
from ecgvec.effects.texture import VARIANTS, Clouds, Patch, Tiled, Woven, bare_paper, fine_noise
from ecgvec.effects.tones import apply_lut, bands, freeze, pad_rows
from ecgvec.warp.base import in_rgb
from ecgvec.warp.parts import Bend, Paper, generator

GHOST = (1.0, 0.985, 0.96)  # what of the loss is seen in red, green and blue: faded thermal print is brownish
MOST_LOST = 0.88  # of thermal print, on the average of a page
LEAST_LEFT = 0.06  # of it anywhere: a ghost of the print stays
MOST_UNEVEN = 3.0  # times as fast as on the average does the worst patch fade
PINS = 9  # of a dot-matrix print head, one above the other
HARMONICS = 4  # of a lattice of dots
DROPLET_MM = 0.04  # standard deviation of an ink-jet's dot on plain paper
GRAIN = 0.11  # standard deviation of a half-tone, as a share of white
SWATH_MM = 5.4  # an ink-jet's head prints a band so high at a time
FEATHER = 2.2  # how much further ink goes along a fibre
DOT_GAIN = 1.5  # times the share that is covered, squared, times that which is not: the light caught beneath dots


def bare_level(page: Image) -> int:
    """How light the lightest channel of bare paper is, 0 to 255."""
    return int(float(np.percentile(page[::11, ::13].max(axis=2), 70)))


def black_ink(page: Image, bare: int) -> Uint8Array:
    """How much black ink (H, W) there is, 0 to 255: by how much the lightest channel is darker than ``bare`` paper's.
    A coloured grid, which was on the paper before the machine printed, has next to none."""
    red, green, blue = cv2.split(page)
    lightest = cv2.max(cv2.max(red, green), blue)
    return np.asarray(cv2.subtract(np.full_like(lightest, bare), lightest), dtype=np.uint8)


def without(page: Image, ink: Uint8Array, lost: Uint8Array, seen: tuple[float, float, float] = (1, 1, 1)) -> Image:
    """The page less so many 255ths ``fade`` (H, W) of its ``ink`` (H, W); ``seen``: of that in red, green and blue."""
    off = cv2.multiply(ink, lost, scale=1 / 255)
    bare = cv2.merge([off if share == 1 else cv2.convertScaleAbs(off, alpha=share) for share in seen])
    return np.asarray(cv2.add(page, bare), dtype=np.uint8)


@register(EFFECTS)
class ThermalFade(OnPaper):
    """Black thermal print that warmth, light and years have faded."""

    kind: Literal["thermal-fade"] = "thermal-fade"
    fade: Share = key(0.5, "Share of the print that is gone.")
    gradient: Share = key(0.4, "How much more on one side of the sheet than on the other.")
    patchiness: Share = key(0.5, "How patchy it is.")
    seed: Seed = 0

    def apply(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3) with paler print."""
        if not self.fade:
            return page
        rng = generator(self.seed)
        patch = Patch.whole(page, scale)
        angle = rng.uniform(0, 2 * np.pi)
        way = np.array([np.cos(angle), np.sin(angle)]) / paper.reach(np.array([np.cos(angle), np.sin(angle)]))
        right, down = (patch.x - paper.centre[0]) * way[0], (patch.y - paper.centre[1]) * way[1]
        patches = Clouds.draw(rng, 25, 140, 0.8).weave(patch.x, patch.y, scale)
        grain = Clouds.draw(rng, 0.5, 4, 0.0).weave(patch.x, patch.y, scale)
        slope = Woven(np.column_stack([down, np.ones_like(down)]), np.stack([np.ones_like(right), right]))
        uneven = _summed((self.gradient, slope), (0.28 * self.patchiness, patches), (0.06 * self.patchiness, grain))
        # It is always a share of what is left that goes next, so that print dies away and never ends at a hard border.
        kept = np.maximum(LEAST_LEFT, (1 - MOST_LOST * self.fade) ** (MOST_UNEVEN * np.arange(256) / 255))
        table, bare, changed = np.rint(255 * (1 - kept)).astype(np.uint8), bare_level(page), np.empty_like(page)
        for rows in bands(len(page)):
            speed = np.maximum(uneven[rows], -1)
            lost = cv2.LUT(cv2.convertScaleAbs(speed, alpha=255 / MOST_UNEVEN, beta=255 / MOST_UNEVEN), table)
            changed[rows] = without(page[rows], black_ink(page[rows], bare), np.asarray(lost, dtype=np.uint8), GHOST)
        return changed


def _summed(*parts: tuple[float, Woven]) -> Woven:
    """The sum of planes, each with its weight: one product in place of many, and of sums of whole planes."""
    left = np.hstack([weight * plane.left for weight, plane in parts]).astype(np.float32)
    return Woven(left, np.vstack([plane.right for _, plane in parts]).astype(np.float32))


@register(EFFECTS)
class PrintHead(OnPaper):
    """Light lines where elements of a thermal head fail, some of them now and then only."""

    kind: Literal["print-head"] = "print-head"
    count: int = key(8, "How many elements fail.", ge=0, le=60)
    width: float = key(0.25, "Width of a line.", "mm", ge=0.05, le=3)
    strength: Share = key(0.85, "Share of the print that a line lacks.")
    along: Literal["x", "y"] = key("x", "The way the paper went.")
    grid: bool = key(False, "The head prints the grid too; on most papers it is there before.")
    seed: Seed = 0

    def apply(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3) with light lines."""
        if not (self.count and self.strength):
            return page
        rng = generator(self.seed)
        flat = self.along == "x"
        reach, length = (paper.height, paper.width) if flat else (paper.width, paper.height)
        changed = page.copy()
        seen = changed if flat else changed.swapaxes(0, 1)
        bare = bare_paper(page) if self.grid else np.full(3, -1.0)
        whole = page if flat else page.swapaxes(0, 1)
        level = None if self.grid else bare_level(page)
        knots = np.arange(0.0, length + 8, 4.0)
        for middle in rng.uniform(0.03, 0.97, self.count) * reach:
            width = self.width * rng.choice([1.0, 1.0, 2.0])
            steady = rng.uniform(0.2, 1.6)
            fails = np.clip(steady + 0.5 * rng.standard_normal(len(knots)), 0.15, 1)
            rows = _rows(seen, scale, (middle, width))
            lacks = np.maximum(bare - seen[rows], 0) if level is None else black_ink(whole[rows], level)[..., None]
            share = self.strength * np.interp(_mm(seen, scale), knots, fails)
            _cleared(seen, rows, lacks, scale, (middle, width), share)
        return changed


def _mm(seen: Image, scale: float) -> Float64Array:
    return np.asarray((np.arange(seen.shape[1]) + 0.5) / scale)


def _rows(seen: Image, scale: float, line: tuple[float, float]) -> IntpArray:
    """The rows of the page that a ``line`` (its middle and width, mm) touches."""
    low, high = (line[0] - line[1] / 2) * scale, (line[0] + line[1] / 2) * scale
    return np.arange(max(0, int(low)), min(len(seen), int(high) + 1))


def _cleared(
    seen: Image,
    rows: IntpArray,
    lacks: Float64Array | Uint8Array,
    scale: float,
    line: tuple[float, float],
    share: Float64Array,
) -> None:
    """Takes a ``share`` (W,) of the ink off a ``line`` (its middle and width, mm) along ``rows`` of the page (H, W, 3),
    in place; they are darker than bare paper by what they lack, (n, W, 1 or 3)."""
    low, high = (line[0] - line[1] / 2) * scale, (line[0] + line[1] / 2) * scale
    covered = np.clip(np.minimum(rows + 1, high) - np.maximum(rows, low), 0, 1)[:, None, None]
    seen[rows] = np.rint(np.minimum(seen[rows] + covered * share[:, None] * lacks, 255)).astype(np.uint8)


@register(EFFECTS)
class DotMatrix(OnPaper):
    """Black print set from the dots of a pin printer.

    Each pass of the head has its own phase and, with the ribbon, its own blackness.
    """

    kind: Literal["dot-matrix"] = "dot-matrix"
    dots: float = key(2.83, "Dots along and across.", "a mm", ge=1, le=12)
    strength: Share = key(0.6, "How clear the gaps between them are.")
    seed: Seed = 0

    def apply(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3) with dotted print."""
        if not self.strength:
            return page
        rng = generator(self.seed)
        patch = Patch.whole(page, scale)
        tall = PINS / self.dots
        which = (patch.y // tall).astype(int)
        phases = rng.uniform(-0.2, 0.2, which[-1] + 1)[which]
        black = rng.uniform(0, 0.12, which[-1] + 1)[which].astype(np.float32)
        dots = _dots(self.dots * patch.x, self.dots * patch.y, phases, self.dots / scale)
        ribbon = Clouds.draw(rng, 2, 40, 0.5).weave(patch.x, patch.y, scale)
        bare, changed = bare_level(page), np.empty_like(page)
        for rows in bands(len(page)):
            lost = 1 - np.clip(dots[rows], 0, 1) + black[rows, None] + np.float32(0.07) * ribbon[rows]
            share = np.asarray(cv2.convertScaleAbs(np.clip(lost, 0, 1), alpha=255 * self.strength), dtype=np.uint8)
            changed[rows] = without(page[rows], black_ink(page[rows], bare), share)
        return changed


def _dots(x: Float64Array, y: Float64Array, phases: Float64Array, pixel: float) -> Woven:
    """The inked share (len(y), len(x)) of pixels, ``pixel`` wide, at places ``x``, ``y``, all in dots: a lattice of
    discs that just touch, each row's shifted by its ``phases``. The Fourier series of a disc (Airy 1835), which goes a
    little beyond 0 and 1."""
    order = np.arange(HARMONICS + 1)
    radius, far = 0.5, np.hypot(*np.meshgrid(order, order))
    far[0, 0] = 1
    from scipy.special import j1  # which pages without dots need not pay for

    series = radius * j1(2 * np.pi * radius * far) / far
    series[0, 0] = np.pi * radius**2
    series *= np.outer(np.where(order, 2, 1), np.where(order, 2, 1))
    series *= np.outer(np.sinc(order * pixel), np.sinc(order * pixel))
    turns = 2 * np.pi * order
    down = np.cos(np.outer(y, turns)) @ series
    shift = np.outer(phases, turns)
    left = np.hstack([down * np.cos(shift), -down * np.sin(shift)]).astype(np.float32)
    right = np.hstack([np.cos(np.outer(x, turns)), np.sin(np.outer(x, turns))]).astype(np.float32)
    return Woven(left, right.T)


@register(EFFECTS)
class InkJet(OnPaper):
    """All print, the grid too, sprayed from droplets."""

    kind: Literal["ink-jet"] = "ink-jet"
    strength: Share = key(0.5, "How strong the grain of tints, the bands between passes, and the specks are.")
    seed: Seed = 0

    def apply(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3), sprayed."""
        if not self.strength:
            return page
        rng = generator(self.seed)
        grain = fine_noise(rng, scale, DROPLET_MM, DROPLET_MM)
        specks = Tiled.over(_bytes(np.clip(fine_noise(rng, scale, 0.06, 0.06) - 2.0, 0, 1)), page.shape, scale)
        y = np.asarray((np.arange(page.shape[0]) + 0.5) / scale, dtype=np.float64)
        paler = np.rint(255 * _bands(rng, y, 1 / scale)).astype(np.uint8)
        grains = []
        for number in range(3):
            own = GRAIN * self.strength * np.roll(grain, number * len(grain) // 3, axis=(0, 1))
            grains.append([Tiled.over(_bytes(side), page.shape, scale) for side in (own, -own)])
        bare, changed, reach = bare_level(page), np.empty_like(page), int(2 * scale) + 2
        for rows in bands(len(page)):
            seen, kept = pad_rows(rows, len(page), reach)
            near = cv2.GaussianBlur(black_ink(page[seen], bare), (0, 0), 0.5 * scale)[kept]
            fallen = np.asarray(cv2.multiply(near, specks[rows], scale=6 * self.strength / 255), dtype=np.uint8)
            lines = np.repeat(paler[rows, None], page.shape[1], axis=1)
            changed[rows] = self._sprayed(page[rows], fallen, lines, [[tile[rows] for tile in two] for two in grains])
        return changed

    def _sprayed(self, page: Image, fallen: Uint8Array, lines: Uint8Array, grains: list[list[Uint8Array]]) -> Image:
        """Some rows of the page with specks that have ``fallen`` (h, w) beside the print, paler ``lines`` (h, w), and
        each colour's ``grains``, lighter and darker (h, w)."""
        tone = np.arange(256) / 255
        # A tint covers a share of the paper with dots; the spread of that share is largest half way (binomial).
        unsure = np.rint(2 * np.sqrt(tone * (1 - tone)) * 255).astype(np.uint8)
        layers = []
        for channel, sides in zip(cv2.split(page), grains, strict=True):
            wide, paler = (
                cv2.LUT(channel, unsure),
                cv2.multiply(cv2.bitwise_not(channel), lines, scale=self.strength / 255),
            )
            up, down = (cv2.multiply(wide, side, scale=1 / 255) for side in sides)
            layers.append(cv2.subtract(cv2.subtract(cv2.add(cv2.add(channel, up), paler), down), fallen))
        return np.asarray(cv2.merge(layers), dtype=np.uint8)


def _bytes(share: Float32Array) -> Uint8Array:
    return np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8)


def _bands(rng: np.random.Generator, y: Float64Array, pixel: float) -> Float32Array:
    """By how much (len(y),) print is paler at heights ``y`` mm: thin lines where one pass of the head ends and the next
    begins, and each pass a little of its own. Pixels are ``pixel`` mm high."""
    passes = y / SWATH_MM + rng.uniform(0, 1)
    which = passes.astype(int)
    own = rng.uniform(0, 0.07, which[-1] + 2)
    seam = 0.2 * rng.uniform(0.3, 1, which[-1] + 2)
    away = SWATH_MM * np.abs(passes - np.rint(passes))
    wide = np.hypot(0.06, 0.29 * pixel)  # 0.29: a box as a standard deviation, 1 / sqrt(12)
    line = seam[np.rint(passes).astype(int)] * 0.06 / wide * np.exp(-0.5 * (away / wide) ** 2)
    return np.asarray(np.clip(own[which] + line, 0, 1), dtype=np.float32)


@register(EFFECTS)
class Bleed(OnPaper):
    """Ink that has crept into the fibres, so that lines grow and feather."""

    kind: Literal["bleed"] = "bleed"
    spread: float = key(0.1, "How far, a standard deviation.", "mm", ge=0, le=1.5)
    seed: Seed = 0

    def apply(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3) with its print spread."""
        if not self.spread:
            return page
        far = Tiled.place_randomly(generator(self.seed), _soaking(self.seed % VARIANTS, scale), page.shape, scale)
        table, changed = _gained(page), np.empty_like(page)
        sigma = self.spread * scale
        for rows in bands(len(page)):
            seen, kept = pad_rows(rows, len(page), int(3 * FEATHER * sigma) + 2)
            widely, little = (cv2.GaussianBlur(page[seen], (0, 0), times * sigma)[kept] for times in (FEATHER, 1.0))
            wide = in_rgb(far[rows])
            soaked = cv2.add(
                cv2.multiply(widely, wide, scale=1 / 255), cv2.multiply(little, cv2.bitwise_not(wide), scale=1 / 255)
            )
            apply_lut(np.asarray(soaked), table, changed[rows])
        return changed


@lru_cache(maxsize=2 * VARIANTS)
def _soaking(variant: int, scale: float) -> Uint8Array:
    """A tile of fibres, 255 where ink goes furthest along them."""
    rng = generator(variant)
    turn = rng.uniform(0, np.pi)
    fibres = np.maximum(*(fine_noise(rng, scale, 0.35, 0.06, turn + way) for way in (0.0, 1.6)))
    return freeze(_bytes(np.asarray(0.5 * fibres - 0.1, dtype=np.float32)))


def _gained(page: Image) -> Uint8Array:
    """Table (256, 3), or (256,) for grey paper: what sRGB a tint has when the light that is caught beneath its dots is
    taken off, most where they cover two thirds of it (dot gain; Yule and Nielsen 1951). Bare paper keeps its colour, a
    pale grid nearly."""
    bare = bare_paper(page)
    tone = np.arange(256)[:, None]
    covered = np.clip(1 - tone / np.maximum(bare, 1), 0, 1)
    table = np.rint(np.maximum(tone - DOT_GAIN * bare * covered**2 * (1 - covered), 0)).astype(np.uint8)
    alike = (table == table[:, :1]).all()
    return np.ascontiguousarray(table[:, 0]) if alike else table  # one for all is had in half the time
