"""Beats from a record's annotation file.

The file is read here and not by ``wfdb.rdann``, which never returns where a note at sample 0 begins with "## " and is
none of the two that it knows (wfdb 4.3.1, ``interpret_defintion_annotations``). Notes are passed over unread but for
the one that gives the file's time resolution: they hold free text, and it may be personal. Layout of the file: WFDB
Applications Guide, annot(5), MIT format.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

import numpy as np

from ecgvec._typing import Float64Array
from ecgvec.errors import RecordError, one_line
from ecgvec.record.files import Home
from ecgvec.record.header import Header

EXTENSIONS = ("atr", "ecg", "ann", "qrs", "wqrs")
"""Tried in this order; the first file that holds beats counts. ``atr`` and ``ecg`` are what PhysioNet calls its
reference annotations, ``qrs`` and ``wqrs`` are written by detectors."""

MAX_BYTES = 1 << 22
"""Two million annotations, two weeks of beats. What is longer is a signal file of another kind."""

# Code in the file -> symbol, of all annotations that are beats (WFDB Programmer's Guide, table of annotation codes).
_SYMBOLS = {
    1: "N", 2: "L", 3: "R", 4: "a", 5: "V", 6: "F", 7: "J", 8: "A", 9: "S", 10: "E", 11: "j", 12: "/", 13: "Q",
    25: "B", 30: "?", 34: "e", 35: "n", 38: "f", 41: "r",
}  # fmt: skip
_NOTE, _LAST_CODE = 22, 49
_SKIP, _NUM, _SUB, _CHN, _AUX = 59, 60, 61, 62, 63
_NOT_WHOLE = "it is no whole annotation file of WFDB"
_RESOLUTION = re.compile(rb"## time resolution: (\d{1,9}(?:\.\d{0,9})?)")


@dataclass(frozen=True, eq=False)
class Beats:
    """``t`` (n,) seconds from the record's start, ascending; ``symbols`` the WFDB beat symbol of each (N, V, ...).

    ``source`` is the extension of the file they come from: the annotator's name, in WFDB's words.
    """

    t: Float64Array
    symbols: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class _Marks:
    """The beats of a file: their times in ticks, their symbols; and the ticks a second, None where it does not say."""

    ticks: list[int]
    symbols: list[str]
    rate: float | None


class _DamageError(Exception):
    """A file that is no sound annotation file; the text is the end of a sentence."""


def read_beats(home: Home, name: str, header: Header, frames: int) -> tuple[Beats | None, tuple[str, ...]]:
    """The beats annotated beside the record ``name``, which has ``frames`` frames, and sentences on what is left out.

    None where no file has any. A file that is damaged, or not the record's own, costs its beats and nothing else.
    """
    messages = []
    own = {signal.file for signal in header.signals}
    for extension in EXTENSIONS:
        file = f"{name}.{extension}"
        if file in own or not os.path.lexists(home.folder / file):
            continue
        try:
            marks = _parse(_content(home, file, header))
        except _DamageError as reason:
            messages.append(f"The beats in '{file}' are left out: {reason}.")
            continue
        beats, outside = _placed(marks, extension, header.fs, frames)
        if outside:
            messages.append(f"{outside} beats in '{file}' are left out: they lie outside the record.")
        if beats is not None:
            return beats, tuple(messages)
    return None, tuple(messages)


def _content(home: Home, file: str, header: Header) -> bytes:
    try:
        path = home.file(file, header.path)
    except RecordError:
        raise _DamageError("it is not a regular file in the record's own folder") from None
    try:
        with path.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise _DamageError(f"it cannot be read ({one_line(error)})") from None
    if len(content) > MAX_BYTES:
        raise _DamageError(f"it is larger than {MAX_BYTES} bytes, and so no annotation file")
    return content


def _parse(content: bytes) -> _Marks:
    """Annotations are little-endian words of 6 bits of code and 10 bits of ticks since the last one; 0 ends them."""
    words = np.frombuffer(content, dtype="<u2", count=len(content) // 2).tolist()
    ticks: list[int] = []
    symbols: list[str] = []
    rate: float | None = None
    at = now = code = 0
    try:
        while words[at]:
            kind, value = divmod(words[at], 1024)
            at += 1
            if kind == _SKIP:  # a long interval, high word first; two's complement
                now += ((words[at] << 16 | words[at + 1]) + 2**31) % 2**32 - 2**31
                at += 2
            elif kind == _AUX:
                if code == _NOTE and now == 0 and rate is None:
                    rate = _resolution(content[2 * at : 2 * at + value % 256])
                at += (value % 256 + 1) // 2
            elif kind <= _LAST_CODE:
                now, code = now + value, kind
                if kind in _SYMBOLS:
                    ticks.append(now)
                    symbols.append(_SYMBOLS[kind])
            elif kind not in (_NUM, _SUB, _CHN):
                raise _DamageError(_NOT_WHOLE)
    except IndexError:
        raise _DamageError(_NOT_WHOLE) from None
    if any(content[2 * at :]):
        raise _DamageError(_NOT_WHOLE)
    return _Marks(ticks, symbols, rate)


def _resolution(note: bytes) -> float | None:
    """Ticks a second, from a note at the file's start; None where it says something else."""
    match = _RESOLUTION.match(note)
    rate = float(match[1]) if match else 0.0
    return rate or None


def _placed(marks: _Marks, source: str, fs: float, frames: int) -> tuple[Beats | None, int]:
    """The beats that lie in the record, by time, and how many do not. A tick is a frame unless the file says else."""
    t = np.array(marks.ticks, dtype=np.float64) / (marks.rate or fs)
    inside = np.flatnonzero((t >= 0) & (t < frames / fs))
    order = inside[np.argsort(t[inside], kind="stable")]
    beats = Beats(t[order], tuple(marks.symbols[i] for i in order), source) if len(order) else None
    return beats, len(t) - len(order)
