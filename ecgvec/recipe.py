"""Recipes: what may happen to a page, with what probability and from which distribution. TOML in, frozen models out."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ecgvec.errors import RecipeError, nearest, one_line
from ecgvec.resources import listing
from ecgvec.style import PageStyle

Scalar = bool | int | float | str | None


class Draw(BaseModel):
    """A value that is drawn: fixed, one of a list (with weights), or uniform between two numbers.

    In TOML: ``30``, ``{choice = ["red", "blue"], weights = [3, 1]}``, ``{uniform = [100, 300]}``,
    ``{probability = 0.2}`` (true with that probability).
    """

    model_config = ConfigDict(frozen=True)

    values: tuple[Scalar, ...]
    weights: tuple[float, ...] | None = None
    uniform: bool = False

    def draw(self, rng: np.random.Generator) -> Scalar:
        """One value. A fixed one consumes nothing of ``rng``."""
        if len(self.values) == 1:
            return self.values[0]
        if self.uniform:
            low, high = (float(v) for v in self.values if isinstance(v, int | float))
            return float(rng.uniform(low, high))
        weights = np.asarray(self.weights) if self.weights is not None else np.ones(len(self.values))
        return self.values[int(rng.choice(len(self.values), p=weights / weights.sum()))]


def parse_draw(where: str, raw: Any) -> Draw:
    """The TOML value ``raw`` of key ``where`` as a Draw; RecipeError names the key and what was found."""
    if isinstance(raw, Draw):
        return raw
    if not isinstance(raw, Mapping):
        if isinstance(raw, float) and not math.isfinite(raw):
            raise RecipeError(f"{where} is {raw}: write a finite number")
        if raw is not None and not isinstance(raw, bool | int | float | str):
            raise RecipeError(f"{where} is {raw!r}: write one value, or a table with choice, uniform or probability")
        return Draw(values=(raw,))
    allowed = {"choice", "weights", "uniform", "probability"}
    for key in raw:
        if key not in allowed:
            raise RecipeError(f"{where}.{key} is unknown{nearest(key, allowed)}")
    kinds = [kind for kind in ("choice", "uniform", "probability") if kind in raw]
    if len(kinds) != 1 or ("weights" in raw and kinds != ["choice"]):
        raise RecipeError(f"{where} needs exactly one of choice (with weights if wanted), uniform or probability")
    return {"choice": _choice, "uniform": _uniform, "probability": _probability}[kinds[0]](where, raw)


def _choice(where: str, raw: Mapping[str, Any]) -> Draw:
    values, weights = raw["choice"], raw.get("weights")
    if not isinstance(values, list | tuple) or not values:
        raise RecipeError(f"{where}.choice is {values!r}: write a list of at least one value")
    for value in values:
        if not isinstance(value, bool | int | float | str):
            raise RecipeError(f"{where}.choice holds {value!r}: write single values")
    if weights is None:
        return Draw(values=tuple(values))
    if not isinstance(weights, list | tuple):
        weights = [weights]
    numbers = [w for w in weights if isinstance(w, int | float) and math.isfinite(w) and w >= 0]
    if len(numbers) != len(values) or len(numbers) != len(weights) or sum(numbers) <= 0:
        raise RecipeError(f"{where}.weights is {weights!r}: write {len(values)} numbers of at least 0, not all 0")
    return Draw(values=tuple(values), weights=tuple(float(w) for w in numbers))


def _uniform(where: str, raw: Mapping[str, Any]) -> Draw:
    ends = raw["uniform"]
    good = isinstance(ends, list | tuple) and len(ends) == 2
    good = good and all(isinstance(e, int | float) and not isinstance(e, bool) and math.isfinite(e) for e in ends)
    if not good or ends[0] > ends[1]:
        raise RecipeError(f"{where}.uniform is {ends!r}: write [lowest, highest], two finite numbers in that order")
    return Draw(values=(float(ends[0]), float(ends[1])), uniform=True)


def _probability(where: str, raw: Mapping[str, Any]) -> Draw:
    p = raw["probability"]
    if isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p <= 1:
        raise RecipeError(f"{where}.probability is {p!r}: write a number from 0 to 1")
    return Draw(values=(True, False), weights=(float(p), 1.0 - float(p)))


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


class Recipe(BaseModel):
    """Everything that may happen. ``page`` holds a Draw for any key of ``ecgvec.style.PageStyle``; a key that is
    not there is the template's, else the default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    record: RecordOptions = RecordOptions()
    layout: LayoutOptions = LayoutOptions()
    page: dict[str, Draw] = {}
    header: HeaderOptions = HeaderOptions()
    output: OutputOptions = OutputOptions()

    @field_validator("page", mode="before")
    @classmethod
    def _page(cls, raw: Any) -> dict[str, Draw]:
        if not isinstance(raw, Mapping):
            raise RecipeError(f"page is {raw!r}: write a table of page keys")
        draws = {key: parse_draw(f"page.{key}", value) for key, value in raw.items()}
        for key, draw in draws.items():
            inner = (float(str(draw.values[0])) * 0.618 + float(str(draw.values[1])) * 0.382,) if draw.uniform else ()
            for value in (*draw.values, *inner):  # what only some numbers are right for cannot be uniform
                check_style("page", key, value)
        return draws

    def __repr__(self) -> str:
        return f"<Recipe '{self.title}', {len(self.page)} page keys>"


def check_style(where: str, key: str, value: Scalar) -> None:
    """RecipeError unless ``value`` is right for the page key ``key``."""
    if key not in PageStyle.model_fields:
        raise RecipeError(f"{where}.{key} is unknown{nearest(key, PageStyle.model_fields)}")
    try:
        PageStyle.model_validate({key: value})
    except ValidationError as error:
        raise RecipeError(f"{where}.{key} is {value!r}: {_reason(error)}") from None


def _reason(error: ValidationError) -> str:
    return str(error.errors()[0]["msg"]).removeprefix("Value error, ")


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid upon ``base``, section by section; within a section, key by key."""
    result = dict(base)
    for section, value in over.items():
        below = result.get(section)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[section] = {**below, **value} if both else value  # type: ignore[dict-item]
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
        section, _, key = dotted.partition(".")
        if not isinstance(raw.get(section, {}), Mapping):
            raise RecipeError(f"recipe '{source}': {section} is {raw[section]!r}: write a table of keys")
        raw = _merged(raw, {section: {key: value}})
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
