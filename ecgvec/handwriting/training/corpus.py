"""The corpus: which hands and texts the model is shown at which step, all of it decided by numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecgvec.errors import SourceError
from ecgvec.handwriting import grammar
from ecgvec.handwriting.compose import UP, Line, compose
from ecgvec.handwriting.glyphs import Hand
from ecgvec.handwriting.training.iam import is_iam, read_iam
from ecgvec.handwriting.training.sources import is_held_out, load_hands
from ecgvec.rng import stream

BLOCK = 8  # steps whose lines are drawn together
LONGEST = 640  # points of a line
_SHARES = {"person": 0.58, "font": 0.34, "digits": 0.08}
_NOTES = 20_000

Written = list[tuple[Line, int]]  # lines with the number of their style


@dataclass(frozen=True)
class Style:
    """One style of the model: the ``name`` of its hand, its ``kind`` and the ``characters`` that it was shown."""

    name: str
    kind: str
    characters: str


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
