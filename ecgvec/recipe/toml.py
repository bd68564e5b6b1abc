"""A recipe as text: TOML that is understood again, and its keys and distributions in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import tomli_w
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ecgvec.components import Values, tell_range
from ecgvec.layout.style import PageStyle
from ecgvec.recipe.distributions import (
    TABLE_KEYS,
    BaseDistribution,
    Bernoulli,
    Choice,
    Constant,
    Distribution,
    Each,
    Integer,
    Normal,
    Scalar,
    Uniform,
)
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


class Described(NamedTuple):
    """A key: what it is (``text``), its ``default``, which ``values`` it takes, its ``unit``, and its ``kind``, the
    name of a Python type. All but the kind may be empty."""

    text: str
    default: str
    values: str
    unit: str
    kind: str

    @property
    def help(self) -> str:
        """The text and the values in one sentence: "Paper speed: 12.5, 25 or 50 mm/s."."""
        if not self.values or all(name in self.text for name in re.split(", | or ", self.values)):
            return self.text
        return f"{self.text.removesuffix('.')}: {self.values} {self.unit}".rstrip() + "."

    @property
    def metavar(self) -> str:
        """What stands for a value in a command's help: the unit, or what kind of value it is."""
        if "#RRGGBB" in self.values:
            return "#RRGGBB" if self.values == "#RRGGBB" else "COLOUR"
        if self.kind in ("int", "float"):
            return self.unit.upper() or ("N" if self.kind == "int" else "X")
        return {"bool": "", "list": "NAMES"}.get(self.kind, "NAME" if self.values else "TEXT")

    @property
    def shown(self) -> str:
        """The default with its unit: "25 mm/s"."""
        return f"{self.default} {self.unit}" if self.unit and self.default[-1:].isdigit() else self.default


def describe(field: FieldInfo) -> Described:
    """What the Field says."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, Mapping) else {}
    each = next((note.field for note in field.metadata if isinstance(note, Each)), field)
    default = str(extra.get("absent", "")) or tell_default(field.default)
    return Described(field.description or "", default, _tell_values(each), _find_unit(field), _tell_kind(each))


def describe_options() -> dict[str, Described]:
    """All keys of a recipe that are no parts', by their dotted names."""
    models: dict[str, type[BaseModel]] = {"page": PageStyle}
    for section, field in Recipe.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            models[section] = field.annotation
    return {f"{s}.{k}": describe(field) for s, model in models.items() for k, field in model.model_fields.items()}


def tell_default(value: Any) -> str:
    """A default as pages and help show it."""
    if isinstance(value, BaseDistribution):
        return tell_distribution(value)  # type: ignore[arg-type]  # there are no others
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else "none" if value in (None, "") else str(value)


def tell_distribution(draw: Distribution) -> str:
    """What a key may be, in words."""
    match draw:
        case Constant():
            return tell_default(draw.value)
        case Uniform():
            return f"{draw.low:g} to {draw.high:g}"
        case Integer():
            return f"{draw.first} to {draw.last}"
        case Normal():
            ends = (("at least", draw.low), ("at most", draw.high))
            return ", ".join(
                [f"{draw.mean:g} ± {draw.sd:g}", *(f"{word} {end:g}" for word, end in ends if end is not None)]
            )
        case Bernoulli():
            return _tell_chances((True, False), (draw.probability, 1 - draw.probability))
        case Choice():
            return _tell_chances(draw.values, draw.weights)


def _tell_chances(values: tuple[Scalar, ...], weights: tuple[float, ...] | None) -> str:
    """As in "red (75%), blue (25%)"."""
    if weights is None:
        return ", ".join(map(tell_default, values))
    total = sum(weights)
    chances = zip(values, weights, strict=True)
    return ", ".join(f"{tell_default(value)} ({weight / total:.0%})" for value, weight in chances if weight)


def list_names(names: tuple[Any, ...]) -> str:
    """("a", "b", "c") as "a, b or c"."""
    shown = [f"{name:g}" if isinstance(name, float) else str(name) for name in names]
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _take_apart(annotation: Any, notes: Sequence[Any]) -> Iterator[tuple[Any, list[Any]]]:
    """The types of a union, with what is annotated to each."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        yield from _take_apart(inner, [*notes, *more])
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _take_apart(member, notes)
    else:
        yield annotation, [*notes, *(rule for note in notes for rule in getattr(note, "metadata", ()))]


def _tell_values(field: FieldInfo) -> str:
    """Names, or a range of numbers."""
    names: list[Any] = []
    for kind, notes in _take_apart(field.annotation, field.metadata):
        kind = get_args(kind)[0] if get_origin(kind) is tuple else kind
        names += get_args(kind) if get_origin(kind) is Literal else ()
        names += [name for note in notes if isinstance(note, Values) for name in note.values]
    return list_names(tuple(names)) if names else tell_range(field).removeprefix("from ").removeprefix("of ")


def _tell_kind(field: FieldInfo) -> str:
    kinds = [get_origin(kind) or kind for kind, _ in _take_apart(field.annotation, ()) if kind is not type(None)]
    if Literal in kinds:
        kinds = [type(get_args(kind)[0]) for kind, _ in _take_apart(field.annotation, ()) if get_args(kind)]
    return "list" if tuple in kinds else kinds[0].__name__


def _find_unit(field: FieldInfo) -> str:
    """The field's own, or that of its type."""
    notes = [note for _, found in _take_apart(field.annotation, ()) for note in found]
    for note in (field, *notes):
        extra = getattr(note, "json_schema_extra", None)
        if isinstance(extra, Mapping) and "unit" in extra:
            return str(extra["unit"])
    return ""
