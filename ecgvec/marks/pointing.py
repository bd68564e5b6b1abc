"""What a reader draws with a pen: ticks, circles, arrows, lines under words."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
import shapely
from pydantic import Field
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Points
from ecgvec.components import Seed, key, register
from ecgvec.marks.base import MARKS, AddedMark, Drawing, PageContext
from ecgvec.marks.places import ANY, Lead, OccupancyIndex, Target, first_target, targets
from ecgvec.marks.strokes import (
    INKS,
    NIBS,
    InkColor,
    Layer,
    NibName,
    Share,
    drawing,
    measure_along,
    shake,
    space_evenly,
    wobble,
)
from ecgvec.warp.parts import generator

NIB_MM = {"ballpoint": 0.42, "felt": 1.0}
TRIES = 8  # of things to be pointed out
GAP_MM = 1.6  # from what an arrow points at to its tip
HALF_HEAD = (24.0, 36.0)  # degrees between an arrow's shaft and its barbs

Millimetres = Annotated[float, Field(ge=2, le=150, allow_inf_nan=False, json_schema_extra={"unit": "mm"})]


class HandDrawn(AddedMark):
    """Lines of a ballpoint or a felt pen."""

    lead: Lead = key(ANY, "The only lead that is pointed out, or any.")
    nib: NibName = key("ballpoint", "Pen.")
    color: InkColor = key("blue", "Colour of the ink.")
    weight: float = key(1.0, "Thickness, times the usual.", ge=0.4, le=3)
    unrest: float = key(0.2, "How far the hand strays.", "mm", ge=0, le=1.5)
    seed: Seed = 0

    def draw(self, board: PageContext) -> Drawing | None:
        """The lines; None where there is nothing to point out, or no room."""
        rng = generator(self.seed)
        found = self._lines(board, rng)
        if found is None:
            return None
        target, lines = found
        width = self.weight * NIB_MM[self.nib]
        layers: list[Layer] = []
        for line in lines:
            layers += NIBS[self.nib].stroke(rng, line, width, INKS[self.nib][self.color])
        trace = target.trace if target else None
        return drawing(board, layers, inside=self._inside(lines), text=self.words(), trace=trace)

    def words(self) -> str:
        """What the mark says, if it says anything."""
        return ""

    @abstractmethod
    def _lines(self, board: PageContext, rng: np.random.Generator) -> tuple[Target | None, list[Points]] | None:
        """What is pointed out (None: nothing) and the lines (n, 2) mm, in order; None where the page has no place."""

    def _inside(self, lines: list[Points]) -> BaseGeometry | None:
        """What the ring holds besides the ink."""
        return None


@register(MARKS)
class Tick(HandDrawn):
    """A check mark beside a lead's name, above a beat, or at a place."""

    kind: Literal["tick"] = "tick"
    on: Literal["name", "beat", "place"] = key("name", "Where it stands.")
    x: Share = key(0.5, "Place, as a share of the page's width.")
    y: Share = key(0.5, "Place, as a share of the page's height.")
    size: Millimetres = key(6.5, "Width.")

    def _lines(self, board: PageContext, rng: np.random.Generator) -> tuple[Target | None, list[Points]] | None:
        size, target = self.size, None
        if self.on == "place":
            x, y = self.x * board.layout.width, self.y * board.layout.height
        else:
            target = first_target(board, self.on, self.lead, 0.0, rng)
            if target is None:
                return None
            box = target.box
            beside = (box.x1 + 0.55 * size, (box.y0 + box.y1) / 2 + 0.2 * size)
            x, y = beside if self.on == "name" else (target.point[0], box.y0 - 0.25 * size)
        # Down to the foot, and up again with a swing: a curve through the corners that hands make of a tick.
        foot = np.array([0.0, 0.22]) * size * rng.uniform(0.9, 1.1)
        start = np.array([-0.32, -0.12]) * size * rng.uniform(0.75, 1.2, 2)
        end = np.array([0.68, -0.78]) * size * rng.uniform(0.85, 1.15, 2)
        t = np.linspace(0, 1, 30)[:, None]
        bow = (foot + end) / 2 + np.array([0.10, 0.07]) * size * rng.uniform(0.4, 1.6)
        swing = (1 - t) ** 2 * foot + 2 * t * (1 - t) * bow + t**2 * end
        down = start + (foot - start) * np.linspace(0, 1, 8)[:, None] ** 0.9
        line = space_evenly(np.concatenate([down[:-1], swing]), 0.2) + np.array([x, y])
        return target, [shake(rng, line, 0.4 * self.unrest)]


@register(MARKS)
class Circle(HandDrawn):
    """A ring around a beat, a lead's name, a stretch of a trace or a header line."""

    kind: Literal["circle"] = "circle"
    on: Literal["beat", "name", "stretch", "header"] = key("beat", "What is circled.")
    length: Millimetres = key(16.0, "Length of the stretch of a trace.")
    margin: float = key(2.5, "Distance from what is circled.", "mm", ge=0, le=20)
    overshoot: float = key(24.0, "How far it runs past its start.", "degrees", ge=0, le=120)

    def _lines(self, board: PageContext, rng: np.random.Generator) -> tuple[Target, list[Points]] | None:
        paper = shapely.box(0, 0, board.layout.width, board.layout.height)
        for _, target in zip(range(TRIES), targets(board, self.on, self.lead, self.length, rng), strict=False):
            line = self.loop(rng, target)
            if paper.contains(shapely.LineString(line).buffer(self.weight)):
                return target, [line]
        return None

    def loop(self, rng: np.random.Generator, target: Target) -> Points:
        """Once round and a little further (n, 2), against the clock, as most right hands do, from the upper right."""
        box = target.box
        middle = np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2
        # An ellipse just around a box of the same shape; long ones are flatter, as hands draw them.
        half = np.array([box.x1 - box.x0, box.y1 - box.y0]) / 2
        radii = half * np.where(half > 2 * half[::-1], 1.08, 1.22) + self.margin * rng.uniform(0.85, 1.2, 2)
        radii = np.maximum(radii, 0.38 * radii[::-1])
        turn = np.radians(self.overshoot) * rng.uniform(0.6, 1.4)
        start = np.radians(rng.uniform(20, 110))
        count = max(60, int(2 * np.pi * radii.max() / 0.35))
        angle = np.linspace(start, start + 2 * np.pi + turn, count)
        share = (angle - start) / (2 * np.pi)
        drift = rng.uniform(0.04, 0.1) * rng.choice([-1.0, 1.0])
        out = 1 + drift * (share - 0.5) + 0.025 * wobble(rng, share * 40, 26.0)
        tilt = np.radians(rng.normal(0, 5))
        loop = np.column_stack([out * radii[0] * np.cos(angle), -out * radii[1] * np.sin(angle)])
        turned = loop @ np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
        return shake(rng, middle + turned, 0.5 * self.unrest)

    def _inside(self, lines: list[Points]) -> BaseGeometry | None:
        return shapely.make_valid(Polygon(lines[0]))


@register(MARKS)
class Arrow(HandDrawn):
    """An arrow at a beat or an ST segment, from where it covers the least."""

    kind: Literal["arrow"] = "arrow"
    on: Literal["beat", "st"] = key("st", "What it points at.")
    length: float = key(16.0, "Length.", "mm", ge=5, le=80)
    head: float = key(3.2, "Length of its head.", "mm", ge=1, le=12)

    def _lines(self, board: PageContext, rng: np.random.Generator) -> tuple[Target, list[Points]] | None:
        crowd = OccupancyIndex(board)
        paper = shapely.box(1, 1, board.layout.width - 1, board.layout.height - 1)
        best: tuple[float, Target, Points, Points] | None = None
        for _, target in zip(range(TRIES), targets(board, self.on, self.lead, 0.0, rng), strict=False):
            for angle in np.radians(rng.permutation(np.arange(20, 380, 20)) + rng.uniform(-8, 8)):
                way = np.array([np.cos(angle), np.sin(angle)])
                tip = np.array(target.point) + GAP_MM * way
                tail = tip + self.length * rng.uniform(0.85, 1.15) * way
                steep = 1.5 * abs(np.cos(angle))  # shafts that run along the trace are drawn seldom
                if best is not None and steep >= best[0]:
                    continue
                place = shapely.LineString([tip, tail]).buffer(1.2)
                if not paper.contains(place):
                    continue
                cost = crowd.beneath(place) + steep
                if best is None or cost < best[0]:
                    best = (cost, target, tip, tail)
            if best is not None and best[0] < 2.0:
                break
        return None if best is None else (best[1], self.shaft_and_head(rng, best[2], best[3]))

    def shaft_and_head(self, rng: np.random.Generator, tip: Points, tail: Points) -> list[Points]:
        """Two lines (n, 2) mm: one down the shaft from ``tail`` to ``tip``, one from barb to barb through the tip."""
        way = (tail - tip) / np.hypot(*(tail - tip))
        across = np.array([-way[1], way[0]])
        t = np.linspace(0, 1, 20)[:, None]
        bow = rng.normal(0, 0.05) * self.length
        shaft = tail + (tip - tail) * t + across * bow * 4 * t * (1 - t)
        shaft = shake(rng, shaft, 0.5 * self.unrest)
        shaft += (tip - shaft[-1]) * np.linspace(0, 1, len(shaft))[:, None]  # so that it ends in the tip
        barbs = []
        for side in (-1, 1):
            half = np.radians(rng.uniform(*HALF_HEAD)) * side
            barb = way * np.cos(half) + across * np.sin(half)
            barbs.append(tip + self.head * rng.uniform(0.85, 1.2) * barb)
        halves = [shake(rng, np.array([tip, barb]), 0.25 * self.unrest) for barb in barbs]
        first, second = ((line + (tip - line[0]) * _fading(line)) for line in halves)
        return [shaft, np.concatenate([first[::-1], second[1:]])]


def _fading(line: Points) -> Points:
    """1 at the line's start, falling to 0 at its end, (n, 1)."""
    along = measure_along(line)
    return np.asarray(1 - along[:, None] / along[-1])


@register(MARKS)
class Underline(HandDrawn):
    """Lines under a header line or a lead's name."""

    kind: Literal["underline"] = "underline"
    on: Literal["header", "name"] = key("name", "What is underlined.")
    times: int = key(1, "How many lines.", ge=1, le=3)
    below: float = key(0.9, "Distance below it.", "mm", ge=0.2, le=5)

    def _lines(self, board: PageContext, rng: np.random.Generator) -> tuple[Target, list[Points]] | None:
        target = first_target(board, self.on, self.lead, 0.0, rng)
        if target is None:
            return None
        box, lines = target.box, []
        apart = 0.6 + 1.4 * self.weight * NIB_MM[self.nib]
        for number in range(self.times):
            left, right = rng.normal(0.5, 0.7, 2) + (0.04 * (box.x1 - box.x0) if self.on == "header" else 0.8)
            rise = rng.normal(0.004, 0.012) * (box.x1 - box.x0)
            y = box.y1 + self.below + number * apart
            ends = np.array([(box.x0 - left, y + rise), (box.x1 + right, y - rise)])
            lines.append(shake(rng, ends, 0.45 * self.unrest))
        return target, lines
