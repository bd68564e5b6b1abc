"""Brackets are as wide as they say, and stand where the interval does."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from ecgvec.geometry.units import px_per_mm
from ecgvec.graphics.shapes import AddedInfo
from ecgvec.layout.place import TraceInfo
from ecgvec.marks.calipers import LEAST_HEADS_MM, ONSET_S, Interval
from ecgvec.marks.places import peaks
from ecgvec.record.model import Record
from tests.marks.pages import keys, page, strokes_apart

SECONDS = {"QRS": 0.12, "PR": 0.2, "QT": 0.4, "RR": 0.82}


@pytest.mark.parametrize("interval", get_args(Interval))
@pytest.mark.parametrize("speed", [25, 50])
@pytest.mark.parametrize("form", [{}, {"nib": "felt", "unrest": 1.5}, {"ends": "tick"}, {"ends": "plain"}], ids=str)
def test_it_is_as_wide_as_it_says(demo_record: Record, interval: str, speed: int, form: dict[str, Any]) -> None:
    sheet = page(
        demo_record,
        keys("calipers", interval=interval, seconds=SECONDS[interval], high=6, seed=3, **form),
        {"page.speed": speed, "page.seconds": 5},
    )
    (mark,) = sheet.labels.marks
    assert mark.text == f"{interval} {SECONDS[interval]:.2f}"
    for ring in (_on_page(sheet), mark.ring / px_per_mm(sheet.plan.page.style.dpi)):
        apart = strokes_apart(ring)
        assert apart == pytest.approx(SECONDS[interval] * speed, abs=0.05)


def test_its_width_is_that_of_the_hundredths_that_are_written(demo_record: Record) -> None:
    sheet = page(demo_record, keys("calipers", seconds=0.1349, interval="QT", high=6))
    assert sheet.labels.marks[0].text == "QT 0.13"
    assert strokes_apart(_on_page(sheet)) == pytest.approx(0.13 * 25, abs=0.03)


@pytest.mark.parametrize("interval", get_args(Interval))
def test_it_stands_at_a_beat(demo_record: Record, interval: str) -> None:
    seconds = SECONDS[interval]
    start = {"QRS": -seconds / 2, "PR": -ONSET_S - seconds, "QT": -ONSET_S, "RR": 0.0}[interval]
    for seed in range(3):
        sheet = page(demo_record, keys("calipers", interval=interval, seconds=seconds, ends="plain", seed=seed))
        (mark,) = sheet.labels.marks
        info = next(m.info for m in sheet.scene.shapes() if m.id == mark.trace)
        assert isinstance(info, TraceInfo)
        beats = info.points[peaks(info), 0] + start * info.axes.speed
        ring = _on_page(sheet)
        middle = (ring[:, 0].min() + ring[:, 0].max() - seconds * info.axes.speed) / 2
        assert np.abs(beats - middle).min() < 0.2
        near = info.points[(info.points[:, 0] > ring[:, 0].min()) & (info.points[:, 0] < ring[:, 0].max()), 1]
        assert ring[:, 1].max() < near.min() or ring[:, 1].min() > near.max()


def test_narrow_ones_have_no_room_for_heads(demo_record: Record) -> None:
    narrow, wide = (0.99 * LEAST_HEADS_MM / 25, 1.1 * LEAST_HEADS_MM / 25)
    one, other = (keys("calipers", seconds=narrow, ends=ends, interval="QT") for ends in ("arrow", "plain"))
    assert np.array_equal(page(demo_record, one).image, page(demo_record, other).image)
    one, other = (keys("calipers", seconds=wide, ends=ends, interval="QT") for ends in ("arrow", "plain"))
    assert not np.array_equal(page(demo_record, one).image, page(demo_record, other).image)


def test_what_is_longer_than_its_trace_is_left_out(demo_record: Record) -> None:
    assert not page(demo_record, keys("calipers", seconds=3, interval="RR", lead="V1")).labels.marks


def _on_page(sheet: Any) -> Any:
    (info,) = (mark.info for mark in sheet.scene.shapes() if isinstance(mark.info, AddedInfo))
    return info.ring
