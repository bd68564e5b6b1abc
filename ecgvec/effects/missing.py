"""Paper that is gone: torn and burnt edges, punched holes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import shapely
from pydantic import Field
from shapely import Point, Polygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Float32Array, Float64Array, Points
from ecgvec.components import Seed, key, register
from ecgvec.effects.base import EFFECTS, EffectContext
from ecgvec.effects.color import Dye
from ecgvec.effects.layers import Covering, Layers, distance_to_mask, rasterize_coverage
from ecgvec.effects.paper import Share
from ecgvec.effects.texture import Clouds, Patch, Shaped, cut_tile, fine_noise
from ecgvec.warp.parts import Paper, generator

Edge = Literal[
    "top", "right", "bottom", "left", "top-left", "top-right", "bottom-right", "bottom-left"
]  # or a corner of the sheet
Depth = Annotated[float, Field(ge=0, le=150, allow_inf_nan=False, json_schema_extra={"unit": "mm"})]

STEP_MM = 0.12  # between points of an outline
BEYOND_MM = 40.0  # outlines reach so far past the sheet
CORE: Float64Array = np.array([250.0, 248.0, 243.0])  # sRGB of paper inside
LIP_MM = 0.4  # of the print that stands up a little where it is torn
SCORCHED: Dye = (1.05, 1.75, 2.5)
TANNED: Dye = (0.22, 0.5, 1.05)
BROWNEST = SCORCHED[0] + TANNED[0]  # absorbance of red, which passes best
CHAR: Float64Array = np.array([33.0, 28.0, 26.0])  # sRGB
ASH: Float64Array = np.array([104.0, 98.0, 92.0])
CHAR_SOFT_MM = 0.9  # over which charred paper ends


@dataclass(frozen=True, eq=False)
class Front:
    """The line along which something has eaten into the sheet: from ``origin`` mm, ``along`` and ``inward`` unit
    vectors (2,), the places ``s`` (n,) mm along it."""

    origin: Float64Array
    along: Float64Array
    inward: Float64Array
    s: Float64Array

    @classmethod
    def at(cls, edge: Edge, paper: Paper, rng: np.random.Generator, depth: float) -> Front:
        """Along an edge, whose points lie at depth 0, or across a corner, which it leaves ``depth`` mm behind."""
        down, right = ("bottom" in edge), ("right" in edge)
        corner = np.array([paper.width * right, paper.height * down])
        turn = rng.uniform(-0.35, 0.35)
        if "-" in edge:
            inward = np.array([-1.0 if right else 1.0, -1.0 if down else 1.0]) / np.sqrt(2)
            c, s = np.cos(turn), np.sin(turn)
            inward = np.array([c * inward[0] - s * inward[1], s * inward[0] + c * inward[1]])
            origin, reach = corner + 0.0, 3 * depth + BEYOND_MM
        else:
            inward = {"top": (0, 1), "bottom": (0, -1), "left": (1, 0), "right": (-1, 0)}[edge] + np.zeros(2)
            origin, reach = corner * np.abs(inward) + paper.centre * (1 - np.abs(inward)), BEYOND_MM
            reach += paper.reach(inward[::-1])
        return cls(origin, np.array([inward[1], -inward[0]]), inward, np.arange(-reach, reach, STEP_MM))

    def beyond(self, depths: Float64Array) -> Polygon:
        """What lies between the line at ``depths`` (n,) mm from the edge and a place far outside, page mm."""
        line = self.origin + np.outer(self.s, self.along) + np.outer(depths, self.inward)
        outside = self.origin - 3 * BEYOND_MM * self.inward
        ends = [outside + self.s[-1] * self.along, outside + self.s[0] * self.along]
        return Polygon(np.vstack([line, ends]))


def rough(
    rng: np.random.Generator, s: Float64Array, longest: float, shortest: float, slope: float = 0.85
) -> Float64Array:
    """Noise (n,) along a line at places ``s`` (n,) mm, about 1 in all: kinks at every scale between two lengths in mm,
    a scale's weight its length to the power of ``slope`` (a tear is a fractal: Bouchaud 1997)."""
    found, total, length = np.zeros(len(s)), 0.0, longest
    while length >= shortest:
        count = int((s[-1] - s[0]) / length) + 4
        at = s[0] + length * (np.arange(count) - 1 + rng.uniform(-0.3, 0.3, count))
        weight = length**slope
        found += weight * np.interp(s, at, rng.uniform(-1.7, 1.7, count))
        total, length = total + weight**2, length / 2
    return np.asarray(found / np.sqrt(total))


def on_sheet(shape: BaseGeometry, paper: Paper) -> BaseGeometry:
    """What of a shape lies on the sheet, or not more than 1 mm off it."""
    return shapely.intersection(shapely.make_valid(shape), shapely.box(-1, -1, paper.width + 1, paper.height + 1))


def patch_around(page: Shaped, scale: float, shape: BaseGeometry, more: float) -> Patch:
    """The patch of the page that holds a shape and ``more`` mm around it."""
    x0, y0, x1, y1 = shapely.bounds(shape)
    return Patch.over(page, scale, (x0 - more, y0 - more, x1 + more, y1 + more))


def bare_fibres(layers: Layers, scale: float, gone: BaseGeometry, ply: BaseGeometry, rng: np.random.Generator) -> None:
    """Paper torn open: its white inside where ``ply``, the printed side, is gone, with the shadow of the ply's edge on
    it, ever thinner towards what is ``gone`` altogether."""
    patch = patch_around(layers, scale, ply, 3 * LIP_MM)
    if not patch:
        return
    share, lost = rasterize_coverage(ply, patch, scale), rasterize_coverage(gone, patch, scale)
    to_print, to_rim = distance_to_mask(1 - share, scale), distance_to_mask(lost, scale)
    fuzz = cut_tile(fine_noise(rng, scale, 0.3, 0.06, rng.uniform(0, np.pi)), patch)
    fuzz = fuzz + cut_tile(fine_noise(rng, scale, 0.3, 0.06, rng.uniform(0, np.pi)), patch)
    light = 0.985 + 0.022 * np.clip(fuzz, -2.5, 2.5)
    light -= 0.13 * np.exp(-to_print / np.float32(0.14)) + (0.1 + 0.07 * fuzz) * np.exp(-to_rim / np.float32(0.16))
    lip = 0.05 * np.exp(-distance_to_mask(share, scale) / np.float32(LIP_MM))
    layers.shade(patch, 1 - lip)
    layers.paint(patch, share, np.clip(light, 0.55, 1)[..., None] * CORE)


@register(EFFECTS)
class TornEdge(Covering):
    """A strip or a corner torn off, with a rim of white fibres where the printed side is gone."""

    kind: Literal["torn-edge"] = "torn-edge"
    edge: Edge = key("right", "Where it is torn.")
    depth: Depth = key(12.0, "Mean depth of the tear.")
    rim: float = key(1.0, "Mean width of the white fibres.", "mm", ge=0, le=5)
    seed: Seed = 0

    def missing(self, paper: Paper) -> BaseGeometry:
        """What is torn off."""
        return self._torn(paper)[0] if self.depth else Polygon()

    def occluded_region(self, view: EffectContext) -> BaseGeometry:
        """Where the printed side is gone."""
        return self._torn(view.paper)[1] if self.depth else Polygon()

    def lay(self, layers: Layers, scale: float, paper: Paper) -> None:
        """White fibres along the tear."""
        if not self.depth:
            return
        bare_fibres(layers, scale, *self._torn(paper), generator(self.seed))

    def _torn(self, paper: Paper) -> tuple[BaseGeometry, BaseGeometry]:
        """What is gone of the sheet, and what of its printed side, which holds the former."""
        rng = generator(self.seed)
        front = Front.at(self.edge, paper, rng, self.depth)
        wild = (0.12 if "-" in self.edge else 0.3) * min(self.depth, 30.0)
        slant = rng.uniform(-0.35, 0.35) * self.depth * ("-" not in self.edge)
        line = self.depth + slant * front.s / front.s[-1] + wild * rough(rng, front.s, 90, 2.5, 1.0)
        line += min(0.22, self.depth / 10) * rough(rng, front.s, 2.4, 0.3, 0.6)
        wide = 0.75 + 0.7 * rough(rng, front.s, 60, 7, 0.5) + 0.3 * rough(rng, front.s, 4, 0.25, 0.6)
        ply = line + self.rim * np.clip(wide, 0.06, 2.4)
        gone = on_sheet(front.beyond(line), paper)
        return gone, shapely.union(gone, on_sheet(front.beyond(ply), paper))


@register(EFFECTS)
class BurntEdge(Covering):
    """A burnt edge, corner, or sheet (``all``): charred, and browned further in."""

    kind: Literal["burnt-edge"] = "burnt-edge"
    edge: Edge | Literal["all"] = key("bottom-right", "Where it has burnt.")
    depth: Depth = key(30.0, "How far the fire ate in at most.")
    char: float = key(2.5, "Width of the charred band.", "mm", ge=0, le=20)
    scorch_width: float = key(14.0, "Width of the browned band.", "mm", ge=0, le=60)
    seed: Seed = 0

    def missing(self, paper: Paper) -> BaseGeometry:
        """What has burnt away."""
        if not self.depth:
            return Polygon()
        rng = generator(self.seed)
        edges: tuple[Edge, ...] = ("top", "right", "bottom", "left") if self.edge == "all" else (self.edge,)
        return shapely.union_all([on_sheet(self._eaten(edge, paper, rng), paper) for edge in edges])

    def min_contrast(self) -> float:
        """Nothing, where the paper is charred; what is browned is seen through."""
        if not self.depth:
            return 1.0
        return 0.0 if self.char else float(np.exp(-BROWNEST)) if self.scorch_width else 1.0

    def lay(self, layers: Layers, scale: float, paper: Paper) -> None:
        """Brown and char along what has burnt away."""
        gone = self.missing(paper)
        patch = (
            None if gone.is_empty else patch_around(layers, scale, gone, 2 * self.char + 1.6 * self.scorch_width + 1)
        )
        if not patch:
            return
        rng = generator(self.seed)
        away = distance_to_mask(rasterize_coverage(gone, patch, scale), scale)
        uneven = Clouds.draw(rng, 2.5, 40, 0.6).at(patch.x, patch.y, scale)
        frayed = Clouds.draw(rng, 0.5, 4, 0.7).at(patch.x, patch.y, scale)
        charred = np.float32(self.char) * np.clip(0.8 + 0.32 * uneven + 0.16 * frayed, 0.08, 2.2)
        if self.scorch_width:
            self._browned(layers, patch, np.maximum(away - charred, 0), uneven, frayed)
        if self.char:
            self._charred(layers, patch, away, charred, (frayed, cut_tile(fine_noise(rng, scale, 0.12, 0.12), patch)))

    def _eaten(self, edge: Edge, paper: Paper, rng: np.random.Generator) -> Polygon:
        """What lies beyond a front of bites, each about an arc of a circle: fire spreads alike to all sides."""
        front = Front.at(edge, paper, rng, self.depth)
        s = front.s
        line = 0.5 * self.depth + 0.16 * self.depth * rough(rng, s, 120, 20, 0.8)
        place = s[0]
        while place < s[-1]:
            radius = (2.0 + 0.22 * self.depth) * rng.lognormal(0, 0.45)
            top = self.depth * rng.uniform(0.45, 1.0)
            arc = np.sqrt(np.maximum(radius**2 - (s - place) ** 2, 0))
            line = np.maximum(line, np.where(arc > 0, np.minimum(top, 0.2 * self.depth + radius) - radius + arc, -1e3))
            place += radius * rng.uniform(0.7, 1.9)
        line += min(0.35, self.depth / 12) * rough(rng, s, 4, 0.4, 0.7)
        return front.beyond(line)

    def _browned(
        self, layers: Layers, patch: Patch, away: Float32Array, uneven: Float32Array, frayed: Float32Array
    ) -> None:
        """Browns a patch of the page by its way (h, w) mm from the char."""
        way = away * np.clip(1 + np.float32(0.2) * uneven + np.float32(0.05) * frayed, 0.45, 1.9)
        layers.dye(patch, np.exp(-way * np.float32(6.5 / self.scorch_width)), SCORCHED)
        tan = np.exp(-((way * np.float32(1.9 / self.scorch_width)) ** 2))
        layers.dye(patch, tan, TANNED)

    def _charred(
        self,
        layers: Layers,
        patch: Patch,
        away: Float32Array,
        wide: Float32Array,
        noises: tuple[Float32Array, Float32Array],
    ) -> None:
        """Lays char over a patch of the page: black, cracked, with ash at the very edge."""
        soft = np.float32(min(CHAR_SOFT_MM, self.char))
        share = np.clip((wide - away) / soft + np.float32(0.5), 0, 1)
        share *= share * (3 - 2 * share)
        burnt = share > 0  # little of the patch
        frayed, fine = (noise[burnt] for noise in noises)
        ash = np.clip(0.55 * frayed - 0.25, 0, 1) * np.exp(-away[burnt] / np.float32(0.35))
        light = 1 + 0.13 * np.clip(fine, -2, 2) + 0.12 * frayed
        color = np.zeros((*share.shape, 3), dtype=np.float32)
        color[burnt] = light[:, None] * CHAR + ash[:, None] * (ASH - CHAR)
        layers.paint(patch, share, color)


PITCH_MM = {2: 80.0, 3: 108.0, 4: 80.0}  # ISO 838, and the three rings of North America (4 1/4 inches)
RIM_STEP_MM = 0.15  # between points of a torn hole's rim
RIM_MM = 0.16  # of the cut paper's edge and the shadow in it
CUT_SHADE, PRESSED_SHADE = 0.28, 0.07  # of the light that both take
PRESSED_MM = 0.7  # around a hole the punch has bent the paper down


@register(EFFECTS)
class PunchHoles(Covering):
    """Holes for filing: 2 (ISO 838), 3 (North America) or 4 along an edge, some of them torn out.

    Two and four are 80 mm apart, three 108 mm.
    """

    kind: Literal["punch-holes"] = "punch-holes"
    count: Literal[2, 3, 4] = key(2, "How many holes.")
    edge: Literal["left", "right", "top", "bottom"] = key("left", "Along which edge.")
    diameter: float = key(6.0, "Diameter of a hole.", "mm", ge=3, le=10)
    margin: float = key(12.0, "From the edge to the holes' middles.", "mm", ge=5, le=40)
    off: float = key(2.0, "How far the holes lie off their places.", "mm", ge=0, le=20)
    torn: int = key(0, "How many are torn out to the edge.", ge=0, le=4)
    rim: Share = key(0.6, "How much of the cut edge and bent rim is seen.")
    seed: Seed = 0

    def missing(self, paper: Paper) -> BaseGeometry:
        """The holes, and what was torn out."""
        return shapely.union_all([hole for hole, _ in self._holes(paper)])

    def occluded_region(self, view: EffectContext) -> BaseGeometry:
        """The white fibres along the rims of what was torn out."""
        return shapely.union_all([ply for _, ply in self._holes(view.paper)])

    def min_contrast(self) -> float:
        """What is seen in the shade of their rims."""
        return 1 - self.rim * (CUT_SHADE + PRESSED_SHADE)

    def lay(self, layers: Layers, scale: float, paper: Paper) -> None:
        """The rims of its holes."""
        holes = self._holes(paper)
        for (hole, ply), rng in zip(holes, generator(self.seed).spawn(len(holes)), strict=True):
            patch = patch_around(layers, scale, hole, 3 * PRESSED_MM)
            if not patch:
                continue
            if not ply.is_empty:
                bare_fibres(layers, scale, hole, ply, rng)
            away = distance_to_mask(rasterize_coverage(hole, patch, scale), scale)
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
        far = np.arange(0.0, self.margin + 3 * self.off + 3, RIM_STEP_MM)
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
