"""What a page is put together from: registries of named things, and parts, small settled models with a ``kind`` (a
bend, a camera, an effect) that recipes name and Plans hold."""

from __future__ import annotations

import math
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, NamedTuple, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from ecgvec.errors import EcgvecError, RecipeError, nearest, one_line

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

PLUGINS = "ecgvec.plugins"  # the group of entry points

T = TypeVar("T")


class Registry(Generic[T]):
    """Parts of one kind, by name, in the order in which they were added."""

    def __init__(self, kind: str, error: type[EcgvecError]) -> None:
        self._kind = kind
        self._error = error
        self._parts: dict[str, T] = {}

    def add(self, name: str, part: T) -> T:
        """Add ``part`` under ``name``. A name can be taken only once (ValueError)."""
        if name in self._parts:
            raise ValueError(f"{self._kind} '{name}' is registered twice")
        self._parts[name] = part
        return part

    def get(self, name: str) -> T:
        """The part of that name; the registry's error, with the nearest name, where there is none. A name that is not
        there yet may be that of an installed plugin: those are imported before it is refused."""
        if name not in self._parts:
            load_installed_plugins()
        try:
            return self._parts[name]
        except KeyError:
            raise self._error(f"unknown {self._kind} '{name}'{nearest(name, self._parts)}") from None

    def __contains__(self, name: object) -> bool:
        if isinstance(name, str) and name not in self._parts:
            load_installed_plugins()
        return isinstance(name, str) and name in self._parts

    def names(self) -> list[str]:
        """All names, in the order of registration."""
        return list(self._parts)

    def __iter__(self) -> Iterator[tuple[str, T]]:
        return iter(self._parts.items())


def import_folder(package: str, path: Iterable[str]) -> None:
    """Import every module of ``package``, whose ``__path__`` is ``path``, so that what they register is there."""
    for module in pkgutil.iter_modules(path):
        import_module(f"{package}.{module.name}")


@cache
def load_installed_plugins() -> None:
    """Import what installed packages offer in the entry-point group ``ecgvec.plugins``, once. RecipeError for one that
    cannot be imported."""
    for entry in entry_points(group=PLUGINS):
        try:
            entry.load()
        except Exception as error:
            what = f"{type(error).__name__}: {one_line(error)}"
            raise RecipeError(f"the installed plugin {entry.name} fails ({what}): mend or remove it") from error


def load_plugins(names: Iterable[str]) -> None:
    """Import plugins, each once: modules by name, or files by path (``.py``), whose module is called after the file.
    RecipeError for one that cannot be imported."""
    for name in names:
        path = Path(name)
        module = path.stem if path.suffix == ".py" else name
        if module in sys.modules or _is_running(path):
            continue
        try:
            if path.suffix == ".py" and path.is_file():
                _import_file(module, path)
            else:
                import_module(module)
        except Exception as error:
            sys.modules.pop(module, None)
            what = f"{type(error).__name__}: {one_line(error)}"
            raise RecipeError(
                f"plugins: '{name}' cannot be imported ({what}): name a file that lies beside the recipe, or a "
                "module that Python finds"
            ) from error


def _is_running(path: Path) -> bool:
    """Whether ``path`` is the script that Python runs: what it registers is there."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    return path.suffix == ".py" and file is not None and Path(file).resolve() == path.resolve()


def _import_file(module: str, path: Path) -> None:
    spec = spec_from_file_location(module, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    loaded = module_from_spec(spec)
    sys.modules[module] = loaded
    spec.loader.exec_module(loaded)


def hex_color(text: str) -> str:
    """``text`` as ``#RRGGBB``; ValueError for anything but ``#RGB`` or ``#RRGGBB``."""
    if re.fullmatch(r"#[0-9A-Fa-f]{6}", text):
        return text.upper()
    if re.fullmatch(r"#[0-9A-Fa-f]{3}", text):
        return ("#" + "".join(c + c for c in text[1:])).upper()
    raise ValueError(f"'{text}' is not a colour: write #RRGGBB")


def rgb(color: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of a ``#RRGGBB`` colour."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


@dataclass(frozen=True)
class Values:
    """Annotated to a type: the values that it takes, where its validator alone knows them."""

    values: tuple[Any, ...]


def key(default: Any, text: str, unit: str = "", *, absent: str = "", **rules: Any) -> Any:
    """The Field of a key: its default, its help, and its unit. ``absent``: what the default None means. ``rules``:
    limits, as ``Field`` takes them; a number with limits is finite. Help, flags and pages are made from these."""
    extra = {name: value for name, value in (("unit", unit), ("absent", absent)) if value}
    if isinstance(default, float) and rules:
        rules["allow_inf_nan"] = False
    if extra:  # else the unit of its type counts
        rules["json_schema_extra"] = extra
    return Field(default=default, description=text, **rules)


class Part(BaseModel):
    """One thing that happens to a page, all its numbers settled. Where it needs noise it has an integer ``seed``."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, defer_build=True)

    kind: str


P = TypeVar("P", bound=Part)
Seed = Annotated[int, Field(ge=0, lt=2**63)]
HexColor = Annotated[str, AfterValidator(hex_color), Values(("#RRGGBB",))]
Degrees = Annotated[float, Field(ge=-360, le=360, allow_inf_nan=False, json_schema_extra={"unit": "degrees"})]


def register(registry: Registry[type[P]]) -> Callable[[type[P]], type[P]]:
    """Class decorator: puts a part into ``registry`` under its kind."""

    def add(part: type[P]) -> type[P]:
        registry.add(part.model_fields["kind"].default, part)
        return part

    return add


def parse_parts(registry: Registry[type[P]], raw: Iterable[Any]) -> tuple[P, ...]:
    """Parts from what JSON holds of them. ValueError, of which ValidationError is a kind, for anything else."""
    found: list[P] = []
    for item in raw:
        if isinstance(item, Mapping):
            found.append(registry.get(str(item.get("kind"))).model_validate(item))
        elif isinstance(item, Part):
            found.append(item)  # type: ignore[arg-type]
        else:
            raise ValueError(f"{item!r} is no part: write a table with its kind")
    return tuple(found)


def check_part(where: str, part: type[Part], key: str, value: Any) -> None:
    """RecipeError unless ``value`` is right for ``part``'s key ``key``."""
    known = [name for name in part.model_fields if name != "kind"]
    if key not in known:
        raise RecipeError(f"{where}.{key} is unknown{nearest(key, known)}")
    if isinstance(value, bool) and not isinstance(part.model_fields[key].default, bool):
        raise RecipeError(f"{where}.{key} is {value!r}: write a number or a name")
    try:
        part.model_validate({key: value})
    except ValidationError as error:
        reason = cure(error.errors()[0], part.model_fields[key])
        raise RecipeError(f"{where}.{key} is {value!r}: {reason}") from None


# Pydantic's kind of fault -> what to write, where neither the field nor the fault has more to say.
_CURES = {
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "string_type": "write a text in quotes",
    "string_too_short": "write at least one character",
    "tuple_type": "write a list",
    "too_short": "name at least one",
    "model_type": "write a table of keys",
}
_OF_NUMBERS = ("greater_than", "less_than", "finite_number", "float_", "int_")
_LIMITS = {"ge": "of at least", "gt": "above", "le": "up to", "lt": "below"}


def cure(fault: ErrorDetails, field: FieldInfo) -> str:
    """What to write instead of a value of ``field`` that pydantic has refused for ``fault``: "write a number from 50
    to 1200"."""
    kind = fault["type"]
    if kind.startswith(_OF_NUMBERS):
        return _number(field)
    if kind == "literal_error":
        return f"write {fault['ctx']['expected']}"
    return _CURES.get(kind, fault["msg"].removeprefix("Value error, "))


class Limits(NamedTuple):
    """Which numbers a key takes: from ``low`` to ``high`` (None: without an end), and whether only whole ones."""

    low: float | None
    high: float | None
    whole: bool

    def contain(self, value: Any) -> bool:
        """Whether ``value`` is such a number."""
        number = isinstance(value, int if self.whole else int | float) and not isinstance(value, bool)
        return number and (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


def find_limits(field: FieldInfo) -> Limits:
    """The limits of a number. A range that begins above a limit begins at the next number."""
    rules = _rules(field)
    low, high = rules.get("ge"), rules.get("le")
    if "gt" in rules:
        low = math.nextafter(rules["gt"], math.inf)
    if "lt" in rules:
        high = math.nextafter(rules["lt"], -math.inf)
    return Limits(low, high, int in _types(field))


def _types(field: FieldInfo) -> list[Any]:
    """The field's type, or those of its union."""
    members = (field.annotation, *get_args(field.annotation))
    return [getattr(member, "__origin__", member) for member in members]


def _notes(field: FieldInfo) -> list[Any]:
    """What is annotated to the field, and to the members of its union, which have limits of their own."""
    members = (field.annotation, *get_args(field.annotation))
    more = [note for member in members for note in getattr(member, "__metadata__", ())]
    return [*field.metadata, *more, *(rule for note in more for rule in getattr(note, "metadata", ()))]


def _rules(field: FieldInfo) -> dict[str, float]:
    """The field's limits, by pydantic's names for them."""
    return {name: getattr(note, name) for note in _notes(field) for name in _LIMITS if hasattr(note, name)}


def tell_range(field: FieldInfo) -> str:
    """Which numbers the field takes, in words: "from 0 to 60", "above 0"; empty where it takes any."""
    shown = {name: str(limit).removesuffix(".0") for name, limit in _rules(field).items()}
    if set(shown) == {"ge", "le"}:
        return f"from {shown['ge']} to {shown['le']}"
    return " and ".join(f"{word} {shown[name]}" for name, word in _LIMITS.items() if name in shown)


def _number(field: FieldInfo) -> str:
    """As in "write a whole number from 0 to 60"."""
    return f"write a {'whole ' if int in _types(field) else ''}number {tell_range(field)}".rstrip()
