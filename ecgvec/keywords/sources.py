"""Where texts come from: a file, a folder, standard input or a page of the web, in bounded time and memory."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ecgvec.errors import SourceError, one_line, printable
from ecgvec.keywords.web.markup import decode, looks_like_html

MAX_BYTES = 5_000_000
"""Longest file in bytes."""

MAX_FOLDER_BYTES = 50_000_000
MAX_ENTRIES = 100_000
"""Files and folders looked at below one folder, at most."""

SUFFIXES = (".txt", ".md", ".html", ".htm")
"""Files of a folder that are read."""

_HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml"})
_LONGEST_TIMEOUT_S = 3600.0


@dataclass(frozen=True)
class Source:
    """A text, and the ``name`` of where it came from: a path, an address, or ``standard input``.

    Of HTML only what a reader sees is in ``text``. Its lines end in ``\\n``; it is never empty.
    """

    name: str
    text: str


def read_source(where: str, *, allow_private: bool = False, timeout_s: float = 10.0) -> Source:
    """The text at ``where``: ``-`` for standard input, an http(s) address, a folder or a file.

    A folder's files (``SUFFIXES``) are joined in the order of their paths, parted by an empty line; hidden files and
    linked folders are left out. A page is loaded within ``timeout_s`` seconds, and not from private networks unless
    ``allow_private``. Nothing is kept: a second call reads again.

    SourceError, which says why, where the text cannot be had, is longer than ``MAX_BYTES`` (a folder:
    ``MAX_FOLDER_BYTES``), is no text, or is empty.
    """
    if not 0 < timeout_s <= _LONGEST_TIMEOUT_S:
        raise SourceError(f"a timeout of {timeout_s:g} s cannot be kept; give more than 0 and up to 3600 seconds")
    if where == "-":
        return _standard_input()
    if re.match(r"[a-z][a-z0-9+.-]*://", where, re.IGNORECASE):
        return _page(where, allow_private, timeout_s)
    path = Path(where)
    name = printable(where)
    if "\0" in where or not where.strip():
        raise SourceError(
            f"'{name}' is no path; give a text file, a folder, an http(s) address, or - for standard input"
        )
    if stat.S_ISDIR(_mode(path, name)):
        return Source(name, _folder(path, name))
    return Source(name, _file_text(path, name, _read(path, name)))


def _page(url: str, allow_private: bool, timeout_s: float) -> Source:
    # Only who reads a page pays for ssl and http.
    from ecgvec.keywords.web.fetch import HTML_TYPES, fetch

    page = fetch(url, allow_private=allow_private, timeout_s=timeout_s)
    name = printable(url)
    return Source(name, _text(page.body, name, page.type in HTML_TYPES, page.charset))


def _standard_input() -> Source:
    name = "standard input"
    if sys.stdin is None or sys.stdin.closed:
        raise SourceError(f"{name} is closed; pipe a text into the program, or give a file")
    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
    except OSError as error:
        raise SourceError(f"{name} cannot be read ({one_line(error)}); give a file") from error
    return Source(name, _text(_bounded(data, name), name, html=False))


def _file_text(path: Path, name: str, data: bytes) -> str:
    return _text(data, name, path.suffix.lower() in _HTML_SUFFIXES)


def _mode(path: Path, name: str) -> int:
    try:
        return path.stat().st_mode
    except FileNotFoundError as error:
        raise SourceError(
            f"{name} does not exist; give a text file, a folder, an address that begins with http:// or https://, or "
            "- for standard input"
        ) from error
    except OSError as error:
        raise SourceError(f"{name} cannot be looked up ({error.strerror}); check the path") from error


def _read(path: Path, name: str) -> bytes:
    if not stat.S_ISREG(_mode(path, name)):  # a pipe or a device may never end
        raise SourceError(f"{name} is not a regular file; give a file, or - and pipe the text into the program")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SourceError(f"{name} cannot be read ({error.strerror}); check the file's permissions") from error
    return _bounded(data, name)


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise SourceError(f"{name} is longer than {MAX_BYTES // 1_000_000} MB; split it, or give the part you need")
    return data


def _text(data: bytes, name: str, html: bool, charset: str | None = None) -> str:
    """The text of ``data``, of HTML what can be seen. What begins like HTML is that, whatever its name or type."""
    text = decode(data, name, charset)
    if html or looks_like_html(text):
        from ecgvec.keywords.web.html import visible_text

        text = visible_text(text, name)
    if not text.strip():
        raise SourceError(f"{name} is empty; give a source that holds text")
    return text


def _folder(top: Path, name: str) -> str:
    paths = sorted(_files(top, name), key=lambda path: path.relative_to(top).parts)
    if not paths:
        raise SourceError(f"{name} is a folder without {', '.join(SUFFIXES)} files; put one there, or give a file")
    texts: list[str] = []
    total = 0
    for path in paths:
        data = _read(path, printable(str(path)))
        total += len(data)
        if total > MAX_FOLDER_BYTES:
            raise SourceError(
                f"{name} holds more than {MAX_FOLDER_BYTES // 1_000_000} MB of text; give fewer files, or one at a time"
            )
        if data.strip():
            texts.append(_file_text(path, printable(str(path)), data))
    if not texts:
        raise SourceError(f"{name} holds empty files only; give a folder whose files hold text")
    return "\n\n".join(texts)


def _files(top: Path, name: str) -> Iterator[Path]:
    """The files below ``top`` to be read, in no order. Linked folders are not entered: they may run in a circle."""
    folders, entries = [top], 0
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as found:
                for entry in found:
                    entries += 1
                    if entries > MAX_ENTRIES:
                        raise SourceError(f"{name} holds more than {MAX_ENTRIES} files; give a smaller folder")
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    elif entry.name.lower().endswith(SUFFIXES) and not entry.is_dir():
                        yield Path(entry.path)
        except OSError as error:
            raise SourceError(
                f"{printable(str(folder))} cannot be read ({error.strerror}); check the folder's permissions"
            ) from error
