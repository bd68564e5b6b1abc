"""Values at even steps of a line or a lattice, linear in between: the one way in which warps look things up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
AT_ONCE = 8192  # places that are solved for at a time: what is worked out for them stays in the processor's cache


class Table:
    """Functions of a line, to be looked up at places (n,): linear between ``steps`` (k,), which are even but for
    rounding, and level beyond them. Finds the very numbers that ``np.interp`` finds, but the steps between which places
    lie are counted, not searched, and once for all functions."""

    def __init__(self, steps: Floats, places: Floats) -> None:
        self._steps = steps
        last = len(steps) - 1
        places = np.maximum(places, steps[0])
        step = np.minimum(((places - steps[0]) * (last / (steps[-1] - steps[0]))).astype(np.intp), last)
        step -= places < steps.take(step)
        step += places >= np.append(steps[1:], np.inf).take(step)
        self._step, self._beyond = step, places - steps.take(step)

    def __call__(self, values: Floats) -> Floats:
        """What ``values`` (k,) at the steps are at the places."""
        slopes = np.append(np.diff(values) / np.diff(self._steps), 0.0)
        return np.asarray(slopes.take(self._step) * self._beyond + values.take(self._step))


class Sloped(NamedTuple):
    """Values and their derivatives along x and y, (k, n) each."""

    values: Floats
    along_x: Floats
    along_y: Floats


@dataclass(frozen=True, eq=False)
class Grid:
    """``planes`` (k, rows, columns): k values at ``origin`` + (column, row) ``step``. Beyond its rim the rim's own
    cells go on, or with ``clamped`` the rim's own values."""

    planes: Floats
    origin: tuple[float, float]
    step: tuple[float, float]
    clamped: bool = False

    def at(self, x: Floats, y: Floats) -> Floats:
        """Values (k, n) at x (n,) and y (n,)."""
        fx, fy, corners = self._corners(x, y)
        found = np.empty((len(self.planes), len(x)))
        for out, (a, b, c, d) in zip(found, corners, strict=True):
            upper = a + fx * (b - a)
            np.add(upper, fy * (c + fx * (d - c) - upper), out=out)
        return found

    def with_slopes(self, x: Floats, y: Floats) -> Sloped:
        """Values and derivatives at x (n,) and y (n,)."""
        fx, fy, corners = self._corners(x, y)
        found = Sloped(*np.empty((3, len(self.planes), len(x))))
        for i, (a, b, c, d) in enumerate(corners):
            across, more = b - a, d - c - (b - a)
            down = c - a + fx * more
            found.values[i] = a + fx * across + fy * down
            found.along_x[i] = (across + fy * more) / self.step[0]
            found.along_y[i] = down / self.step[1]
        return found

    def _corners(self, x: Floats, y: Floats) -> tuple[Floats, Floats, list[tuple[Floats, ...]]]:
        """Shares (n,) of the way across a cell and down it, and the values (n,) at its corners, plane by plane."""
        rows, columns = self.planes.shape[1:]
        across, down = (x - self.origin[0]) / self.step[0], (y - self.origin[1]) / self.step[1]
        if self.clamped:
            across, down = np.clip(across, 0, columns - 1), np.clip(down, 0, rows - 1)
        column = np.clip(across, 0, columns - 2).astype(np.intp)
        row = np.clip(down, 0, rows - 2).astype(np.intp)
        first = row * columns + column
        places = (first, first + 1, first + columns, first + columns + 1)
        return across - column, down - row, [tuple(plane.take(i) for i in places) for plane in self.planes]


def blocks(count: int) -> Iterator[slice]:
    """``count`` places in turn, AT_ONCE at a time."""
    return (slice(first, first + AT_ONCE) for first in range(0, count, AT_ONCE))


def solved(slopes: Sloped, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The steps (n,) along x and y by which values with ``slopes`` change by ``x`` and ``y`` (n,): Cramer's rule."""
    (a, c), (b, d) = slopes.along_x, slopes.along_y
    determinant = a * d - b * c
    return (d * x - b * y) / determinant, (a * y - c * x) / determinant
