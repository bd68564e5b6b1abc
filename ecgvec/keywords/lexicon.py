"""The lexicon of ECG terms, and what a found term is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple, Protocol

from ecgvec.keywords import words

_FILE = Path(__file__).with_name("lexicon.toml")
_PIECE = re.compile(r"\(([^)]*)\)|\[([^\]]*)\]|([^(\[]+)")


@dataclass(frozen=True)
class Concept:
    """A term of the lexicon: its full ``term``, ``label``, other wordings, physicians' shorthand (the first is the one
    to write), and the SNOMED CT code and abbreviation of the Challenge 2021, empty where it has none."""

    term: str
    label: str
    forms: tuple[str, ...]
    short: tuple[str, ...]
    code: str = ""
    abbreviation: str = ""

    @property
    def spelling(self) -> str:
        """As a physician would write it."""
        return self.short[0] if self.short else self.term


class Form(NamedTuple):
    """A wording of a concept. ``exact`` is its spelling where the case of letters matters, else empty; a wording that
    is not ``certain`` may mean something else outside of texts on ECGs. None for ``concept``: a cue, no term."""

    concept: Concept | None
    certain: bool
    exact: str = ""


@dataclass
class Lexicon:
    """All ``concepts``, and their wordings by keys (`words.keys`): of one word, and of several by the first of them,
    longest first; the longest has ``most_words``."""

    concepts: tuple[Concept, ...]
    single: dict[str, list[Form]] = field(default_factory=dict)
    several: dict[str, list[tuple[tuple[str, ...], Form]]] = field(default_factory=dict)
    most_words: int = 1

    def by_code(self) -> dict[str, Concept]:
        """The concepts that have a SNOMED CT code, by it."""
        return {concept.code: concept for concept in self.concepts if concept.code}


@cache
def load_lexicon() -> Lexicon:
    """The lexicon; read once. Do not change it."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    made = [_concept(term, label, entry) for label in LABELS for term, entry in data.get(label, {}).items()]
    lexicon = Lexicon(tuple(concept for concept, _, _ in made))
    seen: set[tuple[str, ...]] = set()
    # Wordings come before shorthand, and both before the codes' abbreviations: who is first keeps the wording.
    for concept, forms, _ in made:
        for text, certain in (*forms, (concept.term, _looks_certain(concept.term))):
            _add(lexicon, seen, text, concept, certain)
    for concept, _, shorts in made:
        for text, certain in shorts:
            _add(lexicon, seen, text, concept, certain)
    for concept, _, _ in made:
        if len(concept.abbreviation) > 2:  # AP, CR or IR mean too much else
            _add(lexicon, seen, concept.abbreviation, concept, certain=False)
    for pattern in _split(data["cues"]):
        for text in expand_pattern(pattern):
            _add(lexicon, seen, text, None, certain=True)
    for found in lexicon.several.values():
        found.sort(key=lambda entry: -len(entry[0]))
        lexicon.most_words = max(lexicon.most_words, len(found[0][0]))
    return lexicon


_Wordings = list[tuple[str, bool]]


def _concept(term: str, label: str, entry: dict[str, str]) -> tuple[Concept, _Wordings, _Wordings]:
    """A concept, its wordings and its shorthand, each with whether it counts in any sentence."""
    code, _, abbreviation = entry.get("dx", "").partition(" ")
    forms: _Wordings = []
    for pattern in _split(entry.get("forms", "")):
        bare = pattern.lstrip("?!")
        forms += [
            (text, _looks_certain(text) if bare == pattern else pattern[0] == "!") for text in expand_pattern(bare)
        ]
    shorts: _Wordings = []
    for pattern in _split(entry.get("short", "")):
        text = pattern.lstrip("?!")
        shorts.append((text, _is_certain_short(text) if text == pattern else pattern[0] == "!"))
    texts = tuple(text for text, _ in forms)
    return Concept(term, label, texts, tuple(text for text, _ in shorts), code, abbreviation), forms, shorts


def _looks_certain(text: str) -> bool:
    """Of a wording that says nothing about itself: short abbreviations mean something else elsewhere."""
    return len(text) > 3 or not text.isupper()


def _is_certain_short(text: str) -> bool:
    """Of shorthand that says nothing about itself: a clipped word, as "brady" or "dig", may be a name or a word."""
    return " " in text or "-" in text or (len(text) > 3 and text.isupper())


def _split(text: str) -> list[str]:
    return [part for part in (piece.strip() for piece in text.replace("\n", " ").split(",")) if part]


def expand_pattern(pattern: str) -> Iterator[str]:
    """The wordings that a pattern stands for: ``(a|b) c`` is "a c" and "b c", ``[a|b] c`` is "c" as well."""
    if "(" not in pattern and "[" not in pattern:
        yield pattern
        return
    choices: list[list[str]] = []
    for one_of, may_be, plain in _PIECE.findall(pattern):
        choices.append([plain] if plain else one_of.split("|") if one_of else ["", *may_be.split("|")])
    for parts in product(*choices):
        yield " ".join("".join(parts).split())


def _add(lexicon: Lexicon, seen: set[tuple[str, ...]], text: str, concept: Concept | None, certain: bool) -> None:
    keys = words.keys(text)
    if len(keys) > 1:
        if keys not in seen:
            lexicon.several.setdefault(keys[0], []).append((keys, Form(concept, certain)))
        seen.add(keys)
        return
    text = text.rstrip("?+'")  # as in "LVH?"
    # Short abbreviations are told from words by their capitals; "stemi" and "lbbb" can be nothing else.
    exact = text if (len(text) <= 3 and not text.islower()) or (text.isupper() and not certain) else ""
    known = lexicon.single.setdefault(keys[0], [])
    if len(text) > 1 and not any(form.exact in ("", exact) for form in known):
        known.append(Form(concept, certain, exact))


LABELS = (
    "RHYTHM",
    "CONDUCTION",
    "ISCHEMIA",
    "HYPERTROPHY",
    "AXIS",
    "INTERVAL",
    "MEASURE",
    "LEAD",
    "DRUG",
    "DEVICE",
    "SYMPTOM",
)
"""The kinds of term. ISCHEMIA has all ST, T and Q changes, INTERVAL the names of intervals, MEASURE the numbers."""


class Span(NamedTuple):
    """A term in a text: the characters ``start`` (included) to ``end`` (excluded), and its label."""

    start: int
    end: int
    label: str


class Recogniser(Protocol):
    """Whatever finds terms in texts."""

    name: str
    """For messages and JSON."""

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text (a sentence or a paragraph), in order, none overlapping another."""


@dataclass(frozen=True)
class Term:
    """A term that a text has.

    ``text`` is how it is best written as a note, ``count`` how often it stands in the text, ``sentence`` the first one
    that it stands in, and ``forms`` are its spellings in the text, in order of their first use.
    """

    text: str
    label: str
    count: int
    sentence: str
    forms: tuple[str, ...]
