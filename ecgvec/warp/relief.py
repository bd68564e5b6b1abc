"""The sheet as a surface in space: what bends it, on a lattice of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecgvec.geometry.path import Points
from ecgvec.warp.parts import Bend, Floats, Paper, Roll, Rolled
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


def bent(paper: Paper, bends: Sequence[Bend], roll: Roll | None, share: float) -> Surface:
    """The sheet under ``share`` of all heights. A roll stretches nothing, so it gives way only below HEIGHTS_FIRST."""
    x, y = nodes(paper)
    shape = (len(y), len(x))
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    height = np.zeros(len(points))
    for bend in bends:
        height += share * bend.heights(points, paper)
    roll_share = min(1.0, share / HEIGHTS_FIRST)
    lying = _lying(points, paper, roll, roll_share)
    if bends:
        points = points + _shifts(height.reshape(shape), lying, x, y).reshape(-1, 2)
        lying = _lying(points, paper, roll, roll_share)
    xyz = (lying.xyz + height[:, None] * lying.normals).reshape(*shape, 3)
    xyz[:, :, 2] -= np.percentile(xyz[:, :, 2], RESTING)
    return Surface(paper, x, y, height.reshape(shape), xyz, _normals(xyz))


def _lying(points: Points, paper: Paper, roll: Roll | None, share: float) -> Rolled:
    if roll is not None:
        return roll.rolled(points, paper, share)
    n = len(points)
    flat = np.column_stack([points - paper.centre, np.zeros(n)])
    up = np.broadcast_to(np.array([0.0, 0.0, 1.0]), (n, 3))
    return Rolled(flat, up, np.zeros(n), np.broadcast_to(np.array([1.0, 0.0]), (n, 2)))


def _shifts(height: Floats, lying: Rolled, x: Floats, y: Floats) -> Floats:
    """In-plane shifts (rows, columns, 2) in mm: solved on every second node, halfway between for the others."""
    step = float(x[1] - x[0]), float(y[1] - y[0])
    gy, gx = np.gradient(height, step[1], step[0])
    bent_by = height * lying.curvature.reshape(height.shape)
    dx, dy = np.moveaxis(lying.across.reshape(*height.shape, 2), -1, 0)
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
    along_y, along_x = np.gradient(xyz, axis=(0, 1))
    # x right, y down, z towards the viewer: a flat sheet's normal is (0, 0, 1).
    normals = np.cross(along_x, along_y)
    return np.asarray(normals / np.linalg.norm(normals, axis=-1, keepdims=True))


def _metric(surface: Surface) -> tuple[Floats, Floats, Floats]:
    """First fundamental form E, F, G of the lattice's cells."""
    dx, dy = surface.step
    along_x = (np.diff(surface.xyz, axis=1) / dx)[:-1]
    along_y = (np.diff(surface.xyz, axis=0) / dy)[:, :-1]
    return (along_x**2).sum(-1), (along_x * along_y).sum(-1), (along_y**2).sum(-1)
