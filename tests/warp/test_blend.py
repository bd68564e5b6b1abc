"""Bytes of the page and of what it lies on, against the same in floats."""

from __future__ import annotations

import numpy as np

from ecgvec.warp.base import blend_over, four, three


def _picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (40, 50, 3)).astype(np.uint8)


def test_what_is_laid_on_is_mixed_to_a_level() -> None:
    upper, below = _picture(1), _picture(2)
    cover = _picture(3)[..., 0]
    share = cover[..., None] / 255
    found = blend_over(upper, cover, below)
    assert np.abs(found - (below + share * (upper.astype(float) - below))).max() <= 1
    assert np.array_equal(blend_over(upper, np.full_like(cover, 255), below), upper)
    assert np.array_equal(blend_over(upper, np.zeros_like(cover), below), below)


def test_a_fourth_channel_comes_and_goes() -> None:
    picture = _picture(6)
    assert four(picture).shape == (40, 50, 4)
    assert np.array_equal(three(four(picture)), picture)
