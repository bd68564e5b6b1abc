"""Bars over the print: what somebody made illegible."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from ecgvec.drawing.nodes import Pen
from ecgvec.geometry.path import polyline
from ecgvec.marks.base import MARKS, AddedMark, Board, Drawing
from ecgvec.parts import Degrees, registered

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@registered(MARKS)
class Redaction(AddedMark):
    """A black bar, ``width`` x ``height`` mm, whose middle lies at the shares ``x`` and ``y`` of the page; ``angle``
    degrees counter-clockwise."""

    opaque: ClassVar[bool] = True

    kind: Literal["redaction"] = "redaction"
    x: Share = 0.2
    y: Share = 0.05
    width: Annotated[float, Field(gt=0, le=400, allow_inf_nan=False)] = 40.0
    height: Annotated[float, Field(gt=0, le=400, allow_inf_nan=False)] = 8.0
    angle: Degrees = 0.0

    def drawn(self, board: Board) -> Drawing:
        """The bar."""
        turn = np.radians(self.angle)
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) / 2 * (self.width, self.height)
        along, down = np.array([np.cos(turn), -np.sin(turn)]), np.array([np.sin(turn), np.cos(turn)])
        middle = np.array([self.x * board.layout.width, self.y * board.layout.height])
        ring = np.round(middle + corners[:, :1] * along + corners[:, 1:] * down, 6)
        return Drawing(((polyline(ring, closed=True), Pen(fill="#0A0A0A")),), ring)
