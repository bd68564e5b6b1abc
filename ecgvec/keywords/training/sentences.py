"""Sentences to learn from, written from word lists and patterns."""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ecgvec.keywords.lexicon import LABELS, Span
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


_HERE = Path(__file__).resolve().parent
_TERMS, _WORDS = ("terms.txt", "lexicon_terms.txt"), ("phrases.txt", "things.txt", "general.txt")
_WHOLE_LINES = ("reports.txt", "long.txt", "prose.txt", "plain.txt", "unrelated.txt")
_CHOICE = re.compile(r"<([^<>]*)>")
_SLOT = re.compile(r"\{([A-Za-z_][\w.]*)\}")
_MARKED = re.compile(r"\[([^\[\]|]*)\|([A-Z]+)\]")
_WEIGHTED = re.compile(r"(\d+)\* ")
_ARTICLE = re.compile(r"\b([Aa]) (?=\[?[aeiouAEIOU])")
_HELD_BACK_OF, _FEWEST = 8, 8  # one entry in eight of the lists that have at least eight

# How often something else stands where a pattern has a term, and how often a word that is no part of it precedes one.
_DISTRACTED, _WITH_MODIFIER = 0.1, 0.13
_MODIFIED = ("RHYTHM", "CONDUCTION", "ISCHEMIA", "HYPERTROPHY", "AXIS", "SYMPTOM")

Chunk = tuple[str, str]  # a piece of text and its label, "" for none


@dataclass(frozen=True)
class Entry:
    """An entry of a list: its pattern, how often it is drawn, and whether it is kept out of training to tune with."""

    pattern: str
    weight: int
    held_back: bool


@dataclass(frozen=True)
class Entries:
    """A list: its entries and, for each of the ways to draw, their running sums of weight."""

    entries: tuple[Entry, ...]
    sums: dict[str, np.ndarray]

    def draw(self, rng: np.random.Generator, which: str) -> str:
        """The pattern of a random entry; ``which`` is ``all``, ``kept`` or ``held back`` (where there is one)."""
        sums = self.sums[which]
        return self.entries[int(np.searchsorted(sums, rng.random() * sums[-1], side="right"))].pattern


def parse(text: str, whole_lines: bool, may_hold_back: bool = False) -> dict[str, Entries]:
    """The lists of a file: ``== NAME`` opens one, ``#`` a comment, and ``3* `` draws an entry three times as often."""
    raw: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("== "):
            name = line[3:].strip()
            raw[name] = []
        elif line.strip() and not line.startswith("# "):
            raw[name] += [line.strip()] if whole_lines else [part.strip() for part in line.split(";") if part.strip()]
    return {name: _entries(lines, may_hold_back) for name, lines in raw.items()}


def _entries(lines: list[str], may_hold_back: bool) -> Entries:
    entries = []
    for line in lines:
        weight = _WEIGHTED.match(line)
        pattern = line[weight.end() :] if weight else line
        held_back = may_hold_back and len(lines) >= _FEWEST and _held_back(pattern)
        entries.append(Entry(pattern, int(weight[1]) if weight else 1, held_back))
    weights: dict[str, list[int]] = {
        "all": [entry.weight for entry in entries],
        "kept": [0 if entry.held_back else entry.weight for entry in entries],
        "held back": [1 if entry.held_back else 0 for entry in entries],
    }
    for which in ("kept", "held back"):  # a list with nothing to draw from so is drawn from whole
        weights[which] = weights[which] if any(weights[which]) else weights["all"]
    return Entries(tuple(entries), {which: np.cumsum(numbers) for which, numbers in weights.items()})


def _held_back(pattern: str) -> bool:
    digest = hashlib.blake2b(pattern.lower().encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") % _HELD_BACK_OF == 0


@cache
def lists() -> dict[str, Entries]:
    """All lists, by name."""
    every: dict[str, Entries] = {}
    for name in (*_TERMS, *_WORDS, *_WHOLE_LINES):
        text = (_HERE / name).read_text(encoding="utf-8")
        every |= parse(text, name in _WHOLE_LINES, name not in _WORDS)
    return every


def expand(pattern: str, rng: np.random.Generator, which: Callable[[], str] = lambda: "all") -> list[Chunk]:
    """A pattern as chunks of text with their labels, every choice drawn from ``rng``; ``which`` says which entries of
    the lists of terms are drawn from, each time it is called."""
    marked = _ARTICLE.sub(r"\1n ", _fill(pattern, rng, which, False))
    chunks: list[Chunk] = []
    end = 0
    for term in _MARKED.finditer(marked):
        chunks += [(marked[end : term.start()], ""), (term[1], term[2])]
        end = term.end()
    chunks.append((marked[end:], ""))
    return [chunk for chunk in chunks if chunk[0]]


def _fill(pattern: str, rng: np.random.Generator, which: Callable[[], str], inside: bool) -> str:
    """The pattern with its choices made; ``inside`` a term, terms are not marked again."""
    while choice := _CHOICE.search(pattern):
        options = choice[1].split("|")
        pattern = pattern[: choice.start()] + options[rng.integers(len(options))] + pattern[choice.end() :]

    def slot(match: re.Match[str]) -> str:
        name = match[1]
        label = name.split(".")[0]
        if label not in LABELS or inside:
            return _fill(lists()[name].draw(rng, which()), rng, which, inside)
        chance = rng.random()
        if chance < _DISTRACTED:
            return _fill("{figure}" if label == "MEASURE" else "{distractor}", rng, which, False)
        text = f"[{_fill(lists()[name].draw(rng, which()), rng, which, True)}|{label}]"
        modified = label in _MODIFIED and chance > 1 - _WITH_MODIFIER
        return _fill("{modifier} ", rng, which, True) + text if modified else text

    return _SLOT.sub(slot, pattern)
