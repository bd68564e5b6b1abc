"""What no list can hold: measured values with their units, and names of leads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Found(NamedTuple):
    """A value or lead in a text: characters ``start`` to ``end``; ``certain`` where it can be nothing else, whatever
    the sentence is about."""

    start: int
    end: int
    certain: bool


_NUMBER = r"(?<![\w.,/:-])(?:[-+−–]\s?)?\d+(?:[.,]\d+)?"
_PER_MINUTE = r"/\s?min(?:ute)?|per\sminute|Hz"
_RATE = r"bpm|beats?\s?(?:/|\s?per\s|\s?a\s)\s?min(?:ute)?"
_TIME = r"ms(?:ec)?s?|milliseconds?|s|secs?|seconds?"
_OTHER = r"mm\s?/\s?(?:mV|s(?:ec(?:ond)?)?)|mm|millimet(?:er|re)s?|[mµμu]V|millivolts?|degrees?|degs?|°"
_DOSES = r"mg|mcg|[µμ]g|mmol\s?/\s?[lL]|mEq\s?/\s?[lL]|mm\s?Hg|J|joules"
_VALUE = re.compile(
    rf"(?P<number>{_NUMBER}(?:\s?(?:-|–|to)\s?\d+(?:[.,]\d+)?)?)[ \u00a0-]?"
    rf"(?:(?P<rate>{_RATE})|{_DOSES}|{_OTHER}|{_PER_MINUTE}|{_TIME})(?![\w/]|\s?[CF]\b)",
    re.IGNORECASE,
)
_PAIR = re.compile(r"(?<![\w.,/:-])(\d{3})\s?/\s?(\d{3}\s?ms(?:ec)?)\b", re.IGNORECASE)  # QT/QTc 392/431 ms
_BARE = re.compile(
    r"(?:\s+(?:interval|duration|segment|axis))?\s*(?:[:=~]|\b(?:is|was|of|about|at|approximately)\b)?\s*[~<>]?"
    r"(?P<number>[-+−–]?\d{1,3}(?:\.\d{1,3})?)(?![\w:°%]|[./-]\d|\s?(?:min|hours?|days?|years?|leads?|of|patients?)\b)"
)
_BARE_RATE = re.compile(r"\b(?:HR|(?:[Vv]ent\.?|[Hh]eart|[Vv]entricular|[Aa]trial)?\s?[Rr]ate|RATE)\b")

_ATOM = re.compile(
    r"(?P<word>\b[Ll](?:ead|EAD)(?:s|S)?\s+)?\b(?:(?P<range>V[1-9]R?\s?(?:[-–—]|to|through|thru)\s?(?P<second>V?)[1-9]R?)"
    r"|(?P<right>V[1-9]R)|(?P<chest>V[1-9])|(?P<limb>a[vV][RLFrlf])|(?P<capital>AV[RLF])|(?P<roman>I{1,3}))\b(?!['’-][a-z])"
)
_BETWEEN = re.compile(r"\s*(?:[,/&+–-]|and|or)?\s*(?:and|or)?\s*(?:in\s)?")
_NUMBERED = re.compile(
    r"(?:types?|mobitz|class|stage|grade|phase|factor|war|part|degree|killip|nyha|avb|block)\s*$", re.IGNORECASE
)
_PRONOUN = re.compile(r"\s+(?:think|am|was|have|had|would|will|did|do|saw|see|believe|feel|can|could|suspect|agree)\b")


def values(text: str) -> Iterator[Found]:
    """Numbers with a unit: of rate, time, amplitude, angle, dose. Only a rate in bpm is certain."""
    for match in _VALUE.finditer(text):
        yield Found(match.start(), match.end(), match["rate"] is not None)
    for pair in _PAIR.finditer(text):
        yield from (Found(*pair.span(group), False) for group in (1, 2))


def bare_value(text: str, after: int) -> Found | None:
    """A number without a unit right after the name of an interval that ends at ``after``: "QTc 480", "axis -30"."""
    match = _BARE.match(text, after)
    return Found(*match.span("number"), False) if match else None


def bare_rates(text: str) -> Iterator[Found]:
    """Numbers without a unit right after the word rate."""
    for match in _BARE_RATE.finditer(text):
        value = bare_value(text, match.end())
        if value is not None:
            yield value


def leads(text: str) -> Iterator[Found]:
    """Leads and ranges of leads. I, II and III count beside another lead, or after the word lead."""
    row: list[re.Match[str]] = []
    for match in _ATOM.finditer(text):
        if match["roman"] and (
            _PRONOUN.match(text, match.end())
            or _NUMBERED.search(text[max(match.start("roman") - 12, 0) : match.start("roman")])
        ):
            continue
        if row and not _BETWEEN.fullmatch(text, row[-1].end(), match.start()):
            yield from _row(row)
            row = []
        row.append(match)
    yield from _row(row)


def _row(row: list[re.Match[str]]) -> Iterator[Found]:
    led = [bool(match["word"]) for match in row]
    if not any(led) and all(match["roman"] for match in row):
        return
    certain = any(
        match["limb"] or match["right"] or match["second"] or (word and match["roman"] != "I")
        for match, word in zip(row, led, strict=True)
    )
    for match in row:
        yield Found(match.start(), match.end(), certain)
