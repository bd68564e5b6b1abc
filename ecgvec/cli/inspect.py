"""``ecgvec inspect``: labels drawn over their image."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
        str, typer.Option("--format", help="png, or svg: the image with a group a layer over it, to switch on and off.")
    ] = "png",
) -> None:
    """Draw the labels over their image: a colour a lead, what cannot be seen dashed. Writes NAME-labels.png or .svg."""
    from ecgvec.viewer.overlay import inspect_images

    names = layers.split(",") if layers is not None else None
    result = inspect_images(source, out, names, output, written=typer.echo)
    for _, reason in result.failed:
        typer.echo(f"not drawn: {reason}", err=True)
    if result.failed:
        raise typer.Exit(1)
