"""Values at even steps of a line or a lattice, linear in between: the one way in which warps look things up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ecgvec._typing import BoolArray, Float64Array, IntpArray

CHORDS = 2  # steps within a cell
EXACT = 1e-10  # of what is looked up: page mm, in an image's lattice
ASIDE = 1e-9  # of a cell, by which a place may lie beside it
AT_ONCE = 8192  # places that are solved for at a time: what is worked out for them stays in the processor's cache


class Table:
    """Functions of a line, to be looked up at places (n,): linear between ``steps`` (k,), which are even but for
    rounding, and level beyond them. Finds the very numbers that ``np.interp`` finds, but the steps between which places
    lie are counted, not searched, and once for all functions."""

    def __init__(self, steps: Float64Array, places: Float64Array) -> None:
        self._steps = steps
        last = len(steps) - 1
        places = np.maximum(places, steps[0])
        step = np.minimum(((places - steps[0]) * (last / (steps[-1] - steps[0]))).astype(np.intp), last)
        step -= places < steps.take(step)
        step += places >= np.append(steps[1:], np.inf).take(step)
        self._step, self._beyond = step, places - steps.take(step)

    def __call__(self, values: Float64Array) -> Float64Array:
        """What ``values`` (k,) at the steps are at the places."""
        slopes = np.append(np.diff(values) / np.diff(self._steps), 0.0)
        return np.asarray(slopes.take(self._step) * self._beyond + values.take(self._step))


class Sloped(NamedTuple):
    """Values and their derivatives along x and y, (k, n) each."""

    values: Float64Array
    along_x: Float64Array
    along_y: Float64Array


@dataclass(frozen=True, eq=False)
class Grid:
    """``planes`` (k, rows, columns): k values at ``origin`` + (column, row) ``step``. Beyond its rim the rim's own
    cells go on, or with ``clamped`` the rim's own values."""

    planes: Float64Array
    origin: tuple[float, float]
    step: tuple[float, float]
    clamped: bool = False

    def at(self, x: Float64Array, y: Float64Array) -> Float64Array:
        """Values (k, n) at x (n,) and y (n,)."""
        found = np.empty((len(self.planes), len(x)))
        for block in blocks(len(x)):
            fx, fy, first = self._cells(x[block], y[block])
            for plane, out in zip(self.planes, found[:, block], strict=True):
                a, b, c, d = self._corners(plane, first)
                # In place, which is twice as fast: what lies on the cell's upper side and on its lower one.
                b -= a
                b *= fx
                b += a
                d -= c
                d *= fx
                d += c
                d -= b
                d *= fy
                np.add(b, d, out=out)
        return found

    def with_slopes(self, x: Float64Array, y: Float64Array) -> Sloped:
        """Values and derivatives at x (n,) and y (n,)."""
        found = Sloped(*np.empty((3, len(self.planes), len(x))))
        for block in blocks(len(x)):
            fx, fy, first = self._cells(x[block], y[block])
            for i, plane in enumerate(self.planes):
                a, across, down, more = self._bilinear(plane, first)
                down += fx * more
                found.values[i, block] = a + fx * across + fy * down
                found.along_x[i, block] = (across + fy * more) / self.step[0]
                found.along_y[i, block] = down / self.step[1]
        return found

    def locate(self, goal: Float64Array, near: Float64Array) -> tuple[Float64Array, BoolArray]:
        """Where, x and y (2, n), the grid's two planes are ``goal`` (2, n), if it is in the cells in which ``near``
        (2, n) lies; and whether it is there, to EXACT in ``goal``'s unit. Within a cell the slopes hardly
        change, so those at ``near`` do for all steps."""
        fx, fy, first = self._cells(*near)
        cells = [self._bilinear(plane, first) for plane in self.planes]
        (a, c), (b, d) = (
            [across + fy * more for _, across, _, more in cells],
            [down + fx * more for *_, down, more in cells],
        )
        determinant = a * d - b * c
        for slope in (a, b, c, d):
            slope /= determinant
        begun = fx.copy(), fy.copy()
        for number in range(CHORDS + 1):
            x, y = (
                value - (corner + fx * across + fy * (down + fx * more))
                for value, (corner, across, down, more) in zip(goal, cells, strict=True)
            )
            if number < CHORDS:
                fx += d * x - b * y
                fy += a * y - c * x
        sure = np.maximum(np.abs(x), np.abs(y)) <= EXACT
        for share in (fx, fy):
            sure &= np.abs(share - 0.5) <= 0.5 + ASIDE
        return near + np.stack([(fx - begun[0]) * self.step[0], (fy - begun[1]) * self.step[1]]), sure

    def _cells(self, x: Float64Array, y: Float64Array) -> tuple[Float64Array, Float64Array, IntpArray]:
        """Shares (n,) of the way across a cell and down it, and the number (n,) of the cell's first corner."""
        rows, columns = self.planes.shape[1:]
        across, down = (x - self.origin[0]) / self.step[0], (y - self.origin[1]) / self.step[1]
        if self.clamped:
            across, down = np.clip(across, 0, columns - 1), np.clip(down, 0, rows - 1)
        column = np.clip(across, 0, columns - 2).astype(np.intp)
        row = np.clip(down, 0, rows - 2).astype(np.intp)
        across -= column
        down -= row
        row *= columns
        row += column
        return across, down, row

    def _corners(
        self, plane: Float64Array, first: IntpArray
    ) -> tuple[Float64Array, Float64Array, Float64Array, Float64Array]:
        """A plane's values (n,) at the corners of cells, row by row."""
        flat, columns = plane.ravel(), plane.shape[1]
        a, b, c, d = (flat[place:].take(first) for place in (0, 1, columns, columns + 1))
        return a, b, c, d

    def _bilinear(
        self, plane: Float64Array, first: IntpArray
    ) -> tuple[Float64Array, Float64Array, Float64Array, Float64Array]:
        """A plane's value (n,) at the first corner of cells, what it gains across and down, and along both more."""
        a, across, down, more = self._corners(plane, first)
        across -= a
        more -= down
        more -= across
        down -= a
        return a, across, down, more


def blocks(count: int) -> Iterator[slice]:
    """``count`` places in turn, AT_ONCE at a time."""
    return (slice(first, first + AT_ONCE) for first in range(0, count, AT_ONCE))


def between(values: Float64Array, pieces: int, axis: int) -> Float64Array:
    """``values`` (..., k, ...) at even steps along ``axis``, and so many of them that there are ``pieces`` steps where
    there was one: (..., pieces (k - 1) + 1, ...), on cubics (Catmull and Rom's) through the values that were there."""
    known = np.moveaxis(values, axis, 0)
    known = np.concatenate([2 * known[:1] - known[1:2], known, 2 * known[-1:] - known[-2:-1]])
    found = np.empty((pieces * (values.shape[axis] - 1) + 1, *known.shape[1:]))
    found[::pieces] = known[1:-1]
    for i in range(1, pieces):
        t = i / pieces
        a, b, c, d = ((2 - t) * t - 1) * t, (3 * t - 5) * t * t + 2, ((4 - 3 * t) * t + 1) * t, (t - 1) * t * t
        found[i::pieces] = (a * known[:-3] + b * known[1:-2] + c * known[2:-1] + d * known[3:]) / 2
    return np.moveaxis(found, 0, axis)


def solve_slopes(slopes: Sloped, x: Float64Array, y: Float64Array) -> tuple[Float64Array, Float64Array]:
    """The steps (n,) along x and y by which values with ``slopes`` change by ``x`` and ``y`` (n,): Cramer's rule."""
    (a, c), (b, d) = slopes.along_x, slopes.along_y
    determinant = a * d - b * c
    return (d * x - b * y) / determinant, (a * y - c * x) / determinant
