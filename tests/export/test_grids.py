"""The grid format: the lattice lies where the lines are printed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import ecgvec
from ecgvec.export import images as arrays
from ecgvec.geometry.units import px_per_mm
from ecgvec.graphics.raster import draw
from ecgvec.record.model import Record


def read(sheet: ecgvec.Sheet) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Positions and visibility from the files."""
    files = arrays.lattice(sheet, "x-0")
    assert list(files) == ["grid/x-0.npy", "grid/x-0-visible.npy"]
    positions, visible = (np.load(io.BytesIO(data), allow_pickle=False) for data in files.values())
    assert positions.dtype == np.float64
    assert visible.dtype == np.bool_
    assert positions.shape == (*visible.shape, 2)
    assert np.isfinite(positions).all()
    return positions, visible


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"crop": 0.1},
        {"pad": 7.7, "dpi": 137.0},
        {"template": "philips", "print_header": True, "qr_code": True},
        {"grid": "dots", "paper": "a4", "orientation": "portrait", "fit": True},
        {"paper": "roll-110", "template": "3x4", "dpi": 300.0},
    ],
    ids=str,
)
def test_crossings_lie_where_lines_cross(demo_record: Record, keys: dict[str, Any]) -> None:
    sheet = ecgvec.render(demo_record, major_color="#000000", paper_color="#FFFFFF", **keys)
    positions, visible = read(sheet)
    step = 5.0 * px_per_mm(sheet.plan.page.style.dpi)
    assert np.allclose(np.diff(positions, axis=1), [step, 0], atol=1e-9)
    assert np.allclose(np.diff(positions, axis=0), [0, step], atol=1e-9)
    height, width = sheet.image.shape[:2]
    x, y = np.moveaxis(positions, -1, 0)
    assert np.array_equal(visible, (x >= 0) & (x < width) & (y >= 0) & (y < height))
    lines = draw(sheet.scene.only({"grid-major"}), sheet.warp.dpi, sheet.warp.frame)
    # Within a pixel of each crossing there is ink on both lines; in the middle of a box there is none.
    inner = visible & (x >= 2) & (x < width - 2) & (y >= 2) & (y < height - 2)
    assert inner.sum() > 100
    for px, py in positions[inner]:
        assert lines[int(py) - 1 : int(py) + 2, int(px) - 1 : int(px) + 2].min() < 140
    middles = positions[:-1, :-1][inner[:-1, :-1] & inner[1:, 1:]] + step / 2
    assert (lines[middles[:, 1].astype(int), middles[:, 0].astype(int)] == 255).all()


def test_all_crossings_of_the_page_are_there(demo_record: Record) -> None:
    """As many rows and columns as lines are printed, also where the image shows only a part of them."""
    sheet = ecgvec.render(demo_record, crop=0.2)
    positions, visible = read(sheet)
    major = next(m for m in sheet.scene.shapes() if m.role == "grid-major")
    assert visible.shape == (int(major.data["rows"]), int(major.data["columns"]))
    assert not visible.all()
    assert visible.any()
    on_page = sheet.warp.inverse(positions.reshape(-1, 2))
    x0, y0, x1, y1 = major.path.bounds()
    assert on_page.min(axis=0) == pytest.approx((x0, y0), abs=1e-4)
    assert on_page.max(axis=0) == pytest.approx((x1, y1), abs=1e-4)


@pytest.mark.parametrize("keys", [{"grid": "none"}, {"grid_present": False}], ids=str)
def test_a_page_without_a_grid_has_no_files(demo_record: Record, keys: dict[str, Any], tmp_path: Path) -> None:
    sheet = ecgvec.render(demo_record, dpi=60, **keys)
    assert arrays.lattice(sheet, "x-0") == {}
    assert sheet.save(tmp_path, formats=["grid"]) == []


def test_files_are_saved_below_grid(demo_record: Record, tmp_path: Path) -> None:
    sheet = ecgvec.render(demo_record, dpi=60)
    sheet.save(tmp_path, formats=["grid"])
    positions = np.load(tmp_path / f"grid/{sheet.plan.stem}.npy")
    assert sheet.labels.grid is not None
    assert np.array_equal(positions, sheet.labels.grid.crossings)


@pytest.mark.parametrize("shape", [(0, 3), (0,), (1, 1), (2, 3, 4)], ids=str)
def test_arrays_come_back_whatever_their_shape_and_order(shape: tuple[int, ...]) -> None:
    for array in (np.arange(np.prod(shape), dtype=np.float64).reshape(shape), np.zeros(shape, dtype=bool)):
        for given in (array, array.T):
            found = np.load(io.BytesIO(arrays.npy(given)), allow_pickle=False)
            assert found.dtype == given.dtype
            assert np.array_equal(found, given)
