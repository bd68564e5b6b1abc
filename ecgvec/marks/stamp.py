"""Rubber stamps: a frame, words and a date, in ink that took unevenly."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
import shapely
from pydantic import field_validator
from shapely import Polygon, affinity
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Float64Array
from ecgvec.components import Degrees, Seed, key, register
from ecgvec.geometry.outlines import cap_height, text_path
from ecgvec.geometry.path import MOVE
from ecgvec.graphics.shapes import Pen, printable
from ecgvec.marks.base import MARKS, AddedMark, Drawing, PageContext
from ecgvec.marks.strokes import Share, drawing, wobble
from ecgvec.warp.parts import generator

INKS = {"blue": "#2438A8", "red": "#C4202E", "violet": "#6A2C9A", "black": "#26262C"}
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
MADE_UP = "made-up"
EDGE_MM = 2.0  # from the paper's edge
STRAIGHT = 9  # characters that a round stamp holds across; more run along its rim
COATS = (0.66, 0.45)  # of both coats of a dense stamp: print beneath them can still be told
CELLS_A_MM = 1.8  # of the pattern in which ink takes more and less

Font = Literal["sans-bold", "serif-bold", "condensed", "mono"]


@register(MARKS)
class Stamp(AddedMark):
    """A rubber stamp: frame, words, date, in ink that took unevenly."""

    kind: Literal["stamp"] = "stamp"
    words: str = key("RECEIVED", "Words.", min_length=1, max_length=40)
    date: str = key(MADE_UP, "Date below the words; `made-up` for one of chance, empty for none.", max_length=20)
    shape: Literal["rectangle", "round"] = key("rectangle", "Shape of the frame.")
    font: Font = key("sans-bold", "Font.")
    color: Literal["blue", "red", "violet", "black"] = key("blue", "Colour of the ink.")
    x: Share = key(0.8, "Place, as a share of the page's width.")
    y: Share = key(0.86, "Place, as a share of the page's height.")
    size: float = key(40.0, "Width.", "mm", ge=12, le=120)
    angle: Degrees = key(5.0, "Angle, counter-clockwise.")
    uneven: Share = key(0.4, "How much of the ink did not take.")
    strength: float = key(0.75, "How dense the rest is.", ge=0.1, le=1)
    seed: Seed = 0

    @field_validator("words")
    @classmethod
    def _seen(cls, words: str) -> str:
        if not printable(words):
            raise ValueError("holds nothing that can be printed")
        return words

    def draw(self, board: PageContext) -> Drawing | None:
        """The stamp; None where it is larger than the paper."""
        rng = generator(self.seed)
        words, date = printable(self.words), self._date(rng)
        rubber, frame = (_round if self.shape == "round" else _rectangle)(words, date, self.font, self.size)
        rubber, frame = (affinity.rotate(area, -self.angle, origin=(0, 0)) for area in (rubber, frame))
        place = self._place(board, frame)
        if place is None:
            return None
        coats = [affinity.translate(area, *place) for area in self._coats(rng, rubber)]
        around = affinity.translate(shapely.union(frame, rubber), *place)
        first, second = (self.strength * coat for coat in COATS)
        layers = [
            (area, Pen(fill=INKS[self.color], opacity=round(opacity, 4)))
            for area, opacity in zip(coats, (first, second), strict=True)
        ]
        return drawing(board, layers, around=around, text=" ".join([words, *([date] if date else [])]))

    def _date(self, rng: np.random.Generator) -> str:
        day, month, year = rng.integers(1, 29), rng.integers(12), rng.integers(2008, 2025)
        return f"{day:02d} {MONTHS[month]} {year}" if self.date == MADE_UP else printable(self.date)

    def _place(self, board: PageContext, frame: BaseGeometry) -> tuple[float, float] | None:
        """Where its middle comes to lie, mm, so that all of it is on the paper."""
        sides = np.array([board.layout.width, board.layout.height])
        x0, y0, x1, y1 = frame.bounds
        low, high = np.array([EDGE_MM - x0, EDGE_MM - y0]), sides - EDGE_MM - (x1, y1)
        if (low > high).any():
            return None
        x, y = np.clip(np.array([self.x, self.y]) * sides, low, high)
        return float(x), float(y)

    def _coats(self, rng: np.random.Generator, rubber: BaseGeometry) -> tuple[BaseGeometry, BaseGeometry]:
        """Where any ink took, and where more of it did: a pad leaves thin patches, and the paper's fibres leave specks
        bare."""
        x0, y0, x1, y1 = rubber.bounds
        pressed = _field(rng, (x0, y0, x1, y1))
        specks = shapely.polygons(_specks(rng, _scattered(rng, rubber, pressed, self.uneven)))
        # Most of them lie alone, which makes this ten times as fast as a union of all.
        bare = shapely.disjoint_subset_union_all(shapely.buffer(specks, 0))
        thick = pressed.above(-0.9 + 1.4 * self.uneven)
        worn = pressed.above(-3.6 + 2.4 * self.uneven)
        took = shapely.difference(shapely.intersection(rubber, worn), bare)
        return took, shapely.intersection(took, thick).buffer(-0.03)


class _Pressed:
    """How strongly each place of a stamp was pressed: unit noise ``values`` (rows, columns) from ``corner`` on, cells
    ``step`` mm wide."""

    def __init__(self, values: Float64Array, corner: tuple[float, float], step: float) -> None:
        self.values, self.corner, self.step = values, corner, step

    def above(self, level: float) -> BaseGeometry:
        """Where the noise is above ``level``."""
        high = self.values > level
        nearly_all = bool(high.mean() > 0.9)  # then what is left out is quicker to put together
        rows, columns = np.nonzero(high != nearly_all)
        # Neighbours share their edges to the last bit: what only nearly meets costs a hundred times as much.
        x = self.corner[0] + np.arange(self.values.shape[1] + 1) * self.step
        y = self.corner[1] + np.arange(self.values.shape[0] + 1) * self.step
        area = shapely.coverage_union_all(shapely.box(x[columns], y[rows], x[columns + 1], y[rows + 1]))
        if nearly_all:
            area = shapely.difference(shapely.box(x[0], y[0], x[-1], y[-1]), area)
        soft = 0.7 * self.step
        whole = area.buffer(soft, join_style="bevel").simplify(0.2 * self.step)
        return whole.buffer(-2 * soft, join_style="bevel").buffer(soft, quad_segs=2)

    def at(self, points: Float64Array) -> Float64Array:
        """The noise at ``points`` (n, 2)."""
        column, row = ((points - self.corner) / self.step).astype(np.intp).T
        found = self.values[np.clip(row, 0, len(self.values) - 1), np.clip(column, 0, self.values.shape[1] - 1)]
        return np.asarray(found)


def _field(rng: np.random.Generator, box: tuple[float, float, float, float]) -> _Pressed:
    """Clouds some 4 to 15 mm wide, and one side that was pressed less."""
    x0, y0, x1, y1 = box
    step = 1 / CELLS_A_MM
    columns, rows = (int(np.ceil((b - a) / step)) + 1 for a, b in ((x0, x1), (y0, y1)))
    x, y = np.arange(columns) * step, np.arange(rows) * step
    total = np.zeros((rows, columns))
    for length in (5.0, 11.0):
        for way in rng.uniform(0, np.pi, 4):
            along = x[None] * np.cos(way) + y[:, None] * np.sin(way)
            total += wobble(rng, along.ravel(), length).reshape(total.shape)
    lean = rng.uniform(0, 2 * np.pi)
    right, down = ((way - way.mean()) / max(way[-1], 1.0) for way in (x, y))
    total = total / total.std() + 1.4 * (right[None] * np.cos(lean) + down[:, None] * np.sin(lean))
    return _Pressed(total, (x0, y0), step)


def _scattered(rng: np.random.Generator, rubber: BaseGeometry, pressed: _Pressed, uneven: float) -> Float64Array:
    """Places (n, 2) that stay bare, more of them where the stamp was pressed less."""
    x0, y0, x1, y1 = rubber.bounds
    points = rng.uniform((x0, y0), (x1, y1), (int((x1 - x0) * (y1 - y0) * 9 * uneven), 2))
    kept = rng.random(len(points)) < np.clip(0.45 - 0.4 * pressed.at(points), 0.04, 1)
    near = points[kept]
    shapely.prepare(rubber)
    return np.asarray(near[shapely.dwithin(rubber, shapely.points(near), 0.2)])


def _specks(rng: np.random.Generator, places: Float64Array) -> Float64Array:
    """The rings (n, 7, 2) around bare specks of no regular shape at ``places`` (n, 2)."""
    drawn = [(rng.uniform(0, 2 * np.pi, 7), rng.lognormal(0, 0.5), rng.uniform(0.5, 1.3, 7)) for _ in places]
    angle, size, shape = (np.array(some) for some in zip(*drawn, strict=True)) if drawn else np.empty((3, 0, 7))
    angle, radius = np.sort(angle), 0.13 * size.reshape(-1, 1) * shape
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1) + places[:, None]


@lru_cache(256)  # the same words are stamped again and again
def _letters(text: str, font: str, size: float) -> tuple[BaseGeometry, float]:
    """``text`` as an area, its baseline from (0, 0) on; and its width, mm."""
    path, advance = text_path(text, font, size)
    flat = path.flatten()
    starts = np.flatnonzero(flat.codes == MOVE)
    counts = np.add.reduceat(flat.codes != 3, starts) if len(starts) else np.empty(0, dtype=int)
    area: BaseGeometry = Polygon()
    for ring in np.split(flat.points, np.cumsum(counts)[:-1]):
        if len(ring) > 2:
            area = shapely.symmetric_difference(area, shapely.make_valid(Polygon(ring)))
    return area, advance


def _fitted(text: str, font: str, width: float, height: float) -> BaseGeometry:
    """``text`` around (0, 0), as large as ``width`` and a height of its capitals of ``height`` mm allow."""
    area, advance = _letters(text, font, 10.0)
    cap = cap_height(font, 10.0)
    scale = min(width / advance, height / cap)
    return affinity.scale(affinity.translate(area, -advance / 2, cap / 2), scale, scale, origin=(0, 0))


def _rectangle(words: str, date: str, font: str, size: float) -> tuple[BaseGeometry, BaseGeometry]:
    """The rubber of a framed stamp around (0, 0), and the area within its frame."""
    line = 0.022 * size
    inner = size - 6 * line
    text = _fitted(words, font, inner - 2 * line, 0.17 * size)
    wide = 0.5 * inner if len(date) < 12 else 0.7 * inner
    day = _fitted(date, "mono", wide, 0.085 * size) if date else Polygon()
    high = text.bounds[3] - text.bounds[1]
    low = day.bounds[3] - day.bounds[1] if date else 0.0
    gap = 0.055 * size
    height = high + (low + gap if date else 0) + 2 * gap + 4 * line
    frame = shapely.box(-size / 2 + line, -height / 2 + line, size / 2 - line, height / 2 - line).buffer(line)
    top = -height / 2 + 2 * line + gap
    text = affinity.translate(text, 0, top - text.bounds[1])
    if date:
        day = affinity.translate(day, 0, height / 2 - 2 * line - gap - day.bounds[3])
    border = frame.difference(frame.buffer(-line))
    return shapely.union_all([border, text, day]), frame


def _round(words: str, date: str, font: str, size: float) -> tuple[BaseGeometry, BaseGeometry]:
    """The rubber of a round stamp around (0, 0), and the area within its rim."""
    line, radius = 0.02 * size, size / 2
    frame = shapely.Point(0, 0).buffer(radius, quad_segs=32)
    parts = [frame.difference(frame.buffer(-line))]
    cap = 0.105 * size
    if len(words) <= STRAIGHT:
        inner = frame.buffer(-0.07 * size)
        parts.append(inner.difference(inner.buffer(-0.5 * line)))
        parts.append(affinity.translate(_fitted(words, font, 1.45 * radius, 0.17 * size), 0, -0.1 * size * bool(date)))
        if date:
            parts.append(affinity.translate(_fitted(date, "mono", 1.2 * radius, 0.08 * size), 0, 0.16 * size))
        return shapely.union_all(parts), frame
    inner = frame.buffer(-0.2 * size)
    parts.append(inner.difference(inner.buffer(-0.6 * line)))
    parts += _on_arc(words, font, cap, radius - 0.06 * size - cap)
    if date:
        parts.append(_fitted(date, "mono", 0.92 * (radius - 0.2 * size) * 2 * 0.9, 0.1 * size))
    parts.append(shapely.Point(0, 0.38 * size).buffer(0.018 * size))  # where the words begin and end
    return shapely.union_all(parts), frame


def _on_arc(words: str, font: str, cap: float, radius: float) -> list[BaseGeometry]:
    """``words`` with their feet on a circle around (0, 0), their middle at the top."""
    size = 10.0 * cap / cap_height(font, 10.0)
    widths = [text_path(letter, font, size)[1] * 1.06 for letter in words]
    squeezed = min(1.0, 1.75 * np.pi * radius / sum(widths))  # some room is left below
    at = (np.cumsum(widths) - np.array(widths) / 2 - sum(widths) / 2) * squeezed
    found = []
    for letter, width, place in zip(words, widths, at, strict=True):
        area, _ = _letters(letter, font, size)
        area = affinity.translate(area, -width / 2 / 1.06, 0)
        area = affinity.translate(affinity.scale(area, squeezed, 1, origin=(0, 0)), 0, -radius)
        found.append(affinity.rotate(area, np.degrees(place / radius), origin=(0, 0)))
    return found
