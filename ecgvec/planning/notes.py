"""What is written on a page by hand: texts, hand, pen, size and place, and the strokes themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ecgvec._typing import Points
from ecgvec.geometry.affine import Affine
from ecgvec.geometry.path import Box
from ecgvec.geometry.units import px_per_mm
from ecgvec.handwriting.nibs import shade_of
from ecgvec.planning.model import PlannedNote
from ecgvec.planning.note_texts import (
    SIZES,
    Keys,
    Wanted,
    angle_of,
    choose_texts,
    draw_number,
    draw_seed,
    draw_value,
    neatness,
    place_of,
)
from ecgvec.planning.signature import sign_note
from ecgvec.recipe.options import NotesOptions
from ecgvec.rng import stream

if TYPE_CHECKING:  # the network is loaded with the first note, never without one
    from ecgvec.handwriting import Note, Writer
    from ecgvec.handwriting.ink import Ink

UNIT_MM = 12.5  # x-height of notes of size 1
EDGE_MM = 2.0  # from a note to the paper's edge, but where its offsets say otherwise
LINE_GAP, WORD_GAP = 0.6, (1.4, 3.0)  # x-heights from a line's ink to the next line's, and from a note to the next
LARGEST = 50.0  # mm of x-height that can be written


@dataclass(frozen=True)
class NotedSheet:
    """The paper that is written on, in mm, and the resolution that offsets in px are meant at."""

    width: float
    height: float
    dpi: float


class Order(NamedTuple):
    """A text to write: ``style`` and ``bias`` of the writer, ``x_height`` in mm."""

    text: str
    style: int
    bias: float
    seed: int
    x_height: float


@dataclass(frozen=True)
class Asked:
    """The notes that an image is to have, before they are written: by one hand, an order for each one wanted."""

    options: NotesOptions
    sheet: NotedSheet
    keys: Keys
    wanted: tuple[Wanted, ...]
    orders: tuple[Order, ...]
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Written:
    """The notes of one image, and what to tell the user about them."""

    notes: tuple[PlannedNote, ...] = ()
    messages: tuple[str, ...] = ()


def request_notes(options: NotesOptions, sheet: NotedSheet, dx: Sequence[str], keys: Keys) -> Asked:
    """The notes of an image that has any. ``dx``: codes of the record's diagnoses; ``keys`` are seed, image and
    variant, and each number has a stream of its own."""
    wanted, messages = choose_texts(options, dx, keys)
    size = UNIT_MM * draw_number(options.size, keys, "size")
    hand = _hand([one.text for one in wanted], keys) if wanted else 0
    orders = [
        Order(
            text=one.text,
            style=hand,
            bias=neatness(one, keys),
            seed=draw_seed(keys, f"{one.name}/seed"),
            x_height=min(round(SIZES[one.kind] * size, 3), LARGEST),
        )
        for one in wanted
    ]
    return Asked(options, sheet, keys, tuple(wanted), tuple(orders), messages)


def write_notes(asked: Sequence[Asked]) -> list[Written]:
    """What was asked for, of many images in one pass of the network: ten times as fast as one after another."""
    orders = [order for one in asked for order in one.orders]
    if not orders:
        return [Written(messages=one.messages) for one in asked]
    texts, styles, biases, seeds, heights = (list(column) for column in zip(*orders, strict=True))
    notes = iter(_writer().write(texts, styles, biases, seeds, heights))
    return [_planned(one, [next(notes) for _ in one.orders]) for one in asked]


def _planned(asked: Asked, notes: Sequence[Note]) -> Written:
    """The notes of an image with their pen and their places."""
    options, sheet, keys = asked.options, asked.sheet, asked.keys
    pen = str(draw_value(options.nib, keys, "nib")), str(draw_value(options.color, keys, "color"))
    shade = shade_of(pen[1], stream(*keys, "notes/shade"))
    each = zip(asked.wanted, notes, strict=True)
    found = [_planned_note(asked, wanted, note, pen, shade) for wanted, note in each]
    offsets = draw_number(options.x_offset, keys, "x_offset"), draw_number(options.y_offset, keys, "y_offset")
    placed = _placed(found, sheet, offsets, keys)
    return Written(placed, (*asked.messages, *_messages(found, placed)))


def _planned_note(asked: Asked, wanted: Wanted, note: Note, pen: tuple[str, str], shade: str) -> PlannedNote:
    """One note by the ``pen``, nib and colour; a signature signed."""
    options, keys = asked.options, asked.keys
    if wanted.kind == "signature":
        note = sign_note(note, stream(*keys, "notes/signature/shape"))
    place = place_of(wanted, options, keys)
    points = place == "beat" and wanted.kind == "note"
    return PlannedNote(
        kind=wanted.kind,
        text=note.text,
        measure=wanted.measure,
        origin=wanted.origin,
        style=note.style,
        x_height=note.x_height,
        nib=pen[0],
        color=pen[1],
        shade=shade,
        ink_seed=draw_seed(keys, f"{wanted.name}/ink"),
        place=place,
        pointer=str(draw_value(options.pointer, keys, f"{wanted.name}/pointer")) if points else None,  # type: ignore[arg-type]
        at=None,
        angle=angle_of(wanted, options, keys),
        seed=draw_seed(keys, f"{wanted.name}/place-seed"),
        strokes=tuple(tuple(tuple(point) for point in stroke.tolist()) for stroke in note.strokes),
        characters=tuple(tuple(owner.tolist()) for owner in note.characters),
        fallback=note.fallback,
        messages=note.messages,
    )


def comes(options: NotesOptions, keys: Keys) -> bool:
    """Whether an image has notes: by a stream of its own, as groups of parts have."""
    return bool(stream(*keys, "coin/notes").random() < options.probability)


def ink_note(note: PlannedNote) -> Ink:
    """The ink of a note, from the start of its baseline, not turned."""
    return _inked(note.model_copy(update={"at": None}))


@lru_cache(maxsize=256)  # the plan needs its extent, the scene its outlines
def _inked(note: PlannedNote) -> Ink:
    from ecgvec.handwriting.ink import ink
    from ecgvec.handwriting.writer import Note

    strokes = tuple(np.array(stroke, dtype=np.float64) for stroke in note.strokes)
    characters = tuple(np.array(owner, dtype=np.int64) for owner in note.characters)
    # A flourish is ink as if of one more character, of which nothing is told.
    text = f"{note.text} " if note.kind == "signature" else note.text
    found = ink(Note(text, strokes, characters, note.style, note.x_height), note.nib, note.color, note.ink_seed)
    letters = tuple(character for character in found.characters if character.index < len(note.text))
    return replace(found, characters=letters)


def turn_matrix(angle: float) -> Affine:
    """A turn about the origin by ``angle`` degrees counter-clockwise, as seen on paper."""
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return Affine(cos, -sin, sin, cos)


def ink_points(note: PlannedNote) -> Points:
    """The points (n, 2) of the ink's outlines in mm from the start of the baseline, not turned."""
    return np.concatenate([layer.path.points for layer in ink_note(note).layers])


def extent(note: PlannedNote, turn: float = 0.0) -> Box:
    """The box of a note's ink in mm from the start of its baseline, turned by its angle and by ``turn`` degrees."""
    points = turn_matrix(note.angle + turn)(ink_points(note))
    return Box(*points.min(axis=0).tolist(), *points.max(axis=0).tolist())


@cache
def _writer() -> Writer:
    from ecgvec.handwriting import Writer

    return Writer()


def _hand(texts: Sequence[str], keys: Keys) -> int:
    """One hand for all notes of an image: a person's that knows all the characters, where there is one."""
    hands = _writer().hands(texts)
    return hands[int(stream(*keys, "notes/style").integers(len(hands)))]


# Places --------------------------------------------------------------------------------------------------------------


def _placed(
    notes: Sequence[PlannedNote], sheet: NotedSheet, offsets: tuple[float, float], keys: Keys
) -> tuple[PlannedNote, ...]:
    """The notes that there is room for, those at the offsets in their lines."""
    lines = _Lines(sheet, offsets)
    for i, note in enumerate(notes):
        if note.place == "offset":
            lines.add(i, note, note.x_height * float(stream(*keys, f"notes/{i}/gap").uniform(*WORD_GAP)))
    at = lines.places()
    found = []
    for i, note in enumerate(notes):
        if i in at:
            found.append(note.model_copy(update={"at": at[i]}))
        elif note.place != "offset" and any(fits(note, sheet.width, sheet.height, turn) for turn in turns(note)):
            found.append(note)
    return tuple(found)


def turns(note: PlannedNote) -> tuple[float, ...]:
    """By how many degrees a note may be turned for its place: up and down along margins."""
    return (0.0, 90.0, -90.0) if note.place == "margin" else (0.0,)


def fits(note: PlannedNote, width: float, height: float, turn: float) -> bool:
    """Whether paper of that size in mm has room for a note, turned by ``turn`` degrees more."""
    box = extent(note, turn)
    return box.x1 - box.x0 <= width - 2 * EDGE_MM and box.y1 - box.y0 <= height - 2 * EDGE_MM


class _Lines:
    """Notes one after another from the offsets on, in lines: the ink of a line begins at its left and upper edge."""

    def __init__(self, sheet: NotedSheet, offsets: tuple[float, float]) -> None:
        self._sheet = sheet
        self._left, self._top = (offset / px_per_mm(sheet.dpi) for offset in offsets)
        self._x = self._left
        self._line: list[tuple[int, float, Box]] = []  # number, left edge, extent
        self._found: dict[int, tuple[float, float]] = {}

    def add(self, number: int, note: PlannedNote, gap: float) -> None:
        """Put a note on the line ``gap`` mm behind the last one, or on a new line; leave it out where none has room."""
        box, right = extent(note), self._sheet.width - EDGE_MM
        width = box.x1 - box.x0
        if self._line and self._x + gap + width > right:
            self._end(LINE_GAP * note.x_height)
        x = self._x + (gap if self._line else 0.0)
        line = [*self._line, (number, x, box)]
        if x + width <= right and self._top + _height(line) <= self._sheet.height - EDGE_MM:
            self._line, self._x = line, x + width

    def places(self) -> dict[int, tuple[float, float]]:
        """The left and upper edges of the notes that found room, by their numbers."""
        self._end(0.0)
        return self._found

    def _end(self, gap: float) -> None:
        """Place the notes of the line on one baseline, and go to the next line."""
        if self._line:
            base = self._top - min(box.y0 for _, _, box in self._line)
            self._found |= {number: (round(x, 5), round(base + box.y0, 4)) for number, x, box in self._line}
            self._top += _height(self._line) + gap
        self._line, self._x = [], self._left


def _height(line: Sequence[tuple[int, float, Box]]) -> float:
    return max(box.y1 for *_, box in line) - min(box.y0 for *_, box in line)


def _messages(found: Sequence[PlannedNote], placed: Sequence[PlannedNote]) -> list[str]:
    told = [f"the note '{note.text}' is set from plain letters" for note in placed if note.fallback]
    lost = len(found) - len(placed)
    if lost:
        many = f"{lost} of {len(found)} notes find" if len(found) > 1 else "the note finds"
        told.append(f"{many} no place on the page: lessen notes.size, notes.words or the offsets")
    return told
