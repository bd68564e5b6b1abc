"""The handwritten notes of a plan on the page: where each finds its place, its ink, and what ties it to a beat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ecgvec.geometry.affine import Affine
from ecgvec.geometry.path import Box, Path, join, round_points
from ecgvec.graphics.shapes import Group, Pen, Shape, TextInfo
from ecgvec.layout.place import Layout
from ecgvec.planning.model import PlannedNote
from ecgvec.planning.notes import ink_note, ink_points
from ecgvec.rendering.scene.pointers import COVERS, place_by_beat, pointer_group
from ecgvec.rendering.scene.room import ROOM_MM, FreeSpace, Place, Turned, turn_note
from ecgvec.warp.parts import generator

TRIES = 120  # places that are looked at for one note
GAP_MM = (0.8, 4.0)  # from a trace to the note about it
# Where people sign, as shares of the room that the page has for it: from left to right, from top to bottom.
SIGNED = {"lower-right": ((0.7, 1.0), (0.72, 1.0)), "head": ((0.3, 1.0), (0.0, 0.12))}


def draw_notes(planned: Sequence[PlannedNote], layout: Layout, printed: Sequence[Group | None]) -> list[Group]:
    """The groups of each note, in the plan's order: its pointer, if it has one, and its letters. ``printed``: all that
    stands on the page before anybody writes."""
    if not planned:
        return []
    room = FreeSpace(layout, [mark for group in printed if group is not None for mark in group.shapes])
    return [group for i, note in enumerate(planned) for group in _put(room, f"note-{i}", note)]


def _put(room: FreeSpace, name: str, note: PlannedNote) -> list[Group]:
    """A note at its place on the page, which then is taken, and what ties it to a beat."""
    found = place_by_beat(room, note) if note.place == "beat" else None
    if found is not None:
        place, pointer = found
        room.take(place.ground.union(pointer.ground))
        return [pointer_group(name, note, pointer), _group(name, note, place.affine)]
    place = _best(room, note) if note.at is None else Place(turn_note(note, 0.0), *note.at)
    room.take(place.ground)
    return [_group(name, note, place.affine)]


def _group(name: str, note: PlannedNote, to_page: Affine) -> Group:
    """The ink of a note; ``to_page`` sends the note's own mm to the page's."""
    marks = []
    for i, layer in enumerate(ink_note(note).layers):
        pen = Pen(fill=note.shade, opacity=round(COVERS * layer.opacity, 4))
        marks.append(Shape(f"{name}-{i}" if i else name, "note", layer.path.transform(to_page).round(), pen))
    data = {"text": note.text, "style": note.style, "nib": note.nib, "color": note.color}
    data |= {"kind": note.kind} if note.kind != "note" else {}
    data |= {"fallback": "true"} if note.fallback else {}
    info = _info(note, join(mark.path for mark in marks), to_page)
    return Group(f"{name}-group", "note", (replace(marks[0], data=data, info=info), *marks[1:]))


def _info(note: PlannedNote, outline: Path, to_page: Affine) -> TextInfo:
    (x0, y0), (x1, y1) = (f(ink_points(note), axis=0) for f in (np.min, np.max))
    quad = round_points(to_page(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])))
    rings = tuple((c.character, round_points(to_page(c.ring))) for c in ink_note(note).characters)
    return TextInfo(note.text, Box(*outline.bounds()), outline, quad, rings, note.kind)


def _best(room: FreeSpace, note: PlannedNote) -> Place:
    """The first place that is free, or of some the one with the least beneath."""
    best, least = None, np.inf
    for place in _candidates(room, note):
        score = room.beneath(place.ground.buffer(ROOM_MM), note.place == "across")
        if best is None or score < least:
            best, least = place, score
        if score == 0:
            break
    assert best is not None
    return best


def _candidates(room: FreeSpace, note: PlannedNote) -> Iterator[Place]:
    rng, able = generator(note.seed), room.able(note)
    for _ in range(TRIES):
        shape = able[int(rng.integers(len(able)))]
        if note.place == "margin":
            yield _in_margin(room, shape, shape.angle != note.angle, rng)
        elif note.place in SIGNED:
            yield _signed(room, shape, note.place, rng)
        else:
            yield _by_trace(room, shape, note.place == "across", rng)


def _by_trace(room: FreeSpace, shape: Turned, across: bool, rng: np.random.Generator) -> Place:
    """Above or below a trace, or across it, anywhere along it; anywhere on a page without traces."""
    wide, high = shape.size
    if not room.lines:
        return room.on_paper(shape, rng.uniform(0, room.width), rng.uniform(0, room.height))
    line = room.lines[int(rng.integers(len(room.lines)))]
    x, y = line[int(rng.integers(len(line)))].tolist()
    if across:
        return room.on_paper(shape, x - wide / 2, y - high * rng.uniform(0, 1))
    near = line[np.abs(line[:, 0] - x) <= wide / 2, 1]
    gap, above = rng.uniform(*GAP_MM), rng.random() < 0.5
    return room.on_paper(shape, x - wide / 2, near.min() - gap - high if above else near.max() + gap)


def _in_margin(room: FreeSpace, shape: Turned, upright: bool, rng: np.random.Generator) -> Place:
    """Along the left or the right edge, turned to run up or down, or along the lower edge."""
    x, y = rng.uniform(0, room.width), rng.uniform(0, room.height)
    if not upright:
        return room.on_paper(shape, x, room.height)
    return room.on_paper(shape, 0.0 if rng.random() < 0.5 else room.width, y)


def _signed(room: FreeSpace, shape: Turned, place: str, rng: np.random.Generator) -> Place:
    """Where people sign: at the lower right, or beside the header."""
    across, down = SIGNED[place]
    wide, high = shape.size
    left, top = rng.uniform(*across) * (room.width - wide), rng.uniform(*down) * (room.height - high)
    return room.on_paper(shape, float(left), float(top))
