"""``--mix``, ``--print-recipe`` and ``ecgvec recipes show``: recipes as they are understood, and several of them."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import ecgvec
from ecgvec.errors import RecipeError
from ecgvec.planning.make import make_plans
from ecgvec.recipe.recipe import load_mix, load_recipe
from ecgvec.recipe.toml import as_toml
from ecgvec.record.model import Record
from ecgvec.resources import listing
from tests.cli.running import DEMO, run
from tests.program import assert_one_line, copy_record, program

WEIGHTS = {"clean": 1, "phone-photo": 3}


@pytest.mark.parametrize("name", listing("recipes"))
def test_a_recipe_as_toml_is_the_same_recipe(name: str, tmp_path: Path) -> None:
    file = tmp_path / "printed.toml"
    file.write_text(as_toml(load_recipe(name)), encoding="utf-8")
    assert load_recipe(str(file)) == load_recipe(name)


def test_awkward_values_as_toml(tmp_path: Path) -> None:
    keys = {
        "page.footer": 'a "quote", \\, \n a line, \t, é, \x7f, 日本',
        "page.grid_color": {"choice": ["red", "#123456"], "weights": [1, 0.1]},
        "page.bw": {"probability": 0.1},
        "page.cabrera": {"choice": [True, False], "weights": [2, 1]},
        "page.dpi": {"integer": [50, 60]},
        "page.seconds": {"uniform": [1, 10.00000000001]},
        "record.leads": ["I", 'a "b"'],
        "header.fields": ["age"],
        "notes.words": 3,
        "layout.rhythm": "II,V1",
        "warp.my fold.kind": "creases",
        "warp.my fold.group": "both",
        "warp.my fold.probability": 0.25,
        "effects.jpeg.group": "both",
        "output.formats": ["png", "json"],
        "output.kit_level": 1,
    }
    recipe, file = load_recipe("clean", keys), tmp_path / "printed.toml"
    file.write_text(as_toml(recipe), encoding="utf-8")
    assert load_recipe(str(file)) == recipe
    assert recipe.warp["my fold"].group == "both"


@pytest.mark.parametrize("more", [("--wrinkles", "-ca", 45, "--pad_inches", 0.5), ("--mix", "clean:1,phone-photo:1")])
@pytest.mark.parametrize("command", ["single", "batch"])
def test_print_recipe_prints_what_recipe_takes(tmp_path: Path, command: str, more: tuple[object, ...]) -> None:
    copy_record(tmp_path / "in", "a")
    source = tmp_path / "in" / ("a" if command == "single" else "")
    flags = (*more, "-se", 3, "--variants", 2)
    printed = run(tmp_path / "none", *flags, "--print-recipe", command=command, source=source)
    assert printed.outcome.code == 0, printed.outcome.stderr
    assert not printed.out.exists()
    file = tmp_path / "mine.toml"
    file.write_text(printed.outcome.stdout, encoding="utf-8")
    assert tomllib.loads(printed.outcome.stdout)["output"]["seed"] == 3
    by_flags = run(tmp_path / "flags", *flags, command=command, source=source)
    by_file = run(tmp_path / "file", "--recipe", file, command=command, source=source, small=False)
    assert by_file.outcome.code == by_flags.outcome.code == 0, by_file.outcome.stderr
    assert [d["plan"] for d in by_file.documents] == [d["plan"] for d in by_flags.documents]
    assert [p.read_bytes() for p in by_file.named(".png")] == [p.read_bytes() for p in by_flags.named(".png")]


def test_show_prints_toml() -> None:
    shown = program("recipes", "show", "phone-photo-crumpled")
    assert tomllib.loads(shown.stdout)["warp"]["phone"]["fill"]  # which its parent has


# ---------------------------------------------------------------- mixes


def test_a_mix_draws_by_weight_and_for_each_variant(demo_record: Record) -> None:
    recipe = load_mix(WEIGHTS)
    titles = {load_recipe(name).title: name for name in WEIGHTS}
    drawn = Counter(
        titles[make_plans(demo_record, recipe, seed=seed, variant=variant).plans[0].recipe]
        for seed in range(50)
        for variant in range(4)
    )
    assert drawn["clean"] == pytest.approx(50, abs=25)  # four standard deviations
    assert drawn["clean"] + drawn["phone-photo"] == 200


def test_a_mix_changes_nothing_else(demo_record: Record) -> None:
    """The plan is the one that the recipe gives which was drawn."""
    for seed in range(6):
        mixed = make_plans(demo_record, load_mix(WEIGHTS), seed=seed).plans[0]
        alone = [make_plans(demo_record, load_recipe(name), seed=seed).plans[0] for name in WEIGHTS]
        assert mixed in alone


def test_all_windows_of_a_record_have_one_recipe_and_follow_one_another(demo_record: Record) -> None:
    record = Record("long", demo_record.fs, np.tile(demo_record.signals, (3, 1)), demo_record.leads)
    recipe = load_mix(WEIGHTS, {"page.seconds": {"choice": [3, 5]}, "page.fit": True})
    for seed in range(8):
        plans = make_plans(record, recipe, seed=seed).plans
        assert len(plans) > 3
        assert len({plan.recipe for plan in plans}) == 1
        ends = [plan.window.first + plan.window.count for plan in plans]
        assert [plan.window.first for plan in plans] == [0, *ends[:-1]]


def test_flags_are_laid_upon_each_recipe_of_a_mix(tmp_path: Path) -> None:
    drawn = run(tmp_path, "--mix", "clean:1,phone-photo:1", "-ca", 33, "--deterministic_angle", "--variants", 8)
    assert "-ca has no effect" not in drawn.outcome.stderr  # phone-photo has creases
    kinds = {document["plan"]["recipe"] for document in drawn.documents}
    assert kinds == {load_recipe(name).title for name in WEIGHTS}
    angles = {p["angle"] for d in drawn.documents for p in d["plan"]["warp"] if p["kind"] == "creases"}
    assert angles == {33}
    assert {document["image"]["dpi"] for document in drawn.documents} == {60}
    idle = run(tmp_path / "b", "--mix", "clean,fax", "-ca", 33).outcome.stderr
    assert idle.count("-ca has no effect without --wrinkles.") == 1


def test_a_mix_does_not_depend_on_the_other_records(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        copy_record(tmp_path / "in", name)
    mix = ("--mix", "clean:1,phone-photo:1", "-se", 4)
    batch = run(tmp_path / "all", *mix, command="batch", source=tmp_path / "in")
    single = run(tmp_path / "one", *mix, source=tmp_path / "in/c")
    assert (batch.out / "c-0.png").read_bytes() == (single.out / "c-0.png").read_bytes()
    assert len({document["plan"]["recipe"] for document in batch.documents}) == 2
    recorded = json.loads((batch.out / "ecgvec-run.json").read_text())["runs"][0]["recipe"]
    assert {part["name"]: part["weight"] for part in recorded["mix"]} == {"clean": 1, "phone-photo": 1}
    replayed = program("replay", batch.out / "c-0.json")
    assert replayed.code == 0, replayed.stderr
    assert "DIFFERENT" not in replayed.stdout


def test_a_mix_in_a_file(tmp_path: Path, demo_record: Record) -> None:
    (tmp_path / "own.toml").write_text('extends = "clean"\ntitle = "own"\n')
    file = tmp_path / "mix.toml"
    file.write_text('[page]\nspeed = 50\nfit = true\n[mix]\n"own.toml" = 1\nfax = 0\n[output]\nseed = 4\n')
    recipe = load_recipe(str(file))
    assert recipe.output.seed == 4
    plan = make_plans(demo_record, recipe).plans[0]
    assert (plan.recipe, plan.page.style.speed) == ("own", 50)


def test_a_mix_from_python(demo_record: Record) -> None:
    titles = {ecgvec.render(demo_record, WEIGHTS, seed=seed, dpi=50).plan.recipe for seed in range(8)}
    assert titles == {load_recipe(name).title for name in WEIGHTS}


BAD: dict[str, tuple[tuple[object, ...], tuple[str, ...]]] = {
    "unknown": (("--mix", "cleen:1"), ("unknown recipe 'cleen'", "did you mean 'clean'")),
    "no-number": (("--mix", "clean:x"), ("mix.clean is 'x'", "number")),
    "negative": (("--mix", "clean:-1"), ("mix.clean is -1", "at least 0")),
    "nan": (("--mix", "clean:nan"), ("mix.clean is nan", "number")),
    "inf": (("--mix", "clean:inf"), ("mix.clean is inf", "number")),
    "all-zero": (("--mix", "clean:0,fax:0"), ("weights of mix are all 0",)),
    "empty": (("--mix", ""), ("mix is {}", "clean = 1")),
    "blank-name": (("--mix", "clean:1,:2"), ("--mix is 'clean:1,:2'", "clean:1,phone-photo:3")),
    "twice": (("--mix", "clean:1,clean:2"), ("'clean' twice", "one weight")),
    "both": (("--mix", "clean:1", "--recipe", "fax"), ("--recipe fax", "--mix clean:1", "contradict")),
    "flag": (("--mix", "clean:1,fax:1", "--speed", 30), ("recipe 'clean'", "page.speed is 30")),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_wrong_mix_is_said_in_a_sentence(kind: str, tmp_path: Path) -> None:
    arguments, words = BAD[kind]
    drawn = run(tmp_path / "out", *arguments, source=DEMO)
    assert drawn.outcome.code == 2
    assert_one_line(drawn.outcome.stderr, words)
    assert not drawn.out.exists()


def test_a_mix_of_mixes_and_wrong_keys(tmp_path: Path) -> None:
    file = tmp_path / "mix.toml"
    file.write_text("[mix]\nclean = 1\n")
    with pytest.raises(RecipeError, match="is no single recipe"):
        load_mix({str(file): 1})
    with pytest.raises(RecipeError, match=r"mix\.clean\.wieght is unknown; did you mean 'weight'"):
        load_mix({"clean": {"wieght": 1}})
