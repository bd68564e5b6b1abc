"""``ecgvec demo``: what the program can do, on the embedded record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option("-o", "--output", help="Output folder.")] = Path("ecgvec-demo"),
) -> None:
    """Draw the embedded record in many ways, and a page to look at them; no arguments needed."""
    from ecgvec.pipeline import render
    from ecgvec.viewer.demo import make_showcase

    pages = make_showcase(render, out)
    for title, path in pages.items():
        typer.echo(f"{path}   {title}")
    typer.echo(f"open {(out / 'index.html').resolve()} in a browser to see them all")
