"""Worn folds: what they change, and where."""

from __future__ import annotations

import numpy as np
import pytest

from ecgvec._typing import Float64Array, Image
from ecgvec.effects.wear import BAND_MM, Wear
from ecgvec.warp.creases import Creases, Crumple
from ecgvec.warp.parts import Paper

PAPER, SCALE = Paper(90.0, 60.0), 8.0
WORN = Wear(worn=1, dirt=1)


def page(level: int, scale: float = SCALE) -> Image:
    return np.full((round(PAPER.height * scale), round(PAPER.width * scale), 3), level, dtype=np.uint8)


def distances(creases: Creases, scale: float = SCALE) -> Float64Array:
    """From each pixel (H, W) to each of the folds (k,), mm."""
    rows, columns = page(0, scale).shape[:2]
    x, y = np.meshgrid((np.arange(columns) + 0.5) / scale, (np.arange(rows) + 0.5) / scale)
    points = np.stack([x, y], axis=-1) - PAPER.centre
    found = [np.abs((points @ f.across)[..., None] - f.offsets) for f in creases.folds(PAPER)]
    return np.concatenate(found, axis=-1)


@pytest.mark.parametrize("angle", [0, 17, 45, 88, 90, 90.01, 135, 180, -60])
@pytest.mark.parametrize("level", [0, 255])
def test_only_bands_along_the_folds_change_and_every_fold_does(angle: float, level: int) -> None:
    creases = Creases(angle=angle, vertical=3, horizontal=2, seed=4)
    before = page(level)
    changed = (WORN.apply(before, SCALE, PAPER, (creases,)) != before).any(axis=-1)
    away = distances(creases)
    assert not changed[away.min(axis=-1) > BAND_MM].any()
    for k in range(away.shape[-1]):
        alone = (away[..., k] < 0.15) & (np.delete(away, k, axis=-1).min(axis=-1) > 2)
        assert changed[alone].mean() > 0.3


def test_nothing_changes_without_folds_or_wear() -> None:
    before = page(100)
    for bends in ((), (Crumple(),), (Creases(vertical=0, horizontal=0),)):
        assert WORN.apply(before, SCALE, PAPER, bends) is before
    assert Wear(worn=0, dirt=0).apply(before, SCALE, PAPER, (Creases(),)) is before
    level = Creases(flattened=1)
    assert np.array_equal(WORN.apply(before, SCALE, PAPER, (level,)), before)


def test_the_page_given_stays_as_it_was() -> None:
    before = page(0)
    after = WORN.apply(before, SCALE, PAPER, (Creases(),))
    assert after is not before
    assert not before.any()
    before.setflags(write=False)
    WORN.apply(before, SCALE, PAPER, (Creases(),))


def test_ink_fades_to_paper_and_never_wholly() -> None:
    creases = Creases(vertical=3, horizontal=0, fold_angle=160)  # where folds cross both take their share
    ink = Wear(worn=1, dirt=0).apply(page(0), SCALE, PAPER, (creases,))
    assert 120 < ink.max() <= 0.75 * 250 + 0.5
    blank = Wear(worn=1, dirt=0).apply(page(255), SCALE, PAPER, (creases,))
    assert (blank == 255).all()  # there is nothing to break off


def test_dirt_darkens_a_fine_irregular_line() -> None:
    creases = Creases(vertical=1, horizontal=0, fold_angle=160, jitter=0, seed=2)
    after = Wear(worn=0, dirt=0.7).apply(page(255), SCALE, PAPER, (creases,)).mean(axis=-1)
    away = distances(creases)[..., 0]
    core = np.where(away < 0.1, after, np.nan)
    darkening = 1 - np.nanmean(core, axis=1) / 255
    assert 0.02 < darkening.mean() < 0.1
    assert darkening.std() > 0.01
    assert after[away > 0.4].mean() > 254.5


def test_wear_follows_the_fold_angle_and_the_fields() -> None:
    def change(wear: Wear, flattened: float, level: int) -> float:
        creases = Creases(flattened=flattened, jitter=0)
        return float(np.abs(wear.apply(page(level), SCALE, PAPER, (creases,)).astype(float) - level).mean())

    for level in (0, 255):
        assert change(WORN, 0.99, level) < 0.5 * change(WORN, 0.95, level) < 0.9 * change(WORN, 0.85, level)
        half = Wear(worn=0.5, dirt=0.5)
        assert change(half, 0.88, level) == pytest.approx(change(WORN, 0.88, level) / 2, rel=0.15)


def test_wear_is_the_same_for_the_same_seed_alone() -> None:
    bends = (Creases(vertical=2, seed=1), Creases(angle=30, vertical=1, horizontal=0, seed=2))
    first, again, other = (Wear(seed=seed).apply(page(0), SCALE, PAPER, bends) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_wear_looks_the_same_at_other_resolutions() -> None:
    creases = Creases(angle=80, vertical=2, horizontal=2, seed=1)
    mean = [float(WORN.apply(page(0, scale), scale, PAPER, (creases,)).mean()) for scale in (4.0, 8.0, 12.0)]
    assert mean[0] == pytest.approx(mean[1], rel=0.1)
    assert mean[2] == pytest.approx(mean[1], rel=0.1)
