"""Brackets over or under a beat, as an interval is measured with calipers: their width is that of the interval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from shapely import Polygon

from ecgvec._typing import Points
from ecgvec.components import key, register
from ecgvec.geometry.path import Box
from ecgvec.layout.place import TraceInfo
from ecgvec.marks.base import MARKS, PageContext
from ecgvec.marks.places import ANY, EDGE_MM, OccupancyIndex, Target, peaks
from ecgvec.marks.pointing import HandDrawn
from ecgvec.marks.strokes import shake

Interval = Literal["QRS", "PR", "QT", "RR"]
Ends = Literal["arrow", "tick", "plain"]

ONSET_S = 0.04  # from the start of a QRS complex to its peak
TRIES = 24  # brackets that are compared
GAP_MM = (0.7, 2.2)  # from the trace to the bracket
REACH_MM = 0.8  # beside the bracket that the trace must leave free
LEAST_HEADS_MM = 4.5  # width from which a bracket has room for heads
STEADY = 0.15  # part of a hand's unrest by which the two strokes stray on their own


@dataclass(frozen=True, eq=False)
class Span:
    """Where a bracket stands, mm: its two strokes at ``x0`` and ``x1``, from ``top`` to ``bottom``; on which trace,
    and whether above it."""

    x0: float
    x1: float
    top: float
    bottom: float
    trace: str
    above: bool

    @property
    def area(self) -> Polygon:
        """What it covers, and a little around."""
        return shapely.box(self.x0 - 0.4, self.top, self.x1 + 0.4, self.bottom)


@register(MARKS)
class Calipers(HandDrawn):
    """A bracket over or under a beat, as an interval is measured: two strokes and a line that joins them.

    A QRS is bracketed, a PR ends at its QRS, a QT begins there, an RR begins at a peak.
    """

    kind: Literal["calipers"] = "calipers"
    interval: Interval = key("QRS", "Which interval.")
    seconds: float = key(0.1, "Its length, to hundredths.", "s", ge=0.04, le=3)
    high: float = key(4.0, "Length of the strokes.", "mm", ge=1.5, le=12)
    ends: Ends = key("arrow", "Ends of the line.")

    def words(self) -> str:
        """What it measures."""
        return f"{self.interval} {self.seconds:.2f}"

    def _lines(self, board: PageContext, rng: np.random.Generator) -> tuple[Target, list[Points]] | None:
        crowd = OccupancyIndex(board)
        best: tuple[float, Span] | None = None
        for _, span in zip(range(TRIES), self.spans(board, rng), strict=False):
            cost = crowd.beneath(span.area)
            if best is None or cost < best[0]:
                best = (cost, span)
            if cost < 0.5:
                break
        if best is None:
            return None
        span = best[1]
        box = Box(span.x0, span.top, span.x1, span.bottom)
        return Target(box, ((span.x0 + span.x1) / 2, span.bottom), span.trace), self.lines(rng, span)

    def spans(self, board: PageContext, rng: np.random.Generator) -> Iterator[Span]:
        """Where on the page the bracket may stand, beats in an order that ``rng`` gives."""
        names = [name for name, info in board.traces.items() if self.lead in (ANY, info.panel.lead)]
        beats = [(name, int(at)) for name in names for at in peaks(board.traces[name]).tolist()]
        for name, at in (beats[i] for i in rng.permutation(len(beats)).tolist()):
            info = board.traces[name]
            wide = round(self.seconds, 2) * info.axes.speed
            x0 = float(info.points[at, 0]) + info.axes.speed * self._start()
            beneath = _between(info, x0 - REACH_MM, x0 + wide + REACH_MM)
            gap, high = rng.uniform(*GAP_MM), self.high * rng.uniform(0.85, 1.15)
            if beneath is None:
                continue
            bottom, top = beneath[:, 1].min() - gap, beneath[:, 1].max() + gap
            for above, first in ((True, bottom - high), (False, top)):
                if first >= EDGE_MM and first + high <= board.layout.height - EDGE_MM:
                    yield Span(x0, x0 + wide, float(first), float(first + high), name, above)

    def _start(self) -> float:
        """Seconds from the peak of the QRS complex to the bracket's first stroke."""
        seconds = round(self.seconds, 2)
        starts = {"QRS": -seconds / 2, "PR": -ONSET_S - seconds, "QT": -ONSET_S, "RR": 0.0}
        return starts[self.interval]

    def lines(self, rng: np.random.Generator, span: Span) -> list[Points]:
        """The strokes (n, 2) mm, in order. The two upright ones bend alike, so that they are as far from each other as
        they should be all the way; what each strays by on its own is 0 in the mean."""
        middle = (span.top + span.bottom) / 2
        lean = np.tan(np.radians(rng.normal(0, 2.5)))
        steady = STEADY * min(self.unrest, 0.3)
        tops = np.array([(0.0, span.top), (0.0, span.bottom)])
        shared = shake(rng, tops, 0.4 * min(self.unrest, 0.5))
        shared[:, 0] += lean * (middle - shared[:, 1])
        shared[:, 0] -= shared[:, 0].mean()
        sides = []
        for x in (span.x0, span.x1):
            own = shake(rng, tops, steady)[:, 0]
            sides.append(shared + np.column_stack([x + own - own.mean(), np.zeros(len(own))]))
        y = span.top + (span.bottom - span.top) * rng.uniform(0.4, 0.6)
        ends = [np.array([np.interp(y, side[:, 1], side[:, 0]), y]) for side in sides]
        bar = shake(rng, np.array(ends), 0.3 * self.unrest)
        bar[:, 1] += (y - bar[0, 1]) + (bar[0, 1] - bar[-1, 1]) * np.linspace(0, 1, len(bar))
        bar[[0, -1]] = ends
        return [*sides, bar, *self._ends(rng, ends)]

    def _ends(self, rng: np.random.Generator, ends: list[Points]) -> list[Points]:
        """Heads, or short slanting strokes, where the line meets the two strokes."""
        wide = float(ends[1][0] - ends[0][0])
        if self.ends == "plain" or wide < LEAST_HEADS_MM:
            return []
        size = min(1.4, 0.2 * wide) * rng.uniform(0.8, 1.1)
        found = []
        for end, way in zip(ends, (1.0, -1.0), strict=True):
            high = 0.6 * size * rng.uniform(0.8, 1.2)
            if self.ends == "tick":
                corners = end + 0.7 * np.array([(-size, high), (size, -high)])
                found.append(shake(rng, corners, 0.1 * self.unrest))
                continue
            upper, lower = end + np.array([(way * size, -high), (way * size, high)])
            halves = [shake(rng, np.array([end, barb]), 0.0) for barb in (upper, lower)]
            found.append(np.concatenate([halves[0][::-1], halves[1][1:]]))
        return found


def _between(info: TraceInfo, x0: float, x1: float) -> Points | None:
    """The points (n, 2) of a trace from ``x0`` to ``x1`` mm; None where it has a gap there, ends or leaves its row."""
    inner = (info.points[:, 0] >= x0) & (info.points[:, 0] <= x1)
    found = info.points[inner]
    step = info.axes.speed / info.fs
    box = info.panel.box
    if len(found) < 2 or found[0, 0] > x0 + 2 * step or found[-1, 0] < x1 - 2 * step:
        return None
    if np.diff(found[:, 0]).max() > 1.5 * step or found[:, 1].min() < box.y0 or found[:, 1].max() > box.y1:
        return None
    return np.asarray(found)
