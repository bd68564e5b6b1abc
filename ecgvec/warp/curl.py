"""Curl: a sheet that keeps the bend of its roll, as a cylinder or as a cone. Exact developables: nothing stretches."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ecgvec._typing import Float64Array, Points
from ecgvec.components import Degrees, registered
from ecgvec.warp.grid import Table
from ecgvec.warp.parts import WARPS, Bending, Paper, Roll, Rolled

TABLE_STEP = 0.05  # mm

Radius = Annotated[float, Field(ge=15, le=10_000, allow_inf_nan=False)]
Start = Annotated[float, Field(ge=0, le=2_000, allow_inf_nan=False)]


def _toward(degrees: float) -> Float64Array:
    """Unit page vector, 0 to the right, 90 upwards."""
    a = np.radians(degrees)
    return np.array([np.cos(a), -np.sin(a)])


@registered(WARPS)
class Curl(Roll):
    """A cylinder: the sheet lies flat and curls up from ``start`` mm before its end in the direction ``toward``
    (degrees, 0 the right edge, 90 the upper one), with ``radius`` mm. ``lift`` down: the end bends away from the
    viewer. ``onset``: mm over which the curvature sets in."""

    kind: Literal["curl"] = "curl"
    toward: Degrees = 0.0
    start: Start = 60.0
    radius: Radius = 180.0
    onset: Annotated[float, Field(ge=1, le=500, allow_inf_nan=False)] = 30.0
    lift: Literal["up", "down"] = "up"

    def rolled(self, points: Points, paper: Paper, share: float) -> Rolled:
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


@registered(WARPS)
class ConeCurl(Roll):
    """A cone: like a curl, but its rulings meet ``apex`` mm beside the page's middle, so that one corner curls more
    than the other. ``radius`` holds in the middle of the edge that lifts."""

    kind: Literal["cone-curl"] = "cone-curl"
    toward: Degrees = 0.0
    start: Start = 90.0
    radius: Radius = 200.0
    apex: Annotated[float, Field(ge=150, le=100_000, allow_inf_nan=False)] = 500.0
    side: Literal["left", "right"] = "right"

    def rolled(self, points: Points, paper: Paper, share: float) -> Rolled:
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
