"""What office machines make of a page: photocopies, fax, one bit a pixel."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar, Literal, cast

import cv2
import numpy as np

from ecgvec._typing import Float64Array, Image
from ecgvec.components import Seed, key, register
from ecgvec.effects.base import EFFECTS, Capture
from ecgvec.effects.sensor import cell_means, cell_side, spread_cells
from ecgvec.effects.tones import apply_lut, grey, normal_bits, quantiles
from ecgvec.warp.base import in_rgb
from ecgvec.warp.parts import generator

SPREAD_MM = 0.05  # of toner, standard deviation
TONER = 22  # sRGB of black toner
SPECK_MM = (0.03, 0.22)  # radii of toner specks
COPY_STREAK_MM = 0.15
FINE = 4  # bits of a pixel's fraction that OpenCV's drawing takes
MM_A_DM = 100.0


@register(EFFECTS)
class Photocopy(Capture):
    """A black and white copy."""

    kind: Literal["photocopy"] = "photocopy"
    contrast: float = key(5.0, "Slope of its curve.", ge=0.5, le=30)
    darkness: float = key(0.7, "Where the curve lies half way, as a share of the paper's brightness.", ge=0.05, le=0.98)
    grain: float = key(10.0, "Grain that makes edges of toner ragged.", "8-bit levels", ge=0, le=40)
    specks: float = key(40.0, "Specks of toner.", "a dm^2", ge=0, le=2_000)
    streaks: int = key(1, "Streaks of toner down the page.", ge=0, le=30)
    levelling: float = key(1.0, "How far it follows the paper's own brightness.", ge=0, le=1)
    seed: Seed = 0

    def predictable_part(self) -> Photocopy:
        """The curve, and neither grain nor dirt."""
        return self.model_copy(update={"grain": 0.0, "specks": 0.0, "streaks": 0})

    def capture(self, image: Image, scale: float) -> Image:
        """Levelled, spread, roughened, put through the curve, soiled."""
        rng = generator(self.seed)
        page: Any = level_paper(grey(image), scale, self.levelling)
        page = cv2.GaussianBlur(page, (0, 0), max(0.3, SPREAD_MM * scale), borderType=cv2.BORDER_REPLICATE)
        noise = apply_lut(normal_bits(rng, page.shape), np.rint(quantiles(self.grain)).astype(np.int16))
        page = apply_lut(cast(Image, cv2.add(page, noise, dtype=cv2.CV_8U)), self.curve())
        page = cv2.min(page, _specks(rng, page.shape, scale, self.specks))
        _streak(page[..., None], rng, self.streaks, COPY_STREAK_MM * scale, 0.5, 0.3)
        return in_rgb(page)

    def curve(self) -> Image:
        """Table (256,): a logistic curve between toner and white with that slope half way."""
        rise = 4 * self.contrast * (np.arange(256) / 255 - self.darkness)
        return np.asarray(np.rint(TONER + (255 - TONER) / (1 + np.exp(-rise)))).astype(np.uint8)


def _specks(rng: np.random.Generator, shape: tuple[int, ...], scale: float, a_dm2: float) -> Image:
    """A white page (H, W) with specks, most of them small and some of them in clusters."""
    white = np.full(shape[:2], 255, dtype=np.uint8)
    height, width = shape[:2]
    count = int(rng.poisson(a_dm2 * height * width / (scale * MM_A_DM) ** 2))
    places = rng.uniform((0, 0), (width, height), (count, 2))
    small, large = SPECK_MM
    sizes = small + (large - small) * rng.random((count, 2)) ** 4
    turns, tones = rng.uniform(0, 180, count), rng.integers(TONER, 150, count)
    for place, size, turn, tone in zip(places, sizes, turns, tones, strict=True):
        centre = [int(v) for v in np.rint((place - 0.5) * 2**FINE)]
        axes = [max(1 << FINE - 1, int(v)) for v in np.rint(size * scale * 2**FINE)]
        cv2.ellipse(white, centre, axes, float(turn), 0, 360, int(tone), -1, cv2.LINE_AA, FINE)
    return white


@register(EFFECTS)
class ScannerStreaks(Capture):
    """Streaks of dirt before a scanner's line of sensors."""

    kind: Literal["scanner-streaks"] = "scanner-streaks"
    noisy: ClassVar[bool] = True
    count: int = key(4, "How many streaks.", ge=0, le=60)
    width: float = key(0.15, "Width of a streak.", "mm", ge=0.02, le=3)
    strength: float = key(0.25, "How dark, or how light.", ge=0, le=1)
    light: float = key(0.3, "Share of light streaks, from dirt that was there when white was set.", ge=0, le=1)
    along: Literal["columns", "rows"] = key("columns", "Down the picture's columns, or along its rows.")
    seed: Seed = 0

    def capture(self, image: Image, scale: float) -> Image:
        """Only the pixels under a streak change."""
        found = image.copy()
        turned = found if self.along == "columns" else found.swapaxes(0, 1)
        _streak(turned, generator(self.seed), self.count, self.width * scale, self.strength, self.light)
        return found


def _streak(image: Image, rng: np.random.Generator, count: int, width: float, strength: float, light: float) -> None:
    """Draws streaks of about ``width`` px down the image (H, W, 1 or 3), in place."""
    # All numbers are drawn whatever they are used for: with more strength the same streaks get stronger.
    middles, kinds = rng.uniform(0, image.shape[1], count), rng.random(count)
    widths, depths = width * rng.uniform(0.6, 1.6, count), strength * rng.uniform(0.4, 1, (count, 1))
    hues = rng.uniform(0.7, 1, (count, 3))
    wobble = _unsteady(rng, image.shape[0], count)
    for k in range(count):
        first = max(0, int(middles[k] - widths[k] / 2 - 1))
        last = min(image.shape[1], int(middles[k] + widths[k] / 2 + 2))
        x = np.arange(first, last) + 0.5
        cover = np.clip(widths[k] / 2 + 0.5 - np.abs(x - middles[k]), 0, min(1, widths[k]))
        share = wobble[:, k, None, None] * (cover[:, None] * depths[k] * hues[k, : image.shape[2]])
        goal = 255.0 if kinds[k] < light else 0.0
        strip = image[:, first:last]
        strip[...] = np.rint(strip + share * (goal - strip)).astype(np.uint8)


def _unsteady(rng: np.random.Generator, length: int, count: int) -> Float64Array:
    """How strong (length, count) streaks are along their way, 0.5 to 1."""
    knots = rng.uniform(0.5, 1, (8, count))
    at = np.linspace(0, 7, length)
    return np.stack([np.interp(at, np.arange(8), knots[:, k]) for k in range(count)], axis=1) if count else knots[:0]


Pattern = Literal["ordered", "blue-noise", "halftone"]
NOISE_SIDE = 60  # px of the tiles of blue noise and halftone
GAP_PX = 1.5  # width of what a dot of it keeps free
HALFTONE_SIDE = 6  # px of the halftone's cell, which holds two dots: a screen at 45 degrees
FAX_COLUMNS = 8.04  # a mm (ITU-T T.4)
FAX_LINES = {"standard": 3.85, "fine": 7.7}  # a mm (ITU-T T.4)
WINDOW_MM = 3.0  # over which the paper's own brightness is taken
DARKEST_PAPER = 70  # sRGB; what is darker is not taken for paper
BLANK = 250  # sRGB of levelled paper


@lru_cache
def thresholds(pattern: Pattern) -> Float64Array:
    """A tile (n, n) of thresholds between 0 and 1, each equally often."""
    if pattern == "ordered":
        tile = np.zeros((1, 1))
        for _ in range(3):  # Bayer 1973
            tile = np.block([[4 * tile, 4 * tile + 2], [4 * tile + 3, 4 * tile + 1]])
        return np.asarray((tile + 0.5) / tile.size)
    if pattern == "halftone":
        # Round dots; their like pixels in an order that differs from dot to dot, so that none leans to one side.
        wave = np.cos(2 * np.pi * np.arange(NOISE_SIDE) / HALFTONE_SIDE)
        return _ranked(np.outer(wave, wave) + 1e-6 * generator(0).random((NOISE_SIDE, NOISE_SIDE)))
    return _blue_noise()


def _ranked(values: Float64Array) -> Float64Array:
    order = np.argsort(values.ravel(), kind="stable")
    ranks = np.empty(values.size)
    ranks[order] = (np.arange(values.size) + 0.5) / values.size
    return ranks.reshape(values.shape)


def _blue_noise() -> Float64Array:
    """Each next dot goes into the widest gap between those before (after Ulichney 1993, "The void-and-cluster method
    for dither array generation"): even, without rows, as error diffusion looks."""
    away = np.minimum(np.arange(NOISE_SIDE), NOISE_SIDE - np.arange(NOISE_SIDE))
    near = np.tile(np.exp(-(away[:, None] ** 2 + away**2) / (2 * GAP_PX**2)), (2, 2))
    crowd = 1e-3 * generator(0).random((NOISE_SIDE, NOISE_SIDE))
    order = np.empty(crowd.shape)
    for rank in range(crowd.size):
        row, column = divmod(int(np.argmin(crowd)), NOISE_SIDE)
        order[row, column] = rank
        crowd += near[NOISE_SIDE - row : 2 * NOISE_SIDE - row, NOISE_SIDE - column : 2 * NOISE_SIDE - column]
        crowd[row, column] = np.inf
    return np.asarray((order + 0.5) / order.size)


def lay_out(pattern: Pattern, shape: tuple[int, ...], seed: int) -> Float64Array:
    """Thresholds (H, W), the tile beginning at a random place."""
    tile = thresholds(pattern)
    row, column = generator(seed).integers(0, tile.shape[0], 2)
    tile = np.roll(tile, (row, column), axis=(0, 1)).astype(np.float32)
    times = [-(-n // side) for n, side in zip(shape[:2], tile.shape, strict=True)]
    return np.tile(tile, times)[: shape[0], : shape[1]]


@register(EFFECTS)
class Dither(Capture):
    """Fewer levels a channel, dithered."""

    kind: Literal["dither"] = "dither"
    levels: int = key(4, "Levels a channel.", ge=2, le=64)
    pattern: Pattern = key("blue-noise", "Pattern of thresholds.")
    dpi: float = key(200.0, "Dots of the pattern.", "dpi", ge=30, le=1_200)
    seed: Seed = 0

    def capture(self, image: Image, scale: float) -> Image:
        """The nearest level once the threshold has been added."""
        side, step = cell_side(scale, self.dpi), 255 / (self.levels - 1)
        cells = cell_means(image, side, side)
        lift = np.rint((lay_out(self.pattern, cells.shape, self.seed) - 0.5) * step).astype(np.int16)
        lifted: Any = cv2.add(cells, np.repeat(lift[..., None], 3, axis=2), dtype=cv2.CV_8U)
        table = np.rint(np.rint(np.arange(256) / step) * step).astype(np.uint8)
        return spread_cells(cast(Image, apply_lut(lifted, table)), side, side, image.shape)


@register(EFFECTS)
class Fax(Capture):
    """A black and white fax (ITU-T T.4, at 8.04 dots a mm)."""

    kind: Literal["fax"] = "fax"
    threshold: float = key(
        0.7, "What is darker than this share of the paper's brightness becomes black.", ge=0.05, le=0.98
    )
    lines: Literal["standard", "fine"] = key("fine", "Standard or fine resolution.")
    pattern: Literal["none", "ordered", "blue-noise", "halftone"] = key(
        "none", "Pattern of thresholds, where greys are dithered."
    )
    levelling: float = key(1.0, "How far it follows the paper's own brightness.", ge=0, le=1)
    seed: Seed = 0

    def capture(self, image: Image, scale: float) -> Image:
        """Scanned in fax dots, levelled, cut to two levels."""
        width, height = (max(1, round(scale / dots)) for dots in (FAX_COLUMNS, FAX_LINES[self.lines]))
        page = level_paper(grey(image), scale, self.levelling)
        cells = cell_means(page, width, height)
        limit: Any = np.float32(255 * self.threshold)
        if self.pattern != "none":  # 0.7 leaves greys as they are
            limit = lay_out(self.pattern, cells.shape, self.seed) * np.float32(255 * self.threshold / 0.7)
        black = np.where(cells < limit, np.uint8(0), np.uint8(255))
        return in_rgb(spread_cells(black, width, height, image.shape))


def level_paper(page: Image, scale: float, share: float) -> Image:
    """A grey page (H, W) with ``share`` of the paper's own shading taken out: bare paper becomes BLANK."""
    side = max(1, min(round(WINDOW_MM * scale), *page.shape[:2]))
    paper: Any = cv2.dilate(cell_means(page, side, side), np.ones((3, 3), dtype=np.uint8))
    paper = cv2.GaussianBlur(paper, (0, 0), 1.5, borderType=cv2.BORDER_REPLICATE)
    paper = np.maximum(paper, DARKEST_PAPER)
    wide = spread_cells(np.asarray(paper, dtype=np.uint8), side, side, page.shape)
    around: Any = cv2.blur(wide, (side | 1, side | 1), borderType=cv2.BORDER_REPLICATE)
    level = cv2.addWeighted(around, share, around, 0, 255 * (1 - share))
    found: Any = cv2.divide(page, level, scale=BLANK * share + 255 * (1 - share))
    return cast(Image, found)
