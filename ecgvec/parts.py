"""Parts: small settled models with a ``kind`` (a bend, a camera, an effect), kept in registries and in the Plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ecgvec.errors import RecipeError, nearest
from ecgvec.registry import Registry


class Part(BaseModel):
    """One thing that happens to a page, all its numbers settled. Where it needs noise it has an integer ``seed``."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    kind: str


P = TypeVar("P", bound=Part)
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Degrees = Annotated[float, Field(ge=-360, le=360, allow_inf_nan=False)]


def registered(registry: Registry[type[P]]) -> Callable[[type[P]], type[P]]:
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
        reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise RecipeError(f"{where}.{key} is {value!r}: {reason}") from None
