"""Distributions: what each draws, how many random numbers it takes, and that it keeps within the range of its key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from ecgvec.components import Limits
from ecgvec.errors import RecipeError
from ecgvec.recipe.distributions import (
    BaseDistribution,
    Bernoulli,
    Choice,
    Constant,
    Distribution,
    Integer,
    Normal,
    Uniform,
    parse_distribution,
    truncate,
)
from ecgvec.recipe.recipe import load_recipe
from ecgvec.recipe.toml import as_tables
from ecgvec.rng import stream

RAW: dict[str, tuple[Any, BaseDistribution]] = {
    "number": (30, Constant(value=30)),
    "switch": (True, Constant(value=True)),
    "name": ("red", Constant(value="red")),
    "choice": ({"choice": ["a", "b"]}, Choice(values=("a", "b"))),
    "weighted": ({"choice": [1, 2], "weights": [3.0, 1.0]}, Choice(values=(1, 2), weights=(3, 1))),
    "uniform": ({"uniform": [1.0, 2.0]}, Uniform(low=1, high=2)),
    "normal": ({"normal": [60.0, 10.0]}, Normal(mean=60, sd=10)),
    "truncated": ({"normal": [60.0, 10.0], "min": 30.0, "max": 90.0}, Normal(mean=60, sd=10, low=30, high=90)),
    "integer": ({"integer": [1, 3]}, Integer(first=1, last=3)),
    "bernoulli": ({"probability": 0.2}, Bernoulli(probability=0.2)),
}


@pytest.mark.parametrize("name", RAW)
def test_each_is_read_from_toml_and_written_again(name: str) -> None:
    raw, distribution = RAW[name]
    assert parse_distribution("k", raw) == distribution
    assert distribution.as_raw() == raw
    assert type(distribution.as_raw()) is type(raw)


@pytest.mark.parametrize("name", RAW)
def test_the_union_tells_them_by_their_kind(name: str) -> None:
    _, distribution = RAW[name]
    union: TypeAdapter[Distribution] = TypeAdapter(Distribution)
    dumped = union.dump_python(distribution, mode="json")  # type: ignore[arg-type]
    assert union.validate_python(dumped) == distribution
    with pytest.raises(ValidationError, match=r"discriminator|tag"):
        union.validate_python({**dumped, "kind": "triangular"})


# What is drawn -> what it took of a random generator before there were classes for it. Pages keep their bytes by this.
CONSUMED: list[tuple[Any, Callable[[np.random.Generator], Any]]] = [
    (7, lambda rng: 7),
    ({"choice": ["a"]}, lambda rng: "a"),
    ({"choice": ["a"], "weights": [2]}, lambda rng: "a"),
    ({"choice": ["a", "b", "c"]}, lambda rng: "abc"[rng.choice(3, p=np.ones(3) / 3)]),
    ({"choice": ["a", "b"], "weights": [3, 1]}, lambda rng: "ab"[rng.choice(2, p=np.array([3, 1]) / 4)]),
    ({"uniform": [2, 3]}, lambda rng: rng.uniform(2, 3)),
    ({"uniform": [2, 2]}, lambda rng: rng.uniform(2, 2)),
    ({"integer": [4, 9]}, lambda rng: rng.integers(4, 10)),
    ({"integer": [4, 4]}, lambda rng: rng.integers(4, 5)),
    ({"probability": 0.3}, lambda rng: (True, False)[rng.choice(2, p=np.array([0.3, 1 - 0.3]))]),
    ({"probability": 1}, lambda rng: (True, False)[rng.choice(2, p=np.array([1.0, 0.0]))]),
]


@pytest.mark.parametrize(("raw", "before"), CONSUMED, ids=[str(raw) for raw, _ in CONSUMED])
def test_draws_take_what_they_always_took(raw: Any, before: Callable[[np.random.Generator], Any]) -> None:
    ours, theirs = (stream(0, "r", 0, "x") for _ in range(2))
    draw = parse_distribution("k", raw)
    for _ in range(50):
        assert draw.draw(ours) == before(theirs)
    assert ours.bit_generator.state == theirs.bit_generator.state


def test_a_fixed_value_uses_no_chance() -> None:
    rng = stream(0, "r", 0, "x")
    before = rng.bit_generator.state
    assert Constant(value=7).draw(rng) == 7
    assert rng.bit_generator.state == before


def test_draws_follow_their_distribution() -> None:
    rng = stream(0, "r", 0, "x")
    half = parse_distribution("k", {"probability": 0.25})
    drawn = [half.draw(rng) for _ in range(4000)]
    assert sum(map(bool, drawn)) == pytest.approx(1000, abs=110)  # four standard deviations
    values = [Uniform(low=2, high=3).draw(rng) for _ in range(1000)]
    assert min(values) >= 2
    assert max(values) <= 3
    assert max(values) - min(values) > 0.9
    weighted = parse_distribution("k", {"choice": ["a", "b"], "weights": [0, 1]})
    assert {weighted.draw(rng) for _ in range(50)} == {"b"}


def sample(draw: Distribution, count: int = 4000) -> np.ndarray:
    rng = stream(0, "r", 0, "x")
    return np.array([draw.draw(rng) for _ in range(count)])


def test_a_normal_distribution_is_one() -> None:
    values = sample(Normal(mean=60, sd=10))
    assert values.mean() == pytest.approx(60, abs=0.7)
    assert values.std() == pytest.approx(10, abs=0.5)
    assert np.mean(abs(values - 60) < 10) == pytest.approx(0.683, abs=0.03)


def test_a_truncated_one_does_not_pile_up() -> None:
    values = sample(Normal(mean=60, sd=10, low=55, high=65))
    assert 55 <= values.min() < values.max() <= 65
    assert len(np.unique(values)) == len(values)
    # Of one standard deviation cut to its half, the outer tenths hold about as much as the inner ones.
    counts = np.histogram(values, 10, (55, 65))[0]
    assert counts.max() < 1.3 * counts.min()


def test_a_range_far_narrower_than_the_spread_is_no_trouble() -> None:
    rng = stream(0, "r", 0, "x")
    before = rng.bit_generator.state
    assert 1 <= Normal(mean=1.5, sd=1e12, low=1, high=2).draw(rng) <= 2
    other = stream(0, "r", 0, "x")
    assert other.bit_generator.state == before
    other.random()
    assert rng.bit_generator.state == other.bit_generator.state  # one random number, however narrow


@pytest.mark.parametrize(
    ("key", "normal", "low", "high", "whole"),
    [
        ("effects.jpeg.quality", [60, 60], 1, 100, True),
        ("effects.gaussian-noise.sigma", [1, 5], 0, 128, False),
        ("marks.redaction.width", [1, 5], 0, 400, False),
        ("warp.phone.focal", [10, 20], 8, 400, False),
        ("page.dpi", [60, 100], 50, 1200, False),
        ("notes.words", [2, 3], 1, 1000, True),
        ("notes.angle", [170, 90], -180, 180, False),
        ("layout.num_columns", [2, 4], 1, 12, True),
    ],
)
def test_no_key_leaves_its_range(key: str, normal: list[float], low: float, high: float, whole: bool) -> None:
    recipe = load_recipe("clean", {key: {"normal": normal}})
    section, *kind, name = key.split(".")
    holder: Any = getattr(recipe, section)
    draw = holder[kind[0]].keys[name] if kind else holder[name] if section == "page" else getattr(holder, name)
    values = sample(draw, 500)
    assert low <= values.min() and values.max() <= high
    assert len(set(values)) > 2
    assert all(isinstance(draw.draw(stream(0, "r", 0, str(i))), int if whole else float) for i in range(5))
    tables = as_tables(recipe)[section]
    assert (tables[kind[0]] if kind else tables)[name] == {"normal": normal}  # as it was written


def test_a_mean_beyond_the_range_of_whole_numbers_is_refused() -> None:
    with pytest.raises(RecipeError, match="quality is 0: write a whole number from 1 to 100"):
        load_recipe("clean", {"effects.jpeg.quality": {"normal": [0.8, 3], "max": 0.9}})


def test_only_normal_distributions_are_truncated() -> None:
    limits = Limits(0, 1, False)
    for _, distribution in RAW.values():
        found = truncate(distribution, limits)  # type: ignore[arg-type]
        assert (found != distribution) == isinstance(distribution, Normal)
