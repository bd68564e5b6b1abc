"""What a warp is, the flat one, and pixels laid over one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, cast

import cv2
import numpy as np

from ecgvec._typing import Float64Array, Image, Points
from ecgvec.geometry.affine import Affine
from ecgvec.geometry.units import pixel_size, px_per_mm


class Warp(Protocol):
    """A pair of maps between page millimetres and image pixels, (n, 2) float64 each, inverse to one another.

    ``size`` is the image's (width, height) in pixels. Image coordinates are continuous, (0, 0) being the top-left
    corner of the top-left pixel.
    """

    @property
    def size(self) -> tuple[int, int]: ...

    def forward(self, points: Points) -> Points:
        """Page mm to image px."""
        ...

    def inverse(self, points: Points) -> Points:
        """Image px to page mm."""
        ...


@dataclass(frozen=True)
class Flat:
    """A page seen straight on: px = (mm - the corner of ``frame``) dpi / 25.4.

    ``frame`` (x0, y0, x1, y1) in page mm is what the image shows: the page, more of it (padding) or less (a crop).
    """

    frame: tuple[float, float, float, float]
    dpi: float

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        x0, y0, x1, y1 = self.frame
        return pixel_size(x1 - x0, y1 - y0, self.dpi)

    @property
    def affine(self) -> Affine:
        """The map from page mm to image px."""
        scale = px_per_mm(self.dpi)
        return Affine(scale, 0.0, 0.0, scale, -self.frame[0] * scale, -self.frame[1] * scale)

    def forward(self, points: Points) -> Points:
        """Page mm to image px."""
        return self.affine(points)

    def inverse(self, points: Points) -> Points:
        """Image px to page mm."""
        return self.affine.inverse()(points)


def local_scale(warp: Warp, points: Points, step_mm: float = 0.01) -> Points:
    """Scale in px/mm along the page's x and y at page points (n, 2): (n, 2), by central differences."""
    dx, dy = np.array([step_mm / 2, 0.0]), np.array([0.0, step_mm / 2])
    spans = [warp.forward(points + d) - warp.forward(points - d) for d in (dx, dy)]
    return np.column_stack([np.hypot(span[:, 0], span[:, 1]) / step_mm for span in spans])


# Light is multiplied in linear light without leaving sRGB bytes: above sRGB's toe, x = 269.025 E^(1/2.4) - 14.025.
SRGB_OFFSET = 255 * 0.055
SRGB_POWER = 2.4


def apply_gain(pixels: Image, gain: Image, one: float, out: Image) -> None:
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


def blend_over(pixels: Image, cover: Image, below: Image) -> Image:
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
