"""Long texts, shown short."""

from __future__ import annotations

from ecgvec.errors import printable


def brief(text: str, most: int) -> str:
    """``text`` in one line of ``most`` characters at most, with an ellipsis where it is cut."""
    text = printable(text)
    return text if len(text) <= most else text[: most - 1] + "…"
