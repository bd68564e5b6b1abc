"""Two files of ecg-image-kit that its users' scripts read: ``gridsize.csv`` and ``text_bounding_box/NAME-K.txt``."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable

from ecgvec.annotations.model import bounds
from ecgvec.export.formats import FORMATS, Files, Format
from ecgvec.sheet import Sheet
from ecgvec.units import px_per_mm

GRID_MM = 5.0


def _line(values: Iterable[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(values)
    return buffer.getvalue()


def gridsize_lines(sheet: Sheet, stem: str) -> list[str]:
    """A row a lead: pixels in 5 mm, first and last pixel column of its ink; rhythm strips are called full + lead."""
    step = round(GRID_MM * px_per_mm(sheet.plan.page.style.dpi), 6)
    rows = []
    for trace in sheet.annotations.traces:
        x0, _, x1, _ = bounds(trace.points)
        name = ("full" if trace.rhythm else "") + trace.lead
        rows.append(_line([f"{stem}.png", step, step, name, math.floor(x0), math.floor(x1)]))
    return rows


def gridsize_file(parts: list[list[str]]) -> Files:
    """The rows of all images in one file."""
    lines = ["filename,xgrid,ygrid,lead_name,start,end", *(line for part in parts for line in part)]
    return {"kit/gridsize.csv": ("\n".join(lines) + "\n").encode()}


def text_boxes(sheet: Sheet, stem: str) -> Files:
    """A line a text: x1, y2 (the lower edge), x2, y1, the string; pixels."""
    lines = []
    for label in sheet.annotations.texts:
        x0, y0, x1, y1 = bounds(label.quad)
        lines.append(f"{x0:.3f},{y1:.3f},{x1:.3f},{y0:.3f},{label.text}\n")
    return {f"kit/text_bounding_box/{stem}.txt": "".join(lines).encode()}


FORMATS.add(
    "kit",
    Format(
        "gridsize.csv and text_bounding_box/ as ecg-image-kit writes them", text_boxes, gridsize_lines, gridsize_file
    ),
)
