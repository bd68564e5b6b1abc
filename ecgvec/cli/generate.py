"""Commands that make pages: ``single``, ``replay``, ``demo``, ``write``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ecgvec.cli.flagged import MixText, PrintRecipe, RecipeName, SetKeys, load_flagged_recipe, print_recipe
from ecgvec.cli.flags import with_flags
from ecgvec.errors import printable


def single(
    source: Annotated[
        Path, typer.Option("-i", "--input", help="A record: without extension, its header or signal file.")
    ],
    out: Annotated[Path, typer.Option("-o", "--output", help="Output folder.")],
    flags: dict[str, Any],
    header_file: Annotated[
        Path | None, typer.Option("-hea", "--header-file", help="The header, if it is not beside the signals.")
    ] = None,
    recipe: RecipeName = None,
    mix: MixText = None,
    sets: SetKeys = None,
    print_only: PrintRecipe = False,
) -> None:
    """Draw one record."""
    from ecgvec.batch.jobs import Job, Jobs, anonymous_name
    from ecgvec.cli.report import run_with_progress
    from ecgvec.record.files import find_header

    loaded = load_flagged_recipe(recipe, mix, flags, sets)
    if print_only:
        print_recipe(loaded)
        return
    name = (header_file if header_file is not None else find_header(source)).stem
    alias = anonymous_name(0) if loaded.output.anonymous_names else None
    job = Job(path=name, file=source.name, alias=alias)
    run_with_progress(source.parent, lambda: Jobs((job,), ()), out, loaded, header=header_file, only=True)


single_command = with_flags(single)


def replay(
    sidecar: Annotated[Path, typer.Argument(help="The JSON beside an image.")],
    source: Annotated[
        Path | None,
        typer.Option(
            "-i", "--input", help="The record, or the input folder of the run; by default as the run file says."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--output", help="Output folder; by default `replay` beside the JSON.")
    ] = None,
) -> None:
    """Make an image again from its JSON: the same record gives the same files."""
    from ecgvec.batch.replay import replay_image

    folder = out if out is not None else sidecar.parent / "replay"
    result = replay_image(sidecar, source, folder)
    for name, same in result.items():
        typer.echo(printable(f"{folder / name}: {'the same bytes' if same else 'DIFFERENT'}"))
    if not all(result.values()):
        raise typer.Exit(1)


def demo(
    out: Annotated[Path, typer.Option("-o", "--output", help="Output folder.")] = Path("ecgvec-demo"),
) -> None:
    """Draw the embedded record in many ways, with a page to view them. Needs no arguments."""
    from ecgvec.pipeline import render
    from ecgvec.viewer.demo import make_showcase

    pages = make_showcase(render, out)
    for title, path in pages.items():
        typer.echo(f"{path}   {title}")
    typer.echo(f"open {(out / 'index.html').resolve()} in a browser to see them all")


def write(
    text: Annotated[str, typer.Argument(help="What to write, in one line.")],
    out: Annotated[Path, typer.Option("-o", "--output", help="SVG file in millimetres, with text and boxes.")],
    style: Annotated[
        str | None,
        typer.Option("--style", help="Number or name of a hand.", show_default="the first that knows the characters"),
    ] = None,
    bias: Annotated[float, typer.Option("--bias", help="0 writes freely, 1 or more neatly.")] = 0.7,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Each seed draws the same text differently.")] = 0,
    nib: Annotated[str, typer.Option("--nib", help="ballpoint, gel, felt-tip or fountain.")] = "ballpoint",
    ink: Annotated[str, typer.Option("--ink", help="blue, black, red or green.")] = "blue",
    height: Annotated[float, typer.Option("--height", metavar="MM", help="Height of an x.")] = 2.5,
    weights: Annotated[Path | None, typer.Option("--weights", help="Weights that you trained.")] = None,
    device: Annotated[str, typer.Option("--device", help="cpu, or cuda.")] = "cpu",
) -> None:
    """Write a note by hand, as filled outlines with its transcript and a box for each character."""
    from ecgvec.errors import printable
    from ecgvec.handwriting.ink import ink as in_ink
    from ecgvec.handwriting.writer import Writer

    writer = Writer(weights, device)
    hand = style if style is not None else next(iter(writer.hands([text])), 0)
    note = writer.write([text], hand, bias, seed, height)[0]
    for message in note.messages:
        typer.echo(printable(message), err=True)
    _save(note_svg(note, in_ink(note, nib, ink, seed)), out)
    typer.echo(printable(f"{out}: '{note.text}' in style {note.style}"))


def note_svg(note: Any, ink: Any) -> str:
    """A `Note` and its `Ink` as an SVG document in mm, with 2 mm of room around the ink."""
    from ecgvec import svg
    from ecgvec.geometry.path import polyline

    x0, y0, x1, y1 = ink.box[0] - 2, ink.box[1] - 2, ink.box[2] + 2, ink.box[3] + 2
    sides = (f"{x1 - x0:.3f}mm", f"{y1 - y0:.3f}mm")
    drawing = svg.empty(sides, f"{x0:.3f} {y0:.3f} {x1 - x0:.3f} {y1 - y0:.3f}", note.text)
    about = {"data-text": note.text, "data-style": note.style, "data-fallback": str(note.fallback).lower()}
    whole = drawing.add(drawing.g(id="note", class_="handwriting"))
    whole.attribs.update({"role": "img", "aria-label": note.text, **about})
    whole.set_desc(title=note.text)
    for layer in ink.layers:
        element = whole.add(drawing.path(d=layer.path.svg_d((3, 3)), fill=layer.color))
        if layer.opacity < 1:
            element.attribs["fill-opacity"] = f"{layer.opacity:g}"
    # Areas for labels: drawn, but not seen.
    boxes = whole.add(drawing.g(id="characters", class_="label", fill="none", stroke="none"))
    for one in ink.characters:
        element = boxes.add(drawing.path(d=polyline(one.ring, closed=True).svg_d((3, 3)), class_="character"))
        box = " ".join(f"{value:.3f}" for value in one.box)
        element.attribs.update({"data-index": str(one.index), "data-char": one.character, "data-box": box})
    return svg.document(drawing)


def _save(document: str, out: Path) -> None:
    from ecgvec.errors import ExportError, one_line

    try:
        out.write_text(document, encoding="utf-8")
    except OSError as error:
        raise ExportError(
            f"{out} cannot be written ({one_line(error)}): name a file in a folder that exists"
        ) from error
