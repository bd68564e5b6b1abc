"""Recipes: what may happen to a page, with what probability and from which distribution. TOML in, frozen models out."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ecgvec.draws import Draw, parse_draw, probes
from ecgvec.effects.every import EFFECTS
from ecgvec.errors import RecipeError, nearest, one_line
from ecgvec.marks.every import MARKS
from ecgvec.parts import Part, check_part
from ecgvec.registry import Registry
from ecgvec.resources import listing
from ecgvec.style import check_style
from ecgvec.warp.every import WARPS


class RecordOptions(BaseModel):
    """Which part of a record is drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_sample: int | None = Field(default=None, ge=0)
    leads: tuple[str, ...] | None = Field(default=None, min_length=1)
    derive_leads: bool = False
    tail: Literal["drop", "keep"] = "drop"


class LayoutOptions(BaseModel):
    """Which template, and what it is filled with. ``rhythm`` is "template", "none" or lead names with commas."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    template: Draw = Draw(values=("auto",))
    rhythm: Draw = Draw(values=("template",))
    num_columns: Draw = Draw(values=(-1,))

    @field_validator("template", "rhythm", "num_columns", mode="before")
    @classmethod
    def _parse(cls, raw: Any, info: Any) -> Draw:
        return parse_draw(f"layout.{info.field_name}", raw)

    @field_validator("num_columns")
    @classmethod
    def _columns(cls, draw: Draw) -> Draw:
        for value in draw.values:
            whole = isinstance(value, int) and not isinstance(value, bool) and (value == -1 or 1 <= value <= 12)
            if draw.uniform or not whole:
                raise RecipeError(f"layout.num_columns is {value!r}: write 1 to 12, or -1 for the template's own")
        return draw


class HeaderOptions(BaseModel):
    """``fields``: which facts of the record's header may pass to the page, of ``age`` (as a band), ``sex``, ``dx``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[Literal["age", "sex", "dx"], ...] = ()


_DENSITY = re.compile(r"(\d+(?:\.\d+)?)/(px|mm)")


def parse_density(text: str) -> tuple[float, str]:
    """(2.0, "px") of "2/px". RecipeError for anything but a number, of at most 1000, of samples a px or a mm."""
    match = _DENSITY.fullmatch(text)
    if match is None or not 0 < float(match[1]) <= 1000:
        raise RecipeError(f"output.trace_density is '{text}': write samples a pixel or a mm, as in '2/px' or '10/mm'")
    return float(match[1]), match[2]


class OutputOptions(BaseModel):
    """How many images, which files, under which names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 0
    variants: int = Field(default=1, ge=1, le=1_000_000)
    max_images: int | None = Field(default=None, ge=1)
    formats: tuple[str, ...] | None = None
    anonymous_names: bool = False
    mask_unplotted: bool = False
    trace_density: str | None = None

    @field_validator("formats")
    @classmethod
    def _formats(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if names is not None and not names:
            raise RecipeError("output.formats is empty: name at least one, as in png,json")
        return names

    @field_validator("trace_density")
    @classmethod
    def _density(cls, text: str | None) -> str | None:
        if text is not None:
            parse_density(text)
        return text


class PartRecipe(BaseModel):
    """A part of the warp, or an effect, that comes with a ``probability``, and a Draw for any of its keys."""

    model_config = ConfigDict(frozen=True)

    kind: str
    probability: float = Field(default=1.0, ge=0, le=1)
    keys: dict[str, Draw] = {}


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
        if kind not in registry.names():
            raise RecipeError(f"{where}: '{kind}' is unknown{nearest(str(kind), registry.names())}")
        if isinstance(chance, bool) or not isinstance(chance, int | float) or not 0 <= chance <= 1:
            raise RecipeError(f"{where}.probability is {chance!r}: write a number from 0 to 1")
        found[name] = PartRecipe(kind=kind, probability=chance, keys=_part_draws(where, registry.get(kind), table))
    return found


def _part_draws(where: str, part: type[Part], table: Mapping[str, Any]) -> dict[str, Draw]:
    draws = {k: parse_draw(f"{where}.{k}", v) for k, v in table.items() if k not in ("kind", "probability")}
    for key, draw in draws.items():
        for value in probes(draw):
            check_part(where, part, key, value)
    return draws


class Recipe(BaseModel):
    """Everything that may happen. ``page`` holds a Draw for any key of ``ecgvec.style.PageStyle``; a key that is
    not there is the template's, else the default. ``marks``, ``warp`` and ``effects`` hold what may happen to the
    sheet, in that order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    record: RecordOptions = RecordOptions()
    layout: LayoutOptions = LayoutOptions()
    page: dict[str, Draw] = {}
    header: HeaderOptions = HeaderOptions()
    marks: dict[str, PartRecipe] = {}
    warp: dict[str, PartRecipe] = {}
    effects: dict[str, PartRecipe] = {}
    output: OutputOptions = OutputOptions()

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
    def _page(cls, raw: Any) -> dict[str, Draw]:
        if not isinstance(raw, Mapping):
            raise RecipeError(f"page is {raw!r}: write a table of page keys")
        draws = {key: parse_draw(f"page.{key}", value) for key, value in raw.items()}
        for key, draw in draws.items():
            for value in probes(draw):
                check_style("page", key, value)
        return draws

    def __repr__(self) -> str:
        return f"<Recipe '{self.title}', {len(self.page)} page keys>"


def _reason(error: ValidationError) -> str:
    return str(error.errors()[0]["msg"]).removeprefix("Value error, ")


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


def _with_parents(source: str, seen: tuple[str, ...] = ()) -> dict[str, Any]:
    if source in seen:
        raise RecipeError(f"recipe '{source}' extends itself ({' -> '.join([*seen, source])}): break the circle")
    raw = _read_toml(source)
    parent = raw.pop("extends", None)
    if parent is None:
        return raw
    if not isinstance(parent, str):
        raise RecipeError(f"recipe '{source}': extends is {parent!r}, write the name of one recipe")
    if parent.endswith(".toml") and not Path(parent).is_absolute():
        parent = str(Path(source).parent / parent)  # as seen from the file that names it
    return _merged(_with_parents(parent, (*seen, source)), raw)


def load_recipe(source: str = "clean", overrides: Mapping[str, Any] | None = None) -> Recipe:
    """A shipped recipe by name, or a user's own by the path of its .toml file.

    ``overrides`` maps dotted keys to values that are stronger than the file's: ``{"page.dpi": 300}``. Any wrong
    key or value is a RecipeError that names the recipe, the key and the nearest right one.
    """
    raw = _with_parents(source)
    for dotted, value in (overrides or {}).items():
        section, *keys = dotted.split(".")
        if not isinstance(raw.get(section, {}), Mapping):
            raise RecipeError(f"recipe '{source}': {section} is {raw[section]!r}: write a table of keys")
        for key in reversed(keys):
            value = {key: value}
        raw = _merged(raw, {section: value})
    try:
        return Recipe.model_validate(raw)
    except RecipeError as error:
        raise RecipeError(f"recipe '{source}': {error}") from None
    except ValidationError as error:
        raise RecipeError(f"recipe '{source}': {_sentence(error)}") from None


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] != "extra_forbidden":
        return f"{where} is {first['input']!r}: {_reason(error)}"
    model: type[BaseModel] = Recipe
    for part in first["loc"][:-1]:
        annotation = model.model_fields[str(part)].annotation
        model = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else model
    return f"{where} is unknown{nearest(str(first['loc'][-1]), model.model_fields)}"
