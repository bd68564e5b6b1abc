"""The scene of a page: grid, pulses, traces, QR code and header."""

from __future__ import annotations

import math
import re

import numpy as np

from ecgvec._typing import Float64Array
from ecgvec.geometry.affine import Affine
from ecgvec.geometry.path import Box, join, polyline, rectangles, round_points, segments, with_gaps
from ecgvec.graphics.shapes import Group, Pen, Scene, Shape, printable, text_shape
from ecgvec.layout.place import (
    FOOTER_HEIGHT,
    PULSE_FOOT,
    PULSE_SECONDS,
    QR_SIZE,
    Axes,
    Layout,
    Panel,
    Pulse,
    PulseInfo,
    TraceInfo,
)
from ecgvec.layout.style import Colors, PageStyle, page_colors
from ecgvec.planning.model import Plan
from ecgvec.record.model import Record
from ecgvec.rendering.scene.added import apply_faults, boxes, lies_under, place_marks
from ecgvec.rendering.scene.names import lead_names
from ecgvec.rendering.scene.notes import draw_notes


def build(plan: Plan, layout: Layout, record: Record) -> Scene:
    """The page of ``plan``. ``record`` is the prepared record that the plan was made for."""
    style, colors = plan.page.style, page_colors(plan.page.style)
    lines = apply_faults(traces(layout, plan, record, colors), plan.marks)
    marks, bars = pulses(layout, style, colors), separators(layout, style, colors)
    top, bottom = header(layout, plan, colors), footer(layout, plan, colors)
    code = qr_code(plan.qr_text, layout.qr_box) if plan.qr_text is not None else None
    infos = {mark.id: mark.info for mark in lines.shapes if isinstance(mark.info, TraceInfo)}
    fixed = [group for group in (marks, bars, top, bottom, code) if group is not None]
    names = lead_names(style, colors, infos, boxes([mark for group in fixed for mark in group.shapes]))
    printed = [bars, marks, lines, names, top, bottom, code]
    put = place_marks(plan.marks, layout, printed, colors.trace)
    under, over = [g for g in put if lies_under(g)], [g for g in put if not lies_under(g)]
    # Ink lets black print show through: as if the print lay over it. What is blacked out is so for good.
    hands = draw_notes(plan.notes, layout, [*printed, *put])
    groups = [paper(layout, colors), grid(layout, style, colors), *under, *hands, *printed, *over]
    title = f"ECG {plan.record.name}, image {plan.window.index}"
    return Scene(layout.width, layout.height, title, tuple(group for group in groups if group is not None))


MAJOR_MM, MINOR_MM = 5, 1
DOT_PER_LINE = 2.4  # a dot's diameter, in widths of a minor line


def paper(layout: Layout, colors: Colors) -> Group:
    """The sheet itself, and the tinted ground under the grid where only that is tinted."""
    sheet = rectangles([(0.0, 0.0, layout.width, layout.height)])
    marks = [Shape("sheet", "paper", sheet.round(), Pen(fill=colors.sheet))]
    if colors.ground != colors.sheet:
        marks.append(Shape("ground", "ground", rectangles([layout.grid_box]).round(), Pen(fill=colors.ground)))
    return Group("paper", "paper", tuple(marks))


def _ticks(origin: float, low: float, high: float, step: int) -> Float64Array:
    """origin + k step for all whole k that lie in [low, high]."""
    first = math.ceil((low - origin) / step - 1e-9)
    last = math.floor((high - origin) / step + 1e-9)
    ticks: Float64Array = origin + step * np.arange(first, last + 1, dtype=np.float64)
    return ticks


def crossings(layout: Layout, step: int = MAJOR_MM) -> Float64Array:
    """The crossings of the lines ``step`` mm apart, (rows, columns, 2) mm."""
    box, (x_origin, y_origin) = layout.grid_box, layout.grid_origin
    xs, ys = _ticks(x_origin, box.x0, box.x1, step), _ticks(y_origin, box.y0, box.y1, step)
    lattice: Float64Array = np.stack(np.meshgrid(xs, ys), axis=-1)
    return lattice


def _without(values: Float64Array, origin: float) -> Float64Array:
    """The minor positions that are not major ones too."""
    minor: Float64Array = values[np.round(values - origin).astype(int) % MAJOR_MM != 0]
    return minor


def _vertical(xs: Float64Array, box: Box) -> Float64Array:
    return np.column_stack([xs, np.full_like(xs, box.y0), xs, np.full_like(xs, box.y1)])


def _horizontal(ys: Float64Array, x0: float, x1: float) -> Float64Array:
    return np.column_stack([np.full_like(ys, x0), ys, np.full_like(ys, x1), ys])


def grid(layout: Layout, style: PageStyle, colors: Colors) -> Group | None:
    """Minor and major grid, or None where the page has none."""
    if style.grid == "none" or not style.grid_present:
        return None
    box, (x_origin, y_origin) = layout.grid_box, layout.grid_origin
    xs, ys = (_ticks(o, a, b, MINOR_MM) for o, a, b in ((x_origin, box.x0, box.x1), (y_origin, box.y0, box.y1)))
    minor_xs, minor_ys = _without(xs, x_origin), _without(ys, y_origin)
    data = {"step-mm": str(MINOR_MM)}
    if style.grid == "dots":
        # A dash of no length with round caps is a dot: 200 dashed lines instead of 50,000 circles.
        dots = segments(_horizontal(minor_ys, float(xs[0]), float(xs[-1]) + 0.01)).round()
        pen = Pen(stroke=colors.minor, width=style.minor_width * DOT_PER_LINE, cap="round", dash=(0.0, float(MINOR_MM)))
        minor = Shape("grid-minor", "grid-minor", dots, pen, {**data, "kind": "dots"})
    else:
        lines = join([segments(_vertical(minor_xs, box)), segments(_horizontal(minor_ys, box.x0, box.x1))]).round()
        minor = Shape(
            "grid-minor", "grid-minor", lines, Pen(colors.minor, style.minor_width), {**data, "kind": "lines"}
        )
    major_xs, major_ys = _ticks(x_origin, box.x0, box.x1, MAJOR_MM), _ticks(y_origin, box.y0, box.y1, MAJOR_MM)
    lines = join([segments(_vertical(major_xs, box)), segments(_horizontal(major_ys, box.x0, box.x1))]).round()
    major = Shape(
        "grid-major",
        "grid-major",
        lines,
        Pen(colors.major, style.major_width, cap="square"),  # whole corners
        {"step-mm": str(MAJOR_MM), "kind": "lines", "columns": str(len(major_xs)), "rows": str(len(major_ys))},
    )
    origin = {"origin-x-mm": f"{x_origin:.5f}", "origin-y-mm": f"{y_origin:.4f}"}
    return Group("grid", "grid", (minor, major), origin)


def _corners(pulse: Pulse) -> tuple[tuple[float, float], ...]:
    """Up, along the steps, and down again, between the two feet."""
    step = pulse.width / len(pulse.gains)
    x, points = pulse.x + PULSE_FOOT, [(pulse.x + PULSE_FOOT, pulse.baseline)]
    for gain in pulse.gains:
        points += [(x, pulse.baseline - gain), (x + step, pulse.baseline - gain)]
        x += step
    return (*points, (x, pulse.baseline))


def pulses(layout: Layout, style: PageStyle, colors: Colors) -> Group | None:
    """One calibration pulse a row: 1 mV high, 0.2 s wide; two steps where the row's leads have two gains."""
    if not layout.pulses:
        return None
    pen = Pen(stroke=colors.trace, width=style.trace_width, cap="round", join="round")
    marks = []
    for pulse in layout.pulses:
        corners = _corners(pulse)
        feet = [(pulse.x, pulse.baseline), *corners, (corners[-1][0] + PULSE_FOOT, pulse.baseline)]
        data = {
            "mv": "1",
            "seconds": f"{PULSE_SECONDS:g}",
            "gains": " ".join(f"{gain:g}" for gain in pulse.gains),
            "row": str(pulse.row),
        }
        path = polyline(feet).round()
        marks.append(Shape(f"pulse-{pulse.row}", "pulse", path, pen, data, PulseInfo(pulse, corners)))
    return Group("pulses", "pulses", tuple(marks))


def separators(layout: Layout, style: PageStyle, colors: Colors) -> Group | None:
    """Short bars at each column of each row, or dashed lines through all rows."""
    marks = []
    for i, line in enumerate(layout.separators):
        dash = (1.2, 1.0) if line.dashed else ()
        pen = Pen(stroke=colors.trace, width=style.trace_width * (0.6 if line.dashed else 0.8), dash=dash)
        path = segments([(line.x, line.y0, line.x, line.y1)]).round()
        marks.append(Shape(f"separator-{i}", "separator", path, pen, {"kind": "dashed" if line.dashed else "bar"}))
    return Group("separators", "separators", tuple(marks)) if marks else None


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


def _mark(info: TraceInfo, pen: Pen, mark_id: str, clip: bool) -> Shape:
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
    return Shape(mark_id, "trace", with_gaps(info.points), pen, data, info, row if clip else None)


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


QUIET_MODULES = 2


def qr_code(text: str, box: Box) -> Group:
    """``text`` as a QR code (error correction M) that fills ``box``, quiet zone included, on white."""
    import segno

    matrix = np.array([list(row) for row in segno.make(text, error="m", micro=False).matrix], dtype=bool)
    size = len(matrix) + 2 * QUIET_MODULES
    runs = []
    for y, row in enumerate(matrix):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]]).astype(np.int8)))
        runs += [(x0, y, x1, y + 1) for x0, x1 in edges.reshape(-1, 2)]
    module = (box.x1 - box.x0) / size
    to_page = Affine(module, 0.0, 0.0, module, box.x0 + QUIET_MODULES * module, box.y0 + QUIET_MODULES * module)
    code = rectangles(runs).transform(to_page).round()
    data = {"text": printable(text), "modules": str(len(matrix))}
    back = Shape("qr-back", "qr-back", rectangles([box]).round(), Pen(fill="#FFFFFF"))
    return Group("qr", "qr", (back, Shape("qr-code", "qr-code", code, Pen(fill="#000000"), data)))


FOOTER_FACE, FOOTER_SIZE = "sans", 2.7


def header(layout: Layout, plan: Plan, colors: Colors) -> Group | None:
    """The print-out's header, or None where the page has none."""
    if plan.header is None:
        return None
    box = layout.header_box
    right = box.x1 - (QR_SIZE + 3.0 if plan.page.style.qr_code else 0.0)
    marks = []
    for i, cell in enumerate(plan.header.cells):
        at = (right - cell.x if cell.from_right else box.x0 + cell.x, box.y0 + cell.y)
        mark = text_shape(f"header-{i}", "header-text", cell.text, at, (cell.font, cell.size, colors.text), cell.align)
        marks += [mark] if mark else []
    return Group("header", "header", tuple(marks), {"template": plan.header.name})


def footer(layout: Layout, plan: Plan, colors: Colors) -> Group | None:
    """Speed, gain and filter below the traces, or None."""
    if not plan.footer:
        return None
    box = layout.footer_box
    at = (layout.panels[0].box.x0, box.y1 - FOOTER_HEIGHT / 4)
    mark = text_shape("footer-0", "footer-text", plan.footer, at, (FOOTER_FACE, FOOTER_SIZE, colors.text))
    return Group("footer", "footer", (mark,)) if mark else None
