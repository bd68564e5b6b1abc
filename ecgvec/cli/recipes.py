"""``ecgvec recipes``: list, show, preview, check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecgvec.errors import printable

app = typer.Typer(
    no_args_is_help=True, help="What may happen to a page: list the recipes, show one, look at one, check your own."
)


@app.command("list")
def list_recipes() -> None:
    """List the shipped recipes."""
    from ecgvec.recipe.recipe import load_recipe
    from ecgvec.resources import listing

    names = list(listing("recipes"))
    width = max(map(len, names))
    for name in names:
        typer.echo(f"{name:{width}}  {load_recipe(name).title}")


@app.command()
def show(name: Annotated[str, typer.Argument(help="A recipe's name, or a .toml file.")]) -> None:
    """Show a recipe as it is understood, everything that it extends included, as TOML."""
    from ecgvec.batch.check import checked_recipe
    from ecgvec.cli.flagged import print_recipe

    print_recipe(checked_recipe(name, {}))


@app.command()
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
    from ecgvec.batch.check import checked_recipe
    from ecgvec.pipeline import render
    from ecgvec.record.read import read_record
    from ecgvec.resources import folder
    from ecgvec.viewer.contact_sheet import preview as contact_sheet
    from ecgvec.viewer.contact_sheet import write_preview

    recipe = checked_recipe(name, {})
    path = out if out is not None else Path(f"{Path(name).stem if name.endswith('.toml') else name}-preview.png")
    source = record if record is not None else folder("demo") / "ecgvec-demo"
    write_preview(contact_sheet(render, read_record(source), recipe), path)
    typer.echo(printable(str(path)))


@app.command()
def check(file: Annotated[str, typer.Argument(help="A .toml file.")]) -> None:
    """Check a recipe of your own: every key, every value, every template that it names."""
    from ecgvec.batch.check import checked_recipe

    typer.echo(printable(f"{file}: right, '{checked_recipe(file, {}).title}'"))
