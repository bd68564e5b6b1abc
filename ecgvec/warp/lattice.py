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
from numpy.typing import NDArray

from ecgvec.geometry.path import Points
from ecgvec.warp.grid import Floats, Grid, blocks, solved
from ecgvec.warp.parts import Paper

RINGS = 3  # of nodes outside the image, so that what lies just outside is found outside
STEPS = 30  # of Newton's method at most
EXACT = 1e-10  # page mm


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
    nodes: Floats
    step: int
    guess: Guess
    homography: Floats
    paper: Paper

    @cached_property
    def grid(self) -> Grid:
        """Page mm as a function of image px."""
        corner = (0.5 - RINGS) * self.step
        return Grid(np.moveaxis(self.nodes, -1, 0), (corner, corner), (self.step, self.step))

    def inverse(self, points: Points) -> Points:
        """Image px to page mm."""
        x, y = np.asarray(points, dtype=np.float64).reshape(-1, 2).T
        return self.grid.at(x, y).T

    def forward(self, points: Points) -> Points:
        """Page mm to image px."""
        wanted = np.ascontiguousarray(np.asarray(points, dtype=np.float64).reshape(-1, 2).T)
        found = np.full_like(wanted, np.nan)
        known = np.flatnonzero(np.isfinite(wanted[0]) & np.isfinite(wanted[1]))
        for block in blocks(len(known)):
            found[:, known[block]] = self._found(wanted[:, known[block]])
        return np.ascontiguousarray(found.T)

    def _found(self, wanted: Floats) -> Floats:
        """Image px (2, n) of page mm (2, n), all of which are numbers."""
        found = np.ascontiguousarray(self.guess(wanted.T).T)
        (x_low, y_low), (x_high, y_high) = self._bounds()
        x, y = found
        left = np.flatnonzero((x > x_low) & (x < x_high) & (y > y_low) & (y < y_high))
        here, goal = found[:, left], wanted[:, left]
        for _ in range(STEPS):
            if not len(left):
                break
            slopes = self.grid.with_slopes(*here)
            rest = goal - slopes.values
            for axis, more in zip(here, solved(slopes, *rest), strict=True):
                axis += more
            far = np.flatnonzero((np.abs(rest) > EXACT).any(axis=0))
            if len(far) < len(left):
                found[:, left] = here
                left, here, goal = left[far], here[:, far], goal[:, far]
        found[:, left] = here
        return found

    def scale(self) -> float:
        """Image px a mm of paper, in the median over the paper that the image shows."""
        across, down = np.diff(self.nodes, axis=1)[:-1], np.diff(self.nodes, axis=0)[:, :-1]
        area = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
        on_paper = self.on_paper(self.nodes[:-1, :-1].reshape(-1, 2)).reshape(area.shape)
        return float(self.step / np.sqrt(np.median(area[on_paper] if on_paper.any() else area)))

    def on_paper(self, points: Points) -> NDArray[np.bool_]:
        """Which page points (n, 2) mm lie on the paper."""
        return np.asarray(((points >= 0) & (points <= (self.paper.width, self.paper.height))).all(axis=1))

    def _bounds(self) -> tuple[Floats, Floats]:
        first = (0.5 - RINGS) * self.step
        rows, columns = self.nodes.shape[:2]
        return np.array([first, first]), np.array([first + (columns - 1) * self.step, first + (rows - 1) * self.step])


def lattice_pixels(size: tuple[int, int], step: int) -> tuple[Floats, tuple[int, int]]:
    """Image px (2, n) of all nodes of a lattice for an image of ``size``, row by row, and its (rows, columns)."""
    columns, rows = (int(np.ceil(side / step)) + 2 * RINGS for side in size)
    x, y = ((np.arange(n) + 0.5 - RINGS) * step for n in (columns, rows))
    return np.stack(np.meshgrid(x, y)).reshape(2, -1), (rows, columns)


def turned_over(nodes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Cells (rows - 1, columns - 1) that are not wholly right side out. Within a cell the Jacobian's determinant is
    affine, so four corners prove it."""
    x, y = np.ascontiguousarray(np.moveaxis(nodes, -1, 0))
    (x_right, x_down), (y_right, y_down) = ((np.diff(v, axis=1), np.diff(v, axis=0)) for v in (x, y))
    good = np.ones((x.shape[0] - 1, x.shape[1] - 1), dtype=bool)
    for row in (np.s_[:-1], np.s_[1:]):  # the cells' upper sides and lower sides
        for column in (np.s_[:-1], np.s_[1:]):  # their left and right ones
            good &= x_right[row] * y_down[:, column] > y_right[row] * x_down[:, column]
    return ~good
