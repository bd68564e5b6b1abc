"""Values of flags and recipes that are refused: one sentence, with the cure, in no library's words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from ecgvec.components import Part, Registry
from ecgvec.effects import EFFECTS
from ecgvec.errors import RecipeError
from ecgvec.layout.style import PageStyle
from ecgvec.marks import MARKS
from ecgvec.recipe.recipe import Recipe, load_recipe
from ecgvec.warp import WARPS
from tests.cli.running import refused
from tests.program import program

SENTENCES: dict[tuple[object, ...], str] = {
    ("--leads", ""): "record.leads is empty: name at least one",
    ("--augment", "-c", 0.6): "page.crop is 0.6: write a number from 0 to 0.45",
    ("--augment", "-c", -0.1): "page.crop is -0.1: write a number from 0 to 0.45",
    ("--augment", "-rot", 400): "warp.rotate.angle is 400.0: write a number from -360 to 360",
    ("--augment", "-noise", -3): "effects.gaussian-noise.sigma is -3: write a number from 0 to 128",
    ("--random_padding", "--pad_inches", -1): "page.pad is -25.4: write a number from 0 to 254",
    ("--random_padding", "--pad_inches", "inf"): "page.pad is inf: write a finite number",
    ("--seconds", 0): "page.seconds is 0.0: write a number above 0 and up to 3600",
    ("-st", -5): "record.first_sample is -5: write a whole number of at least 0",
    ("--partial-page", "kep"): "record.partial_page is 'kep': write 'drop' or 'keep'",
    ("--header-fields", "age,name"): "header.fields holds 'name': write 'age', 'sex' or 'dx'",
    ("--header-fields", "age,sex,age"): "header.fields names 'age' 2 times: name it once",
    ("--formats", "png,png"): "output.formats names 'png' 2 times: name it once",
}


@pytest.mark.parametrize("flags", SENTENCES, ids=lambda flags: " ".join(map(str, flags)))
def test_a_wrong_flag(flags: tuple[object, ...], tmp_path: Path) -> None:
    assert refused(tmp_path, *flags) == SENTENCES[flags]


TABLES = {
    "output = 3": "output is 3: write a table of keys",
    "title = 3": "title is 3: write a text in quotes",
    "[record]\nleads = 'II'": "record.leads is 'II': write a list",
    "[record]\nleads = ['I', 3]": "record.leads holds 3: write a text in quotes",
    "[output]\nvariants = 2.5": "output.variants is 2.5: write a whole number from 1 to 1000000",
    "[output]\nimage_only = 'perhaps'": "output.image_only is 'perhaps': write true or false",
    "[warp.phone]\nfocal = 3": "warp.phone.focal is 3: write a number from 8 to 400",  # of a union with none
    "[page]\nchest_gain = 'x'": "page.chest_gain is 'x': write a number",
}


@pytest.mark.parametrize("text", TABLES)
def test_a_wrong_value_in_a_file(text: str, tmp_path: Path) -> None:
    assert refused(tmp_path, recipe=text + "\n") == TABLES[text]


def _sections() -> dict[str, list[str]]:
    """Every key of a recipe, by the section and kind that it belongs to."""
    found = {"page": [f"page.{key}" for key in PageStyle.model_fields]}
    registries: dict[str, Registry[Any]] = {"warp": WARPS, "effects": EFFECTS, "marks": MARKS}
    for section, registry in registries.items():
        for kind in registry.names():
            part: type[Part] = registry.get(kind)
            found[f"{section}.{kind}"] = [f"{section}.{kind}.{key}" for key in part.model_fields if key != "kind"]
    for section, field in Recipe.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found[section] = [section, *(f"{section}.{key}" for key in field.annotation.model_fields)]
    return found


WRONG: tuple[Any, ...] = (-1e9, 1e9, -1, 2.5, "zzz", "", True, [], ["zzz"], {"zzz": 1}, [3], 10**400)


@pytest.mark.parametrize(("section", "keys"), _sections().items(), ids=list(_sections()))
def test_no_key_is_refused_in_the_words_of_a_library(section: str, keys: list[str]) -> None:
    refusals = 0
    for key in keys:
        for value in WRONG:
            try:
                load_recipe("clean", {key: value})
            except RecipeError as error:
                refusals += 1
                assert section in str(error)
                assert not re.search(r"Input|should|valid |item|String", str(error)), error
    assert refusals >= len(keys)


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        ({"uniform": [0, 10**400]}, "page.dpi.uniform is"),
        ({"choice": [100, 200], "weights": [10**400, 1]}, "page.dpi.weights is"),
        ({"choice": [100, 200], "weights": [1.7e308, 1.7e308]}, "page.dpi.weights is"),
    ],
)
def test_numbers_that_nothing_can_be_drawn_of(draw: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        load_recipe("clean", {"page.dpi": draw})


def test_check_tells_a_terminal_no_codes(tmp_path: Path) -> None:
    file = tmp_path / "two\nlines.toml"
    file.write_text('title = "\\u001b[31mred\\nand more"\n')
    done = program("recipes", "check", file)
    assert done.code == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert done.stdout.count("\n") == 1
    assert "red\N{REPLACEMENT CHARACTER}and more" in done.stdout
