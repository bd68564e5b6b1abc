"""From a pen's path to filled outlines, and the ring around each character."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Float64Array, Int64Array
from ecgvec.geometry.path import CLOSE, LINE, MOVE, Path
from ecgvec.handwriting.nibs import Nib, nib_of, shade_of
from ecgvec.handwriting.writer import Note
from ecgvec.rng import stream

_PIECES = 2  # of each step between two points of a stroke
_PALE = 0.5  # opacity of pale ink
_SHARPEST = 0.5  # radians at a point: a sharper corner is rounded by the round nib itself
_LONGEST_TURN = 2.0  # radians: what turns further may run into itself
_FINEST = 0.004  # mm: what the outline may be off
_ROUND = np.linspace(0.0, np.pi, 9)  # half a circle
_CIRCLE = np.linspace(0.0, 2 * np.pi, 20, endpoint=False)


class Layer(NamedTuple):
    """Filled areas, safe for either fill rule, in mm: ``color`` ``#RRGGBB``, ``opacity`` 0 to 1."""

    path: Path
    color: str
    opacity: float


@dataclass(frozen=True, eq=False)
class InkedCharacter:
    """A character's ink: its ``index`` in the note's text, the ``character``, its ``box`` x0, y0, x1, y1 and the
    convex ``ring`` (n, 2) around it, in mm."""

    index: int
    character: str
    box: tuple[float, float, float, float]
    ring: Float64Array


@dataclass(frozen=True, eq=False)
class Ink:
    """A note in ink: its ``layers``, pale ones first, its ``characters`` that have ink, and the ``box`` around all."""

    layers: tuple[Layer, ...]
    characters: tuple[InkedCharacter, ...]
    box: tuple[float, float, float, float]


class _Trail(NamedTuple):
    """A stroke, densely: points (n, 2), radius (n,) mm, flow of ink (n,), character (n,)."""

    points: Float64Array
    radius: Float64Array
    flow: Float64Array
    character: Int64Array


def ink(note: Note, nib: str = "ballpoint", color: str = "blue", seed: int = 0) -> Ink:
    """The ink of a note: nibs `nibs.NIBS`, colours `nibs.INKS`. The same arguments give the same ink."""
    pen = nib_of(nib).scale_to(note.x_height)
    rng = stream(seed, note.text, 0, "handwriting/ink")
    shade = shade_of(color, rng)
    trails = [_trail(s, c, pen, rng) for s, c in zip(note.strokes, note.characters, strict=True)]
    layers = []
    for flow, opacity in ((_PALE, _PALE), (1.0, 1.0)):
        area = shapely.union_all([run for trail in trails for run in _runs(trail, flow)])
        if not area.is_empty:
            layers.append(Layer(_path(shapely.simplify(area, _FINEST)), shade, opacity))
    characters = tuple(_characters(note.text, trails))
    boxes = np.array([c.box for c in characters])
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return Ink(tuple(layers), characters, (float(low[0]), float(low[1]), float(high[0]), float(high[1])))


def _trail(stroke: Float64Array, character: Int64Array, nib: Nib, rng: np.random.Generator) -> _Trail:
    """A stroke of a note, smoothed over its corners between points, with the width of the pen."""
    points, speed = stroke[:, :2], stroke[:, 2]
    if len(points) > 1:
        fine = np.linspace(0, len(points) - 1, (len(points) - 1) * _PIECES + 1)
        speed = np.interp(fine, np.arange(len(points)), speed)
        character = character[np.round(fine).astype(np.int64)]
        points = _catmull_rom(points)
    steps = np.diff(points, axis=0, append=points[-1:])
    if len(points) > 1:
        steps[-1] = steps[-2]
    step = max(float(np.hypot(*steps.T).mean()), 1e-3)
    width = nib.widths(speed, np.arctan2(steps[:, 1], steps[:, 0]), step, rng)
    return _Trail(points, width / 2, nib.flow(speed, step, rng), character)


def _catmull_rom(points: Float64Array) -> Float64Array:
    """A curve through points (n, 2), _PIECES points for each step: (_PIECES (n - 1) + 1, 2)."""
    before = np.vstack([2 * points[0] - points[1], points[:-2]])[:, None]
    after = np.vstack([points[2:], 2 * points[-1] - points[-2]])[:, None]
    here, there = points[:-1, None], points[1:, None]
    t = (np.arange(_PIECES) / _PIECES)[None, :, None]
    curve = 0.5 * (
        2 * here
        + (there - before) * t
        + (2 * before - 5 * here + 4 * there - after) * t**2
        + (3 * here - before - 3 * there + after) * t**3
    )
    return np.vstack([curve.reshape(-1, 2), points[-1:]])


def _runs(trail: _Trail, flow: float) -> list[BaseGeometry]:
    """The areas of a trail where so much ink came: pieces short enough not to run into themselves."""
    inked = np.flatnonzero(trail.flow == flow)
    areas: list[BaseGeometry] = []
    for stretch in np.split(inked, np.flatnonzero(np.diff(inked) > 1) + 1):
        if len(stretch) == 0:
            continue
        # One point of overlap with what went before, so that no seam shows.
        first = max(0, int(stretch[0]) - 1) if flow == 1.0 else int(stretch[0])
        points, radius = (array[first : int(stretch[-1]) + 1] for array in (trail.points, trail.radius))
        ends = _corners(points, radius)
        for start, end in pairwise(ends):
            areas += _area(points[start : end + 1], radius[start : end + 1])
        if len(ends) == 1:
            areas.append(shapely.Polygon(points[0] + radius[0] * _unit(_CIRCLE)))
    return areas


def _corners(points: Float64Array, radius: Float64Array) -> list[int]:
    """Where to cut a line so that each piece has a simple outline: the first and the last point included."""
    if len(points) < 2:
        return [0]
    steps = np.diff(points, axis=0)
    angle = np.arctan2(steps[:, 1], steps[:, 0])
    turn = np.abs((np.diff(angle) + np.pi) % (2 * np.pi) - np.pi)
    # A bow tighter than the line is wide: its inner edge would run back over itself.
    sharp = (turn > _SHARPEST) | (turn * radius[1:-1] > 0.9 * np.hypot(*steps.T)[1:])
    ends, turned = [0], 0.0
    for place, (corner, angle_there) in enumerate(zip(sharp.tolist(), turn.tolist(), strict=True), start=1):
        turned += angle_there
        if corner or turned > _LONGEST_TURN:
            ends.append(place)
            turned = 0.0
    return [*ends, len(points) - 1]


def _area(points: Float64Array, radius: Float64Array) -> list[BaseGeometry]:
    """A piece of line (n, 2) with round ends, as wide as twice ``radius`` (n,)."""
    steps = np.gradient(points, axis=0) if len(points) > 2 else np.repeat(np.diff(points, axis=0), 2, axis=0)
    angle = np.arctan2(steps[:, 1], steps[:, 0])
    side = _unit(angle - np.pi / 2) * radius[:, None]
    end = points[-1] + radius[-1] * _unit(angle[-1] - np.pi / 2 + _ROUND)
    start = points[0] + radius[0] * _unit(angle[0] + np.pi / 2 + _ROUND)
    whole = shapely.Polygon(np.vstack([points[:-1] + side[:-1], end, (points[:-1] - side[:-1])[::-1], start[1:-1]]))
    if whole.is_valid:
        return [whole]
    if len(points) > 2:
        half = len(points) // 2
        return [*_area(points[: half + 1], radius[: half + 1]), *_area(points[half:], radius[half:])]
    discs = shapely.MultiPoint((points[:, None] + radius[:, None, None] * _unit(_CIRCLE)).reshape(-1, 2))
    return [discs.convex_hull]


def _unit(angle: Float64Array) -> Float64Array:
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _path(area: BaseGeometry) -> Path:
    """Polygons as closed lines; holes run the other way round."""
    rings = []
    for polygon in shapely.get_parts(shapely.normalize(area)):
        if polygon.geom_type == "Polygon" and not polygon.is_empty:
            rings += [np.asarray(ring.coords)[:-1] for ring in (polygon.exterior, *polygon.interiors)]
    codes = [np.array([MOVE, *[LINE] * (len(ring) - 1), CLOSE], dtype=np.uint8) for ring in rings]
    return Path(np.concatenate(codes), np.concatenate(rings)).round()


def _characters(text: str, trails: list[_Trail]) -> list[InkedCharacter]:
    """Where each character's ink lies; characters without ink, spaces, are left out."""
    whole = [np.concatenate(arrays) for arrays in zip(*trails, strict=True)]
    points, radius, flow, owner = whole
    found = []
    for index in np.unique(owner[flow > 0]).tolist():
        mine = (owner == index) & (flow > 0)
        edge = (points[mine, None] + radius[mine, None, None] * _unit(_CIRCLE)).reshape(-1, 2)
        hull = shapely.Polygon(edge).convex_hull
        x0, y0, x1, y1 = hull.bounds
        found.append(InkedCharacter(index, text[index], (x0, y0, x1, y1), shapely.get_coordinates(hull)[:-1]))
    return found
