"""Bars over the print: what somebody made illegible."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
import shapely
from pydantic import Field
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Points
from ecgvec.components import Degrees, Seed, registered
from ecgvec.graphics.nodes import Pen
from ecgvec.layout.place import Box
from ecgvec.marks.base import MARKS, AddedMark, Board, Drawing
from ecgvec.marks.ink import Share, drawing, swept, wobble
from ecgvec.warp.parts import generator

BLACK, SOAKED = "#0A0A0A", "#151419"  # of a bar; of a marker's ink where it went but once
MARGIN_MM = (1.2, 0.7)  # of a bar around a line of text, to the sides and above
NEXT_LINE_MM = 8.0  # between two lines that are hidden together
MARKER_MM = 4.2  # width of a marker's tip


@registered(MARKS)
class Redaction(AddedMark):
    """A black bar, ``width`` x ``height`` mm, whose middle lies at the shares ``x`` and ``y`` of the page, or over the
    first ``lines`` of the header, where the patient's name stands; ``angle`` degrees counter-clockwise. A marker fills
    it with a few strokes, whose edges are not straight."""

    opaque: ClassVar[bool] = True

    kind: Literal["redaction"] = "redaction"
    over: Literal["place", "header"] = "place"
    look: Literal["digital", "marker"] = "digital"
    x: Share = 0.2
    y: Share = 0.05
    width: Annotated[float, Field(gt=0, le=400, allow_inf_nan=False)] = 40.0
    height: Annotated[float, Field(gt=0, le=400, allow_inf_nan=False)] = 8.0
    lines: Annotated[int, Field(ge=1, le=6)] = 2
    angle: Degrees = 0.0
    seed: Seed = 0

    def drawn(self, board: Board) -> Drawing | None:
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

    def _place(self, board: Board) -> Box:
        x, y = self.x * board.layout.width, self.y * board.layout.height
        return Box(x - self.width / 2, y - self.height / 2, x + self.width / 2, y + self.height / 2)

    def _header(self, board: Board) -> list[Box]:
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
            strokes.append(swept(placed(line), tip * (1 + 0.035 * wobble(rng, x, 5.0)) + 0.15))
        return shapely.union_all(strokes)


def _one(area: BaseGeometry) -> BaseGeometry:
    """The largest piece of an area, its holes filled: what a single ring can tell."""
    pieces = [part for part in shapely.get_parts(area) if isinstance(part, Polygon)]
    return Polygon(max(pieces, key=lambda piece: piece.area).exterior)
