"""The JSON of an image, checked against its schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ecgvec
from ecgvec.export.native import sidecar

SCHEMA = json.loads((Path(ecgvec.__file__).parent / "export" / "sidecar.schema.json").read_text())


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def document(sheet: ecgvec.Sheet) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(sidecar(sheet, {"x.png": b"1"}), parse_constant=refuse)
    return loaded
