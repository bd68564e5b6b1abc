"""The table of formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ecgvec.errors import ExportError
from ecgvec.registry import Registry
from ecgvec.sheet import Sheet

Files = dict[str, bytes]  # path below the output folder -> content


@dataclass(frozen=True)
class Table:
    """Lines that one sheet adds to a file which the whole run shares."""

    path: str
    head: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Format:
    """One output format. ``files(sheet, stem)`` gives the files of one image, ``stem`` being its path below the output
    folder without extension; ``table`` the lines it adds to a shared file."""

    help: str
    files: Callable[[Sheet, str], Files]
    table: Callable[[Sheet, str], Table] | None = None


FORMATS: Registry[Format] = Registry("format", ExportError)

DEFAULT_FORMATS = ("png", "svg", "gt", "json", "kit")
