"""What may be taken from a header's comments, and that nothing else is."""

from __future__ import annotations

import pytest

from ecgvec.record.model import Subject, subject_from_comments


@pytest.mark.parametrize(
    ("comments", "subject"),
    [
        (["Age: 77", "Sex: Female", "Dx: 253352002,427084000"], Subject(77, "female", ("253352002", "427084000"))),
        (["age: 81", "sex: male", "ECG date: 01/10/1990"], Subject(81, "male")),
        (["<age>: 25  <sex>: M  <diagnoses>: (none)  <medications>: (none)"], Subject(25, "male")),
        (["AGE : 45 years", "SEX : f", "DX: 426783006 , 426783006"], Subject(45, "female", ("426783006",))),
        (["Age: 63.0", "Dx: 67741000119109"], Subject(63, None, ("67741000119109",))),
        (["Age: 0"], Subject(0)),
        (["Age: 77", "Age: 12"], Subject(77)),
        ([], Subject()),
    ],
)
def test_what_is_taken(comments: list[str], subject: Subject) -> None:
    assert subject_from_comments(comments) == subject


@pytest.mark.parametrize("age", ["300", "121", "NaN", "-1", "", "n/a", "unknown", "7 Elm Street", "1234567"])
def test_an_age_that_is_none(age: str) -> None:
    assert subject_from_comments([f"Age: {age}"]).age is None


@pytest.mark.parametrize("sex", ["Unknown", "NaN", "", "x", "female Jane Doe"])
def test_a_sex_that_is_not_said(sex: str) -> None:
    assert subject_from_comments([f"Sex: {sex}"]).sex is None


@pytest.mark.parametrize("dx", ["Unknown", "12345", "1234567890123456789", "infarction, Jane Doe", "AB123456"])
def test_what_is_no_code(dx: str) -> None:
    assert subject_from_comments([f"Dx: {dx}"]).dx == ()


def test_other_comments_say_nothing() -> None:
    comments = ["69 M 1085 1629 x1", "Mother's age: 30", "Diagnose:", "Dxs: 253352002", "Patient age group: 7", "Rx: 1"]
    assert subject_from_comments(comments) == Subject()
