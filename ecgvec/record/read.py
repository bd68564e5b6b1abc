"""A record read: its channels in millivolts, joined over segments, named as leads, on one time base."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path

import numpy as np

from ecgvec._typing import Float64Array
from ecgvec.errors import RecordError
from ecgvec.record.beats import read_beats
from ecgvec.record.decode import check_extent, decode
from ecgvec.record.files import Home, find_header
from ecgvec.record.header import NULL, Header, Segment, Signal, load_header
from ecgvec.record.leads import millivolts_per_unit, reason_not_ecg, standard_name
from ecgvec.record.model import Lead, Record, subject_from_comments
from ecgvec.resources import folder


def read_demo_record() -> Record:
    """The record that comes with ecgvec: 12 leads, 10 s at 500 Hz, synthesised, of no person."""
    return read_record(folder("demo") / "ecgvec-demo")


def read_record(path: str | os.PathLike[str], header: str | os.PathLike[str] | None = None) -> Record:
    """Read the ECG leads of a WFDB record at their full rate.

    ``path`` is a record without extension, its header, or one of its signal files. ``header`` names a header that lies
    elsewhere; the signal files are then looked for in the folder of ``path``.

    Channels that are no ECG are left out, voltages become millivolts, skew is corrected, and a lead with fewer samples
    a frame than another is interpolated linearly between its samples; gaps stay NaN. The record's ``messages`` tell.
    Of the header's comments nothing is kept but age, sex and diagnosis codes. Beats come from an annotation file that
    lies beside the signal files under the record's name (``beats.EXTENSIONS``).

    Raises RecordError where the record cannot be read, or holds no ECG.
    """
    source = Path(path)
    main = load_header(find_header(source) if header is None else Path(header))
    home = Home.of(source.parent, main.path)
    found = read_channels(main, home)
    per_frame = math.lcm(*(channel.per_frame for channel in found.channels))
    check_extent(found.frames * per_frame * len(found.channels), main.path)
    leads, renamed = name_leads([channel.name for channel in found.channels])
    name = _name(source, main.path, is_given=header is not None)
    beats, beats_left_out = read_beats(home, name, main, found.frames)
    return Record(
        name=name,
        fs=main.fs * per_frame,
        signals=np.column_stack([resample_to_rate(channel, per_frame) for channel in found.channels]),
        leads=leads,
        subject=subject_from_comments(found.comments),
        messages=(
            *(f"Channel '{name}' is left out: {reason}." for name, reason in found.left_out.items()),
            *renamed,
            *_interpolations(leads, found.channels, per_frame),
            *beats_left_out,
        ),
        beats=beats,
    )


def _name(source: Path, header: Path, is_given: bool) -> str:
    if not is_given:
        return header.stem
    return source.stem if source.is_file() else source.name


def name_leads(originals: Sequence[str]) -> tuple[tuple[Lead, ...], tuple[str, ...]]:
    """Leads with names that differ from each other, and one sentence for each that could not have its standard name.

    The first channel of a name keeps it. A later one keeps its own spelling where that is still free, and is numbered
    where it is not.
    """
    leads: dict[str, Lead] = {}
    messages = []
    for original in originals:
        wanted = standard_name(original) or original
        if wanted.startswith("-"):  # a hyphen before a name is what pages print for a lead drawn upside down
            wanted = "\N{MINUS SIGN}" + wanted[1:]
        candidates = chain(
            (wanted, *([] if original.startswith("-") else [original])), (f"{wanted} ({number})" for number in count(2))
        )
        name = next(candidate for candidate in candidates if candidate not in leads)
        leads[name] = Lead(name, original)
        if name != wanted:
            messages.append(f"A lead {wanted} comes before channel '{original}', which goes by '{name}'.")
    return tuple(leads.values()), tuple(messages)


def resample_to_rate(channel: Channel, per_frame: int) -> Float64Array:
    """The values of ``channel`` at ``per_frame`` samples a frame, a multiple of its own.

    New samples lie on the straight line between their neighbours, so a drawn trace stays the same; they are NaN beside
    a gap and after the last sample.
    """
    steps = per_frame // channel.per_frame
    values = channel.values
    spread = np.full((len(values), steps), np.nan)
    spread[:-1] = values[:-1, None] + np.diff(values)[:, None] * (np.arange(steps) / steps)
    spread[:, 0] = values
    return spread.reshape(-1)


def _interpolations(leads: Sequence[Lead], channels: Sequence[Channel], per_frame: int) -> list[str]:
    return [
        f"Lead {lead.name} has {channel.per_frame} of every {per_frame} samples; the others are interpolated linearly."
        for lead, channel in zip(leads, channels, strict=True)
        if channel.per_frame != per_frame
    ]


Key = tuple[str, int]
"""What a channel goes by in every segment: its name, and how many channels of that name stand before it."""


@dataclass(frozen=True)
class Channel:
    """An ECG channel of ``per_frame`` samples a frame: (frames * per_frame,) values in millivolts, NaN in gaps."""

    name: str
    per_frame: int
    values: Float64Array


@dataclass(frozen=True)
class Channels:
    """What a record of so many ``frames`` holds.

    ``left_out`` says of each channel that is no ECG why; ``comments`` are those of all headers.
    """

    frames: int
    channels: tuple[Channel, ...]
    left_out: dict[str, str]
    comments: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class _Piece:
    """One stretch of a record, with the channels that it has."""

    frames: int
    channels: dict[Key, Channel] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    comments: tuple[str, ...] = ()


def read_channels(header: Header, home: Home) -> Channels:
    """All ECG channels of the record ``header``; RecordError where it has none, or no samples, or cannot be read."""
    if header.segments:
        check_extent(sum(line.frames for line in header.segments), header.path)
        pieces = [_read_segment(line, header, home) for line in header.segments]
    else:
        pieces = [_read_piece(header, home, header.frames)]
    left_out = dict(chain.from_iterable(piece.left_out.items() for piece in pieces))
    keys = list(dict.fromkeys(chain.from_iterable(piece.channels for piece in pieces)))
    if not keys:
        found = "; ".join(f"{name}: {reason}" for name, reason in left_out.items()) or "no channel at all"
        raise RecordError(f"{header.path} holds no ECG channel ({found}); correct its units or give another record")
    frames = sum(piece.frames for piece in pieces)
    if frames == 0:
        raise RecordError(f"{header.path} holds no samples; get its signal files anew or give another record")
    rates = {key: _per_frame(pieces, key, header) for key in keys}
    check_extent(frames * sum(rates.values()), header.path)
    return Channels(
        frames=frames,
        channels=tuple(_joined(pieces, key, per_frame) for key, per_frame in rates.items()),
        left_out=left_out,
        comments=tuple(chain(header.comments, *(piece.comments for piece in pieces))),
    )


def _read_segment(line: Segment, main: Header, home: Home) -> _Piece:
    """One segment. A layout segment, of 0 frames, opens no signal file: it gives the channels' order alone."""
    if line.name == NULL:
        return _Piece(line.frames)
    home.file(f"{line.name}.hea", main.path)  # refused there, before it is opened, if it is not the record's own
    header = load_header(home.folder / f"{line.name}.hea")
    if header.segments:
        raise RecordError(f"{main.path} names the segment {line.name}, which has segments itself; name those instead")
    if not math.isclose(header.fs, main.fs, rel_tol=1e-6):
        rates = f"{header.fs:g} frames a second, but {main.path} {main.fs:g}"
        raise RecordError(f"{header.path} has {rates}; correct the wrong one")
    if line.frames and header.frames not in (None, line.frames):
        lengths = f"{header.frames} samples a signal, but {main.path} {line.frames}"
        raise RecordError(f"{header.path} has {lengths} in this segment; correct the wrong one")
    return replace(_read_piece(header, home, line.frames), comments=header.comments)


def _read_piece(header: Header, home: Home, frames: int | None) -> _Piece:
    """The ECG channels of a header without segments; ``frames`` None leaves the length to the signal files."""
    wanted: dict[Key, Signal] = {}
    left_out: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for number, signal in enumerate(header.signals, start=1):
        name = signal.name or f"signal {number}"
        reason = reason_not_ecg(name, signal.unit)
        if reason is not None:
            left_out[name] = reason
            continue
        if signal.gain == 0 and not signal.is_null:
            raise RecordError(
                f"{header.path}: signal '{name}' is uncalibrated (its gain is 0); write its gain in ADC units per mV "
                "(WFDB's own default is 200)"
            )
        wanted[name, seen[name]] = signal
        seen[name] += 1
    if not wanted:
        return _Piece(frames or 0, left_out=left_out)
    length, decoded = decode(header, home, list(wanted.values()), frames)
    channels = {
        key: Channel(key[0], signal.per_frame, _millivolts(values, signal.unit))
        for (key, signal), values in zip(wanted.items(), decoded, strict=True)
    }
    return _Piece(length, channels, left_out)


def _millivolts(values: Float64Array, unit: str) -> Float64Array:
    factor = millivolts_per_unit(unit)
    assert factor is not None  # an ECG channel has a voltage for its unit
    with np.errstate(over="ignore"):
        millivolts = values * factor
    millivolts[np.isinf(millivolts)] = np.nan
    return millivolts


def _per_frame(pieces: Iterable[_Piece], key: Key, header: Header) -> int:
    """Samples a frame of a channel: the same in all pieces, or RecordError; 1 where no piece has a sample of it."""
    found = {piece.channels[key].per_frame for piece in pieces if piece.frames and key in piece.channels} or {1}
    if len(found) > 1:
        raise RecordError(
            f"{header.path}: '{key[0]}' has {' and '.join(map(str, sorted(found)))} samples a frame in different "
            "segments; read the segments one by one"
        )
    return found.pop()


def _joined(pieces: Iterable[_Piece], key: Key, per_frame: int) -> Channel:
    """A channel over all pieces, NaN in those that lack it."""
    values = [
        piece.channels[key].values if key in piece.channels else np.full(piece.frames * per_frame, np.nan)
        for piece in pieces
    ]
    return Channel(key[0], per_frame, np.concatenate(values))
