"""Single letters and digits as a reader of them sees them: cut out of a line, and drawn as small maps.

A letter is five maps: where its ink lies, and the ink of each of four directions (level, falling, upright, rising),
whichever way the pen went. All of it can be seen in the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ecgvec._typing import Float32Array, Float64Array, Int64Array
from ecgvec.handwriting.charset import DIGITS, LOWER, UPPER

ALPHABET = DIGITS + UPPER + LOWER
LOOK_ALIKES = ("0Oo", "1Il", "Cc", "Kk", "Pp", "Ss", "Uu", "Vv", "Ww", "Xx", "Zz", "9gq")
SIZE = 24  # pixels a side
SCALE = 6.0  # pixels an x-height
BASELINE = 15.5  # pixels from the top: room for 2.6 x-heights above and 1.4 below
SPACING = 0.06  # x-heights from point to point
_DOT_POINTS = 10  # a stroke of more is no dot
MAPS = 5  # all ink, and that of four directions

Strokes = list[Float64Array]


class Letter(NamedTuple):
    """One drawing of one character, strokes (n, 2) in x-heights over the baseline, and who drew it."""

    character: str
    strokes: Strokes
    person: str


def class_of(character: str) -> str:
    """The class that a character is read as."""
    return next((group for group in LOOK_ALIKES if character in group), character)


CLASSES = sorted({class_of(c) for c in ALPHABET})


class Ink(NamedTuple):
    """The points of ``total`` letters: ``at`` (n, 2) in x-heights, ``stroke`` (n,) never falling, ``letter`` (n,)."""

    at: Float64Array
    stroke: Int64Array
    letter: Int64Array
    total: int


def cut(text: str, strokes: Sequence[tuple[Float64Array, Int64Array]], person: str = "") -> list[Letter]:
    """The letters and digits of a text; ``strokes``: points (n, 2) in x-heights, and the character of each (n,)."""
    found = []
    for index, character in enumerate(text):
        if character in ALPHABET:
            parts = [part for points, owner in strokes if len(part := points[owner == index])]
            if parts:
                found.append(Letter(character, parts, person))
    return found


def ink_of(letters: Sequence[Letter], even: bool = True) -> Ink:
    """All points of at least one letter, SPACING apart; a dot is a point twice.

    Not ``even``: points as they are. An eighth of an x-height apart, as the network writes, they draw all but the same
    maps, and need no time.
    """
    parts = [[_even(stroke) if even else _as_it_is(stroke) for stroke in letter.strokes] for letter in letters]
    strokes = [stroke for part in parts for stroke in part]
    sizes = [sum(len(stroke) for stroke in part) for part in parts]
    numbers = np.repeat(np.arange(len(strokes)), [len(stroke) for stroke in strokes])
    return Ink(np.concatenate(strokes), numbers, np.repeat(np.arange(len(parts)), sizes), len(parts))


def _even(stroke: Float64Array) -> Float64Array:
    lengths = np.hypot(*np.diff(stroke, axis=0).T)
    arc = np.concatenate([[0.0], np.cumsum(lengths[lengths > 0])])
    if arc[-1] < SPACING:
        return np.repeat(stroke[:1], 2, axis=0)
    known = stroke[np.concatenate([[True], lengths > 0])]
    at = np.linspace(0.0, arc[-1], round(arc[-1] / SPACING) + 1)
    return np.column_stack([np.interp(at, arc, known[:, axis]) for axis in (0, 1)])


def _as_it_is(stroke: Float64Array) -> Float64Array:
    is_dot = len(stroke) < _DOT_POINTS and np.hypot(*np.diff(stroke, axis=0).T).sum() < SPACING
    return np.repeat(stroke[:1], 2, axis=0) if is_dot else stroke


def picked(ink: Ink, rows: Int64Array) -> Ink:
    """The letters of these numbers, in this order, one of them as often as it is named."""
    sizes = np.bincount(ink.letter, minlength=ink.total)
    first = np.cumsum(sizes) - sizes
    counts = sizes[rows]
    ends = np.cumsum(counts)
    source = np.arange(counts.sum()) + np.repeat(first[rows] - (ends - counts), counts)
    letter = np.repeat(np.arange(len(rows)), counts)
    begins = (np.diff(ink.stroke[source]) != 0) | (np.diff(letter) != 0)
    return Ink(ink.at[source], np.concatenate([[0], np.cumsum(begins)]), letter, len(rows))


def pictures(ink: Ink, rng: np.random.Generator | None = None) -> Float32Array:
    """(total, MAPS, SIZE, SIZE) from 0 to 1, each letter in the middle; ``rng`` shifts it, varies the pen.

    Without ``rng`` a letter's maps are the same bits whatever stands beside it.
    """
    low, high = np.full(ink.total, np.inf), np.full(ink.total, -np.inf)
    np.minimum.at(low, ink.letter, ink.at[:, 0])
    np.maximum.at(high, ink.letter, ink.at[:, 0])
    shift = np.zeros(ink.total) if rng is None else rng.normal(0, 0.8, ink.total)
    offset = SIZE / 2 - 0.5 + shift - (low + high) / 2 * SCALE
    at = ink.at * SCALE + np.column_stack([offset[ink.letter], np.full(len(ink.at), BASELINE)])
    within = np.diff(ink.stroke) == 0
    step, middle, letter = np.diff(at, axis=0)[within], ((at[1:] + at[:-1]) / 2)[within], ink.letter[1:][within]
    maps = _spread(middle, _shares(step), letter, ink.total)
    radius, gain = (0.85, 1.6) if rng is None else (rng.uniform(0.6, 1.2), rng.uniform(1.2, 2.2))
    whole: Float32Array = np.minimum(_blurred(maps, float(radius)) * np.float32(gain), np.float32(1.0))
    return whole


def _shares(step: Float64Array) -> Float64Array:
    """What each step (n, 2) gives to each map: (n, MAPS). The cosine of twice the angle to a direction, if positive."""
    square = step * step
    whole = square[:, 0] + square[:, 1]
    dot = whole < 1e-8
    safe = np.where(dot, 1.0, whole)
    level, falling = (square[:, 0] - square[:, 1]) / safe, 2 * step[:, 0] * step[:, 1] / safe
    shares = [np.where(dot, 0.35, np.maximum(0.0, part)) for part in (level, falling, -level, -falling)]
    return np.stack([np.ones(len(step)), *shares], axis=1) * np.sqrt(safe)[:, None]


def _spread(at: Float64Array, weights: Float64Array, letter: Int64Array, count: int) -> Float32Array:
    """Weights (n, maps) at places (n, 2) in pixels, shared among the four pixels around: (count, maps, SIZE, SIZE)."""
    corner = np.floor(at).astype(np.int64)
    part = at - corner
    room, maps = SIZE + 2, weights.shape[1]  # a rim for what lies outside
    found = np.zeros(count * maps * room * room)
    first = (letter[:, None] * maps + np.arange(maps)) * room * room
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
        share = np.abs(1 - right - part[:, 0]) * np.abs(1 - down - part[:, 1])
        column, row = np.clip(corner + np.array([right + 1, down + 1]), 0, room - 1).T
        np.add.at(found, first + (row * room + column)[:, None], weights * share[:, None])
    return np.ascontiguousarray(found.reshape(count, maps, room, room)[:, :, 1:-1, 1:-1], dtype=np.float32)


def _blurred(maps: Float32Array, radius: float) -> Float32Array:
    """Maps under a Gaussian of this radius in pixels, cut off at two pixels."""
    near, far = (np.float32(np.exp(-0.5 * (away / radius) ** 2)) for away in (1, 2))
    for axis in (2, 3):
        rim = [(0, 0)] * 4
        rim[axis] = (2, 2)
        wide = np.moveaxis(np.pad(maps, rim), axis, 0)
        a, b, c, d, e = (wide[start : start + SIZE] for start in range(5))
        maps = np.moveaxis((c + near * (b + d) + far * (a + e)) / (1 + 2 * near + 2 * far), 0, axis)
    return np.ascontiguousarray(maps)
