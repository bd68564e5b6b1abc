"""Word lists and sentence patterns, read from the text files beside this module, and how a pattern becomes a sentence.

A pattern is plain text with ``<a|b>`` for one of a and b, ``{name}`` for an entry of the list ``name``, and
``[text|LABEL]`` for a labelled term. ``{LABEL}`` and ``{LABEL.more}`` become labelled terms of their own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ecgvec.keywords.terms import LABELS

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
