"""What a sensor and the camera's own processing do: noise, the colour mosaic, sharpening."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ecgvec.effects.base import EFFECTS, Capture, Image
from ecgvec.effects.tones import (
    WHITE16,
    Light16,
    Plane,
    bands,
    in_bands,
    in_bytes,
    in_light,
    linear,
    looked_up,
    normal_bits,
    quantiles,
    widened,
)
from ecgvec.parts import Seed, registered
from ecgvec.warp.parts import generator

ELECTRONS = 400_000.0  # that white paper frees in a pixel at ISO 1: 4000 at ISO 100, as in pixels of some 1 um
READ_ELECTRONS = 2.5  # standard deviation of the read noise of a phone's sensor
BALANCE = (1.9, 1.0, 1.6)  # gains of red, green and blue in daylight: silicon sees green best
ZERO = 32768  # of noise in 16 bits: the highest one
AROUND = 4  # rows, an even number, that interpolation may look at above and below
SITES = ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2))  # row, column and colour of the mosaic's RGGB cell


@registered(EFFECTS)
class GaussianNoise(Capture):
    """Adds to each channel of each pixel noise of its own, of standard deviation ``sigma`` in 8-bit levels."""

    kind: Literal["gaussian-noise"] = "gaussian-noise"
    noisy: ClassVar[bool] = True
    sigma: Annotated[float, Field(ge=0, le=128, allow_inf_nan=False)] = 8.0
    seed: Seed = 0

    def captured(self, image: Image, scale: float) -> Image:
        """The picture and noise, rounded and kept within 0 to 255."""
        table = np.rint(quantiles(self.sigma)).astype(np.int16)
        rng = generator(self.seed)

        def noisier(part: Image) -> Image:
            found: Any = cv2.add(part, looked_up(normal_bits(rng, part.shape), table), dtype=cv2.CV_8U)
            return cast(Image, found)

        return in_bands(image, 0, noisier)


@registered(EFFECTS)
class SensorNoise(Capture):
    """Shot noise and read noise of a phone's sensor at ``iso``.

    The variance of a pixel is a * light + b (EMVA standard 1288; Foi et al. 2008, "Practical Poissonian-Gaussian noise
    modeling and fitting for single-image raw-data"): the electrons that white frees shrink as ISO grows. The noise
    arises in the pixels of a Bayer mosaic before white balance and is interpolated with it, which leaves blotches of
    two or three pixels, redder and bluer than green. The picture's own detail stays as it is (see Demosaic).
    """

    kind: Literal["sensor-noise"] = "sensor-noise"
    noisy: ClassVar[bool] = True
    iso: Annotated[float, Field(ge=25, le=25_600, allow_inf_nan=False)] = 400.0
    seed: Seed = 0

    def captured(self, image: Image, scale: float) -> Image:
        """Noise of the mosaic's pixels, interpolated, on the picture's linear light."""
        rng, mosaic = generator(self.seed), np.empty(image.shape[:2], dtype=np.uint16)
        unit, deviations = quantiles(1).astype(np.float32), [self.deviations(gain) for gain in BALANCE]
        for rows in bands(len(image)):
            some = image[rows]
            wide = np.empty(some.shape[:2], dtype=np.float32)
            for row, column, colour in SITES:
                part = np.ascontiguousarray(some[row::2, column::2, colour])
                wide[row::2, column::2] = looked_up(part, deviations[colour])
            noise: Any = cv2.multiply(looked_up(normal_bits(rng, wide.shape), unit), wide, scale=0.5, dtype=cv2.CV_16S)
            np.bitwise_xor(noise.view(np.uint16), np.uint16(ZERO), out=mosaic[rows])  # adds it, the sign bit turned
        found, (there, back) = np.empty_like(image), _halved()
        for rows in bands(len(image)):
            seen, kept = widened(rows, len(image), AROUND)
            light: Any = cv2.add(looked_up(image[rows], there), _interpolated(mosaic[seen], "bilinear")[kept])
            found[rows] = looked_up(light, back)
        return found

    def deviations(self, gain: float) -> Plane:
        """Standard deviation (256,) of noise where sRGB is 0 to 255, in 16 bits of linear light, after ``gain``."""
        electrons = ELECTRONS / self.iso
        variance = gain * linear(np.arange(256) / 255) / electrons + (gain * READ_ELECTRONS / electrons) ** 2
        return (WHITE16 * np.sqrt(variance)).astype(np.float32)


@lru_cache
def _halved() -> tuple[Light16, Image]:
    """Tables: half the linear light (256,) of sRGB, and sRGB (65536,) of ZERO and half the light, so that light and
    noise are added and looked up at once."""
    there = (in_light(np.arange(256, dtype=np.uint8)[None])[0] // 2).astype(np.uint16)
    light = np.clip(2 * (np.arange(WHITE16 + 1) - ZERO) + 1, 0, WHITE16)
    return there, in_bytes(light.astype(np.uint16)[None])[0]


@registered(EFFECTS)
class Demosaic(Capture):
    """One colour a pixel behind a Bayer mosaic, the others interpolated (OpenCV), in linear light: thin lines get
    coloured and ragged. ``share``: of that picture in the result, the rest is full colour, as from several exposures;
    ``method``: plain bilinear, or along edges."""

    kind: Literal["demosaic"] = "demosaic"
    share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0
    method: Literal["bilinear", "edge-aware"] = "bilinear"

    def captured(self, image: Image, scale: float) -> Image:
        """The picture as its mosaic shows it."""
        return in_bands(image, AROUND, self._seen)

    def _seen(self, image: Image) -> Image:
        """The same of some rows, from an even one on."""
        mosaic = np.empty(image.shape[:2], dtype=np.uint8)
        for row, column, colour in SITES:
            mosaic[row::2, column::2] = image[row::2, column::2, colour]
        found: Any = _interpolated(in_light(mosaic), self.method)
        if self.share < 1:
            found = cv2.addWeighted(found, self.share, in_light(image), 1 - self.share, 0)
        return in_bytes(cast(Light16, found))


def _interpolated(mosaic: NDArray[np.uint16], method: str) -> NDArray[np.uint16]:
    """All colours (H, W, 3) of a mosaic (H, W) of RGGB cells. OpenCV leaves the outermost pixels out: two more lines
    on each side, mirrored about the edge's own pixels, keep colours in step and are cut off again."""
    wide = cv2.copyMakeBorder(mosaic, 2, 2, 2, 2, cv2.BORDER_REFLECT_101 if min(mosaic.shape) > 2 else cv2.BORDER_WRAP)
    code = cv2.COLOR_BayerRGGB2RGB if method == "bilinear" else cv2.COLOR_BayerRGGB2RGB_EA
    found: Any = cv2.demosaicing(wide, code)
    return cast(Light16, found[2:-2, 2:-2])


@registered(EFFECTS)
class Sharpen(Capture):
    """An unsharp mask: ``amount`` times what a Gaussian blur of ``radius`` mm of paper (standard deviation) takes away
    is added. Lines get darker and a light halo."""

    kind: Literal["sharpen"] = "sharpen"
    amount: Annotated[float, Field(ge=0, le=5, allow_inf_nan=False)] = 0.8
    radius: Annotated[float, Field(ge=0.02, le=1, allow_inf_nan=False)] = 0.15

    def captured(self, image: Image, scale: float) -> Image:
        """In sRGB, as cameras and programs do."""
        sigma = max(0.3, self.radius * scale)

        def sharper(part: Image) -> Image:
            blurred = cv2.GaussianBlur(part, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
            found: Any = cv2.addWeighted(part, 1 + self.amount, blurred, -self.amount, 0)
            return cast(Image, found)

        return in_bands(image, int(3 * sigma) + 2, sharper)
