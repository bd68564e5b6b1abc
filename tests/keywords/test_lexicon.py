"""The lexicon: what it holds, and how its wordings are compared."""

from __future__ import annotations

import csv
from collections import Counter

import pytest

from ecgvec.keywords import words
from ecgvec.keywords.lexicon import LABELS, expand_pattern, load_lexicon
from ecgvec.keywords.match import concept_of
from tests.conftest import SHARED

LEXICON = load_lexicon()


def test_it_is_broad() -> None:
    assert len(LEXICON.concepts) >= 350
    wordings = [form for forms in LEXICON.single.values() for form in forms]
    wordings += [form for forms in LEXICON.several.values() for _, form in forms]
    assert sum(form.concept is not None for form in wordings) >= 1200  # the others are cues
    counts = Counter(concept.label for concept in LEXICON.concepts)
    assert set(counts) == set(LABELS) - {"MEASURE"}  # measures are told by patterns
    assert min(counts.values()) >= 10


def test_each_term_is_itself() -> None:
    """No wording of another term takes a term's own name away, and what is written is understood again."""
    for concept in LEXICON.concepts:
        assert concept_of(concept.term) == concept, concept.term


def test_no_wording_belongs_to_two_terms() -> None:
    for concept in LEXICON.concepts:
        assert [form for form in concept.forms if concept_of(form) != concept] == []


def test_what_is_written_is_unlike_for_unlike_terms() -> None:
    written = Counter((concept.label, concept.spelling) for concept in LEXICON.concepts)
    assert [text for text, count in written.items() if count > 1] == []


def test_all_is_written_in_ascii_and_short() -> None:
    for concept in LEXICON.concepts:
        for text in (*concept.short, concept.spelling):
            assert text.isascii() and text.isprintable() and text == text.strip()
            assert 1 < len(text) <= 40, text


def test_the_codes_are_those_of_the_challenge() -> None:
    assert len(LEXICON.by_code()) == 133
    assert len({concept.abbreviation for concept in LEXICON.by_code().values()}) == 133
    assert LEXICON.by_code()["164889003"].term == "atrial fibrillation"
    assert LEXICON.by_code()["67741000119109"].abbreviation == "LAE"


@pytest.mark.skipif(not (SHARED / "terminology").is_dir(), reason="the Challenge's tables of codes are not there")
def test_codes_and_abbreviations_against_the_tables() -> None:
    table: dict[str, str] = {}
    for path in sorted((SHARED / "terminology").glob("dx_mapping_*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            table |= {row["SNOMEDCTCode"]: row["Abbreviation"] for row in csv.DictReader(file)}
    assert {code: concept.abbreviation for code, concept in LEXICON.by_code().items()} == table


def test_patterns() -> None:
    assert list(expand_pattern("(long|short) PR [interval]")) == [
        "long PR",
        "long PR interval",
        "short PR",
        "short PR interval",
    ]
    assert list(expand_pattern("sinus rhythm")) == ["sinus rhythm"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ischaemia", "ischemia"),
        ("ischaemic", "ischemic"),
        ("dyspnoea", "dyspnea"),
        ("oedema", "edema"),
        ("hyperkalaemia", "hyperkalemia"),
        ("depolarisation", "depolarization"),
        ("artefacts", "artifact"),
        ("T-wave inversions", "T wave inversion"),
        ("non-sustained VT", "nonsustained VT"),
        ("non sustained VT", "nonsustained VT"),
        ("pre-excitation", "preexcitation"),
        ("antero-septal infarct", "anteroseptal infarct"),
        ("first degree", "1st degree"),
        ("1°", "1st degree"),
        ("1 deg", "first-degree"),
        ("third degree", "3° "),
        ("Mobitz type II", "Mobitz type 2"),
        ("complexes", "complex"),
        ("axes", "axis"),
        ("PVC's", "PVCs"),
        ("ST elev", "ST elevation"),
        ("sinus tachy", "sinus tachycardia"),
    ],
)
def test_spellings_that_are_the_same(one: str, other: str) -> None:
    assert words.keys(one) == words.keys(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Brady", "bradycardia"), ("first", "second"), ("axis", "axi"), ("LBBB", "RBBB"), ("type I", "type II")],
)
def test_spellings_that_are_not(one: str, other: str) -> None:
    assert words.keys(one) != words.keys(other)


def test_sentences() -> None:
    text = (
        "Vent. rate 54 bpm. ST elev. V2 seen.\nIt goes on (LBBB).  Then:\n\nnew paragraph\n- a point\n- another? Yes."
    )
    assert words.sentences(text) == [
        "Vent. rate 54 bpm.",
        "ST elev. V2 seen.",
        "It goes on (LBBB).",
        "Then:",
        "new paragraph",
        "- a point",
        "- another?",
        "Yes.",
    ]
    assert words.sentences(" \n ") == []
    assert words.sentences("QT 0.42 s vs. 0.40 s") == ["QT 0.42 s vs. 0.40 s"]
