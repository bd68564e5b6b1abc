"""The plotted signals as files: a WFDB record, and Kaggle's long CSV."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re

import numpy as np

from ecgvec._typing import Float64Array, Int64Array
from ecgvec.errors import RecordError
from ecgvec.export.formats import FORMATS, Files, Format
from ecgvec.record.leads import STANDARD_12
from ecgvec.rendering.labels.model import TraceLabel
from ecgvec.sheet import Sheet

UNITS_PER_MV = 1000
"""ADC units in a mV: rounding to whole microvolts errs by half a microvolt at most."""

_BYTES = {16: 2, 24: 3, 32: 4}
"""WFDB format -> bytes a sample. All are two's complement, their lowest number standing for no value."""


def window_signals(sheet: Sheet) -> tuple[Float64Array, tuple[str, ...]]:
    """The page's window of each lead on it, (samples, leads) mV, and the leads' names, in the record's order."""
    shown = {panel.lead for panel in sheet.layout.panels}
    columns = [column for column, lead in enumerate(sheet.signal_leads) if lead in shown]
    return sheet.signals[:, columns], tuple(sheet.signal_leads[column] for column in columns)


def mask_unplotted(sheet: Sheet) -> tuple[Float64Array, tuple[str, ...]]:
    """``window_signals`` with NaN at all samples that have no place on the page."""
    signals, leads = window_signals(sheet)
    masked = np.full_like(signals, np.nan)
    for trace in sheet.labels.traces:
        first = trace.first_sample - sheet.plan.window.first
        masked[first : first + len(trace.mv), leads.index(trace.lead)] = trace.mv
    return masked, leads


def record_name(name: str) -> str:
    """``name`` as a record's name: wfdb takes ASCII letters, digits, ``-`` and ``_`` alone.

    Other characters become ``_``, and the beginning of the name's SHA-256 keeps such names apart.
    """
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return safe if safe == name else f"{safe}_{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _baseline(units: Float64Array, largest: int) -> int:
    """What to add to a lead's units so that they fit into -largest to largest, if anything does; 0 where they do."""
    finite = units[np.isfinite(units)]
    if not len(finite) or np.abs(finite).max() <= largest:
        return 0
    return -round((float(finite.min()) + float(finite.max())) / 2)


def digitise(signals: Float64Array) -> tuple[Int64Array, list[int], int]:
    """mV as ADC units: (samples, leads), the baseline of each lead, and the narrowest WFDB format that holds all.

    RecordError where no format does.
    """
    units = np.round(signals * UNITS_PER_MV)
    valid = np.isfinite(units)
    for code, size in _BYTES.items():
        lowest = -(2 ** (8 * size - 1))
        baselines = [_baseline(column, -lowest - 1) for column in units.T]
        shifted = np.where(valid, units, 0) + np.where(valid, baselines, 0)
        if not shifted.size or np.abs(shifted).max() < -lowest:
            return np.where(valid, shifted, lowest).astype(np.int64), baselines, code
    peak = float(np.abs(signals[valid]).max())
    raise RecordError(f"a lead reaches {peak:.0f} mV, too much for WFDB's formats: mend its gain or unit in the header")


def header(
    name: str, leads: tuple[str, ...], fs: float, digits: Int64Array, baselines: list[int], code: int
) -> list[str]:
    """The record line and a line a signal. The checksum is the sum of the samples as a signed 16-bit number."""
    lines = [f"{name} {len(leads)} {np.format_float_positional(fs, trim='-')} {len(digits)}"]
    for lead, column, baseline in zip(leads, digits.T, baselines, strict=True):
        checksum = (int(column.sum()) + 2**15) % 2**16 - 2**15
        description = re.sub(r'[^ -"$-~]', "_", lead)  # ASCII alone, and no #, at which some readers cut a line
        calibration = f"{UNITS_PER_MV}({baseline})/mV"
        lines.append(f"{name}.dat {code} {calibration} {code} 0 {column[0]} {checksum} 0 {description}")
    return lines


def _files(sheet: Sheet, stem: str) -> Files:
    """Header and signal file of one page; none where nothing is plotted on it, for then its rate is unknown too."""
    if not sheet.labels.traces:
        return {}
    folder, slash, image = stem.rpartition("/")
    name = record_name(image)
    signals, leads = mask_unplotted(sheet) if sheet.plan.mask_unplotted else window_signals(sheet)
    digits, baselines, code = digitise(signals)
    lines = header(name, leads, sheet.labels.traces[0].fs, digits, baselines, code)
    lines.append("# Image: " + "".join(c if c.isprintable() else "_" for c in f"{image}.png"))
    packed = digits.astype("<i4")[..., None].view(np.uint8)[..., : _BYTES[code]]
    path = f"wfdb/{folder}{slash}{name}"
    return {f"{path}.dat": packed.tobytes(), f"{path}.hea": ("\n".join(lines) + "\n").encode()}


FORMATS.add("wfdb", Format("what is plotted, or its whole window, as a WFDB record", _files, names_png=True))


LONG_LEAD = "II"
_DECIMALS = 6  # of a mV
_EPS = 1e-6  # of a sample


def pieces(sheet: Sheet) -> dict[str, TraceLabel]:
    """The piece of each lead that counts: of II the longest, of the others the one in the columns where there is one.

    The twelve standard leads come first, in their order.
    """
    found: dict[str, TraceLabel] = {}
    for trace in sheet.labels.traces:
        other = found.setdefault(trace.lead, trace)
        longer = trace.lead == LONG_LEAD and len(trace.t) > len(other.t)
        if longer or (trace.lead != LONG_LEAD and other.rhythm and not trace.rhythm):
            found[trace.lead] = trace
    order = {lead: number for number, lead in enumerate(STANDARD_12)}
    return dict(sorted(found.items(), key=lambda item: order.get(item[0], len(order))))


def _count(sheet: Sheet, trace: TraceLabel) -> int:
    """How many samples of ``trace`` are asked for: floor(seconds x rate), where it has so many."""
    place = (trace.row, trace.column, trace.rhythm)
    seconds = next(p.seconds for p in sheet.layout.panels if (p.row, p.column, p.rhythm) == place)
    return min(len(trace.t), math.floor(seconds * trace.fs + _EPS))


def _kaggle_files(sheet: Sheet, stem: str) -> Files:
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    rows.writerow(["id", "value"])
    image = stem.replace("/", "__")
    for lead, trace in pieces(sheet).items():
        values = trace.mv[: _count(sheet, trace)].round(_DECIMALS).tolist()
        name = lead.replace("_", "-")
        rows.writerows((f"{image}_{sample}_{name}", value) for sample, value in enumerate(values))
    return {f"kaggle/{stem}.csv": buffer.getvalue().encode()}


FORMATS.add("kaggle", Format("the true samples of a page as Kaggle's id,value", _kaggle_files))
