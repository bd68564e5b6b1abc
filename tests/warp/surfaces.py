"""What must be true of every bent page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgvec._typing import Points
from ecgvec.warp.compose import Composed
from ecgvec.warp.parts import Paper, Roll
from ecgvec.warp.relief import Surface
from ecgvec.warp.waves import ConeCurl, Curl
from tests.warp.bending import PAPER, on_paper


def turned(corners: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which cells of a net of points (rows, columns, 2) are turned over or torn flat at any of their corners."""
    a, b, c, d = corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]
    bad = np.zeros(a.shape[:2], dtype=bool)
    ring = (a, b, c, d)
    for i in range(4):
        before, here, after = ring[i - 1], ring[i], ring[(i + 1) % 4]
        u, v = here - before, after - here
        bad |= u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0] <= 0
    return bad


def assert_right_side_out(composed: Composed, paper: Paper = PAPER) -> None:
    surface = composed.surface
    seen = composed.project(surface.xyz.reshape(-1, 3)).reshape(*surface.xyz.shape[:2], 2)
    assert not turned(seen).any()
    nodes = composed.warp.nodes
    on = on_paper(nodes.reshape(-1, 2), paper=paper).reshape(nodes.shape[:2])
    whole = on[:-1, :-1] & on[1:, :-1] & on[:-1, 1:] & on[1:, 1:]
    assert whole.any()
    assert not (turned(nodes) & whole).any()


LARGEST_STRAIN = 0.01


def strains(surface: Surface) -> NDArray[np.float64]:
    """How much longer or shorter than on the flat page any direction gets at most, as a share, at nine places (9, n)
    of each of the surface's cells: principal values of the first fundamental form of its bilinear patches."""
    dx, dy = surface.step
    a, b = surface.xyz[:-1, :-1], surface.xyz[:-1, 1:]
    c, d = surface.xyz[1:, :-1], surface.xyz[1:, 1:]
    found = []
    for u, v in np.ndindex(3, 3):
        along_x = ((b - a) * (1 - v / 2) + (d - c) * v / 2) / dx
        along_y = ((c - a) * (1 - u / 2) + (d - b) * u / 2) / dy
        form = np.empty((*a.shape[:2], 2, 2))
        form[..., 0, 0], form[..., 1, 1] = (along_x**2).sum(-1), (along_y**2).sum(-1)
        form[..., 0, 1] = form[..., 1, 0] = (along_x * along_y).sum(-1)
        found.append(np.abs(np.sqrt(np.linalg.eigvalsh(form)) - 1).max(axis=-1).ravel())
    return np.stack(found)


ROLLS: dict[str, Roll] = {
    "cylinder": Curl(),
    "tight-cylinder": Curl(toward=137, start=200, radius=40, onset=5),
    "downward": Curl(toward=-90, start=80, radius=25, lift="down"),
    "cone": ConeCurl(),
    "steep-cone": ConeCurl(toward=20, start=150, radius=60, apex=180, side="left"),
    "far-cone": ConeCurl(toward=-90, start=100, radius=300, apex=3000),
}
THERE_AND_BACK = 1e-6  # px


def on_surface(composed: Composed, mm: Points) -> NDArray[np.float64]:
    """Where page points (n, 2) lie in space, (n, 3): bilinear between the nodes of the bent sheet."""
    surface = composed.surface
    at = mm / surface.step
    i = np.clip(np.floor(at).astype(int), 0, (len(surface.x) - 2, len(surface.y) - 2))
    u, v = (at - i).T[:, :, None]
    a, b = surface.xyz[i[:, 1], i[:, 0]], surface.xyz[i[:, 1], i[:, 0] + 1]
    c, d = surface.xyz[i[:, 1] + 1, i[:, 0]], surface.xyz[i[:, 1] + 1, i[:, 0] + 1]
    return np.asarray((1 - u) * (1 - v) * a + u * (1 - v) * b + (1 - u) * v * c + u * v * d)
