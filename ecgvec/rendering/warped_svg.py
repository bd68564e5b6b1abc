"""The page's vectors sent through its warp: a standalone SVG in image pixels, true to the bent page.

Every line is mapped by ``warp.forward`` at points dense enough, then thinned out again, so that its straight pieces
keep within 0.02 px of its true image. A line's width is what the warp makes of the pen's across the line's direction:
pen |det J| / |J d|.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import shapely

from ecgvec import svg
from ecgvec._typing import BoolArray, Float64Array, IntpArray, Points
from ecgvec.geometry.path import CLOSE, LINE, MOVE, Box, Path, dash_line, divide, lines, rectangles
from ecgvec.graphics.shapes import Scene, Shape
from ecgvec.warp.base import Warp, local_scale

# Shares of the 0.02 px: curves made straight, straight pieces that the warp bends, pieces joined again, decimals.
CURVE_PX, BEND_PX, JOIN_PX, DECIMALS = 0.003, 0.004, 0.012, 3
PIECE_MM = 0.5  # between mapped points: half a cell of the warp's lattice
FINEST = 16  # further pieces that one such piece may need
STRETCH_MM = 1.0  # of a line over which its width is one
WIDTH_STEP = 1.04  # from one width of a mark to the next
STAY = 0.75  # steps by which a line's width must differ from the one it has, to change
OVERLAP_PX = 0.3  # of stretches with blunt ends: two that only met would leave a hair between them
SQUARES = 300  # along the image's long side, in which areas are measured
SCALE_POINTS = 12  # a side of the page, at which its scale is measured


@dataclass(frozen=True, eq=False)
class _Part:
    """What of the mark of id ``mark`` is drawn in one way: its lines on the page in mm, and the pen's width in mm, 0
    where they are filled. ``blunt``: stroked without caps."""

    mark: str
    kind: Literal["fill", "stroke", "clip"]
    lines: list[Points]
    width: float = 0.0
    blunt: bool = False


@dataclass(frozen=True, eq=False)
class _Shape:
    """A path in image px, and the width in px at which it is stroked (0 where it is filled)."""

    path: Path
    width: float


@dataclass(frozen=True, eq=False)
class _Mapped:
    """The lines of all parts end to end: points on the ``page`` (n, 2) mm and in the image ``px`` (n, 2), the number
    of the ``line`` (n,) and of the ``part`` (n,) of each."""

    page: Points
    px: Points
    line: IntpArray
    part: IntpArray


def write(scene: Scene, warp: Warp) -> str:
    """The page as ``warp`` shows it, as an SVG document of the image's size, user units of 1 px; white off the paper.

    Groups, ids and ``data-*`` are those of the page's own SVG. A mark that is stroked is a ``g`` with the mark's id,
    which holds a ``path`` for each of its widths.
    """
    tolerance = CURVE_PX / _largest_scale(scene, warp)
    parts = [part for mark in scene.shapes() for part in _parts(mark, scene, tolerance)]
    shapes: dict[tuple[str, str], list[_Shape]] = {}
    for part, bent in zip(parts, _bent(parts, warp), strict=True):
        shapes[part.mark, part.kind] = bent
    width, height = map(str, warp.size)
    drawing = svg.empty((width, height), f"0 0 {width} {height}", scene.title)
    drawing.attribs["id"], drawing.attribs["data-units"] = "image", svg.PIXELS
    drawing.add(drawing.rect((0, 0), warp.size, id="background", class_="background", fill="#FFFFFF"))
    for group in scene.groups:
        element = drawing.add(svg.group_element(drawing, group))
        for mark in group.shapes:
            element.add(_mark(drawing, mark, shapes))
    return svg.document(drawing)


def _largest_scale(scene: Scene, warp: Warp) -> float:
    x, y = (np.linspace(0, side, SCALE_POINTS) for side in (scene.width, scene.height))
    scales = local_scale(warp, np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2))
    return float(np.nanmax(scales))


# What is drawn ------------------------------------------------------------------------------------------------------


def _parts(mark: Shape, scene: Scene, tolerance: float) -> Iterator[_Part]:
    """How the mark is filled, stroked and clipped. ``tolerance`` in mm is that of curves made straight."""
    pen = mark.pen
    found = [line if len(line) > 1 else np.repeat(line, 2, axis=0) for line in lines(mark.path, tolerance)]
    if pen.fill is not None:
        yield _Part(mark.id, "fill", found)
    if pen.stroke is not None:
        inked = [piece for line in found for piece in dash_line(line, pen.dash)]
        yield _Part(mark.id, "stroke", inked, pen.width, pen.cap == "butt")
    box = _clip_box(mark, scene)
    if box is not None:
        yield _Part(mark.id, "clip", lines(rectangles([box]), tolerance))


def _clip_box(mark: Shape, scene: Scene) -> Box | None:
    """The rectangle of the page outside which nothing of the mark is seen; None where it needs none. Ink ends at the
    paper's edge."""
    if not len(mark.path.points):
        return None
    if not scene.leaves(mark):
        return mark.clip
    page = Box(0.0, 0.0, scene.width, scene.height)
    return Box(*np.clip(mark.clip or page, 0.0, (*page[2:], *page[2:])).tolist())


def _mark(drawing: Any, mark: Shape, shapes: Mapping[tuple[str, str], list[_Shape]]) -> Any:
    pen = mark.pen
    fills, strokes, clips = (shapes.get((mark.id, kind), []) for kind in ("fill", "stroke", "clip"))
    if pen.stroke is None:
        element = drawing.path(d="".join(map(_d, fills)), id=mark.id, class_=mark.role)
        element.attribs.update(svg.pen_attributes(pen))
    else:
        element = drawing.g(id=mark.id, class_=mark.role)
        element.attribs.update(svg.pen_attributes(replace(pen, fill=None, opacity=1.0, dash=())))
        del element.attribs["stroke-width"]
        if pen.opacity < 1:
            element.attribs["opacity"] = f"{pen.opacity:g}"  # of the whole, since its paths overlap
        for shape in fills:
            element.add(drawing.path(d=_d(shape), fill=pen.fill, stroke="none"))
        for shape in strokes:
            element.add(drawing.path(d=_d(shape), stroke_width=f"{shape.width:.3f}"))
    svg.explain(element, mark)
    for shape in clips:
        svg.clip(drawing, element, mark, drawing.path(d=_d(shape)))
    return element


def _d(shape: _Shape) -> str:
    return shape.path.svg_d((DECIMALS, DECIMALS))


# From the page to the image -----------------------------------------------------------------------------------------


def _bent(parts: list[_Part], warp: Warp) -> list[list[_Shape]]:
    """Each part as the warp shows it, a shape for each of its widths."""
    shapes: list[list[_Shape]] = [[] for _ in parts]
    if not any(part.lines for part in parts):
        return shapes
    mapped = _mapped(parts, warp)
    runs = _runs(mapped, parts, warp)
    points, of = _thinned(mapped, runs, np.array([part.blunt for part in parts]))
    pieces = np.split(points, np.flatnonzero(np.diff(of)) + 1)
    order = np.lexsort((runs.level, runs.part))  # stable, so that lines keep their order
    changes = (np.diff(runs.level[order]) != 0) | (np.diff(runs.part[order]) != 0)
    for same in np.split(order, np.flatnonzero(changes) + 1):
        part = int(runs.part[same[0]])
        path = _path([pieces[run] for run in same.tolist()], closed=not parts[part].width)
        shapes[part].append(_Shape(path, float(runs.width[same[0]])))
    return shapes


def _path(pieces: list[Points], closed: bool) -> Path:
    """Lines as one path. Closed ones end where they begin, with a point that the path need not say twice."""
    sizes = np.array([len(piece) for piece in pieces])
    ends = np.cumsum(sizes)
    codes = np.full(ends[-1], LINE, dtype=np.uint8)
    codes[ends - sizes] = MOVE
    points = np.concatenate(pieces)
    if closed:
        codes[ends - 1] = CLOSE
        points = points[codes != CLOSE]
    return Path(codes, points)


def _mapped(parts: list[_Part], warp: Warp) -> _Mapped:
    """All lines in pieces so short that the warp leaves them straight, to BEND_PX; in two calls of ``forward``."""
    drawn = [line for part in parts for line in part.lines]
    line = np.repeat(np.arange(len(drawn)), [len(points) for points in drawn])
    part = np.repeat(np.arange(len(parts)), [len(part.lines) for part in parts])[line]
    corners = np.concatenate(drawn)
    # At least two pieces, so that each corner-to-corner line has a point inside that tells whether it is bent.
    counts = np.maximum(2, np.ceil(np.hypot(*np.diff(corners, axis=0).T) / PIECE_MM)).astype(np.intp)
    counts[np.diff(line) != 0] = 1
    page, of = divide(corners, counts)
    px = warp.forward(page)
    more = _further(px, of, line[of])
    denser, at = divide(page, more)
    known = np.append(0, np.cumsum(more))
    found = np.empty_like(denser)
    found[known] = px
    new = np.ones(len(denser), dtype=bool)
    new[known] = False
    found[new] = warp.forward(denser[new])
    return _Mapped(denser, found, line[of][at], part[of][at])


def _further(px: Points, of: IntpArray, line: IntpArray) -> IntpArray:
    """Into how many parts each piece from one point (n, 2) to the next is to be divided; ``of`` (n,) tells which
    points lie evenly spaced on one straight line of the page, ``line`` (n,) which are one line.

    A kink of angle a at a share t of a piece of length h takes the image a h t (1 - t) away from the chord, and is
    seen at the piece's two ends as second differences of a h (1 - t) and a h t: neither is less.
    """
    inside = of[1:-1] == of[:-2]  # the point after it may be the next corner, which is on the line still
    second = np.zeros(len(px))
    second[1:-1] = np.where(inside, np.hypot(*(px[:-2] - 2 * px[1:-1] + px[2:]).T), np.inf)
    second[[0, -1]] = np.inf  # corners tell nothing
    away = np.minimum(second[:-1], second[1:])
    away[np.diff(line) != 0] = 0.0
    away[~np.isfinite(away)] = 0.0
    return np.clip(np.ceil(away / BEND_PX), 1, FINEST).astype(np.intp)


def _areas(warp: Warp) -> Callable[[Points], Float64Array]:
    """A function that gives mm^2 of page per px^2 at image points (n, 2), measured in small squares of the image."""
    side = max(warp.size) / SQUARES
    columns, rows = (int(np.ceil(length / side)) for length in warp.size)
    x, y = np.meshgrid(np.arange(columns + 1) * side, np.arange(rows + 1) * side)
    corners = warp.inverse(np.column_stack([x.ravel(), y.ravel()])).reshape(rows + 1, columns + 1, 2)
    down, up = corners[1:, 1:] - corners[:-1, :-1], corners[1:, :-1] - corners[:-1, 1:]
    areas = np.abs(down[..., 0] * up[..., 1] - down[..., 1] * up[..., 0]) / (2 * side**2)  # half the diagonals' product

    def area(points: Points) -> Float64Array:
        column, row = np.clip(points // side, 0, (columns - 1, rows - 1)).astype(np.intp).T
        found: Float64Array = areas[row, column]
        return found

    return area


# Widths -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Runs:
    """Stretches of lines of one width, (n,) each: their first and last points, their part, the level of their width,
    and the width in px that all stretches of their part and level have in the mean (0 where the part is filled)."""

    first: IntpArray
    last: IntpArray
    part: IntpArray
    level: IntpArray
    width: Float64Array


def _runs(mapped: _Mapped, parts: list[_Part], warp: Warp) -> _Runs:
    piece = np.flatnonzero(np.diff(mapped.line) == 0)  # from its point to the next
    mm, px = (np.hypot(*(points[piece + 1] - points[piece]).T) for points in (mapped.page, mapped.px))
    stretch = _stretches(mapped.line[piece], mm)
    middle = (mapped.px[piece] + mapped.px[piece + 1]) / 2
    area = _mean(_areas(warp)(middle), mm, stretch)
    long_mm, long_px = (np.bincount(stretch, lengths).astype(np.float64) for lengths in (mm, px))
    dot = long_px < 1e-6  # a line of no length has no direction
    along = np.where(dot, np.sqrt(area), long_mm / np.where(dot, 1.0, long_px))
    first = np.flatnonzero(np.diff(stretch, prepend=-1))
    line, part = mapped.line[piece][first], mapped.part[piece][first]
    pen = np.array([p.width for p in parts])[part]
    width = pen / area * along
    level = _levels(np.log(np.where(pen > 0, width, 1.0)) / np.log(WIDTH_STEP), line)
    start = np.flatnonzero((np.diff(line, prepend=-1) != 0) | (np.diff(level, prepend=0) != 0))
    _, same = np.unique(part * (np.ptp(level) + 1) + level - level.min(), return_inverse=True)
    mean = _mean(width, long_mm, same)[same]
    ends = np.append(first[start][1:], len(piece)) - 1
    return _Runs(piece[first[start]], piece[ends] + 1, part[start], level[start], mean[start])


def _stretches(line: IntpArray, mm: Float64Array) -> IntpArray:
    """The number of the stretch of about STRETCH_MM that each piece lies in; ``mm`` (n,) are the pieces' lengths."""
    along = np.cumsum(mm) - mm
    fresh = np.diff(line, prepend=-1) != 0
    along -= along[fresh][np.cumsum(fresh) - 1]
    return np.cumsum(fresh | (np.diff(along // STRETCH_MM, prepend=0) != 0)) - 1


def _mean(values: Float64Array, weights: Float64Array, of: IntpArray) -> Float64Array:
    """The weighted mean of ``values`` (n,) for each number in ``of`` (n,)."""
    weights = weights + 1e-12  # lines of no length count too
    found: Float64Array = np.bincount(of, values * weights) / np.bincount(of, weights)
    return found


def _levels(steps: Float64Array, line: IntpArray) -> IntpArray:
    """Widths in whole steps, which along a line change only when they must: each change is a seam."""
    found: list[int] = []
    level = 0
    for value, fresh in zip(steps.tolist(), (np.diff(line, prepend=-1) != 0).tolist(), strict=True):
        if fresh or abs(value - level) > STAY:
            level = round(value)
        found.append(level)
    return np.array(found, dtype=np.intp)


def _thinned(mapped: _Mapped, runs: _Runs, blunt: BoolArray) -> tuple[Points, IntpArray]:
    """The points of all runs, those left out that lie within JOIN_PX of the line without them; and the run of each.
    Runs of parts that are ``blunt`` go a little into the run that follows on their line."""
    first, last = runs.first, runs.last
    after = np.minimum(last + 1, len(mapped.line) - 1)
    over = blunt[runs.part] & (mapped.line[after] == mapped.line[last]) & (after > last)
    counts = last - first + 1 + over
    run = np.repeat(np.arange(len(first)), counts)
    at = first[run] + np.arange(len(run)) - np.repeat(np.cumsum(counts) - counts, counts)
    points = mapped.px[at]
    tips = np.cumsum(counts)[over] - 1
    ahead = points[tips] - points[tips - 1]
    length = np.maximum(np.hypot(*ahead.T), 1e-9)[:, None]
    points[tips] = points[tips - 1] + ahead * np.minimum(1.0, OVERLAP_PX / length)
    drawn = shapely.simplify(shapely.linestrings(points, indices=run), JOIN_PX, preserve_topology=False)
    found, of = shapely.get_coordinates(drawn, return_index=True)
    return found, of
