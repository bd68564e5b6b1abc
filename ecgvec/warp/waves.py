"""Soft bends: the wavy edge of a hand-held sheet, a lifted corner, a sheet that has been damp, fine washboard."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ecgvec._typing import Float64Array, Points
from ecgvec.components import Degrees, Seed, registered
from ecgvec.warp.parts import WARPS, Bend, Paper, generator

Height = Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)]
Length = Annotated[float, Field(ge=1, le=2_000, allow_inf_nan=False)]


@registered(WARPS)
class EdgeWave(Bend):
    """An edge that waves: ``height`` mm up and down, ``length`` mm from crest to crest along the edge, dying out over
    ``depth`` mm into the page. ``phase`` in degrees."""

    kind: Literal["edge-wave"] = "edge-wave"
    edge: Literal["left", "right", "top", "bottom"] = "bottom"
    height: Height = 2.5
    length: Length = 160.0
    depth: Length = 42.0
    phase: Degrees = 0.0

    def heights(self, points: Points, paper: Paper) -> Float64Array:
        """A sine along the edge, an exponential away from it."""
        x, y = points.T
        inward, along = {
            "left": (x, y),
            "right": (paper.width - x, y),
            "top": (y, x),
            "bottom": (paper.height - y, x),
        }[self.edge]
        wave = np.sin(2 * np.pi * along / self.length + np.radians(self.phase))
        return np.asarray(self.height * wave * np.exp(-np.maximum(inward, 0.0) / self.depth))


@registered(WARPS)
class CornerLift(Bend):
    """A corner that stands up: ``height`` mm at the corner, lying flat ``reach`` mm from it along the diagonal."""

    kind: Literal["corner-lift"] = "corner-lift"
    corner: Literal["top-left", "top-right", "bottom-left", "bottom-right"] = "top-right"
    height: Height = 8.0
    reach: Length = 80.0

    def heights(self, points: Points, paper: Paper) -> Float64Array:
        """A parabola across lines at right angles to the corner's bisector."""
        vertical, horizontal = self.corner.split("-")
        x = points[:, 0] if horizontal == "left" else paper.width - points[:, 0]
        y = points[:, 1] if vertical == "top" else paper.height - points[:, 1]
        inward = (x + y) / np.sqrt(2)
        return np.asarray(self.height * np.maximum(0.0, 1 - np.maximum(inward, 0.0) / self.reach) ** 2)


@registered(WARPS)
class Buckle(Bend):
    """A sheet that does not lie flat all over, as after damp: broad swells ``height`` mm high (standard deviation)
    and about ``length`` mm from crest to crest."""

    kind: Literal["buckle"] = "buckle"
    height: Height = 1.2
    length: Length = 130.0
    seed: Seed = 0

    def heights(self, points: Points, paper: Paper) -> Float64Array:
        """Five plane waves of random direction, length and phase."""
        rng = generator(self.seed)
        total = np.zeros(len(points))
        for _ in range(5):
            direction, phase = rng.uniform(0, 2 * np.pi, 2)
            length = self.length * rng.uniform(0.7, 1.4)
            along = points @ (2 * np.pi / length * np.array([np.cos(direction), np.sin(direction)]))
            total += np.sin(along + phase)
        return np.asarray(self.height * total / np.sqrt(2.5))


@registered(WARPS)
class Washboard(Bend):
    """Fine ripples side by side, as paper feeds and damp leave them: ``height`` mm, ``length`` mm from crest to crest,
    running at ``angle`` degrees to the lower edge, here stronger, there weaker."""

    kind: Literal["washboard"] = "washboard"
    height: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] = 0.12
    length: Annotated[float, Field(ge=4, le=60, allow_inf_nan=False)] = 14.0
    angle: Degrees = 90.0
    seed: Seed = 0

    def heights(self, points: Points, paper: Paper) -> Float64Array:
        """A sine whose phase and strength drift slowly."""
        rng = generator(self.seed)
        a = np.radians(self.angle)
        across, along = points @ np.array([np.sin(a), np.cos(a)]), points @ np.array([np.cos(a), -np.sin(a)])
        phases = rng.uniform(0, 2 * np.pi, 6)
        drift = 0.8 * np.sin(along / 37 + phases[0]) + 0.9 * np.sin(across / 53 + along / 91 + phases[1])
        strength = 0.55 + 0.45 * np.sin(across / 41 + phases[2]) * np.sin(along / 67 + phases[3])
        return np.asarray(self.height * strength * np.sin(2 * np.pi * across / self.length + drift + phases[4]))
