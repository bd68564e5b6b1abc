"""PNG and JPEG of the image: the pixels, the resolution, and which other formats go with them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ecgvec
from ecgvec.errors import ExportError
from ecgvec.export.images import encode_jpeg, encode_png
from ecgvec.record.model import Record
from ecgvec.verify.report import verify_image


@pytest.mark.parametrize("shape", [(40, 61, 3), (1, 1, 3)])
def test_pixels_and_resolution(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    with Image.open(io.BytesIO(encode_png(image, 150))) as png:
        assert png.info["dpi"] == pytest.approx((150, 150), abs=0.02)  # whole dots a metre
        np.testing.assert_array_equal(np.asarray(png), image)
    smooth = np.full(shape, (200, 90, 40), dtype=np.uint8)
    with Image.open(io.BytesIO(encode_jpeg(smooth, 149.8))) as jpeg:
        assert jpeg.format == "JPEG" and jpeg.info["dpi"] == (150, 150)
        assert np.abs(np.asarray(jpeg).astype(int) - smooth).max() <= 2


def test_a_jpeg_instead_of_the_png(tmp_path: Path, demo_record: Record) -> None:
    sheet = ecgvec.render(demo_record, dpi=150)
    files = sheet.save(tmp_path, ["jpg", "json"])
    assert sorted(path.suffix for path in files) == [".jpg", ".json", ".npz"]
    report = verify_image(next(path for path in files if path.suffix == ".json"), "page")
    assert report.fault is None and report.quick is not None, "the picture is read"


@pytest.mark.parametrize("name", ["coco", "kit", "parquet", "wfdb"])
def test_formats_that_name_the_png(tmp_path: Path, demo_record: Record, name: str) -> None:
    sheet = ecgvec.render(demo_record, dpi=50)
    with pytest.raises(ExportError, match=f"the format {name} names the PNG of an image: add png"):
        sheet.save(tmp_path, ["jpg", name])
    assert any(path.suffix == ".jpg" for path in sheet.save(tmp_path, ["jpg", "png", name]))
