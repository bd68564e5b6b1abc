"""``verify`` on pages that are faded, noisy, black or white: right labels are still found right, wrong ones wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import ecgvec
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from ecgvec.verify.labels import LabelError, label_error
from ecgvec.verify.page import Page, read_page
from ecgvec.verify.unmix import unmix

WORN: dict[str, dict[str, Any]] = {
    "a fax": {"effects.fax.threshold": 0.65, "warp.scanner.skew": 0.7},
    "grain": {"effects.gaussian-noise.sigma": 40},
    "faded": {"effects.thermal-fade.fade": 0.6, "effects.thermal-fade.patchiness": 0.5},
    "a copy": {"effects.photocopy.contrast": 4, "effects.photocopy.grain": 14, "effects.photocopy.specks": 100},
    "small files": {"effects.jpeg.quality": 30, "effects.low-resolution.dpi": 110},
}


@pytest.fixture(scope="module", params=list(WORN))
def sheet(request: pytest.FixtureRequest, demo_record: Record) -> ecgvec.Sheet:
    return ecgvec.render(demo_record, load_recipe("clean", {"page.dpi": 150, **WORN[request.param]}), seed=3)


@pytest.fixture(scope="module")
def page(sheet: ecgvec.Sheet, tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = tmp_path_factory.mktemp("noise")
    sheet.save(folder, ["json"])
    return read_page(folder / f"{sheet.plan.stem}.json")


def measured(sheet: ecgvec.Sheet, page: Page, image: NDArray[np.uint8]) -> LabelError:
    points = {trace.id: trace.points for trace in sheet.labels.traces}
    return label_error(image, page, unmix(image, page), points)


def test_right_labels_are_found_right(sheet: ecgvec.Sheet, page: Page) -> None:
    error = measured(sheet, page, sheet.image)
    assert error.found
    assert error.median < 0.06
    assert error.worst < 0.35


def test_an_image_shifted_by_a_pixel_is_off_by_a_pixel(sheet: ecgvec.Sheet, page: Page) -> None:
    error = measured(sheet, page, np.roll(sheet.image, 1, axis=0))
    assert error.shift == pytest.approx((0, 1), abs=0.12)
    assert error.worst > 0.9
