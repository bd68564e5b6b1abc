"""Paths as plain lines: curves made straight, dashes cut out, long pieces divided."""

from __future__ import annotations

import math

import numpy as np

from ecgvec._typing import Float64Array, IntpArray, Points
from ecgvec.geometry.path import CLOSE, CURVE, MOVE, POINTS_PER_CODE, Path


def lines(path: Path, tolerance: float) -> list[Points]:
    """The path's lines, (n, 2) each, between one move and the next; a closed one ends where it began. Curves become
    straight pieces that keep within ``tolerance`` of them."""
    if not len(path.codes):
        return []
    ends = np.cumsum(POINTS_PER_CODE[path.codes]) - 1
    line = np.cumsum(path.codes == MOVE) - 1
    ends = np.where(path.codes == CLOSE, ends[path.codes == MOVE][line], ends)
    counts = _curve_pieces(path, ends, tolerance)
    at, t = _within(counts)
    t = np.where(counts[at] > 1, t + 1 / counts[at], 1.0)[:, None]
    a, b, c, d = (path.points[np.maximum(ends[at] - k, 0)] for k in (3, 2, 1, 0))
    found: Points = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d
    return np.split(found, np.flatnonzero(np.diff(line[at])) + 1)


def _curve_pieces(path: Path, ends: IntpArray, tolerance: float) -> IntpArray:
    """How many straight pieces each code becomes: a curve of second derivative m strays by m / 8 n^2 from n of them."""
    counts = np.ones(len(path.codes), dtype=np.intp)
    curves = path.codes == CURVE
    a, b, c, d = (path.points[ends[curves] - k] for k in (3, 2, 1, 0))
    second = 6 * np.maximum(np.hypot(*(a - 2 * b + c).T), np.hypot(*(b - 2 * c + d).T))
    counts[curves] = np.maximum(1, np.ceil(np.sqrt(second / (8 * tolerance)))).astype(np.intp)
    return counts


def _within(counts: IntpArray) -> tuple[IntpArray, Float64Array]:
    """For things divided into ``counts`` (n,) parts: which thing each part is of, and where in it it begins, 0 to 1."""
    at: IntpArray = np.repeat(np.arange(len(counts)), counts)
    part = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
    return at, part / counts[at]


def divided(points: Points, counts: IntpArray) -> tuple[Points, IntpArray]:
    """``points`` (n, 2) with the piece from each to the next divided evenly into ``counts`` (n - 1,) pieces; and of
    each point found, the one of ``points`` that it is or follows."""
    at, part = _within(counts)
    between = points[at] + part[:, None] * (points[at + 1] - points[at])
    return np.concatenate([between, points[-1:]]), np.append(at, len(points) - 1)


def dashed(line: Points, dash: tuple[float, ...]) -> list[Points]:
    """The inked pieces of a line (n, 2): lengths on and off in turn from its start, as cairo and SVG lay them. A dash
    of no length is two points in one place."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    if not dash or not along[-1]:
        return [line]
    turns = math.ceil(along[-1] / sum(dash)) * len(dash)
    ends = np.concatenate([[0.0], np.cumsum(np.resize(dash, 2 * turns))])
    on, off = ends[:-1:2], ends[1::2]
    on, off = on[on < along[-1]], np.minimum(off[on < along[-1]], along[-1])
    within = np.searchsorted(on, along, side="right") - 1  # the dash that each corner of the line may lie in
    corner = (along > on[within]) & (along < off[within])
    of = np.concatenate([np.arange(len(on)), within[corner], np.arange(len(on))])
    places = np.concatenate([on, along[corner], off])
    order = np.lexsort((places, of))
    points = np.column_stack([np.interp(places[order], along, line[:, axis]) for axis in (0, 1)])
    return np.split(points, np.flatnonzero(np.diff(of[order])) + 1)
