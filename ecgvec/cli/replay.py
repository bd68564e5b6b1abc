"""``ecgvec replay``: an image made again from its JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecgvec.errors import printable


def replay(
    sidecar: Annotated[Path, typer.Argument(help="The JSON that lies beside an image.")],
    source: Annotated[
        Path | None,
        typer.Option(
            "-i", "--input", help="The record, or the input folder of the run; by default the run file tells."
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
