"""The sheet as a surface in space: what bends it, on a lattice of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecgvec.geometry.path import Points
from ecgvec.warp.parts import Bend, Bending, Floats, Paper, Roll, Rolled
from ecgvec.warp.stretch import drawn_together

NODE_MM = 1.5  # distance of the lattice's nodes
RESTING = 8  # % of the sheet lie on the desk: paper is too soft to stand on three points
HEIGHTS_FIRST = 0.4  # share of the heights down to which a roll keeps its whole curvature
LARGEST_STRAIN = 0.01  # of a length along the paper, 99th percentile


@dataclass(frozen=True, eq=False)
class Surface:
    """A bent sheet at the nodes of a page lattice: ``x`` (columns,) and ``y`` (rows,) page mm; ``height`` (rows,
    columns) above the rolled sheet in mm; ``xyz`` (rows, columns, 3) in mm from the page's middle, z towards the
    viewer and 0 on the desk; unit ``normals`` (rows, columns, 3)."""

    paper: Paper
    x: Floats
    y: Floats
    height: Floats
    xyz: Floats
    normals: Floats

    @property
    def step(self) -> tuple[float, float]:
        """Distance of nodes along x and y, mm."""
        return float(self.x[1] - self.x[0]), float(self.y[1] - self.y[0])

    def strain(self) -> float:
        """How much lengths along the paper are wrong, as a share: 99th percentile over the sheet and all
        directions."""
        e, f, g = _metric(self)
        worst = np.abs((e + g) / 2 - 1) / 2 + np.sqrt(((e - g) / 2) ** 2 + f**2) / 2
        return float(np.percentile(worst, 99))


def nodes(paper: Paper) -> tuple[Floats, Floats]:
    """x (columns,) and y (rows,) of the page lattice, page mm: an even number of cells, the rim on the paper's
    edge."""
    counts = (2 * max(1, round(side / NODE_MM / 2)) + 1 for side in (paper.width, paper.height))
    x, y = (np.linspace(0, side, n) for side, n in zip((paper.width, paper.height), counts, strict=True))
    return x, y


def lifted(paper: Paper, bends: Sequence[Bend]) -> list[Floats]:
    """The heights (n,) mm of each bend at the nodes, row by row."""
    points = _points(paper)
    return [bend.heights(points, paper) for bend in bends]


def bent(paper: Paper, lifts: Sequence[Floats], roll: Roll | None, share: float) -> Surface:
    """The sheet under ``share`` of all heights, which are ``lifted``'s. A roll stretches nothing, so it gives way only
    below HEIGHTS_FIRST."""
    x, y = nodes(paper)
    shape = (len(y), len(x))
    points = _points(paper)
    height = np.zeros(len(points))
    for lift in lifts:
        height += share * lift
    roll_share = min(1.0, share / HEIGHTS_FIRST)
    if lifts:
        bending = _flat(points, paper) if roll is None else roll.bending(points, paper, roll_share)
        points = points + _shifts(height.reshape(shape), bending, x, y).reshape(-1, 2)
    lying = _flat(points, paper) if roll is None else roll.rolled(points, paper, roll_share)
    xyz = (lying.xyz + height[:, None] * lying.normals).reshape(*shape, 3)
    xyz[:, :, 2] -= np.percentile(xyz[:, :, 2], RESTING)
    return Surface(paper, x, y, height.reshape(shape), xyz, _normals(xyz))


def _points(paper: Paper) -> Points:
    """Page mm (n, 2) of the nodes, row by row."""
    return np.stack(np.meshgrid(*nodes(paper)), axis=-1).reshape(-1, 2)


def _flat(points: Points, paper: Paper) -> Rolled:
    """A sheet that is not rolled at all."""
    n = len(points)
    flat = np.column_stack([points - paper.centre, np.zeros(n)])
    up = np.broadcast_to(np.array([0.0, 0.0, 1.0]), (n, 3))
    return Rolled(np.zeros(n), np.broadcast_to(np.array([1.0, 0.0]), (n, 2)), flat, up)


def _shifts(height: Floats, bending: Bending, x: Floats, y: Floats) -> Floats:
    """In-plane shifts (rows, columns, 2) in mm: solved on every second node, halfway between for the others."""
    step = float(x[1] - x[0]), float(y[1] - y[0])
    gy, gx = np.gradient(height, step[1], step[0])
    bent_by = height * bending.curvature.reshape(height.shape)
    dx, dy = np.moveaxis(bending.across.reshape(*height.shape, 2), -1, 0)
    strain = np.stack(
        [gx**2 / 2 - bent_by * dx**2, gy**2 / 2 - bent_by * dy**2, gx * gy / 2 - bent_by * dx * dy], axis=-1
    )
    coarse = drawn_together(strain[::2, ::2], (2 * step[0], 2 * step[1]))
    wide = np.empty((coarse.shape[0], len(x), 2))
    wide[:, ::2], wide[:, 1::2] = coarse, (coarse[:, 1:] + coarse[:, :-1]) / 2
    full = np.empty((len(y), len(x), 2))
    full[::2], full[1::2] = wide, (wide[1:] + wide[:-1]) / 2
    return full


def _normals(xyz: Floats) -> Floats:
    planes = _planes(xyz)
    # x right, y down, z towards the viewer: a flat sheet's normal is (0, 0, 1).
    (a, b, c), (d, e, f) = (np.asarray(np.gradient(planes, axis=axis)) for axis in (2, 1))
    x, y, z = b * f - c * e, c * d - a * f, a * e - b * d
    length = np.sqrt(x * x + y * y + z * z)
    return np.stack([x / length, y / length, z / length], axis=-1)


def _metric(surface: Surface) -> tuple[Floats, Floats, Floats]:
    """First fundamental form E, F, G of the lattice's cells."""
    dx, dy = surface.step
    planes = _planes(surface.xyz)
    a, b, c = (np.diff(planes, axis=2) / dx)[:, :-1]
    d, e, f = (np.diff(planes, axis=1) / dy)[:, :, :-1]
    return a * a + b * b + c * c, a * d + b * e + c * f, d * d + e * e + f * f


def _planes(xyz: Floats) -> Floats:
    """(rows, columns, 3) as three planes, which NumPy works on faster."""
    return np.ascontiguousarray(np.moveaxis(xyz, -1, 0))
