"""Pixels and millimetres."""

from __future__ import annotations

import pytest

from ecgvec.geometry.units import pixel_size, px_per_mm


@pytest.mark.parametrize(
    ("width", "height", "dpi", "size"),
    [
        (279.4, 215.9, 200, (2200, 1700)),
        (279.4, 215.9, 300, (3300, 2550)),
        (297, 210, 200, (2339, 1654)),
        (1, 1, 1, (1, 1)),
    ],
)
def test_pixel_size(width: float, height: float, dpi: float, size: tuple[int, int]) -> None:
    assert pixel_size(width, height, dpi) == size


def test_scale_is_exact() -> None:
    assert px_per_mm(254) == 10.0
