"""Recipes: what is right is understood, what is wrong is named with its cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecgvec.draws import Draw, parse_draw
from ecgvec.errors import RecipeError
from ecgvec.recipe import load_recipe
from ecgvec.resources import listing
from ecgvec.streams import stream


@pytest.mark.parametrize("name", listing("recipes"))
def test_every_shipped_recipe_loads(name: str) -> None:
    assert load_recipe(name).title


def test_a_flag_is_stronger_than_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('extends = "clean"\ntitle = "mine"\n[page]\ndpi = 100\ngrid = "dots"\n')
    recipe = load_recipe(str(file), {"page.dpi": 300})
    assert recipe.page["dpi"].values == (300,)
    assert recipe.page["grid"].values == ("dots",)


def test_draws_follow_their_distribution() -> None:
    rng = stream(0, "r", 0, "x")
    half = parse_draw("k", {"probability": 0.25})
    drawn = [half.draw(rng) for _ in range(4000)]
    assert sum(map(bool, drawn)) == pytest.approx(1000, abs=110)  # four standard deviations
    uniform = parse_draw("k", {"uniform": [2, 3]})
    values = [float(str(uniform.draw(rng))) for _ in range(1000)]
    assert min(values) >= 2
    assert max(values) <= 3
    assert max(values) - min(values) > 0.9
    weighted = parse_draw("k", {"choice": ["a", "b"], "weights": [0, 1]})
    assert {weighted.draw(rng) for _ in range(50)} == {"b"}


def test_a_fixed_value_uses_no_chance() -> None:
    rng = stream(0, "r", 0, "x")
    before = rng.bit_generator.state
    assert Draw(values=(7,)).draw(rng) == 7
    assert rng.bit_generator.state == before


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"page.grid_colour": "red"}, "page.grid_colour is unknown; did you mean 'grid_color'"),
        ({"pgae.dpi": 3}, "pgae is unknown; did you mean 'page'"),
        ({"record.tial": "keep"}, "record.tial is unknown; did you mean 'tail'"),
        ({"record.tail": "kep"}, "record.tail is 'kep'.*'drop' or 'keep'"),
        ({"page.bw": {"probability": -0.1}}, "page.bw.probability is -0.1: write a number from 0 to 1"),
        ({"page.bw": {"probability": float("nan")}}, "probability is nan"),
        ({"page.dpi": float("nan")}, "page.dpi is nan: write a finite number"),
        ({"page.dpi": {"uniform": [300, 100]}}, r"page.dpi.uniform is \[300, 100\]: write \[lowest, highest\]"),
        ({"page.dpi": {"uniform": [10, 100]}}, "page.dpi is 10.0.*greater than or equal to 50"),
        ({"page.grid": {"choice": []}}, "at least one value"),
        ({"page.grid": {"choice": ["lines", "dots"], "weights": [1]}}, "write 2 numbers"),
        ({"page.grid": {"choice": ["lines"], "uniform": [1, 2]}}, "exactly one of choice"),
        ({"page.grid": {"chioce": ["lines"]}}, "page.grid.chioce is unknown; did you mean 'choice'"),
        ({"page.speed": 30}, "30 mm/s is not printed by ECG machines: write 12.5, 25 or 50"),
        ({"output.variants": 0}, "output.variants is 0"),
        ({"header.fields": ["name"]}, "header.fields.0 is 'name'"),
    ],
)
def test_wrong_recipes_are_named(overrides: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError, match=words) as caught:
        load_recipe("clean", overrides)
    assert "\n" not in str(caught.value)


def test_a_recipe_that_extends_itself(tmp_path: Path) -> None:
    a, b = tmp_path / "a.toml", tmp_path / "b.toml"
    a.write_text(f'extends = "{b}"\n')
    b.write_text(f'extends = "{a}"\n')
    with pytest.raises(RecipeError, match="extends itself"):
        load_recipe(str(a))
