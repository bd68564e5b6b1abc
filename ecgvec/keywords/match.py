"""Terms found without spaCy: the wordings of the lexicon, leads, measures and rates, in sentences about an ECG."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ecgvec.keywords.lexicon import Concept, Form, Span, load_lexicon
from ecgvec.keywords.words import Word, may_join, whole, words

_TIMED = frozenset({"INTERVAL", "RHYTHM", "ISCHEMIA"})
_NEAR = 12  # characters between an abbreviation and the value or lead that tells what it means
_NO_CONTEXT = frozenset({"SYMPTOM", "MEASURE", "DRUG"})


class _Found(NamedTuple):
    """A possible term. ``label`` is empty for a cue; ``exact`` for an abbreviation."""

    start: int
    end: int
    label: str
    certain: bool
    exact: bool = False


class LexiconRecogniser:
    """Finds what the lexicon has and what the patterns tell. What may mean something else counts only in a sentence
    that has a term or word of electrocardiography beside it; an abbreviation also next to a value or a lead."""

    name = "lexicon"

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text, in order. A text is one sentence or note: its words tell what it is about."""
        return [_spans(text) for text in texts]


def _spans(text: str) -> list[Span]:
    text_words = words(text)
    found = _apart([*_wordings(text, text_words), *_patterns(text)])
    about = _about(found, len(text_words))
    taken = [one for at, one in enumerate(found) if one.label and _counts(text, found, at, about)]
    if about == "ecg" or len(taken) > 1:
        taken = _apart([*taken, *_bare_values(text, taken)])
    return [Span(one.start, one.end, one.label) for one in taken]


def _wordings(text: str, text_words: list[Word]) -> Iterator[_Found]:
    for at in range(len(text_words)):
        match = longest(text, text_words, at)
        if match is not None:
            length, form = match
            label = form.concept.label if form.concept else ""
            yield _Found(text_words[at].start, text_words[at + length - 1].end, label, form.certain, bool(form.exact))


def longest(text: str, text_words: list[Word], at: int) -> tuple[int, Form] | None:
    """The longest wording of the lexicon that begins with word ``at``: its number of words, and the form."""
    lexicon = load_lexicon()
    run = 1
    most = min(len(text_words) - at, lexicon.most_words)
    while run < most and may_join(text, text_words[at + run - 1], text_words[at + run]):
        run += 1
    first = text_words[at]
    row = tuple(whole(word.key) for word in text_words[at : at + run])
    for head in dict.fromkeys((row[0], first.key)):
        for keys, form in lexicon.several.get(head, ()):
            fits = len(keys) <= run and keys[1:] == row[1 : len(keys)]
            if fits and (head != "a" or keys[1] == "fib" or _is_letter_a(text_words, at)):
                return len(keys), form
    loose: Form | None = None
    for form in lexicon.single.get(first.key, ()):
        if form.exact and _bare(first.text) == form.exact:
            return 1, form
        if not form.exact:
            loose = form
    return (1, loose) if loose is not None else None


def _is_letter_a(text_words: list[Word], at: int) -> bool:
    """Whether the "A" of "A flutter" stands for the atria: it is no article, unless that begins a sentence."""
    return text_words[at].text == "A" and (at > 0 or len(text_words) <= 4)


def _bare(abbreviation: str) -> str:
    """An abbreviation without the "s" of its plural."""
    for ending in ("'s", "’s", "s"):
        if abbreviation.endswith(ending) and abbreviation[: -len(ending)].isupper():
            return abbreviation[: -len(ending)]
    return abbreviation


def _patterns(text: str) -> Iterator[_Found]:
    for lead in leads(text):
        yield _Found(lead.start, lead.end, "LEAD", lead.certain)
    for value in values(text):
        yield _Found(value.start, value.end, "MEASURE", value.certain)


def _apart(found: list[_Found]) -> list[_Found]:
    """Those that do not overlap, from the left, the longer one first."""
    kept: list[_Found] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def _about(found: list[_Found], length: int) -> str:
    """What a sentence of ``length`` words is about: "ecg", "drug" where only a drug speaks for the heart, or ""."""
    if any(one.certain and one.label not in _NO_CONTEXT for one in found):
        return "ecg"
    # A note: "AF, LAD". Hardly anything in it but abbreviations.
    short = [one for one in found if one.label and one.label != "MEASURE"]
    if length <= 8 and sum(one.exact for one in short) >= 2 and 2 * len(short) >= length:
        return "ecg"
    return "drug" if any(one.certain and one.label == "DRUG" for one in found) else ""


def _counts(text: str, found: list[_Found], at: int, about: str) -> bool:
    one = found[at]
    if one.certain or about == "ecg":
        return True
    if about == "drug" and one.exact and one.label not in ("SYMPTOM", "DEVICE", "DRUG"):
        return True
    return _supported(text, found, at) or (
        one.label in ("MEASURE", "LEAD") and any(_supported(text, found, near) for near in (at - 1, at + 1))
    )


def _supported(text: str, found: list[_Found], at: int) -> bool:
    """Whether an abbreviation stands right before a value in time, amplitude or rate: "PR 180 ms"."""
    if not 0 <= at < len(found) - 1 or not found[at].exact or found[at].label not in _TIMED:
        return False
    one, after = found[at], found[at + 1]
    gap = text[one.end : after.start]
    return after.label in ("MEASURE", "LEAD") and len(gap) <= _NEAR and not set(gap) & set(".;!?")


def _bare_values(text: str, taken: list[_Found]) -> Iterator[_Found]:
    for one in taken:
        # "P-R-T axes 55 -12 88" has three.
        at, most = one.end, {"INTERVAL": 1, "AXIS": 3}.get(one.label, 0)
        for _ in range(most):
            value = bare_value(text, at)
            if value is None:
                break
            yield _Found(value.start, value.end, "MEASURE", False)
            at = value.end
    for value in bare_rates(text):
        yield _Found(value.start, value.end, "MEASURE", False)


def concept_of(text: str) -> Concept | None:
    """The concept that the whole of ``text`` names, whatever it stands in."""
    text_words = words(text)
    match = longest(text, text_words, 0) if text_words else None
    return match[1].concept if match and match[0] == len(text_words) else None


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
