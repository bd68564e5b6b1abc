"""A page of dots, and where they are found on a picture of it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ecgvec._typing import Float64Array, Image

SCALE = 8.0
SPACING, PLACES = 27, 20  # px; odd, for patterns of 8 px would be met at few of their phases


def centres() -> Float64Array:
    """Of 400 dots (n, 2), px."""
    grid = np.stack(np.meshgrid(np.arange(PLACES), np.arange(PLACES)), axis=-1).reshape(-1, 2)
    return (grid + 1) * SPACING + np.random.default_rng(3).uniform(-0.5, 0.5, (PLACES**2, 2))


@lru_cache
def dots(ink: int = 40, paper: int = 200) -> Image:
    """Dots of radius 4 px at random phases, their edges' pixels covered in part."""
    side = SPACING * (PLACES + 1)
    cover, at = np.zeros((side, side)), np.arange(14) + 0.5
    for x, y in centres():
        column, row = int(x) - 7, int(y) - 7
        share = np.clip(4.5 - np.hypot(at + column - x, (at + row - y)[:, None]), 0, 1)
        cover[row : row + 14, column : column + 14] = share
    return np.repeat(np.rint(paper + cover * (ink - paper)).astype(np.uint8)[..., None], 3, axis=2)


def centroids(image: Image) -> Float64Array:
    """Centres (400, 2) of the dots, their local background taken off."""
    grey, reach, found = image.mean(axis=-1), 10, []
    at = np.arange(-reach, reach + 1)
    x, y = np.meshgrid(at, at)
    round_, rim = np.hypot(x, y) <= 8, (np.hypot(x, y) > 8) & (np.hypot(x, y) <= 10.5)
    for column, row in np.rint(centres() - 0.5).astype(int):
        part = grey[row - reach : row + reach + 1, column - reach : column + reach + 1]
        ink = (part[rim].mean() - part) * round_
        found.append([column + 0.5 + (ink * x).sum() / ink.sum(), row + 0.5 + (ink * y).sum() / ink.sum()])
    return np.array(found)
