"""Glyphs and hands: how one writer draws each character, all in x-heights over the baseline.

Here y points down and 0 is the baseline, so that -1 is the top of an ``x``: the sense of a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ecgvec._typing import Float64Array, Int64Array, Points
from ecgvec.handwriting.charset import DIGITS

Strokes = Sequence[Points]

DENSE = 0.04  # x-heights between the points of a stored glyph: much finer than what the model is given
SMOOTH = 0.05  # x-heights: tablet steps and coarse sampling are smoothed away, corners of a pen are not
DOT = 0.06  # x-heights: a stroke shorter than this is a dot

# Letters by what they stand on or hang from. One writer's letters of a class share a line and a height.
_CLASSES = ("acemnorsuvwxz", "bdhkl", "ABCDEFGHIKLMNOPRSTUVWXYZ", DIGITS, "gpqy")
_HANGING = "gpqy"


@dataclass(frozen=True, eq=False)
class Glyph:
    """One drawing of one character: ``points`` (n, 2) in x-heights; ``stroke`` (n,) the stroke of each, from 0."""

    points: Points
    stroke: Int64Array

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) in x-heights, top < bottom."""
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


@dataclass(frozen=True, eq=False)
class Hand:
    """One writer or one font. ``glyphs``: character -> its samples; ``borrowed``: those that are another's.

    ``kind`` is "person", "digits" (a person whose letters are not known) or "font".
    """

    name: str
    kind: str
    glyphs: dict[str, tuple[Glyph, ...]]
    borrowed: str = ""

    @property
    def characters(self) -> str:
        """All characters that this hand can write, the space included, sorted."""
        return "".join(sorted({" ", *self.glyphs}))


def make_glyph(strokes: Strokes, left: float = 0.0) -> Glyph:
    """A glyph of raw strokes, each (n, 2) in x-heights: evenly dense, smoothed, its ink beginning at ``left``.

    ValueError where there is no point at all.
    """
    dense = [_dense(np.asarray(stroke, dtype=np.float64)) for stroke in strokes if len(stroke)]
    if not dense:
        raise ValueError("a glyph without points")
    points = np.concatenate(dense)
    points[:, 0] += left - points[:, 0].min()
    return Glyph(points, np.repeat(np.arange(len(dense)), [len(stroke) for stroke in dense]))


def _dense(stroke: Points) -> Points:
    """A stroke (n, 2) at even arc length, smoothed; one point where it is a dot."""
    lengths = np.hypot(*np.diff(stroke, axis=0).T)
    keep = np.concatenate([[True], lengths > 1e-9])
    stroke, arc = stroke[keep], np.concatenate([[0.0], np.cumsum(lengths[lengths > 1e-9])])
    if arc[-1] < DOT:
        middle: Points = stroke.mean(axis=0, keepdims=True)
        return middle
    at = np.linspace(0.0, arc[-1], max(3, round(arc[-1] / DENSE) + 1))
    even = np.column_stack([np.interp(at, arc, stroke[:, axis]) for axis in (0, 1)])
    smooth = gaussian_filter1d(even, SMOOTH / DENSE, axis=0, mode="nearest")
    smooth[0], smooth[-1] = even[0], even[-1]
    return smooth


RawGlyphs = dict[str, list[list[Points]]]


def extent(strokes: Strokes) -> tuple[float, float]:
    """(top, bottom) of strokes."""
    ys = np.concatenate([stroke[:, 1] for stroke in strokes])
    return float(ys.min()), float(ys.max())


def settle(raw: RawGlyphs, x_height: float, baseline: float | None) -> dict[str, tuple[Glyph, ...]]:
    """One person's glyphs in x-heights on the baseline.

    ``raw``: character -> samples -> strokes in tablet units; ``x_height`` in the same units. Isolated characters float
    in their boxes and vary in size more than in a word, so each one is pulled most of the way to the line and half of
    the way to the height of its class. With no ``baseline`` (digits without box) each digit stands on the line.
    """
    line = 0.0 if baseline is None else baseline
    scaled = {
        character: [[(stroke - [0.0, line]) / x_height for stroke in strokes] for strokes in samples]
        for character, samples in raw.items()
    }
    glyphs = {}
    for members in _classes(scaled):
        extents = np.array([extent(strokes) for character in members for strokes in scaled[character]])
        middle = np.median(extents, axis=0)
        for character in members:
            moved = [_pulled(strokes, middle, character in _HANGING, baseline is None) for strokes in scaled[character]]
            glyphs[character] = tuple(make_glyph(strokes) for strokes in moved)
    return glyphs


def _classes(known: RawGlyphs) -> list[str]:
    """The classes with the characters known, and a class of its own for each character in none."""
    classes = ["".join(c for c in members if c in known) for members in _CLASSES]
    others = [c for c in known if not any(c in members for members in _CLASSES)]
    return [members for members in classes if members] + others


def _pulled(strokes: Strokes, middle: Float64Array, hanging: bool, to_zero: bool) -> list[Points]:
    """Strokes pulled to the class' median ``middle`` = (top, bottom), by the top where the character hangs."""
    top, bottom = extent(strokes)
    line, target = (top, float(middle[0])) if hanging else (bottom, float(middle[1]))
    moved_to = 0.0 if to_zero else target + 0.25 * (line - target)
    size = float(np.clip(((middle[1] - middle[0]) / max(bottom - top, 0.05)) ** 0.5, 0.8, 1.25))
    return [(stroke - [0.0, line]) * size + [0.0, moved_to] for stroke in strokes]


def x_height_and_baseline(raw: RawGlyphs) -> tuple[float, float]:
    """(x-height, baseline) of a person who wrote letters, in the units of ``raw``; medians over letters like ``x``."""
    letters = [strokes for character in _CLASSES[0] for strokes in raw.get(character, [])]
    tops, bottoms = np.array([extent(strokes) for strokes in letters]).T
    baseline = float(np.median(bottoms))
    return baseline - float(np.median(tops)), baseline


def digit_height(raw: RawGlyphs) -> float:
    """The median height of a person's digits, in the units of ``raw``."""
    extents = np.array([extent(strokes) for character in DIGITS for strokes in raw.get(character, [])])
    return float(np.median(extents[:, 1] - extents[:, 0]))
