"""What every warp is, and the plainest one: a page seen straight on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ecgvec._typing import Points
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
