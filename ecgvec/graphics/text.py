"""Text as outlines, with its string kept."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Literal

from ecgvec.geometry.affine import Affine
from ecgvec.geometry.outlines import text_path
from ecgvec.graphics.nodes import Mark, Pen, TextInfo
from ecgvec.layout.place import Box


def printable(text: str) -> str:
    """``text`` in one line without control characters, which neither XML nor paper can hold."""
    return "".join(c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c)[0] != "C").strip()


def text_mark(
    mark_id: str,
    role: str,
    text: str,
    at: tuple[float, float],
    font: tuple[str, float, str],
    align: Literal["left", "right", "middle"] = "left",
    data: Mapping[str, str] | None = None,
) -> Mark | None:
    """A line of text whose baseline starts, ends or is centred at ``at`` (mm); ``font`` is (face, size in mm, colour).

    None where nothing of the text can be seen.
    """
    face, size, color = font
    text = printable(text)
    path, advance = text_path(text, face, size)
    if not len(path.points):
        return None
    shift = {"left": 0.0, "middle": -advance / 2, "right": -advance}[align]
    path = path.mapped(Affine.translate(at[0] + shift, at[1])).rounded()
    outline = path.flattened()
    ink = Box(*outline.bounds())
    attributes = {"text": text, "font": face, "size-mm": f"{size:g}", **(data or {})}
    return Mark(mark_id, role, path, Pen(fill=color), attributes, TextInfo(text, ink, outline))
