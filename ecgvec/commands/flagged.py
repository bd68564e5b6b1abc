"""From a recipe's name and the flags that were given to one recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from ecgvec.commands.bent_flags import without_effect
from ecgvec.commands.flags import overrides

if TYPE_CHECKING:
    from ecgvec.recipe import Recipe


def flagged_recipe(source: str, flags: Mapping[str, Any]) -> Recipe:
    """The recipe with the flags laid upon it, checked. Says on stderr which flags have no effect."""
    from ecgvec.batch.check import checked_recipe
    from ecgvec.recipe import load_recipe

    plain = load_recipe(source)
    present = {f"warp.{name}" for name in plain.warp} | {f"effects.{name}" for name in plain.effects}
    present |= {f"page.{key}" for key in plain.page}
    for message in without_effect(flags, present):
        typer.echo(message, err=True)
    return checked_recipe(source, overrides(flags, present))
