"""From a recipe's name, or a mix of several, and the flags that were given to one recipe."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecgvec.cli.flag import Overrides
from ecgvec.cli.flags import overrides, without_effect
from ecgvec.errors import RecipeError, one_line, printable

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


SetKeys = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set any key of the recipe to any TOML value, as in `page.dpi=150`, `effects.jpeg.quality=40` or "
        '`"effects.jpeg.quality={normal=[60, 10]}"`. Repeat it for more keys. It adds a mark, a bend or an effect that '
        "the recipe does not have. It overrides the recipe, and other flags override it.",
        show_default=False,
    ),
]


def load_flagged_recipe(
    source: str | None, mix: str | None, flags: Mapping[str, Any], sets: Sequence[str] | None = None
) -> Recipe:
    """The recipe (None: "clean") or mix, overridden by ``sets`` (as ``--set`` takes them) and by the flags, checked.
    Says on stderr which flags have no effect."""
    from ecgvec.batch.work import check_names
    from ecgvec.recipe.recipe import load_mix, load_recipe

    if source is not None and mix is not None:
        raise RecipeError(f"--recipe {source} and --mix {mix} contradict one another: give one of them")
    name = "clean" if source is None else source
    keys = parse_sets(sets or ())
    plain = load_recipe(name, keys) if mix is None else load_mix(parse_mix(mix), keys)
    singles = [part.recipe for part in plain.mix] or [plain]
    idle = [without_effect(flags, _present(recipe)) for recipe in singles]
    for message in idle[0]:
        if all(message in lines for lines in idle):
            typer.echo(message, err=True)
    output = _written(flags, plain.output)
    if not plain.mix:
        stronger = overrides(flags, _present(plain)) | output
        return check_names(load_recipe(name, {k: v for k, v in keys.items() if k not in stronger} | stronger))
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


def parse_sets(sets: Iterable[str]) -> Overrides:
    """{"page.dpi": 150} of "page.dpi=150". A later value of a key replaces an earlier one."""
    found: Overrides = {}
    for text in sets:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not all(part.strip() for part in key.split(".")):
            raise RecipeError(f"--set is '{printable(text)}': write KEY=VALUE, as in effects.jpeg.quality=40")
        found.pop(key, None)  # its place is that of the last
        found[key] = _parse_value(key, value)
    return found


def _parse_value(key: str, text: str) -> Any:
    """The TOML value; a bare word, which is none, as text."""
    try:
        tables = tomllib.loads(f"value = {text}")
        if tables.keys() != {"value"}:
            raise ValueError("this is more than one value")
    except (ValueError, RecursionError) as error:
        if text.startswith(("{", "[", '"', "'")) or "\n" in text:
            raise RecipeError(
                f"--set {key} is '{printable(text)}', which is not TOML ({printable(one_line(error))}): correct it"
            ) from None
        return text
    value = tables["value"]
    return value if isinstance(value, bool | int | float | str | list | dict) else text  # dates: no key takes one


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
