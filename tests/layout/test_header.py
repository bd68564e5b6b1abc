"""A header of one's own, from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecgvec.batch.work import check_recipe
from ecgvec.errors import TemplateError
from ecgvec.layout.header import load_header
from ecgvec.pipeline import render
from ecgvec.record.model import Record

OWN = 'height = 20\n[[block]]\nx = 5\nrows = [["Ward 3B, No. {id}"], ["{statement}"]]\n'


def test_a_file_is_a_header(tmp_path: Path, demo_record: Record) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OWN)
    check_recipe("clean", {"page.header": str(file)})
    sheet = render(demo_record, header=str(file), print_header=True, dpi=50)
    assert any(text.text.startswith("Ward 3B, No. ") for text in sheet.labels.texts)
    file.write_text(OWN.replace("3B", "4C"))
    assert load_header(str(file)).block[0].rows[0] == ("Ward 4C, No. {id}",), "a file is read anew"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "cannot be read"),
        ("height =", "is not TOML"),
        (OWN.replace("height = 20", "hight = 20"), "height"),
        (OWN.replace("{id}", "{idd}"), "'{idd}' is unknown"),
    ],
)
def test_a_wrong_file_is_told_before_the_first_record(text: str | None, told: str, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(TemplateError, match=r"own\.toml") as caught:
        check_recipe("clean", {"page.header": str(file)})
    assert told in str(caught.value)


def test_an_unknown_name_says_that_files_may_be_given() -> None:
    with pytest.raises(TemplateError, match=r"unknown header 'gee'.*\.toml"):
        load_header("gee")
