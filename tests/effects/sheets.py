"""Sheets of paper for effects to change."""

from __future__ import annotations

from typing import Any

import numpy as np

from ecgvec._typing import Float64Array, Image
from ecgvec.effects.base import EFFECTS, OnPaper
from ecgvec.warp.creases import Creases
from ecgvec.warp.parts import Paper

PAPER, SCALE = Paper(150.0, 100.0), 4.0
BENDS = (Creases(vertical=1, horizontal=1, seed=1),)
GROUND, GRID, INK = (252, 246, 240), (236, 160, 160), (20, 18, 22)  # sRGB


def named(kind: str, **fields: Any) -> OnPaper:
    made = EFFECTS.get(kind).model_validate(fields)
    assert isinstance(made, OnPaper)
    return made


def blank(color: tuple[int, int, int] = (255, 255, 255)) -> Image:
    return np.full((round(PAPER.height * SCALE), round(PAPER.width * SCALE), 3), color, dtype=np.uint8)


def sheet() -> Image:
    """A page with a 5 mm grid, three black traces, and some black blocks in the place of text."""
    page = blank(GROUND)
    page[::20] = page[:, ::20] = GRID
    for row in (95, 195, 295):
        page[row : row + 2, 20:580] = INK
        for column in range(60, 560, 50):
            page[row - 30 : row + 10, column : column + 2] = INK
    for column in range(20, 140, 8):
        page[20:28, column : column + 3] = INK
    page.setflags(write=False)  # so that an effect that writes to the page it is given fails
    return page


PAGE = sheet()


def done(effect: OnPaper, page: Image = PAGE, scale: float = SCALE) -> Image:
    return effect.apply(page, scale, PAPER, BENDS)


def of(color: tuple[int, int, int]) -> np.ndarray:
    """Which pixels (H, W) of PAGE have that colour."""
    return np.asarray(np.all(np.array(color) == PAGE, axis=-1))


def change(effect: OnPaper, page: Image = PAGE) -> Float64Array:
    """By how much each pixel (H, W, 3) becomes lighter."""
    return done(effect, page).astype(float) - page


def places() -> tuple[Float64Array, Float64Array]:
    """Where the middles of the pixels (H, W) are, mm."""
    x, y = np.meshgrid((np.arange(PAGE.shape[1]) + 0.5) / SCALE, (np.arange(PAGE.shape[0]) + 0.5) / SCALE)
    return x, y
