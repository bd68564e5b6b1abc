"""Recipes: what may happen to a page, with what probability and from which distribution. TOML in, frozen models out."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from ecgvec.components import Part, Registry, check_part, cure, find_limits, load_plugins
from ecgvec.effects import EFFECTS
from ecgvec.errors import RecipeError, brief, nearest, one_line
from ecgvec.layout.style import PageStyle, check_style
from ecgvec.marks import MARKS
from ecgvec.recipe.distributions import Distribution, parse_distribution, truncate
from ecgvec.recipe.options import (
    HeaderOptions,
    LayoutOptions,
    NotesOptions,
    OutputOptions,
    RecordOptions,
    parse_density,
)
from ecgvec.resources import listing
from ecgvec.warp import WARPS

__all__ = [
    "MixedRecipe",
    "PartRecipe",
    "Recipe",
    "RecordOptions",
    "load_mix",
    "load_recipe",
    "parse_density",
    "parse_recipe",
]


_OF_ALL_PARTS = ("kind", "probability", "group")


class PartRecipe(BaseModel):
    """A mark, a part of the warp, or an effect, that comes with a ``probability``, and distributions for some keys.
    Parts of the same ``group`` share one chance: with the same probability they come together or not at all."""

    model_config = ConfigDict(frozen=True)

    kind: str
    probability: float = Field(default=1.0, ge=0, le=1)
    group: str | None = None
    keys: dict[str, Distribution] = {}


def _part_recipes(section: str, registry: Registry[Any], raw: Any) -> dict[str, PartRecipe]:
    """The tables of ``section``: each is called after its kind, or says its ``kind``."""
    if not isinstance(raw, Mapping):
        raise RecipeError(f"{section} is {raw!r}: write tables, as in [{section}.{registry.names()[0]}]")
    found = {}
    for name, table in raw.items():
        where = f"{section}.{name}"
        if isinstance(table, PartRecipe):
            found[name] = table
            continue
        if not isinstance(table, Mapping):
            raise RecipeError(f"{where} is {table!r}: write a table of keys")
        kind, chance = table.get("kind", name), table.get("probability", 1.0)
        if kind not in registry:
            raise RecipeError(f"{where}: '{kind}' is unknown{nearest(str(kind), registry.names())}")
        if isinstance(chance, bool) or not isinstance(chance, int | float) or not 0 <= chance <= 1:
            raise RecipeError(f"{where}.probability is {chance!r}: write a number from 0 to 1")
        group = table.get("group")
        if group is not None and (not isinstance(group, str) or not group.strip()):
            raise RecipeError(f"{where}.group is {group!r}: write a name, the same for all parts that come together")
        keys = _part_draws(where, registry.get(kind), table)
        found[name] = PartRecipe(kind=kind, probability=chance, group=group, keys=keys)
    return found


def _part_draws(where: str, part: type[Part], table: Mapping[str, Any]) -> dict[str, Distribution]:
    given = {key: value for key, value in table.items() if key not in _OF_ALL_PARTS}
    draws = _parse_keys(where, part, given)
    for key, draw in draws.items():
        for value in draw.probes():
            check_part(where, part, key, value)
    return draws


def _parse_keys(where: str, model: type[BaseModel], table: Mapping[str, Any]) -> dict[str, Distribution]:
    """A distribution for each key of ``table``, within the limits that ``model`` sets to it."""
    draws = {key: parse_distribution(f"{where}.{key}", value) for key, value in table.items()}
    fields = model.model_fields
    return {key: truncate(draw, find_limits(fields[key])) if key in fields else draw for key, draw in draws.items()}


class Recipe(BaseModel):
    """Everything that may happen. ``page`` has distributions for keys of ``ecgvec.layout.style.PageStyle``; a key that
    is not there is the template's, else the default. ``marks``, ``warp`` and ``effects`` hold what may happen to the
    sheet, in that order. ``plugins``: modules and files that bring parts of one's own. ``mix``: recipes of which one is
    drawn for each record and variant; then only ``title`` and ``output`` of this one count, for its other sections
    override those of each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    plugins: tuple[str, ...] = ()
    record: RecordOptions = RecordOptions()
    layout: LayoutOptions = LayoutOptions()
    page: dict[str, Distribution] = {}
    header: HeaderOptions = HeaderOptions()
    notes: NotesOptions = NotesOptions()
    marks: dict[str, PartRecipe] = {}
    warp: dict[str, PartRecipe] = {}
    effects: dict[str, PartRecipe] = {}
    output: OutputOptions = OutputOptions()
    mix: tuple[MixedRecipe, ...] = ()

    @field_validator("marks", mode="before")
    @classmethod
    def _marks(cls, raw: Any) -> dict[str, PartRecipe]:
        return _part_recipes("marks", MARKS, raw)

    @field_validator("warp", mode="before")
    @classmethod
    def _warp(cls, raw: Any) -> dict[str, PartRecipe]:
        return _part_recipes("warp", WARPS, raw)

    @field_validator("effects", mode="before")
    @classmethod
    def _effects(cls, raw: Any) -> dict[str, PartRecipe]:
        return _part_recipes("effects", EFFECTS, raw)

    @field_validator("page", mode="before")
    @classmethod
    def _page(cls, raw: Any) -> dict[str, Distribution]:
        if not isinstance(raw, Mapping):
            raise RecipeError(f"page is {raw!r}: write a table of page keys")
        draws = _parse_keys("page", PageStyle, raw)
        for key, draw in draws.items():
            for value in draw.probes():
                check_style("page", key, value)
        return draws

    @field_validator("header", "output")
    @classmethod
    def _once(cls, options: HeaderOptions | OutputOptions, info: ValidationInfo) -> HeaderOptions | OutputOptions:
        key = "fields" if isinstance(options, HeaderOptions) else "formats"
        names = getattr(options, key) or ()
        for name in names:
            if names.count(name) > 1:
                raise RecipeError(f"{info.field_name}.{key} names '{name}' {names.count(name)} times: name it once")
        return options

    def __repr__(self) -> str:
        if self.mix:
            holds = "weights " + ", ".join(f"{part.name} {part.weight:g}" for part in self.mix)
        else:
            parts: dict[str, Mapping[str, object]]
            parts = {"page keys": self.page, "marks": self.marks, "bends": self.warp, "effects": self.effects}
            holds = ", ".join(f"{len(what)} {name}" for name, what in parts.items() if what) or "the defaults"
        return f"<Recipe '{brief(self.title, 50)}': {brief(holds, 56)}>"

    __str__ = __repr__  # a model's own is as long as its TOML


class MixedRecipe(BaseModel):
    """A recipe of a mix, by the name it was asked for, and how often it is drawn as compared to the others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    weight: float
    recipe: Recipe


Recipe.model_rebuild()


_DEPTHS = {
    "marks": 2,
    "warp": 2,
    "effects": 2,
}  # tables in tables that are laid upon one another, as no draw is


def _merged(base: Mapping[str, Any], over: Mapping[str, Any], depth: int | None = None) -> dict[str, Any]:
    """``over`` laid upon ``base``, section by section; within a section, key by key."""
    result = dict(base)
    for section, value in over.items():
        below, deeper = result.get(section), _DEPTHS.get(section, 1) if depth is None else depth - 1
        both = isinstance(below, Mapping) and isinstance(value, Mapping) and deeper > 0
        result[section] = _merged(below, value, deeper) if both else value  # type: ignore[arg-type]
    return result


def _read_toml(source: str) -> dict[str, Any]:
    shipped = listing("recipes")
    path = shipped.get(source, Path(source))
    if source not in shipped and path.suffix != ".toml":
        raise RecipeError(f"unknown recipe '{source}'{nearest(source, shipped)} (or give the path of a .toml file)")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"recipe '{source}' cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # TOML's own errors among them
        raise RecipeError(f"recipe '{source}' is not TOML: {one_line(error)}") from None


def _beside(name: str, source: str) -> str:
    """A recipe's name or file as seen from the file ``source`` that names it."""
    if name.endswith(".toml") and not Path(name).is_absolute() and source not in listing("recipes"):
        return str(Path(source).parent / name)
    return name


def _with_parents(source: str, below: tuple[tuple[str, Path], ...] = ()) -> dict[str, Any]:
    """A recipe's tables laid upon those of the recipe that it extends, or of several, each laid upon those before it.
    ``below``: the recipes that have led here, and their files."""
    file = listing("recipes").get(source, Path(source)).resolve()  # a file may have many names
    if file in (path for _, path in below):
        circle = " -> ".join([*(name for name, _ in below), source])
        raise RecipeError(f"recipe '{below[0][0]}' extends itself ({circle}): break the circle")
    raw = _read_toml(source)
    extends = raw.pop("extends", [])
    parents = extends if isinstance(extends, list) else [extends]
    if not all(isinstance(parent, str) for parent in parents):
        raise RecipeError(f"recipe '{source}': extends is {extends!r}: write the name of a recipe, or a list of names")
    base: dict[str, Any] = {}
    for parent in parents:
        base = _merged(base, _with_parents(_beside(parent, source), (*below, (source, file))))
    plugins = (*base.get("plugins", ()), *_plugins(raw, f"recipe '{source}'", source))
    return {**_merged(base, raw), "plugins": plugins} if plugins else _merged(base, raw)


def _plugins(raw: Mapping[str, Any], where: str, source: str) -> tuple[str, ...]:
    """The plugins that ``raw`` names, so that they are found from anywhere: files lie beside the file ``source``."""
    names = raw.get("plugins", ())
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) and name.strip() for name in names):
        raise RecipeError(f'{where}: plugins is {names!r}: write modules or files in a list, as in ["my_effect.py"]')
    beside = Path(source).parent if source.endswith(".toml") else Path()
    return tuple(str((beside / name).resolve()) if name.endswith(".py") else name for name in names)


def load_recipe(source: str = "clean", overrides: Mapping[str, Any] | None = None) -> Recipe:
    """A shipped recipe by name, or a user's own by the path of its .toml file.

    ``overrides`` maps dotted keys to values that are stronger than the file's: ``{"page.dpi": 300}``. Any wrong
    key or value is a RecipeError that names the recipe, the key and the nearest right one.
    """
    return parse_recipe(_with_parents(source), f"recipe '{source}'", overrides, source)


def load_mix(weights: Mapping[str, Any], overrides: Mapping[str, Any] | None = None) -> Recipe:
    """A recipe that draws one of several, by name or .toml file, with these weights: ``{"clean": 1, "fax": 3}``."""
    return parse_recipe({"mix": dict(weights)}, "the mix", overrides)


def parse_recipe(
    raw: Mapping[str, Any], where: str, overrides: Mapping[str, Any] | None = None, source: str = ""
) -> Recipe:
    """The recipe of a TOML document's tables. ``where`` names it in errors; ``source``: the file that it comes from."""
    for dotted, value in (overrides or {}).items():
        section, *keys = dotted.split(".")
        if not isinstance(raw.get(section, {}), Mapping):
            raise RecipeError(f"{where}: {section} is {raw[section]!r}: write a table of keys")
        for key in reversed(keys):
            value = {key: value}
        raw = _merged(raw, {section: value})
    plugins = _plugins(raw, where, source)
    if plugins:
        load_plugins(plugins)
        raw = {**raw, "plugins": plugins}
    if "mix" in raw:
        mix = _mixed(raw, where, source)
        title = raw.get("title", f"A mix of {', '.join(part.name for part in mix)}")
        raw = {"title": title, "plugins": raw.get("plugins", ()), "output": raw.get("output", {}), "mix": mix}
    try:
        return Recipe.model_validate(raw)
    except RecipeError as error:
        raise RecipeError(f"{where}: {error}") from None
    except ValidationError as error:
        raise RecipeError(f"{where}: {_sentence(error)}") from None


def _mixed(raw: Mapping[str, Any], where: str, source: str) -> tuple[MixedRecipe, ...]:
    """The recipes of ``raw["mix"]``, all other sections of ``raw`` laid upon each."""
    mix = raw["mix"]
    if not isinstance(mix, Mapping) or not mix:
        raise RecipeError(f"{where}: mix is {mix!r}: write recipes with weights, as in clean = 1, phone-photo = 3")
    shared = {section: table for section, table in raw.items() if section not in ("title", "mix", "output")}
    found = []
    for name, given in mix.items():
        entry = given if isinstance(given, Mapping) else {"weight": given}
        for key in entry:
            if key not in ("weight", "recipe"):
                raise RecipeError(f"{where}: mix.{name}.{key} is unknown{nearest(key, ('weight', 'recipe'))}")
        weight = entry.get("weight", 1)
        number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not number or not math.isfinite(weight) or weight < 0:
            raise RecipeError(f"{where}: mix.{name} is {weight!r}: write its weight, a number of at least 0")
        own = entry["recipe"] if "recipe" in entry else _with_parents(_beside(name, source))
        if not isinstance(own, Mapping) or "mix" in own:
            raise RecipeError(f"{where}: mix.{name} is no single recipe: name those that it is made of")
        child = {**_merged(own, shared), "output": raw.get("output", {})}
        found.append(MixedRecipe(name=name, weight=weight, recipe=parse_recipe(child, f"recipe '{name}'")))
    if not any(part.weight for part in found):
        raise RecipeError(f"{where}: the weights of mix are all 0: make one of them greater")
    return tuple(found)


def _sentence(error: ValidationError) -> str:
    """The first fault in one sentence: the key, its value, and what to write instead."""
    first = error.errors()[0]
    names = [part for part in first["loc"] if isinstance(part, str)]  # a number counts the items of a list
    where, value = ".".join(names), first["input"]
    model: type[BaseModel] = Recipe
    for name in names[:-1]:
        annotation = model.model_fields[name].annotation
        model = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else model
    if first["type"] == "extra_forbidden":
        return f"{where} is unknown{nearest(names[-1], model.model_fields)}"
    found = "is empty" if value in ([], ()) else f"{'is' if len(names) == len(first['loc']) else 'holds'} {value!r}"
    return f"{where} {found}: {cure(first, model.model_fields[names[-1]])}"
