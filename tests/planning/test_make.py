"""Plans: windows, what is drawn once and what anew, and what a plan keeps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import ecgvec
from ecgvec.errors import RecordError, TemplateError
from ecgvec.layout.place import place
from ecgvec.layout.style import PageStyle
from ecgvec.planning.make import LAYOUT_KEYS, make_plans
from ecgvec.planning.model import Plan
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Lead, Record


def record_of(samples: int, fs: float = 100.0, leads: tuple[str, ...] = ("I", "II")) -> Record:
    t = np.arange(samples) / fs
    signals = np.column_stack([np.sin(t * (i + 2)) for i in range(len(leads))])
    return Record("r", fs, signals, tuple(Lead(name, name) for name in leads))


@pytest.mark.parametrize("fs", [62.4725 * 4, 99.7, 128.0, 257.0, 360.0, 999.56])
def test_windows_follow_one_another_without_gap_or_overlap(fs: float) -> None:
    record = record_of(round(fs * 65), fs)
    planned = make_plans(record, load_recipe("clean", {"record.partial_page": "keep"}))
    windows = [plan.window for plan in planned.plans]
    assert windows[0].first == 0
    for before, after in pairwise(windows):
        assert before.first + before.count == after.first
    assert windows[-1].first + windows[-1].count == record.signals.shape[0]
    for window in windows[:-1]:
        t = np.arange(window.first, window.first + window.count) / fs
        assert window.start <= t[0] + 1e-9
        assert t[-1] < window.start + 10


def test_a_record_of_one_page_loses_nothing() -> None:
    planned = make_plans(record_of(1000), load_recipe("clean"))
    assert len(planned.plans) == 1
    assert planned.messages == ()


def test_a_plan_survives_json() -> None:
    recipe = load_recipe("clean", {"page.bw": {"probability": 0.5}, "page.print_header": True})
    for plan in make_plans(record_of(3000), recipe, seed=4).plans:
        assert Plan.model_validate_json(plan.model_dump_json()) == plan


def test_layout_is_drawn_once_for_all_windows_and_looks_anew() -> None:
    recipe = load_recipe(
        "clean",
        {
            "page.speed": {"choice": [12.5, 25]},
            "page.grid_color": {"choice": ["red", "blue", "green"]},
            "page.paper": {"choice": ["a4", "letter"]},
        },
    )
    plans = make_plans(record_of(20_000), recipe, seed=1).plans
    assert len(plans) == 20
    assert len({(plan.page.style.speed, plan.page.style.paper) for plan in plans}) == 1
    assert len({plan.page.style.grid_color for plan in plans}) == 3
    drawn = {make_plans(record_of(1000), recipe, seed=s).plans[0].page.style.speed for s in range(12)}
    assert drawn == {12.5, 25}


def test_another_draw_leaves_the_others_as_they_were() -> None:
    base = {"page.grid_color": {"choice": ["red", "blue", "green", "brown"]}, "page.print_header": True}
    more = {**base, "page.trace_width": {"uniform": [0.2, 0.4]}, "page.bw": {"probability": 0.5}}
    for seed in range(5):
        one, two = (make_plans(record_of(1000), load_recipe("clean", r), seed=seed).plans[0] for r in (base, more))
        assert one.page.style.grid_color == two.page.style.grid_color
        assert one.header == two.header


def test_a_short_record_shows_every_lead(demo_record: Record) -> None:
    short = Record("r", 500.0, demo_record.signals[:2000], demo_record.leads)
    sheet = ecgvec.render(short)
    shown = {trace.lead for trace in sheet.labels.traces}
    assert shown == set(demo_record.lead_names)
    assert sheet.layout.seconds == 4.0
    assert sum(panel.seconds for panel in sheet.layout.panels if panel.row == 0) == pytest.approx(4.0)


def test_derived_leads_make_twelve(demo_record: Record) -> None:
    eight = demo_record.with_leads(["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"])
    recipe = load_recipe("clean", {"record.derive_leads": True})
    plan = make_plans(eight, recipe).plans[0]
    assert plan.page.template == "3x4+1R"
    with pytest.raises(TemplateError, match="--derive-leads"):
        make_plans(eight, load_recipe("clean", {"layout.template": "3x4"}))


def test_a_lead_with_a_large_offset_is_drawn_in_its_row() -> None:
    signals = np.column_stack([np.sin(np.arange(1000) / 9) + 5.0, np.sin(np.arange(1000) / 9) + 0.3])
    record = Record("r", 100.0, signals, (Lead("I", "I"), Lead("II", "II")))
    sheet = ecgvec.render(record)
    for trace, panel in zip(sheet.labels.traces, sheet.layout.panels, strict=True):
        y = sheet.warp.inverse(trace.points)[:, 1]
        assert panel.box.y0 < np.median(y) < panel.box.y1
    at_zero = ecgvec.render(record, baseline="zero")
    first = at_zero.warp.inverse(at_zero.labels.traces[0].points)[:, 1]
    assert np.median(first) == pytest.approx(place(at_zero.plan.page).panels[0].baseline - 50, abs=1)


def test_a_window_that_is_not_there() -> None:
    with pytest.raises(RecordError, match="has 2 windows: choose window 0 to 1, not 2"):
        ecgvec.render(record_of(2000), window=2)


def test_another_record_is_refused() -> None:
    plan = make_plans(record_of(1000), load_recipe()).plans[0]
    from ecgvec.pipeline import render_plan

    with pytest.raises(RecordError, match="is not the one"):
        render_plan(record_of(1001), plan)


def test_reprs_are_short() -> None:
    record = record_of(1000)
    sheet = ecgvec.render(record)
    for thing in (record, sheet, sheet.plan, load_recipe()):
        assert repr(thing).startswith("<")
        assert len(repr(thing)) < 100


def test_keys_that_are_drawn_once_for_all_windows_are_page_keys() -> None:
    assert set(PageStyle.model_fields) >= LAYOUT_KEYS
