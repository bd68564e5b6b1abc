"""The ink of a trace as polygons, worked out only for those who ask: it costs as much as the page itself."""

from __future__ import annotations

import shapely
from shapely import GeometryCollection, LineString, Point
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Points
from ecgvec.geometry.path import Path, joined, polyline, runs
from ecgvec.render.labels.model import TraceLabel
from ecgvec.warp.base import Flat, Warp

PIECE_MM = 1.0  # longest straight side that goes through a warp that bends
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
    return joined(polyline(ring, closed=True) for ring in rings(geometry))
