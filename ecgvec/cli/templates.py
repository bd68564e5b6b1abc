"""``ecgvec templates``: the page templates."""

from __future__ import annotations

import typer


def templates() -> None:
    """List the page templates."""
    from ecgvec.layout.template import load_template
    from ecgvec.resources import listing

    for name in listing("pages"):
        typer.echo(f"{name:12} {load_template(name).title}")
