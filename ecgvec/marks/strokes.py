"""The ink of things drawn by hand: lines that tremble, nibs that press more and less, and the rings around them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import shapely
from pydantic import Field
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Float64Array, Points
from ecgvec.geometry.path import CLOSE, LINE, MOVE, Path, hulls
from ecgvec.graphics.shapes import Pen
from ecgvec.marks.base import Drawing, PageContext

Layer = tuple[BaseGeometry, Pen]  # an area in mm, and what it is filled with
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
NibName = Literal["ballpoint", "felt"]
InkColor = Literal["blue", "black", "red", "green"]

INKS: dict[str, dict[str, str]] = {
    "ballpoint": {"blue": "#1B3A9E", "black": "#1A1A22", "red": "#B81F2C", "green": "#16703C"},
    "felt": {"blue": "#1450B4", "black": "#121216", "red": "#D4161E", "green": "#0A8446"},
}
NIB_CORNERS = 20  # of a nib's round tip
STEP_MM = 0.3  # between the points of a line drawn by hand
LEAST_AREA = 1e-4  # mm^2 of ink that is painted
RING_ERROR = 0.01  # mm by which a ring may cut a corner
GAPS_MM = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # half the gaps that are bridged so that parts have one ring
WAVES = 7  # of which a wobble is made


def wobble(rng: np.random.Generator, along: Float64Array, length: float) -> Float64Array:
    """Smooth noise of unit variance at places ``along`` (n,) mm of a line, in waves some ``length`` mm long."""
    long = length * np.exp(rng.normal(0, 0.45, WAVES))
    waves = np.sin(2 * np.pi * along[:, None] / long + rng.uniform(0, 2 * np.pi, WAVES))
    return np.asarray(waves.sum(axis=1) * np.sqrt(2 / WAVES))


def measure_along(points: Points) -> Float64Array:
    """How far along the line each of ``points`` (n, 2) lies, (n,) mm."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])


def space_evenly(points: Points, step: float = STEP_MM) -> Points:
    """The line through ``points`` (n, 2) with a point about every ``step`` mm, 3 at the least."""
    along = measure_along(points)
    places = np.linspace(0, along[-1], max(3, int(np.ceil(along[-1] / step)) + 1))
    return np.column_stack([np.interp(places, along, points[:, axis]) for axis in (0, 1)])


def shake(rng: np.random.Generator, points: Points, unrest: float) -> Points:
    """The line through ``points`` (n, 2) as a hand draws it: it strays by about ``unrest`` mm, slowly, and trembles."""
    line = space_evenly(points)
    along = measure_along(line)
    ahead = np.gradient(line, axis=0)
    across = np.column_stack([-ahead[:, 1], ahead[:, 0]]) / np.maximum(np.hypot(*ahead.T), 1e-9)[:, None]
    off = unrest * wobble(rng, along, 17.0) + 0.13 * unrest * wobble(rng, along, 2.6)
    return np.asarray(line + off[:, None] * across)


def sweep(points: Points, width: Float64Array) -> BaseGeometry:
    """What a round nib of ``width`` (n,) mm leaves along ``points`` (n, 2)."""
    angle = np.linspace(0.0, 2 * np.pi, NIB_CORNERS, endpoint=False)
    discs = points[:, None] + width[:, None, None] / 2 * np.column_stack([np.cos(angle), np.sin(angle)])
    pairs = np.concatenate([discs[:-1], discs[1:]], axis=1)
    pieces = hulls(pairs.reshape(-1, 2), np.full(len(pairs), 2 * NIB_CORNERS))
    return shapely.simplify(shapely.union_all(pieces), 0.004)


@dataclass(frozen=True)
class Nib:
    """A pen: how much of the paper shows through its ink, how its width varies, to what share it tapers at its ends,
    and how strong a second coat is where it presses."""

    opacity: float
    uneven: float
    tip: float
    coat: float

    def stroke(self, rng: np.random.Generator, points: Points, width: float, color: str) -> list[Layer]:
        """A line of about ``width`` mm through ``points`` (n, 2), a point every ``STEP_MM`` or so."""
        along = measure_along(points)
        press = wobble(rng, along, 6.0)
        ends = np.minimum(along, along[-1] - along) / (2.5 * width)
        taper = self.tip + (1 - self.tip) * np.clip(ends, 0, 1)
        wide = width * np.clip(1 + self.uneven * press, 0.6, 1.5) * taper
        layers = [(sweep(points, wide), Pen(fill=color, opacity=self.opacity))]
        pressed = np.flatnonzero((press > -0.3)[:-1] & (press > -0.3)[1:])
        runs = [run for run in np.split(pressed, np.flatnonzero(np.diff(pressed) > 1) + 1) if len(run) > 2]
        coats = [sweep(points[run], 0.62 * wide[run]) for run in runs]
        if coats and self.coat:
            layers.append((shapely.union_all(coats), Pen(fill=color, opacity=self.coat)))
        return layers


# Beneath both coats a little more of the print is left than the share from which it counts as hidden.
NIBS = {"ballpoint": Nib(0.7, 0.1, 0.65, 0.38), "felt": Nib(0.78, 0.06, 0.92, 0.17)}


def as_path(area: BaseGeometry) -> Path:
    """An area as closed rings, holes against the turn of what they lie in, so that any rule of filling leaves them."""
    parts = shapely.get_parts(area)
    parts = parts[(shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & (shapely.area(parts) > LEAST_AREA)]
    rings = shapely.get_rings(shapely.orient_polygons(parts))
    points, owner = shapely.get_coordinates(rings, return_index=True)
    begins, ends = np.diff(owner, prepend=-1) != 0, np.diff(owner, append=-1) != 0  # where it began
    codes = np.where(begins, MOVE, np.where(ends, CLOSE, LINE)).astype(np.uint8)
    return Path(codes, points[~ends])


def outline(area: BaseGeometry) -> Polygon:
    """One ring close around all parts of ``area``, without holes."""
    for gap in GAPS_MM:
        closed = area.buffer(gap).buffer(-gap) if gap else area
        whole = shapely.union(closed, area)
        if isinstance(whole, Polygon):
            break
    else:
        whole = area.convex_hull
    ring = Polygon(whole.exterior) if isinstance(whole, Polygon) else Polygon()
    return Polygon(np.round(shapely.get_coordinates(shapely.simplify(ring, RING_ERROR)), 6))


def _on_paper(area: BaseGeometry, paper: Polygon) -> BaseGeometry:
    """What of ``area`` lies on the paper, a rectangle."""
    (x0, y0, x1, y1), (left, top, right, bottom) = area.bounds, paper.bounds
    whole = x0 >= left and y0 >= top and x1 <= right and y1 <= bottom
    return area if whole else shapely.intersection(area, paper)


def drawing(
    board: PageContext,
    layers: Iterable[Layer],
    *,
    inside: BaseGeometry | None = None,
    around: BaseGeometry | None = None,
    text: str = "",
    trace: str | None = None,
) -> Drawing | None:
    """A drawing of ``layers`` in the order of painting, cut at the paper's edge; None where none is on the paper.
    ``inside``: what the ring holds besides the ink; ``around``: what holds all the ink, and gives the ring alone."""
    paper = shapely.box(0, 0, board.layout.width, board.layout.height)
    cut = [(_on_paper(area, paper), pen) for area, pen in layers]
    strokes = [(as_path(area), pen) for area, pen in cut]
    strokes = [(path, pen) for path, pen in strokes if len(path.codes)]
    if not strokes:
        return None
    whole = shapely.union_all([area for area, _ in cut]) if around is None else _on_paper(around, paper)
    if inside is not None:
        whole = shapely.union(whole, shapely.intersection(inside, paper))
    parts = [part for part in shapely.get_parts(whole) if isinstance(part, Polygon) and part.area > LEAST_AREA]
    ring = shapely.get_coordinates(outline(shapely.union_all(parts)))[:-1]
    return Drawing(tuple(strokes), ring, text, trace)
