"""The pages about effects and marks name every kind once, with every key, its default, and what it means."""

from __future__ import annotations

from typing import Any

import pytest

from ecgvec.effects import EFFECTS
from ecgvec.marks import MARKS
from ecgvec.marks.pointing import HandDrawn
from ecgvec.recipe.toml import tell_default
from tests.conftest import ROOT
from tools import make_part_docs

KINDS: list[tuple[str, Any]] = [
    (page, part) for page, registry in (("effects.md", EFFECTS), ("marks.md", MARKS)) for _, part in registry
]


@pytest.mark.parametrize(("page", "part"), KINDS, ids=[part.__name__ for _, part in KINDS])
def test_the_page_names_every_key_with_its_default(page: str, part: Any) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    (row,) = (line for line in text.splitlines() if line.startswith(f"| `{part.model_fields['kind'].default}` |"))
    assert make_part_docs.what(part) in row
    for name, field in part.model_fields.items():
        if name in ("kind", "seed"):
            continue
        where = text if issubclass(part, HandDrawn) and name in make_part_docs.PEN else row
        assert f"`{name}` ({tell_default(field.default)}" in where, name
        assert field.description.removesuffix(".") in where, name


def test_what_is_between_the_marks_is_made_anew() -> None:
    text = make_part_docs.page("effects.md")
    assert text.count("<!-- table ") == text.count("<!-- end of table -->") == 4
    assert "| `jpeg` | Saved as JPEG, once or twice | `quality` (60; 1 to 100): Quality on libjpeg's scale<br>" in text
