"""Bytes of the page and of what it lies on: put in light, drowned in it, laid one on the other."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np

from ecgvec._typing import Float64Array, Image

# Light is multiplied in linear light without leaving sRGB bytes: above sRGB's toe, x = 269.025 E^(1/2.4) - 14.025.
SRGB_OFFSET = 255 * 0.055
SRGB_POWER = 2.4


def lit(pixels: Image, gain: Image, one: float, out: Image) -> None:
    """Put sRGB bytes times ``gain``, of which ``one`` is 1, the 2.4th root of the light, into ``out``."""
    product = cv2.multiply(pixels, gain, scale=1 / one)
    cv2.addWeighted(product, 1.0, gain, SRGB_OFFSET / one, -SRGB_OFFSET, dst=out)


def in_rgb(plane: Image) -> Image:
    """Grey (h, w) or (h, w, 1) in three like channels: NumPy repeats along so short an axis slowly."""
    found: Any = cv2.cvtColor(plane, cv2.COLOR_GRAY2RGB)
    return cast(Image, found)


def in_bytes(gain: Float64Array) -> tuple[Image, float]:
    """A gain in bytes, and which of them is 1: as fine as the colours that it multiplies, and four times as fast as
    floats."""
    one = 255 / max(float(gain.max()), 1e-3)
    return np.rint(gain * one).astype(np.uint8), one


def laid_on(pixels: Image, cover: Image, below: Image) -> Image:
    """Of ``pixels`` so many 255ths as ``cover`` (h, w) says, of what lies ``below`` the rest."""
    share = in_rgb(cover)
    upper, lower = cv2.multiply(pixels, share, scale=1 / 255), cv2.multiply(below, 255 - share, scale=1 / 255)
    return np.asarray(cv2.add(upper, lower), dtype=np.uint8)


def four(pixels: Image) -> Image:
    """RGB with a channel that nobody reads: OpenCV finds four channels in two thirds of the time of three."""
    found: Any = cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA)
    return cast(Image, found)


def three(pixels: Image) -> Image:
    """RGB without it."""
    found: Any = cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB)
    return cast(Image, found)
