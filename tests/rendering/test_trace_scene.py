"""The -gt page: the traces alone, and the labels redraw it."""

from __future__ import annotations

from typing import Any

import cairocffi
import numpy as np
import pytest
from numpy.typing import NDArray

import ecgvec
from ecgvec.components import rgb
from ecgvec.geometry.units import px_per_mm
from ecgvec.record.model import Lead, Record
from ecgvec.resources import listing


def redrawn(sheet: ecgvec.Sheet) -> NDArray[np.uint8]:
    """The label polylines, in image pixels, drawn point by point with cairo's own calls on white."""
    height, width = sheet.image.shape[:2]
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, width, height)
    context = cairocffi.Context(surface)
    context.set_source_rgb(1, 1, 1)
    context.paint()
    style = sheet.plan.page.style
    context.set_source_rgb(*(c / 255 for c in rgb("#000000" if style.bw else style.trace_color)))
    context.set_line_width(style.trace_width * px_per_mm(style.dpi))
    context.set_line_cap(cairocffi.LINE_CAP_ROUND)
    context.set_line_join(cairocffi.LINE_JOIN_ROUND)
    for trace in sheet.labels.traces:
        pen_is_down = False
        for x, y in trace.points:
            if np.isnan(x + y):
                pen_is_down = False
            elif pen_is_down:
                context.line_to(x, y)
            else:
                context.move_to(x, y)
                context.line_to(x, y)
                pen_is_down = True
        context.stroke()
    surface.flush()
    pixels = np.frombuffer(surface.get_data(), dtype=np.uint8).reshape(height, -1, 4)
    return np.ascontiguousarray(pixels[:, :width, 2::-1])


def assert_same_ink(sheet: ecgvec.Sheet) -> None:
    difference = np.abs(redrawn(sheet).astype(int) - sheet.trace_image).max(axis=2)
    ink = (sheet.trace_image < 255).any(axis=2)
    assert ink.mean() > 0.001
    assert (difference[ink] <= 3).mean() >= 0.999
    assert (difference <= 3).mean() >= 0.999


@pytest.mark.parametrize("template", listing("pages"))
def test_labels_redraw_the_truth_of_every_template(demo_record: Record, template: str) -> None:
    names = (*demo_record.lead_names, "V7", "V8", "V9")[: 15 if template == "15-lead" else 12]
    signals = demo_record.signals[:, [i % 12 for i in range(len(names))]]
    assert_same_ink(ecgvec.render(Record("r", 500.0, signals, tuple(Lead(n, n) for n in names)), template=template))


@pytest.mark.parametrize(
    "page",
    [
        {"dpi": 97.3, "speed": 50, "paper": "roll-210"},
        {"dpi": 300, "cabrera": True, "trace_color": "#202060", "trace_width": 0.4},
        {"paper": "a4", "orientation": "portrait", "fit": True, "gain": 20},
    ],
)
def test_labels_redraw_the_truth_at_other_scales(demo_record: Record, page: dict[str, Any]) -> None:
    assert_same_ink(ecgvec.render(demo_record, **page))


def test_gaps_are_redrawn(demo_record: Record) -> None:
    signals = demo_record.signals.copy()
    signals[700:900] = np.nan
    signals[::97] = np.nan
    assert_same_ink(ecgvec.render(Record("r", 500.0, signals, demo_record.leads)))


def test_truth_holds_traces_alone(demo_record: Record) -> None:
    sheet = ecgvec.render(demo_record, template="ge", qr_code=True)
    assert {mark.role for mark in sheet.trace_scene.shapes()} == {"trace"}
    background = sheet.trace_image[5, 5]
    assert background.tolist() == [255, 255, 255]
