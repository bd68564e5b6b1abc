"""Values that chance decides: what a recipe may say instead of one value."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from ecgvec.errors import RecipeError, nearest

Scalar = bool | int | float | str | None
_MOST = sys.float_info.max  # whole numbers can be greater, and nothing can be drawn of those


class Distribution(BaseModel):
    """A value that is drawn: fixed, one of a list (with weights), or uniform between two numbers.

    In TOML: ``30``, ``{choice = ["red", "blue"], weights = [3, 1]}``, ``{uniform = [100, 300]}``,
    ``{integer = [1, 10]}`` (both ends included), ``{probability = 0.2}`` (true with that probability).
    """

    model_config = ConfigDict(frozen=True)

    values: tuple[Scalar, ...]
    weights: tuple[float, ...] | None = None
    uniform: bool = False
    integer: bool = False

    def draw(self, rng: np.random.Generator) -> Scalar:
        """One value. A fixed one consumes nothing of ``rng``."""
        if len(self.values) == 1:
            return self.values[0]
        if self.uniform:
            low, high = (float(v) for v in self.values if isinstance(v, int | float))
            return float(rng.uniform(low, high))
        if self.integer:
            first, last = (int(v) for v in self.values if isinstance(v, int))
            return int(rng.integers(first, last + 1))
        weights = np.asarray(self.weights) if self.weights is not None else np.ones(len(self.values))
        return self.values[int(rng.choice(len(self.values), p=weights / weights.sum()))]


def parse_distribution(where: str, raw: Any) -> Distribution:
    """The TOML value ``raw`` of key ``where`` as a Draw; RecipeError names the key and what was found."""
    if isinstance(raw, Distribution):
        return raw
    if not isinstance(raw, Mapping):
        if isinstance(raw, float) and not math.isfinite(raw):
            raise RecipeError(f"{where} is {raw}: write a finite number")
        if raw is not None and not isinstance(raw, bool | int | float | str):
            raise RecipeError(
                f"{where} is {raw!r}: write one value, or a table with choice, uniform, integer or probability"
            )
        return Distribution(values=(raw,))
    allowed = {"choice", "weights", "uniform", "integer", "probability"}
    for key in raw:
        if key not in allowed:
            raise RecipeError(f"{where}.{key} is unknown{nearest(key, allowed)}")
    kinds = [kind for kind in ("choice", "uniform", "integer", "probability") if kind in raw]
    if len(kinds) != 1 or ("weights" in raw and kinds != ["choice"]):
        raise RecipeError(
            f"{where} needs exactly one of choice (with weights if wanted), uniform, integer or probability"
        )
    kinds_of_draw = {"choice": _choice, "uniform": _uniform, "integer": _integer, "probability": _probability}
    return kinds_of_draw[kinds[0]](where, raw)


def _choice(where: str, raw: Mapping[str, Any]) -> Distribution:
    values, weights = raw["choice"], raw.get("weights")
    if not isinstance(values, list | tuple) or not values:
        raise RecipeError(f"{where}.choice is {values!r}: write a list of at least one value")
    for value in values:
        if not isinstance(value, bool | int | float | str):
            raise RecipeError(f"{where}.choice holds {value!r}: write single values")
        if isinstance(value, float) and not math.isfinite(value):
            raise RecipeError(f"{where}.choice holds {value}: write finite numbers")
    if weights is None:
        return Distribution(values=tuple(values))
    if not isinstance(weights, list | tuple):
        weights = [weights]
    numbers = [w for w in weights if isinstance(w, int | float) and type(w) is not bool and 0 <= w <= _MOST]
    if len(numbers) != len(values) or len(numbers) != len(weights) or not 0 < sum(numbers) <= _MOST:
        raise RecipeError(f"{where}.weights is {weights!r}: write {len(values)} numbers of at least 0, not all 0")
    return Distribution(values=tuple(values), weights=tuple(float(w) for w in numbers))


def _uniform(where: str, raw: Mapping[str, Any]) -> Distribution:
    ends = raw["uniform"]
    good = isinstance(ends, list | tuple) and len(ends) == 2
    good = good and all(isinstance(e, int | float) and not isinstance(e, bool) and abs(e) <= _MOST for e in ends)
    if not good or ends[0] > ends[1]:
        raise RecipeError(f"{where}.uniform is {ends!r}: write [lowest, highest], two finite numbers in that order")
    return Distribution(values=(float(ends[0]), float(ends[1])), uniform=True)


def _integer(where: str, raw: Mapping[str, Any]) -> Distribution:
    ends = raw["integer"]
    good = isinstance(ends, list | tuple) and len(ends) == 2
    if not good or any(type(e) is not int for e in ends) or ends[0] > ends[1]:
        raise RecipeError(f"{where}.integer is {ends!r}: write [lowest, highest], two whole numbers in that order")
    return Distribution(values=tuple(ends), integer=True)


def _probability(where: str, raw: Mapping[str, Any]) -> Distribution:
    p = raw["probability"]
    if isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p <= 1:
        raise RecipeError(f"{where}.probability is {p!r}: write a number from 0 to 1")
    return Distribution(values=(True, False), weights=(float(p), 1.0 - float(p)))


def probes(draw: Distribution) -> tuple[Scalar, ...]:
    """Values that stand for all that ``draw`` may give, to be checked: each of a choice; of a uniform one its ends and
    a value between them, so that what only some numbers are right for cannot be uniform."""
    if not draw.uniform:
        return draw.values
    return (*draw.values, float(str(draw.values[0])) * 0.618 + float(str(draw.values[1])) * 0.382)
