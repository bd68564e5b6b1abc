"""What every mark that is put on a page must hold to: a new one is tested as soon as it is registered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely

import ecgvec
from ecgvec.geometry.units import px_per_mm
from ecgvec.graphics.raster import draw, draw_svg
from ecgvec.marks import MARKS
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Lead, Record
from ecgvec.resources import listing
from tests.graphics.drawing import assert_same
from tests.marks.pages import ADDED, ALL, FAULTS, changed, keys, page, within

SEEDS = range(5)
NEAR_MM = 4.0  # from what a mark points out to its ring
# Keys without which a mark of this kind leaves nothing to its seed.
BY_SEED: dict[str, dict[str, Any]] = {"redaction": {"look": "marker"}}
# Each mark in other forms than its defaults': all values of its choices, on a page with a header.
FORMS: list[tuple[str, dict[str, Any]]] = [
    (kind, {key: value})
    for kind in ADDED
    for key, field in MARKS.get(kind).model_fields.items()
    if key != "kind"
    for value in getattr(field.annotation, "__args__", ())
    if isinstance(value, str)
]


@pytest.fixture(scope="module")
def plain(demo_record: Record) -> ecgvec.Sheet:
    return page(demo_record)


@pytest.mark.parametrize("kind", ADDED)
def test_it_paints_within_its_ring_and_nowhere_else(demo_record: Record, plain: ecgvec.Sheet, kind: str) -> None:
    placed = 0
    for seed in SEEDS:
        sheet = page(demo_record, keys(kind, seed=seed))
        assert sheet.image.shape == plain.image.shape
        ink = changed(sheet, plain)
        if not sheet.labels.marks:
            assert not ink.any()
            continue
        placed += 1
        (mark,) = sheet.labels.marks
        assert mark.kind == kind and mark.visible and shapely.Polygon(mark.ring).is_valid
        assert ink.any() and not (ink & ~within([mark.ring], ink.shape, 1)).any()
        rows, columns = np.nonzero(ink)
        bounds = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        ring = [*mark.ring.min(axis=0), *mark.ring.max(axis=0)]
        assert np.abs(np.subtract(bounds, ring)).max() < 3.5  # the ring is close: no loose box
    assert placed >= 0.6 * len(SEEDS)


@pytest.mark.parametrize(
    ("kind", "form"), FORMS, ids=lambda v: v if isinstance(v, str) else "-".join(map(str, *v.items()))
)
def test_every_form_paints_within_its_ring(
    demo_record: Record, plain: ecgvec.Sheet, kind: str, form: dict[str, Any]
) -> None:
    sheet = page(demo_record, keys(kind, seed=3, **form))
    ink = changed(sheet, plain)
    (mark,) = sheet.labels.marks
    assert ink.sum() > 50 and not (ink & ~within([mark.ring], ink.shape, 1)).any()


@pytest.mark.parametrize("kind", ADDED)
def test_its_ring_goes_through_the_warp(demo_record: Record, kind: str) -> None:
    none = {f"effects.{name}.probability": 0 for name in load_recipe("phone-photo").effects}  # JPEG spreads things
    sheet = page(demo_record, keys(kind, seed=1), none, recipe="phone-photo", seed=4)
    bare = page(demo_record, none, recipe="phone-photo", seed=4)
    assert sheet.image.shape == bare.image.shape
    ink = changed(sheet, bare, least=6)
    (mark,) = sheet.labels.marks
    assert ink.sum() > 50 and not (ink & ~within([mark.ring], ink.shape, 2)).any()
    home = sheet.warp.inverse(mark.ring)
    info = next(m.info for m in sheet.scene.shapes() if m.id == mark.id)
    on_page = shapely.LinearRing(info.ring)  # type: ignore[union-attr]
    assert shapely.distance(on_page, shapely.points(home)).max() < 0.01


@pytest.mark.parametrize("kind", [kind for kind, part in MARKS if "seed" in part.model_fields])
def test_one_seed_is_one_drawing(demo_record: Record, kind: str) -> None:
    form = BY_SEED.get(kind, {"traces": 0.5} if kind in FAULTS else {})
    one, again, other = (page(demo_record, keys(kind, seed=seed, **form)).svg for seed in (5, 5, 6))
    assert one == again
    assert one != other


@pytest.mark.parametrize("kind", ADDED)
def test_opaque_marks_and_no_others_hide_what_they_lie_on(demo_record: Record, kind: str) -> None:
    sheet = page(demo_record, keys(kind, seed=2))
    (mark,) = sheet.labels.marks
    assert mark.opaque == MARKS.get(kind).opaque  # type: ignore[attr-defined]
    labels = sheet.labels
    shares = [*(text.occluded for text in labels.texts), *(pulse.occluded for pulse in labels.pulses)]
    covered = any(shares) or any(trace.occluded.any() for trace in labels.traces)
    assert mark.opaque or not covered
    beneath = [shapely.contains_xy(shapely.Polygon(mark.ring), *trace.points.T) for trace in labels.traces]
    if mark.opaque:
        for trace, hidden in zip(labels.traces, beneath, strict=True):
            assert np.array_equal(trace.occluded, hidden)


@pytest.mark.parametrize("kind", [kind for kind in ADDED if MARKS.get(kind).under])  # type: ignore[attr-defined]
def test_what_lies_under_the_print_leaves_its_ink_as_dark(demo_record: Record, kind: str) -> None:
    fine = {"page.dpi": 250}  # so that a line has pixels full of ink
    sheet, plain = page(demo_record, keys(kind, seed=1), fine), page(demo_record, fine)
    ink = (plain.trace_image == 0).all(axis=2)
    assert (ink & within([sheet.labels.marks[0].ring], ink.shape, 0)).sum() > 100
    assert np.array_equal(sheet.image[ink], plain.image[ink])


@pytest.mark.parametrize("kind", ADDED)
def test_what_it_points_out_is_there(demo_record: Record, kind: str) -> None:
    part = MARKS.get(kind)
    if "lead" not in part.model_fields:
        assert page(demo_record, keys(kind)).labels.marks[0].trace is None
        return
    for lead in ("V2", "aVL"):
        sheet = page(demo_record, keys(kind, lead=lead))
        (mark,) = sheet.labels.marks
        trace = next(trace for trace in sheet.labels.traces if trace.id == mark.trace)
        assert trace.lead == lead
        name = next(text for text in sheet.labels.texts if text.trace == trace.id)
        pointed = shapely.GeometryCollection([shapely.LineString(trace.points), shapely.Polygon(name.hull)])
        away = shapely.Polygon(mark.ring).distance(pointed)
        assert away < NEAR_MM * px_per_mm(sheet.plan.page.style.dpi)
    assert not page(demo_record, keys(kind, lead="V9")).labels.marks


@pytest.mark.parametrize("template", sorted(listing("pages")))
def test_all_marks_on_every_page_in_both_renderers(demo_record: Record, template: str) -> None:
    extra = [demo_record.index(name) for name in ("V1", "V5", "V6")]
    record = replace(
        demo_record,
        leads=(*demo_record.leads, Lead("V4R", "V4R"), Lead("V8", "V8"), Lead("V9", "V9")),
        signals=np.column_stack([demo_record.signals, 0.7 * demo_record.signals[:, extra]]),
    )
    recipe = load_recipe("clean", {**ALL, "layout.template": template, "page.dpi": 60, "page.print_header": True})
    sheet = ecgvec.render(record, recipe)
    assert_same(sheet.scene, sheet.svg, 110)
    read = ecgvec.svg.read_traces(sheet.svg)
    for lead, samples in read.items():
        known = record.signals[np.rint(samples[:, 0] * record.fs).astype(int), record.index(lead)]
        assert np.abs(samples[:, 1] - known).max() < 2e-5
    assert {mark.kind for mark in sheet.labels.marks} <= set(ADDED)
    assert len(sheet.labels.marks) >= 0.6 * len(ADDED)


def test_a_scene_without_marks_is_the_page_without_them(demo_record: Record, plain: ecgvec.Sheet) -> None:
    sheet = page(demo_record, {key: 1 for key in ALL if key.split(".")[1] in ADDED})
    roles = {mark.role for mark in plain.scene.shapes()}
    assert {mark.role for mark in sheet.scene.shapes()} - roles == {"mark", "mark-under"}
    assert np.array_equal(draw(sheet.scene.only(roles), 100), draw(plain.scene, 100))
    assert np.array_equal(sheet.trace_image, plain.trace_image)


def test_the_warped_page_shows_all_marks(demo_record: Record) -> None:
    """The bent SVG is the bent picture, marks, dashes and ghosts included, as far as two renderers agree."""
    bend = {"warp.curl.radius": 150, "warp.phone.tilt": 12}
    sheet = page(demo_record, ALL, bend)
    bare = page(demo_record, bend)
    bent = draw_svg(sheet.warped_svg, 96.0)  # 1 px a user unit
    assert bent.shape == sheet.image.shape
    inside = within([m.ring for m in sheet.labels.marks], bent.shape, 2)
    inside &= sheet.image.min(axis=2) < 255
    off = np.abs(bent.astype(int) - sheet.image).mean(axis=2)
    was = np.abs(bare.image.astype(int) - sheet.image).mean(axis=2)
    assert off[inside].mean() < 6 < 0.4 * was[inside].mean()
    for mark in sheet.scene.shapes():
        assert f'id="{mark.id}"' in sheet.warped_svg


MONOTONE: dict[str, tuple[str, tuple[float, ...]]] = {
    "redaction": ("width", (10, 30, 80)),
    "stamp": ("strength", (0.2, 0.5, 1.0)),
    "highlighter": ("strength", (0.1, 0.3, 0.7)),
    "tick": ("weight", (0.5, 1, 2)),
    "circle": ("weight", (0.5, 1, 2)),
    "arrow": ("weight", (0.5, 1, 2)),
    "underline": ("weight", (0.5, 1, 2)),
}


@pytest.mark.parametrize("kind", MONOTONE)
def test_more_of_it_changes_more(demo_record: Record, plain: ecgvec.Sheet, kind: str) -> None:
    key, values = MONOTONE[kind]
    sheets = [page(demo_record, keys(kind, seed=1, **{key: value})) for value in values]
    amounts = [float(np.abs(sheet.image.astype(int) - plain.image).sum()) for sheet in sheets]
    assert amounts[0] > 0 and (np.diff(amounts) > 0.1 * amounts[0]).all()


def test_marks_are_drawn_at_any_resolution_alike(demo_record: Record) -> None:
    fine, coarse = (page(demo_record, ALL, {"page.dpi": dpi}) for dpi in (200, 100))
    for one, other in zip(fine.labels.marks, coarse.labels.marks, strict=True):
        np.testing.assert_allclose(one.ring, 2 * other.ring, atol=1e-6)
