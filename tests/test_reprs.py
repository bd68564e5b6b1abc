"""What is printed of a record, a plan and a recipe: short, in one line, and of use."""

from __future__ import annotations

import numpy as np
import pytest

from ecgvec.errors import brief
from ecgvec.planning.make import make_plans
from ecgvec.recipe.recipe import Recipe, load_mix, load_recipe
from ecgvec.record.model import Lead, Record
from ecgvec.resources import listing

LONGEST = 120
LONG = "a name of many words\nand lines, " * 20


def record(name: str, leads: int) -> Record:
    names = tuple(Lead(f"electrode {i}", str(i)) for i in range(leads))
    return Record(name, 1000 / 3, np.zeros((5000, leads)), names)


def test_a_record_says_its_leads_or_how_many(demo_record: Record) -> None:
    leads = "I, II, III, aVR, aVL, aVF, V1, V2, V3, V4, V5, V6"
    assert repr(demo_record) == f"<Record 'ecgvec-demo': {leads}; 10 s at 500 Hz>"
    assert repr(record("r", 64)) == "<Record 'r': 64 leads; 15 s at 333.333 Hz>"


def test_a_recipe_says_what_it_holds() -> None:
    assert repr(load_recipe("clean")) == "<Recipe 'A clean page, as it leaves the printer': the defaults>"
    assert "bends" in repr(load_recipe("phone-photo")) and "effects" in repr(load_recipe("phone-photo"))
    assert repr(load_mix({"clean": 1, "fax": 2.5})) == "<Recipe 'A mix of clean, fax': weights clean 1, fax 2.5>"


@pytest.mark.parametrize("name", listing("recipes"))
def test_recipes_are_short(name: str) -> None:
    recipe = load_recipe(name)
    assert str(recipe) == repr(recipe)
    assert len(repr(recipe)) <= LONGEST
    assert name != "everything" or "marks" in repr(recipe)


def test_long_names_are_cut(demo_record: Record) -> None:
    plan = make_plans(demo_record, load_recipe()).plans[0]
    assert str(plan) == repr(plan) == "<Plan ecgvec-demo-0: 3x4+1R, seed 0, 200 dpi>"
    long = plan.model_copy(update={"record": plan.record.model_copy(update={"path": LONG})})
    mix = load_mix(dict.fromkeys(listing("recipes"), 1))
    for thing in (record(LONG, 3), record(LONG, 99), long, Recipe(title=LONG), mix):
        assert len(repr(thing)) <= LONGEST, thing
        assert repr(thing).isprintable()
        assert "…" in repr(thing)


def test_brief() -> None:
    assert brief("abcdef", 6) == "abcdef"
    assert brief("abcdefg", 6) == "abcde…"
    assert brief("a\nb", 6).isprintable()
