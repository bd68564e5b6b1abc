"""What is found without spaCy, and what is not taken for a term."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ecgvec.keywords.lexicon import LABELS
from ecgvec.keywords.match import LexiconRecogniser, concept_of
from ecgvec.keywords.words import sentences

UNRELATED = Path(__file__).with_name("unrelated.txt")
FIND = LexiconRecogniser()


def found(text: str) -> list[tuple[str, str]]:
    """The terms of a text with their labels."""
    return [(text[span.start : span.end], span.label) for span in FIND.spans([text])[0]]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("AF, LBBB", [("AF", "RHYTHM"), ("LBBB", "CONDUCTION")]),
        ("A Fib w/ RVR", [("A Fib w/ RVR", "RHYTHM")]),
        ("afib with LAFB", [("afib", "RHYTHM"), ("LAFB", "CONDUCTION")]),
        ("1° AVB", [("1° AVB", "CONDUCTION")]),
        ("1st deg AVB", [("1st deg AVB", "CONDUCTION")]),
        ("first-degree AV block", [("first-degree AV block", "CONDUCTION")]),
        ("sinus rhythm, PVCs", [("sinus rhythm", "RHYTHM"), ("PVCs", "RHYTHM")]),
        (
            "TWI V1-V4, STE II III aVF",
            [("TWI", "ISCHEMIA"), ("V1-V4", "LEAD"), ("STE", "ISCHEMIA"),
             ("II", "LEAD"), ("III", "LEAD"), ("aVF", "LEAD")],
        ),
        ("T wave inversion", [("T wave inversion", "ISCHEMIA")]),
        ("lateral ischaemia", [("lateral ischaemia", "ISCHEMIA")]),
        ("LVH w/ strain", [("LVH w/ strain", "HYPERTROPHY")]),
        ("left axis deviation of -42 degrees", [("left axis deviation", "AXIS"), ("-42 degrees", "MEASURE")]),
        ("poor R-wave progression", [("poor R-wave progression", "AXIS")]),
        ("prolonged QTc, 0.12 s", [("prolonged QTc", "INTERVAL"), ("0.12 s", "MEASURE")]),
        ("wide QRS complexes", [("wide QRS complexes", "INTERVAL")]),
        ("NSR, PR 180, QTc 480", [("NSR", "RHYTHM"), ("PR", "INTERVAL"), ("180", "MEASURE"), ("QTc", "INTERVAL"),
                                  ("480", "MEASURE")]),
        ("72 bpm", [("72 bpm", "MEASURE")]),
        ("ST elevation of 2 mm in the inferior leads", [("ST elevation", "ISCHEMIA"), ("2 mm", "MEASURE"),
                                                        ("inferior leads", "LEAD")]),
        ("QT/QTc 392/431 ms", [("QT", "INTERVAL"), ("QTc", "INTERVAL"), ("392", "MEASURE"), ("431 ms", "MEASURE")]),
        ("PR 180 ms", [("PR", "INTERVAL"), ("180 ms", "MEASURE")]),
        ("P-R-T axes 55 -12 88", [("P-R-T axes", "AXIS"), ("55", "MEASURE"), ("-12", "MEASURE"), ("88", "MEASURE")]),
        ("leads V1 to V3, I and aVL", [("leads V1 to V3", "LEAD"), ("I", "LEAD"), ("aVL", "LEAD")]),
        ("V4R shows it", [("V4R", "LEAD")]),
        ("amiodarone or a beta-blocker", [("amiodarone", "DRUG"), ("beta-blocker", "DRUG")]),
        ("AF, on warfarin", [("AF", "RHYTHM"), ("warfarin", "DRUG")]),
        ("pacing spikes, an ICD lead", [("pacing spikes", "DEVICE"), ("ICD lead", "DEVICE")]),
        ("chest pain, then palpitations", [("chest pain", "SYMPTOM"), ("palpitations", "SYMPTOM")]),
        ("lbbb", [("lbbb", "CONDUCTION")]),
        ("atrial\nfibrillation", [("atrial\nfibrillation", "RHYTHM")]),
        ("SINUS TACHYCARDIA AT 112 BPM", [("SINUS TACHYCARDIA", "RHYTHM"), ("112 BPM", "MEASURE")]),
    ],
)  # fmt: skip
def test_terms(text: str, terms: list[tuple[str, str]]) -> None:
    assert found(text) == terms


@pytest.mark.parametrize(
    "text",
    [
        "The PR agency hired a manager.",
        "The AF lens is quick.",
        "He likes interval training.",
        "They live in a block of flats.",
        "An old lead pipe was cut.",
        "The normal axis of the car is bent.",
        "af, pr and vt in small letters",
        "She told a fib.",
        "Tom Brady took a pause.",
        "The V1 and V2 rockets of World War II.",
        "Bake for 30 s at 180 degrees.",
        "The answer came after 20 ms.",
        "left, axis; deviation",
        "lead I took",
        "A flutter of wings was heard.",
        "a tach of the old kind",
    ],
)
def test_no_terms(text: str) -> None:
    assert found(text) == []


def test_the_company_of_a_term_tells_what_a_short_form_means() -> None:
    assert found("PR is long.") == []
    assert found("In LBBB the PR is long.") == [("LBBB", "CONDUCTION"), ("PR", "INTERVAL")]
    assert ("axis", "AXIS") in found("ECG: the axis is 20 degrees.")


def test_a_stands_for_the_atria_or_is_an_article() -> None:
    assert found("A flutter, LBBB")[0] == ("A flutter", "RHYTHM")
    assert found("LBBB with a paced beat")[1] == ("paced beat", "RHYTHM")
    assert found("LBBB, A paced")[1] == ("A paced", "RHYTHM")


def test_i_is_a_lead_or_the_writer() -> None:
    assert found("ST elevation in aVL and I think it is new") == [("ST elevation", "ISCHEMIA"), ("aVL", "LEAD")]
    assert ("I", "LEAD") in found("ST elevation in aVL and I")
    assert ("II", "LEAD") not in found("aVL in NYHA class II")


def test_unrelated_texts_have_hardly_a_term() -> None:
    """Weather, cooking, other organs, cars, music: with abbreviations and words that the lexicon has."""
    text = UNRELATED.read_text(encoding="utf-8")
    count = len(text.split())
    assert count >= 600
    false = [term for sentence in sentences(text) for term in found(sentence)]
    assert 100 * len(false) / count < 1, false


def test_spans_are_in_order_and_apart() -> None:
    text = "Sinus rhythm 72 bpm, PR 160 ms, LVH with strain, T-wave inversion in V4-V6, QTc 470 ms, axis -20 degrees"
    spans = FIND.spans([text, ""])
    assert spans[1] == []
    assert len(spans[0]) >= 9
    assert all(one.end <= other.start for one, other in zip(spans[0], spans[0][1:], strict=False))
    assert {span.label for span in spans[0]} <= set(LABELS)


def test_a_text_is_found_alike_in_any_company() -> None:
    texts = ["AF", "In AF the rate is 140 bpm.", "LBBB", "AF lens"]
    assert FIND.spans(texts) == [FIND.spans([text])[0] for text in texts]


def test_concepts() -> None:
    concept = concept_of("T-wave inversions")
    assert concept is not None and concept.spelling == "TWI"
    assert concept_of("a T-wave inversion") is None
    assert concept_of("") is None


def test_neither_spacy_nor_anything_heavy_is_loaded() -> None:
    code = """
        import sys
        import ecgvec.keywords.find
        from ecgvec.keywords.match import LexiconRecogniser
        LexiconRecogniser().spans(["AF, LBBB"])
        heavy = {"spacy", "scispacy", "bs4", "torch", "cv2", "numpy", "pydantic"}
        print(sorted(heavy & set(sys.modules)))
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.strip() == "[]"
