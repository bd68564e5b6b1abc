"""The print: thermal ink that fades, a head that fails, the dots of printers, ink that bleeds."""

from __future__ import annotations

from typing import Annotated, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ecgvec.effects.base import EFFECTS, Image, OnPaper
from ecgvec.effects.paper import Clouds, Patch, Share, bare_paper, fine_noise, spread
from ecgvec.parts import Seed, registered
from ecgvec.warp.parts import Bend, Floats, Paper, generator

Plane = NDArray[np.float32]
Bytes = NDArray[np.uint8]

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


def black_ink(page: Image) -> Bytes:
    """How much black ink (H, W) there is, 0 to 255: by how much the lightest channel is darker than bare paper. A
    coloured grid, which was on the paper before the machine printed, has next to none."""
    red, green, blue = cv2.split(page)
    lightest = cv2.max(cv2.max(red, green), blue)
    bare = float(np.percentile(lightest[::11, ::13], 70))
    return np.asarray(cv2.subtract(np.full_like(lightest, int(bare)), lightest), dtype=np.uint8)


def without(page: Image, ink: Bytes, lost: Bytes, seen: tuple[float, float, float] = (1, 1, 1)) -> Image:
    """The page less so many 255ths ``lost`` (H, W) of its ``ink`` (H, W); ``seen``: of that in red, green and blue."""
    off = cv2.multiply(ink, lost, scale=1 / 255)
    bare = cv2.merge([off if share == 1 else cv2.convertScaleAbs(off, alpha=share) for share in seen])
    return np.asarray(cv2.add(page, bare), dtype=np.uint8)


@registered(EFFECTS)
class ThermalFade(OnPaper):
    """Black thermal print that warmth, light and years have faded: ``lost`` is the share of it, more on one side of
    the sheet than on the other by ``gradient``, and in patches (``patchy``)."""

    kind: Literal["thermal-fade"] = "thermal-fade"
    lost: Share = 0.5
    gradient: Share = 0.4
    patchy: Share = 0.5
    seed: Seed = 0

    def applied(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3) with paler print."""
        if not self.lost:
            return page
        rng = generator(self.seed)
        patch = Patch.whole(page, scale)
        angle = rng.uniform(0, 2 * np.pi)
        way = np.array([np.cos(angle), np.sin(angle)]) / paper.reach(np.array([np.cos(angle), np.sin(angle)]))
        slope = np.add.outer((patch.y - paper.centre[1]) * way[1], (patch.x - paper.centre[0]) * way[0])
        patches = Clouds.drawn(rng, 25, 140, 0.8).at(patch.x, patch.y, scale)
        grain = Clouds.drawn(rng, 0.5, 4, 0.0).at(patch.x, patch.y, scale)
        uneven = 1 + np.float32(self.gradient) * slope.astype(np.float32)
        uneven += np.float32(self.patchy) * (np.float32(0.28) * patches + np.float32(0.06) * grain)
        # It is always a share of what is left that goes next, so that print dies away and never ends at a hard border.
        levels = cv2.convertScaleAbs(np.maximum(uneven, 0), alpha=255 / MOST_UNEVEN)
        kept = np.maximum(LEAST_LEFT, (1 - MOST_LOST * self.lost) ** (MOST_UNEVEN * np.arange(256) / 255))
        lost = np.asarray(cv2.LUT(levels, np.rint(255 * (1 - kept)).astype(np.uint8)), dtype=np.uint8)
        return without(page, black_ink(page), lost, GHOST)


@registered(EFFECTS)
class PrintHead(OnPaper):
    """A thermal head of which ``count`` elements fail: each leaves a light line, ``width`` mm, along the way the paper
    went, and prints there only 1 - ``strength`` of what it should, some of them now and then only. ``grid``: the
    head prints the grid as well; on most papers it is there before."""

    kind: Literal["print-head"] = "print-head"
    count: Annotated[int, Field(ge=0, le=60)] = 8
    width: Annotated[float, Field(ge=0.05, le=3, allow_inf_nan=False)] = 0.25
    strength: Share = 0.85
    along: Literal["x", "y"] = "x"
    grid: bool = False
    seed: Seed = 0

    def applied(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3) with light lines."""
        if not (self.count and self.strength):
            return page
        rng = generator(self.seed)
        flat = self.along == "x"
        reach, length = (paper.height, paper.width) if flat else (paper.width, paper.height)
        changed = page.copy()
        seen = changed if flat else changed.swapaxes(0, 1)
        bare = bare_paper(page) if self.grid else np.full(3, -1.0)
        ink = None if self.grid else (black_ink(page) if flat else black_ink(page).T)
        knots = np.arange(0.0, length + 8, 4.0)
        for middle in rng.uniform(0.03, 0.97, self.count) * reach:
            width = self.width * rng.choice([1.0, 1.0, 2.0])
            steady = rng.uniform(0.2, 1.6)
            fails = np.clip(steady + 0.5 * rng.standard_normal(len(knots)), 0.15, 1)
            _cleared(seen, ink, bare, scale, (middle, width), self.strength * np.interp(_mm(seen, scale), knots, fails))
        return changed


def _mm(seen: Image, scale: float) -> Floats:
    return np.asarray((np.arange(seen.shape[1]) + 0.5) / scale)


def _cleared(
    seen: Image, ink: Bytes | None, bare: Floats, scale: float, line: tuple[float, float], share: Floats
) -> None:
    """Takes a ``share`` (W,) of the ink off a ``line`` (its middle and width, mm) along the rows of the page (H, W, 3),
    in place. What ``bare`` paper is lighter by is the ink, unless black ``ink`` (H, W) is given."""
    low, high = (line[0] - line[1] / 2) * scale, (line[0] + line[1] / 2) * scale
    rows = np.arange(max(0, int(low)), min(len(seen), int(high) + 1))
    covered = np.clip(np.minimum(rows + 1, high) - np.maximum(rows, low), 0, 1)[:, None, None]
    old = seen[rows].astype(np.float64)
    lacks = np.maximum(bare - old, 0) if ink is None else ink[rows][..., None]
    seen[rows] = np.rint(np.minimum(old + covered * share[:, None] * lacks, 255)).astype(np.uint8)


@registered(EFFECTS)
class DotMatrix(OnPaper):
    """Black print set from the dots of a pin printer: ``dots`` a mm along and across, ``strength`` of the gaps between
    them. Each pass of the head has its own phase and, with the ribbon, its own blackness."""

    kind: Literal["dot-matrix"] = "dot-matrix"
    dots: Annotated[float, Field(ge=1, le=12, allow_inf_nan=False)] = 2.83
    strength: Share = 0.6
    seed: Seed = 0

    def applied(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3) with dotted print."""
        if not self.strength:
            return page
        rng = generator(self.seed)
        patch = Patch.whole(page, scale)
        tall = PINS / self.dots
        which = (patch.y // tall).astype(int)
        phases = rng.uniform(-0.2, 0.2, which[-1] + 1)[which]
        black = rng.uniform(0, 0.12, which[-1] + 1)[which].astype(np.float32)
        gaps = 1 - _dots(self.dots * patch.x, self.dots * patch.y, phases, self.dots / scale)
        ribbon = Clouds.drawn(rng, 2, 40, 0.5).at(patch.x, patch.y, scale)
        lost = gaps + black[:, None] + np.float32(0.07) * ribbon
        share = cv2.convertScaleAbs(np.clip(lost, 0, 1), alpha=255 * self.strength)
        return without(page, black_ink(page), np.asarray(share, dtype=np.uint8))


def _dots(x: Floats, y: Floats, phases: Floats, pixel: float) -> Plane:
    """The inked share (len(y), len(x)) of pixels, ``pixel`` wide, at places ``x``, ``y``, all in dots: a lattice of
    discs that just touch, each row's shifted by its ``phases``. The Fourier series of a disc (Airy 1835)."""
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
    return np.asarray(np.clip(left @ right.T, 0, 1))


@registered(EFFECTS)
class InkJet(OnPaper):
    """All print, the grid too, sprayed from droplets: ``strength`` of the grain that tints are made of, of the bands
    between passes of the head, and of the specks that fall beside the print."""

    kind: Literal["ink-jet"] = "ink-jet"
    strength: Share = 0.5
    seed: Seed = 0

    def applied(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3), sprayed."""
        if not self.strength:
            return page
        rng = generator(self.seed)
        grain = fine_noise(rng, scale, DROPLET_MM, DROPLET_MM)
        specks = np.clip(fine_noise(rng, scale, 0.06, 0.06) - 2.0, 0, 1)
        y = np.asarray((np.arange(page.shape[0]) + 0.5) / scale, dtype=np.float64)
        bands = np.rint(255 * _bands(rng, y, 1 / scale)).astype(np.uint8)[:, None].repeat(page.shape[1], axis=1)
        tone = np.arange(256) / 255
        # A tint covers a share of the paper with dots; the spread of that share is largest half way (binomial).
        unsure = np.rint(2 * np.sqrt(tone * (1 - tone)) * 255).astype(np.uint8)
        near = cv2.GaussianBlur(black_ink(page), (0, 0), 0.5 * scale)
        fallen = cv2.multiply(near, spread(_bytes(specks), page.shape, scale), scale=6 * self.strength / 255)
        layers = []
        for number, channel in enumerate(cv2.split(page)):
            own = GRAIN * self.strength * np.roll(grain, number * len(grain) // 3, axis=(0, 1))
            wide, paler = (
                cv2.LUT(channel, unsure),
                cv2.multiply(cv2.bitwise_not(channel), bands, scale=self.strength / 255),
            )
            up, down = (
                cv2.multiply(wide, spread(_bytes(side), page.shape, scale), scale=1 / 255) for side in (own, -own)
            )
            layers.append(cv2.subtract(cv2.subtract(cv2.add(cv2.add(channel, up), paler), down), fallen))
        return np.asarray(cv2.merge(layers), dtype=np.uint8)


def _bytes(share: Plane) -> Bytes:
    return np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8)


def _bands(rng: np.random.Generator, y: Floats, pixel: float) -> Plane:
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


@registered(EFFECTS)
class Bleed(OnPaper):
    """Ink that has crept into the fibres by ``spread`` mm (standard deviation), further along some of them, so that
    lines grow and feather."""

    kind: Literal["bleed"] = "bleed"
    spread: Annotated[float, Field(ge=0, le=1.5, allow_inf_nan=False)] = 0.1
    seed: Seed = 0

    def applied(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3) with its print spread."""
        if not self.spread:
            return page
        rng = generator(self.seed)
        turn = rng.uniform(0, np.pi)
        fibres = np.maximum(*(fine_noise(rng, scale, 0.35, 0.06, turn + way) for way in (0.0, 1.6)))
        share = np.rint(255 * np.clip(0.5 * fibres - 0.1, 0, 1)).astype(np.uint8)
        far, near = (spread(tile, page.shape, scale) for tile in (share, 255 - share))
        widely = cv2.GaussianBlur(page, (0, 0), FEATHER * self.spread * scale)
        little = cv2.GaussianBlur(page, (0, 0), self.spread * scale)
        soaked = cv2.add(
            cv2.multiply(widely, cv2.merge([far, far, far]), scale=1 / 255),
            cv2.multiply(little, cv2.merge([near, near, near]), scale=1 / 255),
        )
        return np.asarray(cv2.LUT(soaked, _gained(page)), dtype=np.uint8)


def _gained(page: Image) -> Bytes:
    """Table (1, 256, 3): what sRGB a tint has when the light that is caught beneath its dots is taken off, most where
    they cover two thirds of it (dot gain; Yule and Nielsen 1951). Bare paper keeps its colour, a pale grid nearly."""
    bare = bare_paper(page)
    tone = np.arange(256)[:, None]
    covered = np.clip(1 - tone / np.maximum(bare, 1), 0, 1)
    return np.rint(np.maximum(tone - DOT_GAIN * bare * covered**2 * (1 - covered), 0)).astype(np.uint8)[None]
