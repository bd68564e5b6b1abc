"""Pens: how wide a nib writes at a speed and in a direction, where its ink fails, and the shades of ink."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from ecgvec._typing import Float64Array
from ecgvec.errors import RecipeError, nearest

_USUAL_SPEED = 45.0  # mm/s


@dataclass(frozen=True)
class Nib:
    """A pen. ``width``: mm at the usual speed; ``least`` and ``most``: mm; ``slow``: the power of (usual speed /
    speed) that it widens by; ``flat``: by how much of a millimetre a stroke across the nib is wider than one along it,
    the nib lying at ``angle`` degrees; ``tremble``: deviation of the width, a part of it; ``pool``: by how much of
    itself a line widens where the pen rests; ``skips``: gaps a mm at the usual speed; ``pale``: how many strokes of
    100 begin pale; ``broadest``: of an x-height. Who writes small takes a finer pen of the kind: a broader line would
    fill points between digits, and bows.
    """

    width: float
    least: float
    most: float
    slow: float
    tremble: float
    pool: float
    flat: float = 0.0
    angle: float = 40.0
    skips: float = 0.0
    pale: float = 0.0
    broadest: float = 0.16

    def scale_to(self, x_height: float) -> Nib:
        """The pen of this kind that letters of that ``x_height`` in mm are written with."""
        part = min(1.0, self.broadest * x_height / self.width)
        return replace(
            self, width=part * self.width, least=part * self.least, most=part * self.most, flat=part * self.flat
        )

    def widths(
        self, speed: Float64Array, direction: Float64Array, step: float, rng: np.random.Generator
    ) -> Float64Array:
        """The width in mm (n,) of a stroke from its ``speed`` in mm/s and ``direction`` in radians, each (n,), at
        points ``step`` mm apart."""
        across = np.abs(np.sin(direction + np.radians(self.angle)))
        wide = self.width + self.flat * (across - 0.5)
        wide = wide * (_USUAL_SPEED / speed) ** self.slow
        wide *= 1 + self.tremble * _slow_noise(len(speed), 1.5 / step, rng)
        away = np.minimum(np.arange(len(speed)), np.arange(len(speed))[::-1]) * step
        wide *= 1 + self.pool * rng.uniform(0.3, 1.0) * np.exp(-((away / 0.35) ** 2))
        return np.asarray(np.clip(wide, self.least, self.most * (1 + self.pool)))

    def flow(self, speed: Float64Array, step: float, rng: np.random.Generator) -> Float64Array:
        """How much ink comes, (n,): 0 none, 0.5 pale, 1 all."""
        flow = np.ones(len(speed))
        place = np.arange(len(speed)) * step
        if place[-1] > 1.5 and rng.random() < self.pale / 100:
            flow[place < rng.uniform(0.25, 0.9)] = 0.5
        gaps = rng.random(len(speed)) < self.skips * step * speed / _USUAL_SPEED
        for middle in place[gaps].tolist():
            near = np.abs(place - middle) < 0.5 * rng.uniform(0.12, 0.5)
            flow[near] = 0.5 if rng.random() < 0.6 else 0.0
        flow[-1] = 1.0
        return flow


NIBS: Mapping[str, Nib] = MappingProxyType(
    {
        "ballpoint": Nib(0.35, 0.28, 0.42, slow=0.04, tremble=0.05, pool=0.12, skips=0.012, pale=18),
        "gel": Nib(0.50, 0.40, 0.62, slow=0.08, tremble=0.025, pool=0.18),
        "felt-tip": Nib(0.80, 0.60, 1.15, slow=0.25, tremble=0.03, pool=0.10, broadest=0.17),
        "fountain": Nib(0.48, 0.28, 0.74, slow=0.08, tremble=0.03, pool=0.08, flat=0.36),
    }
)

# Inks as they look on paper: two or three makes each.
INKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "blue": ("#20399A", "#2B4BB0", "#1B2F6E"),
        "black": ("#1C1C20", "#2A2A30", "#23222B"),
        "red": ("#B4202C", "#CC2A36", "#A3263F"),
        "green": ("#1D6B3C", "#14804F"),
    }
)


def nib_of(name: str) -> Nib:
    """The nib of this name; RecipeError for one that is not there."""
    if name not in NIBS:
        raise RecipeError(f"the nib '{name}' is unknown{nearest(name, NIBS)}")
    return NIBS[name]


def shade_of(ink: str, rng: np.random.Generator) -> str:
    """A shade ``#RRGGBB`` of an ink; RecipeError for one that is not there."""
    if ink not in INKS:
        raise RecipeError(f"the ink '{ink}' is unknown{nearest(ink, INKS)}")
    return INKS[ink][int(rng.integers(len(INKS[ink])))]


def _slow_noise(n: int, width: float, rng: np.random.Generator) -> Float64Array:
    """Noise (n,) of deviation about 1 that changes over about ``width`` points: straight lines between normal numbers,
    of which the points between are the means of two."""
    place = rng.uniform(0, 1) + np.arange(n) / (2 * width)
    knots = rng.standard_normal(int(place[-1]) + 2)
    return np.asarray(np.interp(place, np.arange(len(knots)), knots) * np.sqrt(1.5))
