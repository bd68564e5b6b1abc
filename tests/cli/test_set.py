"""``--set``: any key of a recipe, any TOML value, many times; weaker than flags and stronger than the recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import printed, refused, run, told

KEYS: list[tuple[str, tuple[str, ...], Any]] = [
    ("page.dpi=150", ("page", "dpi"), 150),
    ("page.grid_color=blue", ("page", "grid_color"), "blue"),
    ("page.trace_color=#123456", ("page", "trace_color"), "#123456"),
    ("page.print_header=true", ("page", "print_header"), True),
    ("page.footer = 'a = b'", ("page", "footer"), "a = b"),
    ("page.header_text=", ("page", "header_text"), ""),
    ("page.dpi={uniform=[100, 200]}", ("page", "dpi"), {"uniform": [100, 200]}),
    ("page={dpi=100, bw=true}", ("page",), {"dpi": 100, "bw": True}),
    ("effects.jpeg.quality=40", ("effects", "jpeg", "quality"), 40),
    ("effects.jpeg.quality={normal=[60, 10], max=80}", ("effects", "jpeg", "quality"), {"normal": [60, 10], "max": 80}),
    ("effects.jpeg.probability=0.5", ("effects", "jpeg", "probability"), 0.5),
    ("marks.stamp.words=COPY", ("marks", "stamp", "words"), "COPY"),
    ("marks.stamp.date=2024-01-02", ("marks", "stamp", "date"), "2024-01-02"),
    ("warp.rotate.angle=-3", ("warp", "rotate", "angle"), -3),
    ("notes.words={integer=[1, 2]}", ("notes", "words"), {"integer": [1, 2]}),
    ("output.variants=3", ("output", "variants"), 3),
    ('output.formats=["png", "json"]', ("output", "formats"), ["png", "json"]),
    ('record.leads=["II"]', ("record", "leads"), ["II"]),
    ("layout.template=1-column", ("layout", "template"), "1-column"),
    ('header.fields=["age"]', ("header", "fields"), ["age"]),
]


@pytest.mark.parametrize(("text", "where", "value"), KEYS, ids=[text for text, _, _ in KEYS])
def test_a_key_of_every_section(text: str, where: tuple[str, ...], value: Any, tmp_path: Path) -> None:
    found: Any = printed(tmp_path, "--set", text)
    for name in where:
        found = found[name]
    assert found == value


def test_it_may_be_given_many_times(tmp_path: Path) -> None:
    tables = printed(tmp_path, "--set", "page.dpi=90", "--set", "effects.jpeg.times=2", "--set", "page.dpi=100")
    assert tables["page"]["dpi"] == 100
    assert tables["effects"] == {"jpeg": {"times": 2}}


def test_flags_are_stronger_and_recipes_weaker(tmp_path: Path) -> None:
    recipe = "[page]\ndpi = 70\nspeed = 50\ngain = 5\n[effects.jpeg]\nquality = 10\ntimes = 2\n"
    sets = ("--set", "page.dpi=80", "--set", "page.speed=12.5", "--set", "effects.jpeg.quality=20")
    tables = printed(tmp_path, "-r", 90, *sets, recipe=recipe)
    assert tables["page"] == {"dpi": 90, "speed": 12.5, "gain": 5}
    assert tables["effects"]["jpeg"] == {"quality": 20, "times": 2}


def test_flags_see_what_was_set(tmp_path: Path) -> None:
    """A flag that needs creases finds those that --set has added."""
    done = told(tmp_path, "--set", "warp.creases.vertical=3", "-ca", 45)
    assert "no effect" not in done.stderr
    assert "integer = [0, 45]" in done.stdout


def test_it_is_laid_upon_each_recipe_of_a_mix(tmp_path: Path) -> None:
    sets = ("--set", "page.dpi=90", "--set", "effects.jpeg.quality=40", "--set", "output.variants=2")
    tables = printed(tmp_path, "--mix", "clean:1,fax:2", *sets, "--speed", 50)
    assert tables["output"]["variants"] == 2
    for name in ("clean", "fax"):
        own = tables["mix"][name]["recipe"]
        assert own["page"]["dpi"] == 90 and own["page"]["speed"] == 50
        assert own["effects"]["jpeg"]["quality"] == 40


WRONG = {
    "effects.jpeg.qualty=3": "effects.jpeg.qualty is unknown; did you mean 'quality'?",
    "effects.jpg.quality=3": "effects.jpg: 'jpg' is unknown; did you mean 'jpeg'?",
    "pgae.dpi=3": "pgae is unknown; did you mean 'page'?",
    "output.vairants=3": "output.vairants is unknown; did you mean 'variants'?",
    "effects.jpeg.quality=300": "effects.jpeg.quality is 300: write a whole number from 1 to 100",
    "effects.jpeg.quality=best": "effects.jpeg.quality is 'best': write a whole number from 1 to 100",
    "page.dpi=nan": "page.dpi is nan: write a finite number",
    "page=3": "page is 3: write a table of page keys",
    "page.dpi": "--set is 'page.dpi': write KEY=VALUE, as in effects.jpeg.quality=40",
    "=3": "--set is '=3': write KEY=VALUE, as in effects.jpeg.quality=40",
    "page..dpi=3": "--set is 'page..dpi=3': write KEY=VALUE, as in effects.jpeg.quality=40",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_named(text: str, tmp_path: Path) -> None:
    assert refused(tmp_path, "--set", text) == WRONG[text]


@pytest.mark.parametrize("value", ["{uniform=[1,2", "[1", "'a", "3\n[page]\ndpi = 4"])
def test_half_a_table_is_no_word(value: str, tmp_path: Path) -> None:
    said = refused(tmp_path, "--set", f"page.dpi={value}")
    assert said.startswith("--set page.dpi is '") and "which is not TOML" in said and "\n" not in said


@pytest.mark.parametrize("command", ["single", "batch"])
def test_both_commands_draw_by_it(command: str, tmp_path: Path) -> None:
    source = {"source": Path(__file__).parents[2] / "demo"} if command == "batch" else {}
    sets = ("--set", "page.speed=50", "--set", "effects.jpeg.quality=40", "--set", "page.fit=true")
    drawn = run(tmp_path / "out", *sets, command=command, **source)  # type: ignore[arg-type]
    assert drawn.outcome.code == 0, drawn.outcome.stderr
    assert drawn.style["speed"] == 50
    assert drawn.parts["jpeg"]["quality"] == 40
