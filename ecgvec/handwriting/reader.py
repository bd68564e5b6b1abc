"""A small reader of single letters and digits, in NumPy: what the network wrote is read before it is kept.

Letters are cut out of a line and read in tiles of a fixed number, so that all matrices have one shape, whatever is read
beside: a letter's opinion is the same bits in any company."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ecgvec._typing import Float32Array, Float64Array, Int64Array
from ecgvec.errors import SourceError, one_line
from ecgvec.handwriting.charset import DIGITS, LOWER, UPPER
from ecgvec.handwriting.recurrent import read_arrays

FORMAT = "ecgvec-handwriting-reader-1"
SHIPPED = Path(__file__).resolve().parent / "weights" / "reader.safetensors"

_TILE = 16  # letters; so many columns give the same bits in every column on all kinds of CPU tried
_LOOKS = ("look0", "look1", "look2")


class Reader:
    """The reader with its weights: a safetensors file of `ecgvec train handwriting-reader`; SourceError for another."""

    def __init__(self, path: Path = SHIPPED) -> None:
        arrays, about = read_arrays(path, FORMAT)
        try:
            if about["classes"] != CLASSES:
                raise ValueError("its classes are not those of this version")
            layers = {name: _layer(arrays, name) for name in (*_LOOKS, "dense", "out")}
            _check(layers)
        except (KeyError, ValueError) as error:
            raise SourceError(
                f"{path} holds no reader of letters ({one_line(error)}): train or fetch it anew"
            ) from error
        self._looks, self._dense, self._out = [layers[name] for name in _LOOKS], layers["dense"], layers["out"]

    def likely(self, texts: Sequence[Sequence[Letter]]) -> list[float]:
        """How likely the letters of each text are what they should be: their mean log-probability, 0 without any."""
        letters = [letter for text in texts for letter in text]
        found, start = [], 0
        opinions = self.opinions(letters)
        for text in texts:
            own = opinions[start : start + len(text)]
            start += len(text)
            wanted = np.array([_NUMBERS[letter.character] for letter in text], dtype=np.int64)
            found.append(float(own[np.arange(len(text)), wanted].mean()) if text else 0.0)
        return found

    def opinions(self, letters: Sequence[Letter]) -> Float32Array:
        """Log-probabilities (n, classes) of each letter. Let BLAS run on one thread meanwhile."""
        found = [np.zeros((0, len(CLASSES)), dtype=np.float32)]
        for first in range(0, len(letters), _TILE):
            some = letters[first : first + _TILE]
            maps = np.zeros((_TILE, MAPS, SIZE, SIZE), dtype=np.float32)
            maps[: len(some)] = pictures(ink_of(some, even=False))
            found.append(self._tile(maps)[: len(some)])
        return np.concatenate(found)

    def _tile(self, x: Float32Array) -> Float32Array:
        """Maps (_TILE, MAPS, SIZE, SIZE) to log-probabilities (_TILE, classes)."""
        for weight, bias in self._looks:
            x = _conv_relu_pool(x, weight, bias)
        columns = np.ascontiguousarray(x.reshape(_TILE, -1).T)
        for weight, bias in (self._dense, self._out):
            columns = weight @ np.maximum(columns, 0) + bias
        rows = np.ascontiguousarray(columns.T)
        rows -= rows.max(axis=1, keepdims=True)
        opinions: Float32Array = rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))
        return opinions


def _layer(arrays: dict[str, Float32Array], name: str) -> tuple[Float32Array, Float32Array]:
    """(weight (out, in), bias (out, 1))"""
    weight, bias = (np.ascontiguousarray(arrays[f"{name}.{part}"], dtype=np.float32) for part in ("weight", "bias"))
    return weight, bias.reshape(len(weight), 1)


def _check(layers: dict[str, tuple[Float32Array, Float32Array]]) -> None:
    """ValueError where the layers do not fit each other."""
    size, columns = MAPS, 9
    for name, (weight, _) in layers.items():
        if name == "dense":
            columns = (SIZE // 8) ** 2
        if weight.shape[1] != size * columns:
            raise ValueError(f"its layer '{name}' has {weight.shape[1]} inputs, not {size * columns}")
        size, columns = len(weight), 1 if name in ("dense", "out") else 9
    if size != len(CLASSES):
        raise ValueError(f"it tells {size} classes, not {len(CLASSES)}")


def _conv_relu_pool(x: Float32Array, weight: Float32Array, bias: Float32Array) -> Float32Array:
    """Maps (n, c, s, s) under 3 x 3 windows, the greatest of 2 x 2, and what is positive of it: (n, d, s/2, s/2)."""
    n, maps, size, _ = x.shape
    wide = np.zeros((n, maps, size + 2, size + 2), dtype=np.float32)
    wide[:, :, 1:-1, 1:-1] = x
    seen = np.empty((n, maps, 9, size, size), dtype=np.float32)
    for place in range(9):
        down, right = divmod(place, 3)
        seen[:, :, place] = wide[:, :, down : down + size, right : right + size]
    out = (weight @ seen.reshape(n, maps * 9, size * size)).reshape(n, -1, size // 2, 2, size)
    tall = np.maximum(out[:, :, :, 0], out[:, :, :, 1])
    pooled = np.maximum(tall[..., 0::2], tall[..., 1::2])
    positive: Float32Array = np.maximum(pooled + bias[:, :, None], np.float32(0.0))
    return positive


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
_NUMBERS = {character: number for number, name in enumerate(CLASSES) for character in name}


class Ink(NamedTuple):
    """The points of ``total`` letters: ``at`` (n, 2) in x-heights, ``stroke`` (n,) never falling, ``letter`` (n,)."""

    at: Float64Array
    stroke: Int64Array
    letter: Int64Array
    total: int


def cut_letters(text: str, strokes: Sequence[tuple[Float64Array, Int64Array]], person: str = "") -> list[Letter]:
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


def pick_letters(ink: Ink, rows: Int64Array) -> Ink:
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
