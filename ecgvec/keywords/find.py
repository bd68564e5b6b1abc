"""From texts to terms: spans found, abbreviations joined with what they stand for, the same things counted as one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ecgvec.keywords import words
from ecgvec.keywords.abbreviations import learn_abbreviations, singular
from ecgvec.keywords.lexicon import Concept, Recogniser, Span, Term
from ecgvec.keywords.match import concept_of
from ecgvec.keywords.sources import Source

LONGEST = 40
"""Characters of a note, at most."""

_WEIGHTS = {"RHYTHM": 3, "CONDUCTION": 3, "ISCHEMIA": 3, "HYPERTROPHY": 3, "AXIS": 3, "INTERVAL": 2, "DRUG": 2,
            "DEVICE": 2, "SYMPTOM": 1, "LEAD": 0, "MEASURE": 0}  # fmt: skip
_UNITS = {
    "beats/min": "bpm", "beat/min": "bpm", "beats/minute": "bpm", "beatsperminute": "bpm", "beatsaminute": "bpm",
    "beatspermin": "bpm", "bpm": "bpm", "perminute": "/min", "/minute": "/min",
    "msec": "ms", "msecs": "ms", "millisecond": "ms",
    "milliseconds": "ms", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "degree": "deg", "degrees": "deg",
    "degs": "deg", "°": "deg", "millivolt": "mV", "millivolts": "mV", "mv": "mV", "hz": "Hz", "mm/mv": "mm/mV",
    "millimeter": "mm", "millimeters": "mm", "millimetre": "mm", "millimetres": "mm", "mm/sec": "mm/s",
    "mm/second": "mm/s", "mmhg": "mmHg", "meq/l": "mEq/L", "mmol/l": "mmol/L", "j": "J", "joules": "J", "μg": "mcg",
    "µg": "mcg", "μv": "uV", "µv": "uV",
}  # fmt: skip
"""Units as they are written, by their spelling in lower case without spaces."""

_PLAIN = str.maketrans("–—−‐‑’‘“”\u00a0", "-----''\"\" ")

_Identity = tuple[str, ...]


@dataclass
class _Group:
    """All that is one term: where it stood first (source, sentence, character), and how it was spelt, how often."""

    label: str
    text: str
    place: tuple[int, int, int]
    sentence: str
    forms: dict[str, int] = field(default_factory=dict)

    def term(self) -> Term:
        return Term(self.text, self.label, sum(self.forms.values()), self.sentence, tuple(self.forms))


def find_terms(sources: Sequence[Source], recogniser: Recogniser) -> tuple[list[Term], list[str]]:
    """(the terms of ``sources`` in order of rank, messages on what was left out).

    Diagnoses come first, then intervals, drugs and devices, then symptoms, last leads and measures; among these the
    frequent before the rare, and the early before the late.
    """
    groups: dict[_Identity, _Group] = {}
    messages: list[str] = []
    for number, source in enumerate(sources):
        sentences = words.sentences(source.text)
        explained = learn_abbreviations(sentences)
        found = _with_abbreviations(sentences, recogniser.spans(sentences), explained)
        if not any(found):
            messages.append(f"{source.name} has no terms of electrocardiography.")
        for row, (sentence, spans) in enumerate(zip(sentences, found, strict=True)):
            for span in spans:
                _add(groups, explained, sentence, span, (number, row, span.start))
    ranked = sorted(
        groups.values(), key=lambda group: (-_WEIGHTS[group.label], -sum(group.forms.values()), group.place)
    )
    terms = [group.term() for group in ranked]
    short = [term for term in terms if len(term.text) <= LONGEST]
    if len(short) < len(terms):
        left = len(terms) - len(short)
        messages.append(
            f"{left} {'term is' if left == 1 else 'terms are'} longer than {LONGEST} characters and left out."
        )
    return short, messages


def _with_abbreviations(
    sentences: Sequence[str], found: list[list[Span]], explained: dict[str, str]
) -> list[list[Span]]:
    """The spans, with those of abbreviations that the text explains: added where the long form is a term, dropped where
    it is none ("public relations (PR)")."""
    labels = {short: _label_of_long(long, sentences, found) for short, long in explained.items()}
    result: list[list[Span]] = []
    for sentence, spans in zip(sentences, found, strict=True):
        kept = []
        for span in spans:
            short = singular(sentence[span.start : span.end])
            label = labels.get(short, span.label)
            if label:
                kept.append(span._replace(label=label))
        for short, label in labels.items():
            if not label or short not in sentence:
                continue
            for match in re.finditer(rf"(?<!\w){re.escape(short)}(?=s?(?!\w))", sentence):
                if not any(span.start < match.end() and match.start() < span.end for span in spans):
                    kept.append(Span(match.start(), match.end(), label))
        result.append(sorted(kept))
    return result


def _label_of_long(long: str, sentences: Sequence[str], found: list[list[Span]]) -> str:
    """The label of a long form: the lexicon's, or of what was found in it where it stands first; else empty."""
    concept = concept_of(long)
    if concept is not None:
        return concept.label
    for sentence, spans in zip(sentences, found, strict=True):
        start = sentence.find(long)
        if start >= 0:
            inside = [span for span in spans if span.start < start + len(long) and start < span.end]
            return inside[-1].label if inside else ""
    return ""


def _add(
    groups: dict[_Identity, _Group], explained: dict[str, str], sentence: str, span: Span, place: tuple[int, int, int]
) -> None:
    """Count a span to its group, which may be new."""
    form = " ".join(sentence[span.start : span.end].split())
    long = explained.get(singular(form), form)
    concept = concept_of(long) or concept_of(form) if long != form else concept_of(form)
    label = concept.label if concept else span.label
    text = _written(long, label, concept, explained, at_start=span.start == 0)
    identity = (
        (label, concept.term) if concept else (label, *words.keys(text if label in ("LEAD", "MEASURE") else long))
    )
    group = groups.setdefault(identity, _Group(label, text, place, " ".join(sentence.split())))
    group.forms[form] = group.forms.get(form, 0) + 1


def _written(long: str, label: str, concept: Concept | None, explained: dict[str, str], at_start: bool) -> str:
    """How a term is best written in a note."""
    if concept is not None and (concept.short or len(concept.term) <= LONGEST):
        return concept.spelling
    if label == "MEASURE":
        return _measure(long)
    if label == "LEAD":
        return _lead(long)
    same = [short for short, explanation in explained.items() if _same(explanation, long)]
    if same:
        return same[0]
    text = long.translate(_PLAIN)
    first = text.split()[0]
    if " " in text and text.isupper():
        return text.lower()
    return first.lower() + text[len(first) :] if at_start and first.istitle() and len(first) > 1 else text


def _same(one: str, other: str) -> bool:
    """Whether two wordings differ in spelling alone."""
    return one[0].lower() == other[0].lower() and words.keys(one) == words.keys(other)


def _measure(text: str) -> str:
    """ "480 msec" as "480 ms", "−30°" as "-30 deg"."""
    plain = text.translate(_PLAIN)
    match = re.match(r"([-+]?)\s?([\d.,]+(?:\s?(?:-|to)\s?[\d.,]+)?)[\s-]*(.*)", plain)
    if match is None:
        return plain
    number = re.sub(r"\s?to\s?", "-", match.group(2)).replace(",", ".").replace(" ", "")
    unit = "".join(match.group(3).split())
    unit = _UNITS.get(unit.lower(), unit if any(c.islower() for c in unit) else unit.lower())
    return f"{match.group(1)}{number}{'' if unit.startswith('/') else ' '}{unit}".rstrip()


def _lead(text: str) -> str:
    """ "leads V1 to V4" and "V1–4" as "V1-V4"."""
    plain = re.sub(r"^leads?\s+", "", text.translate(_PLAIN), flags=re.IGNORECASE)
    plain = re.sub(r"\b[aA][vV]([RLFrlf])\b", lambda match: f"aV{match.group(1).upper()}", plain)
    return re.sub(r"\b(V\d)R?\s?(?:-|to|through|thru)\s?V?(\dR?)\b", r"\1-V\2", plain)
