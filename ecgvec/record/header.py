"""The text of a WFDB header, parsed and vetted.

The wfdb package's own parser refuses names with dots or spaces, loses units such as µV and takes a wrong line for a
right one; this one reads what is in the wild and says what is wrong. Syntax: WFDB Applications Guide, header(5).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from ecgvec.errors import RecordError

NULL = "~"
"""In place of a file or segment name: there is no such signal, or no segment."""

FORMATS = (8, 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524)

DEFAULT_FS = 250.0
DEFAULT_GAIN = 200

MAX_HEADER_BYTES = 1 << 24

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?|[-+]?(?:[nN][aA][nN]|[iI][nN][fF])"
_INTEGER = r"[-+]?\d{1,15}"

# All patterns meet lines whose runs of blanks are single spaces. These are a record line from the number of signals on;
# times and dates are never used, so one that is written in another way does no harm.
_INTEGER_WORD = re.compile(_INTEGER)
_START = rf"(?P<signals>{_INTEGER})"
_RATE = rf"(?P<fs>{_NUMBER})(?:/(?:{_NUMBER})(?:\((?:{_NUMBER})\))?)?"
_FRAMES = rf"(?P<frames>{_INTEGER})"
_RECORD = re.compile(rf"{_START}(?: {_RATE}(?: {_FRAMES}(?: .*)?)?)?")
_FULL_RECORD = re.compile(rf"{_START} {_RATE} {_FRAMES}(?: [\d.]*:[\d:.]+(?: \d+/\d+/\d+)?)?")
_FULL_RECORD_WORDS = 5

_FORMAT = re.compile(
    r"(?P<format>\d{1,4})(?:x(?P<per_frame>\d{1,6}))?(?::(?P<skew>\d{1,9}))?(?:\+(?P<offset>\d{1,15}))?"
)
# A name that begins with '/' or '(0)' is a unit or a baseline that a blank has cut off its gain.
_CALIBRATION = re.compile(
    rf"(?P<gain>{_NUMBER})(?:\((?P<baseline>{_INTEGER})(?:\.0*)?\))?(?:/(?P<unit>\S*))?"
    rf"(?P<integers>(?: {_INTEGER}){{0,5}})(?: (?P<name>(?!/|\(-?\d+\)).*))?"
)
_SEGMENT = re.compile(r"(?P<name>\S.*) (?P<frames>\d{1,15})")


@dataclass(frozen=True)
class Signal:
    """One signal line. ``gain`` is in ADC units per ``unit``; ``skew`` is in frames, ``offset`` in bytes.

    ``unit`` is empty where the header gives none, which means mV. FLAC formats (508, 516, 524) give ``offset`` in
    samples.
    """

    file: str
    format: int
    per_frame: int
    skew: int
    offset: int
    gain: float
    baseline: int
    unit: str
    zero: int
    initial: int
    name: str

    @property
    def is_null(self) -> bool:
        """Whether the signal has no file, and so no value."""
        return self.file == NULL


@dataclass(frozen=True)
class Segment:
    """One segment line: the name of a record, or NULL, and its length in frames."""

    name: str
    frames: int


@dataclass(frozen=True)
class Header:
    """A parsed header: ``signals`` or, in a multi-segment record, ``segments``; never both.

    ``fs`` is in frames a second; ``frames`` is None where the header leaves the length to its signal files. All names
    are plain names of files: none can lead out of a folder by itself. ``comments`` may hold personal data: they go into
    no message and no repr.
    """

    path: Path
    fs: float
    frames: int | None
    signals: tuple[Signal, ...]
    segments: tuple[Segment, ...]
    comments: tuple[str, ...] = field(repr=False)


def load_header(path: Path) -> Header:
    """Read and parse the header file ``path``; RecordError where it is missing, unreadable or not a sound header."""
    try:
        if not path.is_file():
            raise RecordError(f"{path} is missing or not a file; give the path of a WFDB record, with or without .hea")
        size = path.stat().st_size
        content = path.read_bytes() if size <= MAX_HEADER_BYTES else b"\0"
    except OSError as error:
        raise RecordError(f"{path} cannot be read ({error.strerror}); check the file's permissions") from error
    if b"\0" in content:
        raise RecordError(f"{path} ({size} bytes) is not text; a WFDB header is a text file: give the record's own")
    return parse_header(decode_text(content), path)


def decode_text(content: bytes) -> str:
    """The text of a header: UTF-8 (with or without a mark), or else Latin-1."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def header_lines(text: str) -> tuple[list[tuple[int, str]], list[str]]:
    """The numbered lines of a header, with single spaces, and its comments without their '#'."""
    lines, comments = [], []
    # str.splitlines would also cut at characters that Latin-1 text may hold inside a line.
    for number, raw in enumerate(re.split(r"\r\n|\r|\n", text.rstrip("\x1a")), start=1):
        line = " ".join(raw.split())
        if line.startswith("#"):
            comments.append(line.lstrip("# "))
        elif line:
            # What stands behind a # is a remark, and may be personal.
            lines.append((number, line.split(" #", 1)[0]))
    return lines, comments


def parse_header(text: str, path: Path) -> Header:
    """Parse the text of the header file ``path`` (which is named in messages, not opened); RecordError if unsound."""
    lines, comments = header_lines(text)
    if not lines:
        raise RecordError(f"{path} is empty: write its record line ('name signals rate samples') and signal lines")
    number, first = lines[0]
    match = _record_line(first, len(lines) - 1)
    if match is None:
        raise RecordError(
            f"{path} is not a WFDB header: line {number} ({len(first)} characters) is no record line; "
            "write 'name signals rate samples'"
        )
    fs = float(match["fs"] or DEFAULT_FS)
    if not 0 < fs < math.inf:
        raise RecordError(f"{path} gives a sampling rate of {match['fs']}; write the true rate in samples a second")
    frames = int(match["frames"] or 0)
    if frames < 0:
        raise RecordError(f"{path} promises {frames} samples a signal; write the true number, or 0 if it is unknown")
    kind = "segment" if match["segments"] else "signal"
    count = _count(match)
    if count < 1:
        raise RecordError(f"{path} has {count} {kind}s in its record line, so there is nothing to read; give another")
    if count != len(lines) - 1:
        raise RecordError(
            f"{path} promises {count} {kind}s but has {len(lines) - 1} {kind} lines; correct the number or the lines"
        )
    body = [(line, f"{path}, line {number}") for number, line in lines[1:]]
    return Header(
        path=path,
        fs=fs,
        frames=frames or None,
        signals=() if kind == "segment" else tuple(_signal(line, place) for line, place in body),
        segments=() if kind == "signal" else tuple(_segment(line, place) for line, place in body),
        comments=tuple(comments),
    )


def _record_line(line: str, below: int) -> dict[str, str | None] | None:
    """The parts of a record line with so many lines ``below`` it, None where it is no such line.

    The record's name ends where the first integer stands. A name may hold blanks and numbers, though: where the number
    of lines tells so, it ends where a full record line begins.
    """
    words = line.split(" ")
    integers = [index for index, word in enumerate(words) if index > 0 and _INTEGER_WORD.fullmatch(word)]
    attempts = [(index, _RECORD) for index in integers[:1]]
    attempts += [(index, _FULL_RECORD) for index in integers[-_FULL_RECORD_WORDS:]]
    found = []
    for index, pattern in attempts:
        match = pattern.fullmatch(" ".join(words[index:]))
        segments = re.search(r"/(\d{1,9})$", words[index - 1])
        if match is not None:
            found.append({**match.groupdict(), "segments": segments and segments[1]})
    return next((parts for parts in found if _count(parts) == below), found[0] if found else None)


def _count(parts: dict[str, str | None]) -> int:
    return int(parts["segments"] or parts["signals"] or 0)


def _signal(line: str, place: str) -> Signal:
    words = line.split(" ")
    # The name of a file may hold blanks: it ends before the first word that can be a format.
    index = next((index for index, word in enumerate(words) if index > 0 and _FORMAT.fullmatch(word)), None)
    calibration = None if index is None else _CALIBRATION.fullmatch(" ".join(words[index + 1 :]) or str(DEFAULT_GAIN))
    if index is None or calibration is None:
        raise RecordError(
            f"{place} ({len(line)} characters) is no signal line; "
            "write 'file format gain(baseline)/unit resolution zero initial checksum block name'"
        )
    file = _plain(" ".join(words[:index]), place)
    gain = float(calibration["gain"])
    if not math.isfinite(gain):
        raise RecordError(f"{place}: a gain of {calibration['gain']}; write the gain in ADC units per unit")
    # In order: ADC resolution, ADC zero, initial value, checksum, block size. The line may end after any of them.
    integers = [int(part) for part in calibration["integers"].split()]
    zero = integers[1] if len(integers) > 1 else 0
    return Signal(
        file,
        *_format(words[index], place, is_null=file == NULL),
        gain=gain,
        baseline=int(calibration["baseline"] or zero),
        unit=_printable(calibration["unit"] or ""),
        zero=zero,
        initial=integers[2] if len(integers) > 2 else zero,
        name=_printable(calibration["name"] or ""),
    )


def _format(word: str, place: str, is_null: bool) -> tuple[int, int, int, int]:
    """Format, samples a frame, skew and offset. A null signal may have any format."""
    parts = _FORMAT.fullmatch(word)
    assert parts is not None  # the caller has found the word by this pattern
    code, per_frame = int(parts["format"]), int(parts["per_frame"] or 1)
    if code not in FORMATS and not is_null:
        known = ", ".join(map(str, FORMATS))
        raise RecordError(f"{place}: signal format {code} is unknown; convert the signal file to one of {known}")
    if per_frame < 1:
        raise RecordError(f"{place}: {per_frame} samples a frame in '{word}'; write their true number after the x")
    return code, per_frame, int(parts["skew"] or 0), int(parts["offset"] or 0)


def _segment(line: str, place: str) -> Segment:
    match = _SEGMENT.fullmatch(line)
    if match is None:
        raise RecordError(f"{place} ({len(line)} characters) is no segment line; write 'name samples'")
    return Segment(_plain(match["name"], place), int(match["frames"]))


def _plain(name: str, place: str) -> str:
    """``name``; RecordError where it is more than the name of a file in the header's own folder."""
    if name in {".", ".."} or re.search(r"[/\\\x00-\x1f\x7f-\x9f]", name):
        raise RecordError(
            f"{place} names the file {name!r}; a record may name only files in its own folder: "
            "put the file there and give its name alone"
        )
    return name


def _printable(name: str) -> str:
    """A name or unit without control and formatting characters, which could break or disguise a message."""
    return "".join(character for character in name if character.isprintable()).strip()
