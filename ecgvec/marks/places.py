"""What on a page a mark can point out: a beat, an ST segment, a stretch of a trace, a lead's name, a header line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import shapely
from pydantic import Field

from ecgvec._typing import IntpArray, Points
from ecgvec.geometry.path import Box
from ecgvec.layout.place import TraceInfo
from ecgvec.marks.base import PageContext

Lead = Annotated[str, Field(min_length=1, max_length=16)]
ANY = "any"  # of the leads on the page
On = Literal["beat", "st", "stretch", "name", "header"]

EDGE_MM = 4.0  # from the paper's edge to anything that is pointed out
QRS_S = 0.06  # to both sides of its peak
ST_S = 0.11  # from the peak
LEAST_WORD_MM = 7.0  # of a header line that anybody marks: no unit, no lone number
LEAST_SLOPE = 4.0  # mV/s, of a QRS complex


@dataclass(frozen=True)
class Target:
    """Something on the page: its box in mm, the point to be pointed at, and the id of its trace."""

    box: Box
    point: tuple[float, float]
    trace: str | None


def peaks(info: TraceInfo) -> IntpArray:
    """The samples at which QRS complexes of a trace are furthest from its median, found by their slope."""
    from scipy.ndimage import uniform_filter1d  # which pages without marks need not pay for
    from scipy.signal import find_peaks

    finite = np.isfinite(info.mv)
    if finite.sum() < 3:
        return np.empty(0, dtype=np.intp)
    middle = float(np.median(info.mv[finite]))
    mv = np.where(finite, info.mv, middle)
    power = uniform_filter1d(np.square(np.gradient(mv) * info.fs), max(1, round(0.08 * info.fs)))
    slope = np.sqrt(np.maximum(power, 0))  # its running sum may end a hair below 0
    found, _ = find_peaks(slope, height=max(LEAST_SLOPE, 0.5 * slope.max()), distance=max(1, round(0.3 * info.fs)))
    reach = max(1, round(QRS_S * info.fs))
    starts = np.maximum(found - reach, 0)
    return np.array(
        [a + int(np.abs(mv[a : i + reach + 1] - middle).argmax()) for a, i in zip(starts, found, strict=True)],
        dtype=np.intp,
    )


def targets(board: PageContext, on: On, lead: str, length: float, rng: np.random.Generator) -> Iterator[Target]:
    """What of the kind ``on`` the page shows, in an order that ``rng`` gives. ``lead``: the only one that will do, or
    ``any``; ``length``: of a stretch, in mm."""
    if on == "header":
        wide = [box for box in board.header if box.x1 - box.x0 >= LEAST_WORD_MM]
        for i in rng.permutation(len(wide)).tolist():
            yield Target(wide[i], middle(wide[i]), None)
        return
    ids = [name for name, info in board.traces.items() if lead in (ANY, info.panel.lead)]
    for name in (ids[i] for i in rng.permutation(len(ids)).tolist()):
        if on == "name":
            if name in board.names:
                yield Target(board.names[name], middle(board.names[name]), name)
        else:
            yield from _on_trace(board, name, on, length, rng)


def first_target(board: PageContext, on: On, lead: str, length: float, rng: np.random.Generator) -> Target | None:
    """The first of ``targets``; None where there is none."""
    return next(targets(board, on, lead, length, rng), None)


def middle(box: Box) -> tuple[float, float]:
    """The middle of a box."""
    return (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2


def _on_trace(board: PageContext, name: str, on: On, length: float, rng: np.random.Generator) -> Iterator[Target]:
    info = board.traces[name]
    for first, at, last in _spans(info, on, length, rng):
        points = info.points[first : last + 1]
        inked = np.isfinite(points).all(axis=1) if info.inked is None else info.inked[first : last + 1]
        if not (0 <= first < last < len(info.t)) or not inked.any() or not np.isfinite(info.points[at]).all():
            continue
        box = Box(*np.nanmin(points, axis=0).tolist(), *np.nanmax(points, axis=0).tolist())
        if _on_paper(board, box) and _in_row(info, points):
            yield Target(box, (float(info.points[at, 0]), float(info.points[at, 1])), name)


def _spans(info: TraceInfo, on: On, length: float, rng: np.random.Generator) -> Iterator[tuple[int, int, int]]:
    """First sample, the one to be pointed at, and last sample of the places on a trace."""
    if on == "stretch":
        count = round(length / info.axes.speed * info.fs)
        count = min(count, len(info.t) - 1)
        for first in rng.integers(0, max(1, len(info.t) - count), 6).tolist():
            yield first, first + count // 2, first + count
        return
    found = peaks(info)
    reach, later = max(1, round(QRS_S * info.fs)), round(ST_S * info.fs)
    for peak in rng.permutation(found).tolist():
        at = peak if on == "beat" else min(peak + later, len(info.t) - 1)
        yield max(0, at - reach), at, min(at + reach, len(info.t) - 1)


def _on_paper(board: PageContext, box: Box) -> bool:
    return (
        min(box.x0, box.y0) >= EDGE_MM
        and box.x1 <= board.layout.width - EDGE_MM
        and box.y1 <= board.layout.height - EDGE_MM
    )


def _in_row(info: TraceInfo, points: Points) -> bool:
    """Whether the points keep to their row, so that nothing cuts them off."""
    return bool((points[:, 1] >= info.panel.box.y0).all() and (points[:, 1] <= info.panel.box.y1).all())


class OccupancyIndex:
    """All print on a page, to find out how much of it something would lie on."""

    def __init__(self, board: PageContext) -> None:
        lines = [info.points[np.isfinite(info.points).all(axis=1)] for info in board.traces.values()]
        self._lines = [shapely.LineString(line) for line in lines if len(line) > 1]
        self._bounds = shapely.bounds(self._lines).reshape(-1, 4)
        self._simple: dict[int, shapely.Geometry] = {}  # of most traces nobody asks
        self._boxes = shapely.STRtree([shapely.box(*box) for box in board.printed])

    def beneath(self, place: shapely.Geometry) -> float:
        """mm of traces and, twice, mm^2 of other print beneath ``place``."""
        x0, y0, x1, y1 = shapely.bounds(place)
        left, top, right, bottom = self._bounds.T
        near = np.flatnonzero((left <= x1) & (right >= x0) & (top <= y1) & (bottom >= y0)).tolist()
        boxes = self._boxes.geometries[self._boxes.query(place, predicate="intersects")]
        along = float(shapely.length(shapely.intersection([self._line(i) for i in near], place)).sum())
        return along + 2 * float(shapely.area(shapely.intersection(boxes, place)).sum())

    def _line(self, number: int) -> shapely.Geometry:
        """A trace with as few points as tell where it runs."""
        if number not in self._simple:
            self._simple[number] = self._lines[number].simplify(0.1)
        return self._simple[number]
