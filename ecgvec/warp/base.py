"""What every warp is, and the plainest one: a page seen straight on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ecgvec.geometry.affine import Affine
from ecgvec.geometry.path import Points
from ecgvec.units import pixel_size, px_per_mm


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
    """A page of ``width`` x ``height`` mm drawn at ``dpi``: px = mm dpi / 25.4."""

    width: float
    height: float
    dpi: float

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return pixel_size(self.width, self.height, self.dpi)

    def forward(self, points: Points) -> Points:
        """Page mm to image px."""
        return Affine.scale(px_per_mm(self.dpi))(points)

    def inverse(self, points: Points) -> Points:
        """Image px to page mm."""
        return Affine.scale(px_per_mm(self.dpi)).inverse()(points)
