"""What hides a label says so: opaque marks, covers, paper that is gone, pens that skip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

import ecgvec
from ecgvec._typing import Points
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.beats import Beats
from ecgvec.record.model import Record
from ecgvec.rendering.labels.derive import at_density, derive
from ecgvec.rendering.labels.model import Labels
from ecgvec.rendering.labels.occlusion import occlude
from ecgvec.resources import folder

DEMO = ecgvec.read_record(folder("demo") / "ecgvec-demo")

BAR = {"marks.redaction.x": 0.5, "marks.redaction.y": 0.5, "marks.redaction.width": 60, "marks.redaction.height": 60}


def page() -> tuple[ecgvec.Sheet, Labels]:
    sheet = ecgvec.render(DEMO, print_header=True, qr_code=True)
    return sheet, derive(sheet.scene, sheet.layout)


def test_samples_beneath_an_opaque_bar_are_occluded_and_not_visible() -> None:
    sheet = ecgvec.render(DEMO, load_recipe("clean", BAR))
    (bar,) = sheet.labels.marks
    assert bar.opaque and bar.visible and bar.occluded == 0
    area = shapely.Polygon(bar.ring)
    found = 0
    for trace in sheet.labels.traces:
        beneath = shapely.contains_xy(area, *trace.points.T)
        assert np.array_equal(trace.occluded, beneath)
        assert not (trace.visible & beneath).any()
        found += int(beneath.sum())
    assert found > 500
    x, y = np.floor(bar.ring.mean(axis=0)).astype(int)
    assert (sheet.image[y - 100 : y + 100, x - 100 : x + 100] == 10).all()


def test_a_bar_over_half_a_text_leaves_it_visible_and_says_how_much_is_hidden() -> None:
    _, labels = page()
    text = labels.texts[0]
    (x0, y0), (x1, y1) = text.hull.min(axis=0), text.hull.max(axis=0)
    half = occlude(labels, None, shapely.box(x0 - 1, y0 - 1, (x0 + x1) / 2, y1 + 1)).texts[0]
    assert half.visible and 0.3 < half.occluded < 0.7
    whole = occlude(labels, None, shapely.box(x0 - 1, y0 - 1, x1 + 1, y1 + 1)).texts[0]
    assert not whole.visible and whole.occluded > 0.995


def test_paper_that_is_gone_takes_its_labels_and_changes_the_outline() -> None:
    sheet, labels = page()
    left = shapely.box(0, 0, 0.6 * sheet.scene.width, sheet.scene.height).difference(shapely.Point(20, 100).buffer(3))
    torn = occlude(labels, left, shapely.Polygon())
    assert torn.page[:, 0].max() == 0.6 * sheet.scene.width
    assert len(torn.holes) == 1 and np.allclose(torn.holes[0].mean(axis=0), (20, 100), atol=0.1)
    assert torn.grid is not None
    gone = torn.grid.crossings[..., 0] > 0.6 * sheet.scene.width
    assert gone.any() and torn.grid.occluded[gone].all() and not torn.grid.visible[gone].any()
    assert not torn.grid.occluded[:, 20:30].any()
    kept = [trace for trace in torn.traces if not trace.occluded.any()]
    lost = [trace for trace in torn.traces if trace.occluded.all()]
    assert kept and lost and len(torn.traces) == len(labels.traces)


def test_nothing_hidden_leaves_labels_as_they_are() -> None:
    _, labels = page()
    assert occlude(labels, None, shapely.Polygon()) is labels


def test_a_mark_is_hidden_by_an_opaque_one_put_on_later_and_not_by_itself() -> None:
    twice = {f"marks.{name}.{key.split('.')[-1]}": v for name in ("first", "second") for key, v in BAR.items()}
    kinds = {f"marks.{name}.kind": "redaction" for name in ("first", "second")}
    first, second = ecgvec.render(DEMO, load_recipe("clean", twice | kinds)).labels.marks
    assert (first.occluded, first.visible) == (1.0, False)
    assert (second.occluded, second.visible) == (0.0, True)


def test_points_between_samples_are_occluded_as_the_nearest_sample_is() -> None:
    _, labels = page()
    trace = labels.traces[0]
    first = np.arange(len(trace.t)) < 100
    dense = at_density(replace(trace, occluded=first, visible=trace.visible & ~first), per_mm=40)
    assert np.array_equal(dense.occluded, dense.t < trace.t[99] + 0.5 / trace.fs)
    assert not (dense.occluded & dense.visible).any()


def test_a_mark_that_holds_the_whole_picture_is_visible() -> None:
    large = {"marks.redaction.width": 400, "marks.redaction.height": 400, "marks.redaction.x": 0.5}
    keys = {**large, "marks.redaction.y": 0.5, "page.crop": 0.45}
    (bar,) = ecgvec.render(DEMO, load_recipe("clean", keys)).labels.marks
    assert bar.visible


def test_outlines_run_the_same_way_round_whatever_is_left() -> None:
    def area(ring: Points) -> float:
        x, y = ring.T
        return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2)

    whole = ecgvec.render(DEMO).labels.page
    torn = ecgvec.render(DEMO, load_recipe("clean", {"effects.torn-edge.depth": 20})).labels.page
    assert 0.5 * area(whole) < area(torn) < area(whole)


def test_a_flat_page_is_cropped_as_one_that_is_worn(demo_record: Record) -> None:
    keys = {"page.pad": 25.4, "page.crop": 0.1, "page.dpi": 60}
    flat = ecgvec.render(demo_record, load_recipe("clean", keys))
    worn = ecgvec.render(demo_record, load_recipe("clean", {**keys, "effects.fibres.contrast": 0}))
    assert flat.image.shape == worn.image.shape


def test_beats_in_a_pens_gap_are_occluded() -> None:
    record = replace(DEMO, beats=Beats(np.arange(0.3, 9.7, 0.2), ("N",) * 47, "atr"))
    keys = {"marks.broken-trace.amount": 0.5, "marks.broken-trace.length": 8}
    sheet = ecgvec.render(record, load_recipe("clean", keys), seed=2)
    by_id = {trace.id: trace for trace in sheet.labels.traces}
    gaps = 0
    for beat in sheet.labels.beats:
        for place in beat.places:
            trace = by_id[place.trace]
            assert place.occluded == trace.occluded[np.argmin(np.abs(trace.t - beat.t))]
            gaps += place.occluded
    assert gaps > 5
