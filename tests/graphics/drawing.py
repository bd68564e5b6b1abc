"""Pictures that tests measure against, drawn with cairo's own calls."""

from __future__ import annotations

import cairocffi
import cv2
import numpy as np
from numpy.typing import NDArray

from ecgvec.geometry.path import Path
from ecgvec.graphics.raster import append_path, draw, draw_svg
from ecgvec.graphics.shapes import Scene


def coverage(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    """How much of each pixel the closed ``path`` (in image px) covers, 0 to 255, (height, width) of ``size`` (width,
    height)."""
    width, height = size
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_A8, width, height)
    context = cairocffi.Context(surface)
    context.set_fill_rule(cairocffi.FILL_RULE_EVEN_ODD)
    append_path(context, path)
    context.fill()
    surface.flush()
    rows = np.frombuffer(surface.get_data(), dtype=np.uint8).reshape(height, surface.get_stride())
    return rows[:, :width].copy()  # cairo frees its own memory with the surface


def assert_same(page: Scene, svg_text: str, dpi: float) -> None:
    """Both ways give one size, and pixels that differ by at most 1 level on 99.99 % of them."""
    direct, through_svg = draw(page, dpi), draw_svg(svg_text, dpi)
    assert direct.shape == through_svg.shape
    if np.array_equal(direct, through_svg):
        return
    difference = cv2.absdiff(direct, through_svg).max(axis=2)
    off = np.argwhere(difference > 1)
    where = f"rows {off[:, 0].min()}-{off[:, 0].max()}, columns {off[:, 1].min()}-{off[:, 1].max()}" if len(off) else ""
    share = len(off) / difference.size
    assert share <= 1e-4, f"{share:.3%} of pixels differ by more than 1, up to {difference.max()}, in {where}"
