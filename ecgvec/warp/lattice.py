"""The composed warp: one lattice in the image that holds page mm. Its bilinear interpolant IS the map.

``inverse`` is that interpolant; ``forward`` is Newton's method on the very same; and the dense map by which pixels are
resampled is the same again, made by OpenCV's linear resize. So labels and pixels cannot part, whatever the lattice
softens of the shape behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from ecgvec._typing import BoolArray, Float64Array, Points
from ecgvec.warp.grid import Grid, blocks
from ecgvec.warp.parts import Paper

RINGS = 3  # of nodes outside the image, so that what lies just outside is found outside
STEPS = 30  # of Newton's method at most


class Guess(Protocol):
    """Where page points (n, 2) mm lie in the image, px, to a pixel or so."""

    def __call__(self, points: Points) -> Points: ...


@dataclass(frozen=True, eq=False)
class Lattice:
    """A warp given by page mm at image nodes ``step`` px apart.

    Node (row j, column i) of ``nodes`` (rows, columns, 2) lies at px (i + 1/2 - RINGS, j + 1/2 - RINGS) step. Outside
    the image ``forward`` is what ``guess`` says, as far as no node is near. ``homography`` (3, 3) is the flat page that
    comes nearest, page mm to image px.
    """

    size: tuple[int, int]
    nodes: Float64Array
    step: int
    guess: Guess
    homography: Float64Array
    paper: Paper

    @cached_property
    def grid(self) -> Grid:
        """Page mm as a function of image px."""
        corner, planes = (0.5 - RINGS) * self.step, np.ascontiguousarray(np.moveaxis(self.nodes, -1, 0))
        return Grid(planes, (corner, corner), (self.step, self.step))

    def inverse(self, points: Points) -> Points:
        """Image px to page mm."""
        x, y = np.asarray(points, dtype=np.float64).reshape(-1, 2).T
        return self.grid.at(x, y).T

    def forward(self, points: Points) -> Points:
        """Page mm to image px."""
        wanted = np.ascontiguousarray(np.asarray(points, dtype=np.float64).reshape(-1, 2).T)
        known = np.isfinite(wanted[0]) & np.isfinite(wanted[1])
        if not known.all():
            found = np.full((len(known), 2), np.nan)
            found[known] = self.forward(wanted[:, known].T)
            return found
        return np.concatenate([np.empty((0, 2)), *(self._found(wanted[:, block]).T for block in blocks(len(known)))])

    def _found(self, wanted: Float64Array) -> Float64Array:
        """Image px (2, n) of page mm (2, n), all of which are numbers."""
        found = np.ascontiguousarray(self.guess(wanted.T).T)
        (x_low, y_low), (x_high, y_high) = self._bounds()
        x, y = found
        inside = (x > x_low) & (x < x_high) & (y > y_low) & (y < y_high)
        if inside.all():
            found, sure = self.grid.locate(wanted, found)
            inside &= ~sure
        left = np.flatnonzero(inside)
        for _ in range(STEPS):
            if not len(left):
                break
            found[:, left], sure = self.grid.locate(wanted[:, left], found[:, left])
            left = left[~sure]
        return found

    def scale(self) -> float:
        """Image px a mm of paper, in the median over the paper that the image shows."""
        return self._scale

    @cached_property
    def _scale(self) -> float:
        """The same, found once."""
        x, y = self.grid.planes
        (x_right, x_down), (y_right, y_down) = ((v[:-1, 1:] - v[:-1, :-1], v[1:, :-1] - v[:-1, :-1]) for v in (x, y))
        area = x_right * y_down - y_right * x_down
        on_paper = self.on_paper(self.grid.planes[:, :-1, :-1].reshape(2, -1).T).reshape(area.shape)
        return float(self.step / np.sqrt(np.median(area[on_paper] if on_paper.any() else area)))

    def on_paper(self, points: Points) -> BoolArray:
        """Which page points (n, 2) mm lie on the paper."""
        x, y = points.T
        return np.asarray((x >= 0) & (x <= self.paper.width) & (y >= 0) & (y <= self.paper.height))

    def _bounds(self) -> tuple[Float64Array, Float64Array]:
        first = (0.5 - RINGS) * self.step
        rows, columns = self.nodes.shape[:2]
        return np.array([first, first]), np.array([first + (columns - 1) * self.step, first + (rows - 1) * self.step])


def lattice_lines(size: tuple[int, int], step: int) -> tuple[Float64Array, Float64Array]:
    """Image px of a lattice's columns, x (columns,), and rows, y (rows,), for an image of ``size``."""
    counts = (int(np.ceil(side / step)) + 2 * RINGS for side in size)
    x, y = ((np.arange(n, dtype=np.float64) + 0.5 - RINGS) * step for n in counts)
    return x, y


def lattice_pixels(size: tuple[int, int], step: int) -> tuple[Float64Array, tuple[int, int]]:
    """Image px (2, n) of all nodes of a lattice for an image of ``size``, row by row, and its (rows, columns)."""
    x, y = lattice_lines(size, step)
    return np.stack(np.meshgrid(x, y)).reshape(2, -1), (len(y), len(x))


def find_flipped_cells(planes: Float64Array) -> BoolArray:
    """Cells (rows - 1, columns - 1) of x and y at nodes, (2, rows, columns), that are not wholly right side out. Within
    a cell the Jacobian's determinant is affine, so four corners prove it."""
    (x_right, y_right), (x_down, y_down) = np.diff(planes, axis=2), np.diff(planes, axis=1)
    good = np.ones((planes.shape[1] - 1, planes.shape[2] - 1), dtype=bool)
    for row in (np.s_[:-1], np.s_[1:]):  # the cells' upper sides and lower sides
        for column in (np.s_[:-1], np.s_[1:]):  # their left and right ones
            good &= x_right[row] * y_down[:, column] > y_right[row] * x_down[:, column]
    return ~good
