"""What cannot be seen although the image shows the place: covered, torn off, or never inked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import BoolArray, Points
from ecgvec.rendering.labels.model import BeatPlace, GridLabel, Labels, MarkLabel, TraceLabel

WHOLE = 0.995  # share from which nothing of a label is left to see
PIECE_MM = 1.0  # longest straight side of the paper's outline, so that a warp may bend it


def occlude(labels: Labels, sheet: Polygon | None, hidden: BaseGeometry) -> Labels:
    """Labels in page mm, told what hides them: ``hidden`` is covered by something, ``sheet`` is what is left of the
    paper (None: all of it), and opaque marks hide what they were put on."""
    if sheet is not None:
        hidden = shapely.union(hidden, shapely.difference(Polygon(labels.corners).buffer(1.0), sheet))
        labels = _outlined(labels, sheet)
    marks = _marks(labels.marks, hidden)
    hidden = shapely.union_all([hidden, *(Polygon(mark.ring) for mark in labels.marks if mark.opaque)])
    if hidden.is_empty:
        return labels
    shapely.prepare(hidden)
    texts = [(text, _share(_area(text.hull), hidden)) for text in labels.texts]
    pulses = [(pulse, _share(shapely.LineString(pulse.corners), hidden)) for pulse in labels.pulses]
    qr = labels.qr
    if qr is not None:
        share = _share(_area(qr.quad), hidden)
        qr = replace(qr, occluded=share, visible=qr.visible and share < WHOLE)
    return replace(
        labels,
        traces=tuple(_trace(trace, hidden) for trace in labels.traces),
        texts=tuple(replace(t, occluded=share, visible=t.visible and share < WHOLE) for t, share in texts),
        pulses=tuple(replace(p, occluded=share, visible=p.visible and share < WHOLE) for p, share in pulses),
        grid=_grid(labels.grid, hidden),
        minor=_grid(labels.minor, hidden),
        qr=qr,
        marks=marks,
        beats=tuple(
            replace(beat, places=tuple(_place(place, hidden) for place in beat.places)) for beat in labels.beats
        ),
    )


def _outlined(labels: Labels, sheet: Polygon) -> Labels:
    dense = shapely.segmentize(shapely.orient_polygons(sheet, exterior_cw=False), PIECE_MM)
    outer, *inner = (shapely.get_coordinates(ring)[:-1] for ring in (dense.exterior, *dense.interiors))
    return replace(labels, page=outer, holes=tuple(inner))


def _area(points: Points) -> BaseGeometry:
    """The area within ``points`` (n, 2), of a little width even where they lie in a line."""
    return shapely.MultiPoint(points).convex_hull.buffer(0.01)


def _share(shape: BaseGeometry, hidden: BaseGeometry) -> float:
    """The share of a shape's area, or of a line's length, that is hidden; to four decimals, 0 for a speck."""
    if not shapely.intersects(hidden, shape):
        return 0.0
    part = shapely.intersection(shape, hidden)
    whole = shape.area or shape.length
    return round(float((part.area if shape.area else part.length) / whole), 4)


def _within(points: Points, hidden: BaseGeometry) -> BoolArray:
    return np.asarray(shapely.contains_xy(hidden, points[:, 0], points[:, 1]))


def _trace(trace: TraceLabel, hidden: BaseGeometry) -> TraceLabel:
    covered = _within(trace.points, hidden)
    return replace(trace, occluded=trace.occluded | covered, visible=trace.visible & ~covered)


def _grid(grid: GridLabel | None, hidden: BaseGeometry) -> GridLabel | None:
    if grid is None:
        return None
    covered = _within(grid.crossings.reshape(-1, 2), hidden).reshape(grid.visible.shape)
    return replace(grid, occluded=grid.occluded | covered, visible=grid.visible & ~covered)


def _place(place: BeatPlace, hidden: BaseGeometry) -> BeatPlace:
    covered = bool(_within(place.point, hidden)[0])
    return replace(place, occluded=place.occluded or covered, visible=place.visible and not covered)


def _marks(marks: tuple[MarkLabel, ...], hidden: BaseGeometry) -> tuple[MarkLabel, ...]:
    """Each mark, hidden by what lies on the page and by the opaque marks that were put on after it."""
    found = []
    for mark in reversed(marks):
        share = _share(Polygon(mark.ring), hidden)
        found.append(replace(mark, occluded=share, visible=mark.visible and share < WHOLE))
        if mark.opaque:
            hidden = shapely.union(hidden, Polygon(mark.ring))
    return tuple(reversed(found))
