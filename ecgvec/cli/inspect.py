"""Commands that show what there is and what was made: ``recipes``, ``templates``, ``inspect``, ``gallery``,
``keywords``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecgvec.errors import printable

if TYPE_CHECKING:
    from ecgvec.keywords.lexicon import Recogniser, Term
    from ecgvec.keywords.sources import Source


LAYERS = "page, grid, traces, samples, panels, boxes, pulses, qr, texts, names, beats, marks"


def inspect(
    source: Annotated[Path, typer.Argument(help="An image (PNG), its JSON, or a folder of images.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--output", help="Output folder; by default beside each image.")
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(
            "--layers", help=f"Layers to draw, with commas: {LAYERS}; or all. By default all but samples and panels."
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option("--format", help="png, or svg: the image under one group for each layer, to switch on and off."),
    ] = "png",
) -> None:
    """Draw the labels over their image: one colour a lead, dashed if invisible. Writes NAME-labels.png or .svg."""
    from ecgvec.viewer.overlay import inspect_images

    names = layers.split(",") if layers is not None else None
    result = inspect_images(source, out, names, output, written=typer.echo)
    for _, reason in result.failed:
        typer.echo(f"not drawn: {reason}", err=True)
    if result.failed:
        raise typer.Exit(1)


recipes_app = typer.Typer(
    no_args_is_help=True, help="What may happen to a page: list recipes, show, preview or check one."
)


@recipes_app.command("list")
def list_recipes() -> None:
    """List the shipped recipes."""
    from ecgvec.recipe.recipe import load_recipe
    from ecgvec.resources import listing

    names = list(listing("recipes"))
    width = max(map(len, names))
    for name in names:
        typer.echo(f"{name:{width}}  {load_recipe(name).title}")


@recipes_app.command()
def show(name: Annotated[str, typer.Argument(help="A recipe's name, or a .toml file.")]) -> None:
    """Show a recipe as TOML, as ecgvec understands it, with all that it extends."""
    from ecgvec.batch.work import check_recipe
    from ecgvec.cli.flagged import print_recipe

    print_recipe(check_recipe(name, {}))


@recipes_app.command()
def preview(
    name: Annotated[str, typer.Argument(help="A recipe's name, or a .toml file.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--output", help="The PNG to write.", show_default="NAME-preview.png")
    ] = None,
    record: Annotated[
        Path | None, typer.Option("-i", "--input", help="A record.", show_default="the embedded one")
    ] = None,
) -> None:
    """Draw a contact sheet: one record under twelve seeds."""
    from ecgvec.batch.work import check_recipe
    from ecgvec.pipeline import render
    from ecgvec.record.read import read_record
    from ecgvec.resources import folder
    from ecgvec.viewer.contact_sheet import preview as contact_sheet
    from ecgvec.viewer.contact_sheet import write_preview

    recipe = check_recipe(name, {})
    path = out if out is not None else Path(f"{Path(name).stem if name.endswith('.toml') else name}-preview.png")
    source = record if record is not None else folder("demo") / "ecgvec-demo"
    write_preview(contact_sheet(render, read_record(source), recipe), path)
    typer.echo(printable(str(path)))


@recipes_app.command()
def check(file: Annotated[str, typer.Argument(help="A .toml file.")]) -> None:
    """Check your own recipe: every key, every value, every template that it names."""
    from ecgvec.batch.work import check_recipe

    typer.echo(printable(f"{file}: right, '{check_recipe(file, {}).title}'"))


def templates() -> None:
    """List the page templates."""
    from ecgvec.layout.template import load_template
    from ecgvec.resources import listing

    for name in listing("pages"):
        typer.echo(f"{name:12} {load_template(name).title}")


def gallery(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of images with their JSON and NPZ.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--output", help="The page to write.", show_default="DIR/gallery.html")
    ] = None,
    max_images: Annotated[
        int, typer.Option("--max-images", min=1, help="How many images to show, from the first.")
    ] = 200,
    title: Annotated[
        str | None, typer.Option("--title", help="Title of the page.", show_default="the folder's name")
    ] = None,
    lossless: Annotated[
        bool, typer.Option("--lossless", help="Keep the images as they are, instead of JPEGs of quality 85.")
    ] = False,
) -> None:
    """Write one HTML page that shows a folder of images: labels in layers, values under the pointer, no network."""
    from ecgvec.viewer.gallery import write_gallery

    done = write_gallery(folder, out, title=title, max_images=max_images, lossless=lossless)
    for reason in done.failed:
        typer.echo(f"not shown: {reason}", err=True)
    left = done.found - done.shown - len(done.failed)
    more = f", the first of {done.found} (--max-images {done.found} shows all)" if left else ""
    images = f"{done.shown} image{'' if done.shown == 1 else 's'}{more}"
    typer.echo(printable(f"{done.path}: {images}, {done.size / 1e6:.1f} MB"))
    if done.failed:
        raise typer.Exit(1)


_WIDEST = 72  # characters of a sentence in the table


def keywords(
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="Text or HTML files, folders of them, addresses, or - for standard input."),
    ] = None,
    link: Annotated[list[str] | None, typer.Option("-l", "--link", metavar="URL", help="A web page.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Addresses of private networks may be read as well.")
    ] = False,
    nlp_model: Annotated[
        str | None,
        typer.Option("--nlp-model", metavar="NAME", help="A spaCy pipeline of your own: its name or folder."),
    ] = None,
    lexicon: Annotated[bool, typer.Option("--lexicon", help="Use only the lexicon and its rules, not spaCy.")] = False,
) -> None:
    """List ECG terms with label, count and first sentence."""
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
