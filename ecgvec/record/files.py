"""The files of a record: finding its header, refusing files that are not its own, and how much a signal file holds."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ecgvec.errors import RecordError, one_line
from ecgvec.record.header import MAX_HEADER_BYTES, Signal, decode_text, header_lines

_BYTES_PER_SAMPLE = {
    8: Fraction(1), 16: Fraction(2), 24: Fraction(3), 32: Fraction(4), 61: Fraction(2), 80: Fraction(1),
    160: Fraction(2), 212: Fraction(3, 2), 310: Fraction(4, 3), 311: Fraction(4, 3),
}  # fmt: skip

_FLAC_START = 26
"""Bytes up to the end of the number of samples in a FLAC file (RFC 9639, section 8.2)."""


@dataclass(frozen=True)
class Home:
    """Where a record lives: its ``folder``, and the real folders that its files may lie in."""

    folder: Path
    allowed: frozenset[Path]

    @classmethod
    def of(cls, folder: Path, header: Path) -> Home:
        """The home of a record whose signal files lie in ``folder``.

        The folder that ``header`` really lies in is allowed as well, so that a header and its signal files may be
        linked together out of a data set.
        """
        return cls(folder, frozenset({_real(folder), _real(header).parent}))

    def file(self, name: str, header: Path) -> Path:
        """The real path of the file ``name``, as named by ``header``, whose parser lets only plain names pass.

        RecordError where it is a link out of the record's own folder, or where there is no such regular file. The file
        is not opened.
        """
        path = self.folder / name
        real = _real(path)
        if real.parent not in self.allowed:
            raise RecordError(
                f"{header} names the file '{name}', a link out of the record's folder; put the file itself there"
            )
        try:
            mode = real.stat().st_mode
        except OSError as error:
            raise RecordError(
                f"{path}, which {header} names, is missing; put it there or correct the header"
            ) from error
        if not stat.S_ISREG(mode):
            raise RecordError(f"{path}, which {header} names, is not a regular file; put the record's own file there")
        return real


def _real(path: Path) -> Path:
    # Unlike Path.resolve this raises nothing at links that run in a circle.
    return Path(os.path.realpath(path))


def find_header(path: Path) -> Path:
    """The header of the record ``path``: a record without extension, a header, or a signal file that a header names.

    RecordError where there is none, or where several headers name the signal file.
    """
    beside = path.parent / f"{path.name}.hea"
    try:
        if beside.is_file():
            return beside
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise RecordError(f"{path} cannot be looked up ({error.strerror}); give the path of a WFDB record") from error
    if path.suffix.lower() == ".hea":
        return path
    if not path.name or path.is_dir():
        raise RecordError(f"{path} is a folder; give the path of one record in it")
    twin = path.with_suffix(".hea")
    if _names(twin, path.name):
        return twin
    headers = sorted(path.parent.glob("*.hea")) if path.is_file() else []
    found = [header for header in headers if _names(header, path.name)]
    if len(found) > 1:
        names = ", ".join(header.name for header in found)
        raise RecordError(f"{path} belongs to several records ({names}); give the header of the one to read")
    if not found:
        raise RecordError(
            f"{path} is no record: there is no {beside.name} and no header names it; "
            "give the path of a WFDB record, with or without .hea"
        )
    return found[0]


def _names(header: Path, name: str) -> bool:
    """Whether a signal or segment line of ``header`` begins with ``name``."""
    try:
        if not header.is_file() or header.stat().st_size > MAX_HEADER_BYTES:
            return False
        lines, _ = header_lines(decode_text(header.read_bytes()))
    except OSError:
        return False  # a header that cannot be read is not the one that was asked for
    return any(line.startswith(f"{name} ") for _, line in lines[1:])


def group_by_file(signals: Sequence[Signal], header: Path) -> dict[str, list[Signal]]:
    """The signals of each file, in order, without the null ones.

    RecordError where the signals of one file do not stand together or differ in format: WFDB has no such files.
    """
    groups: dict[str, list[Signal]] = {}
    last = ""
    for signal in signals:
        if signal.is_null:
            continue
        group = groups.setdefault(signal.file, [])
        if group and last != signal.file:
            raise RecordError(f"{header} lists the signals of {signal.file} in two places; put its lines together")
        if group and group[0].format != signal.format:
            formats = f"{group[0].format} and {signal.format}"
            raise RecordError(f"{header} gives {signal.file} the formats {formats}; a file has one: correct the lines")
        group.append(signal)
        last = signal.file
    return groups


def count_frames(path: Path, group: Sequence[Signal]) -> int | None:
    """Number of whole frames in the signal file ``path`` with the signals ``group``; None if a FLAC file does not say.

    RecordError where the file cannot be read, or is not the FLAC file that its format calls for.
    """
    first = group[0]
    try:
        if first.format in _BYTES_PER_SAMPLE:
            samples = _samples_in(path.stat().st_size - first.offset, first.format)
            return samples // sum(signal.per_frame for signal in group)
        with path.open("rb") as file:
            start = file.read(_FLAC_START)
    except OSError as error:
        raise RecordError(f"{path} cannot be read ({one_line(error)}); check the file's permissions") from error
    if start[:4] != b"fLaC" or len(start) < _FLAC_START:
        raise RecordError(
            f"{path} is not a FLAC file, which format {first.format} is; correct the format in the header"
        )
    total = int.from_bytes(start[21:26]) & 0xFFFFFFFFF  # 36 bits; 0 if it was not known when the file was written
    return max(0, total - first.offset) // first.per_frame if total else None


def _samples_in(size: int, code: int) -> int:
    samples = int(max(0, size) // _BYTES_PER_SAMPLE[code])
    # In format 310 the second sample of three ends in the fourth byte, not the third.
    return samples - 1 if code == 310 and samples % 3 == 2 else samples
