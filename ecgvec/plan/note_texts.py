"""What is written on a page by hand: remarks, measured intervals, a signature; how large and how neat each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ecgvec.plan.model import Measure, NoteKind, NoteOrigin, PlannedPlace
from ecgvec.plan.remarks import Keys, remarks
from ecgvec.recipe.distributions import Draw, Scalar
from ecgvec.recipe.options import NotesOptions
from ecgvec.rng import stream

NEATNESS = (0.55, 1.0)  # the bias of writing
SIGNED_NEATNESS = (0.25, 0.5)  # of a signature
SIZES: dict[NoteKind, float] = {"note": 1.0, "signature": 1.5, "calipers": 0.9}  # as compared to remarks
SIGNED_AT: tuple[tuple[PlannedPlace, float], ...] = (("lower-right", 0.65), ("head", 0.15), ("free", 0.2))
SIGNED_ANGLE = (3.0, 9.0)  # degrees
SECONDS = {"QRS": (0.06, 0.18), "PR": (0.11, 0.28), "QT": (0.32, 0.5), "RR": (0.5, 1.2)}
_SEEDS = 2**31

# Syllables of surnames: what comes of them may be somebody's name, and is nobody's in particular.
_FIRST = ("Ba", "Bre", "Cor", "Da", "Del", "Fen", "Ga", "Har", "Ka", "Kel", "La", "Lin", "Ma", "Mor", "Na", "Ol", "Pa",
          "Per", "Ra", "Sa", "Sel", "Ta", "Tor", "Va", "Wa", "Wil")  # fmt: skip
_NEXT = ("", "", "da", "le", "li", "ma", "na", "ri", "si", "ve", "ro")
_LAST = ("berg", "dal", "der", "ley", "lin", "man", "mer", "ner", "nik", "no", "rell", "ric", "sen", "son", "ti",
         "ton", "ver", "vik", "well", "ski")  # fmt: skip
_INITIALS = "ABCDEFGHJKLMNPRSTVW"


@dataclass(frozen=True)
class Wanted:
    """A text that a page is to have. ``name`` is that of its draws, ``measure`` the interval that it names."""

    name: str
    text: str
    kind: NoteKind = "note"
    measure: Measure | None = None
    origin: NoteOrigin = field(default_factory=NoteOrigin)


def wanted_texts(options: NotesOptions, dx: Sequence[str], keys: Keys) -> tuple[list[Wanted], tuple[str, ...]]:
    """(the texts of one image in the order of writing: remarks, intervals, the signature; what to tell the user).

    ``dx``: codes of the record's diagnoses.
    """
    said = remarks(options, int(drawn_number(options.words, keys, "words")), dx, keys)
    found = [Wanted(f"{i}", text, origin=origin) for i, (text, origin) in enumerate(said.texts)]
    for i in range(int(drawn_number(options.calipers, keys, "calipers"))):
        measure = _measure(stream(*keys, f"notes/calipers/{i}/text"))
        found.append(Wanted(f"calipers/{i}", measure.text, "calipers", measure))
    if stream(*keys, "coin/notes/signature").random() < options.signature:
        found.append(Wanted("signature", _signer(stream(*keys, "notes/signature/text")), "signature"))
    return found, said.messages


def neatness(wanted: Wanted, keys: Keys) -> float:
    """The bias of its writing: one for a page's notes, another for its signature."""
    if wanted.kind == "signature":
        return round(float(stream(*keys, "notes/signature/bias").uniform(*SIGNED_NEATNESS)), 3)
    return round(float(stream(*keys, "notes/bias").uniform(*NEATNESS)), 3)


def place_of(wanted: Wanted, options: NotesOptions, keys: Keys) -> PlannedPlace:
    """Where it is to stand: an interval always at a beat, and a signature where people sign."""
    if wanted.kind == "calipers":
        return "beat"
    if wanted.kind == "signature":
        names, weights = zip(*SIGNED_AT, strict=True)
        return names[int(stream(*keys, "notes/signature/place").choice(len(names), p=weights))]  # type: ignore[no-any-return]
    return str(drawn(options.place, keys, f"{wanted.name}/place"))  # type: ignore[return-value]  # one of its names


def angle_of(wanted: Wanted, options: NotesOptions, keys: Keys) -> float:
    """Degrees counter-clockwise; a signature rises."""
    if wanted.kind == "signature":
        return round(float(stream(*keys, "notes/signature/angle").uniform(*SIGNED_ANGLE)), 3)
    return drawn_number(options.angle, keys, f"{wanted.name}/angle")


def drawn(draw: Draw, keys: Keys, name: str) -> Scalar:
    """A value by the stream of this name."""
    return draw.draw(stream(*keys, f"notes/{name}"))


def drawn_number(draw: Draw, keys: Keys, name: str) -> float:
    """A number by the stream of this name."""
    return float(str(drawn(draw, keys, name)))


def drawn_seed(keys: Keys, name: str) -> int:
    """A seed by the stream of this name."""
    return int(stream(*keys, f"notes/{name}").integers(_SEEDS))


def _measure(rng: np.random.Generator) -> Measure:
    """An interval as it may be, not that of the record: nobody has measured it."""
    interval = list(SECONDS)[int(rng.integers(len(SECONDS)))]
    return Measure(interval=interval, seconds=round(float(rng.uniform(*SECONDS[interval])), 2))  # type: ignore[arg-type]


def _signer(rng: np.random.Generator) -> str:
    """An initial and a made-up surname."""
    initial = _INITIALS[int(rng.integers(len(_INITIALS)))]
    surname = "".join(part[int(rng.integers(len(part)))] for part in (_FIRST, _NEXT, _LAST))
    return f"{initial}. {surname}" if rng.random() < 0.7 else f"{initial} {surname}"
