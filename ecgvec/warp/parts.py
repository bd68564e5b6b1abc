"""What a warp is put together from: bends of the sheet, one camera, planar maps in the image."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from ecgvec._typing import Float64Array, Points
from ecgvec.components import Part, Registry
from ecgvec.errors import WarpError


@dataclass(frozen=True)
class Paper:
    """A sheet of ``width`` x ``height`` mm."""

    width: float
    height: float

    @property
    def centre(self) -> Float64Array:
        """Its middle, page mm."""
        return np.array([self.width / 2, self.height / 2])

    def reach(self, direction: Float64Array) -> float:
        """How far the sheet reaches from its middle along the unit vector ``direction``, mm."""
        return float(abs(direction[0]) * self.width + abs(direction[1]) * self.height) / 2


@dataclass(frozen=True)
class Canvas:
    """An image of ``width`` x ``height`` px at ``scale`` px a mm of a page that is seen straight on."""

    width: int
    height: int
    scale: float

    @property
    def centre(self) -> Float64Array:
        """Its middle, px."""
        return np.array([self.width / 2, self.height / 2])

    def resize(self, width: float, height: float) -> Canvas:
        """The same with another size, at least one pixel."""
        return replace(self, width=max(1, round(width)), height=max(1, round(height)))


class WarpPart(Part, ABC):
    """Any part of a warp."""


class Bend(WarpPart):
    """Lifts the sheet: a height along the normal of the sheet as it lies."""

    @abstractmethod
    def heights(self, points: Points, paper: Paper) -> Float64Array:
        """Heights (n,) in mm, towards the viewer, at page points (n, 2) in mm."""


@dataclass(frozen=True, eq=False)
class Bending:
    """How a sheet is rolled, at n points: the curvature (n,) in 1/mm along the unit page vectors ``across`` (n, 2)."""

    curvature: Float64Array
    across: Float64Array


@dataclass(frozen=True, eq=False)
class Rolled(Bending):
    """A sheet rolled without stretching, at n points: ``xyz`` (n, 3) mm from the page's middle (z towards the
    viewer), unit ``normals`` (n, 3), and how it is bent there."""

    xyz: Float64Array
    normals: Float64Array


class Roll(WarpPart):
    """Rolls the whole sheet without stretching it. A warp has at most one."""

    @abstractmethod
    def roll(self, points: Points, paper: Paper, share: float) -> Rolled:
        """Where page points (n, 2) lie when the sheet is rolled to ``share`` of the curvature."""

    @abstractmethod
    def bending(self, points: Points, paper: Paper, share: float) -> Bending:
        """How it is bent there: what ``rolled`` says of it, found sooner."""


class Camera(WarpPart):
    """Takes the picture: from space to image px. A warp has one."""

    @abstractmethod
    def project(self, xyz: Float64Array, canvas: Canvas) -> Points:
        """Image px (n, 2) of points (n, 3) in mm from the page's middle. WarpError where one is behind the camera."""

    @abstractmethod
    def viewpoint(self) -> Float64Array:
        """Where the camera is, (3,) mm from the page's middle."""


class Planar(WarpPart):
    """Moves points of the image: px to px."""

    def canvas(self, canvas: Canvas) -> Canvas:
        """The image's size afterwards."""
        return canvas

    @abstractmethod
    def move(self, points: Points, canvas: Canvas) -> Points:
        """Points (n, 2) px of an image of size ``canvas`` in the image afterwards."""


WARPS: Registry[type[WarpPart]] = Registry("warp", WarpError)


def generator(seed: int) -> np.random.Generator:
    """The generator behind a part's own irregularities; its seed was drawn by the plan."""
    return np.random.Generator(np.random.PCG64DXSM(seed))
