"""What keys are, in words: each stands once, in its model's Field."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from ecgvec.cli.flag import plain
from ecgvec.cli.flags import ALL_FLAGS
from ecgvec.cli.keys import KEYS
from ecgvec.components import Part
from ecgvec.effects import EFFECTS
from ecgvec.marks import MARKS
from ecgvec.recipe.distributions import parse_distribution
from ecgvec.recipe.toml import describe, describe_options, tell_distribution
from ecgvec.warp import WARPS
from tests.conftest import ROOT
from tools import make_key_table

PARTS: list[type[Part]] = [part for registry in (EFFECTS, MARKS, WARPS) for _, part in registry]  # type: ignore[misc]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_key_of_every_part_is_described(part: type[Part]) -> None:
    assert part.__doc__
    for name, field in part.model_fields.items():
        if name not in ("kind", "seed"):
            about = describe(field)
            assert about.text.endswith(".") and about.text[0].isupper(), name
            assert about.values or about.kind in ("bool", "str"), name
            assert about.default, name


@pytest.mark.parametrize("key", describe_options())
def test_every_other_key_is_described(key: str) -> None:
    about = describe_options()[key]
    assert about.text.endswith(".") and about.shown


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("page.speed", ("Paper speed: 12.5, 25 or 50 mm/s.", "25 mm/s", "MM/S", "float")),
        ("page.dpi", ("Resolution of the images: 50 to 1200 dpi.", "200 dpi", "DPI", "float")),
        ("page.grid", ("Grid: `lines`, `dots` (1 mm dots, 5 mm lines) or `none`.", "lines", "NAME", "str")),
        ("page.bw", ("Black and white.", "no", "", "bool")),
        ("page.minor_color", ("Colour of the 1 mm lines or dots: #RRGGBB.", "by grid colour", "#RRGGBB", "str")),
        ("record.leads", ("Leads to draw, in this order.", "all", "NAMES", "list")),
        ("notes.words", ("How many notes: 1 to 1000.", "1 to 5", "N", "int")),
        ("output.variants", ("Images of each window: 1 to 1000000.", "1", "N", "int")),
    ],
)
def test_words_of_a_key(key: str, told: tuple[str, ...]) -> None:
    about = describe_options()[key]
    assert (about.help, about.shown, about.metavar, about.kind) == told
    assert KEYS[key] == told


def test_the_table_of_help_is_fresh() -> None:
    """Else: make docs."""
    assert (ROOT / "ecgvec/cli/keys.py").read_text(encoding="utf-8") == make_key_table.module()


def test_flags_of_a_key_say_what_the_key_says() -> None:
    row = plain("--dpi", "page.dpi", "Paper", "More.")
    assert (row.help, row.shown, row.metavar, row.kind) == (f"{KEYS['page.dpi'].help} More.", "200 dpi", "DPI", float)
    assert sum(flag.help.startswith(KEYS[flag.key].help) for flag in ALL_FLAGS if flag.key in KEYS) > 45


def test_help_needs_no_models() -> None:
    code = "import sys, ecgvec.cli.keys; assert 'pydantic' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (True, "yes"),
        (2.50, "2.5"),
        ({"choice": ["a", "b"]}, "a, b"),
        ({"choice": ["a", "b", "c"], "weights": [3, 1, 0]}, "a (75%), b (25%)"),
        ({"uniform": [1, 2.5]}, "1 to 2.5"),
        ({"integer": [1, 3]}, "1 to 3"),
        ({"probability": 0.2}, "yes (20%), no (80%)"),
        ({"normal": [60, 10]}, "60 ± 10"),
        ({"normal": [60, 10], "min": 30, "max": 90}, "60 ± 10, at least 30, at most 90"),
    ],
)
def test_distributions_in_words(raw: Any, words: str) -> None:
    assert tell_distribution(parse_distribution("k", raw)) == words
