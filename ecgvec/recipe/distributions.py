"""Distributions: what a recipe may say instead of one value."""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from statistics import NormalDist
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from ecgvec.components import Limits
from ecgvec.errors import RecipeError, nearest

Scalar = bool | int | float | str | None
_MOST = sys.float_info.max  # whole numbers can be greater, and nothing can be drawn of those
_EPSILON = sys.float_info.epsilon


class BaseDistribution(BaseModel, ABC):
    """What all distributions can do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> Scalar:
        """Draw one value."""

    @abstractmethod
    def probes(self) -> tuple[Scalar, ...]:
        """Values that stand for all that may be drawn. If a key takes these, it takes any value of the distribution."""

    @abstractmethod
    def as_raw(self) -> Any:
        """What stands for it in TOML; ``parse_distribution`` reads it again."""


class Constant(BaseDistribution):
    """One fixed value: ``30``. Drawing it consumes no random number."""

    kind: Literal["constant"] = "constant"
    value: Scalar

    def draw(self, rng: np.random.Generator) -> Scalar:
        return self.value

    def probes(self) -> tuple[Scalar, ...]:
        return (self.value,)

    def as_raw(self) -> Any:
        return self.value


class Choice(BaseDistribution):
    """One value of a list: ``{choice = ["red", "blue"], weights = [3, 1]}``. Without weights all are equally likely."""

    kind: Literal["choice"] = "choice"
    values: tuple[Scalar, ...] = Field(min_length=1)
    weights: tuple[float, ...] | None = None

    def draw(self, rng: np.random.Generator) -> Scalar:
        """Draw one value. A list of one value consumes no random number."""
        if len(self.values) == 1:
            return self.values[0]
        return self.values[_pick(rng, self.weights or (1.0,) * len(self.values))]

    def probes(self) -> tuple[Scalar, ...]:
        return self.values

    def as_raw(self) -> Any:
        weights = {} if self.weights is None else {"weights": list(self.weights)}
        return {"choice": list(self.values), **weights}


class Uniform(BaseDistribution):
    """Any number between two: ``{uniform = [100, 300]}``."""

    kind: Literal["uniform"] = "uniform"
    low: float
    high: float

    def draw(self, rng: np.random.Generator) -> float:
        return float(rng.uniform(self.low, self.high))

    def probes(self) -> tuple[Scalar, ...]:
        """Both ends, and a number between them: a key that takes only some numbers cannot be uniform."""
        return (self.low, self.high, _between(self.low, self.high))

    def as_raw(self) -> Any:
        return {"uniform": [self.low, self.high]}


class Normal(BaseDistribution):
    """A normal distribution: ``{normal = [60, 10], min = 30, max = 90}``; ``min`` and ``max`` may be left out.

    It is truncated: numbers beyond ``low`` or ``high`` are never drawn, and do not pile up there either. Recipes
    truncate it to the range of its key as well (``limits``). Where the key takes whole numbers, it is rounded.
    """

    kind: Literal["normal"] = "normal"
    mean: float
    sd: float = Field(gt=0)
    low: float | None = None
    high: float | None = None
    limits: Limits = Limits(None, None, False)

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one number. It consumes one random number, however narrow the range is."""
        bell, (low, high) = NormalDist(self.mean, self.sd), self._range()
        below, above = bell.cdf(low), bell.cdf(high)
        share = below + (above - below) * float(rng.random())
        value = bell.inv_cdf(min(max(share, _EPSILON), 1 - _EPSILON))
        if self.limits.whole:
            return min(max(round(value), math.ceil(low)), math.floor(high))
        return min(max(value, low), high)

    def probes(self) -> tuple[Scalar, ...]:
        """The mean, the ends that it was given, and a number between: a key that takes only some numbers refuses it."""
        low, high = self._range()
        between = _between(max(low, self.mean - self.sd), min(high, self.mean + self.sd))
        found = (self.mean, *(end for end in (self.low, self.high) if end is not None), between)
        return tuple(end(value) for value in found for end in (math.floor, math.ceil)) if self.limits.whole else found

    def as_raw(self) -> Any:
        ends = {"min": self.low, "max": self.high}
        return {"normal": [self.mean, self.sd]} | {name: end for name, end in ends.items() if end is not None}

    def _range(self) -> tuple[float, float]:
        """The smallest and the greatest number that may be drawn."""
        lows, highs = (self.low, self.limits.low), (self.high, self.limits.high)
        return max([-_MOST, *(v for v in lows if v is not None)]), min([_MOST, *(v for v in highs if v is not None)])


class Integer(BaseDistribution):
    """A whole number between two, both included: ``{integer = [1, 10]}``."""

    kind: Literal["integer"] = "integer"
    first: int
    last: int

    def draw(self, rng: np.random.Generator) -> int:
        return int(rng.integers(self.first, self.last + 1))

    def probes(self) -> tuple[Scalar, ...]:
        return (self.first, self.last)

    def as_raw(self) -> Any:
        return {"integer": [self.first, self.last]}


class Bernoulli(BaseDistribution):
    """True with a probability, else false: ``{probability = 0.2}``."""

    kind: Literal["bernoulli"] = "bernoulli"
    probability: float = Field(ge=0, le=1)

    def draw(self, rng: np.random.Generator) -> bool:
        return _pick(rng, (self.probability, 1.0 - self.probability)) == 0

    def probes(self) -> tuple[Scalar, ...]:
        return (True, False)

    def as_raw(self) -> Any:
        return {"probability": self.probability}


Distribution = Annotated[Constant | Choice | Uniform | Normal | Integer | Bernoulli, Field(discriminator="kind")]


class Each:
    """Annotated to a key that holds a distribution: what each value of it has to be, as a Field."""

    def __init__(self, annotation: Any) -> None:
        self.field = FieldInfo.from_annotation(annotation)


def _pick(rng: np.random.Generator, weights: tuple[float, ...]) -> int:
    """The number of one of these weights, drawn by them."""
    shares = np.asarray(weights)
    return int(rng.choice(len(weights), p=shares / shares.sum()))


def _between(low: float, high: float) -> float:
    """A number that is nothing special."""
    return low * 0.618 + high * 0.382


def parse_distribution(where: str, raw: Any) -> Distribution:
    """The distribution that the TOML value ``raw`` of key ``where`` says. RecipeError names the key and the value."""
    if isinstance(raw, BaseDistribution):
        return raw  # type: ignore[return-value]  # there are no others
    if not isinstance(raw, Mapping):
        if isinstance(raw, float) and not math.isfinite(raw):
            raise RecipeError(f"{where} is {raw}: write a finite number")
        if raw is not None and not isinstance(raw, bool | int | float | str):
            raise RecipeError(f"{where} is {raw!r}: write one value, or a table with {_NAMES}")
        return Constant(value=raw)
    for key in raw:
        if key not in TABLE_KEYS:
            raise RecipeError(f"{where}.{key} is unknown{nearest(key, TABLE_KEYS)}")
    kinds = [kind for kind in _PARSERS if kind in raw]
    owner = {key: kind for kind, keys in _EXTRA_KEYS.items() for key in keys}
    if len(kinds) != 1 or any(owner[key] != kinds[0] for key in raw if key in owner):
        raise RecipeError(
            f"{where} needs exactly one of choice (with weights if wanted), uniform, normal (with min and max if "
            "wanted), integer or probability"
        )
    return _PARSERS[kinds[0]](where, raw)


def _choice(where: str, raw: Mapping[str, Any]) -> Choice:
    values, weights = raw["choice"], raw.get("weights")
    if not isinstance(values, list | tuple) or not values:
        raise RecipeError(f"{where}.choice is {values!r}: write a list of at least one value")
    for value in values:
        if not isinstance(value, bool | int | float | str):
            raise RecipeError(f"{where}.choice holds {value!r}: write single values")
        if isinstance(value, float) and not math.isfinite(value):
            raise RecipeError(f"{where}.choice holds {value}: write finite numbers")
    if weights is None:
        return Choice(values=tuple(values))
    if not isinstance(weights, list | tuple):
        weights = [weights]
    numbers = [w for w in weights if _is_number(w) and w >= 0]
    if len(numbers) != len(values) or len(numbers) != len(weights) or not 0 < sum(numbers) <= _MOST:
        raise RecipeError(f"{where}.weights is {weights!r}: write {len(values)} numbers of at least 0, not all 0")
    return Choice(values=tuple(values), weights=tuple(float(w) for w in numbers))


def _uniform(where: str, raw: Mapping[str, Any]) -> Uniform:
    ends = raw["uniform"]
    if not _are_two(ends, _is_number) or ends[0] > ends[1]:
        raise RecipeError(f"{where}.uniform is {ends!r}: write [lowest, highest], two finite numbers in that order")
    return Uniform(low=float(ends[0]), high=float(ends[1]))


def _normal(where: str, raw: Mapping[str, Any]) -> Normal:
    given = raw["normal"]
    if not _are_two(given, _is_number) or not 0 < given[1] < _MOST / 8 or abs(given[0]) > _MOST / 8:
        raise RecipeError(f"{where}.normal is {given!r}: write [mean, sd], two finite numbers, the second above 0")
    for end in ("min", "max"):
        if end in raw and not _is_number(raw[end]):
            raise RecipeError(f"{where}.{end} is {raw[end]!r}: write a finite number")
    low, high = raw.get("min"), raw.get("max")
    if low is not None and low > given[0]:
        raise RecipeError(f"{where}.min is {low!r}: write a number of at most the mean, {given[0]!r}")
    if high is not None and high < given[0]:
        raise RecipeError(f"{where}.max is {high!r}: write a number of at least the mean, {given[0]!r}")
    return Normal(mean=given[0], sd=given[1], low=low, high=high)


def _integer(where: str, raw: Mapping[str, Any]) -> Integer:
    ends = raw["integer"]
    if not _are_two(ends, lambda end: type(end) is int) or ends[0] > ends[1]:
        raise RecipeError(f"{where}.integer is {ends!r}: write [lowest, highest], two whole numbers in that order")
    return Integer(first=ends[0], last=ends[1])


def _bernoulli(where: str, raw: Mapping[str, Any]) -> Bernoulli:
    p = raw["probability"]
    if not _is_number(p) or not 0 <= p <= 1:
        raise RecipeError(f"{where}.probability is {p!r}: write a number from 0 to 1")
    return Bernoulli(probability=float(p))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MOST


def _are_two(values: Any, right: Callable[[Any], bool]) -> bool:
    return isinstance(values, list | tuple) and len(values) == 2 and all(map(right, values))


# The key that says which distribution it is, and how it is read; further keys of some.
_PARSERS: dict[str, Callable[[str, Mapping[str, Any]], Distribution]] = {
    "choice": _choice,
    "uniform": _uniform,
    "normal": _normal,
    "integer": _integer,
    "probability": _bernoulli,
}
_EXTRA_KEYS: dict[str, tuple[str, ...]] = {"choice": ("weights",), "normal": ("min", "max")}
TABLE_KEYS = frozenset([*_PARSERS, *(key for keys in _EXTRA_KEYS.values() for key in keys)])
_NAMES = "choice, uniform, normal, integer or probability"


def truncate(draw: Distribution, limits: Limits) -> Distribution:
    """A normal distribution within the ``limits`` of its key; any other distribution as it is."""
    return draw.model_copy(update={"limits": limits}) if isinstance(draw, Normal) else draw
