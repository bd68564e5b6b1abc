"""Letters to learn reading from: of people and fonts, alone and in lines, bent as other hands would write them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecgvec._typing import BoolArray, Float64Array, Int64Array
from ecgvec.handwriting.compose import compose, stroke_rows
from ecgvec.handwriting.glyphs import Hand
from ecgvec.handwriting.grammar import random_string
from ecgvec.handwriting.letters import ALPHABET, Ink, Letter, cut
from ecgvec.rng import stream

_DRAWINGS = 20  # of one character by one hand: people of digits wrote hundreds
_LONGEST = 8  # characters of a line


def isolated(hands: Sequence[Hand]) -> list[Letter]:
    """The letters and digits of hands, as they wrote them."""
    found = []
    for hand in hands:
        for character in own_characters(hand):
            for glyph in hand.glyphs[character][:_DRAWINGS]:
                strokes = np.split(glyph.points, np.flatnonzero(np.diff(glyph.stroke)) + 1)
                found.append(Letter(character, strokes, hand.name))
    return found


def in_lines(hands: Sequence[Hand], lines: int) -> list[Letter]:
    """The same, set side by side, joined and slanted: ``lines`` lines of each hand."""
    found = []
    for hand in hands:
        rng = stream(0, hand.name, 0, "legibility/lines")
        for _ in range(lines):
            found += cut_line(hand, random_string(rng, _LONGEST, own_characters(hand)), rng)
    return found


def own_characters(hand: Hand) -> str:
    """The letters and digits that a hand has, and has not borrowed."""
    return "".join(c for c in ALPHABET if c in hand.glyphs and c not in hand.borrowed)


def cut_line(hand: Hand, text: str, rng: np.random.Generator) -> list[Letter]:
    """The letters and digits of a line composed of a hand's characters, cut apart where they begin."""
    line = compose(hand, text, rng)
    return cut(text, [(line.points[rows], line.character[rows]) for rows in stroke_rows(line.pen)], hand.name)


def bent(ink: Ink, rng: np.random.Generator) -> Ink:
    """Each letter as another hand could have written it: strokes moved, ends left out, all of it bent and slanted."""
    at = _strokes_moved(ink, rng)
    who, n = ink.letter, ink.total
    tall, hanging = np.exp(rng.normal(0, 0.15, (2, n)))
    y = at[:, 1]
    at[:, 1] = np.where(y < -1, -1 + (y + 1) * tall[who], np.where(y > 0, y * hanging[who], y))
    waves, phases = rng.normal(0, 2.0, (n, 2, 3)), rng.uniform(0, 2 * np.pi, (n, 3))
    swing = np.sin(np.einsum("pi,pik->pk", at, waves[who]) + phases[who])
    at += np.einsum("pk,pki->pi", swing, rng.normal(0, 0.06, (n, 3, 2))[who])
    slant, turn, lift = rng.normal([[0.1], [0.0], [0.0]], [[0.25], [0.08], [0.1]], (3, n))
    width, height = np.exp(rng.normal(0, [[0.22], [0.12]], (2, n)))
    x, y = (at[:, 0] - at[:, 1] * slant[who]) * width[who], at[:, 0] * turn[who] + at[:, 1] * height[who] + lift[who]
    kept = _kept(ink.stroke, rng)
    return Ink(np.column_stack([x, y])[kept], ink.stroke[kept], who[kept], n)


def _strokes_moved(ink: Ink, rng: np.random.Generator) -> Float64Array:
    """The points (n, 2), each stroke sized, slanted and moved by itself."""
    counts = np.bincount(ink.stroke)
    middle = np.column_stack([np.bincount(ink.stroke, ink.at[:, axis]) for axis in (0, 1)]) / counts[:, None]
    size, slant = np.exp(rng.normal(0, 0.08, (len(counts), 2))), rng.normal(0, 0.08, len(counts))
    middle_after = middle + rng.normal(0, 0.055, middle.shape)
    off = (ink.at - middle[ink.stroke]) * size[ink.stroke]
    off[:, 0] -= off[:, 1] * slant[ink.stroke]
    moved: Float64Array = off + middle_after[ink.stroke]
    return moved


def _kept(stroke: Int64Array, rng: np.random.Generator) -> BoolArray:
    """Which points (n,) stay: of three strokes in ten up to a quarter is left out at an end."""
    counts = np.bincount(stroke)
    place = np.arange(len(stroke)) - (np.cumsum(counts) - counts)[stroke]
    share = place / np.maximum(counts - 1, 1)[stroke]
    left_out = np.where(rng.random((2, len(counts))) < 0.3, rng.uniform(0, 0.25, (2, len(counts))), 0.0)
    inside = (share >= left_out[0][stroke]) & (share <= 1 - left_out[1][stroke])
    kept: BoolArray = inside | (counts <= 4)[stroke]
    return kept
