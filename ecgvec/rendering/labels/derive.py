"""Labels from the scene, by role, in page mm; their ink as shapes, and traces at another density."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
from shapely import GeometryCollection, LineString, Point
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import BoolArray, Points
from ecgvec.geometry.path import Box, Path, dense_ring, extremes, hull_corners, join, pen_rims, polyline, runs
from ecgvec.graphics.shapes import AddedInfo, Scene, Shape, TextInfo
from ecgvec.layout.place import PULSE_SECONDS, Layout, PulseInfo, TraceInfo
from ecgvec.record.beats import Beats
from ecgvec.rendering.labels.model import (
    BeatLabel,
    BeatPlace,
    CharacterLabel,
    GridLabel,
    Labels,
    MarkLabel,
    PulseLabel,
    QrLabel,
    SeenMap,
    TextLabel,
    TraceLabel,
)
from ecgvec.rendering.scene.build import MAJOR_MM, MINOR_MM, crossings
from ecgvec.warp.base import Flat, Warp

PIECE_MM = 1.0  # longest straight side of an outline, so that a warp may bend it
SLICE_MM = 3.0  # of a text, whose hull stands for its ink
_READING_ORDER = {"header-text": 0, "lead-name": 1, "footer-text": 2, "note": 3}


def corners(box: Box | tuple[float, float, float, float]) -> Points:
    """The corners (4, 2) of a box, clockwise from the top left."""
    x0, y0, x1, y1 = box
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], dtype=np.float64)


def _outlines(outlines: Sequence[Points]) -> tuple[list[Points], list[Points]]:
    """Of each text's ``outlines`` (n, 2) the corners of its hull, and those of the hulls of its slices along x: the
    hulls of slices are few points, whose bounds are right however they are bent."""
    if not outlines:
        return [], []
    points, lengths = np.concatenate(outlines), np.array([len(outline) for outline in outlines])
    if not lengths.all():
        raise ValueError("a text without ink has no outline")
    firsts, x = np.cumsum(lengths) - lengths, points[:, 0]
    left = np.minimum.reduceat(x, firsts)
    slices = np.maximum(np.ceil((np.maximum.reduceat(x, firsts) - left) / SLICE_MM), 1).astype(np.intp)
    last = np.cumsum(slices) - 1
    of = last - slices + 1
    number = np.minimum(np.repeat(of, lengths) + (x - np.repeat(left, lengths)) // SLICE_MM, np.repeat(last, lengths))
    number = number.astype(np.min_scalar_type(last[-1]))  # short numbers are sorted by counting
    counts = np.bincount(number, minlength=last[-1] + 1)
    parts, of_part = hull_corners(points[np.argsort(number, kind="stable")], counts[counts > 0])
    held = np.add.reduceat((counts > 0).astype(np.intp), of)
    ends = np.cumsum(of_part)[np.cumsum(held) - 1]
    whole, of_whole = hull_corners(parts, np.diff(ends, prepend=0))
    return np.split(whole, np.cumsum(of_whole)[:-1]), np.split(parts, ends[:-1])


def _ink_outline(points: Points, width: float, clip: Box | None) -> Points:
    """Points whose bounds are those of the ink that a round pen of ``width`` leaves along ``points``, cut to
    ``clip``."""
    if clip is None:
        return pen_rims(points[extremes(points)], width)
    drawn = runs(points)
    pieces = [shapely.LineString(run) if len(run) > 1 else shapely.Point(run[0]) for run in drawn]
    ink = shapely.GeometryCollection(pieces).buffer(width / 2)
    cut = shapely.get_coordinates(shapely.segmentize(ink.intersection(shapely.box(*clip)), PIECE_MM))
    return cut if len(cut) else np.clip(drawn[0], (clip.x0, clip.y0), (clip.x1, clip.y1))


def _trace(mark: Shape, info: TraceInfo, paper: Box) -> TraceLabel:
    panel, points = info.panel, info.points
    visible: BoolArray = _within(points, paper)
    if info.inked is not None:
        visible = visible & info.inked
    if mark.clip is not None:
        with np.errstate(invalid="ignore"):
            visible &= (points[:, 1] >= mark.clip.y0) & (points[:, 1] <= mark.clip.y1)
    return TraceLabel(
        id=mark.id,
        lead=panel.lead,
        polarity=panel.polarity,
        rhythm=panel.rhythm,
        row=panel.row,
        column=panel.column,
        first_sample=info.first,
        samples=len(points),
        fs=info.fs,
        axes=info.axes,
        clip=mark.clip,
        t=info.t,
        mv=info.mv,
        points=points,
        visible=visible,
        occluded=np.zeros(len(points), dtype=bool) if info.inked is None else ~info.inked & np.isfinite(info.mv),
        panel=corners(panel.box),
        panel_ring=dense_ring(corners(panel.box)),
        outline=_ink_outline(points, mark.pen.width, mark.clip),
        pen=mark.pen.width,
    )


def _within(points: Points, box: Box) -> BoolArray:
    """Which points (n, 2) lie in ``box``; NaN does not."""
    x, y = points.T
    with np.errstate(invalid="ignore"):
        return np.asarray((x >= box.x0) & (y >= box.y0) & (x <= box.x1) & (y <= box.y1))


def _pulse(mark: Shape, info: PulseInfo) -> PulseLabel:
    pulse, drawn = info.pulse, np.array(info.corners, dtype=np.float64)
    line = shapely.get_coordinates(shapely.segmentize(shapely.LineString(mark.path.points), PIECE_MM))
    outline = pen_rims(line, mark.pen.width)
    return PulseLabel(mark.id, pulse.row, 1.0, PULSE_SECONDS, pulse.gains, drawn, outline)


def _added(mark: Shape, info: AddedInfo) -> MarkLabel:
    return MarkLabel(mark.id, info.kind, info.text, info.trace, _dense(info.ring), info.opaque)


def _texts(scene: Scene, pitch: float) -> list[TextLabel]:
    """All texts, numbered as a reader takes them: header, then row by row from left to right, footer, and notes as they
    were written."""
    found = [(mark, mark.info) for mark in scene.shapes() if isinstance(mark.info, TextInfo)]
    found.sort(key=lambda item: item[0].role == "note")  # written last, though painted below the print

    def place(item: tuple[Shape, TextInfo]) -> tuple[int, float, float]:
        mark, info = item
        if mark.role == "note":
            return _READING_ORDER[mark.role], 0, 0.0  # they stand in that order already
        row = round(info.ink.y1 / (pitch if mark.role == "lead-name" else 1.5))
        return _READING_ORDER[mark.role], row, info.ink.x0

    order = {mark.id: i for i, (mark, _) in enumerate(sorted(found, key=place))}
    hulls, outlines = _outlines([info.outline.points for _, info in found])
    return [
        TextLabel(
            id=mark.id,
            role=mark.role,
            text=info.text,
            order=order[mark.id],
            quad=corners(info.ink) if info.quad is None else info.quad,
            hull=whole,
            outline=outline,
            trace=mark.data.get("trace"),
            characters=tuple(CharacterLabel(character, _dense(ring)) for character, ring in info.characters),
            kind=info.kind,
        )
        for (mark, info), whole, outline in zip(found, hulls, outlines, strict=True)
    ]


def _dense(ring: Points) -> Points:
    """A closed ring (n, 2) with no side longer than PIECE_MM."""
    dense: Points = shapely.get_coordinates(shapely.segmentize(shapely.Polygon(ring), PIECE_MM))[:-1]
    return dense


def _grid(layout: Layout, step: int) -> GridLabel:
    lattice = crossings(layout, step)
    shape = lattice.shape[:2]
    return GridLabel(float(step), lattice, np.ones(shape, dtype=bool), np.zeros(shape, dtype=bool))


def _beats(beats: Beats | None, traces: Sequence[TraceLabel]) -> list[BeatLabel]:
    """Each beat that a trace shows, where the line has its time."""
    if beats is None or not len(beats.t):
        return []
    places: list[list[BeatPlace]] = [[] for _ in beats.t]
    for trace in traces:
        if not len(trace.t):
            continue
        shown = np.flatnonzero((trace.t[0] <= beats.t) & (beats.t <= trace.t[-1]))
        t = beats.t[shown]
        mv = np.interp(t, trace.t, trace.mv)
        points = trace.axes.to_page(t, mv)
        for i in np.flatnonzero(np.isfinite(mv)).tolist():
            bare = bool(trace.occluded[int(np.argmin(np.abs(trace.t - t[i])))])  # the pen skipped there
            places[shown[i]].append(BeatPlace(trace.id, points[i : i + 1], not bare, bare))
    found = zip(beats.t, beats.symbols, places, strict=True)
    return [BeatLabel(float(t), symbol, tuple(where)) for t, symbol, where in found if where]


def derive(scene: Scene, layout: Layout, beats: Beats | None = None, minor_grid: bool = False) -> Labels:
    """The labels of a page, in page millimetres. ``minor_grid`` adds the 1 mm lattice."""
    traces, pulses, marks = [], [], []
    paper = Box(0.0, 0.0, scene.width, scene.height)
    has_grid, qr = False, None
    for mark in scene.shapes():
        if isinstance(mark.info, TraceInfo):
            traces.append(_trace(mark, mark.info, paper))
        elif isinstance(mark.info, PulseInfo):
            pulses.append(_pulse(mark, mark.info))
        elif isinstance(mark.info, AddedInfo):
            marks.append(_added(mark, mark.info))
        elif mark.role == "qr-code":
            qr = QrLabel(mark.data["text"], corners(mark.path.bounds()))
        has_grid = has_grid or mark.role == "grid-major"
    page = corners((0.0, 0.0, scene.width, scene.height))
    pitch = layout.panels[0].box.y1 - layout.panels[0].box.y0
    return Labels(
        corners=page,
        page=dense_ring(page),
        holes=(),
        ink_width=next((mark.pen.width for mark in scene.shapes() if mark.role == "trace"), 0.0),
        traces=tuple(traces),
        texts=tuple(_texts(scene, pitch)),
        pulses=tuple(pulses),
        grid=_grid(layout, MAJOR_MM) if has_grid else None,
        minor=_grid(layout, MINOR_MM) if has_grid and minor_grid else None,
        qr=qr,
        marks=tuple(marks),
        beats=tuple(_beats(beats, traces)),
    )


def inside(warp: Warp) -> SeenMap:
    """Whether image points (n, 2) lie in the image of ``warp``; NaN does not."""
    width, height = warp.size

    def seen(points: Points) -> BoolArray:
        x, y = points.T
        with np.errstate(invalid="ignore"):
            within: BoolArray = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        return within

    return seen


def map_labels(labels: Labels, warp: Warp) -> Labels:
    """Page labels sent through ``warp``: in image pixels, and visible only inside the image."""
    if not isinstance(warp, Flat):  # straight sides that are to bend
        labels = replace(labels, texts=tuple(replace(t, hull=dense_ring(t.hull, 4)) for t in labels.texts))
    return labels.transform(warp.forward).restrict(inside(warp))


QUADRANT_PIECES = 8  # straight pieces in a quarter of the pen's round end


def trace_ink(trace: TraceLabel, warp: Warp, width_mm: float) -> BaseGeometry:
    """What a round pen of ``width_mm`` leaves along ``trace``, as a shapely polygon or multipolygon in image px.

    It is drawn on the page and sent through ``warp``, so a bent page has a bent outline; parts outside the image are
    cut off. Empty where nothing of it can be seen.
    """
    ink: BaseGeometry = shapely.buffer(_line(trace), width_mm / 2, quad_segs=QUADRANT_PIECES)
    if trace.clip is not None:
        ink = shapely.intersection(ink, shapely.box(*trace.clip))
    if not isinstance(warp, Flat):
        ink = shapely.segmentize(ink, PIECE_MM)
    in_image = shapely.transform(ink, warp.forward)
    frame = shapely.box(0, 0, *warp.size)
    if shapely.contains(frame, in_image) and shapely.is_valid(in_image):
        return in_image
    return shapely.intersection(shapely.make_valid(in_image), frame)


def _line(trace: TraceLabel) -> BaseGeometry:
    """The trace on the page, in mm, broken at its gaps; a sample alone is a point."""
    points = trace.axes.to_page(trace.t, trace.mv)
    return GeometryCollection([LineString(run) if len(run) > 1 else Point(run[0]) for run in runs(points)])


def rings(geometry: BaseGeometry) -> list[Points]:
    """All rings, outer and inner, of a polygon or multipolygon: (n, 2) each, the last point not repeated."""
    found: list[Points] = []
    for part in shapely.get_parts(geometry):
        if part.geom_type == "Polygon" and not part.is_empty:
            found += [shapely.get_coordinates(ring)[:-1] for ring in (part.exterior, *part.interiors)]
    return found


def as_path(geometry: BaseGeometry) -> Path:
    """A polygon or multipolygon as a closed path, to be filled by the even-odd rule."""
    return join(polyline(ring, closed=True) for ring in rings(geometry))


def at_density(trace: TraceLabel, per_mm: float) -> TraceLabel:
    """A page label (in mm) with ``per_mm`` points on each mm of paper along time, on the very line that was drawn.

    ``t`` and ``mv`` are interpolated linearly, as the line itself is; gaps stay NaN. A point is occluded where the
    nearest sample is.
    """
    if not len(trace.t):
        return trace
    count = int(np.floor((trace.t[-1] - trace.t[0]) * trace.axes.speed * per_mm + 1e-9)) + 1
    t = trace.t[0] + np.arange(count) / (trace.axes.speed * per_mm)
    mv = np.interp(t, trace.t, trace.mv)
    points = trace.axes.to_page(t, mv)
    visible = np.isfinite(mv)
    if trace.clip is not None:
        with np.errstate(invalid="ignore"):
            visible &= (points[:, 1] >= trace.clip[1]) & (points[:, 1] <= trace.clip[3])
    nearest = np.clip(np.rint((t - trace.t[0]) * trace.fs).astype(np.intp), 0, len(trace.t) - 1)
    occluded = trace.occluded[nearest]
    return replace(trace, t=t, mv=mv, points=points, visible=visible & ~occluded, occluded=occluded)
