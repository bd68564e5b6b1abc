"""Pens that skip and pens that strike twice, measured in pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import ecgvec
from ecgvec.geometry.units import px_per_mm
from ecgvec.graphics.raster import draw
from ecgvec.graphics.shapes import Scene, Shape
from ecgvec.record.model import Record
from tests.marks.pages import FAULTS, keys, page

DPI = 600
UNSURE = 0.015  # of the samples: they lie on the very edge of the ink, where a pixel is half covered


@pytest.fixture(scope="module")
def plain(demo_record: Record) -> ecgvec.Sheet:
    return page(demo_record)


def darkness(scene: Scene, dpi: float = DPI) -> NDArray[np.float64]:
    """How much of each pixel (H, W) is black, 0 to 1."""
    return np.asarray(1 - draw(scene, dpi)[:, :, 0] / 255.0)


def alone(sheet: ecgvec.Sheet, mark: Shape) -> Scene:
    """A page with nothing but ``mark``."""
    scene = sheet.scene.only({mark.role})
    groups = [replace(g, shapes=tuple(m for m in g.shapes if m.id == mark.id)) for g in scene.groups]
    return replace(scene, groups=tuple(groups))


def of_role(sheet: ecgvec.Sheet, role: str) -> list[Shape]:
    return [mark for mark in sheet.scene.shapes() if mark.role == role]


@pytest.mark.parametrize("kind", FAULTS)
def test_the_signal_stays_exact_and_the_truth_whole(demo_record: Record, plain: ecgvec.Sheet, kind: str) -> None:
    sheet = page(demo_record, keys(kind))
    read, known = ecgvec.svg.read_traces(sheet.svg), ecgvec.svg.read_traces(plain.svg)
    assert list(read) == list(known)
    assert all(np.array_equal(read[lead], known[lead]) for lead in known)
    assert np.array_equal(sheet.trace_image, plain.trace_image)
    assert [t.id for t in sheet.labels.traces] == [t.id for t in plain.labels.traces]
    assert not sheet.labels.marks
    assert (sheet.image != plain.image).any()


@pytest.mark.parametrize("kind", FAULTS)
def test_a_share_of_the_traces_is_hit(demo_record: Record, plain: ecgvec.Sheet, kind: str) -> None:
    def hit(share: float) -> int:
        sheet = page(demo_record, keys(kind, traces=share, seed=3))
        pens = {mark.id: mark.pen for mark in of_role(plain, "trace")}
        return sum(m.pen != pens[m.id] for m in of_role(sheet, "trace")) + len(of_role(sheet, "trace-ghost"))

    assert hit(0.0) == 0
    assert 2 <= hit(0.5) <= 11
    assert hit(1.0) == 13


def gappy(record: Record) -> Record:
    """A record whose leads have gaps, one of them with a lone sample in it."""
    signals = record.signals.copy()
    signals[600:700] = np.nan
    signals[3000:3080] = np.nan
    signals[3040] = record.signals[3040]
    return Record(record.name, record.fs, signals, record.leads)


@pytest.mark.parametrize(
    ("over", "gaps"),
    [({}, False), ({}, True), ({"page.clip": True, "page.gain": 20}, False), ({"page.trace_width": 0.5}, False)],
    ids=["whole", "gaps", "clipped", "thick"],
)
def test_inked_is_where_cairo_leaves_ink(demo_record: Record, over: dict[str, Any], gaps: bool) -> None:
    record = gappy(demo_record) if gaps else demo_record
    sheet = page(record, keys("broken-trace", amount=0.25, length=2.5), over)
    labels = {trace.id: trace for trace in sheet.labels.traces}
    checked = wrong = 0
    for mark in of_role(sheet, "trace")[::3]:
        ink = darkness(alone(sheet, mark))
        label = labels[mark.id]
        finite = np.isfinite(label.points).all(axis=1)
        px = label.points * DPI / sheet.plan.page.style.dpi
        clip = mark.clip
        if clip is not None:  # beyond it the clip hides all
            y = px[:, 1] / px_per_mm(DPI)
            with np.errstate(invalid="ignore"):
                finite &= (y > clip.y0) & (y < clip.y1)
        column, row = np.floor(px[finite]).astype(int).T
        dark = ink[row, column] > 0.5
        assert not label.visible[finite & label.occluded].any()
        wrong += int((dark == label.occluded[finite]).sum())
        checked += int(finite.sum())
        assert 0 < label.occluded.sum() < finite.sum()
    assert checked > 3000 and wrong <= UNSURE * checked


@pytest.mark.parametrize("share", [0.05, 0.15, 0.4])
def test_the_share_of_the_line_is_missing(demo_record: Record, plain: ecgvec.Sheet, share: float) -> None:
    """The pen's round ends take back a little less than a square of its width a gap, and lines that run back upon
    themselves hide gaps: a tenth of the share may be off."""
    sheet = page(demo_record, keys("broken-trace", amount=share, length=3))
    whole, left = (darkness(s.scene.only({"trace"}), 300).sum() for s in (plain, sheet))
    assert 1 - left / whole == pytest.approx(share, rel=0.12)


def test_gaps_are_as_long_as_asked_for(demo_record: Record) -> None:
    counts = []
    for length in (1.0, 4.0):
        sheet = page(demo_record, keys("broken-trace", amount=0.2, length=length))
        gaps = [g - m.pen.width for m in of_role(sheet, "trace") for g in m.pen.dash[1:-2:2]]
        counts.append(len(gaps))
        assert np.median(gaps) == pytest.approx(length, rel=0.15)
    assert counts[0] > 3 * counts[1]


def test_a_pen_that_skips_twice_leaves_both_gaps(demo_record: Record) -> None:
    first, second = (keys("broken-trace", amount=0.1, seed=seed) for seed in (1, 2))
    twice = {"marks.again.kind": "broken-trace"} | {
        key.replace("broken-trace", "again"): value for key, value in second.items()
    }
    both = page(demo_record, first, twice).labels.traces
    alone = [page(demo_record, over).labels.traces for over in (first, second)]
    for label, *parts in zip(both, *alone, strict=True):
        either = parts[0].occluded | parts[1].occluded
        assert (label.occluded == either).mean() > 0.985


def test_a_ghost_lies_where_it_should(demo_record: Record) -> None:
    dx, dy = 1.3, -0.8
    sheet = page(demo_record, keys("double-trace", dx=dx, dy=dy, strength=1))
    trace, ghost = (darkness(sheet.scene.only({role}), 200) for role in ("trace", "trace-ghost"))
    rows, columns = np.mgrid[: trace.shape[0], : trace.shape[1]]
    centres = [((columns * ink).sum() / ink.sum(), (rows * ink).sum() / ink.sum()) for ink in (trace, ghost)]
    away = np.subtract(centres[1], centres[0]) / px_per_mm(200)
    np.testing.assert_allclose(away, (dx, dy), atol=0.02)
    assert ghost.sum() == pytest.approx(trace.sum(), rel=0.01)


def test_a_ghost_lies_beneath_and_is_fainter(demo_record: Record) -> None:
    fine = {"page.dpi": 250}
    sheet, plain = page(demo_record, keys("double-trace", strength=0.3), fine), page(demo_record, fine)
    roles = [mark.role for mark in sheet.scene.shapes()]
    assert max(i for i, role in enumerate(roles) if role == "trace-ghost") < roles.index("trace")
    ink = (plain.trace_image == 0).all(axis=2)
    assert ink.sum() > 1000
    assert np.array_equal(sheet.image[ink], plain.image[ink])
    amounts = []
    for strength in (0.1, 0.3, 0.9):
        doubled = page(demo_record, keys("double-trace", strength=strength))
        amounts.append(float(darkness(doubled.scene.only({"trace-ghost"}), 100).sum()))
    np.testing.assert_allclose(np.array(amounts) / amounts[2], (0.111, 0.333, 1), atol=0.02)


def test_a_clipped_trace_has_a_clipped_ghost(demo_record: Record) -> None:
    sheet = page(demo_record, keys("double-trace", dx=0.5, dy=0.4), {"page.clip": True, "page.gain": 20})
    for trace, ghost in zip(of_role(sheet, "trace"), of_role(sheet, "trace-ghost"), strict=True):
        assert trace.clip is not None and ghost.clip is not None
        np.testing.assert_allclose(np.subtract(ghost.clip, trace.clip), (0.5, 0.4, 0.5, 0.4))
