"""What remarks say: at random, on the record's own diagnoses, against them, or terms of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ecgvec.handwriting import grammar
from ecgvec.plan.model import NoteOrigin
from ecgvec.plan.terms import terms_of
from ecgvec.recipe.distributions import Draw
from ecgvec.recipe.options import FoundTerm, NotesOptions
from ecgvec.rng import stream

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
    how = str((options.content or Draw(values=(usual,))).draw(stream(*keys, "notes/content")))
    # A source that could not be read, or that holds no term, leaves an empty list: remarks at random stand in for it.
    return "random" if how in ("from-text", "mixed") and options.terms == () else how


def _diagnoses(how: str, dx: Sequence[str], rng: np.random.Generator) -> tuple[_Pile, tuple[str, ...]]:
    if how not in ("from-dx", "mixed", "contradict"):
        return _Pile(), ()
    from ecgvec.keywords.diagnoses import contradicting, notes_of, reported

    against = how == "contradict"
    origin = NoteOrigin(how="contradict" if against else "from-dx")
    found = contradicting(dx, rng) if against else notes_of(dx, rng)
    texts = [(note.text, origin.model_copy(update={"code": note.code or None})) for note in found]
    return _Pile([texts[int(at)] for at in rng.permutation(len(texts))]), tuple(reported(dx))


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
