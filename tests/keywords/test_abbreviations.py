"""Abbreviations that a text explains, found by the project's own rule and by scispaCy's detector."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from ecgvec.keywords import abbreviations
from ecgvec.keywords.abbreviations import learn_abbreviations, pairs

HAS_SCISPACY = find_spec("scispacy") is not None

EXPLAINED = [
    ("A left bundle branch block (LBBB) was seen.", {"LBBB": "left bundle branch block"}),
    ("Many premature ventricular contractions (PVCs).", {"PVC": "premature ventricular contractions"}),
    ("A junctional ectopic tachycardia (JET) is rare.", {"JET": "junctional ectopic tachycardia"}),
    ("An implantable cardioverter-defibrillator (ICD).", {"ICD": "implantable cardioverter-defibrillator"}),
    ("The public relations (PR) office.", {"PR": "public relations"}),
    ("An ST-segment elevation myocardial infarction (STEMI).", {"STEMI": "ST-segment elevation myocardial infarction"}),
    ("LBBB (left bundle branch block) is wide.", {"LBBB": "left bundle branch block"}),
    ("The rate (72 bpm) is high (see V1).", {}),
    ("The whole tale (LBBB) was told.", {}),
    ("No brackets, LBBB.", {}),
]


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The project's own rule, scispaCy or not."""
    monkeypatch.setattr(abbreviations, "find_spec", lambda name: None)


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(("sentence", "expected"), EXPLAINED)
def test_own_rule(sentence: str, expected: dict[str, str]) -> None:
    assert learn_abbreviations([sentence]) == expected


@pytest.mark.skipif(
    not HAS_SCISPACY, reason="scispaCy is not installed here; `make test` runs this in its own environment"
)
@pytest.mark.parametrize(("sentence", "expected"), EXPLAINED)
def test_scispacys_detector(sentence: str, expected: dict[str, str]) -> None:
    assert learn_abbreviations([sentence]) == expected


@pytest.mark.skipif(
    not HAS_SCISPACY, reason="scispaCy is not installed here; `make test` runs this in its own environment"
)
def test_the_detector_is_used_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abbreviations, "pairs", None)
    import spacy

    assert learn_abbreviations(["A left bundle branch block (LBBB)."], spacy.blank("en")) == {
        "LBBB": "left bundle branch block"
    }


@pytest.mark.usefixtures("own")
def test_the_first_explanation_counts() -> None:
    sentences = ["The atrial flutter (AF) case.", "An atrial fibrillation (AF) case."]
    assert learn_abbreviations(sentences) == {"AF": "atrial flutter"}


def test_more_in_a_bracket() -> None:
    assert list(pairs("in atrial fibrillation (AF; see below)")) == [("AF", "atrial fibrillation")]
    assert list(pairs("Either way: atrial flutter (AFL) or atrial fibrillation (AF).")) == [
        ("AFL", "atrial flutter"),
        ("AF", "atrial fibrillation"),
    ]


def test_a_long_form_is_not_reached_for_too_far() -> None:
    assert list(pairs("An axis far to the left that none of us had ever seen before in any tracing (AF)")) == []
