"""Words as the lexicon compares them: hyphens, plurals, spellings, ordinals and clipped words make no difference."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple


class Word(NamedTuple):
    """A word of a text: the characters ``start`` to ``end``, as it stands there and as it is compared."""

    start: int
    end: int
    text: str
    key: str


_WORD = re.compile(r"\d+:\d+|[^\W_]+(?:['’]s\b)?|°|%")
# What may stand between the words of one term: a space, a line's end, a hyphen, a slash; never a comma or a full stop.
_GAP = re.compile(r"[ \t\u00a0]*\n?[ \t\u00a0]*[-‐‑–/]?[ \t\u00a0]*\n?[ \t\u00a0]*")
_POINT_GAP = re.compile(r"\.?[ \t\u00a0]*[-‐‑–/]?[ \t\u00a0]*")  # after a word that is clipped: ST elev. V1

# "non-sustained", "non sustained" and "nonsustained" are one word; of the second kind a space parts two words.
_PREFIXES_LOOSE = frozenset({"non", "pre", "antero", "infero", "postero", "supra", "idio", "sino", "atrio", "micro"})
_PREFIXES_HYPHEN = _PREFIXES_LOOSE | {
    "re", "bi", "intra", "inter", "peri", "un", "anti", "hyper", "hypo", "bio", "counter",
}  # fmt: skip

_CLIPPED = {
    "deg": "degree", "°": "degree", "elev": "elevation", "dep": "depression", "depr": "depression",
    "inv": "inversion", "prog": "progression", "repol": "repolarization", "ant": "anterior", "inf": "inferior",
    "lat": "lateral", "post": "posterior", "incomp": "incomplete", "incompl": "incomplete", "inc": "incomplete",
    "compl": "complete", "vent": "ventricular", "tach": "tachycardia", "tachy": "tachycardia",
    "brady": "bradycardia", "isch": "ischemia", "abn": "abnormal", "nonspec": "nonspecific", "junct": "junctional",
    "accel": "accelerated", "parox": "paroxysmal", "freq": "frequent", "bigem": "bigeminy", "trigem": "trigeminy",
    "w": "with", "dev": "deviation", "prol": "prolonged", "bifasc": "bifascicular", "trifasc": "trifascicular",
    "fasc": "fascicular", "subendo": "subendocardial", "supravent": "supraventricular", "hypertr": "hypertrophy",
}  # fmt: skip
"""Words cut short, as in notes. One alone is not made whole: Brady is a name."""

_ORDINALS = {"first": "1st", "second": "2nd", "third": "3rd", "ii": "2", "iii": "3", "axes": "axis"}
_COUNTED = {"1": "1st", "2": "2nd", "3": "3rd", "i": "1st"}
_SPELLINGS = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        (r"isch?aem", "ischem"), (r"(?<=[bcdfghlmnprst])aem(?=i|o)", "em"), (r"oedem", "edem"), (r"pnoe", "pne"),
        (r"oesoph", "esoph"), (r"(?<=.{3})is(?=(ation|ed|er|e|ing)$)", "iz"), (r"centre", "center"),
        (r"fibre", "fiber"), (r"artefact", "artifact"), (r"sulph", "sulf"), (r"behaviour", "behavior"),
        (r"colour", "color"), (r"anaesth", "anesth"),
    )
)  # fmt: skip
_SPELT = re.compile(r"aem|oe|is(?:ation|ed|er|e|ing)$|[tb]re|artef|sulph|our|anaes")  # nothing else is worth a look
_PLURAL = re.compile(r"[a-z]{3,}s")


@cache
def key(word: str) -> str:
    """``word`` as it is compared: lower case, singular, American spelling, a figure for an ordinal."""
    found = word.lower()
    if found[-2:] in ("'s", "’s"):
        found = found[:-2]
    if found in _ORDINALS:
        return _ORDINALS[found]
    if _SPELT.search(found):
        for pattern, plain in _SPELLINGS:
            found = pattern.sub(plain, found)
    if _PLURAL.fullmatch(found) and not found.endswith(("ss", "us", "is")):
        if found.endswith("ies") and len(found) > 4:
            return found[:-3] + "y"
        return found[:-2] if found.endswith(("xes", "sses")) else found[:-1]
    return found


def words(text: str) -> list[Word]:
    """The words of a text, in order."""
    raw = [Word(m.start(), m.end(), m.group(), key(m.group())) for m in _WORD.finditer(text)]
    found: list[Word] = []
    for word in raw:
        before = found[-1] if found else None
        if before is not None and _is_prefix(before, text[before.end : word.start]) and word.key.isalpha():
            found[-1] = Word(before.start, word.end, text[before.start : word.end], before.key + word.key)
        else:
            found.append(word)
    for at in range(len(found) - 1):
        if found[at].key in _COUNTED and found[at + 1].key in ("degree", "deg", "°"):
            found[at] = found[at]._replace(key=_COUNTED[found[at].key])
    return found


def _is_prefix(word: Word, gap: str) -> bool:
    if gap in ("-", "‐", "‑"):
        return word.key in _PREFIXES_HYPHEN
    return gap == " " and word.key in _PREFIXES_LOOSE


def whole(word_key: str) -> str:
    """The word that ``word_key`` is cut from, within a term of several words."""
    return _CLIPPED.get(word_key, word_key)


def may_join(text: str, one: Word, other: Word) -> bool:
    """Whether two words in a row may be of one term."""
    gap = _POINT_GAP if one.key in _CLIPPED else _GAP
    return gap.fullmatch(text, one.end, other.start) is not None


def keys(text: str) -> tuple[str, ...]:
    """The keys of a wording, clipped words made whole where there are several."""
    plain = text.split() if text.replace(" ", "").isalpha() else []
    if plain and _PREFIXES_LOOSE.isdisjoint(plain):
        found: Sequence[str] = [key(word) for word in plain]
    else:
        found = [word.key for word in words(text)]
    return tuple(whole(k) for k in found) if len(found) > 1 else tuple(found)


LONGEST_SENTENCE = 1000
"""Characters."""

_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9])|\n\s*\n|\n(?=\s*[-*•#])|;\s*\n")
_NO_END = re.compile(
    r"(?:\b(?:[A-Z]|Dr|Mr|Mrs|Ms|Prof|vs|e\.g|i\.e|cf|Fig|fig|No|no|approx|ca|Vent|vent|elev|dep|depr|deg|inv|incl|etc"
    r"|resp|prog|repol|ant|inf|lat))\.$"
)


def sentences(text: str) -> list[str]:
    """The sentences of a text, without the space around them; the end of a paragraph ends a sentence, and so do
    ``LONGEST_SENTENCE`` characters."""
    found: list[str] = []
    start = 0
    for match in _END.finditer(text):
        piece = text[start : match.start()]
        if "\n" not in match.group() and _NO_END.search(piece[-12:]):
            continue
        found.append(piece)
        start = match.end()
    found.append(text[start:])
    return [part for piece in found if piece.strip() for part in _cut(piece.strip())]


def _cut(piece: str) -> list[str]:
    """A sentence, or what has no end of one, in parts of bearable length, cut at spaces where there are any."""
    parts = []
    while len(piece) > LONGEST_SENTENCE:
        at = piece.rfind(" ", LONGEST_SENTENCE // 2, LONGEST_SENTENCE)
        at = at if at > 0 else LONGEST_SENTENCE
        parts.append(piece[:at].strip())
        piece = piece[at:].strip()
    return [*parts, piece] if piece else parts
