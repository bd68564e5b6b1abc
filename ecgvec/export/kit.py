"""Files of ecg-image-kit that its users' scripts read: ``gridsize.csv``, ``text_bounding_box/STEM.txt``, ``STEM.json``.

The JSON is that of ``--store_config 2`` with all boxes, unless ``plan.kit`` says otherwise (level 0: none), with the
same keys and these faults mended: ``pad_inches``, ``crop`` and all
other values are those that were drawn, not their bounds; ``width``, ``height`` and every coordinate are those of the
image as written, border and crop included; the boxes of a row's first trace and of the strip are the trace's alone, for
the calibration pulse has its own in ``calibration_pulses``; and it is strict JSON, ``null`` standing for no value.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np

from ecgvec._typing import Points
from ecgvec.components import rgb
from ecgvec.effects.color import Temperature
from ecgvec.effects.sensor import GaussianNoise
from ecgvec.export.formats import FORMATS, Files, Format, Streams
from ecgvec.geometry.path import bounds
from ecgvec.geometry.units import MM_PER_INCH, px_per_mm
from ecgvec.graphics.shapes import TextInfo
from ecgvec.layout.style import page_colors
from ecgvec.recipe.options import KitContent
from ecgvec.record.leads import join_names
from ecgvec.rendering.labels.derive import inside
from ecgvec.rendering.labels.model import PulseLabel, TextLabel, TraceLabel
from ecgvec.sheet import Sheet
from ecgvec.warp.base import Flat, local_scale
from ecgvec.warp.creases import Creases
from ecgvec.warp.parts import Bend, Camera, Planar
from ecgvec.warp.planar import Rotate

GRID_MM = 5.0
PX_DECIMALS = 3
NOTE = "note"
POINTS_PER_INCH = 72.0
"""The original gives widths of lines in matplotlib's unit, the typographic point."""


def _line(values: Iterable[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(values)
    return buffer.getvalue()


def _number(value: float) -> float:
    """A whole number as an integer, as the original writes rates and resolutions."""
    return int(value) if float(value).is_integer() else value


def _grid_px(sheet: Sheet) -> tuple[float, float]:
    """Pixels in 5 mm along time and along voltage; of a bent page, the median over it."""
    if isinstance(sheet.warp, Flat):
        step = GRID_MM * px_per_mm(sheet.plan.page.style.dpi)
        return step, step
    x, y = (np.linspace(0, side, 30) for side in (sheet.scene.width, sheet.scene.height))
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    seen = inside(sheet.warp)(sheet.warp.forward(places))
    along, across = GRID_MM * np.median(local_scale(sheet.warp, places[seen] if seen.any() else places), axis=0)
    return float(along), float(across)


def _bent(sheet: Sheet) -> dict[str, Any]:
    """What bent, turned and changed the page: the values that were drawn, 0 where nothing did."""
    parts, effects = sheet.plan.warp, sheet.plan.effects
    creases = next((part for part in parts if isinstance(part, Creases)), None)
    counts = [len(folds.offsets) for folds in creases.folds(sheet.paper)] if creases is not None else [0, 0]
    return {
        "wrinkles": any(isinstance(part, Bend) for part in parts),
        "crease_angle": _number(creases.angle) if creases is not None else 0,
        "number_of_creases_horizontally": counts[1],
        "number_of_creases_vertically": counts[0],
        "augment": any(isinstance(part, Planar | Camera) for part in parts)
        or any(isinstance(effect, Temperature | GaussianNoise) for effect in effects)
        or sheet.plan.page.style.crop > 0,
        "rotate": _number(sum(part.angle for part in parts if isinstance(part, Rotate))),
        "temperature": next((_number(e.kelvin) for e in effects if isinstance(e, Temperature)), 0),
        "noise": next((_number(e.sigma) for e in effects if isinstance(e, GaussianNoise)), 0),
    }


def gridsize_lines(sheet: Sheet, stem: str) -> list[str]:
    """A row a lead: pixels in 5 mm, first and last pixel column of its ink; rhythm strips are called full + lead."""
    x_step, y_step = (round(step, 6) for step in _grid_px(sheet))
    rows = []
    for trace in sheet.labels.traces:
        x0, _, x1, _ = bounds(trace.points)
        name = ("full" if trace.rhythm else "") + trace.lead
        rows.append(_line([f"{stem}.png", x_step, y_step, name, math.floor(x0), math.floor(x1)]))
    return rows


def gridsize_file(parts: Iterable[list[str]]) -> Streams:
    """The rows of all images in one file."""
    lines = chain(["filename,xgrid,ygrid,lead_name,start,end"], (line for part in parts for line in part))
    return {"kit/gridsize.csv": (f"{line}\n".encode() for line in lines)}


def text_boxes(sheet: Sheet) -> bytes:
    """A line a text: x1, y2 (the lower edge), x2, y1, the string; pixels."""
    lines = []
    for label in sheet.labels.texts:
        x0, y0, x1, y1 = bounds(label.outline if label.role == NOTE else label.quad)  # the quad may be a slanting one
        lines.append(f"{x0:.3f},{y1:.3f},{x1:.3f},{y0:.3f},{label.text}\n")
    return "".join(lines).encode()


def row_first(points: Points) -> list[list[float | None]]:
    """Points (n, 2) of the image as [y, x] in px; [null, null] where there is none."""
    flipped = points[:, ::-1].round(PX_DECIMALS).tolist()
    return [[y, x] if math.isfinite(y) and math.isfinite(x) else [None, None] for y, x in flipped]


def _numbered(corners: Points) -> dict[str, list[float | None]]:
    """Four corners from the top left, clockwise as read: {"0": [y, x], ...}."""
    return {str(number): corner for number, corner in enumerate(row_first(corners))}


def _box(label: TraceLabel | PulseLabel) -> dict[str, list[float | None]]:
    """The box of a label's ink."""
    x0, y0, x1, y1 = (round(v, PX_DECIMALS) for v in bounds(label.outline))
    return {"0": [y0, x0], "1": [y0, x1], "2": [y1, x1], "3": [y1, x0]}


def _lead(trace: TraceLabel, name: TextLabel | None, kit: KitContent) -> dict[str, Any]:
    """One entry of ``leads``. ``end_sample`` is one past the last; ``rhythm`` and ``visible`` are beyond the original.

    As there, ``text_bounding_box`` is absent where no name is printed, and both boxes where they are not asked for.
    """
    entry = {
        "lead_name": trace.lead,
        "start_sample": trace.first_sample,
        "end_sample": trace.first_sample + len(trace.t),
        "plotted_pixels": row_first(trace.points),
        "rhythm": trace.rhythm,
        "visible": bool(trace.visible.any()),
    }
    boxes = {"lead_bounding_box": _box(trace)} if kit.lead_boxes else {}
    if kit.text_boxes and name is not None:
        boxes["text_bounding_box"] = _numbered(name.quad)
    return entry | boxes


def _leads(sheet: Sheet) -> list[dict[str, Any]]:
    names = {text.trace: text for text in sheet.labels.texts if text.trace is not None}
    return [_lead(trace, names.get(trace.id), sheet.plan.kit) for trace in sheet.labels.traces]


def _pulse(label: PulseLabel) -> dict[str, Any]:
    return {
        "row": label.row,
        "mv": label.mv,
        "seconds": label.seconds,
        "bounding_box": _box(label),
        "corners": row_first(label.corners),
        "visible": label.visible,
    }


def _color(name: str) -> list[float]:
    return [round(channel / 255, 4) for channel in rgb(name)]


def _look(sheet: Sheet) -> dict[str, Any]:
    """What level 2 adds of the page's look. Colours are RGB from 0 to 1; those of a grid that is not there are null."""
    page, style = sheet.plan.page, sheet.plan.page.style
    colors = page_colors(style)
    grid = sheet.labels.grid is not None
    return {
        "grid_line_width": round(style.major_width / MM_PER_INCH * POINTS_PER_INCH, 4) if grid else 0.0,
        "grid_line_color_major": _color(colors.major) if grid else None,
        "grid_line_color_minor": _color(colors.minor) if grid else None,
        "ecg_plot_color": _color(colors.trace),
        "dc_pulse": bool(sheet.labels.pulses),
        "bw": style.bw,
        "gridlines": grid,
        "printed_text": sheet.plan.header is not None,
        "number_of_columns_in_image": page.columns,
        "full_mode_lead": join_names(page.rhythm) if page.rhythm else "None",
        "crop": style.crop,
    }


def config(sheet: Sheet) -> dict[str, Any]:
    """The JSON of one image, of the plan's level; ``resolution`` in dpi. In level 2 ``crop`` is the share of each side
    that was cut off."""
    height, width = sheet.image.shape[:2]
    style, traces = sheet.plan.page.style, sheet.labels.traces
    x_step, y_step = (round(step, PX_DECIMALS) for step in _grid_px(sheet))
    first = {
        "sampling_frequency": _number(traces[0].fs) if traces else None,
        "width": width,
        "height": height,
        "x_grid": x_step,
        "y_grid": y_step,
        "resolution": _number(style.dpi),
        "pad_inches": _number(round(style.pad / MM_PER_INCH, 6)),
        "leads": _leads(sheet),
        "calibration_pulses": [_pulse(pulse) for pulse in sheet.labels.pulses],
    }
    return first if sheet.plan.kit.level < 2 else {**first, **_look(sheet), **_bent(sheet), **_handwritten(sheet)}


def _handwritten(sheet: Sheet) -> dict[str, Any]:
    """How many notes there are, and where the first one's ink begins on the page, in px; 0 where there is none."""
    notes = [mark.info.ink for mark in sheet.scene.shapes() if mark.role == NOTE and isinstance(mark.info, TextInfo)]
    scale = px_per_mm(sheet.plan.page.style.dpi)
    x, y = (round(notes[0].x0 * scale), round(notes[0].y0 * scale)) if notes else (0, 0)
    return {
        "handwritten_text": bool(notes),
        "num_words": len(notes),
        "x_offset_for_handwritten_text": x,
        "y_offset_for_handwritten_text": y,
    }


def _files(sheet: Sheet, stem: str) -> Files:
    texts = {f"kit/text_bounding_box/{stem}.txt": text_boxes(sheet)}
    if sheet.plan.kit.level == 0:
        return texts
    document = json.dumps(config(sheet), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return {**texts, f"kit/{stem}.json": (document + "\n").encode()}


FORMATS.add(
    "kit",
    Format(
        "gridsize.csv, text_bounding_box/ and the JSON of ecg-image-kit",
        _files,
        gridsize_lines,
        gridsize_file,
        names_png=True,
    ),
)
