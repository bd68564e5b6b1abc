"""Colour of the finished picture (cast, temperature, contrast), and dyes that colour paper."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal, cast

import cv2
import numpy as np

from ecgvec._typing import Float32Array, Float64Array, Image, Uint8Array
from ecgvec.components import key, register
from ecgvec.effects.base import EFFECTS, Capture, Shading
from ecgvec.effects.tones import apply_curves, apply_lut, in_bands
from ecgvec.warp.base import SRGB_OFFSET, SRGB_POWER

# XYZ to linear sRGB (IEC 61966-2-1).
TO_SRGB = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
# Amplitude, middle and widths to both sides in nm of the lobes of the CIE 1931 colour matching functions x, y and z
# (Wyman, Sloan and Shirley 2013, "Simple analytic approximations to the CIE XYZ color matching functions").
LOBES = (
    ((1.056, 599.8, 37.9, 31.0), (0.362, 442.0, 16.0, 26.7), (-0.065, 501.1, 20.4, 26.2)),
    ((0.821, 568.8, 46.9, 40.5), (0.286, 530.9, 16.3, 31.1)),
    ((1.217, 437.0, 11.8, 36.0), (0.681, 459.0, 26.0, 13.8)),
)
RADIATION = 1.4388e7  # nm K, the second radiation constant
LEAST = 0.03  # of the strongest channel: below 2000 K blue lies outside sRGB's gamut, and cameras divide by it
NEAR_WHITE = 0.6  # least gain down to which sRGB's toe may be left out: bytes under 9 get at most 2 levels darker
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@lru_cache(maxsize=64)
def planckian(kelvin: float) -> tuple[float, float, float]:
    """Linear sRGB of a black body of that temperature, the strongest channel 1 and none below LEAST (Planck's law)."""
    nm = np.arange(380.0, 781.0, 2.0)
    spectrum = nm**-5 / np.expm1(RADIATION / (nm * kelvin))
    xyz = [sum(a * np.exp(-0.5 * ((nm - m) / np.where(nm < m, s, t)) ** 2) for a, m, s, t in lobes) for lobes in LOBES]
    rgb = TO_SRGB @ (np.array(xyz) @ spectrum)
    red, green, blue = (float(c) for c in np.maximum(LEAST, rgb / rgb.max()))
    return red, green, blue


@register(EFFECTS)
class Temperature(Shading):
    """Light of a colour temperature, as a camera balanced for another sees it.

    No channel gets brighter, so that white paper takes the colour and is not cut off.
    """

    kind: Literal["temperature"] = "temperature"
    kelvin: float = key(5_500.0, "Colour temperature of the light; less is warmer.", "K", ge=1_000, le=40_000)
    balanced: float = key(6_500.0, "Colour temperature that the camera is balanced for.", "K", ge=2_500, le=15_000)
    tint: float = key(0.0, "Above 0 greener, below 0 more magenta, as under fluorescent lamps.", "stops", ge=-1, le=1)

    def gains(self) -> Float64Array:
        """Factors (3,) of linear red, green and blue, the greatest 1."""
        gains = np.array(planckian(self.kelvin)) / np.array(planckian(self.balanced))
        gains[1] *= 2**self.tint
        return np.asarray(gains / gains.max())

    def factor(self, places: Float64Array, size: tuple[int, int]) -> Float64Array:
        """The same everywhere."""
        return self.gains()[None, None]

    def capture(self, image: Image, scale: float) -> Image:
        """Each channel's linear light times its gain."""
        gains = self.gains()
        if gains.min() < NEAR_WHITE:
            return apply_curves(image, *(lambda light, gain=gain: gain * light for gain in gains))
        factors = gains ** (1 / SRGB_POWER)  # see warp.blend: a third of the time of a table for each channel
        matrix = np.column_stack([np.diag(factors), SRGB_OFFSET * (factors - 1)]).astype(np.float32)
        return in_bands(image, 0, lambda part: cast(Image, cv2.transform(part, matrix)))


@register(EFFECTS)
class Exposure(Capture):
    """More light, or less. What is lighter than white is cut off."""

    kind: Literal["exposure"] = "exposure"
    stops: float = key(0.3, "Each doubles or halves the light.", "stops", ge=-4, le=4)

    def capture(self, image: Image, scale: float) -> Image:
        """Linear light times a power of two."""
        return apply_curves(image, lambda light: 2**self.stops * light)


@register(EFFECTS)
class Contrast(Capture):
    """The tone curve in sRGB.

    A tone v becomes v^``gamma``, then ``slope`` times as far from ``pivot``.
    """

    kind: Literal["contrast"] = "contrast"
    slope: float = key(1.3, "Slope of the curve.", ge=0.1, le=10)
    pivot: float = key(0.6, "The tone that the slope turns about, from 0 (black) to 1 (white).", ge=0, le=1)
    gamma: float = key(1.0, "Power of the tones, before the slope.", ge=0.2, le=5)

    def capture(self, image: Image, scale: float) -> Image:
        """Each byte by a table."""
        values = self.pivot + self.slope * ((np.arange(256) / 255) ** self.gamma - self.pivot)
        return cast(Image, apply_lut(image, np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)))


@register(EFFECTS)
class Grey(Capture):
    """A scan in black and white."""

    kind: Literal["grey"] = "grey"
    amount: float = key(1.0, "How much of the colour is gone.", ge=0, le=1)
    seen: Literal["luma", "red", "green", "blue"] = key(
        "luma", "By luma, or through one colour; red makes a red grid vanish, green and blue make it dark."
    )

    def capture(self, image: Image, scale: float) -> Image:
        """One matrix for each pixel."""
        names = ("red", "green", "blue")
        weights = np.array(LUMA) if self.seen == "luma" else np.array([float(n == self.seen) for n in names])
        matrix = (1 - self.amount) * np.eye(3) + self.amount * np.tile(weights, (3, 1))
        found: Any = cv2.transform(image, matrix.astype(np.float32))
        return cast(Image, found)


Dye = tuple[float, float, float]  # absorbance (base e) of red, green and blue where the dye is at its full density


def dye_levels(density: Float32Array) -> Uint8Array:
    """A dye's density (h, w), 0 to 1, in bytes."""
    # uint8 all the way: floats take five times as long, and their fractions would be rounded off anyway
    return np.asarray(cv2.convertScaleAbs(np.clip(density, 0, 1), alpha=255), dtype=np.uint8)


def dye_tables(absorbs: Dye) -> Uint8Array:
    """Tables (3, 256): what of red, green and blue, 255 for all, passes a dye of a density of 0 to 255."""
    return np.asarray(np.rint(np.exp(-np.outer(absorbs, np.arange(256) / 255)) * 255), dtype=np.uint8)


def apply_dye(seen: Image, levels: Uint8Array, tables: Uint8Array) -> None:
    """Dyes some of the page (h, w, 3) to ``levels`` (h, w), in place."""
    seen[:] = cv2.multiply(seen, cv2.merge([cv2.LUT(levels, table) for table in tables]), scale=1 / 255)
