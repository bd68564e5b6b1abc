"""Label errors: what is right is found at 0, what is off by a pixel at 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import ecgvec
from ecgvec.record.model import Lead, Record
from ecgvec.verify.labels import LabelError, label_error
from ecgvec.verify.page import Page, read_page
from ecgvec.verify.unmix import unmix

Image = NDArray[np.uint8]


@pytest.fixture(scope="module", params=[{}, {"bw": True, "dpi": 120}, {"template": "6x2", "dpi": 150, "clip": True}])
def sheet(request: pytest.FixtureRequest, demo_record: Record) -> ecgvec.Sheet:
    return ecgvec.render(demo_record, **request.param)


@pytest.fixture(scope="module")
def page(sheet: ecgvec.Sheet, tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = tmp_path_factory.mktemp("labels")
    sheet.save(folder, ["json"])
    return read_page(folder / f"{sheet.plan.stem}.json")


def measured(sheet: ecgvec.Sheet, page: Page, image: Image, off: tuple[float, float] = (0.0, 0.0)) -> LabelError:
    points = {trace.id: trace.points + np.array(off) for trace in sheet.labels.traces}
    return label_error(image, page, unmix(image, page), points)


def test_right_labels_are_found_right(sheet: ecgvec.Sheet, page: Page) -> None:
    error = measured(sheet, page, sheet.image)
    assert error.found
    assert error.median < 0.01
    assert error.worst < 0.05


@pytest.mark.parametrize("shift", [(1, 0), (0, 1), (-1, 0), (0, -1)])
def test_an_image_shifted_by_a_pixel_is_off_by_a_pixel(sheet: ecgvec.Sheet, page: Page, shift: tuple[int, int]) -> None:
    error = measured(sheet, page, np.roll(sheet.image, shift[::-1], axis=(0, 1)))
    assert error.median == pytest.approx(1.0, abs=0.05)
    assert error.p99 == pytest.approx(1.0, abs=0.05)
    assert error.shift == pytest.approx(shift, abs=0.05)


@pytest.mark.parametrize("off", [(0.3, 0.0), (0.0, -0.3), (2.0, 1.5)])
def test_labels_that_are_off_on_a_right_page(sheet: ecgvec.Sheet, page: Page, off: tuple[float, float]) -> None:
    error = measured(sheet, page, sheet.image, off)
    assert error.shift == pytest.approx((-off[0], -off[1]), abs=0.05)


def test_one_wrong_trace_among_many(sheet: ecgvec.Sheet, page: Page) -> None:
    points = {trace.id: trace.points for trace in sheet.labels.traces}
    wrong = sheet.labels.traces[1].id
    points[wrong] = points[wrong] + [0.0, 1.0]
    error = label_error(sheet.image, page, unmix(sheet.image, page), points)
    assert error.median < 0.05
    assert error.worst == pytest.approx(1.0, abs=0.05)
    assert error.traces[wrong][1] == pytest.approx(-1.0, abs=0.05)


def test_labels_far_from_any_ink_are_not_found(sheet: ecgvec.Sheet, page: Page) -> None:
    assert not measured(sheet, page, sheet.image, (0.0, 25.0)).found


def test_a_flat_lead_says_nothing_of_time(tmp_path: Path) -> None:
    record = Record("flat", 500.0, np.zeros((5000, 1)), (Lead("I", "I"),))
    flat = ecgvec.render(record)
    flat.save(tmp_path, ["json"])
    error = measured(flat, read_page(tmp_path / "flat-0.json"), flat.image, (0.0, 0.5))
    assert error.shift[1] == pytest.approx(-0.5, abs=0.05)
