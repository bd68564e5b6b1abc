"""An image's labels as an overlay is given them, and the small texts that stand beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ecgvec._typing import Points
from ecgvec.components import rgb
from ecgvec.export.read import SavedPage
from ecgvec.geometry.affine import Affine
from ecgvec.geometry.outlines import cap_height, text_path
from ecgvec.geometry.path import bounds, rectangles
from ecgvec.graphics.shapes import Pen, Shape, printable
from ecgvec.rendering.labels.model import Labels

LINE, LEAST_LINE, LARGEST_LINE = 0.1, 0.4, 0.8  # outlines: in mm of the page, and their limits in px
TAG_SIZE, LEAST_TAG_SIZE = 1.35, 7.0  # the em of a tag's text, in mm of the page and at the least in px
LONGEST_TAG = 40  # characters
GAP = 2.5  # px from a box to its tag
CELL = 0.25  # mm, the cells in which tags keep out of the way
_SHARES = (0.0, 0.15, 0.3, 0.5, 0.7, 0.85, 1.0)  # of a box's side, where tags are tried


@dataclass(frozen=True, eq=False)
class Labelled:
    """An image's ``width`` and ``height`` in px and its labels; ``scale`` is px/mm, ``ink`` the trace's width in px."""

    width: int
    height: int
    scale: float
    ink: float
    labels: Labels

    @property
    def line(self) -> float:
        """The width of outlines in px."""
        return min(max(LINE * self.scale, LEAST_LINE), LARGEST_LINE)


def label_page(page: SavedPage) -> Labelled:
    """The labels of an image that was written."""
    ink = page.plan.page.style.trace_width * page.px_per_mm
    return Labelled(*page.size, page.px_per_mm, ink, page.labels)


class Tags:
    """Small texts beside labels, each where it covers the least ink and the fewest other texts."""

    def __init__(self, image: Labelled) -> None:
        self._size = max(LEAST_TAG_SIZE, TAG_SIZE * image.scale)
        self._cell = max(1.0, CELL * image.scale)
        self._width, self._height = image.width, image.height
        self._full = np.zeros((int(self._height / self._cell) + 1, int(self._width / self._cell) + 1), dtype=np.float32)
        for trace in image.labels.traces:
            self._cover(_dense_line(trace.points))
        for points in [text.quad for text in image.labels.texts] + [pulse.outline for pulse in image.labels.pulses]:
            self._full[self._cells(bounds(points))] = 2.0

    def _cover(self, points: Points) -> None:
        x, y = np.floor(points[np.isfinite(points).all(axis=1)] / self._cell).astype(np.intp).T
        inside = (x >= 0) & (y >= 0) & (x < self._full.shape[1]) & (y < self._full.shape[0])
        self._full[y[inside], x[inside]] = 1.0

    def _cells(self, box: Sequence[float]) -> tuple[slice, slice]:
        x0, y0, x1, y1 = (max(0, int(v / self._cell)) for v in box)
        return slice(y0, y1 + 1), slice(x0, x1 + 1)

    def place(
        self, text: str, around: Sequence[float], color: str, name: str, visible: bool = True, beside: bool = False
    ) -> Iterator[Shape]:
        """A tag for the box ``around`` (x0, y0, x1, y1): its backing, its letters. None for a box out of sight.

        It stands along the top or the bottom of the box; ``beside`` it if there is room, as suits a line of text.
        """
        x0, y0, x1, y1 = around
        text = printable(text if visible else f"{text} hidden")
        if not text or x1 < 0 or y1 < 0 or x0 > self._width or y0 > self._height:
            return
        text = text if len(text) <= LONGEST_TAG else text[: LONGEST_TAG - 1] + "…"
        letters, advance = text_path(text, "sans", self._size)
        pad, cap = self._size * 0.18, cap_height("sans", self._size)
        wide, high = advance + 2 * pad, cap + 2.6 * pad
        x, y = min(self._places(around, wide, high, beside))[1]
        box = (x, y, x + wide, y + high)
        self._full[self._cells(box)] += 8.0
        yield Shape(f"{name}-backing", "backing", rectangles([box]), Pen(fill="#FFFFFF", opacity=0.72))
        letters = letters.transform(Affine.translate(x + pad, y + 1.3 * pad + cap))
        yield Shape(f"{name}-tag", "tag", letters, Pen(fill=_darker(color)), {"text": text})

    def _places(
        self, around: Sequence[float], wide: float, high: float, beside: bool
    ) -> Iterator[tuple[float, tuple[float, float]]]:
        """(cost, top-left corner) of the places to try: at the sides, along the top, the bottom, inside."""
        x0, y0, x1, y1 = around
        xs = [x0 + share * max(0.0, x1 - x0 - wide) for share in _SHARES]
        ys = (y0 - GAP - high, y1 + GAP, y0 + GAP, y1 - GAP - high)
        sides = [(x, (y0 + y1 - high) / 2) for x in (x1 + GAP, x0 - GAP - wide)] if beside else []
        for rank, (left, top) in enumerate(sides + [(x, y) for y in ys for x in xs]):
            x, y = min(max(left, 0.0), self._width - wide), min(max(top, 0.0), self._height - high)
            covered = float(self._full[self._cells((x, y, x + wide, y + high))].sum())
            yield covered + 0.1 * rank + abs(x - left) + abs(y - top), (x, y)


def _dense_line(points: Points, pieces: int = 8) -> Points:
    """Points along a line through ``points``, NaN where it breaks."""
    step = np.diff(points, axis=0)[:, None] * (np.arange(pieces)[None, :, None] / pieces)
    along: Points = (points[:-1, None] + step).reshape(-1, 2)
    return along


def box_corners(box: tuple[float, float, float, float]) -> Points:
    """The corners (4, 2) of a box left, top, width, height."""
    x, y, wide, high = box
    return np.array([(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)])


def _darker(color: str) -> str:
    return "#" + "".join(f"{round(0.6 * c):02X}" for c in rgb(color))
