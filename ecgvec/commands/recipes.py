"""``ecgvec recipes``: list, show, check."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="What may happen to a page: list the recipes, show one, check your own.")


@app.command("list")
def list_recipes() -> None:
    """List the shipped recipes."""
    from ecgvec.recipe import load_recipe
    from ecgvec.resources import listing

    for name in listing("recipes"):
        typer.echo(f"{name:16} {load_recipe(name).title}")


@app.command()
def show(name: Annotated[str, typer.Argument(help="A recipe's name, or a .toml file.")]) -> None:
    """Show a recipe as it is understood, everything that it extends included."""
    from ecgvec.batch.check import checked_recipe

    typer.echo(checked_recipe(name, {}).model_dump_json(indent=1, exclude_defaults=True))


@app.command()
def check(file: Annotated[str, typer.Argument(help="A .toml file.")]) -> None:
    """Check a recipe of your own: every key, every value, every template that it names."""
    from ecgvec.batch.check import checked_recipe

    typer.echo(f"{file}: right, '{checked_recipe(file, {}).title}'")
