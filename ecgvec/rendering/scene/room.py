"""Room on a page for what is written by hand: what stands there, what has been written, and how much lies beneath."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from ecgvec.errors import RecipeError
from ecgvec.geometry.affine import Affine
from ecgvec.geometry.path import Box
from ecgvec.graphics.shapes import Shape
from ecgvec.layout.place import Layout, TraceInfo
from ecgvec.marks.base import PageContext
from ecgvec.marks.places import OccupancyIndex
from ecgvec.planning.model import PlannedNote
from ecgvec.planning.notes import EDGE_MM, extent, fits, ink_points, turn_matrix, turns
from ecgvec.rendering.scene.added import boxes

ROOM_MM = 0.8  # kept free around a note in a free place
ON_NOTES = 100.0  # how much worse it is to lie on another note than on print


@dataclass(frozen=True, eq=False)
class Turned:
    """A note turned by ``angle`` degrees about the start of its baseline: its ink's ``box`` and ``hull``, in mm."""

    angle: float
    box: Box
    hull: BaseGeometry

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the ink."""
        return self.box.x1 - self.box.x0, self.box.y1 - self.box.y0

    def covers(self, left: float, top: float) -> BaseGeometry:
        """What the ink covers where it begins at ``left`` and ``top``: its hull."""
        return affinity.translate(self.hull, left - self.box.x0, top - self.box.y0)


@dataclass(frozen=True, eq=False)
class Place:
    """A place for a note, turned so, its ink from ``left`` and ``top`` on, in mm."""

    note: Turned
    left: float
    top: float

    @property
    def ground(self) -> BaseGeometry:
        """What the note covers there."""
        return self.note.covers(self.left, self.top)

    @property
    def affine(self) -> Affine:
        """From the note's own mm to the page's."""
        turn, box = turn_matrix(self.note.angle), self.note.box
        return replace(turn, e=self.left - box.x0, f=self.top - box.y0)


class FreeSpace:
    """What stands on a page, and what has been written on it so far. ``board``: the page with its traces; ``lines``:
    the points (n, 2) mm of each trace that has any."""

    def __init__(self, layout: Layout, marks: Sequence[Shape]) -> None:
        self.width, self.height = layout.width, layout.height
        traces = {mark.id: mark.info for mark in marks if isinstance(mark.info, TraceInfo)}
        others = boxes([mark for mark in marks if mark.role not in ("trace", "trace-ghost")])
        self.board = PageContext(layout, traces, tuple(others), "", {}, ())
        self._crowd = OccupancyIndex(self.board)
        lines = [info.points[np.isfinite(info.points).all(axis=1)] for info in traces.values()]
        self.lines = [line for line in lines if len(line)]
        self._written: list[BaseGeometry] = []

    def take(self, ground: BaseGeometry) -> None:
        """Remember that ``ground`` has been written on."""
        self._written.append(ground)

    def clear(self, point: tuple[float, float], far: float) -> bool:
        """Whether nothing has been written within ``far`` mm of a point."""
        return not any(other.dwithin(shapely.Point(point), far) for other in self._written)

    def beneath(self, ground: BaseGeometry, across: bool = False) -> float:
        """How much of other notes, and unless it is ``across`` print, lies beneath ``ground``."""
        others = float(sum(other.intersection(ground).area for other in self._written))
        return ON_NOTES * others + (0.0 if across else self._crowd.beneath(ground))

    def able(self, note: PlannedNote) -> list[Turned]:
        """The note in each turn that the paper has room for; RecipeError where there is none."""
        able = [turn_note(note, turn) for turn in turns(note) if fits(note, self.width, self.height, turn)]
        if not able:
            raise RecipeError(f"the note '{note.text}' is larger than the page: lessen notes.size or enlarge the paper")
        return able

    def on_paper(self, shape: Turned, left: float, top: float) -> Place:
        """The place nearest to one on the paper, EDGE_MM from its edges."""
        wide, high = shape.size
        x = min(max(left, EDGE_MM), self.width - EDGE_MM - wide)
        y = min(max(top, EDGE_MM), self.height - EDGE_MM - high)
        return Place(shape, round(x, 5), round(y, 4))

    def holds(self, drawn: BaseGeometry, margin: float) -> bool:
        """Whether ``drawn`` lies on the paper, ``margin`` mm from its edges."""
        x0, y0, x1, y1 = drawn.bounds
        return bool(min(x0, y0) >= margin and x1 <= self.width - margin and y1 <= self.height - margin)


def turn_note(note: PlannedNote, turn: float) -> Turned:
    """A note turned by its own angle and by ``turn`` degrees more."""
    angle = note.angle + turn
    hull = shapely.MultiPoint(turn_matrix(angle)(ink_points(note))).convex_hull
    return Turned(angle, extent(note, turn), hull)
