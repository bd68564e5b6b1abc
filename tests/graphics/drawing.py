"""Pictures that tests measure against, drawn with cairo's own calls."""

from __future__ import annotations

import cairocffi
import numpy as np
from numpy.typing import NDArray

from ecgvec.geometry.path import Path
from ecgvec.graphics.raster import append_path


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
