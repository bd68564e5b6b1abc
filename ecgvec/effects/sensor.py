"""What a camera's sensor and its file do to a picture: noise, mosaic, sharpening, JPEG, low resolution."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, Literal, cast

import cv2
import numpy as np

from ecgvec._typing import AnyArray, Float32Array, Image, Uint16Array
from ecgvec.components import Seed, key, register
from ecgvec.effects.base import EFFECTS, Capture
from ecgvec.effects.in_light import WHITE, ZERO, InLight, Step
from ecgvec.effects.tones import apply_lut, freeze, in_bands, normal_bits, quantiles
from ecgvec.geometry.units import MM_PER_INCH
from ecgvec.warp.parts import generator

ELECTRONS = 400_000.0  # that white paper frees in a pixel at ISO 1: 4000 at ISO 100, as in pixels of some 1 um
READ_ELECTRONS = 2.5  # standard deviation of the read noise of a phone's sensor
BALANCE = (1.9, 1.0, 1.6)  # gains of red, green and blue in daylight: silicon sees green best
MIDDLE = 32768  # of 16 bits, from which noise without light is counted
AROUND = 4  # rows, an even number, that interpolation may look at above and below
SITES = ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2))  # row, column and colour of the mosaic's RGGB cell


@register(EFFECTS)
class GaussianNoise(Capture):
    """Gaussian noise, of its own in each channel of each pixel."""

    kind: Literal["gaussian-noise"] = "gaussian-noise"
    noisy: ClassVar[bool] = True
    sigma: float = key(8.0, "Standard deviation.", "8-bit levels", ge=0, le=128)
    seed: Seed = 0

    def capture(self, image: Image, scale: float) -> Image:
        """The picture and noise, rounded and kept within 0 to 255."""
        table = np.rint(quantiles(self.sigma)).astype(np.int16)
        rng = generator(self.seed)

        def noisier(part: Image) -> Image:
            found: Any = cv2.add(part, apply_lut(normal_bits(rng, part.shape), table), dtype=cv2.CV_8U)
            return cast(Image, found)

        return in_bands(image, 0, noisier)


@register(EFFECTS)
class SensorNoise(InLight):
    """Shot and read noise of a phone's sensor.

    The variance of a pixel is a * light + b (EMVA standard 1288; Foi et al. 2008, "Practical Poissonian-Gaussian noise
    modeling and fitting for single-image raw-data"): the electrons that white frees shrink as ISO grows. The noise
    arises in the pixels of a Bayer mosaic before white balance and is interpolated with it, which leaves blotches of
    two or three pixels, redder and bluer than green. The picture's own detail stays as it is (see Demosaic).
    """

    kind: Literal["sensor-noise"] = "sensor-noise"
    noisy: ClassVar[bool] = True
    iso: float = key(400.0, "Sensitivity.", "ISO", ge=25, le=25_600)
    seed: Seed = 0

    def step(self, shape: tuple[int, ...], scale: float) -> Step:
        """Noise of the mosaic's pixels, interpolated, on the picture's linear light."""
        return Mosaic(
            0.0, "bilinear", Grain(WHITE * self.iso / ELECTRONS, normal_bits(generator(self.seed), shape[:2]))
        )


@dataclass(frozen=True, eq=False)
class Grain:
    """Noise in a mosaic whose pixels' ``electron`` is so much light, made of random ``bits`` (H, W)."""

    electron: float
    bits: Uint16Array

    def __call__(self, colors: Float32Array, first: int) -> Float32Array:
        """Noise (h, w) of the ``colours`` of rows from ``first`` on: of n electrons the root of n is shot noise."""
        gains, dark = _variance(self.electron, *colors.shape)
        square: Any = cv2.multiply(colors, gains, scale=self.electron)
        cv2.max(cv2.add(square, dark, dst=square), 0.0, dst=square)  # type: ignore[call-overload]
        return cast(
            Float32Array, cv2.multiply(cv2.sqrt(square), apply_lut(self.bits[first : first + len(colors)], _unit()))
        )


@lru_cache(maxsize=4)
def _variance(electron: float, height: int, width: int) -> tuple[Float32Array, Float32Array]:
    """Of a mosaic (h, w): the gain of each pixel's colour, and the variance where light, counted from 0, is 0."""
    gains = np.empty((height, width), dtype=np.float32)
    for row, column, color in SITES:
        gains[row::2, column::2] = BALANCE[color]
    dark = gains * (gains * np.float32((electron * READ_ELECTRONS) ** 2) - np.float32(electron * ZERO))
    return freeze(gains), freeze(dark)


@lru_cache
def _unit() -> Float32Array:
    return freeze(quantiles(1).astype(np.float32))


@register(EFFECTS)
class Demosaic(InLight):
    """One colour a pixel behind a Bayer mosaic, the others interpolated (OpenCV), in linear light.

    Thin lines get coloured and ragged.
    """

    kind: Literal["demosaic"] = "demosaic"
    amount: float = key(
        1.0, "Share of that picture in the result; the rest is full colour, as from several exposures.", ge=0, le=1
    )
    method: Literal["bilinear", "edge-aware"] = key("bilinear", "Plain bilinear, or along edges.")

    def step(self, shape: tuple[int, ...], scale: float) -> Step | None:
        """The picture as its mosaic shows it."""
        return Mosaic(self.amount, self.method) if self.amount else None


@dataclass(frozen=True, eq=False)
class Mosaic:
    """A mosaic of RGGB cells, interpolated by ``method``: a ``share`` of the light, to which the rest is added in full
    colour, and ``grain``."""

    share: float
    method: str
    grain: Grain | None = None
    reach: ClassVar[int] = AROUND

    def __call__(self, light: Float32Array, first: int) -> AnyArray:
        """Light and noise are interpolated as one."""
        colors = np.empty(light.shape[:2], dtype=np.float32)
        for row, column, color in SITES:
            colors[row::2, column::2] = light[row::2, column::2, color]
        noise, weight = (colors, 0.0) if self.grain is None else (self.grain(colors, first), 1.0)
        rest = MIDDLE * (1 - self.share)
        mosaic: Any = cv2.addWeighted(colors, self.share, noise, weight, rest, dtype=cv2.CV_16U)
        found: Any = _interpolated(mosaic, self.method)
        if self.share < 1:
            found = cv2.addWeighted(found, 1, light, 1 - self.share, -rest, dtype=cv2.CV_16U)
        return cast(AnyArray, found)

    def merge(self, later: Step) -> Step | None:
        """Noise is interpolated with the mosaic that it arises in, which is the same if all is bilinear."""
        if not isinstance(later, Mosaic) or self.grain is not None or later.share:
            return None
        return replace(later, share=self.share) if self.method == later.method else None


def _interpolated(mosaic: Uint16Array, method: str) -> Uint16Array:
    """All colours (H, W, 3) of a mosaic (H, W) of RGGB cells. OpenCV leaves the outermost pixels out: two more lines
    on each side, mirrored about the edge's own pixels, keep colours in step and are cut off again."""
    wide = cv2.copyMakeBorder(mosaic, 2, 2, 2, 2, cv2.BORDER_REFLECT_101 if min(mosaic.shape) > 2 else cv2.BORDER_WRAP)
    code = cv2.COLOR_BayerRGGB2RGB if method == "bilinear" else cv2.COLOR_BayerRGGB2RGB_EA
    found: Any = cv2.demosaicing(wide, code)
    return cast(Uint16Array, found[2:-2, 2:-2])


@register(EFFECTS)
class Sharpen(Capture):
    """An unsharp mask.

    Lines get darker and a light halo.
    """

    kind: Literal["sharpen"] = "sharpen"
    amount: float = key(0.8, "How much of what the blur takes away is added.", ge=0, le=5)
    radius: float = key(0.15, "Blur, a standard deviation.", "mm", ge=0.02, le=1)

    def capture(self, image: Image, scale: float) -> Image:
        """In sRGB, as cameras and programs do."""
        sigma = max(0.3, self.radius * scale)

        def sharper(part: Image) -> Image:
            blurred = cv2.GaussianBlur(part, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
            found: Any = cv2.addWeighted(part, 1 + self.amount, blurred, -self.amount, 0)
            return cast(Image, found)

        return in_bands(image, int(3 * sigma) + 2, sharper)


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
