"""Texts to train with: notes as physicians write them on ECGs, and random strings over all characters."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from ecgvec.handwriting.charset import DIGITS, LOWER, PUNCTUATION, UPPER

Draw = np.random.Generator

_FINDINGS = [
    "LBBB",
    "RBBB",
    "LAFB",
    "LPFB",
    "LVH",
    "RVH",
    "LAE",
    "RAE",
    "NSR",
    "AFib",
    "AF",
    "AFL",
    "SVT",
    "VT",
    "VF",
    "PVC",
    "PVCs",
    "PAC",
    "PACs",
    "WPW",
    "LGL",
    "STEMI",
    "NSTEMI",
    "IVCD",
    "AVNRT",
    "AVRT",
    "SSS",
    "1AVB",
    "2AVB",
    "3AVB",
    "Mobitz",
    "Wenckebach",
    "bigeminy",
    "trigeminy",
    "LQTS",
    "Brugada",
    "pericarditis",
    "ischemia",
    "infarct",
    "artifact",
    "paced",
    "sinus",
    "brady",
    "tachy",
    "normal",
    "abnormal",
    "flutter",
    "junctional",
    "ectopy",
    "pause",
    "escape",
    "fusion",
    "strain",
    "early",
    "repol",
]
_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
_RANGES = ("V1-V3", "V1-V4", "V2-V4", "V3-V6", "V4-V6", "V5-V6", "II III aVF", "I aVL", "I, aVL, V6", "V1-2")
_CHANGES = (
    "ST elev",
    "ST dep",
    "ST depr",
    "T inv",
    "T wave inv",
    "Q waves",
    "poor R prog",
    "TWI",
    "STE",
    "STD",
    "flat T",
)
_PHRASES = (
    "no acute ischemia", "no change", "no old ECG", "old MI", "ant MI", "inf MI", "acute MI?", "chest pain",
    "repeat in 1 h", "repeat ECG", "call cardiology", "pt in pain", "on digoxin", "on amio", "post CABG", "s/p PCI",
    "see old tracing", "sinus rhythm", "regular", "irreg irreg", "rate controlled", "wide QRS", "narrow QRS",
    "long QT", "short PR", "delta wave?", "lead reversal?", "poor contact", "wandering baseline", "pacer spikes",
    "AV dissociation", "K+ 6.8?", "hyperkalemia?", "Dr.", "R/O MI", "c/w prior", "unchanged", "new!",
    "cath lab @ 14:30", "echo: EF 45%", "#1", "trop neg", "axis -30", "LAD", "RAD", "early transition", "low voltage",
    "U waves", "J point", "Osborn waves", "ok", "OK", "reviewed",
)  # fmt: skip
_QUALITIES = (
    "w/ RVR",
    "2:1",
    "3:1",
    "4:1",
    "w/ aberrancy",
    "new",
    "old",
    "incomplete",
    "complete",
    "?",
    "w/o ST dep",
    "(old)",
)
_NAMES = ("Dr. Kim", "Dr. Ortiz", "J. Weber", "M. Rossi", "Dr. Novak", "A. Quist", "Dr. Yang", "P. Zoll", "Dr. Haddad")


def _pick(rng: Draw, words: Sequence[str]) -> str:
    return words[int(rng.integers(len(words)))]


def _number(rng: Draw, low: int, high: int) -> str:
    return str(int(rng.integers(low, high + 1)))


def _interval(rng: Draw) -> str:
    if rng.random() < 0.3:
        return f"{_pick(rng, ('PR', 'QRS', 'QT'))} 0.{_number(rng, 6, 48):0>2}"
    name, low, high = (("PR", 110, 320), ("QRS", 70, 190), ("QT", 320, 520), ("QTc", 380, 560))[int(rng.integers(4))]
    return (
        f"{name}{_pick(rng, (' ', ' ', ' = ', ': ', '='))}{_number(rng, low, high)}{_pick(rng, (' ms', 'ms', '', ''))}"
    )


def _rate(rng: Draw) -> str:
    return (
        f"{_pick(rng, ('', '', 'HR ', 'rate ', '~'))}{_number(rng, 32, 220)}{_pick(rng, (' bpm', '/min', '', ' bpm'))}"
    )


def _change(rng: Draw) -> str:
    where = _pick(rng, _RANGES) if rng.random() < 0.6 else _pick(rng, _LEADS)
    return f"{_pick(rng, _CHANGES)} {where}"


def _finding(rng: Draw) -> str:
    word = _pick(rng, _FINDINGS)
    kind = rng.random()
    if kind < 0.45:
        return word
    return (
        f"{word} {_pick(rng, _QUALITIES)}"
        if kind < 0.8
        else f"{word}{_pick(rng, (' + ', ', ', ' & ', '/'))}{_pick(rng, _FINDINGS)}"
    )


def _date(rng: Draw) -> str:
    date = f"{_number(rng, 1, 12)}/{_number(rng, 1, 31)}"
    return date + _pick(rng, ("", "", "/" + _number(rng, 10, 29), "/20" + _number(rng, 10, 29)))


def _time(rng: Draw) -> str:
    return f"{_number(rng, 0, 23)}{_pick(rng, (':', ':', 'h'))}{_number(rng, 0, 59):0>2}"


def _initials(rng: Draw) -> str:
    letters = [_pick(rng, UPPER) for _ in range(int(rng.integers(2, 4)))]
    return _pick(rng, ("{}{}", "{}.{}.", "{} {}")).format(*letters[:2]) if len(letters) == 2 else "".join(letters)


def _pressure(rng: Draw) -> str:
    return f"{_pick(rng, ('BP ', ''))}{_number(rng, 85, 220)}/{_number(rng, 45, 120)}"


def _amount(rng: Draw) -> str:
    amount = _pick(rng, ("+", "-", "", "<", ">")) + _number(rng, 0, 5) + _pick(rng, ("", ".5"))
    return f"{amount} {_pick(rng, ('mm', 'mV', 'mm', 'sec'))}"


def _lead(rng: Draw) -> str:
    return _pick(rng, _LEADS)


def _phrase(rng: Draw) -> str:
    return _pick(rng, _PHRASES)


def _name(rng: Draw) -> str:
    return _pick(rng, _NAMES)


_RULES: tuple[tuple[Callable[[Draw], str], float], ...] = (
    (_finding, 0.24), (_change, 0.12), (_phrase, 0.2), (_interval, 0.12), (_rate, 0.08), (_date, 0.06), (_time, 0.04),
    (_initials, 0.04), (_pressure, 0.03), (_amount, 0.03), (_lead, 0.02), (_name, 0.02),
)  # fmt: skip


def note(rng: Draw) -> str:
    """A note as a physician would write it."""
    at = rng.choice(len(_RULES), p=[weight for _, weight in _RULES])
    return _RULES[int(at)][0](rng)


def random_string(rng: Draw, length: int, characters: str) -> str:
    """``length`` characters of ``characters``, in words of one kind each, evenly spread within a kind."""
    kinds = [("".join(c for c in kind if c in characters), weight) for kind, weight in _KINDS]
    weights = np.array([weight if members else 0.0 for members, weight in kinds])
    text = ""
    while len(text) < length:
        members = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))][0]
        word = "".join(members[i] for i in rng.integers(len(members), size=int(rng.integers(1, 6))))
        text += word + (" " if rng.random() < 0.25 else "")
    return text[:length].strip() or _pick(rng, characters.strip())


_KINDS = (
    (LOWER, 0.36),
    (UPPER, 0.22),
    (DIGITS, 0.16),
    (PUNCTUATION, 0.12),
    (LOWER + UPPER + DIGITS + PUNCTUATION, 0.14),
)


def figures(rng: Draw) -> str:
    """A note of digits and a few signs: for people whose letters are not known."""
    rule = (_rate, _date, _time, _pressure, _amount)[int(rng.integers(5))]
    return "".join(c for c in rule(rng) if c in DIGITS + "/.:+-<>").strip() or _number(rng, 0, 999)


def is_held_out_text(text: str) -> bool:
    """Whether a text is kept for the held-out loss: one in 16, by its hash. Very short ones all serve to train."""
    return len(text) >= 4 and hashlib.blake2b(text.encode(), digest_size=1).digest()[0] % 16 == 0
