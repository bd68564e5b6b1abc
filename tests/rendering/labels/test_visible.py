"""``visible`` against a painted map: each element in its own colour, without antialiasing."""

from __future__ import annotations

from typing import Any

import cairocffi
import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import ecgvec
from ecgvec.geometry.units import px_per_mm
from ecgvec.graphics.raster import append_path
from ecgvec.graphics.shapes import Shape
from ecgvec.record.model import Lead, Record
from ecgvec.rendering.labels.model import TraceLabel
from ecgvec.resources import folder, listing
from tests.rendering.labels.seen import FAINT, LABELLED, seen_by_label

STEEP = 16  # the same of a trace: between two samples a steep line may cross a strip two pixels high several times


def paint(sheet: ecgvec.Sheet, marks: list[Shape]) -> NDArray[np.uint8]:
    """Each mark's number + 1 where it is the last one painted, (H, W); at most 255 marks."""
    assert len(marks) < 255
    width, height = sheet.warp.size
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_A8, width, height)
    context = cairocffi.Context(surface)
    context.set_antialias(cairocffi.ANTIALIAS_NONE)
    context.set_operator(cairocffi.OPERATOR_SOURCE)
    context.set_line_cap(cairocffi.LINE_CAP_ROUND)
    context.set_line_join(cairocffi.LINE_JOIN_ROUND)
    for number, mark in enumerate(marks):
        context.set_source_rgba(0, 0, 0, (number + 1) / 255)
        if mark.clip is not None:
            (x0, y0), (x1, y1) = sheet.warp.forward(np.array(mark.clip).reshape(2, 2)).tolist()
            context.rectangle(x0, y0, x1 - x0, y1 - y0)
            context.clip()
        append_path(context, mark.path.transform(sheet.warp.forward))
        if mark.pen.stroke is None:
            context.fill()
        else:
            # Without antialiasing a line thinner than a pixel has holes.
            context.set_line_width(max(1.5, mark.pen.width * px_per_mm(sheet.warp.dpi)))
            context.stroke()
        context.reset_clip()
    surface.flush()
    rows = np.frombuffer(surface.get_data(), dtype=np.uint8).reshape(height, surface.get_stride())
    return rows[:, :width].copy()


def away_from_clip(sheet: ecgvec.Sheet, trace: TraceLabel) -> NDArray[np.bool_]:
    """The visible samples that do not lie on the very edge of what the row is clipped to."""
    y = trace.points[trace.visible, 1]
    if trace.clip is None:
        return np.ones(len(y), dtype=bool)
    top, bottom = sheet.warp.forward(np.array(trace.clip).reshape(2, 2))[:, 1]
    return np.asarray((y > top + 1) & (y < bottom - 1))


def assert_visible_is_true(sheet: ecgvec.Sheet) -> None:
    marks = [mark for mark in sheet.scene.shapes() if mark.role in LABELLED]
    painted = paint(sheet, marks)
    seen = seen_by_label(sheet)
    assert set(seen) == {mark.id for mark in marks}  # no label is lost
    shown = np.bincount(painted.ravel(), minlength=256)
    for number, mark in enumerate(marks):
        pixels = int(shown[number + 1])
        if pixels > (STEEP if mark.role == "trace" else FAINT):
            assert seen[mark.id], mark.id
        elif pixels == 0 and seen[mark.id]:  # hidden under later ink, or less than a pixel of it
            alone = np.count_nonzero(paint(sheet, [mark]))
            assert alone > 0 or mark.role != "trace", mark.id
            assert alone <= FAINT or mark.role == "trace", mark.id
    height, width = painted.shape
    near_ink = cv2.dilate(painted, np.ones((3, 3), np.uint8))  # a thin line may miss the centre of its own pixel
    for trace in sheet.labels.traces:
        x, y = np.floor(trace.points[trace.visible]).astype(int).T
        assert ((x >= 0) & (x < width) & (y >= 0) & (y < height)).all()
        assert (near_ink[y, x] > 0)[away_from_clip(sheet, trace)].all()
        hidden = trace.points[~trace.visible & np.isfinite(trace.points[:, 1])]
        inside = ((hidden >= 0) & (hidden < (width, height))).all(axis=1)
        page = sheet.warp.inverse(hidden)
        on_paper = ((page >= 0) & (page <= (sheet.scene.width, sheet.scene.height))).all(axis=1)
        if trace.clip is None:
            assert not (inside & on_paper).any()


@pytest.mark.parametrize("template", listing("pages"))
@pytest.mark.parametrize("frame", [{}, {"pad": 12.7, "crop": 0.02}, {"crop": 0.31}])
def test_visible_on_every_template_and_frame(demo_record: Record, template: str, frame: dict[str, Any]) -> None:
    names = (*demo_record.lead_names, "V7", "V8", "V9")[: 15 if template == "15-lead" else 12]
    signals = demo_record.signals[:, [i % 12 for i in range(len(names))]]
    record = Record("r", 500.0, signals, tuple(Lead(n, n) for n in names))
    page = {"template": template, "dpi": 100, "print_header": True, "qr_code": True, **frame}
    assert_visible_is_true(ecgvec.render(record, **page))


def test_visible_where_rows_are_clipped(demo_record: Record) -> None:
    tall = Record("r", 500.0, demo_record.signals * 6, demo_record.leads)
    sheet = ecgvec.render(tall, clip=True, dpi=100)
    assert_visible_is_true(sheet)
    assert any(not trace.visible.all() for trace in sheet.labels.traces)


DEMO = ecgvec.read_record(folder("demo") / "ecgvec-demo")


@settings(max_examples=25, deadline=None)
@example(crop=0.056640625, pad=0.0, scale=1.0, template="3x4+1R", clip=False)  # of a pulse no more than half its pen
@given(
    crop=st.floats(0, 0.45),
    pad=st.floats(0, 30),
    scale=st.floats(0.2, 12),
    template=st.sampled_from(["3x4+1R", "12x1", "schiller", "3x4+3R"]),
    clip=st.booleans(),
)
def test_visible_on_any_page(crop: float, pad: float, scale: float, template: str, clip: bool) -> None:
    record = Record("r", 500.0, DEMO.signals * scale, DEMO.leads)
    assert_visible_is_true(ecgvec.render(record, template=template, dpi=60, crop=crop, pad=pad, clip=clip, gain=20))
