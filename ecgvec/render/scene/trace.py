"""Traces: samples of a lead as a line on the paper."""

from __future__ import annotations

import math
import re

import numpy as np

from ecgvec.geometry.path import round_points, with_gaps
from ecgvec.graphics.nodes import Group, Mark, Pen, TraceInfo
from ecgvec.layout.axes import Axes
from ecgvec.layout.place import Box, Layout, Panel
from ecgvec.layout.style import Colors
from ecgvec.plan.model import Plan
from ecgvec.record.model import Record

LARGEST_OFFSET_MV = 1.0  # of a lead that is drawn where its zero is
_EPS = 1e-6  # of a sample


def identifier(text: str) -> str:
    """``text`` as part of an XML id: letters, digits and hyphens."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-") or "x"


def _trace_info(panel: Panel, layout: Layout, plan: Plan, record: Record) -> TraceInfo:
    """The samples at times [start, start + seconds) of the panel: x from the time, y from the voltage."""
    window = plan.window
    origin = window.start + panel.start
    first = max(window.first, math.ceil(origin * record.fs - _EPS))
    stop = min(window.first + window.count, math.ceil((origin + panel.seconds) * record.fs - _EPS))
    mv = record.signals[first:stop, record.index(panel.lead)]
    t = np.arange(first, stop, dtype=np.float64) / record.fs
    zero_y = round(panel.baseline + panel.polarity * panel.gain * _offset(panel.lead, plan, record), 6)
    axes = Axes(panel.box.x0, origin, zero_y, layout.speed, panel.gain, panel.polarity)
    return TraceInfo(panel, axes, first, record.fs, t, mv, round_points(axes.to_page(t, mv)))


def _offset(lead: str, plan: Plan, record: Record) -> float:
    """The voltage, in mV, that lies on the row's baseline: 0, or the window's median.

    An ECG machine takes a lead's constant offset off; a record that still has one of more than 1 mV would be drawn
    in other rows than its own.
    """
    mode, window = plan.page.style.baseline, plan.window
    if mode == "zero":
        return 0.0
    signal = record.signals[window.first : window.first + window.count, record.index(lead)]
    size = np.abs(signal)
    if mode != "median" and np.count_nonzero(size > LARGEST_OFFSET_MV) < np.count_nonzero(size <= LARGEST_OFFSET_MV):
        return 0.0  # more of it lies nearer than farther: so does its median
    median = round(float(np.nanmedian(signal)), 3) if np.isfinite(signal).any() else 0.0
    return median if mode == "median" or abs(median) > LARGEST_OFFSET_MV else 0.0


def _mark(info: TraceInfo, pen: Pen, mark_id: str, clip: bool) -> Mark:
    panel, axes = info.panel, info.axes
    data = {
        "lead": panel.lead,
        "polarity": str(panel.polarity),
        "rhythm": "true" if panel.rhythm else "false",
        "row": str(panel.row),
        "column": str(panel.column),
        "first-sample": str(info.first),
        "samples": str(len(info.t)),
        "fs": repr(info.fs),
        "speed": f"{axes.speed:g}",
        "gain": f"{panel.gain:g}",
        "x0-mm": repr(axes.x0),
        "t0-s": repr(axes.t0),
        "baseline-mm": repr(axes.zero_y),
    }
    # Cut above and below only: the round ends of the line stay whole.
    row = Box(panel.box.x0 - pen.width, panel.box.y0, panel.box.x1 + pen.width, panel.box.y1)
    return Mark(mark_id, "trace", with_gaps(info.points), pen, data, info, row if clip else None)


def traces(layout: Layout, plan: Plan, record: Record, colors: Colors) -> Group:
    """One mark a panel, in reading order."""
    style = plan.page.style
    pen = Pen(stroke=colors.trace, width=style.trace_width, cap="round", join="round")
    marks = []
    for i, panel in enumerate(layout.panels):
        info = _trace_info(panel, layout, plan, record)
        if np.isfinite(info.mv).any():
            marks.append(_mark(info, pen, f"trace-{i}-{identifier(panel.lead)}", style.clip))
    return Group("traces", "traces", tuple(marks))
