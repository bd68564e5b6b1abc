"""Notes on a record's diagnoses, and against them."""

from __future__ import annotations

import numpy as np
import pytest

from ecgvec.keywords import diagnoses
from ecgvec.keywords.diagnoses import contradict, notes_of, report_codes, writings
from ecgvec.keywords.lexicon import load_lexicon

CODES = {concept.abbreviation: code for code, concept in load_lexicon().by_code().items()}
TERMS = {concept.abbreviation: concept.term for concept in load_lexicon().by_code().values()}


def codes(abbreviations: str) -> list[str]:
    return [CODES[name] for name in abbreviations.split()]


def against(abbreviations: str) -> set[str]:
    """The terms of all notes against a record."""
    return {note.term for note in contradict(codes(abbreviations), np.random.default_rng(0))}


def test_a_note_a_code_with_its_code() -> None:
    notes = notes_of(codes("AF LAD"), np.random.default_rng(1))
    assert [note.code for note in notes] == codes("AF LAD")
    assert [note.term for note in notes] == [TERMS["AF"], TERMS["LAD"]]
    assert [note.text in writings(load_lexicon().by_code()[note.code]) for note in notes] == [True, True]


def test_each_diagnosis_has_several_writings_and_chance_uses_them_all() -> None:
    for code, concept in load_lexicon().by_code().items():
        ways = set(writings(concept))
        assert len(ways) >= 2, concept.term
        drawn = {notes_of([code], np.random.default_rng(seed))[0].text for seed in range(80)}
        assert drawn == ways
        assert all(text.isascii() and len(text) <= 40 for text in ways)


def test_the_same_seed_the_same_notes() -> None:
    record = codes("AF LAD LVH")
    for make in (notes_of, contradict):
        assert make(record, np.random.default_rng(3)) == make(record, np.random.default_rng(3))
    assert contradict(record, np.random.default_rng(3)) != contradict(record, np.random.default_rng(4))


def test_a_text_is_written_once() -> None:
    for seed in range(20):
        texts = [note.text for note in notes_of(codes("LBBB CLBBB LBBB"), np.random.default_rng(seed))]
        assert 1 <= len(texts) <= 2 and len(set(texts)) == len(texts)


def test_unknown_codes_are_told() -> None:
    record = [CODES["AF"], "99999999"]
    assert [note.code for note in notes_of(record, np.random.default_rng(0))] == [CODES["AF"]]
    assert report_codes(record) == ["SNOMED CT code 99999999 is not in the lexicon: no note is made of it."]


def test_a_record_without_codes() -> None:
    assert notes_of([], np.random.default_rng(0)) == []
    assert contradict([], np.random.default_rng(0)) == []
    assert report_codes([]) and "no diagnosis codes" in report_codes([])[0]


@pytest.mark.parametrize(
    ("record", "wrong"),
    [
        ("NSR", "AF AFL VPP PR VTach"),
        ("AF", "NSR SB STach AFL PR VTach IAVB"),
        ("LBBB", "RBBB CRBBB IRBBB"),
        ("CRBBB", "LBBB CLBBB"),
        ("LAD", "RAD LPFB"),
        ("LAnFB", "RAD LPFB"),
        ("SB", "STach SVT"),
        ("STach", "SB Brady"),
        ("LQT", "SQT"),
        ("SPRI", "LPR IAVB"),
        ("CHB", "IAVB IIAVB MoI"),
        ("LQRSV", "LVH LVHV"),
        ("CR", "CCR"),
        ("VTach", "NSR AF"),
    ],
)
def test_what_contradicts(record: str, wrong: str) -> None:
    assert {TERMS[name] for name in wrong.split()} <= against(record)


@pytest.mark.parametrize(
    ("record", "true"),
    [
        ("NSR", "SB STach SA LBBB LVH MI PAF PAC TAb"),
        ("AF", "RAF CAF AFAFL PAF LBBB SVT PVC"),
        ("LBBB", "CLBBB BBB ILBBB LAD LVH IAVB"),
        ("BBB", "LBBB RBBB"),
        ("LAD", "LAnFB LBBB"),
        ("AVB", "IAVB IIAVB CHB MoI"),
        ("IIAVB", "MoI IIAVBII AVB IAVB"),
        ("CHB NSR", "AVJR VEsR IR AVB"),
        ("VPP", "NSR AF AFL LBBB"),
        ("PAF", "NSR AF"),
        ("NSR AF", "SB STach RAF"),
        ("SVT", "AVNRT ATach AF"),
        ("BTS", "SB STach AF"),
        ("MI", "OldMI AMI AnMI STE STD"),
        ("LVH", "LVHV RVH LAE"),
    ],
)
def test_what_does_not_contradict(record: str, true: str) -> None:
    """What a record has, what follows from it, and what may be beside it."""
    assert not {TERMS[name] for name in (*true.split(), *record.split())} & against(record)


@pytest.mark.parametrize(
    ("record", "wrong"), [("NSR", False), ("NSR SA", False), ("CHD", False), ("NSR MI", True), ("AF", True)]
)
def test_normal(record: str, wrong: bool) -> None:
    notes = [note for note in contradict(codes(record), np.random.default_rng(0)) if note.term == "normal ECG"]
    assert bool(notes) == wrong
    assert all(note.code == "" for note in notes)


def test_no_record_contradicts_itself() -> None:
    """Of any two diagnoses, neither is a note against a record that has both."""
    rng = np.random.default_rng(0)
    names = sorted(CODES)
    for _ in range(300):
        record = [CODES[names[int(at)]] for at in rng.integers(len(names), size=3)]
        assert not {note.code for note in contradict(record, rng)} & set(record)


def test_a_record_of_which_nothing_can_be_denied() -> None:
    assert report_codes(codes("CHD")) == ["No diagnosis is known that contradicts those of the record."]
    assert contradict(codes("CHD"), np.random.default_rng(0)) == []
    assert report_codes(codes("NSR")) == []


def test_the_table_names_diagnoses_that_there_are() -> None:
    named = {name for classes in diagnoses._FAMILIES.values() for row in classes.values() for name in row.split()}
    named |= {*diagnoses._MAY_BE, *diagnoses._NORMAL_MAY_HAVE.split()}
    assert named <= set(CODES)
    for entry in diagnoses._MAY_BE.values():
        for family, classes in entry.items():
            assert set(classes.split("|")) <= set(diagnoses._FAMILIES[family])
