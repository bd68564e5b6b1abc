"""Redactions: black bars, and lines of a felt-tip pen."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Points
from ecgvec.components import Degrees, Seed, key, register
from ecgvec.geometry.path import Box
from ecgvec.graphics.shapes import Pen
from ecgvec.marks.base import MARKS, AddedMark, Drawing, PageContext
from ecgvec.marks.places import ANY, Lead, Target, first_target
from ecgvec.marks.strokes import Layer, Share, drawing, measure_along, sweep, wobble
from ecgvec.warp.parts import generator

BLACK, SOAKED = "#0A0A0A", "#151419"  # of a bar; of a marker's ink where it went but once
MARGIN_MM = (1.2, 0.7)  # of a bar around a line of text, to the sides and above
NEXT_LINE_MM = 8.0  # between two lines that are hidden together
MARKER_MM = 4.2  # width of a marker's tip


@register(MARKS)
class Redaction(AddedMark):
    """A black bar at a place, or over the header's first lines, where the patient stands; crisp, or filled with a
    marker.

    A marker fills it with a few strokes, whose edges are not straight.
    """

    opaque: ClassVar[bool] = True

    kind: Literal["redaction"] = "redaction"
    over: Literal["place", "header"] = key("place", "At a place, or over the header.")
    look: Literal["digital", "marker"] = key("digital", "Crisp, or filled with a marker.")
    x: Share = key(0.2, "Place, as a share of the page's width.")
    y: Share = key(0.05, "Place, as a share of the page's height.")
    width: float = key(40.0, "Width.", "mm", gt=0, le=400)
    height: float = key(8.0, "Height.", "mm", gt=0, le=400)
    lines: int = key(2, "Lines of the header that it hides.", ge=1, le=6)
    angle: Degrees = key(0.0, "Angle, counter-clockwise.")
    seed: Seed = 0

    def draw(self, board: PageContext) -> Drawing | None:
        """The bar; None where there is no header to hide."""
        boxes = self._header(board) if self.over == "header" else [self._place(board)]
        if not boxes:
            return None
        rng = generator(self.seed)
        bars = [self._bar(rng, box) for box in boxes]
        if self.look == "digital":
            return drawing(board, [(_one(shapely.union_all(bars)), Pen(fill=BLACK))])
        dense = shapely.union_all([bar.buffer(-0.35) for bar in bars])
        return drawing(board, [(_one(shapely.union_all(bars)), Pen(fill=SOAKED)), (dense, Pen(fill=BLACK))])

    def _place(self, board: PageContext) -> Box:
        x, y = self.x * board.layout.width, self.y * board.layout.height
        return Box(x - self.width / 2, y - self.height / 2, x + self.width / 2, y + self.height / 2)

    def _header(self, board: PageContext) -> list[Box]:
        """The first lines of the header's first block, each with a margin that reaches the next."""
        found = list(board.header[:1])
        for box in board.header[1:]:
            near = found and 0 < box.y0 - found[-1].y0 < NEXT_LINE_MM and abs(box.x0 - found[0].x0) < 1.0
            found += [box] if near and len(found) < self.lines else []
        side, above = MARGIN_MM
        reach = [*(below.y0 for below in found[1:]), *(box.y1 + above for box in found[-1:])]
        return [
            Box(box.x0 - side, box.y0 - above, box.x1 + side, max(end, box.y1 + above))
            for box, end in zip(found, reach, strict=True)
        ]

    def _bar(self, rng: np.random.Generator, box: Box) -> BaseGeometry:
        """The area (mm) that hides ``box``."""
        turn = np.radians(self.angle)
        along, down = np.array([np.cos(turn), -np.sin(turn)]), np.array([np.sin(turn), np.cos(turn)])
        middle = np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2
        size = np.array([box.x1 - box.x0, box.y1 - box.y0])

        def placed(points: Points) -> Points:
            return np.asarray(middle + points[:, :1] * along + points[:, 1:] * down)

        if self.look == "digital":
            corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) / 2 * size
            return Polygon(placed(corners))
        tip = min(MARKER_MM, size[1])
        rows = max(1, int(np.ceil((size[1] - tip) / (0.72 * tip))) + 1)
        strokes = []
        for y in np.linspace(-(size[1] - tip) / 2, (size[1] - tip) / 2, rows):
            reach = max(0.2, (size[0] - tip) / 2) + rng.uniform(0.1, 1.3, 2)
            x = np.linspace(-reach[0], reach[1], max(3, int(size[0] / 0.8)))
            line = np.column_stack([x, y + 0.16 * wobble(rng, x, 24.0) + rng.normal(0, 0.006) * x])
            strokes.append(sweep(placed(line), tip * (1 + 0.035 * wobble(rng, x, 5.0)) + 0.15))
        return shapely.union_all(strokes)


def _one(area: BaseGeometry) -> BaseGeometry:
    """The largest piece of an area, its holes filled: what a single ring can tell."""
    pieces = [part for part in shapely.get_parts(area) if isinstance(part, Polygon)]
    return Polygon(max(pieces, key=lambda piece: piece.area).exterior)


COLORS = {"yellow": "#FFF000", "green": "#4CF02A", "pink": "#FF4FB0", "orange": "#FF9A1A"}
SLANT = 0.55  # of a chisel's end: mm along the band a mm across
BEYOND_MM = 1.5  # of a band, past the text that it marks
APART = 0.8  # of the band's width, from one pass to the next
STEP_MM = 0.8
POOL_MM = 1.1  # at the ends, where the felt rests and more ink runs out


@register(MARKS)
class Highlighter(AddedMark):
    """Felt bands below the print, along a trace, a header line or a lead's name.

    The bands of several passes lie half upon one another and are darker there.
    """

    under: ClassVar[bool] = True

    kind: Literal["highlighter"] = "highlighter"
    on: Literal["stretch", "header", "name"] = key("stretch", "What is marked.")
    lead: Lead = key(ANY, "The only lead that is marked, or any.")
    color: Literal["yellow", "green", "pink", "orange"] = key("yellow", "Colour.")
    tip: Literal["chisel", "round"] = key("chisel", "Tip of the pen.")
    width: float = key(4.5, "Width of a band.", "mm", ge=1, le=12)
    length: float = key(38.0, "Length on a trace.", "mm", ge=5, le=250)
    passes: int = key(2, "How many bands.", ge=1, le=4)
    strength: float = key(0.42, "How much of the paper's colour one pass hides.", ge=0.05, le=0.9)
    seed: Seed = 0

    def draw(self, board: PageContext) -> Drawing | None:
        """The band; None where there is nothing to mark."""
        rng = generator(self.seed)
        target = first_target(board, self.on, self.lead, self.length, rng)
        if target is None:
            return None
        pen = Pen(fill=COLORS[self.color], opacity=round(self.strength, 4))
        pool = Pen(fill=COLORS[self.color], opacity=round(0.45 * self.strength, 4))
        layers: list[Layer] = []
        first = self._middle(board, target) - (self.passes - 1) / 2 * APART * self.width
        tilt = rng.normal(0, 0.006)
        for number in range(self.passes):
            band, ends = self._band(rng, target, first + number * APART * self.width, tilt)
            layers += [(band, pen), (ends, pool)]
        return drawing(board, layers, trace=target.trace)

    def _middle(self, board: PageContext, target: Target) -> float:
        """The height of the band: along a trace that of most of it, not of its peaks."""
        box = target.box
        if target.trace is None or self.on == "name":
            return (box.y0 + box.y1) / 2
        x, y = board.traces[target.trace].points.T
        return float(np.nanmedian(y[(x >= box.x0) & (x <= box.x1)]))

    def _band(
        self, rng: np.random.Generator, target: Target, y: float, tilt: float
    ) -> tuple[BaseGeometry, BaseGeometry]:
        """One pass, and the parts of it where the felt rested."""
        more = BEYOND_MM + rng.uniform(-0.5, 0.9, 2)
        x0, x1 = target.box.x0 - more[0], target.box.x1 + more[1]
        x = np.linspace(x0, x1, max(4, int((x1 - x0) / STEP_MM)))
        line = np.column_stack([x, y + tilt * (x - x.mean()) + 0.22 * wobble(rng, x, 45.0)])
        along = measure_along(line)
        half = self.width / 2 * (1 + 0.02 * wobble(rng, along, 9.0))
        if self.tip == "round":
            band = sweep(line, 2 * half)
        else:
            ragged = [0.05 * wobble(rng, along, 3.5) for _ in range(2)]
            slant = SLANT * half
            upper = np.column_stack([x + slant, line[:, 1] - half + ragged[0]])
            lower = np.column_stack([x - slant, line[:, 1] + half + ragged[1]])
            band = Polygon(np.concatenate([upper, lower[::-1]])).buffer(0).buffer(-0.25).buffer(0.25)
        pool = np.array([[POOL_MM - 0.3, 0.0]])
        left, right = line[:1] + pool, line[-1:] - pool
        rest = shapely.union_all(
            [self._rest(np.concatenate([line[:1], left])), self._rest(np.concatenate([right, line[-1:]]))]
        )
        return band, shapely.intersection(band, rest)

    def _rest(self, way: Points) -> BaseGeometry:
        """Where the tip stood at an end of the band, moving along ``way`` (2, 2)."""
        if self.tip == "round":
            return sweep(way, np.full(2, 0.97 * self.width))
        half = np.array([SLANT, -1]) * self.width / 2
        return Polygon([way[0] + half, way[1] + half, way[1] - half, way[0] - half])
