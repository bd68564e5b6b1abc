"""Which parts of a warp, and which effects, one image gets, and all their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from ecgvec.components import Part, Registry
from ecgvec.errors import RecipeError
from ecgvec.recipe.recipe import PartRecipe
from ecgvec.rng import stream

P = TypeVar("P", bound=Part)
_SEEDS = 2**31


def draw_parts(
    recipes: Mapping[str, PartRecipe], registry: Registry[type[P]], section: str, keys: tuple[int, str, int]
) -> tuple[P, ...]:
    """The parts that come, in the recipe's order. ``keys`` are seed, image and variant; each number has a stream of
    its own, so a key more in a recipe leaves all others as they were; parts of one group share one."""
    found = []
    for name, recipe in recipes.items():
        chance = f"{section}/{name}" if recipe.group is None else f"coin/{recipe.group}"
        if stream(*keys, chance).random() < recipe.probability:
            found.append(_drawn(recipe, registry.get(recipe.kind), f"{section}/{name}", keys))
    return tuple(found)


def _drawn(recipe: PartRecipe, part: type[P], where: str, keys: tuple[int, str, int]) -> P:
    values = {key: draw.draw(stream(*keys, f"{where}/{key}")) for key, draw in recipe.keys.items()}
    if "seed" in part.model_fields and "seed" not in values:
        values["seed"] = int(stream(*keys, f"{where}/seed").integers(_SEEDS))
    try:
        return part.model_validate(values)
    except ValidationError as error:  # each value is right, but not all of them together
        raise RecipeError(f"{where.replace('/', '.')}: {error.errors()[0]['msg']}") from None
