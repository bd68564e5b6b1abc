"""Pages with marks on them, and what of their pixels a mark changed."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray

import ecgvec
from ecgvec._typing import Points
from ecgvec.marks import MARKS
from ecgvec.marks.base import AddedMark, PenFault
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record

ADDED = [kind for kind, part in MARKS if issubclass(part, AddedMark)]
FAULTS = [kind for kind, part in MARKS if issubclass(part, PenFault)]
ALL = {f"marks.{kind}.probability": 1 for kind, _ in MARKS}
PAGE = {"layout.template": "ge", "page.print_header": True, "page.dpi": 110}


def keys(kind: str, **values: Any) -> dict[str, Any]:
    """The recipe's keys of one mark."""
    return {f"marks.{kind}.probability": 1} | {f"marks.{kind}.{key}": value for key, value in values.items()}


def page(record: Record, *over: dict[str, Any], recipe: str = "clean", seed: int = 0) -> ecgvec.Sheet:
    """A page with a header, and whatever ``over`` puts on it."""
    merged: dict[str, Any] = dict(PAGE)
    for more in over:
        merged |= more
    return ecgvec.render(record, load_recipe(recipe, merged), seed=seed)


def changed(one: ecgvec.Sheet, other: ecgvec.Sheet, least: int = 1) -> NDArray[np.bool_]:
    """Which pixels (H, W) of two pages differ by ``least`` levels or more."""
    difference = np.abs(one.image.astype(int) - other.image).max(axis=2)
    return np.asarray(difference >= least)


def within(rings: list[Points], shape: tuple[int, ...], margin: int) -> NDArray[np.bool_]:
    """The pixels (H, W) that rings (n, 2) px touch, and ``margin`` px more."""
    mask = np.zeros(shape[:2], dtype=np.uint8)
    for ring in rings:
        cv2.fillPoly(mask, [np.rint(16 * (ring - 0.5)).astype(np.int32)], 1, shift=4)
    wider: Any = cv2.dilate(mask, np.ones((2 * margin + 1, 2 * margin + 1), dtype=np.uint8))
    return np.asarray(wider > 0)


def strokes_apart(ring: Points) -> float:
    """How far apart the two upright strokes of a bracket stand, by its ring (n, 2) alone: the mean, in the ring's own
    unit, over cuts above and below the line that joins them."""
    (x0, y0), (x1, y1) = ring.min(axis=0), ring.max(axis=0)
    apart = []
    for share in (0.1, 0.14, 0.18, 0.22, 0.78, 0.82, 0.86, 0.9):
        y = y0 + share * (y1 - y0)
        cut = shapely.intersection(shapely.Polygon(ring), shapely.LineString([(x0 - 1, y), (x1 + 1, y)]))
        pieces = sorted(part.bounds for part in shapely.get_parts(cut))
        if len(pieces) == 2:
            (a, _, b, _), (c, _, d, _) = pieces
            apart.append((c + d) / 2 - (a + b) / 2)
    assert len(apart) >= 3
    return float(np.mean(apart))
