"""The training text: sentences with their terms marked, made from the word lists and patterns of this package."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ecgvec.keywords.terms import Span
from ecgvec.keywords.training.vocabulary import Chunk, expand, lists
from ecgvec.rng import stream

# Which kinds of sentence, and how much of each.
KINDS = {
    "machine": 0.13,
    "physician": 0.14,
    "notes": 0.16,
    "prose": 0.13,
    "long": 0.13,
    "plain": 0.09,
    "unrelated": 0.22,
}
_SECOND_SENTENCE = 0.15
_REWORDED, _WORDS_REWORDED = 0.35, 0.35
_TYPO = 0.012  # of the words long enough to be misspelt
_CASES = ("as written", "upper", "lower", "title", "terms title")
_CASE_CHANCES = {
    "machine": (0.45, 0.33, 0.08, 0.08, 0.06),
    "notes": (0.62, 0.06, 0.28, 0.0, 0.04),
}
_OTHER_CASES = (0.86, 0.04, 0.05, 0.02, 0.03)


@dataclass(frozen=True)
class Example:
    """A sentence (or two), its terms, and the kind of text it imitates."""

    text: str
    spans: tuple[Span, ...]
    kind: str


def sentences(number: int, seed: int, tuning: bool = False) -> Iterator[Example]:
    """``number`` different sentences. With ``tuning`` they hold none of the terms that are kept back to tune with."""
    return _different(number, seed, "train", "kept" if tuning else "all")


def tuning_sentences(number: int, seed: int) -> Iterator[Example]:
    """``number`` different sentences that are rich in terms kept back from ``sentences(..., tuning=True)``."""
    return _different(number, seed, "tune", "held back")


def _different(number: int, seed: int, name: str, which: str) -> Iterator[Example]:
    seen: set[str] = set()
    index = 0
    while len(seen) < number:
        example = _one(stream(seed, "keywords", index, f"sentences/{name}"), which)
        index += 1
        if example.text.lower() not in seen:
            seen.add(example.text.lower())
            yield example


def _one(rng: np.random.Generator, which: str) -> Example:
    def chosen() -> str:
        return which if which != "held back" or rng.random() < 0.5 else "kept"

    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    chunks = expand(lists()[kind].draw(rng, chosen()), rng, chosen)
    chunks = _capital(chunks, kind, rng)
    if rng.random() < _SECOND_SENTENCE:
        second = _capital(expand(lists()[kind].draw(rng, chosen()), rng, chosen), kind, rng)
        stop = "" if chunks[-1][0].endswith((".", "?", "!")) else "."
        chunks = [*chunks, (f"{stop} ", ""), *second]
    if kind != "machine" and rng.random() < _REWORDED:
        chunks = [(text if label else _reworded(text, rng), label) for text, label in chunks]
    chances = _CASE_CHANCES.get(kind, _OTHER_CASES)
    chunks = _cased(chunks, str(rng.choice(_CASES, p=chances)))
    chunks = [(_misspelt(text, rng), label) for text, label in chunks]
    if chunks[-1][0] == "." and rng.random() < 0.2:
        chunks.pop()
    return _joined(chunks, kind)


def _capital(chunks: list[Chunk], kind: str, rng: np.random.Generator) -> list[Chunk]:
    """The chunks with a capital first, as most sentences have (and fewer notes)."""
    if rng.random() < (0.4 if kind == "notes" else 0.9):
        text, label = chunks[0]
        first = text.split(" ")[0]
        if first.islower():  # not aVR, not pAF
            chunks = [(text[0].upper() + text[1:], label), *chunks[1:]]
    return chunks


def _reworded(text: str, rng: np.random.Generator) -> str:
    """The text with others in the place of some words. It means nothing then, but whatever stands around a term in
    other people's sentences, the model has seen stranger."""
    words = text.split(" ")
    for place, word in enumerate(words):
        if len(word) > 3 and word.isalpha() and word.islower() and rng.random() < _WORDS_REWORDED:
            words[place] = lists()["word"].draw(rng, "all")
    return " ".join(words)


def _cased(chunks: list[Chunk], case: str) -> list[Chunk]:
    if case == "upper":
        return [(text.upper(), label) for text, label in chunks]
    if case == "lower":
        return [(text.lower(), label) for text, label in chunks]
    if case == "title":
        return [(_title(text), label) for text, label in chunks]
    if case == "terms title":
        return [(_title(text) if label else text, label) for text, label in chunks]
    return chunks


def _title(text: str) -> str:
    """Capitals at the starts of words of lower case; ``aVF`` and ``LBBB`` stay as they are."""
    return " ".join(word[:1].upper() + word[1:] if word.islower() else word for word in text.split(" "))


def _misspelt(text: str, rng: np.random.Generator) -> str:
    """The text with a letter of a few long words dropped, doubled, changed or swapped with the next."""
    words = text.split(" ")
    for place, word in enumerate(words):
        if len(word) < 6 or not word.isalpha() or rng.random() >= _TYPO:
            continue
        at = int(rng.integers(1, len(word) - 1))
        other = string.ascii_lowercase[rng.integers(26)]
        ways = (
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + other + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        )
        words[place] = ways[rng.integers(len(ways))]
    return " ".join(words)


def _joined(chunks: list[Chunk], kind: str) -> Example:
    text = ""
    spans = []
    for piece, label in chunks:
        if label:
            spans.append(Span(len(text), len(text) + len(piece), label))
        text += piece
    return Example(text, tuple(spans), kind)
