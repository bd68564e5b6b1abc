"""Lead names in their standard spelling, voltage units, and which channels of a record are an ECG."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable

LIMB = ("I", "II", "III", "aVR", "aVL", "aVF")
STANDARD_12 = (*LIMB, "V1", "V2", "V3", "V4", "V5", "V6")

MILLIVOLTS_PER_UNIT = {"v": 1e3, "mv": 1.0, "uv": 1e-3, "μv": 1e-3, "nv": 1e-6}
"""Keys are casefolded, which turns the micro sign into the Greek mu."""

# A hyphen may stand between the parts of a name, but not before a name: '-aVR' is aVR upside down.
_LEAD = re.compile(
    r"""
    (?: (?:ecg|ekg) (?:[\s._:]*|-) )?
    (?: lead (?:[\s._:]*|-) )?
    (?: (?: (?:ml|d) [\s._-]* )? (?P<limb>i{1,3})
      | (?:ml|d) [\s._-]* (?P<digit>[123])
      | a [\s._-]* v [\s._-]* (?P<augmented>[rlf])
      | v [\s._-]* (?P<chest>[1-9] | [3-6]r)
      | (?:c|mcl) [\s._-]* (?P<coded>[1-6])
      | (?: v [\s._-]* )? (?P<frank>[xyz])
    )
    [\s._]*
    """,
    re.VERBOSE | re.IGNORECASE,
)

# Words with which the channels beside an ECG begin. They count whatever the unit, for many headers leave it out.
_OTHER = re.compile(
    r"""\b(?:
      abp | art\d*\b | n?ibp | bp | [clru]vp | [plru]ap\d*\b | icp | press
    | pleth | ppg | pulse | resp | imp | airflow | flow | nasal | snor | co2 | etco2 | o2 | sp?o2 | sao2
    | eeg | emg | eog | egg | ehg | eda | gsr | bcg | pcg | scg | acc | gyr | temp
    | marker | trig | event | status | stim
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_ECG = re.compile(r"\b[a-z]?e[ck]g", re.IGNORECASE)


def standard_name(spelling: str) -> str | None:
    """The standard name of a lead (I, aVR, V1, V3R, X, ...) in any usual spelling; None where it is not certain.

    Modified limb leads (MLII) and modified chest leads (MCL1) go under the lead that they stand for. ``V`` alone and
    ``ECG 1`` name no lead.
    """
    match = _LEAD.fullmatch(unicodedata.normalize("NFKC", spelling).strip())
    if match is None:
        return None
    parts = {kind: part.upper() for kind, part in match.groupdict().items() if part}
    kind, part = parts.popitem()
    if kind == "digit":
        return "I" * int(part)
    return {"augmented": "aV", "chest": "V", "coded": "V"}.get(kind, "") + part


def millivolts_per_unit(unit: str) -> float | None:
    """Millivolts in one ``unit`` (any case; empty is WFDB's default, mV); None where it is not a voltage."""
    return MILLIVOLTS_PER_UNIT.get(unit.casefold() or "mv")


def reason_not_ecg(name: str, unit: str) -> str | None:
    """Why a channel is not an ECG, as the end of a sentence; None where it is one.

    An ECG channel has a voltage for its unit and is not named after another signal (ABP, RESP, EEG, ...).
    """
    if millivolts_per_unit(unit) is None:
        return f"its unit '{unit}' is not a voltage"
    words = re.sub(r"[\W_]+", " ", name)
    if not _ECG.search(words) and _OTHER.search(words):
        return "its name is that of another kind of signal"
    return None


def split_names(text: str) -> tuple[str, ...]:
    """The names in a list with commas; one that holds a comma itself stands in double quotes."""
    names = next(csv.reader([text], skipinitialspace=True), [])
    return tuple(name.strip() for name in names if name.strip())


def join_names(names: Iterable[str]) -> str:
    """Names as a list that ``split_names`` takes apart again."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(names)
    return buffer.getvalue()
