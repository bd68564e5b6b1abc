"""What a sensor and the camera's own processing do: noise, the colour mosaic, sharpening."""

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
