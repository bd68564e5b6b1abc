"""Paper and grid: 1 mm lines or dots, 5 mm lines."""

from __future__ import annotations

import math

import numpy as np

from ecgvec._typing import Float64Array
from ecgvec.geometry.path import joined, rectangles, segments
from ecgvec.graphics.nodes import Group, Mark, Pen
from ecgvec.layout.place import Box, Layout
from ecgvec.layout.style import Colors, PageStyle

MAJOR_MM, MINOR_MM = 5, 1
DOT_PER_LINE = 2.4  # a dot's diameter, in widths of a minor line


def paper(layout: Layout, colors: Colors) -> Group:
    """The sheet itself, and the tinted ground under the grid where only that is tinted."""
    sheet = rectangles([(0.0, 0.0, layout.width, layout.height)])
    marks = [Mark("sheet", "paper", sheet.rounded(), Pen(fill=colors.sheet))]
    if colors.ground != colors.sheet:
        marks.append(Mark("ground", "ground", rectangles([layout.grid_box]).rounded(), Pen(fill=colors.ground)))
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
        dots = segments(_horizontal(minor_ys, float(xs[0]), float(xs[-1]) + 0.01)).rounded()
        pen = Pen(stroke=colors.minor, width=style.minor_width * DOT_PER_LINE, cap="round", dash=(0.0, float(MINOR_MM)))
        minor = Mark("grid-minor", "grid-minor", dots, pen, {**data, "kind": "dots"})
    else:
        lines = joined([segments(_vertical(minor_xs, box)), segments(_horizontal(minor_ys, box.x0, box.x1))]).rounded()
        minor = Mark("grid-minor", "grid-minor", lines, Pen(colors.minor, style.minor_width), {**data, "kind": "lines"})
    major_xs, major_ys = _ticks(x_origin, box.x0, box.x1, MAJOR_MM), _ticks(y_origin, box.y0, box.y1, MAJOR_MM)
    lines = joined([segments(_vertical(major_xs, box)), segments(_horizontal(major_ys, box.x0, box.x1))]).rounded()
    major = Mark(
        "grid-major",
        "grid-major",
        lines,
        Pen(colors.major, style.major_width, cap="square"),  # whole corners
        {"step-mm": str(MAJOR_MM), "kind": "lines", "columns": str(len(major_xs)), "rows": str(len(major_ys))},
    )
    origin = {"origin-x-mm": f"{x_origin:.5f}", "origin-y-mm": f"{y_origin:.4f}"}
    return Group("grid", "grid", (minor, major), origin)
