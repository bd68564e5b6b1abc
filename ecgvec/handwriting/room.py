"""Room between characters: those that are not joined do not touch, and points between digits stand alone."""

from __future__ import annotations

import numpy as np

from ecgvec._typing import Float64Array, Int64Array
from ecgvec.handwriting.compose import DRAW, UP

DOT_ROOM = 0.34  # x-heights from a dot to the lines beside it: about twice as much as the broadest pen is wide
ROOM = 0.12  # between others; lines in the training data have 0.10 and more
_CROSSES = -0.35  # what reaches so far over its neighbour is meant to: the bar of a t
DOTS = ".,:;"


def with_room(
    text: str, points: Float64Array, pen: Int64Array, character: Int64Array
) -> tuple[Float64Array, Int64Array]:
    """Points (n, 2) in x-heights and pen states (n,) of a line whose characters have room.

    ``character`` (n,): the index in ``text`` of each point, never falling. What follows moves to the right. Before and
    after a dot the pen is lifted.
    """
    points, pen = points.copy(), pen.copy()
    for limit in np.flatnonzero(np.diff(character)).tolist():
        left, right = int(character[limit]), int(character[limit + 1])
        dotted = text[left] in DOTS or text[right] in DOTS
        if dotted and pen[limit] == DRAW:
            pen[limit] = UP
        if pen[limit] == UP:
            mine = [(character == index) & (pen <= UP) for index in (left, right)]
            gap = _gap(points[mine[0]], points[mine[1]], DOT_ROOM if dotted else ROOM)
            if dotted or gap > _CROSSES:
                points[limit + 1 :, 0] += max(0.0, (DOT_ROOM if dotted else ROOM) - gap)
    return points, pen


def _gap(left: Float64Array, right: Float64Array, height: float) -> float:
    """The least gap between two neighbours where they stand side by side, or differ by ``height`` at most."""
    beside = np.abs(left[:, None, 1] - right[None, :, 1]) < height
    gaps = (right[None, :, 0] - left[:, None, 0])[beside]
    return float(gaps.min()) if gaps.size else np.inf
