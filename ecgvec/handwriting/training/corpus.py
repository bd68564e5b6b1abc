"""Lines to learn from: texts composed of people's letters and of script fonts, and single letters bent anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ecgvec._typing import BoolArray, Float64Array, Int64Array
from ecgvec.errors import SourceError
from ecgvec.handwriting import grammar
from ecgvec.handwriting.compose import UP, Line, compose, stroke_rows
from ecgvec.handwriting.glyphs import Hand
from ecgvec.handwriting.grammar import random_string
from ecgvec.handwriting.reader import ALPHABET, Ink, Letter, cut_letters
from ecgvec.handwriting.recurrent import Style
from ecgvec.handwriting.training.sources import is_held_out, is_iam, load_hands, read_iam
from ecgvec.rng import stream

BLOCK = 8  # steps whose lines are drawn together
LONGEST = 640  # points of a line
_SHARES = {"person": 0.58, "font": 0.34, "digits": 0.08}
_NOTES = 20_000

Written = list[tuple[Line, int]]  # lines with the number of their style


class Corpus:
    """Lines to train with, from isolated characters or from IAM-OnDB; ``styles`` are numbered in this order.

    ``source`` gives a line and its style's number for (generator, characters wanted, for the held-out loss or not).
    """

    def __init__(self, styles: Sequence[Style], source: Callable[[np.random.Generator, int, bool], tuple[Line, int]]):
        self.styles = tuple(styles)
        self._source = source

    def block(self, seed: int, number: int, rows: int, longest: int) -> list[Written]:
        """BLOCK batches of ``rows`` lines each, of up to ``longest`` characters; short lines are more frequent.

        Lines of one batch are of about one length, so that little is padded. The same arguments give the same lines.
        """
        rng = stream(seed, "handwriting", number, "corpus/train")
        lines: Written = []
        drawn = 0
        while len(lines) < BLOCK * rows:
            line = self._source(rng, 2 + int((longest - 1) * rng.random() ** 2), False)
            drawn += 1
            if len(line[0].points) <= LONGEST:
                lines.append(line)
            elif drawn > 100 * (1 + len(lines)):
                raise SourceError(
                    f"almost all lines of the pen data have more than {LONGEST} points at an eighth of the x-height: "
                    "give text in the hand's real proportions"
                )
        lines.sort(key=lambda pair: len(pair[0].points))
        return [lines[i * rows : (i + 1) * rows] for i in rng.permutation(BLOCK).tolist()]

    def held_out(self, seed: int, lines: int) -> Written:
        """Lines of texts that no training step shows."""
        rng = stream(seed, "handwriting", 0, "corpus/held-out")
        return [self._source(rng, int(rng.integers(5, 15)), True) for _ in range(lines)]


def open_corpus(folder: Path, seed: int) -> Corpus:
    """The corpus of a folder of pen data, either kind; SourceError where the folder holds neither."""
    if not folder.is_dir():
        raise SourceError(f"{folder} is no folder: name the folder of the pen data")
    if is_iam(folder):
        return _of_lines(read_iam(folder))
    return of_hands([hand for hand in load_hands(folder) if not is_held_out(hand.name)], seed)


def of_hands(hands: Sequence[Hand], seed: int) -> Corpus:
    """A corpus of lines composed from the characters of hands."""
    composer = _Composer(hands, seed)
    return Corpus([Style(hand.name, hand.kind, hand.characters) for hand in hands], composer.line)


class _Composer:
    """Draws hands and texts, and composes."""

    def __init__(self, hands: Sequence[Hand], seed: int) -> None:
        self._hands = hands
        kinds = [hand.kind for hand in hands]
        weights = np.array([_SHARES[kind] / kinds.count(kind) for kind in kinds])
        self._weights = weights / weights.sum()
        rng = stream(seed, "handwriting", 0, "corpus/notes")
        self._notes = _by_length({grammar.note(rng) for _ in range(_NOTES)})
        self._figures = _by_length({grammar.figures(rng) for _ in range(_NOTES // 10)})

    def line(self, rng: np.random.Generator, length: int, held_out: bool) -> tuple[Line, int]:
        """A line of about ``length`` characters and the number of its hand."""
        number = int(rng.choice(len(self._hands), p=self._weights))
        hand = self._hands[number]
        while True:
            text = self._text(hand, rng, length)
            if grammar.is_held_out_text(text) == held_out and all(c in hand.glyphs or c == " " for c in text):
                return compose(hand, text, rng), number
            length = max(length, 4 if held_out else 1)

    def _text(self, hand: Hand, rng: np.random.Generator, length: int) -> str:
        notes = self._figures if hand.kind == "digits" else self._notes
        near = [length + offset for offset in (-1, 0, 1) if length + offset in notes]
        if near and rng.random() < 0.5:
            texts = notes[near[int(rng.integers(len(near)))]]
            return texts[int(rng.integers(len(texts)))]
        return grammar.random_string(rng, length, hand.characters)


def _by_length(texts: set[str]) -> dict[int, list[str]]:
    by_length: dict[int, list[str]] = {}
    for text in sorted(texts):  # a set's own order differs from run to run
        by_length.setdefault(len(text), []).append(text)
    return by_length


def _of_lines(lines: Sequence[tuple[str, Line]]) -> Corpus:
    """A corpus of whole lines with the names of their writers: some words of one at a time."""
    names = sorted({name for name, _ in lines})
    characters = {name: "".join(sorted({c for n, line in lines if n == name for c in line.text})) for name in names}
    parts = {out: [(line, names.index(n)) for n, line in lines if _kept(line) == out] for out in (False, True)}
    if not parts[False]:
        raise SourceError("the pen data hold too few lines to train with: at least two are needed")

    def draw(rng: np.random.Generator, length: int, held_out: bool) -> tuple[Line, int]:
        choice = parts[held_out] or parts[False]
        line, style = choice[int(rng.integers(len(choice)))]
        return words_of(line, length, rng), style

    return Corpus([Style(name, "iam", characters[name]) for name in names], draw)


def words_of(line: Line, length: int, rng: np.random.Generator) -> Line:
    """Some words of a line that follow each other: of about ``length`` characters, from a word drawn at random on."""
    starts = [0, *(i + 1 for i, c in enumerate(line.text) if c == " ")]
    ends = [*(start - 1 for start in starts[1:]), len(line.text)]
    first = int(rng.integers(len(starts)))
    last = max(first, max(i for i, end in enumerate(ends) if i == 0 or end - starts[first] <= length))
    inside = (line.character >= starts[first]) & (line.character < ends[last])
    points, pen = line.points[inside], line.pen[inside]
    pen[-1] = max(pen[-1], UP)
    shift = [points[:, 0].min(), 0.0]
    return Line(line.text[starts[first] : ends[last]], points - shift, pen, line.character[inside] - starts[first])


def _kept(line: Line) -> bool:
    return grammar.is_held_out_text(line.text)


_DRAWINGS = 20  # of one character by one hand: people of digits wrote hundreds
_LONGEST = 8  # characters of a line


def isolated_letters(hands: Sequence[Hand]) -> list[Letter]:
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
    return cut_letters(text, [(line.points[rows], line.character[rows]) for rows in stroke_rows(line.pen)], hand.name)


def bend_letters(ink: Ink, rng: np.random.Generator) -> Ink:
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
    kept = _kept_strokes(ink.stroke, rng)
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


def _kept_strokes(stroke: Int64Array, rng: np.random.Generator) -> BoolArray:
    """Which points (n,) stay: of three strokes in ten up to a quarter is left out at an end."""
    counts = np.bincount(stroke)
    place = np.arange(len(stroke)) - (np.cumsum(counts) - counts)[stroke]
    share = place / np.maximum(counts - 1, 1)[stroke]
    left_out = np.where(rng.random((2, len(counts))) < 0.3, rng.uniform(0, 0.25, (2, len(counts))), 0.0)
    inside = (share >= left_out[0][stroke]) & (share <= 1 - left_out[1][stroke])
    kept: BoolArray = inside | (counts <= 4)[stroke]
    return kept
