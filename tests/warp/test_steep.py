"""A sheet too steep for its camera is eased when the warp is built, never drawn inside out, and the Plan says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ecgvec
from ecgvec.errors import WarpError
from ecgvec.pipeline import render_plan
from ecgvec.planning.model import Plan
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from ecgvec.warp.cameras import Phone
from ecgvec.warp.compose import compose
from ecgvec.warp.creases import Creases, Crumple
from ecgvec.warp.parts import Camera, Canvas, Paper, WarpPart
from ecgvec.warp.waves import ConeCurl, CornerLift, Curl, EdgeWave
from tests.warp.bending import OVERHEAD, TILTED, bend_page
from tests.warp.surfaces import assert_right_side_out

STEEP: dict[str, tuple[WarpPart, ...]] = {
    "tight-curl": (Curl(radius=24, start=90), Phone(distance=300, tilt=15, pan=20)),
    "curl-away": (Curl(toward=90, radius=45, start=120, lift="down"), Phone(distance=300, tilt=25)),
    "cone": (ConeCurl(radius=60, apex=200, start=150), Phone(distance=300, tilt=20, pan=15)),
    "folds": (Creases(vertical=4, horizontal=3, fold_angle=180, flattened=0.6, turn="random"), *TILTED),
    "crumple": (Crumple(strength=3, ridges=3), *TILTED),
    "corner": (CornerLift(height=60, reach=60), *OVERHEAD),
    "wave": (EdgeWave(height=20, length=60), *TILTED),
}


@pytest.mark.parametrize("name", STEEP)
def test_a_steep_sheet_is_eased(name: str) -> None:
    composed = bend_page(STEEP[name])
    print(f"{name}: {composed.share:g} of the relief is kept, strain {composed.surface.strain():.2%}")
    assert 0 < composed.share < 1
    assert_right_side_out(composed)
    with pytest.raises(WarpError, match=r"cannot be photographed: .*; lessen its bends"):
        bend_page(STEEP[name], share=1.0)
    again = bend_page(STEEP[name], share=composed.share)
    assert np.array_equal(again.warp.nodes, composed.warp.nodes)


@pytest.mark.parametrize("name", STEEP)
def test_no_more_is_eased_than_needed(name: str) -> None:
    """A sheet bent as far as it is kept need not be eased; a fifth more of everything is too much."""
    kept = bend_page(STEEP[name]).share
    with pytest.raises(WarpError, match="cannot be photographed"):
        bend_page(STEEP[name], share=min(1.0, kept + 0.2))


@pytest.mark.parametrize(
    "parts",
    [
        (Curl(radius=15, start=2000, onset=1), Phone(distance=300, tilt=60, pan=60)),
        (EdgeWave(height=60, length=1), *OVERHEAD),
        (CornerLift(height=60, reach=1), Phone(distance=60, tilt=-60)),
    ],
)
def test_a_hopeless_sheet_is_refused_in_one_sentence(parts: tuple[WarpPart, ...]) -> None:
    with pytest.raises(WarpError, match=r"lessen|move the camera") as caught:
        bend_page(parts)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 250


def steep(kind: str) -> dict[str, Any]:
    """Recipe keys that ask for one of the steep sheets."""
    keys: dict[str, Any] = {"page.dpi": 80}
    for part in STEEP[kind]:
        changed = {k: v for k, v in part.model_dump().items() if v != type(part).model_fields[k].default}
        keys |= {f"warp.{part.kind}.{key}": value for key, value in changed.items()}
    return keys | {"effects.lamp.azimuth": 40}


@pytest.mark.parametrize("name", ["tight-curl", "folds", "corner"])
def test_the_plan_says_what_was_kept_and_a_replay_is_the_same(demo_record: Record, name: str) -> None:
    sheet = ecgvec.render(demo_record, load_recipe("clean", steep(name)), seed=1)
    share = sheet.plan.relief_share
    assert share is not None
    assert 0 < share < 1
    assert any(isinstance(p, Camera) for p in STEEP[name]) == any(isinstance(p, Camera) for p in sheet.plan.warp)
    plan = Plan.model_validate_json(sheet.plan.model_dump_json())
    assert plan == sheet.plan
    again = render_plan(demo_record, plan)
    assert np.array_equal(again.image, sheet.image)
    assert again.plan == sheet.plan
    assert np.array_equal(again.labels.page, sheet.labels.page)


def test_a_hopeless_sheet_makes_no_image(demo_record: Record) -> None:
    recipe = load_recipe("clean", {"warp.edge-wave.height": 60, "warp.edge-wave.length": 1, "page.dpi": 80})
    with pytest.raises(WarpError, match="cannot be photographed"):
        ecgvec.render(demo_record, recipe)


def test_nodes_near_the_horizon_are_not_thrown_onto_the_paper() -> None:
    steep = Phone(distance=250.0, tilt=51.86253378606795, pan=-17.70429447725504, fill=0.34580687737259896)
    assert compose(Paper(279, 216), Canvas(1100, 850, 4.0), [Curl(), steep]).share == 1.0
