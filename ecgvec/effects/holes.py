"""Holes punched for filing, and where the sheet has been torn out of its rings."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import shapely
from pydantic import Field
from shapely import Point, Polygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Float64Array, Points
from ecgvec.components import Seed, registered
from ecgvec.effects.base import EFFECTS, View
from ecgvec.effects.edges import bare_fibres, on_sheet, over, rough
from ecgvec.effects.layers import Covering, Layers
from ecgvec.effects.lost import filled, way_to
from ecgvec.effects.paper import Share
from ecgvec.warp.parts import Paper, generator

PITCH_MM = {2: 80.0, 3: 108.0, 4: 80.0}  # ISO 838, and the three rings of North America (4 1/4 inches)
STEP_MM = 0.15  # between points of a torn hole's rim
RIM_MM = 0.16  # of the cut paper's edge and the shadow in it
CUT_SHADE, PRESSED_SHADE = 0.28, 0.07  # of the light that both take
PRESSED_MM = 0.7  # around a hole the punch has bent the paper down


@registered(EFFECTS)
class PunchHoles(Covering):
    """``count`` holes along an ``edge``, ``diameter`` mm wide and their middles ``margin`` mm from it: two 80 mm apart
    (ISO 838), three 108 mm (North America), or four 80 mm. They lie off their places by some ``off`` mm; ``torn`` of
    them are torn out to the edge. ``rim``: how much of the hole's cut edge and bent rim is seen."""

    kind: Literal["punch-holes"] = "punch-holes"
    count: Literal[2, 3, 4] = 2
    edge: Literal["left", "right", "top", "bottom"] = "left"
    diameter: Annotated[float, Field(ge=3, le=10, allow_inf_nan=False)] = 6.0
    margin: Annotated[float, Field(ge=5, le=40, allow_inf_nan=False)] = 12.0
    off: Annotated[float, Field(ge=0, le=20, allow_inf_nan=False)] = 2.0
    torn: Annotated[int, Field(ge=0, le=4)] = 0
    rim: Share = 0.6
    seed: Seed = 0

    def missing(self, paper: Paper) -> BaseGeometry:
        """The holes, and what was torn out."""
        return shapely.union_all([hole for hole, _ in self._holes(paper)])

    def hidden(self, view: View) -> BaseGeometry:
        """The white fibres along the rims of what was torn out."""
        return shapely.union_all([ply for _, ply in self._holes(view.paper)])

    def least_left(self) -> float:
        """What is seen in the shade of their rims."""
        return 1 - self.rim * (CUT_SHADE + PRESSED_SHADE)

    def lay(self, layers: Layers, scale: float, paper: Paper) -> None:
        """The rims of its holes."""
        holes = self._holes(paper)
        for (hole, ply), rng in zip(holes, generator(self.seed).spawn(len(holes)), strict=True):
            patch = over(layers, scale, hole, 3 * PRESSED_MM)
            if not patch:
                continue
            if not ply.is_empty:
                bare_fibres(layers, scale, hole, ply, rng)
            away = way_to(filled(hole, patch, scale), scale)
            right, down = patch.offsets(hole.centroid.x, hole.centroid.y)
            side = (right + down) / np.maximum(np.hypot(right, down), 1) / np.sqrt(2)  # light from the upper left
            cut = CUT_SHADE * np.exp(-((away / np.float32(RIM_MM)) ** 2))
            pressed = PRESSED_SHADE * np.exp(-away / np.float32(PRESSED_MM)) * (0.5 - 0.5 * side)
            layers.shade(patch, 1 - self.rim * (cut + pressed))

    def _middles(self, paper: Paper, rng: np.random.Generator) -> tuple[Points, Float64Array]:
        """The middles (count, 2) of the holes in page mm, and the unit vector (2,) to the edge."""
        upright = self.edge in ("left", "right")
        length = paper.height if upright else paper.width
        along = length / 2 + PITCH_MM[self.count] * (np.arange(self.count) - (self.count - 1) / 2)
        askew = np.clip(rng.normal(0, 1, 3), -2, 2) * self.off * np.array([1.0, 0.4, 0.5])
        deep = self.margin + askew[1] + askew[2] * (along - length / 2) / length
        along = along + askew[0]
        if self.edge in ("right", "bottom"):
            deep = (paper.width if upright else paper.height) - deep
        outward = -1.0 if self.edge in ("left", "top") else 1.0
        places = np.column_stack([deep, along] if upright else [along, deep])
        return places, np.array([outward, 0.0] if upright else [0.0, outward])

    def _holes(self, paper: Paper) -> list[tuple[BaseGeometry, BaseGeometry]]:
        """Each hole on the sheet, and what of its printed side is gone beyond it, empty if it is whole."""
        rng = generator(self.seed)
        middles, outward = self._middles(paper, rng)
        torn = rng.permutation(self.count)[: self.torn]
        found = []
        for number, middle in enumerate(middles):
            hole = on_sheet(Point(middle).buffer(self.diameter / 2, quad_segs=24), paper)
            ply: BaseGeometry = Polygon()
            if number in torn:
                rip, ply = (on_sheet(part, paper) for part in self._rip(middle, outward, rng))
                hole = shapely.union(hole, rip)
            if not hole.is_empty:
                found.append((hole, ply))
        return found

    def _rip(self, middle: Points, outward: Float64Array, rng: np.random.Generator) -> tuple[Polygon, Polygon]:
        """What a ring has torn out between a hole and the edge, and what of the printed side went with it."""
        far = np.arange(0.0, self.margin + 3 * self.off + 3, STEP_MM)
        across = np.array([-outward[1], outward[0]])
        inner: list[Points] = []
        outer: list[Points] = []
        for side in (-1.0, 1.0):
            half = 0.42 * self.diameter + rng.uniform(-0.12, 0.3) * far + 0.45 * rough(rng, far, 8, 0.3, 0.8)
            half = np.maximum(half, 0.4)
            lip = np.clip(0.6 + 0.5 * rough(rng, far, 5, 0.3, 0.5), 0.05, 1.6) * np.clip(far / 2 - 0.6, 0, 1)
            for lines, wide in ((inner, half), (outer, half + lip)):
                lines.append(middle + np.outer(far, outward) + np.outer(side * wide, across))
        return Polygon(np.vstack([inner[0], inner[1][::-1]])), Polygon(np.vstack([outer[0], outer[1][::-1]]))
