"""Flags upon recipes that have keys of their own for the same thing, and sentences for what is wrong."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from ecgvec.cli.bent_flags import RANDOM_CROP
from ecgvec.cli.flags import overrides
from ecgvec.components import Part, Registry
from ecgvec.effects import EFFECTS
from ecgvec.errors import RecipeError
from ecgvec.layout.style import PageStyle
from ecgvec.marks import MARKS
from ecgvec.planning.make import make_plans
from ecgvec.recipe.recipe import Recipe, load_recipe
from ecgvec.record.model import Record
from ecgvec.warp import WARPS
from tests.batch.test_bad_input import Outcome, program
from tests.cli.running import DEMO, Drawn, run


def told(top: Path, *flags: object, recipe: str | None = None) -> Outcome:
    """``single`` with ``flags``, upon a recipe file of this text, printed and not drawn."""
    more: tuple[object, ...] = ()
    if recipe is not None:
        (top / "mine.toml").write_text(recipe)
        more = ("--recipe", top / "mine.toml")
    return program("single", "-i", DEMO, "-o", top / "out", *more, *flags, "--print-recipe")


def printed(top: Path, *flags: object, recipe: str | None = None) -> dict[str, Any]:
    """The same as tables."""
    done = told(top, *flags, recipe=recipe)
    assert done.code == 0, done.stderr
    return tomllib.loads(done.stdout)


def refused(top: Path, *flags: object, recipe: str | None = None) -> str:
    """The sentence that it is refused with, without the recipe's name."""
    done = told(top, *flags, recipe=recipe)
    assert done.code == 2, done
    return re.sub(r"^ecgvec: (recipe '[^']*': )?", "", done.stderr.strip())


# ---------------------------------------------------------------- --fully_random and crops of the recipe's own

CROPPED = "[page]\ncrop = 0.2\n[warp.crop]\nleft = 0.1\namount = 0.05\n[warp.pad]\nborder = 3\n"


def test_fully_random_crops_once_and_last(tmp_path: Path) -> None:
    tables = printed(tmp_path, "--fully_random", "-c", 0.1, "-rot", 3, recipe=CROPPED)
    assert tables["page"]["crop"] == 0
    assert tables["warp"]["crop"] == {"left": 0.1, "amount": 0.05}
    assert list(tables["warp"])[:2] == ["crop", "pad"]
    name = RANDOM_CROP.removeprefix("warp.")
    assert list(tables["warp"])[-1] == name
    assert tables["warp"][name] == {
        "kind": "crop", "probability": 0.5, "group": "augment", "amount": {"uniform": [0.0, 0.1]},
    }  # fmt: skip


def test_pictures_of_fully_random_are_cropped_once(demo_record: Record) -> None:
    """Whatever the chance says, the page's own crop is gone and the recipe's part of the warp is as it was."""
    own = {"page.crop": 0.2, "warp.crop.left": 0.1}
    flags = overrides({"fully_random": True, "crop": 0.1}, {"page.crop", "warp.crop"})
    recipe = load_recipe("clean", own | flags)
    counts = set()
    for seed in range(12):
        plan = make_plans(demo_record, recipe, seed=seed).plans[0]
        crops = [part for part in plan.warp if part.kind == "crop"]
        assert plan.page.style.crop == 0
        assert crops[0].model_dump()["left"] == 0.1
        assert crops[0].model_dump()["amount"] == 0
        if len(crops) == 2:
            assert plan.warp[-1] is crops[1]
            assert 0 < crops[1].model_dump()["amount"] < 0.1
        counts.add(len(crops))
    assert counts == {1, 2}


def test_a_printed_fully_random_is_understood_as_it_was(tmp_path: Path) -> None:
    first = told(tmp_path, "--fully_random", recipe=CROPPED).stdout
    assert told(tmp_path, recipe=first).stdout == first
    assert told(tmp_path, "--fully_random", recipe=first).stdout == first


# ---------------------------------------------------------------- which recipe, which files


def test_a_recipe_without_a_name_is_unknown(tmp_path: Path) -> None:
    assert told(tmp_path, "--recipe", "").code == 2
    assert refused(tmp_path, "--recipe", "").startswith("unknown recipe ''; known are")


FORMATS = '[output]\nformats = ["json", "kit"]\n'
ALONE = "[output]\nimage_only = true\n"


@pytest.mark.parametrize("mixed", [False, True])
def test_image_only_is_stronger_than_a_recipe(tmp_path: Path, mixed: bool) -> None:
    recipe = f"{FORMATS}[mix]\nclean = 1\n" if mixed else FORMATS
    assert printed(tmp_path, "--image_only", recipe=recipe)["output"] == {"formats": ["png"], "image_only": True}


def test_image_only_upon_such_a_recipe_writes_the_picture(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(FORMATS)
    drawn: Drawn = run(tmp_path / "out", "--recipe", tmp_path / "mine.toml", "--image_only")
    assert drawn.outcome.code == 0, drawn.outcome.stderr
    assert drawn.files == ["ecgvec-demo-0.png"]


def test_formats_are_stronger_than_a_recipe(tmp_path: Path) -> None:
    assert printed(tmp_path, "--formats", "json", recipe=ALONE)["output"] == {"formats": ["json"]}
    assert printed(tmp_path, "--mask_unplotted_samples", recipe=ALONE)["output"] == {
        "formats": ["png", "wfdb"], "mask_unplotted": True,
    }  # fmt: skip
    assert printed(tmp_path, recipe=ALONE)["output"] == {"image_only": True}


@pytest.mark.parametrize("recipe", [None, FORMATS, ALONE])
def test_flags_that_contradict_one_another_are_refused(recipe: str | None, tmp_path: Path) -> None:
    said = refused(tmp_path, "--image_only", "--formats", "json", recipe=recipe)
    assert said == "output.image_only and output.formats json contradict one another: give one of them"


# ---------------------------------------------------------------- -rot

TURNS: list[tuple[float, Any]] = [
    (5, {"integer": [-5, 5]}),
    (-5, {"integer": [-5, 5]}),
    (0.5, {"uniform": [-0.5, 0.5]}),
    (-2.7, {"uniform": [-2.7, 2.7]}),
]


@pytest.mark.parametrize(("most", "angle"), TURNS)
def test_turns_are_drawn_up_to_what_was_given(most: float, angle: Any, tmp_path: Path) -> None:
    assert printed(tmp_path, "--augment", "-rot", most)["warp"]["rotate"]["angle"] == angle
    assert printed(tmp_path, "--augment", "-rot", most, "--deterministic_rot")["warp"]["rotate"]["angle"] == most


# ---------------------------------------------------------------- one sentence with the cure

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


# ---------------------------------------------------------------- what terminals are told


def test_check_tells_a_terminal_no_codes(tmp_path: Path) -> None:
    file = tmp_path / "two\nlines.toml"
    file.write_text('title = "\\u001b[31mred\\nand more"\n')
    done = program("recipes", "check", file)
    assert done.code == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert done.stdout.count("\n") == 1
    assert "red\N{REPLACEMENT CHARACTER}and more" in done.stdout
