"""Curls, waves and lifted corners."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ecgvec._typing import Float64Array, Points
from ecgvec.components import Degrees, Seed, key, register
from ecgvec.warp.grid import Table
from ecgvec.warp.parts import WARPS, Bend, Bending, Paper, Roll, Rolled, generator

Height = Annotated[float, Field(ge=0, le=60, allow_inf_nan=False, json_schema_extra={"unit": "mm"})]
Length = Annotated[float, Field(ge=1, le=2_000, allow_inf_nan=False, json_schema_extra={"unit": "mm"})]


@register(WARPS)
class EdgeWave(Bend):
    """An edge that waves, dying out into the page."""

    kind: Literal["edge-wave"] = "edge-wave"
    edge: Literal["left", "right", "top", "bottom"] = key("bottom", "Which edge.")
    height: Height = key(2.5, "Height, up and down.")
    length: Length = key(160.0, "From crest to crest along the edge.")
    depth: Length = key(42.0, "How far it reaches into the page.")
    phase: Degrees = key(0.0, "Phase.")

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


@register(WARPS)
class CornerLift(Bend):
    """A corner that stands up."""

    kind: Literal["corner-lift"] = "corner-lift"
    corner: Literal["top-left", "top-right", "bottom-left", "bottom-right"] = key("top-right", "Which corner.")
    height: Height = key(8.0, "Height at the corner.")
    reach: Length = key(80.0, "From the corner to where the sheet lies flat, along the diagonal.")

    def heights(self, points: Points, paper: Paper) -> Float64Array:
        """A parabola across lines at right angles to the corner's bisector."""
        vertical, horizontal = self.corner.split("-")
        x = points[:, 0] if horizontal == "left" else paper.width - points[:, 0]
        y = points[:, 1] if vertical == "top" else paper.height - points[:, 1]
        inward = (x + y) / np.sqrt(2)
        return np.asarray(self.height * np.maximum(0.0, 1 - np.maximum(inward, 0.0) / self.reach) ** 2)


@register(WARPS)
class Buckle(Bend):
    """A sheet that does not lie flat all over, as after damp: broad swells."""

    kind: Literal["buckle"] = "buckle"
    height: Height = key(1.2, "Height, a standard deviation.")
    length: Length = key(130.0, "From crest to crest.")
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


@register(WARPS)
class Washboard(Bend):
    """Fine ripples side by side, as paper feeds and damp leave them, here stronger, there weaker."""

    kind: Literal["washboard"] = "washboard"
    height: float = key(0.12, "Height.", "mm", ge=0, le=2)
    length: float = key(14.0, "From crest to crest.", "mm", ge=4, le=60)
    angle: Degrees = key(90.0, "Angle to the lower edge.")
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


TABLE_STEP = 0.05  # mm

Radius = Annotated[float, Field(ge=15, le=10_000, allow_inf_nan=False, json_schema_extra={"unit": "mm"})]
Start = Annotated[float, Field(ge=0, le=2_000, allow_inf_nan=False, json_schema_extra={"unit": "mm"})]


def _toward(degrees: float) -> Float64Array:
    """Unit page vector, 0 to the right, 90 upwards."""
    a = np.radians(degrees)
    return np.array([np.cos(a), -np.sin(a)])


@register(WARPS)
class Curl(Roll):
    """A cylinder: the sheet lies flat and curls up towards one end."""

    kind: Literal["curl"] = "curl"
    toward: Degrees = key(0.0, "Which end, 0 the right edge, 90 the upper one.")
    start: Start = key(60.0, "From where it curls to the end.")
    radius: Radius = key(180.0, "Radius.")
    onset: float = key(30.0, "Over which the curvature sets in.", "mm", ge=1, le=500)
    lift: Literal["up", "down"] = key("up", "Towards the viewer, or away.")

    def roll(self, points: Points, paper: Paper, share: float) -> Rolled:
        """The profile's angle is the integral of its curvature, the profile that of the angle's cosine and sine."""
        d = _toward(self.toward)
        from_middle = points - paper.centre
        along = from_middle @ d
        s, curvature = self._profile(paper, share)
        theta = _integral(curvature)
        x, z = _integral(np.cos(theta)), _integral(np.sin(theta))
        middle = len(s) // 2
        beside = np.array([-d[1], d[0]])
        table = Table(s, along)
        x_at, z_at, angle, bent = (table(v) for v in (x - x[middle] + s[middle], z, theta, curvature))
        beside_at, lean = from_middle @ beside, -np.sin(angle)
        xyz = np.stack([x_at * d[0] + beside_at * beside[0], x_at * d[1] + beside_at * beside[1], z_at]).T
        normals = np.stack([lean * d[0], lean * d[1], np.cos(angle)]).T
        return Rolled(bent, np.broadcast_to(d, points.shape), xyz, normals)

    def bending(self, points: Points, paper: Paper, share: float) -> Bending:
        """The profile's curvature."""
        d = _toward(self.toward)
        s, curvature = self._profile(paper, share)
        return Bending(Table(s, (points - paper.centre) @ d)(curvature), np.broadcast_to(d, points.shape))

    def _profile(self, paper: Paper, share: float) -> tuple[Float64Array, Float64Array]:
        """Places (k,) mm along the direction of the curl, 0 in the sheet's middle, and the curvature there."""
        far = paper.reach(_toward(self.toward))
        s = np.arange(-far - 1, far + 1 + TABLE_STEP, TABLE_STEP)
        sign = share if self.lift == "up" else -share
        return s, sign / self.radius * np.clip((s - (far - self.start)) / self.onset, 0, 1)


def _integral(values: Float64Array) -> Float64Array:
    """Integral along the table, 0 at its start (trapezoids)."""
    return np.concatenate([[0.0], np.cumsum((values[1:] + values[:-1]) / 2)]) * TABLE_STEP


@register(WARPS)
class ConeCurl(Roll):
    """A cone: like a curl, but one corner curls more than the other.

    Its rulings meet at an apex beside the page.
    """

    kind: Literal["cone-curl"] = "cone-curl"
    toward: Degrees = key(0.0, "Which end, 0 the right edge, 90 the upper one.")
    start: Start = key(90.0, "From where it curls to the end.")
    radius: Radius = key(200.0, "Radius in the middle of the edge that lifts.")
    apex: float = key(500.0, "From the page's middle to the apex.", "mm", ge=150, le=100_000)
    side: Literal["left", "right"] = key("right", "Side of the apex.")

    def roll(self, points: Points, paper: Paper, share: float) -> Rolled:
        """A point r from the apex lies at r g, where g runs along a great circle of the unit sphere (flat) and then
        along a small circle: as long as in the plane, so nothing stretches."""
        r, phi, beyond, k = self._polar(points, paper, share)
        d, e = self._axes()
        g, normals = _small_circle(phi - beyond, beyond, k)
        flat = np.outer(r * g[:, 0], -e) + np.outer(r * g[:, 1], d) + self.apex * e
        xyz = np.column_stack([flat, r * g[:, 2]])
        n = np.column_stack([np.outer(normals[:, 0], -e) + np.outer(normals[:, 1], d), normals[:, 2]])
        bent = self.bending(points, paper, share)
        return Rolled(bent.curvature, bent.across, xyz, n)

    def bending(self, points: Points, paper: Paper, share: float) -> Bending:
        """None before the onset, across the rulings beyond it."""
        r, phi, beyond, k = self._polar(points, paper, share)
        d, e = self._axes()
        across = (np.outer(-np.sin(phi), -e) + np.outer(np.cos(phi), d)).reshape(-1, 2)
        return Bending(np.where(beyond > 0, k / r, 0.0), across)

    def _axes(self) -> tuple[Float64Array, Float64Array]:
        """Unit page vectors in the direction of the curl and towards the apex."""
        d = _toward(self.toward)
        return d, (1.0 if self.side == "right" else -1.0) * np.array([-d[1], d[0]])

    def _polar(
        self, points: Points, paper: Paper, share: float
    ) -> tuple[Float64Array, Float64Array, Float64Array, float]:
        """Distance (n,) from the apex and angle (n,) there, how much (n,) of it lies beyond the onset, and the geodesic
        curvature of the small circle: r times the normal curvature."""
        d, e = self._axes()
        apex_to = points - paper.centre - self.apex * e
        u, v = apex_to @ -e, apex_to @ d
        r, phi = np.hypot(u, v), np.arctan2(v, u)
        onset = np.arctan2(paper.reach(d) - self.start, self.apex)
        return r, phi, np.maximum(0.0, phi - onset), share * self.apex / self.radius


def _small_circle(before: Float64Array, beyond: Float64Array, k: float) -> tuple[Float64Array, Float64Array]:
    """Points g (n, 3) of the unit sphere and the cone's normals there: angle ``before`` along the equator, then
    ``beyond`` along the small circle of geodesic curvature ``k`` that touches it (Rodrigues' rotation)."""
    g0 = np.column_stack([np.cos(before), np.sin(before), np.zeros_like(before)])
    up = np.broadcast_to(np.array([0.0, 0.0, 1.0]), g0.shape)
    speed = np.hypot(1.0, k)
    axis = (k * g0 + up) / speed
    psi = (beyond * speed)[:, None]

    def turned(vectors: Float64Array) -> Float64Array:
        along = np.sum(axis * vectors, axis=1, keepdims=True)
        return np.asarray(
            vectors * np.cos(psi) + np.cross(axis, vectors) * np.sin(psi) + axis * along * (1 - np.cos(psi))
        )

    return turned(g0), turned(up)
