"""The registry of named parts."""

from __future__ import annotations

import pytest

from ecgvec.components import Registry
from ecgvec.errors import ExportError


def test_parts_come_back_in_order_and_near_misses_are_helped() -> None:
    parts: Registry[int] = Registry("format", ExportError)
    parts.add("png", 1)
    parts.add("json", 2)
    assert parts.names() == ["png", "json"]
    assert dict(parts) == {"png": 1, "json": 2}
    assert parts.get("json") == 2
    with pytest.raises(ExportError, match="unknown format 'jsn'; did you mean 'json'"):
        parts.get("jsn")
    with pytest.raises(ValueError, match="twice"):
        parts.add("png", 3)
