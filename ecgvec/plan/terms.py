"""The terms that notes take from a text or a page: read once, and put into the recipe for all that draw with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from ecgvec.errors import SourceError
from ecgvec.recipe.options import FoundTerm, NotesOptions
from ecgvec.recipe.recipe import Recipe

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
