"""The errors that ecgvec raises on bad input: one sentence each, naming the file, the value and the cure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EcgvecError(Exception):
    """Any bad input. Its text is one sentence that a user can act on."""


class RecordError(EcgvecError):
    """A WFDB record that cannot be read, or that holds nothing to draw."""


class TemplateError(EcgvecError):
    """A page template, header template or paper that is wrong, or that does not fit."""


class RecipeError(EcgvecError):
    """A recipe, or a flag, with an unknown key or a value out of range."""


class WarpError(EcgvecError):
    """A geometric map that cannot be built or inverted."""


class ExportError(EcgvecError):
    """An output that cannot be written."""


class SourceError(EcgvecError):
    """An input other than a record that is not what it has to be: a sidecar JSON, an SVG, a text, a web page."""


def one_line(error: BaseException) -> str:
    """The first line of an error's text, or its class name where the text is empty."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def printable(text: str) -> str:
    """``text`` in one line that any terminal can show: paths and names may hold line breaks, codes and no characters
    at all."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def nearest(wrong: str, known: Iterable[str]) -> str:
    """A hint for a misspelt name: ``"; did you mean 'letter'?"`` or the list of what is known."""
    names = sorted(known)
    match = difflib.get_close_matches(wrong, names, n=1)
    if match:
        return f"; did you mean '{match[0]}'?"
    return f"; known are {', '.join(names)}" if names else ""


def brief(text: str, most: int) -> str:
    """``text`` in one line of ``most`` characters at most, with an ellipsis where it is cut."""
    text = printable(text)
    return text if len(text) <= most else text[: most - 1] + "…"
