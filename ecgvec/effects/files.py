"""What a file keeps of a picture: JPEG, and fewer pixels."""

from __future__ import annotations

from typing import Any, Literal, cast

import cv2
import numpy as np

from ecgvec._typing import Image
from ecgvec.components import key, register
from ecgvec.effects.base import EFFECTS, Capture
from ecgvec.geometry.units import MM_PER_INCH

SAMPLING = {
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
}


@register(EFFECTS)
class Jpeg(Capture):
    """Saved as JPEG, once or twice.

    Nothing moves; the first ``offset`` rows and columns go through the file once.
    """

    kind: Literal["jpeg"] = "jpeg"
    quality: int = key(60, "Quality on libjpeg's scale.", ge=1, le=100)
    times: int = key(1, "How often it is saved.", ge=1, le=2)
    offset: int = key(3, "Shift of the 8 x 8 blocks at the second time, as after a crop.", "px", ge=0, le=15)
    chroma: Literal["4:4:4", "4:2:2", "4:2:0"] = key("4:2:0", "How far colour is thinned out.")

    def capture(self, image: Image, scale: float) -> Image:
        """Encoded and decoded."""
        pixels = self._saved(_turned(image))  # OpenCV's files are BGR
        if self.times == 2 and min(pixels.shape[:2]) > self.offset:
            pixels[self.offset :, self.offset :] = self._saved(pixels[self.offset :, self.offset :])
        return _turned(pixels)

    def _saved(self, pixels: Image) -> Image:
        how = [cv2.IMWRITE_JPEG_QUALITY, self.quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SAMPLING[self.chroma]]
        data = cv2.imencode(".jpg", np.ascontiguousarray(pixels), how)[1]
        found: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
        return cast(Image, found)


def _turned(pixels: Image) -> Image:
    """RGB as BGR and BGR as RGB."""
    found: Any = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return cast(Image, found)


@register(EFFECTS)
class LowResolution(Capture):
    """As if the picture had been taken at fewer dpi.

    The mean of each cell of whole pixels is enlarged again to the old size. Nothing changes where the picture has fewer
    than one and a half times as many pixels.
    """

    kind: Literal["low-resolution"] = "low-resolution"
    dpi: float = key(75.0, "Resolution that is left.", "dpi", ge=15, le=1_200)
    enlarged: Literal["smooth", "blocks"] = key("smooth", "How it is enlarged again.")

    def capture(self, image: Image, scale: float) -> Image:
        """Cells of at least one pixel, the first in the picture's corner."""
        side = cell_side(scale, self.dpi)
        if side == 1:
            return image
        wide = spread_cells(cell_means(image, side, side), side, side, image.shape)
        return smooth_blocks(wide, side) if self.enlarged == "smooth" else wide


def cell_side(scale: float, dpi: float) -> int:
    """How many px of a picture of ``scale`` px/mm one pixel of ``dpi`` is, at least 1."""
    return max(1, round(scale * MM_PER_INCH / dpi))


def cell_means(image: Image, width: int, height: int) -> Image:
    """The mean colour (rows, columns) or (rows, columns, 3) of each cell of ``width`` x ``height`` px; beyond the
    picture its last pixels go on."""
    if width == height == 1:
        return image
    right, below = -image.shape[1] % width, -image.shape[0] % height
    full = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE)
    means: Any = cv2.blur(full, (width, height), anchor=(0, 0))  # of the pixels right of and below each
    return cast(Image, np.ascontiguousarray(means[::height, ::width]))


def spread_cells(cells: Image, width: int, height: int, shape: tuple[int, ...]) -> Image:
    """Cells as blocks of ``width`` x ``height`` px, cut to a picture of ``shape``."""
    wide = cells if width == 1 else cells.repeat(width, axis=1)
    tall = wide if height == 1 else wide.repeat(height, axis=0)
    return np.ascontiguousarray(tall[: shape[0], : shape[1]])


def smooth_blocks(blocks: Image, side: int) -> Image:
    """Blocks of ``side`` px, bilinear in between: each pixel is the mean of what lies half a block around it."""
    line = np.ones(side + 1 - side % 2)
    if side % 2 == 0:
        line[[0, -1]] = 0.5  # an even box has no middle pixel: half a pixel more on both sides keeps all in place
    line /= line.sum()
    found: Any = (
        cv2.blur(blocks, (side, side), borderType=cv2.BORDER_REPLICATE)
        if side % 2
        else cv2.sepFilter2D(blocks, -1, line, line, borderType=cv2.BORDER_REPLICATE)
    )
    return cast(Image, found)
