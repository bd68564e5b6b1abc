"""Pages with handwritten notes."""

from __future__ import annotations

from typing import Any

import ecgvec
from ecgvec.pipeline import render_plan
from ecgvec.planning.make import Planned, make_plans
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from ecgvec.rendering.labels.model import TextLabel

PAGE = {"page.dpi": 130, "notes.probability": 1, "notes.words": 3}
PHONE = {"warp.phone.tilt": 10, "warp.phone.pan": 6, "warp.creases.vertical": 2, "warp.curl.radius": 250}


def made(record: Record, *over: dict[str, Any], recipe: str = "clean", seed: int = 0) -> Planned:
    """The plans of a page with three notes, and whatever ``over`` says."""
    merged: dict[str, Any] = dict(PAGE)
    for more in over:
        merged |= more
    return make_plans(record, load_recipe(recipe, merged), seed=seed)


def written(record: Record, *over: dict[str, Any], recipe: str = "clean", seed: int = 0) -> ecgvec.Sheet:
    return render_plan(record, made(record, *over, recipe=recipe, seed=seed).plans[0])


def without(record: Record, sheet: ecgvec.Sheet) -> ecgvec.Sheet:
    """The same page without its notes."""
    return render_plan(record, sheet.plan.model_copy(update={"notes": ()}))


def notes(sheet: ecgvec.Sheet) -> list[TextLabel]:
    return [text for text in sheet.labels.texts if text.role == "note"]
