"""Recipes: what is right is understood, what is wrong is named with its cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecgvec.errors import RecipeError
from ecgvec.marks import MARKS
from ecgvec.planning.make import make_plans
from ecgvec.recipe.distributions import Constant
from ecgvec.recipe.recipe import Recipe, load_recipe
from ecgvec.record.model import Record
from ecgvec.resources import listing
from ecgvec.rng import stream


@pytest.mark.parametrize("name", listing("recipes"))
def test_every_shipped_recipe_loads(name: str) -> None:
    assert load_recipe(name).title


def test_a_flag_is_stronger_than_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('extends = "clean"\ntitle = "mine"\n[page]\ndpi = 100\ngrid = "dots"\n')
    recipe = load_recipe(str(file), {"page.dpi": 300})
    assert recipe.page["dpi"] == Constant(value=300)
    assert recipe.page["grid"] == Constant(value="dots")


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"page.grid_colour": "red"}, "page.grid_colour is unknown; did you mean 'grid_color'"),
        ({"pgae.dpi": 3}, "pgae is unknown; did you mean 'page'"),
        ({"record.partial_pag": "keep"}, "record.partial_pag is unknown; did you mean 'partial_page'"),
        ({"record.partial_page": "kep"}, "record.partial_page is 'kep'.*'drop' or 'keep'"),
        ({"page.bw": {"probability": -0.1}}, "page.bw.probability is -0.1: write a number from 0 to 1"),
        ({"page.bw": {"probability": float("nan")}}, "probability is nan"),
        ({"page.dpi": float("nan")}, "page.dpi is nan: write a finite number"),
        ({"page.dpi": {"uniform": [300, 100]}}, r"page.dpi.uniform is \[300, 100\]: write \[lowest, highest\]"),
        ({"page.dpi": {"uniform": [10, 100]}}, "page.dpi is 10.0: write a number from 50 to 1200"),
        ({"page.grid": {"choice": []}}, "at least one value"),
        ({"page.grid": {"choice": ["lines", "dots"], "weights": [1]}}, "write 2 numbers"),
        ({"page.grid": {"choice": ["lines"], "uniform": [1, 2]}}, "exactly one of choice"),
        ({"page.grid": {"chioce": ["lines"]}}, "page.grid.chioce is unknown; did you mean 'choice'"),
        ({"page.speed": 30}, "30 mm/s is not printed by ECG machines: write 12.5, 25 or 50"),
        ({"output.variants": 0}, "output.variants is 0"),
        ({"header.fields": ["name"]}, "header.fields holds 'name': write 'age', 'sex' or 'dx'"),
    ],
)
def test_wrong_recipes_are_named(overrides: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError, match=words) as caught:
        load_recipe("clean", overrides)
    assert "\n" not in str(caught.value)


# TOML below [SECTION] -> the key and the value that the message has to name.
WRONG = {
    "record": {
        "partial_paeg = 'keep'": ("partial_paeg",),
        "first_sample = -1": ("first_sample", "-1"),
        "first_sample = nan": ("nan",),
    },
    "layout": {
        "tempalte = 'ge'": ("tempalte", "did you mean 'template'"),
        "num_columns = nan": ("num_columns", "nan"),
        "num_columns = {integer = [4, 2]}": ("num_columns.integer", "[4, 2]"),
        "num_columns = {integer = [-1, 4]}": ("num_columns", "-1"),
        "template = {choice = []}": ("template.choice", "[]"),
        "template = inf": ("template", "inf"),
        "rhythm = 3": ("rhythm", "3"),
    },
    "page": {
        "gird = 'dots'": ("gird", "did you mean 'grid'"),
        "dpi = nan": ("dpi", "nan"),
        "dpi = inf": ("dpi", "inf"),
        "dpi = {uniform = [300, 100]}": ("dpi.uniform", "[300, 100]"),
        "dpi = {uniform = [100, inf]}": ("dpi.uniform", "[100, inf]"),
        "dpi = {integer = [200, 100]}": ("dpi.integer", "[200, 100]"),
        "dpi = {integer = []}": ("dpi.integer", "[]"),
        "dpi = {choice = [100, nan]}": ("dpi.choice", "nan"),
        "grid = {choice = ['lines', 'dots'], weights = [1, -1]}": ("grid.weights", "[1, -1]"),
        "grid = {choice = ['lines', 'dots'], weights = [0, 0]}": ("grid.weights", "[0, 0]"),
        "grid = {choice = ['lines', 'dots'], weights = [nan, 1]}": ("grid.weights", "[nan, 1]"),
        "grid = {choice = ['lines', 'dots'], weights = [true, 1]}": ("grid.weights", "[True, 1]"),
        "bw = {probability = -0.2}": ("bw.probability", "-0.2"),
        "bw = {probability = 1.2}": ("bw.probability", "1.2"),
        "bw = {probability = nan}": ("bw.probability", "nan"),
        "bw = {}": ("bw", "exactly one of"),
        "bw = {normal = [0, 1]}": ("bw", "write true or false"),
        "dpi = {normal = [200]}": ("dpi.normal", "[200]", "[mean, sd]"),
        "dpi = {normal = [200, 0]}": ("dpi.normal", "[200, 0]", "above 0"),
        "dpi = {normal = [200, inf]}": ("dpi.normal", "[200, inf]"),
        "dpi = {normal = [20, 5]}": ("dpi is 20.0", "from 50 to 1200"),
        "dpi = {normal = [200, 5], min = 20}": ("dpi is 20.0", "from 50 to 1200"),
        "dpi = {normal = [200, 5], min = 210}": ("dpi.min", "210", "at most the mean, 200"),
        "dpi = {normal = [200, 5], max = 190}": ("dpi.max", "190", "at least the mean, 200"),
        "dpi = {normal = [200, 5], max = true}": ("dpi.max", "True", "a finite number"),
        "dpi = {uniform = [100, 200], max = 190}": ("dpi", "exactly one of"),
        "speed = {normal = [25, 2]}": ("speed", "not printed by ECG machines"),
        "grid = {normal = [25, 2]}": ("grid", "25.0"),
    },
    "header": {
        "feilds = ['age']": ("feilds", "did you mean 'fields'"),
        "fields = ['name']": ("fields holds", "'name'"),
    },
    "notes": {
        "wrods = 3": ("wrods", "did you mean 'words'"),
        "probability = -1": ("probability", "-1"),
        "probability = nan": ("probability", "nan"),
        "words = 0": ("words", "0", "from 1 to 1000"),
        "words = 2.5": ("words", "2.5", "whole number"),
        "words = {integer = [5, 2]}": ("words.integer", "[5, 2]"),
        "words = {uniform = [1, 5]}": ("words", "whole number"),
        "size = inf": ("size", "inf"),
        "size = {uniform = [0, 1]}": ("size", "0.0"),
        "x_offset = -3": ("x_offset", "-3"),
        "y_offset = true": ("y_offset", "True"),
        "source = ''": ("source", "''"),
        "source = 3": ("source",),
        "place = 'top'": ("place", "'top'", "offset, free, margin, across or beat"),
        "pointer = 'line'": ("pointer", "'line'", "arrow or circle"),
        "calipers = -1": ("calipers", "-1", "whole number from 0 to 50"),
        "calipers = 1.5": ("calipers", "1.5", "whole number"),
        "calipers = {uniform = [0, 2]}": ("calipers", "whole number"),
        "signature = 2": ("signature", "2", "from 0 to 1"),
        "signature = nan": ("signature", "nan"),
        "signature = 'often'": ("signature", "'often'", "from 0 to 1"),
        "place = {choice = ['free', 3]}": ("place", "3"),
        "angle = 200": ("angle", "200", "from -180 to 180"),
        "angle = {uniform = [5, 2]}": ("angle.uniform", "[5, 2]"),
        "color = 'pink'": ("color", "'pink'", "blue, black, red or green"),
        "color = {uniform = [0, 1]}": ("color", "0.0"),
        "nib = 'quill'": ("nib", "'quill'", "ballpoint"),
    },
    "output": {
        "vairants = 2": ("vairants", "did you mean 'variants'"),
        "variants = nan": ("variants", "nan"),
        "variants = -1": ("variants", "-1"),
        "seed = inf": ("seed", "inf"),
        "kit_level = 3": ("kit_level", "3"),
        "trace_density = 'nan/px'": ("trace_density", "nan/px"),
        "formats = []": ("formats", "at least one"),
    },
    "marks.bar": {"probability = -1": ("probability", "-1")},
    "warp.creases": {
        "anlge = 3": ("anlge", "did you mean 'angle'"),
        "angle = nan": ("angle", "nan"),
        "angle = {uniform = [5, 2]}": ("angle.uniform", "[5, 2]"),
        "angle = {uniform = [nan, 2]}": ("angle.uniform", "[nan, 2]"),
        "angle = {choice = []}": ("angle.choice", "[]"),
        "probability = -0.5": ("probability", "-0.5"),
        "probability = nan": ("probability", "nan"),
        "group = 3": ("group", "3"),
        "group = ''": ("group", "''"),
    },
    "effects.jpeg": {
        "qualtiy = 3": ("qualtiy", "did you mean 'quality'"),
        "quality = nan": ("quality", "nan"),
        "quality = -inf": ("quality", "-inf"),
        "quality = {integer = [50, 40]}": ("quality.integer", "[50, 40]"),
        "probability = 2": ("probability", "2"),
    },
}


@pytest.mark.parametrize(("section", "line"), [(s, line) for s, lines in WRONG.items() for line in lines])
def test_a_wrong_key_or_value_in_a_file_is_named(section: str, line: str, tmp_path: Path) -> None:
    kind = MARKS.names()[0]
    section = section.replace("bar", kind)
    file = tmp_path / "mine.toml"
    file.write_text(f"[{section}]\n{line}\n")
    with pytest.raises(RecipeError) as caught:
        load_recipe(str(file))
    said = str(caught.value)
    for word in (str(file), section, *WRONG[section.replace(kind, "bar")][line]):
        assert word in said, f"'{word}' is not in: {said}"
    assert "\n" not in said


def test_every_section_has_wrong_lines() -> None:
    sections = {name.partition(".")[0] for name in WRONG}
    assert sections == set(Recipe.model_fields) - {"title", "mix", "plugins"}


def test_a_range_of_one_value_is_that_value() -> None:
    recipe = load_recipe("clean", {"page.dpi": {"uniform": [90, 90]}, "layout.num_columns": {"integer": [2, 2]}})
    rng = stream(0, "r", 0, "x")
    assert recipe.page["dpi"].draw(rng) == 90
    assert recipe.layout.num_columns.draw(rng) == 2


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("detour", [False, True])
def test_a_recipe_that_extends_itself(tmp_path: Path, count: int, detour: bool) -> None:
    """Directly or in a circle, whatever the name by which it is called."""
    names = [f"r{number}.toml" for number in range(count)]
    for name, parent in zip(names, [*names[1:], names[0]], strict=True):
        wanted = f"../{tmp_path.name}/{parent}" if detour else parent
        (tmp_path / name).write_text(f'extends = "{wanted}"\n')
    with pytest.raises(RecipeError, match=r"r0\.toml' extends itself \(.* -> .*\): break the circle") as caught:
        load_recipe(str(tmp_path / "r0.toml"))
    assert str(caught.value).count(" -> ") == count


def test_a_recipe_that_extends_several(tmp_path: Path) -> None:
    """Each is laid upon those before it, the recipe itself upon all."""
    (tmp_path / "a.toml").write_text("[page]\ndpi = 100\nspeed = 50\ngain = 5\n[warp.creases]\nangle = 1\n")
    (tmp_path / "b.toml").write_text("[page]\ndpi = 110\nspeed = 12.5\n[warp.creases]\nvertical = 2\n")
    (tmp_path / "c.toml").write_text('extends = ["a.toml", "b.toml", "clean"]\n[page]\ndpi = 120\n')
    recipe = load_recipe(str(tmp_path / "c.toml"))
    assert {key: draw.as_raw() for key, draw in recipe.page.items()} == {"dpi": 120, "speed": 12.5, "gain": 5}
    assert {key: draw.as_raw() for key, draw in recipe.warp["creases"].keys.items()} == {"angle": 1, "vertical": 2}
    (tmp_path / "d.toml").write_text('extends = ["a.toml", 3]\n')
    with pytest.raises(RecipeError, match=r"d\.toml': extends is \['a\.toml', 3\]: write the name"):
        load_recipe(str(tmp_path / "d.toml"))


def test_parts_of_one_coin_come_together(demo_record: Record) -> None:
    keys = {
        f"{part}.{key}": value
        for part in ("warp.creases", "effects.jpeg")
        for key, value in (("group", "c"), ("probability", 0.5))
    }
    recipe = load_recipe("clean", {**keys, "effects.grey.probability": 0.5})
    found = []
    for seed in range(24):
        plan = make_plans(demo_record, recipe, seed=seed).plans[0]
        assert bool(plan.warp) == ("jpeg" in {effect.kind for effect in plan.effects})
        found.append((bool(plan.warp), "grey" in {effect.kind for effect in plan.effects}))
    assert len(set(found)) == 4  # and the others on their own
