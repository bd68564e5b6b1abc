"""One segment of a record from its signal files: format 16 as it stands, all others by way of the wfdb package.

wfdb follows any path that a header names and stumbles over names with dots or spaces. So it never sees the record's own
header: a clean one is written into a temporary folder, beside links to the files that have been vetted.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecgvec._typing import Float64Array
from ecgvec.errors import RecordError, one_line
from ecgvec.record.files import Home, count_frames, group_by_file
from ecgvec.record.header import Header, Signal

MAX_VALUES = 1 << 30
"""Samples times leads in one record: 8 GiB. A header can promise more than any file holds where a signal is null."""

PLAIN = 16  # two's complement of 16 bits
PLAIN_NAN = -32768  # stands for no value in it


def check_extent(values: int, header: Path) -> None:
    """RecordError where a record has more values (samples times leads) than a page is ever made of."""
    if values > MAX_VALUES:
        raise RecordError(f"{header} describes {values} values, and {MAX_VALUES} is the limit; cut the record in parts")


def decode(header: Header, home: Home, wanted: Sequence[Signal], frames: int | None) -> tuple[int, list[Float64Array]]:
    """Decode the signals ``wanted`` of a single-segment ``header``, of ``frames`` frames (None: as the files hold).

    Returns the number of frames and, for each signal, its (frames * per_frame,) values in its own unit, NaN where it
    has none; skew is corrected. Only files that hold a wanted signal are touched, and none for 0 frames. RecordError
    where a file is not the record's own, missing, too short or damaged.
    """
    chosen = set(wanted)
    used = {signal.file for signal in wanted} if frames != 0 else set()
    groups = {name: group for name, group in group_by_file(header.signals, header.path).items() if name in used}
    files = {name: home.file(name, header.path) for name in groups}
    length = 0 if frames == 0 else _length(header, groups, files, frames)
    check_extent(length * sum(signal.per_frame for signal in wanted), header.path)
    staged = [signal for group in groups.values() for signal in group]
    positions = [index for index, signal in enumerate(staged) if signal in chosen]
    is_plain = all(signal.format == PLAIN for signal in staged)
    by = _decode_plain if is_plain else _decode_staged
    decoded = iter(by(header, groups, files, length, positions) if positions and length else [])
    return length, [
        _without_skew(next(decoded), signal)
        if length and not signal.is_null
        else np.full(length * signal.per_frame, np.nan)
        for signal in wanted
    ]


def _length(header: Header, groups: dict[str, list[Signal]], files: dict[str, Path], promised: int | None) -> int:
    """Frames to read: as ``promised``, or else as many as every file holds. RecordError where a file holds fewer."""
    held = {name: count_frames(files[name], group) for name, group in groups.items()}
    known = {name: frames for name, frames in held.items() if frames is not None}
    if promised is None and not known:
        raise RecordError(f"{header.path} leaves the number of samples open, and no file tells it; write it there")
    frames = min(known.values()) if promised is None else promised
    for name, number in known.items():
        if number < frames:
            raise RecordError(
                f"{files[name]} holds {number} samples a signal of the {frames} that {header.path} promises; "
                "get the whole file or correct the header"
            )
    return frames


def _decode_plain(
    header: Header, groups: dict[str, list[Signal]], files: dict[str, Path], frames: int, positions: list[int]
) -> list[Float64Array]:
    """Files of format 16 alone, as most are: two bytes a sample, low byte first. The values are those of wfdb, whose
    import takes half a second."""
    values: list[Float64Array] = []
    for name, group in groups.items():
        width = sum(signal.per_frame for signal in group)
        try:
            held = np.fromfile(files[name], "<i2", frames * width, offset=group[0].offset).reshape(frames, width)
        except (OSError, ValueError) as error:
            raise _undecoded(header, groups, one_line(error)) from error
        column = 0
        for signal in group:
            digital = held[:, column : column + signal.per_frame].reshape(-1)
            column += signal.per_frame
            with np.errstate(over="ignore"):  # as below
                values.append((digital.astype(np.float64) - signal.baseline) / (signal.gain or 1.0))
            values[-1][digital == PLAIN_NAN] = np.nan
    return [values[position] for position in positions]


def _undecoded(header: Header, groups: dict[str, list[Signal]], cause: str) -> RecordError:
    return RecordError(
        f"{header.path}: cannot decode {', '.join(groups)} ({cause}); get the files anew or correct the header"
    )


def _decode_staged(
    header: Header, groups: dict[str, list[Signal]], files: dict[str, Path], frames: int, positions: list[int]
) -> list[Float64Array]:
    import wfdb  # half a second, so only where it is used

    lines = [f"r {sum(map(len, groups.values()))} 1 {frames}"]
    real_names = {}
    with tempfile.TemporaryDirectory(prefix="ecgvec-") as temporary:
        stage = Path(temporary)
        for number, (name, group) in enumerate(groups.items()):
            link = stage / f"s{number}.dat"
            _link(files[name], link)
            real_names[str(link)] = name
            lines += [_clean_line(signal, link.name) for signal in group]
        (stage / "r.hea").write_text("\n".join(lines) + "\n", encoding="ascii")
        try:
            # A gain near zero may divide beyond the largest number; the caller takes infinity for no value.
            with np.errstate(over="ignore"):
                record = wfdb.rdrecord(str(stage / "r"), channels=positions, smooth_frames=False)
        except Exception as error:  # wfdb and its decoders raise errors of every kind at a damaged file
            cause = one_line(error)
            for link_name, name in real_names.items():
                cause = cause.replace(link_name, name)
            raise _undecoded(header, groups, cause) from error
    return [np.asarray(values, dtype=np.float64) for values in record.e_p_signal]


def _link(source: Path, link: Path) -> None:
    try:
        link.symlink_to(source)
    except OSError:  # some systems let only administrators make links
        shutil.copyfile(source, link)


def _clean_line(signal: Signal, file: str) -> str:
    """The signal line for wfdb, without skew (see _without_skew). A gain of 0 stands only in signals not wanted."""
    gain = signal.gain or 1.0
    return (
        f"{file} {signal.format}x{signal.per_frame}+{signal.offset} {gain!r}({signal.baseline})/mV "
        f"0 {signal.zero} {signal.initial} 0 0 c"
    )


def _without_skew(values: Float64Array, signal: Signal) -> Float64Array:
    """Move a signal ``skew`` frames to the left; what then lacks at the end is NaN.

    wfdb does the same for one sample a frame, but with more it fills all but the last samples of the gap with zeros,
    and it fails on formats 8, 508, 516 and 524.
    """
    if not signal.skew:
        return values
    shift = min(signal.skew * signal.per_frame, len(values))
    return np.concatenate([values[shift:], np.full(shift, np.nan)])
