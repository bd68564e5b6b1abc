"""From a recipe's name, or a mix of several, and the flags that were given to one recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecgvec.cli.flags import overrides, without_effect
from ecgvec.errors import RecipeError, printable

if TYPE_CHECKING:
    from ecgvec.recipe.options import OutputOptions
    from ecgvec.recipe.recipe import Recipe

RecipeName = Annotated[
    str | None,
    typer.Option("--recipe", help="Recipe: a name or a .toml file (see `ecgvec recipes list`).", show_default="clean"),
]
MixText = Annotated[
    str | None,
    typer.Option(
        "--mix",
        help="Recipes with weights, as in `clean:1,phone-photo:3`. One is drawn for each record and variant, for all "
        "its windows. Flags override keys of each.",
        metavar="NAME:WEIGHT,...",
    ),
]
PrintRecipe = Annotated[
    bool, typer.Option("--print-recipe", help="Print the recipe with all flags as TOML for --recipe; draw nothing.")
]


def load_flagged_recipe(source: str | None, mix: str | None, flags: Mapping[str, Any]) -> Recipe:
    """The recipe (None: "clean") or mix with the flags laid upon it, checked. Says on stderr which flags have no
    effect."""
    from ecgvec.batch.work import check_names
    from ecgvec.recipe.recipe import load_mix, load_recipe

    if source is not None and mix is not None:
        raise RecipeError(f"--recipe {source} and --mix {mix} contradict one another: give one of them")
    name = "clean" if source is None else source
    plain = load_recipe(name) if mix is None else load_mix(parse_mix(mix))
    singles = [part.recipe for part in plain.mix] or [plain]
    idle = [without_effect(flags, _present(recipe)) for recipe in singles]
    for message in idle[0]:
        if all(message in lines for lines in idle):
            typer.echo(message, err=True)
    output = _written(flags, plain.output)
    if not plain.mix:
        return check_names(load_recipe(name, overrides(flags, _present(plain)) | output))
    return check_names(_laid_upon_each(plain, flags, output))


def print_recipe(recipe: Recipe) -> None:
    """The recipe as TOML on standard output."""
    from ecgvec.recipe.toml import as_toml

    text = as_toml(recipe)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RecipeError(f"the recipe holds text that is not UTF-8, which TOML cannot: {printable(text)}") from None
    typer.echo(text, nl=False)


def parse_mix(text: str) -> dict[str, Any]:
    """{"clean": 1.0, "phone-photo": 3.0} of "clean:1,phone-photo:3"; without a weight it is 1. What is no number is
    left as it is, for the mix to refuse."""
    found: dict[str, Any] = {}
    for item in text.split(",") if text.strip() else ():
        name, colon, weight = (part.strip() for part in item.rpartition(":"))
        name, weight = (name, weight) if colon else (weight, "1")
        if not name:
            raise RecipeError(f"--mix is '{text}': write recipes with their weights, as in clean:1,phone-photo:3")
        if name in found:
            raise RecipeError(f"--mix names '{name}' twice: give each recipe one weight")
        try:
            found[name] = float(weight)
        except ValueError:
            found[name] = weight
    return found


def _present(recipe: Recipe) -> set[str]:
    """What the recipe has, as the tables of flags want to know it."""
    parts = {f"warp.{name}" for name in recipe.warp} | {f"effects.{name}" for name in recipe.effects}
    notes = {"notes"} if recipe.notes.probability else set()
    return parts | {f"page.{key}" for key in recipe.page} | notes


def _written(flags: Mapping[str, Any], output: OutputOptions) -> dict[str, Any]:
    """The formats, where a flag is of use with one more of them and nobody has said what to write."""
    from ecgvec.export.formats import DEFAULT_FORMATS

    if flags.get("mask_unplotted_samples") and flags.get("formats") is None and not flags.get("image_only"):
        formats = output.formats_to_write or DEFAULT_FORMATS
        more = [*formats, *(["wfdb"] if "wfdb" not in formats else [])]
        return {"output.formats": more, "output.image_only": False}
    return {}


def _laid_upon_each(mix: Recipe, flags: Mapping[str, Any], output: dict[str, Any]) -> Recipe:
    """The mix with the flags laid upon each of its recipes, by what each of them has."""
    from ecgvec.recipe.toml import override

    parts = []
    for part in mix.mix:
        over = overrides(flags, _present(part.recipe)) | output
        parts.append(part.model_copy(update={"recipe": override(part.recipe, over, f"recipe '{part.name}'")}))
    return mix.model_copy(update={"mix": tuple(parts), "output": parts[0].recipe.output})
