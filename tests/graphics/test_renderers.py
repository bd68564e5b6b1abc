"""Other programs show the page that we show: headless Chromium and librsvg beside cairo, region by region."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecgvec
from ecgvec.record.model import Record
from ecgvec.sheet import Sheet
from tests.graphics.renderers import LEVELS, REGION_MM, Renderer, Target, chromium, librsvg, region_means, worst

PAGES: dict[str, dict[str, Any]] = {
    "hospital": {"template": "hospital", "grid": "dots", "print_header": True, "qr_code": True},
    "ge": {"template": "ge"},
}


@pytest.fixture(scope="module")
def sheets(demo_record: Record) -> dict[str, Sheet]:
    return {name: ecgvec.render(demo_record, dpi=50, **keys) for name, keys in PAGES.items()}


@pytest.mark.parametrize(("name", "dpi"), [("hospital", 200), ("ge", 200), ("ge", 300)])
@pytest.mark.parametrize("renderer", [chromium, librsvg], ids=["chromium", "librsvg"])
def test_another_program_shows_the_same_page(
    sheets: dict[str, Sheet], renderer: Renderer, name: str, dpi: int, tmp_path: Path
) -> None:
    sheet = sheets[name]
    ours = ecgvec.graphics.raster.draw(sheet.scene, dpi)
    theirs = renderer(sheet.svg, Target(sheet.scene.width, sheet.scene.height, dpi), tmp_path)
    assert theirs.shape == ours.shape
    levels, where = worst(ours, theirs, dpi)
    print(f"{renderer.__name__}, {name}, {dpi} dpi: {levels:.2f} levels ({where})")
    assert levels <= LEVELS, f"{levels:.2f} levels: {where}"


@pytest.mark.parametrize("name", PAGES)
def test_the_measure_sees_a_page_that_is_moved_stretched_or_incomplete(sheets: dict[str, Sheet], name: str) -> None:
    """The control: 0.3 mm to the right, 0.2 % larger, or without its lead names, is not the same page."""
    sheet, dpi = sheets[name], 200
    ours = ecgvec.graphics.raster.draw(sheet.scene, dpi)
    moved = np.roll(ours, round(0.3 * dpi / 25.4), axis=1)
    larger = ecgvec.graphics.raster.draw(sheet.scene, dpi * 1.002)[: ours.shape[0], : ours.shape[1]]
    roles = {mark.role for mark in sheet.scene.shapes()} - {"lead-name"}
    nameless = ecgvec.graphics.raster.draw(sheet.scene.only(roles), dpi)
    assert worst(ours, ours, dpi)[0] == 0.0
    for other in (moved, larger, nameless):
        assert worst(ours, other, dpi)[0] > 2 * LEVELS


def test_region_means() -> None:
    """Exact on a ramp, whatever part of a pixel a region ends in."""
    ramp = np.broadcast_to(np.arange(200, dtype=np.uint8)[None, :, None], (120, 200, 3))
    for dpi in (254, 200, 137):
        step = REGION_MM * dpi / 25.4
        means = region_means(np.ascontiguousarray(ramp), dpi)
        assert means.shape == (int(120 / step), int(200 / step), 3)
        edges = np.arange(means.shape[1] + 1) * step
        whole = np.floor(edges)
        integral = whole * (whole - 1) / 2 + (edges - whole) * whole
        assert np.allclose(means, (np.diff(integral) / step)[None, :, None])
