"""Print that shines through the sheet: of its other side, and of a second sheet behind it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ecgvec._typing import Float64Array
from tests.effects.sheets import PAPER, SCALE, blank, change, named, places


def test_what_shows_through_is_mirrored_and_blurred() -> None:
    page = blank()
    page[100:120, 50:70] = 0
    effect = named("show-through", source="other-side", strength=0.2, x=0, y=10)
    darker = -change(effect, page).mean(axis=-1)
    y, x = (np.sum(darker * mm) / darker.sum() for mm in places()[::-1])
    assert (x, y) == pytest.approx((150 - 15, 27.5 + 10), abs=0.05)
    assert darker.max() == pytest.approx(0.2 * 255, abs=1.5)
    assert 0 < darker[149 - 2 - 10, 530] < 0.18 * 255


def test_a_sheet_behind_shows_its_grid_at_its_pitch_turn_and_place_and_in_its_color() -> None:
    def waves(**fields: Any) -> Float64Array:
        effect = named("show-through", strength=0.8, traces=0, **{"angle": 0, "x": 0, "y": 0, **fields})
        return -change(effect, blank())

    per_mm = []
    for pitch in (1, 5):
        darker = waves(pitch=pitch, grid="#00FFFF")
        assert darker[..., 1:].max() == 0 and darker[..., 0].max() > 30
        across = darker[..., 0].mean(axis=0)
        spectrum = np.abs(np.fft.rfft(across - across.mean()))
        assert spectrum[:140].argmax() == PAPER.width / 5
        per_mm.append(spectrum[round(PAPER.width)] / spectrum[:140].max())
    assert per_mm[0] > 2 * per_mm[1] > 0
    lines, shifted = (waves(pitch=5, x=x)[..., 0].mean(axis=0) for x in (0, 2))
    assert np.allclose(np.roll(lines, round(2 * SCALE))[20:-20], shifted[20:-20], atol=1)
    turned = waves(pitch=5, angle=1)[..., 0]
    first, last = (turned[rows].mean(axis=0)[:200] for rows in (slice(0, 20), slice(-20, None)))
    shifts = [np.corrcoef(np.roll(first, k)[30:170], last[30:170])[0, 1] for k in range(-20, 21)]
    assert abs(int(np.argmax(shifts)) - 20) / SCALE == pytest.approx(95 * np.tan(np.radians(1)), abs=0.4)


def test_a_sheet_behind_shows_vague_beats_and_leaves_no_mirror_image() -> None:
    effect = named("show-through", strength=0.5, grid="#FFFFFF", traces=3, y=0)
    dark = -change(effect, blank()).mean(axis=-1)
    assert 20 < dark.max() <= 128
    rows = dark.mean(axis=1) > 0.4 * dark.mean(axis=1).max()
    assert np.count_nonzero(np.diff(rows.astype(int)) == 1) == 3
    page = blank()
    page[100:120, 50:70] = 0
    same = named("show-through", strength=0.5, grid="#FFFFFF", traces=0)
    assert not change(same, page).any()
