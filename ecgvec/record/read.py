"""read_record: a WFDB record, of one segment or many, as ECG leads in millivolts on one time base."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path

import numpy as np

from ecgvec._typing import Float64Array
from ecgvec.record.beats import read_beats
from ecgvec.record.channels import Channel, read_channels
from ecgvec.record.decode import check_extent
from ecgvec.record.files import Home, find_header
from ecgvec.record.header import load_header
from ecgvec.record.leads import standard_name
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
