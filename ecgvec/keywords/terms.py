"""What the search for keywords speaks of: labels, spans of a text, terms, and whatever finds spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

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
