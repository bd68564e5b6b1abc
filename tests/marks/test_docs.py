"""The page about marks names every kind and key, with its default."""

from __future__ import annotations

import pytest

from ecgvec.marks import MARKS
from ecgvec.marks.pointing import HandDrawn
from tests.conftest import ROOT


@pytest.mark.parametrize("kind", MARKS.names())
def test_the_docs_name_every_key_with_its_default(kind: str) -> None:
    text = (ROOT / "docs" / "marks.md").read_text(encoding="utf-8")
    (row,) = (line for line in text.splitlines() if line.startswith(f"| `{kind}` |"))
    of_pens = [name for name in HandDrawn.model_fields if name != "lead"]
    part = MARKS.get(kind)
    for name, field in part.model_fields.items():
        if name in ("kind", "seed"):
            continue
        default = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
        where = text if issubclass(part, HandDrawn) and name in of_pens else row
        assert f"`{name}` ({default}" in where, name
