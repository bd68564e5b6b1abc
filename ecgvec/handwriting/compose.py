"""A line of writing put together from strokes: room between characters, the speed of the pen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ecgvec._typing import BoolArray, Float64Array, Int64Array, Points
from ecgvec.handwriting.charset import LOWER
from ecgvec.handwriting.glyphs import DENSE, DOT, Glyph, Hand

# The arc length from point to point. The chord of a bow of radius 0.2 is off by a hundredth at this step, and each
# point saved is a step less to learn, to train and to write.
STEP = 1 / 8

DRAW, UP, BLANK = 0, 1, 2  # after the point the pen goes on, is lifted; the point itself is a blank, without ink

LETTER_GAP = (0.10, 0.22)
WORD_GAP = (0.55, 0.80)
LARGEST_SLANT = 0.25
_OVERLAP = 0.35  # how far a letter's box may reach under its neighbour's ("Ty", "7.")
_BANDS = np.arange(-2.6, 1.4, 0.15)  # ink is kept apart in bands of this height


@dataclass(frozen=True, eq=False)
class Line:
    """A written line of ``text``.

    ``points`` (n, 2) in x-heights; ``pen`` (n,) DRAW, UP or BLANK; ``character`` (n,) the index in ``text`` of the
    character that each point belongs to, never falling, each one at least once.
    """

    text: str
    points: Points
    pen: Int64Array
    character: Int64Array

    def strokes(self) -> list[Points]:
        """The ink alone: a list of (n, 2)."""
        return strokes_of(self.points, self.pen)


def strokes_of(points: Points, pen: Int64Array) -> list[Points]:
    """Points (n, 2) with their pen states (n,) as separate strokes, blanks left out."""
    return [points[rows] for rows in stroke_rows(pen)]


def stroke_rows(pen: Int64Array) -> list[Int64Array]:
    """Of points with these pen states (n,) the numbers of those of each stroke, blanks left out."""
    parts = np.split(np.arange(len(pen)), np.flatnonzero(pen != DRAW) + 1)
    return [rows for part in parts if len(rows := part[pen[part] != BLANK])]


def compose(hand: Hand, text: str, rng: np.random.Generator) -> Line:
    """``text`` as ``hand`` could write it; KeyError for a character that it has not."""
    setter = _Setter(rng, joined=hand.kind != "digits" and rng.random() < (0.4 if hand.kind == "person" else 0.15))
    for index, character in enumerate(text):
        if character == " ":
            setter.space(index)
        else:
            samples = hand.glyphs[character]
            glyph = samples[int(rng.integers(len(samples)))]
            setter.put(_warped(glyph, rng), glyph.stroke, index, character)
    points, stroke, owner, blank = setter.dense()
    points[:, 0] -= points[:, 1] * LARGEST_SLANT * rng.beta(1.2, 4.0)
    return resample(text, points, stroke, owner, blank)


def _warped(glyph: Glyph, rng: np.random.Generator) -> Points:
    """The glyph's points under a small affine map and three smooth waves: a new drawing by the same hand."""
    left, _, right, _ = glyph.box
    points = glyph.points - [(left + right) / 2, 0.0]
    turn, shear = rng.normal(0.0, 0.03), rng.normal(0.0, 0.04)
    width, height = np.exp(rng.normal(0.0, [0.06, 0.035]))
    points = points @ np.array([[width, turn * height], [(shear - turn) * width, height]])
    waves, phases = rng.normal(0.0, 3.0, (2, 3)), rng.uniform(0.0, 2 * np.pi, 3)
    moved: Points = points + np.sin(points @ waves + phases) @ rng.normal(0.0, 0.022, (3, 2))
    moved[:, 1] += rng.normal(0.0, 0.025)
    return moved


class _Setter:
    """Sets glyphs from left to right and remembers the right edge of the ink in each band of height."""

    def __init__(self, rng: np.random.Generator, joined: bool) -> None:
        self._rng, self._joined = rng, joined
        self._gap = rng.uniform(*LETTER_GAP)
        self._edge = np.full(len(_BANDS), -np.inf)
        self._right = 0.0
        self._last = ""
        self._strokes = 0
        self._parts: list[tuple[Points, Int64Array, int, bool]] = []

    def put(self, points: Points, stroke: Int64Array, index: int, character: str) -> None:
        """Set a glyph beside the ink so far; join it to the last one where both are lower case."""
        bands = np.clip(((points[:, 1] - _BANDS[0]) / 0.15).astype(np.int64), 0, len(_BANDS) - 1)
        left, right = np.full(len(_BANDS), np.inf), np.full(len(_BANDS), -np.inf)
        np.minimum.at(left, bands, points[:, 0])
        np.maximum.at(right, bands, points[:, 0])
        gap = float(np.clip(self._gap + self._rng.normal(0.0, 0.02), *LETTER_GAP)) if self._parts else 0.0
        near = np.maximum.reduce([self._edge, np.roll(self._edge, 1), np.roll(self._edge, -1)])
        box_left = float(points[:, 0].min())
        shift = max(float((near - left).max()), self._right - _OVERLAP - box_left) + gap
        if not self._parts or (self._last == " "):
            shift = self._right - box_left + gap * (self._last != " ")
        placed = points + np.array([shift, 0.0])
        self._edge = np.maximum(self._edge, right + shift)
        self._right = max(self._right, float(placed[:, 0].max()))
        numbers = stroke + self._strokes
        if self._joined and character in LOWER and self._last in LOWER and self._last and self._rng.random() < 0.85:
            numbers = numbers - self._join(placed[0], index)
        self._parts.append((placed, numbers, index, False))
        self._strokes = int(numbers[-1]) + 1
        self._last = character

    def space(self, index: int) -> None:
        """Leave a word's gap, with a blank in its middle for the model to stop at."""
        gap = float(self._rng.uniform(*WORD_GAP))
        blank = np.array([[self._right + gap / 2, -0.5]])
        self._parts.append((blank, np.array([self._strokes]), index, True))
        self._strokes += 1
        self._right += gap
        self._edge[:] = -np.inf
        self._last = " "

    def _join(self, start: Points, index: int) -> int:
        """Lead the last stroke over to ``start`` (2,) where a pen would: 1 where it did, else 0."""
        points, numbers, owner, _ = self._parts[-1]
        tail = points[numbers == numbers[-1]]
        end = tail[-1]
        across, length = float(start[0] - end[0]), float(np.hypot(*(start - end)))
        low = -1.15 < end[1] < 0.25
        if len(tail) < DOT / DENSE + 8 or not low or across < 0.02 or length > 1.2 or abs(start[1] - end[1]) > 0.9:
            return 0
        out = tail[-1] - tail[-6]
        out = out / max(float(np.hypot(*out)), 1e-9) * 0.4 * length
        t = np.linspace(0.0, 1.0, max(3, round(length / DENSE)) + 1)[1:-1, None]
        bow = (
            (1 - t) ** 3 * end + 3 * t * (1 - t) ** 2 * (end + out) + 3 * t**2 * (1 - t) * (start - [0.3 * across, 0.0])
        )
        link = bow + t**3 * start
        self._parts.append((link, np.full(len(link), numbers[-1]), owner, False))
        return 1

    def dense(self) -> tuple[Points, Int64Array, Int64Array, BoolArray]:
        """(points (n, 2), stroke (n,), character index (n,), whether it is a blank (n,))."""
        sizes = [len(points) for points, _, _, _ in self._parts]
        return (
            np.concatenate([points for points, _, _, _ in self._parts]),
            np.concatenate([numbers for _, numbers, _, _ in self._parts]),
            np.repeat([owner for _, _, owner, _ in self._parts], sizes),
            np.repeat([blank for _, _, _, blank in self._parts], sizes),
        )


def resample(text: str, points: Points, stroke: Int64Array, owner: Int64Array, blank: BoolArray) -> Line:
    """Each stroke at an even arc length of about STEP, its ends kept; a stroke of no length is one point."""
    same = np.diff(stroke) == 0
    lengths = np.hypot(*np.diff(points, axis=0).T)
    arc = np.concatenate([[0.0], np.cumsum(np.where(same, lengths, 1.0))])  # strokes lie 1 apart on this axis
    first = np.flatnonzero(np.concatenate([[True], ~same]))
    last = np.concatenate([first[1:] - 1, [len(points) - 1]])
    reach = arc[last] - arc[first]
    pieces = np.where(reach < DOT, 0, np.maximum(1, np.round(reach / STEP))).astype(np.int64)
    counts = pieces + 1
    place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    at = np.repeat(arc[first], counts) + place * np.repeat(reach / np.maximum(pieces, 1), counts)
    pen = np.zeros(len(at), dtype=np.int64)
    pen[np.cumsum(counts) - 1] = UP
    source = np.minimum(np.searchsorted(arc, at - 1e-9), len(points) - 1)
    pen[blank[source]] = BLANK
    even = np.column_stack([np.interp(at, arc, points[:, axis]) for axis in (0, 1)])
    return Line(text, even, pen, owner[source])


DOT_ROOM = 0.34  # x-heights from a dot to the lines beside it: about twice as much as the broadest pen is wide
ROOM = 0.12  # between others; lines in the training data have 0.10 and more
_CROSSES = -0.35  # what reaches so far over its neighbour is meant to: the bar of a t
DOTS = ".,:;"


def add_room(
    text: str, points: Float64Array, pen: Int64Array, character: Int64Array
) -> tuple[Float64Array, Int64Array]:
    """Points (n, 2) in x-heights and pen states (n,) of a line whose characters have room.

    ``character`` (n,): the index in ``text`` of each point, never falling. What follows moves to the right. Before and
    after a dot the pen is lifted.
    """
    points, pen = points.copy(), pen.copy()
    for limit in np.flatnonzero(np.diff(character)).tolist():
        left, right = int(character[limit]), int(character[limit + 1])
        dotted = text[left] in DOTS or text[right] in DOTS
        if dotted and pen[limit] == DRAW:
            pen[limit] = UP
        if pen[limit] == UP:
            mine = [(character == index) & (pen <= UP) for index in (left, right)]
            gap = _gap(points[mine[0]], points[mine[1]], DOT_ROOM if dotted else ROOM)
            if dotted or gap > _CROSSES:
                points[limit + 1 :, 0] += max(0.0, (DOT_ROOM if dotted else ROOM) - gap)
    return points, pen


def _gap(left: Float64Array, right: Float64Array, height: float) -> float:
    """The least gap between two neighbours where they stand side by side, or differ by ``height`` at most."""
    beside = np.abs(left[:, None, 1] - right[None, :, 1]) < height
    gaps = (right[None, :, 0] - left[:, None, 0])[beside]
    return float(gaps.min()) if gaps.size else np.inf


_AT_RADIUS_OF_X = 45.0  # mm/s where the radius of the path is an x-height, and the x-height 2.5 mm
_USUAL_X_HEIGHT = 2.5  # mm
_STRAIGHTEST = 0.15  # of 1 / x-height: a straighter path is no faster
SLOWEST, FASTEST = 20.0, 120.0  # mm/s
_AT_ENDS = 0.55  # of the speed: where the pen touches down and where it is lifted
_SMOOTH = 1.2  # points


def pen_speed(points: Points, x_height: float) -> Float64Array:
    """The pen's speed in mm/s (n,) at evenly spaced points (n, 2) in mm of one stroke; ``x_height`` in mm."""
    if len(points) < 3:
        return np.full(len(points), SLOWEST)
    radius_law = np.maximum(_curvature(points) * x_height, _STRAIGHTEST) ** (-1 / 3)
    speed = _AT_RADIUS_OF_X * (x_height / _USUAL_X_HEIGHT) * radius_law
    edge = np.minimum(np.arange(len(points)), np.arange(len(points))[::-1])
    speed *= 1 - (1 - _AT_ENDS) * np.exp(-edge / 1.5)
    smooth = gaussian_filter1d(speed, _SMOOTH, mode="nearest")
    return np.clip(smooth, SLOWEST, FASTEST)


def _curvature(points: Points) -> Float64Array:
    """The unsigned curvature in 1/mm (n,): the turn at each point over the arc length around it."""
    steps = np.diff(points, axis=0)
    lengths = np.maximum(np.hypot(steps[:, 0], steps[:, 1]), 1e-9)
    cross = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
    turn = np.abs(np.arctan2(cross, (steps[:-1] * steps[1:]).sum(axis=1)))
    inner = turn / (0.5 * (lengths[:-1] + lengths[1:]))
    return np.asarray(np.concatenate([inner[:1], inner, inner[-1:]]))
