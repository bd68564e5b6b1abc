"""The few facts that may be taken from a header's comments. Everything else in them is left behind."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ecgvec.record.model import Subject

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
