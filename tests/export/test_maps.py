"""The map format: bilinear between its nodes, it is the warp."""

from __future__ import annotations

import io

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

import ecgvec
from ecgvec.export.images import page_map
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record

BENT = {"warp.curl.radius": 160, "warp.phone.tilt": 14, "page.dpi": 80}


@pytest.mark.parametrize("overrides", [{"page.dpi": 80, "page.crop": 0.1}, BENT])
def test_interpolated_it_is_the_inverse(demo_record: Record, overrides: dict[str, object]) -> None:
    sheet = ecgvec.render(demo_record, load_recipe("clean", overrides))
    with np.load(io.BytesIO(page_map(sheet))) as stored:
        px, mm, step = stored["px"], stored["mm"], int(stored["step"])
        assert stored["size"].tolist() == list(sheet.warp.size)
        assert np.allclose(stored["homography"], sheet.homography)
    assert np.allclose(np.diff(px[0, :, 0]), step) and np.allclose(np.diff(px[:, 0, 1]), step)
    width, height = sheet.warp.size
    assert px[0, 0].max() < 0 and px[-1, -1, 0] > width and px[-1, -1, 1] > height
    points = np.random.default_rng(0).uniform(0, (width, height), (500, 2))
    read = RegularGridInterpolator((px[:, 0, 1], px[0, :, 0]), mm)(points[:, ::-1])
    assert np.abs(read - sheet.warp.inverse(points)).max() < 1e-9
