"""Highlighters: broad felt bands whose ink the print shows through."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
import shapely
from pydantic import Field
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Points
from ecgvec.components import Seed, registered
from ecgvec.graphics.nodes import Pen
from ecgvec.marks.base import MARKS, AddedMark, Board, Drawing
from ecgvec.marks.ink import Layer, drawing, measured, swept, wobble
from ecgvec.marks.places import ANY, Lead, Target, first_target
from ecgvec.warp.parts import generator

COLOURS = {"yellow": "#FFF000", "green": "#4CF02A", "pink": "#FF4FB0", "orange": "#FF9A1A"}
SLANT = 0.55  # of a chisel's end: mm along the band a mm across
BEYOND_MM = 1.5  # of a band, past the text that it marks
APART = 0.8  # of the band's width, from one pass to the next
STEP_MM = 0.8
POOL_MM = 1.1  # at the ends, where the felt rests and more ink runs out


@registered(MARKS)
class Highlighter(AddedMark):
    """A felt band ``width`` mm wide along ``length`` mm of a trace, a header line or a lead's name, in ``passes`` that
    lie half upon one another and are darker there. ``strength``: how much of the paper's colour one pass hides."""

    under: ClassVar[bool] = True

    kind: Literal["highlighter"] = "highlighter"
    on: Literal["stretch", "header", "name"] = "stretch"
    lead: Lead = ANY
    colour: Literal["yellow", "green", "pink", "orange"] = "yellow"
    tip: Literal["chisel", "round"] = "chisel"
    width: Annotated[float, Field(ge=1, le=12, allow_inf_nan=False)] = 4.5
    length: Annotated[float, Field(ge=5, le=250, allow_inf_nan=False)] = 38.0
    passes: Annotated[int, Field(ge=1, le=4)] = 2
    strength: Annotated[float, Field(ge=0.05, le=0.9, allow_inf_nan=False)] = 0.42
    seed: Seed = 0

    def drawn(self, board: Board) -> Drawing | None:
        """The band; None where there is nothing to mark."""
        rng = generator(self.seed)
        target = first_target(board, self.on, self.lead, self.length, rng)
        if target is None:
            return None
        pen = Pen(fill=COLOURS[self.colour], opacity=round(self.strength, 4))
        pool = Pen(fill=COLOURS[self.colour], opacity=round(0.45 * self.strength, 4))
        layers: list[Layer] = []
        first = self._middle(board, target) - (self.passes - 1) / 2 * APART * self.width
        tilt = rng.normal(0, 0.006)
        for number in range(self.passes):
            band, ends = self._band(rng, target, first + number * APART * self.width, tilt)
            layers += [(band, pen), (ends, pool)]
        return drawing(board, layers, trace=target.trace)

    def _middle(self, board: Board, target: Target) -> float:
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
        along = measured(line)
        half = self.width / 2 * (1 + 0.02 * wobble(rng, along, 9.0))
        if self.tip == "round":
            band = swept(line, 2 * half)
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
            return swept(way, np.full(2, 0.97 * self.width))
        half = np.array([SLANT, -1]) * self.width / 2
        return Polygon([way[0] + half, way[1] + half, way[1] - half, way[0] - half])
