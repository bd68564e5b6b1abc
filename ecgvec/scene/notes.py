"""The handwritten notes of a plan on the page: where each finds its place, and its ink."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from ecgvec.drawing.nodes import Group, Mark, Pen, TextInfo, TraceInfo
from ecgvec.errors import RecipeError
from ecgvec.geometry.affine import Affine
from ecgvec.geometry.path import Path, joined, round_points
from ecgvec.layout.place import Box, Layout
from ecgvec.marks.base import Board
from ecgvec.marks.places import Crowd
from ecgvec.plan.model import PlannedNote
from ecgvec.plan.notes import EDGE_MM, extent, fits, ink_points, inked, turned, turns
from ecgvec.scene.added import boxes
from ecgvec.warp.parts import generator

COVERS = 0.85  # opacity of ink: what is printed beneath shines through a little
ROOM_MM = 0.8  # kept free around a note in a free place
TRIES = 120  # places that are looked at for one note
GAP_MM = (0.8, 4.0)  # from a trace to the note about it
ON_NOTES = 100.0  # how much worse it is to lie on another note than on print


@dataclass(frozen=True, eq=False)
class _Turned:
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
class _Place:
    """A place for a note, turned so, its ink from ``left`` and ``top`` on, in mm."""

    note: _Turned
    left: float
    top: float

    @property
    def ground(self) -> BaseGeometry:
        """What the note covers there."""
        return self.note.covers(self.left, self.top)

    @property
    def affine(self) -> Affine:
        """From the note's own mm to the page's."""
        turn, box = turned(self.note.angle), self.note.box
        return replace(turn, e=self.left - box.x0, f=self.top - box.y0)


def notes(planned: Sequence[PlannedNote], layout: Layout, printed: Sequence[Group | None]) -> list[Group]:
    """A group for each note, in the plan's order. ``printed``: all that stands on the page before anybody writes."""
    if not planned:
        return []
    page = _Page(layout, [mark for group in printed if group is not None for mark in group.marks])
    return [_group(i, note, page.put(note)) for i, note in enumerate(planned)]


def _group(number: int, note: PlannedNote, to_page: Affine) -> Group:
    """The ink of a note; ``to_page`` sends the note's own mm to the page's."""
    name = f"note-{number}"
    marks = []
    for i, layer in enumerate(inked(note).layers):
        pen = Pen(fill=note.shade, opacity=round(COVERS * layer.opacity, 4))
        marks.append(Mark(f"{name}-{i}" if i else name, "note", layer.path.mapped(to_page).rounded(), pen))
    data = {"text": note.text, "style": note.style, "nib": note.nib, "colour": note.colour}
    data |= {"fallback": "true"} if note.fallback else {}
    info = _info(note, joined(mark.path for mark in marks), to_page)
    return Group(f"{name}-group", "note", (replace(marks[0], data=data, info=info), *marks[1:]))


def _info(note: PlannedNote, outline: Path, to_page: Affine) -> TextInfo:
    (x0, y0), (x1, y1) = (f(ink_points(note), axis=0) for f in (np.min, np.max))
    quad = round_points(to_page(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])))
    rings = tuple((c.character, round_points(to_page(c.ring))) for c in inked(note).characters)
    return TextInfo(note.text, Box(*outline.bounds()), outline, quad, rings)


class _Page:
    """What stands on a page, and the notes that have been written on it so far."""

    def __init__(self, layout: Layout, marks: Sequence[Mark]) -> None:
        self._width, self._height = layout.width, layout.height
        traces = {mark.id: mark.info for mark in marks if isinstance(mark.info, TraceInfo)}
        others = boxes([mark for mark in marks if mark.role not in ("trace", "trace-ghost")])
        self._crowd = Crowd(Board(layout, traces, tuple(others), "", {}, ()))
        lines = [info.points[np.isfinite(info.points).all(axis=1)] for info in traces.values()]
        self._lines = [line for line in lines if len(line)]
        self._written: list[BaseGeometry] = []

    def put(self, note: PlannedNote) -> Affine:
        """From a note's own mm to its place on the page, which then is taken."""
        place = self._best(note) if note.at is None else _Place(_turned(note, 0.0), *note.at)
        self._written.append(place.ground)
        return place.affine

    def _best(self, note: PlannedNote) -> _Place:
        """The first place that is free, or of some the one with the least beneath."""
        best, least = None, np.inf
        for place in self._candidates(note):
            score = self._beneath(place.ground.buffer(ROOM_MM), note.place == "across")
            if best is None or score < least:
                best, least = place, score
            if score == 0:
                break
        assert best is not None
        return best

    def _beneath(self, ground: BaseGeometry, across: bool) -> float:
        """How much of other notes, and unless it is ``across`` print, lies beneath ``ground``."""
        others = float(sum(other.intersection(ground).area for other in self._written))
        return ON_NOTES * others + (0.0 if across else self._crowd.beneath(ground))

    def _candidates(self, note: PlannedNote) -> Iterator[_Place]:
        rng = generator(note.seed)
        able = [_turned(note, turn) for turn in turns(note) if fits(note, self._width, self._height, turn)]
        if not able:
            raise RecipeError(f"the note '{note.text}' is larger than the page: lessen notes.size or enlarge the paper")
        for _ in range(TRIES):
            shape = able[int(rng.integers(len(able)))]
            if note.place == "margin":
                yield self._in_margin(shape, shape.angle != note.angle, rng)
            else:
                yield self._by_trace(shape, note.place == "across", rng)

    def _by_trace(self, shape: _Turned, across: bool, rng: np.random.Generator) -> _Place:
        """Above or below a trace, or across it, anywhere along it; anywhere on a page without traces."""
        wide, high = shape.size
        if not self._lines:
            return self._on_paper(shape, rng.uniform(0, self._width), rng.uniform(0, self._height))
        line = self._lines[int(rng.integers(len(self._lines)))]
        x, y = line[int(rng.integers(len(line)))].tolist()
        if across:
            return self._on_paper(shape, x - wide / 2, y - high * rng.uniform(0, 1))
        near = line[np.abs(line[:, 0] - x) <= wide / 2, 1]
        gap, above = rng.uniform(*GAP_MM), rng.random() < 0.5
        return self._on_paper(shape, x - wide / 2, near.min() - gap - high if above else near.max() + gap)

    def _in_margin(self, shape: _Turned, upright: bool, rng: np.random.Generator) -> _Place:
        """Along the left or the right edge, turned to run up or down, or along the lower edge."""
        x, y = rng.uniform(0, self._width), rng.uniform(0, self._height)
        if not upright:
            return self._on_paper(shape, x, self._height)
        return self._on_paper(shape, 0.0 if rng.random() < 0.5 else self._width, y)

    def _on_paper(self, shape: _Turned, left: float, top: float) -> _Place:
        """The place nearest to one on the paper, EDGE_MM from its edges."""
        wide, high = shape.size
        x = min(max(left, EDGE_MM), self._width - EDGE_MM - wide)
        y = min(max(top, EDGE_MM), self._height - EDGE_MM - high)
        return _Place(shape, round(x, 5), round(y, 4))


def _turned(note: PlannedNote, turn: float) -> _Turned:
    angle = note.angle + turn
    hull = shapely.MultiPoint(turned(angle)(ink_points(note))).convex_hull
    return _Turned(angle, extent(note, turn), hull)
