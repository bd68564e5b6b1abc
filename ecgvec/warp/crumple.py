"""Crumpled paper: facets with sharp ridges between them, and single ridges.

The facets of a whole ball of paper take some tenths of a second to work out, so a few crumpled sheets without end
(their edges meet) are made once a process, and each page is a piece of one of them, shifted and turned.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ecgvec._typing import Float64Array, Points
from ecgvec.components import Seed, registered
from ecgvec.warp.grid import Grid
from ecgvec.warp.parts import WARPS, Bend, Paper, generator

SHEETS = 4  # different ones
PERIOD = 384.0  # mm after which a sheet repeats itself
NODE_MM = 1.5
# Distance of the facets' corners in mm, which divides the period, and the slope that they make at strength 1.
FACETS = ((48.0, 0.09), (19.2, 0.05), (8.0, 0.02))
SITE_JITTER = 0.38  # of their distance
RIDGES = 60  # on a sheet
SHORTEST, LONGEST = 15.0, 85.0  # mm
RIDGE_SLOPE = 0.11  # at strength 1
RIDGE_REACH = (3.0, 9.0)  # mm
RIDGE_CORE = 0.3  # mm, round


@registered(WARPS)
class Crumple(Bend):
    """A sheet that was crushed and smoothed out again: ``strength`` 1 for one that was a ball of paper. ``ridges`` is
    the strength of single ridges beside it, some of which run straight through the facets."""

    kind: Literal["crumple"] = "crumple"
    strength: Annotated[float, Field(ge=0, le=3, allow_inf_nan=False)] = 0.6
    ridges: Annotated[float, Field(ge=0, le=3, allow_inf_nan=False)] = 1.0
    seed: Seed = 0

    def heights(self, points: Points, paper: Paper) -> Float64Array:
        """A piece of an endless sheet."""
        rng = generator(self.seed)
        facets, ridges = _sheet(int(rng.integers(SHEETS))).at(*self._place(points, rng))
        return np.asarray(self.strength * (facets + self.ridges * ridges))

    def _place(self, points: Points, rng: np.random.Generator) -> Float64Array:
        """Where page points (n, 2) lie on the sheet, (2, n)."""
        angle, shift = rng.uniform(0, 2 * np.pi), rng.uniform(0, PERIOD, (2, 1))
        c, s = np.cos(angle), np.sin(angle)
        places = np.array([[c, -s], [s, c]]) @ points.T + shift
        return np.asarray(places - PERIOD * np.floor(places / PERIOD))  # far quicker than %


@lru_cache(SHEETS)
def _sheet(number: int) -> Grid:
    """Facets and ridges at strength 1: one period, and its first nodes again at its end."""
    rng = generator(number)
    n = round(PERIOD / NODE_MM)
    side = np.arange(n) * NODE_MM
    points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    planes = np.zeros((2, n, n))
    for distance, slope in FACETS:
        planes[0] += _facets(points, distance, slope, rng).reshape(n, n)
    for _ in range(RIDGES):
        _add_ridge(planes[1], rng)
    return Grid(np.pad(planes, ((0, 0), (0, 1), (0, 1)), mode="wrap"), (0.0, 0.0), (NODE_MM, NODE_MM))


def _facets(points: Points, distance: float, slope: float, rng: np.random.Generator) -> Float64Array:
    """Flat triangles between sites of random height, repeated beyond the period."""
    from scipy.interpolate import LinearNDInterpolator  # a third of a second, which clean pages need not pay
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    n = round(PERIOD / distance)
    jitter, heights = rng.uniform(-SITE_JITTER, SITE_JITTER, (n, n, 2)), rng.normal(size=(n, n))
    wide = np.arange(-3, n + 4)
    row, column = np.meshgrid(wide, wide, indexing="ij")
    sites = (np.stack([column, row], axis=-1) + jitter[row % n, column % n]).reshape(-1, 2) * distance
    interpolant = LinearNDInterpolator(sites, heights[row % n, column % n].ravel())
    with threadpool_limits(1, user_api="blas"):  # sharing out thousands of 2 x 2 matrices costs ten times as much
        found = interpolant(points)
    return np.asarray(slope * distance / np.sqrt(2) * found)


def _add_ridge(plane: Float64Array, rng: np.random.Generator) -> None:
    """One ridge or furrow, tapering to both ends, added to the nodes (n, n) around it."""
    middle, angle = rng.uniform(0, PERIOD, 2), rng.uniform(0, np.pi)
    half = np.exp(rng.uniform(np.log(SHORTEST), np.log(LONGEST))) / 2
    reach, steep = rng.uniform(*RIDGE_REACH), rng.uniform(0.3, 1.0) * rng.choice([-1.0, 1.0])
    nodes = np.arange(-int((half + 4 * reach) / NODE_MM), int((half + 4 * reach) / NODE_MM) + 1)
    near = nodes * NODE_MM
    first = np.floor(middle / NODE_MM).astype(int)
    x, y = near[None, :] - middle[0] % NODE_MM, near[:, None] - middle[1] % NODE_MM
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    taper = np.clip(1 - (along / half) ** 2, 0, None)
    height = RIDGE_SLOPE * steep * reach * taper * np.exp(-np.hypot(across, RIDGE_CORE) / reach)
    columns, rows = ((place + nodes) % len(plane) for place in first)
    plane[np.ix_(rows, columns)] += height
