"""Lead names: near the start of each trace, and off the ink wherever there is room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
import shapely

from ecgvec._typing import Points
from ecgvec.geometry.outlines import cap_height
from ecgvec.geometry.path import Box, runs
from ecgvec.graphics.shapes import Group, Shape, TextInfo, text_shape
from ecgvec.layout.place import Panel, TraceInfo
from ecgvec.layout.style import Colors, PageStyle

CLEARANCE = 0.5  # mm between a name and any ink
INDENT = 1.0  # mm from the start of a trace to its name
STEP = 0.5  # mm between the places that are tried
REACH = 14.0  # mm that a name may go to the right of its first place
FIRST_ABOVE, FIRST_BELOW = 5.0, 5.0  # mm from the baseline to the name's edge, where nothing is in the way


class _Ink:
    """Everything that a name must keep off: trace lines, other names, pulses, separators, as shapely geometry."""

    def __init__(self, traces: Sequence[TraceInfo], width: float, others: Sequence[Box]) -> None:
        self._traces = [_Line(trace.points) for trace in traces]
        self._clearance = CLEARANCE + width / 2
        self._boxes = list(others)

    def add(self, box: Box) -> None:
        self._boxes.append(box)

    def overlap(self, box: Box) -> float:
        """How much of a name's box, with its clearance, is in the way: 0 where it is free, in mm of line (traces)."""
        near = self._clearance + 1e-6
        around = Box(box.x0 - near, box.y0 - near, box.x1 + near, box.y1 + near)
        boxes = [other for other in self._boxes if _meet(other, around)]
        traces = [trace for trace in self._traces if trace.may_cross(around)]
        if not boxes and not traces:
            return 0.0
        place = shapely.box(*box).buffer(self._clearance, join_style="mitre")
        total = sum(float(shapely.area(shapely.intersection(place, shapely.box(*other)))) for other in boxes)
        for trace in traces:
            for run in runs(trace.between(place.bounds[0], place.bounds[2])):
                if len(run) > 1:
                    total += float(shapely.length(shapely.intersection(shapely.linestrings(run), place)))
        return total


class _Line:
    """A trace's ``points`` (n, 2) mm from left to right, NaN in gaps, ready to be looked up."""

    def __init__(self, points: Points) -> None:
        self._points = points
        self._x, self._y = np.ascontiguousarray(points.T)
        ends = (self._x[0], np.fmin.reduce(self._y), self._x[-1], np.fmax.reduce(self._y))
        self._box = Box(*(float(end) for end in ends))

    def between(self, x0: float, x1: float) -> Points:
        """The points from ``x0`` to ``x1`` and one more on either side."""
        return self._points[self._part(x0, x1)]

    def may_cross(self, box: Box) -> bool:
        """False where no point between a box's sides reaches its height."""
        if not _meet(self._box, box):
            return False
        y = self._y[self._part(box.x0, box.x1)]
        return bool(np.fmin.reduce(y) <= box.y1 and np.fmax.reduce(y) >= box.y0)

    def _part(self, x0: float, x1: float) -> slice:
        first, stop = self._x.searchsorted((x0, x1))
        return slice(max(0, first - 1), stop + 1)


def _meet(a: Box, b: Box) -> bool:
    return a.x0 <= b.x1 and a.x1 >= b.x0 and a.y0 <= b.y1 and a.y1 >= b.y0


def _heights(panel: Panel, position: str, cap: float) -> Iterator[float]:
    """Baselines of the name to try, best first."""
    # From the first row's top to the last row's bottom of this panel, and a little beyond: neighbours leave gaps too.
    top, bottom = panel.box.y0 - 2.0 + cap, panel.box.y1 + 2.0
    above = np.arange(panel.baseline - FIRST_ABOVE, top, -STEP)
    nearer_above = np.arange(panel.baseline - FIRST_ABOVE + STEP, panel.baseline - CLEARANCE, STEP)
    below = np.arange(panel.baseline + FIRST_BELOW + cap, bottom, STEP)
    nearer_below = np.arange(panel.baseline + FIRST_BELOW + cap - STEP, panel.baseline + CLEARANCE + cap, -STEP)
    if position == "above":
        yield from (*above, *nearer_above, *below)
    elif position == "below":
        yield from (*below, *nearer_below, *above)
    else:
        middle = panel.baseline + cap / 2
        yield middle
        for distance in np.arange(STEP, max(middle - top, bottom - middle), STEP):
            yield from (y for y in (middle - distance, middle + distance) if top <= y <= bottom)


def _places(panel: Panel, position: str, cap: float) -> Iterator[tuple[float, float]]:
    """(x, y) of the name's baseline to try: all heights at the trace's start first, then further right."""
    last = max(INDENT, min(REACH, panel.box.x1 - panel.box.x0))
    for indent in np.arange(INDENT, last + 1e-9, 2.0):
        for y in _heights(panel, position, cap):
            yield float(panel.box.x0 + indent), float(y)


@lru_cache(256)
def _extent(label: str, font: str, size: float) -> Box | None:
    """The box of a name's ink whose baseline starts at (0, 0), mm; None where nothing of it can be seen."""
    probe = text_shape("probe", "lead-name", label, (0.0, 0.0), (font, size, "#000000"))
    return probe.info.ink if probe is not None and isinstance(probe.info, TextInfo) else None


def _name(panel: Panel, trace_id: str, style: PageStyle, color: str, ink: _Ink) -> Shape | None:
    font = (style.names_font, style.names_size, color)
    data = {"lead": panel.lead, "trace": trace_id}
    relative = _extent(panel.label, style.names_font, style.names_size)
    if relative is None:
        return None
    best: tuple[float, tuple[float, float]] | None = None
    for x, y in _places(panel, style.lead_names, cap_height(style.names_font, style.names_size)):
        box = Box(relative.x0 + x, relative.y0 + y, relative.x1 + x, relative.y1 + y)
        overlap = ink.overlap(box)
        if best is None or overlap < best[0] - 1e-9:
            best = (overlap, (x, y))
        if overlap == 0.0:
            break
    if best is None:
        return None
    return text_shape(f"name-{trace_id}", "lead-name", panel.label, best[1], font, data=data)


def lead_names(
    style: PageStyle, colors: Colors, traces: Mapping[str, TraceInfo], others: Sequence[Box]
) -> Group | None:
    """A name a trace (by the id of its mark), above or below it or inline, at the first place that is free of traces,
    names and ``others``."""
    if style.lead_names == "none":
        return None
    ink = _Ink(list(traces.values()), style.trace_width, others)
    marks = []
    for trace_id, trace in traces.items():
        mark = _name(trace.panel, trace_id, style, colors.trace, ink)
        if mark is not None and isinstance(mark.info, TextInfo):
            ink.add(mark.info.ink)
            marks.append(mark)
    return Group("lead-names", "lead-names", tuple(marks))
