"""Few levels or two: dithering and fax.

Thresholds are taken from a pattern that repeats. Error diffusion (Floyd and Steinberg 1976) is left out: errors
go to the right and downwards, which moves dots of 8 px by 0.3 px.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal, cast

import cv2
import numpy as np
from pydantic import Field

from ecgvec._typing import Float64Array, Image
from ecgvec.components import Seed, registered
from ecgvec.effects.base import EFFECTS, Capture
from ecgvec.effects.files import cell_means, cell_side, spread_cells
from ecgvec.effects.tones import grey, looked_up
from ecgvec.warp.blend import in_rgb
from ecgvec.warp.parts import generator

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


def laid_out(pattern: Pattern, shape: tuple[int, ...], seed: int) -> Float64Array:
    """Thresholds (H, W), the tile beginning at a random place."""
    tile = thresholds(pattern)
    row, column = generator(seed).integers(0, tile.shape[0], 2)
    tile = np.roll(tile, (row, column), axis=(0, 1)).astype(np.float32)
    times = [-(-n // side) for n, side in zip(shape[:2], tile.shape, strict=True)]
    return np.tile(tile, times)[: shape[0], : shape[1]]


@registered(EFFECTS)
class Dither(Capture):
    """Each channel in ``levels`` steps, by thresholds of a ``pattern`` in dots of ``dpi`` an inch of paper."""

    kind: Literal["dither"] = "dither"
    levels: Annotated[int, Field(ge=2, le=64)] = 4
    pattern: Pattern = "blue-noise"
    dpi: Annotated[float, Field(ge=30, le=1_200, allow_inf_nan=False)] = 200.0
    seed: Seed = 0

    def captured(self, image: Image, scale: float) -> Image:
        """The nearest level once the threshold has been added."""
        side, step = cell_side(scale, self.dpi), 255 / (self.levels - 1)
        cells = cell_means(image, side, side)
        lift = np.rint((laid_out(self.pattern, cells.shape, self.seed) - 0.5) * step).astype(np.int16)
        lifted: Any = cv2.add(cells, np.repeat(lift[..., None], 3, axis=2), dtype=cv2.CV_8U)
        table = np.rint(np.rint(np.arange(256) / step) * step).astype(np.uint8)
        return spread_cells(cast(Image, looked_up(lifted, table)), side, side, image.shape)


@registered(EFFECTS)
class Fax(Capture):
    """A black and white fax in ``lines``, standard or fine (ITU-T T.4 at 8.04 dots a mm): what is darker than
    ``threshold`` times the paper becomes black, or as much of it as a ``pattern`` of thresholds says.

    ``levelling``: how far the machine follows the paper's own brightness, where light falls off for example.
    """

    kind: Literal["fax"] = "fax"
    threshold: Annotated[float, Field(ge=0.05, le=0.98, allow_inf_nan=False)] = 0.7
    lines: Literal["standard", "fine"] = "fine"
    pattern: Literal["none", "ordered", "blue-noise", "halftone"] = "none"
    levelling: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0
    seed: Seed = 0

    def captured(self, image: Image, scale: float) -> Image:
        """Scanned in fax dots, levelled, cut to two levels."""
        width, height = (max(1, round(scale / dots)) for dots in (FAX_COLUMNS, FAX_LINES[self.lines]))
        page = levelled(grey(image), scale, self.levelling)
        cells = cell_means(page, width, height)
        limit: Any = np.float32(255 * self.threshold)
        if self.pattern != "none":  # 0.7 leaves greys as they are
            limit = laid_out(self.pattern, cells.shape, self.seed) * np.float32(255 * self.threshold / 0.7)
        black = np.where(cells < limit, np.uint8(0), np.uint8(255))
        return in_rgb(spread_cells(black, width, height, image.shape))


def levelled(page: Image, scale: float, share: float) -> Image:
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
