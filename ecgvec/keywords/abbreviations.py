"""Abbreviations that a text explains itself: "left bundle branch block (LBBB)"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

_BRACKETED = re.compile(r"\(([^()]{2,60})\)")
_SHORT = re.compile(r"(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9][\w.&/+-]{1,9}")
_FARTHEST = 300  # characters before a bracket that are looked at
_LINKS = frozenset({"of", "the", "and", "or", "in", "with", "a", "an", "for", "to", "by"})


def learn_abbreviations(sentences: Sequence[str], spacy_language: Any | None = None) -> dict[str, str]:
    """The abbreviations that ``sentences`` explain: short -> long, as they are spelt there; the first explanation of
    one counts.

    scispaCy's detector finds them where scispaCy is installed, on ``spacy_language`` (a spaCy pipeline; only its
    tokenizer is used) or plain English; elsewhere `pairs` does, the same algorithm in short.
    """
    find = _detector(spacy_language) if find_spec("scispacy") is not None else pairs
    found: dict[str, str] = {}
    for sentence in sentences:
        if "(" in sentence:
            for short, long in find(sentence):
                found.setdefault(singular(short), _whole(sentence, long))
    return found


def pairs(sentence: str) -> Iterator[tuple[str, str]]:
    """(short, long) of each bracket in ``sentence`` that explains an abbreviation or is one.

    After Schwartz & Hearst, "A simple algorithm for identifying abbreviation definitions in biomedical text" (Pacific
    Symposium on Biocomputing 2003): from the right, each letter of the short form is looked for in the words before the
    bracket, its first letter at the start of a word.
    """
    for match in _BRACKETED.finditer(sentence):
        inner = re.split(r"[;,]\s", match.group(1))[0].strip()
        before = sentence[max(match.start() - _FARTHEST, 0) : match.start()].rstrip()
        if _is_short(inner):
            long = _long_form(inner, _reach(inner, before))
            if long is not None:
                yield inner, long
        else:
            # The other way round: LBBB (left bundle branch block).
            last = re.search(r"[\w.&/+-]+$", before)
            if last and _is_short(last.group()):
                long = _long_form(last.group(), inner)
                if long is not None and long == inner:
                    yield last.group(), long


def _is_short(text: str) -> bool:
    return _SHORT.fullmatch(text) is not None and sum(c.isupper() for c in text) >= 2


def _reach(short: str, before: str) -> str:
    """The words before a bracket in which the long form may be: min(|A| + 5, 2 |A|) of them, after any semicolon,
    colon or bracket."""
    part = re.split(r"[;:()]", before)[-1]
    letters = len(short)
    return " ".join(part.split()[-min(letters + 5, 2 * letters) :])


def _long_form(short: str, candidate: str) -> str | None:
    """The shortest end of ``candidate`` that has all letters of ``short`` in order, or None."""
    letters = [c for c in singular(short).lower() if c.isalnum()]
    at = len(candidate)
    for index in range(len(letters) - 1, -1, -1):
        at -= 1
        while at >= 0 and not (candidate[at].lower() == letters[index] and (index > 0 or _starts_word(candidate, at))):
            at -= 1
        if at < 0:
            return None
    long = candidate[at:]
    count = len(long.split())
    good = len(long) > len(short) and count <= min(len(short) + 5, 2 * len(short))
    good = good and long.split()[0].lower() not in _LINKS and short not in long.split()
    return long if good else None


def _starts_word(text: str, at: int) -> bool:
    return at == 0 or not text[at - 1].isalnum()


def _whole(sentence: str, long: str) -> str:
    """``long`` with what a hyphen ties to its first word: both algorithms begin STEMI at "segment" of "ST-segment"."""
    at = max(sentence.find(long), 0)
    tied = re.search(r"[\w-]*-$", sentence[max(at - _FARTHEST, 0) : at])
    return " ".join(((tied.group() if tied else "") + long).split())


def singular(short: str) -> str:
    """An abbreviation without the "s" of its plural: PVC of PVCs."""
    return short[:-1] if len(short) > 2 and short.endswith("s") and short[:-1].isupper() else short


def _detector(spacy_language: Any | None) -> Any:
    """scispaCy's AbbreviationDetector as a function like `pairs`. Imported here: it takes seconds."""
    import warnings

    import spacy

    language = spacy_language if spacy_language is not None else spacy.blank("en")
    detector = import_module("scispacy.abbreviation").AbbreviationDetector(language)

    def found(sentence: str) -> Iterator[tuple[str, str]]:
        with warnings.catch_warnings():
            # A sentence without an explanation leaves the detector's second matcher empty.
            warnings.filterwarnings("ignore", message=r"\[W036\]")
            document = detector(language.make_doc(sentence))
        for short in document._.abbreviations:
            yield short.text, short._.long_form.text

    return found
