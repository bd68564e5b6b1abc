"""Paths, their pieces, dashes and hulls. Knows nothing of ECGs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import orjson
import shapely
from numpy.typing import ArrayLike

from ecgvec._typing import AnyArray, BoolArray, Float64Array, IntpArray, Points, Uint8Array

MOVE, LINE, CURVE, CLOSE = 0, 1, 2, 3
POINTS_PER_CODE = np.array([1, 1, 3, 0])
_SVG_COMMANDS = ("M%s", "L%s", "C%s %s %s", "Z")

# Decimals kept of x and of y on a page. 1e-5 mm in x is 0.4 us at 25 mm/s, 1e-4 mm in y is 10 nV at 10 mm/mV.
X_DECIMALS, Y_DECIMALS = 5, 4

PointMap = Callable[[Points], Points]


class Box(NamedTuple):
    """An upright rectangle in mm."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, eq=False)
class Path:
    """``codes`` (n,) uint8: MOVE, LINE, CURVE, CLOSE; ``points`` (m, 2) float64: one, one, three or none a code."""

    codes: Uint8Array
    points: Points

    def transform(self, function: PointMap) -> Path:
        """The path with every point (control points too) sent through ``function``, (m, 2) -> (m, 2)."""
        return Path(self.codes, function(self.points))

    def round(self) -> Path:
        """The path on the page's grid of decimals, so that every renderer is given the very same numbers."""
        return Path(self.codes, round_points(self.points))

    def flatten(self, pieces: int = 8) -> Path:
        """The path with each curve as ``pieces`` straight lines."""
        curves = self.codes == CURVE
        if not curves.any():
            return self
        ends = np.cumsum(POINTS_PER_CODE[self.codes])
        a, b, c, d = (self.points[ends[curves] - k][:, None] for k in (4, 3, 2, 1))
        t = np.arange(1, pieces + 1)[None, :, None] / pieces
        bent = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d
        repeat = np.where(curves, pieces, 1)
        codes = np.repeat(np.where(curves, LINE, self.codes).astype(np.uint8), repeat)
        on_curve = np.repeat(curves, repeat)[codes != CLOSE]
        points = np.empty((len(on_curve), 2))
        points[on_curve] = bent.reshape(-1, 2)
        points[~on_curve] = self.points[ends[~curves & (self.codes != CLOSE)] - 1]
        return Path(codes, points)

    def bounds(self) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) of all points, control points included; ValueError for an empty path."""
        x, y = self.points.T  # NumPy finds the least of each by itself ten times as fast as that of pairs
        return float(x.min()), float(y.min()), float(x.max()), float(y.max())

    def svg_d(self, decimals: tuple[int, int] = (X_DECIMALS, Y_DECIMALS)) -> str:
        """The path as the ``d`` attribute of an SVG path, absolute commands, with these decimals of x and of y at most.

        JSON's writer makes the numbers: all at once, and as short as can be.
        """
        if not len(self.codes):
            return ""
        pairs = orjson.dumps(round_points(self.points, decimals), option=orjson.OPT_SERIALIZE_NUMPY)[2:-2].decode()
        if self.codes[0] == MOVE and (self.codes[1:] == LINE).all():
            return "M" + pairs.replace("],[", "L")
        template = "".join([_SVG_COMMANDS[code] for code in self.codes.tolist()])
        return template % tuple(pairs.split("],["))


def round_points(points: Points, decimals: tuple[int, int] = (X_DECIMALS, Y_DECIMALS)) -> Points:
    """Points (n, 2) rounded to these decimals of x and of y, those of the page if none are given."""
    return np.column_stack([np.round(points[:, 0], decimals[0]), np.round(points[:, 1], decimals[1])])


def polyline(points: ArrayLike, closed: bool = False) -> Path:
    """One open or closed line through ``points`` (n, 2)."""
    array = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    codes = np.full(len(array) + int(closed), LINE, dtype=np.uint8)
    codes[0] = MOVE
    if closed:
        codes[-1] = CLOSE
    return Path(codes, array)


def segments(ends: ArrayLike) -> Path:
    """Separate straight lines; ``ends`` is (n, 4): x0, y0, x1, y1 of each."""
    array = np.asarray(ends, dtype=np.float64).reshape(-1, 2)
    codes = np.empty(len(array), dtype=np.uint8)
    codes[0::2], codes[1::2] = MOVE, LINE
    return Path(codes, array)


def rectangles(boxes: ArrayLike) -> Path:
    """Closed rectangles; ``boxes`` is (n, 4): x0, y0, x1, y1 of each."""
    x0, y0, x1, y1 = np.asarray(boxes, dtype=np.float64).reshape(-1, 4).T
    corners = np.stack([x0, y0, x1, y0, x1, y1, x0, y1], axis=1).reshape(-1, 2)
    return Path(np.tile(np.array([MOVE, LINE, LINE, LINE, CLOSE], dtype=np.uint8), len(x0)), corners)


def _finite(points: Points) -> BoolArray:
    """Which of ``points`` (n, 2) have both coordinates."""
    return np.asarray(np.isfinite(points[:, 0]) & np.isfinite(points[:, 1]))


def with_gaps(points: Points) -> Path:
    """A line through ``points`` (n, 2) that breaks wherever a coordinate is NaN.

    A point alone between two gaps becomes a line of no length, which a round cap shows as a dot.
    """
    finite = _finite(points)
    if len(points) > 1 and finite.all():
        return polyline(points)
    starts = finite & ~np.concatenate([[False], finite[:-1]])
    ends = finite & ~np.concatenate([finite[1:], [False]])
    repeat = np.where(starts & ends, 2, 1)[finite]
    codes = np.repeat(np.where(starts, MOVE, LINE)[finite].astype(np.uint8), repeat)
    lonely = np.flatnonzero(np.repeat((starts & ends)[finite], repeat))[1::2]
    codes[lonely] = LINE
    return Path(codes, np.repeat(points[finite], repeat, axis=0))


def runs(points: Points) -> list[Points]:
    """The stretches of ``points`` (n, 2) between NaN: (m, 2) each, at least one point long."""
    finite = _finite(points)
    if finite.all():
        return [points] if len(points) else []
    breaks = np.flatnonzero(np.diff(finite.astype(np.int8))) + 1
    return [points[run] for run in np.split(np.arange(len(points)), breaks) if len(run) and finite[run[0]]]


def join(paths: Iterable[Path]) -> Path:
    """Several paths as one."""
    parts: Sequence[Path] = list(paths)
    if not parts:
        return Path(np.empty(0, dtype=np.uint8), np.empty((0, 2)))
    return Path(np.concatenate([p.codes for p in parts]), np.concatenate([p.points for p in parts]))


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


def divide(points: Points, counts: IntpArray) -> tuple[Points, IntpArray]:
    """``points`` (n, 2) with the piece from each to the next divided evenly into ``counts`` (n - 1,) pieces; and of
    each point found, the one of ``points`` that it is or follows."""
    at, part = _within(counts)
    between = points[at] + part[:, None] * (points[at + 1] - points[at])
    return np.concatenate([between, points[-1:]]), np.append(at, len(points) - 1)


def dash_line(line: Points, dash: tuple[float, ...]) -> list[Points]:
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


def hulls(points: Points, counts: IntpArray) -> AnyArray:
    """The convex hull, as a shapely geometry, of each group of ``points`` (n, 2): the first ``counts[0]`` of them, the
    next ``counts[1]``, and so on, at least one each."""
    # A line has the hull of its points, and is made far faster than as many points; it has two of them at the least.
    alone = np.repeat(counts == 1, counts)
    of = np.repeat(np.arange(len(counts)), np.where(counts == 1, 2, counts))
    lines: AnyArray = np.asarray(shapely.linestrings(np.repeat(points, 1 + alone, axis=0), indices=of))
    return np.asarray(shapely.convex_hull(lines))


def hull_corners(points: Points, counts: IntpArray) -> tuple[Points, IntpArray]:
    """The same hulls as their corners (m, 2), none twice, and how many of them each has."""
    corners, of = shapely.get_coordinates(hulls(points, counts), return_index=True)
    found = np.bincount(of, minlength=len(counts))
    # A polygon's ring ends where it began; a line or a point does not.
    last = np.zeros(len(corners), dtype=bool)
    last[np.cumsum(found)[found > 3] - 1] = True
    return corners[~last], found - (found > 3)


def hull(points: Points) -> Points:
    """The corners (m, 2) of the convex hull of points (n, 2), none twice."""
    return hull_corners(points, np.array([len(points)]))[0]


def dense_ring(points: Points, pieces: int = 16) -> Points:
    """A closed ring through ``points`` (n, 2) with each side in ``pieces``, so that a map may bend it."""
    ahead = np.concatenate([points[1:], points[:1]])
    steps = np.arange(pieces)[None, :, None] / pieces
    ring: Points = (points[:, None] + (ahead - points)[:, None] * steps).reshape(-1, 2)
    return ring


_CIRCLE = np.linspace(0.0, 2 * np.pi, 32, endpoint=False)


def pen_rims(points: Points, width: float) -> Points:
    """The rims (32 n, 2) of a round pen of ``width`` at each of ``points`` (n, 2)."""
    rim = width / 2 * np.column_stack([np.cos(_CIRCLE), np.sin(_CIRCLE)])
    rims: Points = (points[:, None] + rim[None]).reshape(-1, 2)
    return rims


def extremes(points: Points) -> IntpArray:
    """Which (4,) of ``points`` (n, 2) lie furthest to the left, the top, the right and the bottom, NaN left out."""
    planes = np.ascontiguousarray(points.T)
    known = np.isfinite(planes)
    low, high = planes, planes
    if not known.all():
        low, high = np.where(known, planes, np.inf), np.where(known, planes, -np.inf)
    return np.concatenate([low.argmin(axis=1), high.argmax(axis=1)])


def bounds(points: Points) -> tuple[float, float, float, float]:
    """(x0, y0, x1, y1) of points (n, 2), NaN left out."""
    x0, y0 = np.nanmin(points, axis=0)
    x1, y1 = np.nanmax(points, axis=0)
    return float(x0), float(y0), float(x1), float(y1)
