"""What a record is to the rest of ecgvec: leads in millivolts on one time base, and nothing personal."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from ecgvec._typing import Float64Array
from ecgvec.errors import RecordError, brief, nearest
from ecgvec.record.beats import Beats
from ecgvec.record.leads import LIMB, standard_name

# Each limb lead as a multiple of I plus a multiple of II: III = II - I (Einthoven); aVR = -(I + II) / 2,
# aVL = I - II / 2, aVF = II - I / 2 (Goldberger). No two of the six are parallel, so any two of them give the rest.
_AXES = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}


@dataclass(frozen=True)
class Lead:
    """One lead: its standard ``name`` and the record's own spelling, ``original`` (empty for a derived lead).

    Standard names are I II III aVR aVL aVF V1-V6, V3R-V6R, V7-V9 and X Y Z; an unknown name is kept as it is.
    """

    name: str
    original: str


@dataclass(frozen=True)
class Subject:
    """The only facts about a person that a header may pass on: ``age`` in years, ``sex`` and SNOMED CT codes.

    ``sex`` is "female" or "male"; ``dx`` holds the codes of the diagnoses, digits only. What the record does not say
    is None, or empty.
    """

    age: int | None = None
    sex: str | None = None
    dx: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Record:
    """An ECG record.

    ``signals`` is float64, shape (samples, leads), in millivolts, NaN where the record has no value, read-only (a copy
    of what is given); ``fs`` is its rate in samples a second. ``messages`` says, one sentence each, what the reader
    left out or changed. RecordError where the shape of ``signals`` does not fit ``leads``, two leads have one name, or
    ``fs`` is not positive.
    """

    name: str
    fs: float
    signals: Float64Array
    leads: tuple[Lead, ...]
    subject: Subject = Subject()
    messages: tuple[str, ...] = ()
    beats: Beats | None = None

    def __post_init__(self) -> None:
        signals = np.array(self.signals, dtype=np.float64, order="C")
        if signals.ndim != 2 or signals.shape[1] != len(self.leads):
            raise RecordError(
                f"the signals of record '{self.name}' have the shape {signals.shape}; "
                f"(samples, {len(self.leads)}) is needed for {len(self.leads)} leads"
            )
        if len(set(self.lead_names)) < len(self.leads):
            names = ", ".join(self.lead_names)
            raise RecordError(
                f"record '{self.name}' has two leads of one name among {names}: name each once, in --leads or header"
            )
        if not 0 < self.fs < float("inf"):
            raise RecordError(f"record '{self.name}' has a sampling rate of {self.fs}; give a rate above 0")
        signals.setflags(write=False)
        object.__setattr__(self, "signals", signals)

    def __repr__(self) -> str:
        names = ", ".join(self.lead_names)
        leads = names if len(names) <= 50 else f"{len(self.leads)} leads"
        return f"<Record '{brief(self.name, 28)}': {leads}; {self.duration:g} s at {self.fs:g} Hz>"

    @property
    def duration(self) -> float:
        """Length in seconds: samples / fs."""
        return len(self.signals) / self.fs

    @cached_property
    def lead_names(self) -> tuple[str, ...]:
        """Standard names of the leads, in the order of the columns."""
        return tuple(lead.name for lead in self.leads)

    @property
    def empty_leads(self) -> tuple[str, ...]:
        """Names of the leads that have not one value."""
        columns = zip(self.lead_names, self.signals.T, strict=True)
        return tuple(name for name, column in columns if np.isnan(column).all())

    @cached_property
    def digest(self) -> str:
        """Hexadecimal SHA-256 of the rate, the lead names and the signals (little-endian float64, one kind of NaN)."""
        digest = hashlib.sha256(struct.pack("<d", self.fs))
        digest.update("\n".join(self.lead_names).encode() + b"\0")
        digest.update(np.where(np.isnan(self.signals), np.nan, self.signals).astype("<f8").tobytes())
        return digest.hexdigest()

    def index(self, name: str) -> int:
        """Column of the lead ``name``, in any spelling; RecordError, with the nearest name, where there is none."""
        known = name if name in self.lead_names else standard_name(name)
        if known in self.lead_names:
            return self.lead_names.index(known)
        raise RecordError(f"record '{self.name}' has no lead '{name}'{nearest(name, self.lead_names)}")

    def with_leads(self, names: Sequence[str]) -> Record:
        """This record with the leads ``names`` alone, in that order; RecordError where it lacks one of them."""
        columns = [self.index(name) for name in names]
        return replace(self, leads=tuple(self.leads[column] for column in columns), signals=self.signals[:, columns])

    def with_derived_leads(self) -> Record:
        """This record with the limb leads that it lacks, from two that it has and that are not empty.

        The six limb leads then come first, in the standard order. The record itself where none is lacking, or where
        there are not two to derive them from.
        """
        missing = [name for name in LIMB if name not in self.lead_names]
        usable = [name for name in LIMB if name in self.lead_names and name not in self.empty_leads]
        pair = next(combinations(usable, 2), None)
        if not missing or pair is None:
            return self
        first, second = (self.signals[:, self.index(name)] for name in pair)
        columns = dict(zip(self.leads, self.signals.T, strict=True))
        for name in missing:
            a, b = _weights(pair, name)
            columns[Lead(name, "")] = a * first + b * second
        leads = sorted(columns, key=lambda lead: LIMB.index(lead.name) if lead.name in LIMB else len(LIMB))
        return replace(
            self,
            leads=tuple(leads),
            signals=np.column_stack([columns[lead] for lead in leads]),
            messages=(*self.messages, f"Derived from {pair[0]} and {pair[1]}: {', '.join(missing)}."),
        )


def _weights(pair: tuple[str, str], target: str) -> tuple[float, float]:
    """(a, b) such that the lead ``target`` is a times the first lead of ``pair`` plus b times the second."""
    (a1, a2), (b1, b2), (t1, t2) = _AXES[pair[0]], _AXES[pair[1]], _AXES[target]
    determinant = a1 * b2 - a2 * b1
    return (t1 * b2 - t2 * b1) / determinant, (a1 * t2 - a2 * t1) / determinant


MAX_AGE = 120
"""PTB-XL writes 300 for everybody above 89, other databases -1 or NaN: no age is better than a false one."""

# 'Age: 77' at the start of a comment, or WFDB's own '<age>: 25  <sex>: M' anywhere in it.
_FIELD = re.compile(r"(?:^|<)(age|sex|dx)>?\s*:\s*([^<]*)", re.IGNORECASE)
_AGE = re.compile(r"(\d{1,3})(?:\.\d*)?\s*(?:y|yrs?|years?)?", re.IGNORECASE)
_SEXES = {"f": "female", "female": "female", "m": "male", "male": "male"}
_CODE = re.compile(r"\b\d{6,18}\b")


def subject_from_comments(comments: Iterable[str]) -> Subject:
    """Age, sex and SNOMED CT codes from comment lines (without their '#'); the first line that gives each counts."""
    fields: dict[str, str] = {}
    for comment in comments:
        for key, value in _FIELD.findall(comment):
            fields.setdefault(key.lower(), value.strip())
    age = _AGE.fullmatch(fields.get("age", ""))
    years = int(age.group(1)) if age else None
    return Subject(
        age=years if years is not None and years <= MAX_AGE else None,
        sex=_SEXES.get(fields.get("sex", "").lower()),
        dx=tuple(dict.fromkeys(_CODE.findall(fields.get("dx", "")))),
    )
