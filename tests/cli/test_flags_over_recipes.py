"""Flags over recipes that have keys of their own for the same thing: which counts, and what contradicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecgvec.cli.bent_flags import RANDOM_CROP
from ecgvec.cli.flags import overrides
from ecgvec.planning.make import make_plans
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from tests.cli.running import Drawn, printed, refused, run, told

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
