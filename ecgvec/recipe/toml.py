"""A recipe as TOML that is understood again: all that it extends, and all flags, included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomli_w
from pydantic import BaseModel

from ecgvec.recipe.distributions import TABLE_KEYS, BaseDistribution
from ecgvec.recipe.recipe import PartRecipe, Recipe, parse_recipe

_OPTIONS = ("record", "layout", "header", "notes", "output")
_PARTS = ("marks", "warp", "effects")


def as_tables(recipe: Recipe) -> dict[str, Any]:
    """The tables of the TOML document that is understood as ``recipe``; what is as by default is left out."""
    tables: dict[str, Any] = {"title": recipe.title, "plugins": list(recipe.plugins)}
    if recipe.mix:
        tables["output"] = _options(recipe.output)
        for part in recipe.mix:
            own = {name: table for name, table in as_tables(part.recipe).items() if name != "output"}  # the mix's
            tables.setdefault("mix", {})[part.name] = {"weight": part.weight, "recipe": own}
    else:
        tables |= {name: _options(getattr(recipe, name)) for name in _OPTIONS}
        tables["page"] = {key: draw.as_raw() for key, draw in recipe.page.items()}
        tables |= {name: {k: _part(k, v) for k, v in getattr(recipe, name).items()} for name in _PARTS}
    return {name: table for name, table in tables.items() if table not in ({}, "", [])}


def override(recipe: Recipe, overrides: Mapping[str, Any], where: str) -> Recipe:
    """``recipe`` with stronger values, as ``load_recipe`` takes them; ``where`` names it in errors."""
    return parse_recipe(as_tables(recipe), where, overrides)


def as_toml(recipe: Recipe) -> str:
    """TOML, one table a section; keys that hold no value are left out, as TOML has none."""
    return "\n".join(_table((), as_tables(recipe))).strip() + "\n"


def _options(options: BaseModel) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, field in type(options).model_fields.items():
        value = getattr(options, key)
        if value != field.default:
            found[key] = (
                value.as_raw()
                if isinstance(value, BaseDistribution)
                else list(value)
                if isinstance(value, tuple)
                else value
            )
    return found


def _part(name: str, part: PartRecipe) -> dict[str, Any]:
    table: dict[str, Any] = {} if part.kind == name else {"kind": part.kind}
    if part.probability != 1:
        table["probability"] = part.probability
    if part.group is not None:
        table["group"] = part.group
    return table | {key: draw.as_raw() for key, draw in part.keys.items()}


def _table(path: tuple[str, ...], table: Mapping[str, Any]) -> list[str]:
    """The lines of a table, draws in one line each, then the tables inside it."""
    inner = {k: v for k, v in table.items() if isinstance(v, Mapping) and not (v and set(v) <= TABLE_KEYS)}
    own = [f"{_key(k)} = {_value(v)}" for k, v in table.items() if k not in inner and v is not None]
    lines = ["", f"[{'.'.join(map(_key, path))}]", *own] if path and (own or not inner) else own
    for name, nested in inner.items():
        lines += _table((*path, name), nested)
    return lines


def _key(key: str) -> str:
    return tomli_w.dumps({key: 0}).removesuffix(" = 0\n")


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return tomli_w.dumps({"x": value}).removeprefix("x = ").removesuffix("\n")
