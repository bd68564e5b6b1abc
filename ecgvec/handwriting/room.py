"""Points between digits stand alone: a hand leaves them room, and lifts the pen before and after."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgvec.handwriting.compose import DRAW, UP

ROOM = 0.34  # x-heights from a point to the lines beside it: about twice as much as the broadest pen is wide
DOTS = ".,:;"

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def with_room(text: str, points: Floats, pen: Ints, character: Ints) -> tuple[Floats, Ints]:
    """Points (n, 2) in x-heights and pen states (n,) of a line with room about each dot of ``text``.

    ``character`` (n,): the index in ``text`` of each point, never falling. What follows a dot moves to the right.
    """
    points, pen = points.copy(), pen.copy()
    for index, sign in enumerate(text):
        if sign in DOTS and (character == index).any():
            for limit in np.flatnonzero((character[:-1] == index) != (character[1:] == index)):
                pen[limit] = UP if pen[limit] == DRAW else pen[limit]
            points[character >= index, 0] += _lacking(points, pen, character, index - 1, index)
            points[character > index, 0] += _lacking(points, pen, character, index, index + 1)
    return points, pen


def _lacking(points: Floats, pen: Ints, character: Ints, left: int, right: int) -> float:
    """By how much two neighbours are too near, where they stand side by side."""
    one, other = (points[(character == index) & (pen <= UP)] for index in (left, right))
    beside = np.abs(one[:, None, 1] - other[None, :, 1]) < ROOM
    gaps = (other[None, :, 0] - one[:, None, 0])[beside]
    return max(0.0, ROOM - float(gaps.min())) if gaps.size else 0.0
