"""What ties a note to a beat, by the note's pen: an arrow, a ring with a line to the note, an interval's bracket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import shapely
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Points
from ecgvec.geometry.path import CLOSE, MOVE, Path
from ecgvec.graphics.shapes import AddedInfo, Group, Pen, Shape
from ecgvec.marks.calipers import Calipers, Ends, Span
from ecgvec.marks.places import ANY, Target, targets
from ecgvec.marks.pointing import Arrow, Circle
from ecgvec.marks.strokes import outline, shake
from ecgvec.planning.model import Measure, PlannedNote
from ecgvec.rendering.scene.room import ROOM_MM, FreeSpace, Place, Turned
from ecgvec.warp.parts import generator

COVERS = 0.85  # opacity of ink: what is printed beneath shines through a little
UNREST = 0.07  # x-heights by which the hand strays from a line
BEATS, WAYS, SPANS = 6, 18, 40  # that are looked at for one note
TIP_MM = 1.6  # from a beat to an arrow's tip
ARROW_MM, TIE_MM = (8.0, 16.0), (2.0, 7.0)  # an arrow's length; that of a line from a ring to its note
LONGER = 1.8  # times as long as wished, where a note has to keep to the paper
NOTE_MM = 0.8  # from a line's end, or a bracket, to its note
EDGE_MM = 1.5  # from a pointer's lines to the paper's edge
GOOD = 1.5  # mm of print beneath that nobody looks further for
FAR = 0.15  # how much worse a mm of line is
ENDS: tuple[Ends, ...] = ("arrow", "tick", "plain")


@dataclass(frozen=True, eq=False)
class Pointer:
    """What is drawn to a note: the kind of mark, its ``lines`` (n, 2) mm in order, what its ring holds ``inside``
    besides the ink, and the id of the trace that it points out."""

    kind: str
    lines: tuple[Points, ...]
    trace: str | None
    inside: BaseGeometry | None = None

    @property
    def ground(self) -> BaseGeometry:
        """What it covers, and a little around."""
        drawn = [LineString(line) for line in self.lines]
        return shapely.union_all([*drawn, *([] if self.inside is None else [self.inside])]).buffer(0.5)


def place_by_beat(room: FreeSpace, note: PlannedNote) -> tuple[Place, Pointer] | None:
    """A place for a note near a beat, and what ties it to the beat, where the least lies beneath; None where the page
    shows no beat that has room for them."""
    rng = generator(note.seed)
    (shape,) = room.able(note)
    if note.measure is not None:
        return _bracketed(room, note, note.measure, shape, rng)
    find = _with_ring if note.pointer == "circle" else _with_arrow
    return find(room, note, shape, rng)


def _unrest(note: PlannedNote) -> float:
    return min(UNREST * note.x_height, 0.5)


def _with_arrow(
    room: FreeSpace, note: PlannedNote, shape: Turned, rng: np.random.Generator
) -> tuple[Place, Pointer] | None:
    best: tuple[float, Place, Points, Target] | None = None
    for target in _beats(room, rng):
        wish = rng.uniform(*ARROW_MM)
        for way in _ways(rng):
            place = _beside(room, shape, np.array(target.point) + (TIP_MM + wish + NOTE_MM) * way, way)
            shaft = _shaft(target.point, place.ground)
            if shaft is None or not ARROW_MM[0] * 0.6 < LineString(shaft).length < LONGER * wish:
                continue
            cost = _cost(room, place, LineString(shaft).buffer(0.8)) + FAR * LineString(shaft).length
            if best is None or cost < best[0]:
                best = (cost, place, shaft, target)
        if best is not None and best[0] < GOOD + FAR * LONGER * ARROW_MM[1]:
            break
    if best is None:
        return None
    _, place, (tail, tip), target = best
    length = float(np.hypot(*(tail - tip)))
    head = min(max(1.0, 0.9 * note.x_height), 0.4 * length)
    arrow = Arrow(length=max(5.0, length), head=max(1.0, head), unrest=_unrest(note))
    lines = tuple(arrow.shaft_and_head(generator(note.ink_seed), tip, tail))
    return _drawn(room, place, Pointer("arrow", lines, target.trace))


def _with_ring(
    room: FreeSpace, note: PlannedNote, shape: Turned, rng: np.random.Generator
) -> tuple[Place, Pointer] | None:
    ring = Circle(margin=1.8, unrest=_unrest(note))
    best: tuple[float, Place, Points, Points, Target] | None = None
    for target in _beats(room, rng):
        loop = ring.loop(rng, target)
        if not room.holds(LineString(loop), EDGE_MM):
            continue
        disc = Polygon(loop).convex_hull
        wish = rng.uniform(*TIE_MM)
        for way in _ways(rng):
            edge = _support(loop, way)
            place = _beside(room, shape, edge + (wish + NOTE_MM) * way, way)
            tie = shapely.get_coordinates(shapely.shortest_line(LineString(loop), place.ground))
            length = float(np.hypot(*(tie[1] - tie[0]))) - NOTE_MM
            if not TIE_MM[0] * 0.6 < length < LONGER * wish or place.ground.intersects(disc):
                continue
            tie[1] = tie[0] + (tie[1] - tie[0]) * length / (length + NOTE_MM)
            cost = _cost(room, place, LineString(tie).buffer(0.5)) + room.beneath(disc, True) + FAR * length
            if best is None or cost < best[0]:
                best = (cost, place, loop, tie, target)
        if best is not None and best[0] < GOOD + FAR * LONGER * TIE_MM[1]:
            break
    if best is None:
        return None
    _, place, loop, tie, target = best
    line = shake(generator(note.ink_seed), tie, 0.5 * _unrest(note))
    line += (tie[0] - line[0]) * np.linspace(1, 0, len(line))[:, None]  # so that it begins on the ring
    inside = shapely.make_valid(Polygon(loop))
    return _drawn(room, place, Pointer("circle", (loop, line), target.trace, inside))


def _bracketed(
    room: FreeSpace, note: PlannedNote, measure: Measure, shape: Turned, rng: np.random.Generator
) -> tuple[Place, Pointer] | None:
    bracket = Calipers(
        interval=measure.interval,
        seconds=measure.seconds,
        high=min(max(1.5, 1.5 * note.x_height), 6.0),
        ends=ENDS[int(rng.integers(len(ENDS)))],
        unrest=_unrest(note),
    )
    best: tuple[float, Place, Span] | None = None
    for span in islice(bracket.spans(room.board, rng), SPANS):
        for place in _beside_span(room, shape, span):
            if place.ground.intersects(span.area):
                continue
            cost = _cost(room, place, span.area)
            if best is None or cost < best[0]:
                best = (cost, place, span)
        if best is not None and best[0] < GOOD:
            break
    if best is None:
        return None
    _, place, span = best
    lines = tuple(bracket.lines(generator(note.ink_seed), span))
    return _drawn(room, place, Pointer("calipers", lines, span.trace))


def _drawn(room: FreeSpace, place: Place, pointer: Pointer) -> tuple[Place, Pointer] | None:
    """The two, unless a line strays from the paper."""
    return (place, pointer) if all(room.holds(LineString(line), EDGE_MM) for line in pointer.lines) else None


def _beats(room: FreeSpace, rng: np.random.Generator) -> Iterator[Target]:
    """Some beats that no other note points at."""
    free = (t for t in targets(room.board, "beat", ANY, 0.0, rng) if room.clear(t.point, TIP_MM + 1.0))
    return islice(free, BEATS)


def _ways(rng: np.random.Generator) -> Iterator[Points]:
    """Directions (2,) all around, in no order."""
    for angle in 2 * np.pi * (rng.permutation(WAYS) + rng.uniform(0, 1)) / WAYS:
        yield np.array([np.cos(angle), np.sin(angle)])


def _support(points: Points, way: Points) -> Points:
    """The point of ``points`` (n, 2) that lies furthest in the direction ``way``."""
    found: Points = points[int((points @ way).argmax())]
    return found


def _beside(room: FreeSpace, shape: Turned, near: Points, way: Points) -> Place:
    """A note that begins at ``near`` and lies in the direction ``way`` from it, as far as the paper allows."""
    half = np.array(shape.size) / 2
    reach = float(np.min(half / np.maximum(np.abs(way), 1e-9)))
    left, top = near + reach * way - half
    return room.on_paper(shape, float(left), float(top))


def _shaft(beat: tuple[float, float], ground: BaseGeometry) -> Points | None:
    """Tail and tip (2, 2) of an arrow from a note that covers ``ground`` to a beat; None where it lies upon it."""
    tail, point = shapely.get_coordinates(shapely.shortest_line(ground, shapely.Point(beat)))
    far = float(np.hypot(*(point - tail)))
    if far <= TIP_MM + NOTE_MM:
        return None
    way = (point - tail) / far
    return np.array([tail + NOTE_MM * way, point - TIP_MM * way])


def _beside_span(room: FreeSpace, shape: Turned, span: Span) -> Iterator[Place]:
    """Beyond the bracket as seen from its trace, to its right and to its left."""
    wide, high = shape.size
    middle = (span.top + span.bottom - high) / 2
    beyond = span.top - NOTE_MM - high if span.above else span.bottom + NOTE_MM
    yield room.on_paper(shape, (span.x0 + span.x1 - wide) / 2, beyond)
    yield room.on_paper(shape, span.x1 + 2 * NOTE_MM, middle)
    yield room.on_paper(shape, span.x0 - 2 * NOTE_MM - wide, middle)


def _cost(room: FreeSpace, place: Place, lines: BaseGeometry) -> float:
    """How much lies beneath a note and its pointer."""
    return room.beneath(place.ground.buffer(ROOM_MM)) + room.beneath(lines)


# On the page ---------------------------------------------------------------------------------------------------------


def pointer_group(note_id: str, note: PlannedNote, pointer: Pointer) -> Group:
    """The ink of a pointer: that of its note's nib, in its note's shade."""
    layers = _ink(note, pointer.lines)
    text = note.text if note.measure is not None else ""
    area = shapely.union_all([disc for path, _ in layers for disc in _filled(path)])
    ring = outline(area if pointer.inside is None else shapely.union(area, pointer.inside))
    info = AddedInfo(pointer.kind, text, pointer.trace, shapely.get_coordinates(ring)[:-1], False)
    data = {"kind": pointer.kind, "note": note_id, **({"text": text} if text else {})}
    data |= {"trace": pointer.trace} if pointer.trace is not None else {}
    name = f"{note_id}-{pointer.kind}"
    marks = []
    for i, (path, opacity) in enumerate(layers):
        pen = Pen(fill=note.shade, opacity=round(COVERS * opacity, 4))
        first = i == 0
        marks.append(
            Shape(
                name if first else f"{name}-{i}",
                "mark",
                path.round(),
                pen,
                data if first else {},
                info if first else None,
            )
        )
    return Group(f"{name}-group", "mark", tuple(marks))


def _ink(note: PlannedNote, lines: tuple[Points, ...]) -> list[tuple[Path, float]]:
    """The areas that the note's nib leaves along ``lines``, each with its opacity."""
    from ecgvec.handwriting.compose import pen_speed
    from ecgvec.handwriting.ink import ink
    from ecgvec.handwriting.writer import Note

    strokes = tuple(np.column_stack([line, pen_speed(line, note.x_height)]) for line in lines)
    none = tuple(np.zeros(len(line), dtype=np.int64) for line in lines)  # they write no characters
    found = ink(Note("-", strokes, none, note.style, note.x_height), note.nib, note.color, note.ink_seed)
    return [(layer.path, layer.opacity) for layer in found.layers]


def _filled(path: Path) -> list[BaseGeometry]:
    """What the rings of a closed path enclose, holes filled."""
    starts = np.flatnonzero(path.codes[path.codes != CLOSE] == MOVE)
    return [shapely.make_valid(Polygon(ring)) for ring in np.split(path.points, starts[1:])]
