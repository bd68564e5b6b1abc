"""Dense traces at a density of the user's own."""

from __future__ import annotations

import io

import numpy as np
import pytest
import shapely

import ecgvec
from ecgvec.errors import RecipeError
from ecgvec.export.native import dense
from ecgvec.pipeline import render_plan
from ecgvec.planning.make import make_plans
from ecgvec.recipe.recipe import load_recipe, parse_density
from ecgvec.record.model import Record


def arrays(record: Record, density: str | None) -> tuple[ecgvec.Sheet, dict[str, np.ndarray]]:
    plan = make_plans(record, load_recipe("clean", {"output.trace_density": density})).plans[0]
    sheet = render_plan(record, plan)
    return sheet, dict(np.load(io.BytesIO(dense(sheet))))


def test_points_lie_on_the_line_at_equal_steps(demo_record: Record) -> None:
    for density, step in (("2/px", 0.5), ("4/mm", 25.4 / 200 * 0.25 * (200 / 25.4) ** 2)):
        sheet, dense_arrays = arrays(demo_record, density)
        for trace in sheet.labels.traces:
            xy = dense_arrays[f"{trace.id}/xy"]
            assert np.allclose(np.diff(xy[:, 0]), step, atol=1e-6)
            line = shapely.linestrings(trace.points)
            assert shapely.distance(line, shapely.points(xy)).max() < 2e-3  # the line is rounded to 1e-4 mm
            t, mv = dense_arrays[f"{trace.id}/t"], dense_arrays[f"{trace.id}/mv"]
            assert np.abs(mv - np.interp(t, trace.t, trace.mv)).max() < 1e-12


def test_gaps_stay_gaps(demo_record: Record) -> None:
    signals = demo_record.signals.copy()
    signals[600:700, 0] = np.nan
    sheet, dense_arrays = arrays(Record("r", 500.0, signals, demo_record.leads), "8/mm")
    t, mv = (dense_arrays[f"{sheet.labels.traces[0].id}/{key}"] for key in ("t", "mv"))
    assert np.isnan(mv[(t > 599.1 / 500) & (t < 699.9 / 500)]).all()
    assert np.isfinite(mv[(t < 599 / 500) | (t > 700 / 500)]).all()
    assert not dense_arrays[f"{sheet.labels.traces[0].id}/visible"][np.isnan(mv)].any()


def test_without_a_density_there_is_a_point_a_sample(demo_record: Record) -> None:
    sheet, dense_arrays = arrays(demo_record, None)
    assert len(dense_arrays[f"{sheet.labels.traces[0].id}/xy"]) == 1250


@pytest.mark.parametrize("text", ["", "2", "px", "0/px", "-1/mm", "2/inch", "1e9/px", "nan/px"])
def test_wrong_densities_are_named(text: str) -> None:
    with pytest.raises(RecipeError, match="samples a pixel or a mm"):
        parse_density(text)
