"""The table of formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ecgvec.components import Registry
from ecgvec.errors import ExportError
from ecgvec.sheet import Sheet

FORMAT_NAME, FORMAT_VERSION = "ecgvec", 2  # what the JSON beside an image says that it is

Files = dict[str, bytes]  # path below the output folder -> content
Streams = dict[str, Iterable[bytes]]  # the same, piece by piece


@dataclass(frozen=True)
class Format:
    """One output format.

    ``files(sheet, stem)`` gives the files of one image, ``stem`` being its path below the output folder without
    extension. A format with files that a whole run shares has ``part(sheet, stem)``, one image's share of them, plain
    enough to be the same after JSON, and ``merge(parts)``, which makes the files from the shares of all images in
    order; it may go through them several times, and holds no more than one at a time, since there may be a million.
    ``ending``, where it is given: ``files`` makes the one file ``stem`` + ``ending``. ``names_png``: what is written
    names the image's PNG.
    """

    help: str
    files: Callable[[Sheet, str], Files]
    part: Callable[[Sheet, str], Any] | None = None
    merge: Callable[[Iterable[Any]], Streams] | None = None
    ending: str | None = None
    names_png: bool = False


FORMATS: Registry[Format] = Registry("format", ExportError)

DEFAULT_FORMATS = ("png", "svg", "gt", "json", "kit")


def no_files(sheet: Sheet, stem: str) -> Files:
    """For formats whose files are all shared."""
    return {}
