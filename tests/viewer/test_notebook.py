"""A Sheet in a notebook."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser

import ecgvec
from ecgvec.geometry.path import polyline, with_gaps
from ecgvec.record.model import Record
from ecgvec.sheet import Sheet
from ecgvec.viewer.notebook import WIDEST, simplify


def test_the_png_is_the_image_and_no_wider_than_a_notebook_needs(sheets: dict[str, Sheet], demo_record: Record) -> None:
    def shown(sheet: Sheet) -> np.ndarray:
        found = cv2.imdecode(np.frombuffer(sheet._repr_png_(), np.uint8), cv2.IMREAD_COLOR)
        assert found is not None
        return found[:, :, ::-1]

    assert np.array_equal(shown(sheets["flat"]), sheets["flat"].image)
    large = ecgvec.render(demo_record, dpi=220)
    small = shown(large)
    assert small.shape[1] <= WIDEST < large.image.shape[1]
    assert small.shape[0] / small.shape[1] == pytest.approx(large.image.shape[0] / large.image.shape[1], rel=0.002)
    assert small.mean() == pytest.approx(large.image.mean(), abs=1.0)


def test_the_html_is_one_fragment_that_needs_nothing(sheets: dict[str, Sheet]) -> None:
    text = sheets["bent"]._repr_html_()
    assert not re.search(r"<script|https?:|\sid=|url\(|@import", text)
    assert len(text) < 2e6
    assert text == sheets["bent"]._repr_html_()


def test_several_on_one_page_are_switched_apart(sheets: dict[str, Sheet], chromium: Browser) -> None:
    page = chromium.new_page()
    page.set_content("".join(sheets[name]._repr_html_() for name in ("bent", "flat", "flat")))
    views = page.locator(".ecgvec-sheet")
    assert views.count() == 3
    layer = views.nth(1).locator(".of-traces")
    assert layer.is_visible()
    views.nth(1).locator(".on-traces").uncheck()
    assert not layer.is_visible()
    assert views.nth(0).locator(".of-traces").is_visible()
    assert views.nth(2).locator(".of-traces").is_visible()
    names = views.nth(2).locator(".of-names")
    assert not names.is_visible()
    views.nth(2).get_by_label("Lead names").check()
    assert names.is_visible()
    page.close()


def test_the_traces_of_the_html_lie_on_the_ink(sheets: dict[str, Sheet]) -> None:
    """Every point of each drawn line is one of the samples, to a twentieth of a pixel."""
    sheet = sheets["bent"]
    group = re.search(r'<g class="of-traces">(.*?)</g>', sheet._repr_html_())
    assert group is not None
    drawn = np.array([[float(v) for v in pair] for pair in re.findall(r"[ML]([-\d.]+),([-\d.]+)", group[1])])
    samples = np.concatenate([trace.points for trace in sheet.labels.traces])
    away = np.array([np.abs(samples - point).max(axis=1).min() for point in drawn[::7]])
    assert len(drawn) > 500
    assert away.max() <= 0.0501


def test_lines_lose_points_and_no_shape() -> None:
    x = np.linspace(0, 300, 6001)
    points = np.column_stack([x, 20 * np.sin(x / 9)])
    points[3000:3100] = np.nan
    points[3050] = (151.0, 3.0)
    path, found = with_gaps(points), simplify(with_gaps(points))
    assert len(found.points) < len(path.points) / 10
    assert (found.codes == 0).sum() == (path.codes == 0).sum() == 3
    kept = found.points[(found.points[:, 0] < 149)]
    assert np.abs(np.interp(x[:2900], *kept.T) - points[:2900, 1]).max() < 0.25  # 0.1 px across a slope of 2.2
    ring = polyline([(0, 0), (1, 0), (2, 0), (2, 2)], closed=True)
    assert simplify(ring) is ring
