"""What notes say: remarks of a grammar, the record's diagnoses, terms of a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from ecgvec.errors import SourceError
from ecgvec.handwriting import grammar
from ecgvec.planning.model import Measure, NoteKind, NoteOrigin, PlannedPlace
from ecgvec.recipe.distributions import Constant, Distribution, Scalar
from ecgvec.recipe.options import FoundTerm, NotesOptions
from ecgvec.recipe.recipe import Recipe
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


def choose_texts(options: NotesOptions, dx: Sequence[str], keys: Keys) -> tuple[list[Wanted], tuple[str, ...]]:
    """(the texts of one image in the order of writing: remarks, intervals, the signature; what to tell the user).

    ``dx``: codes of the record's diagnoses.
    """
    said = remarks(options, int(draw_number(options.words, keys, "words")), dx, keys)
    found = [Wanted(f"{i}", text, origin=origin) for i, (text, origin) in enumerate(said.texts)]
    for i in range(int(draw_number(options.calipers, keys, "calipers"))):
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
    return str(draw_value(options.place, keys, f"{wanted.name}/place"))  # type: ignore[return-value]  # one of its names


def angle_of(wanted: Wanted, options: NotesOptions, keys: Keys) -> float:
    """Degrees counter-clockwise; a signature rises."""
    if wanted.kind == "signature":
        return round(float(stream(*keys, "notes/signature/angle").uniform(*SIGNED_ANGLE)), 3)
    return draw_number(options.angle, keys, f"{wanted.name}/angle")


def draw_value(draw: Distribution, keys: Keys, name: str) -> Scalar:
    """A value by the stream of this name."""
    return draw.draw(stream(*keys, f"notes/{name}"))


def draw_number(draw: Distribution, keys: Keys, name: str) -> float:
    """A number by the stream of this name."""
    return float(str(draw_value(draw, keys, name)))


def draw_seed(keys: Keys, name: str) -> int:
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


Keys = tuple[int, str, int]  # seed, image and variant


@dataclass(frozen=True)
class Remarks:
    """Texts, where each is from, and what to tell the user."""

    texts: tuple[tuple[str, NoteOrigin], ...] = ()
    messages: tuple[str, ...] = ()


@dataclass
class _Pile:
    """Texts to take from, each once."""

    texts: list[tuple[str, NoteOrigin]] = field(default_factory=list)

    def take(self) -> tuple[str, NoteOrigin] | None:
        return self.texts.pop() if self.texts else None


def remarks(options: NotesOptions, number: int, dx: Sequence[str], keys: Keys) -> Remarks:
    """At most ``number`` remarks for an image of a record with the diagnosis codes ``dx``; fewer where there are not
    as many diagnoses or terms. SourceError where the options' source cannot be read."""
    how = _content(options, keys)
    if how == "random":
        texts = (grammar.note(stream(*keys, f"notes/{i}/text")) for i in range(number))
        return Remarks(tuple((text, NoteOrigin()) for text in texts))
    rng = stream(*keys, "notes/texts")
    diagnoses, messages = _diagnoses(how, dx, rng)
    piles = [diagnoses] if how != "from-text" else []
    if how in ("from-text", "mixed"):
        piles.append(_terms(options, rng))
    return Remarks(tuple(_dealt(piles, number, rng)), messages)


def _content(options: NotesOptions, keys: Keys) -> str:
    """What an image's remarks are to say."""
    usual = "from-text" if options.source is not None or options.terms else "random"
    how = str((options.content or Constant(value=usual)).draw(stream(*keys, "notes/content")))
    # A source that could not be read, or that holds no term, leaves an empty list: remarks at random stand in for it.
    return "random" if how in ("from-text", "mixed") and options.terms == () else how


def _diagnoses(how: str, dx: Sequence[str], rng: np.random.Generator) -> tuple[_Pile, tuple[str, ...]]:
    if how not in ("from-dx", "mixed", "contradict"):
        return _Pile(), ()
    from ecgvec.keywords.diagnoses import contradict, notes_of, report_codes

    against = how == "contradict"
    origin = NoteOrigin(how="contradict" if against else "from-dx")
    found = contradict(dx, rng) if against else notes_of(dx, rng)
    texts = [(note.text, origin.model_copy(update={"code": note.code or None})) for note in found]
    return _Pile([texts[int(at)] for at in rng.permutation(len(texts))]), tuple(report_codes(dx))


def _terms(options: NotesOptions, rng: np.random.Generator) -> _Pile:
    """The terms of the source, frequent ones rather than rare ones on top."""
    found = terms_of(options)
    order = rng.exponential(size=len(found)) / np.sqrt([term.count for term in found])
    return _Pile([_term(found[int(at)], options) for at in np.argsort(-order)])


def _term(term: FoundTerm, options: NotesOptions) -> tuple[str, NoteOrigin]:
    return term.text, NoteOrigin(how="from-text", source=options.source_name, label=term.label)


def _dealt(piles: list[_Pile], number: int, rng: np.random.Generator) -> list[tuple[str, NoteOrigin]]:
    """``number`` texts, of the piles in turn as chance has it, no text twice."""
    found: dict[str, NoteOrigin] = {}
    while piles and len(found) < number:
        pile = piles[int(rng.integers(len(piles)))]
        drawn = pile.take()
        if drawn is None:
            piles = [other for other in piles if other is not pile]
        else:
            found.setdefault(*drawn)
    return list(found.items())


Found = tuple[tuple[FoundTerm, ...], tuple[str, ...]]


def with_terms(
    recipe: Recipe, forgiving: bool = False, known: Mapping[str, Sequence[Any]] = MappingProxyType({})
) -> tuple[Recipe, list[str]]:
    """The recipe with the terms of its notes' sources, those of a mix too, and messages.

    ``known`` are terms by source that were read before (`terms_by_source`). SourceError where a source cannot be read;
    if ``forgiving`` a message says so, and remarks are random.
    """
    if recipe.mix:
        own = [with_terms(part.recipe, forgiving, known) for part in recipe.mix]
        parts = [part.model_copy(update={"recipe": one}) for part, (one, _) in zip(recipe.mix, own, strict=True)]
        told = dict.fromkeys(message for _, messages in own for message in messages)
        return recipe.model_copy(update={"mix": tuple(parts)}), list(told)
    notes = recipe.notes
    if notes.source is None or notes.terms is not None or not notes.probability:
        return recipe, []
    try:
        terms, messages = _found(notes, known)
    except SourceError as error:
        if not forgiving:
            raise
        terms, messages = (), (f"{error}; notes are of the built-in list instead.",)
    return recipe.model_copy(update={"notes": notes.model_copy(update={"terms": terms})}), list(messages)


def terms_by_source(recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
    """The terms that `with_terms` has found, plain enough for JSON."""
    parts = [part.recipe for part in recipe.mix] or [recipe]
    return {
        part.notes.source: [term.model_dump() for term in part.notes.terms]
        for part in parts
        if part.notes.source is not None and part.notes.terms is not None
    }


def _found(notes: NotesOptions, known: Mapping[str, Sequence[Any]]) -> Found:
    assert notes.source is not None
    if notes.source in known:
        return tuple(FoundTerm.model_validate(term) for term in known[notes.source]), ()
    return _read(notes.source, notes.allow_private, notes.nlp_model)


def terms_of(options: NotesOptions) -> tuple[FoundTerm, ...]:
    """The terms that notes are made of; SourceError where the source cannot be read, or holds none."""
    if options.terms is not None:
        return options.terms
    assert options.source is not None  # NotesOptions sees to that
    found = _read(options.source, options.allow_private, options.nlp_model)[0]
    if not found:
        raise SourceError(f"{options.source} holds no term of ECGs: give another text, or leave -l out")
    return found


@lru_cache(maxsize=16)
def _read(source: str, allow_private: bool, model: str | None) -> Found:
    from ecgvec.keywords.find import find_terms
    from ecgvec.keywords.sources import read_source
    from ecgvec.keywords.spacy_model import default_recogniser

    text = read_source(source, allow_private=allow_private)
    recogniser, messages = default_recogniser(model)
    terms, told = find_terms([text], recogniser)
    found = tuple(FoundTerm(text=term.text, label=term.label, count=term.count) for term in terms)
    none = [] if found else [f"{source} holds no term of ECGs: notes are of the built-in list instead."]
    return found, (*messages, *told, *none)
