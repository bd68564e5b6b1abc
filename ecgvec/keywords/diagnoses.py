"""Notes on a record's own diagnoses, and notes that contradict them, as physicians write them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ecgvec.keywords.lexicon import Concept, load_lexicon

_LONGEST_TERM = 24  # characters: longer ones nobody writes out
_NORMAL = ("normal ECG", "nl ECG", "ECG normal", "WNL")  # within normal limits

# What excludes what: of each family a page can be in one class only. A diagnosis that leaves open which stands in all
# that it may be. Names are the abbreviations of the Challenge 2021, which the lexicon gives codes.
_FAMILIES: dict[str, dict[str, str]] = {
    "rhythm": {
        "sinus": "NSR SB STach SA",
        "fibrillation": "AF CAF PAF RAF AFAFL SVT PSVT",
        "flutter": "AFL AFAFL SVT PSVT",
        "reentrant or focal": "SVT PSVT ATach AVNRT AVRT JTach",
        "atrial": "ARH AAR WAP SAAWR SVT PSVT",
        "junctional": "AVJR AJR JTach SVT PSVT",
        "ventricular": "VTach PVT AIVR IR VEsR",
        "no output": "VF VFL",
        "paced": "PR AP VPP",
    },
    "rate": {"slow": "Brady SB BTS", "fast": "STach SVT PSVT ATach RAF VTach PVT JTach AVNRT AVRT VFL BTS"},
    "bundle": {"left": "LBBB CLBBB ILBBB BBB", "right": "RBBB CRBBB IRBBB BBB"},
    "fascicle": {"anterior": "LAnFB", "posterior": "LPFB"},
    "axis": {"left": "LAD LAnFB", "right": "RAD LPFB", "none": "ICA"},
    "AV block": {
        "first": "IAVB AVB CIAHB",
        "Mobitz I": "MoI IIAVB AVB CIAHB",
        "Mobitz II": "IIAVBII IIAVB AVB CIAHB",
        "third": "CHB AVB",
    },
    "PR": {"long": "LPR IAVB", "short": "SPRI"},
    "QT": {"long": "LQT", "short": "SQT"},
    "voltage": {"low": "LQRSV", "high": "LVH LVHV"},
    "rotation": {"clockwise": "CR CVCL/CCVCL", "counterclockwise": "CCR CVCL/CCVCL"},
    "P waves": {
        "none": "AF CAF RAF VF VFL",
        "some": "NSR SB STach SA IAVB LPR SPRI PPW TPW PWC RAHV MoI IIAVBII PAC BPAC AB SAB WAP SAAWR ATach ARH",
    },
}
# What a record with the diagnosis may be as well: what comes in attacks may be over, a paced ventricle tells nothing of
# the atria, and below a block or a resting sinus node something else beats.
_MAY_BE: dict[str, dict[str, str]] = {
    "PAF": {"rhythm": "sinus"},
    "PSVT": {"rhythm": "sinus", "rate": "slow"},
    "PVT": {"rhythm": "sinus|fibrillation|flutter|atrial", "rate": "slow"},
    "BTS": {"rhythm": "sinus|fibrillation|flutter|reentrant or focal|atrial|junctional"},
    "SND": {"rhythm": "sinus|fibrillation|flutter|atrial|junctional|ventricular"},
    "VPP": {"rhythm": "sinus|fibrillation|flutter|reentrant or focal|atrial"},
    "PR": {"rhythm": "fibrillation|flutter"},
    "WAP": {"rhythm": "sinus"},
    "SAAWR": {"rhythm": "sinus"},
    "CHB": {"rhythm": "sinus|fibrillation|atrial|junctional|ventricular"},
    "AVD": {"rhythm": "sinus|atrial|junctional|ventricular"},
    "SAB": {"rhythm": "atrial|junctional|ventricular"},
    "SARR": {"rhythm": "atrial|junctional|ventricular"},
    "JE": {"rhythm": "junctional"},
    "AED": {"rhythm": "atrial"},
    "VEsB": {"rhythm": "ventricular"},
    "IIAVB": {"AV block": "first"},
    "MoI": {"AV block": "first"},
    "IIAVBII": {"AV block": "first"},
}
# A normal ECG may have these, or the ECG does not show them.
_NORMAL_MAY_HAVE = "NSR SA ERe CR CCR CVCL/CCVCL ICA PAF PSVT PVT CHD HF HVD TIA CD"


@dataclass(frozen=True)
class DxNote:
    """A note on a diagnosis: ``text`` as it is written, the SNOMED CT ``code`` (empty for "normal ECG", which the
    Challenge has none for) and the full ``term``."""

    text: str
    code: str
    term: str


def notes_of(codes: Iterable[str], rng: np.random.Generator) -> list[DxNote]:
    """A note on each diagnosis of a record, in its order, in a writing that ``rng`` draws.

    A second code with the same text is left out, and so are unknown ones: `reported` names them.
    """
    found: dict[str, DxNote] = {}
    for concept in _concepts(codes):
        note = _note(concept, rng)
        found.setdefault(note.text, note)
    return list(found.values())


def contradict(codes: Iterable[str], rng: np.random.Generator) -> list[DxNote]:
    """Notes on diagnoses that cannot be true beside those of a record, all there are, in an order that ``rng`` draws.

    A note is here only if it excludes a diagnosis of the record and may not be one that the record has, or implies.
    Empty for a record without codes, or of which nothing can be excluded; `reported` says so.
    """
    own = _concepts(codes)
    lexicon = load_lexicon()
    wrong = [concept for concept in lexicon.concepts if concept.code and _excluded(concept, own)]
    if any(not _normal_may_have(concept) for concept in own):
        wrong.append(Concept(_NORMAL[0], "RHYTHM", (), _NORMAL))
    return [_note(wrong[int(at)], rng) for at in rng.permutation(len(wrong))]


def report_codes(codes: Sequence[str]) -> list[str]:
    """What a user should know of a record's codes, a sentence each; empty where all are known and can be denied."""
    if not codes:
        return ["The record has no diagnosis codes: no notes are made of its diagnoses, and none that contradict them."]
    known = load_lexicon().by_code()
    messages = [
        f"SNOMED CT code {code} is not in the lexicon: no note is made of it." for code in codes if code not in known
    ]
    own = _concepts(codes)
    may_be_normal = all(_normal_may_have(concept) for concept in own)
    if may_be_normal and not any(_excluded(concept, own) for concept in known.values()):
        messages.append("No diagnosis is known that contradicts those of the record.")
    return messages


def _concepts(codes: Iterable[str]) -> list[Concept]:
    known = load_lexicon().by_code()
    return [known[code] for code in dict.fromkeys(codes) if code in known]


def writings(concept: Concept) -> tuple[str, ...]:
    """The ways in which a concept is written: its shorthand, and in full where that is short."""
    full = (concept.term,) if len(concept.term) <= _LONGEST_TERM else ()
    return tuple(dict.fromkeys((*concept.short, *full)))


def _normal_may_have(concept: Concept) -> bool:
    return concept.abbreviation in _NORMAL_MAY_HAVE.split()


def _note(concept: Concept, rng: np.random.Generator) -> DxNote:
    texts = writings(concept)
    return DxNote(texts[int(rng.integers(len(texts)))], concept.code, concept.term)


def _excluded(concept: Concept, own: Sequence[Concept]) -> bool:
    """Whether ``concept`` cannot be true of a record with the diagnoses ``own``, in one family at least."""
    if concept in own:
        return False
    for family, said in _classes(concept.abbreviation).items():
        if not any(family in _classes(one.abbreviation) for one in own):
            continue
        possible = {name for one in own for name in _possible(one.abbreviation, family)}
        # Whoever writes "paced" says that this page is; of the rest, what the words leave open is no contradiction.
        meant = said if "paced" in said else _possible(concept.abbreviation, family)
        if not meant & possible:
            return True
    return False


def _possible(abbreviation: str, family: str) -> frozenset[str]:
    """The classes of a family that a record with the diagnosis may be in."""
    may_be = _MAY_BE.get(abbreviation, {}).get(family)
    return _classes(abbreviation).get(family, frozenset()) | frozenset(may_be.split("|") if may_be else ())


@cache
def _classes(abbreviation: str) -> dict[str, frozenset[str]]:
    """The classes that a diagnosis is in, of each family that it belongs to."""
    found = {
        family: frozenset(name for name, members in classes.items() if abbreviation in members.split())
        for family, classes in _FAMILIES.items()
    }
    return {family: classes for family, classes in found.items() if classes}
