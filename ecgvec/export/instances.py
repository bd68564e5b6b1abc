"""What an image shows of each labelled thing, for the formats of detection and segmentation: COCO and YOLO."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Float64Array, Points
from ecgvec.geometry.path import bounds
from ecgvec.graphics.shapes import AddedInfo, Shape
from ecgvec.rendering.labels.derive import trace_ink
from ecgvec.rendering.labels.model import TraceLabel
from ecgvec.rendering.labels.occlusion import WHOLE
from ecgvec.sheet import Sheet

Box = tuple[float, float, float, float]
_STEP_MM = 1.0  # longest straight side of a pulse's outline on the page, so that a warp may bend it


@dataclass(frozen=True, eq=False)
class Thing:
    """A labelled thing: ``shape`` in image px, its exact bounds ``box`` before the image's edge cuts them (in the shape
    round ends are polygons), its four ``corners`` (4, 2) or None, the share of it that something hides (None: not
    told), and what else is told of it. ``family``: the supercategory that ``category`` is of."""

    id: str
    family: str
    category: str
    visible: bool
    shape: BaseGeometry
    box: Box
    corners: Points | None
    occluded: float | None
    more: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Instance:
    """What the image shows of a thing. ``family``: the supercategory of ``category``; ``visible``: whether any of it
    can be seen; ``shape``: polygons in image px; ``box`` x0, y0, x1, y1; ``keypoints`` (4, 3) x, y, v, or None;
    ``truncated``: part of it lies outside the image."""

    id: str
    family: str
    category: str
    visible: bool
    shape: MultiPolygon
    box: Box
    keypoints: Float64Array | None
    truncated: bool
    more: dict[str, Any]

    @property
    def lead(self) -> bool:
        """Whether ``category`` is a lead."""
        return self.family == "lead"


def instances(sheet: Sheet) -> tuple[list[Instance], list[str]]:
    """The instances of a sheet in the order of its labels, and the ids of the things that it does not show."""
    width, height = sheet.warp.size
    covered = _covered(sheet)
    found: list[Instance] = []
    hidden: list[str] = []
    for thing in (*_traces(sheet), *_texts(sheet), *_marks(sheet), *_added(sheet), *_panels(sheet, covered)):
        shape = _cut(thing.shape, width, height)
        if not (thing.visible or thing.occluded) or shape.area <= 0:
            hidden.append(thing.id)
            continue
        x0, y0, x1, y1 = thing.box
        outside = x0 < 0 or y0 < 0 or x1 > width or y1 > height
        box = shape.bounds if outside else thing.box
        points = None if thing.corners is None else _keypoints(sheet, thing.corners, covered)
        more = thing.more if thing.occluded is None else thing.more | {"occluded": thing.occluded}
        found.append(Instance(thing.id, thing.family, thing.category, thing.visible, shape, box, points, outside, more))
    return found, hidden


def _covered(sheet: Sheet) -> BaseGeometry:
    """Where nothing printed can be seen, in page mm: what lies on the page, and what opaque marks cover."""
    added = (mark.info for mark in sheet.scene.shapes() if isinstance(mark.info, AddedInfo))
    gone = (
        []
        if sheet.view.remaining_paper is None
        else [shapely.difference(_paper(sheet).buffer(1.0), sheet.view.remaining_paper)]
    )
    opaque = [Polygon(info.ring) for info in added if info.opaque]
    return shapely.union_all([sheet.covered, *gone, *opaque])


def _paper(sheet: Sheet) -> Polygon:
    return shapely.box(0, 0, sheet.paper.width, sheet.paper.height)


def _cut(shape: BaseGeometry, width: int, height: int) -> MultiPolygon:
    """The part of a shape inside the image, without what has no area."""
    image = shapely.box(0, 0, width, height)
    inside = shape if image.covers(shapely.box(*shape.bounds)) else shapely.intersection(shape, image)
    return MultiPolygon([part for part in shapely.get_parts(inside) if part.geom_type == "Polygon" and part.area > 0])


def _keypoints(sheet: Sheet, quad: Points, covered: BaseGeometry) -> Float64Array:
    """Corners (4, 2) as x, y, v: v is 2 inside the image, 1 where they lie in ``covered`` (page mm); outside the image
    x, y and v are 0."""
    (x, y), (width, height) = quad.T, sheet.warp.size
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    v = np.full(len(x), 2.0)
    if not covered.is_empty:
        v -= shapely.contains_xy(covered, sheet.warp.inverse(quad))
    points: Float64Array = np.column_stack([x, y, v]) * inside[:, None]
    return points


def _place(trace: TraceLabel) -> dict[str, Any]:
    return {
        "lead": trace.lead,
        "polarity": trace.polarity,
        "rhythm": trace.rhythm,
        "row": trace.row,
        "column": trace.column,
    }


def _traces(sheet: Sheet) -> Iterator[Thing]:
    for trace in sheet.labels.traces:
        ink = trace_ink(trace, sheet.warp, sheet.labels.ink_width)
        more = _place(trace) | {"first_sample": trace.first_sample, "samples": len(trace.t), "fs": trace.fs}
        seen, occluded = bool(trace.visible.any()), _share_of_samples(trace, sheet.warp.size)
        yield Thing(trace.id, "lead", trace.lead, seen, ink, bounds(trace.outline), None, occluded, more)


def _share_of_samples(trace: TraceLabel, size: tuple[int, int]) -> float:
    """The share of a trace's samples in the image that something hides."""
    with np.errstate(invalid="ignore"):
        inside = ((trace.points >= 0) & (trace.points < size)).all(axis=1)
    return round(float(trace.occluded[inside].mean()), 4) if inside.any() else 0.0


def _panels(sheet: Sheet, covered: BaseGeometry) -> Iterator[Thing]:
    boxes = {(panel.row, panel.column, panel.rhythm): shapely.box(*panel.box) for panel in sheet.layout.panels}
    for trace in sheet.labels.traces:
        box = boxes[trace.row, trace.column, trace.rhythm]
        occluded = round(float(shapely.intersection(box, covered).area / box.area), 4)
        yield Thing(
            f"panel-{trace.id}",
            "place",
            "panel",
            occluded < WHOLE,
            _polygon(trace.panel_ring),
            bounds(trace.panel_ring),
            trace.panel,
            occluded,
            _place(trace),
        )


def _texts(sheet: Sheet) -> Iterator[Thing]:
    for text in sheet.labels.texts:
        more = {"text": text.text, "order": text.order} | ({} if text.trace is None else {"trace": text.trace})
        more |= {"kind": text.kind} if text.kind else {}
        shape, box = _polygon(text.hull), bounds(text.outline)
        yield Thing(text.id, "text", text.role, text.visible, shape, box, text.quad, text.occluded, more)


def _marks(sheet: Sheet) -> Iterator[Thing]:
    """Calibration pulses and the QR code."""
    drawn = {mark.id: mark for mark in sheet.scene.shapes() if mark.role == "pulse"}
    for pulse in sheet.labels.pulses:
        first_foot, *tops, last_foot = pulse.corners
        quad = np.array([tops[0], tops[-1], last_foot, first_foot])
        more = {"row": pulse.row, "mv": pulse.mv, "seconds": pulse.seconds, "gains": list(pulse.gains)}
        ink = _pulse_ink(sheet, drawn[pulse.id])
        box = bounds(pulse.outline)
        yield Thing(pulse.id, "mark", "pulse", pulse.visible, ink, box, quad, pulse.occluded, more)
    qr = sheet.labels.qr
    if qr is not None:
        shape, box = _polygon(qr.quad), bounds(qr.quad)
        yield Thing("qr-code", "mark", "qr-code", qr.visible, shape, box, qr.quad, qr.occluded, {"text": qr.text})


def _added(sheet: Sheet) -> Iterator[Thing]:
    """What was put on the print."""
    for mark in sheet.labels.marks:
        more: dict[str, Any] = {"text": mark.text} if mark.text else {}
        more |= {"opaque": mark.opaque} | ({} if mark.trace is None else {"trace": mark.trace})
        shape, box = _polygon(mark.ring), bounds(mark.ring)
        yield Thing(mark.id, "added", mark.kind, mark.visible, shape, box, None, mark.occluded, more)


def _pulse_ink(sheet: Sheet, mark: Shape) -> BaseGeometry:
    """The ink of a pulse, feet included, in image px."""
    line = shapely.LineString(mark.path.points)
    ink = shapely.segmentize(shapely.buffer(line, mark.pen.width / 2, quad_segs=4), _STEP_MM)
    return shapely.make_valid(shapely.transform(ink, sheet.warp.forward))


def _polygon(points: Points) -> BaseGeometry:
    return shapely.make_valid(Polygon(points)) if len(points) > 2 else Polygon()
