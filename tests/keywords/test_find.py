"""From texts to ranked terms."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ecgvec.keywords.find import LONGEST, find_terms
from ecgvec.keywords.lexicon import Span, Term
from ecgvec.keywords.match import LexiconRecogniser
from ecgvec.keywords.sources import Source


def terms_of(*texts: str) -> list[Term]:
    return find_terms([Source(f"text {at}", text) for at, text in enumerate(texts)], LexiconRecogniser())[0]


class _Fixed:
    """A recogniser that finds these wordings, each with its label."""

    name = "fixed"

    def __init__(self, **wordings: str) -> None:
        self.wordings = wordings

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        return [sorted(self._of(text)) for text in texts]

    def _of(self, text: str) -> list[Span]:
        places = ((text.find(w), w, label) for w, label in self.wordings.items())
        return [Span(start, start + len(w), label) for start, w, label in places if start >= 0]


def test_long_and_short_form_are_one() -> None:
    found = terms_of("A left bundle branch block (LBBB) is seen. LBBB is old.\n\nThe LBBBs are wide.")
    assert found == [
        Term(
            "LBBB",
            "CONDUCTION",
            4,
            "A left bundle branch block (LBBB) is seen.",
            ("left bundle branch block", "LBBB", "LBBBs"),
        )
    ]


def test_an_abbreviation_counts_in_any_sentence_once_it_is_explained() -> None:
    assert terms_of("AF was found.") == []
    found = terms_of("Atrial fibrillation (AF) is common. AF was found.")
    assert [(term.text, term.count) for term in found] == [("AF", 3)]


def test_an_abbreviation_that_the_text_explains_otherwise() -> None:
    found = terms_of("Sinus rhythm in the public relations (PR) office. The PR staff has LBBB, PR again.")
    assert [term.text for term in found] == ["NSR", "LBBB"]


def test_an_abbreviation_that_the_lexicon_has_not() -> None:
    """The label is that of the long form, whoever found it, and the short form is written."""
    find = _Fixed(**{"bidirectional nodal jumble": "RHYTHM"})
    text = "A bidirectional nodal jumble (BNJ) came. The BNJ went."
    found, _ = find_terms([Source("text", text)], find)
    assert found == [
        Term("BNJ", "RHYTHM", 3, "A bidirectional nodal jumble (BNJ) came.", ("bidirectional nodal jumble", "BNJ"))
    ]


def test_spellings_are_one_and_all_are_told() -> None:
    found = terms_of("Anterior ischaemia, T-wave inversions. Later anterior ischemia and T wave inversion.")
    assert [(term.text, term.count, term.forms) for term in found] == [
        ("ant isch", 2, ("Anterior ischaemia", "anterior ischemia")),
        ("TWI", 2, ("T-wave inversions", "T wave inversion")),
    ]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("QTc 480 msec", "480 ms"),
        ("QTc of 0,48 seconds", "0.48 s"),
        ("sinus rhythm 72 beats per minute", "72 bpm"),
        ("sinus rhythm, 72/min", "72/min"),
        ("QRS axis −30°", "-30 deg"),
        ("QRS axis + 60 degrees", "+60 deg"),
        ("PR interval 120 to 200 milliseconds", "120-200 ms"),
        ("ECG at 25 mm/sec", "25 mm/s"),
        ("SINUS RHYTHM 72 BPM", "72 bpm"),
    ],
)
def test_measures(text: str, written: str) -> None:
    assert [term.text for term in terms_of(text) if term.label == "MEASURE"] == [written]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("ST elevation in leads V1 to V4", ["V1-V4"]),
        ("ST elevation in V1–4", ["V1-V4"]),
        ("ST elevation in lead AVF and II", ["aVF", "II"]),
        ("ST elevation in the inferior leads", ["inf leads"]),
    ],
)
def test_leads(text: str, written: list[str]) -> None:
    assert [term.text for term in terms_of(text) if term.label == "LEAD"] == written


def test_rank() -> None:
    found = terms_of(
        "In V1-V4 at 72 bpm with dyspnea: amiodarone, sinus rhythm, LVH. Sinus rhythm in V1-V4 once more.",
        "LVH and LBBB; LVH. QTc 480 ms.",
    )
    assert [(term.text, term.count) for term in found] == [
        ("LVH", 3),
        ("NSR", 2),
        ("LBBB", 1),
        ("amio", 1),
        ("QTc", 1),
        ("SOB", 1),
        ("V1-V4", 2),
        ("72 bpm", 1),
        ("480 ms", 1),
    ]


def test_too_long_to_be_a_note() -> None:
    long = "exceedingly unusual rhythm of the upper heart chambers"
    assert len(long) > LONGEST
    text = Source("text", f"An {long} was seen, then LBBB.")
    found, messages = find_terms([text], _Fixed(LBBB="CONDUCTION", **{long: "RHYTHM"}))
    assert [term.text for term in found] == ["LBBB"]
    assert messages == [f"1 term is longer than {LONGEST} characters and left out."]


def test_what_the_lexicon_has_not_is_written_as_it_stands() -> None:
    wordings = {"Whirling rhythm": "RHYTHM", "Keller’s low–lead sign": "LEAD", "GREAT HEIGHT": "AXIS"}
    text = "Whirling rhythm. Then Keller’s low–lead sign of GREAT HEIGHT."
    found, _ = find_terms([Source("text", text)], _Fixed(**wordings))
    assert [term.text for term in found] == ["whirling rhythm", "great height", "Keller's low-lead sign"]


def test_a_text_without_terms() -> None:
    found, messages = find_terms([Source("weather.txt", "Rain in the west.")], LexiconRecogniser())
    assert found == []
    assert messages == ["weather.txt has no terms of electrocardiography."]


def test_the_same_twice() -> None:
    text = "Sinus rhythm, LVH, TWI in V1 and V2, QTc 470 ms, PVCs, PACs, chest pain on digoxin. " * 3
    assert terms_of(text) == terms_of(text)
