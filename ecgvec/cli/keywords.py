"""``ecgvec keywords``: terms of cardiology in texts or on pages of the web."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ecgvec.keywords.sources import Source
    from ecgvec.keywords.terms import Recogniser, Term

_WIDEST = 72  # characters of a sentence in the table


def keywords(
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="Text or HTML files, folders of them, addresses, or - for standard input."),
    ] = None,
    link: Annotated[list[str] | None, typer.Option("-l", "--link", metavar="URL", help="A page of the web.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Addresses of private networks may be read as well.")
    ] = False,
    nlp_model: Annotated[
        str | None,
        typer.Option("--nlp-model", metavar="NAME", help="A spaCy pipeline of your own: its name or folder."),
    ] = None,
    lexicon: Annotated[
        bool, typer.Option("--lexicon", help="Only the lexicon and its rules; spaCy is not used.")
    ] = False,
) -> None:
    """Print the ECG terms of texts: each with its label, how often it stands there, and its first sentence."""
    from ecgvec.errors import SourceError, printable
    from ecgvec.keywords.find import find_terms
    from ecgvec.keywords.sources import read_source

    places = [*(link or []), *(sources or [])]
    if not places:
        raise SourceError("no source is given: name a file, a folder or - for standard input, or an address with -l")
    if lexicon and nlp_model is not None:
        raise SourceError("--lexicon does without spaCy, and --nlp-model names a pipeline of it; give one of them")
    recogniser, messages = _recogniser(nlp_model, lexicon)
    read = [read_source(place, allow_private=allow_private) for place in places]
    terms, more = find_terms(read, recogniser)
    for message in [*messages, *more]:
        typer.echo(printable(message), err=True)
    if as_json:
        typer.echo(_json(read, recogniser, terms))
    elif terms:
        typer.echo(_table(terms))


def _recogniser(nlp_model: str | None, lexicon: bool) -> tuple[Recogniser, list[str]]:
    if lexicon:
        from ecgvec.keywords.match import LexiconRecogniser

        return LexiconRecogniser(), []
    from ecgvec.keywords.spacy_model import default_recogniser

    return default_recogniser(nlp_model)


def _json(sources: list[Source], recogniser: Recogniser, terms: list[Term]) -> str:
    found = {
        "sources": [source.name for source in sources],
        "recogniser": recogniser.name,
        "terms": [asdict(term) for term in terms],
    }
    return json.dumps(found, indent=2, ensure_ascii=False)


def _table(terms: list[Term]) -> str:
    """A line a term, in columns."""
    from ecgvec.errors import printable

    head = ("term", "label", "count", "sentence")
    rows = [(t.text, t.label, str(t.count), _clipped(t)) for t in terms]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(3)]
    lines = [
        f"{text:<{widths[0]}}  {label:<{widths[1]}}  {count:>{widths[2]}}  {sentence}"
        for text, label, count, sentence in [head, *rows]
    ]
    return "\n".join(printable(line.rstrip()) for line in lines)


def _clipped(term: Term) -> str:
    """The part of the term's sentence that has the term, short enough for a line."""
    sentence = term.sentence
    if len(sentence) <= _WIDEST:
        return sentence
    at = max(sentence.find(term.forms[0]), 0)
    start = min(max(at - _WIDEST // 3, 0), len(sentence) - _WIDEST)
    end = start + _WIDEST
    return f"{'...' if start else ''}{sentence[start:end].strip()}{'...' if end < len(sentence) else ''}"
