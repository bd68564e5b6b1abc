"""Folds and crumple."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from ecgvec._typing import Float64Array, Points
from ecgvec.components import Seed, key, register
from ecgvec.warp.grid import Grid, Table
from ecgvec.warp.parts import WARPS, Bend, Paper, generator

CROSSING_SHARE = 0.3  # of the folds' spacing: where the folds that cross them have faded to nothing
LONGEST_CROSSING = 17.0  # mm
WIDEST_REACH = 1.5  # of the folds' spacing
TABLE_STEP = 0.05  # mm

Turn = Literal["valley", "mountain", "alternate", "random"]
# vertical folds, horizontal folds, how they turn
PRESETS: dict[str, tuple[int, int, Turn]] = {
    "half": (1, 0, "valley"),
    "letter": (2, 0, "valley"),
    "quarter": (1, 1, "valley"),
    "accordion": (5, 0, "alternate"),
}


@dataclass(frozen=True, eq=False)
class Folds:
    """Parallel folds: ``offsets`` (k,) mm from the page's middle along the unit vector ``across`` (2,), the angles
    (k,) in radians that are left of them (mountains > 0, towards the viewer), radius and reach in mm."""

    across: Float64Array
    offsets: Float64Array
    angles: Float64Array
    radius: float
    reach: float

    def along(self, points: Points, paper: Paper) -> Float64Array:
        """Distance (n,) in mm of page points (n, 2) from the page's middle, across the folds."""
        return np.asarray((points - paper.centre) @ self.across)

    def profile(self, t: Float64Array) -> Float64Array:
        """Height (n,) in mm at ``t`` (n,) mm across the folds: the sheet falls off to both sides of a mountain, is
        round in the fold's core and level again at some distance."""
        height = np.zeros_like(t)
        for offset, angle in zip(self.offsets, self.angles, strict=True):
            rounded = np.sqrt((t - offset) ** 2 + (self.radius * angle / 2) ** 2)
            height += angle / 2 * self.reach * np.exp(-rounded / self.reach)
        return height

    def flips(self, t: Float64Array) -> Float64Array:
        """Factor (n,) from -1 to 1 for folds that cross these: they turn over at each one, as in a sheet that was
        folded twice, and vanish in the vertex."""
        factor = np.ones_like(t)
        if len(self.offsets):
            gap = np.diff(np.sort(self.offsets)).min() if len(self.offsets) > 1 else np.inf
            length = min(LONGEST_CROSSING, CROSSING_SHARE * float(gap))
            for offset in self.offsets:
                factor *= np.tanh((t - offset) / length)
        return factor


@register(WARPS)
class Creases(Bend):
    """One or two sets of folds, at right angles to one another."""

    kind: Literal["creases"] = "creases"
    angle: float = key(90.0, "Angle of the vertical folds to the page's lower edge.", "degrees", ge=-180, le=180)
    vertical: int = key(1, "Vertical folds.", ge=0, le=60)
    horizontal: int = key(1, "Horizontal folds.", ge=0, le=60)
    preset: Literal["none", "half", "letter", "quarter", "accordion"] = key("none", "Counts and turns of a usual fold.")
    spacing: Literal["even", "uneven"] = key("even", "Distances between folds.")
    turn: Turn = key("alternate", "Which way the folds turn.")
    fold_angle: float = key(90.0, "How far the paper was folded.", "degrees", ge=0, le=180)
    flattened: float = key(0.88, "Share of the fold that was undone again.", ge=0, le=1)
    jitter: float = key(0.4, "Share by which the folds' angles differ.", ge=0, le=1)
    radius: float = key(0.7, "Radius of a fold.", "mm", ge=0.05, le=20)
    reach: float = key(50.0, "How far a fold lifts the paper beside it.", "mm", ge=1, le=300)
    seed: Seed = 0

    def folds(self, paper: Paper) -> tuple[Folds, Folds]:
        """The vertical and the horizontal folds."""
        vertical, horizontal, turn = PRESETS.get(self.preset, (self.vertical, self.horizontal, self.turn))
        rng = generator(self.seed)
        a = np.radians(self.angle)
        directions = (np.array([np.sin(a), np.cos(a)]), np.array([np.cos(a), -np.sin(a)]))
        first, second = (
            self._set(n, d, turn, paper, rng) for n, d in zip((vertical, horizontal), directions, strict=True)
        )
        return first, second

    def _set(self, count: int, across: Float64Array, turn: Turn, paper: Paper, rng: np.random.Generator) -> Folds:
        spacing = 2 * paper.reach(across) / (count + 1)
        offsets: Float64Array = np.asarray(spacing * (np.arange(1, count + 1) - (count + 1) / 2))
        if self.spacing == "uneven":
            offsets = offsets + spacing * rng.uniform(-0.35, 0.35, count)
        signs = {
            "valley": np.full(count, -1.0),
            "mountain": np.ones(count),
            "alternate": np.where(np.arange(count) % 2 == 0, -1.0, 1.0),
            "random": rng.choice([-1.0, 1.0], count),
        }[turn]
        left = np.radians(self.fold_angle * (1 - self.flattened))
        angles: Float64Array = np.asarray(signs * left * (1 + self.jitter * rng.uniform(-1, 1, count)))
        return Folds(across, offsets, angles, self.radius, min(self.reach, WIDEST_REACH * spacing))

    def heights(self, points: Points, paper: Paper) -> Float64Array:
        """Both sets; the horizontal folds turn over where they cross the vertical ones."""
        first, second = self.folds(paper)
        (t, along), (s, across) = (_table(folds.along(points, paper)) for folds in (first, second))
        return along(first.profile(t)) + across(second.profile(s)) * along(first.flips(t))


def _table(t: Float64Array) -> tuple[Float64Array, Table]:
    """The steps at which functions of ``t`` (n,) mm are worked out, and what looks them up: on a whole sheet each value
    is wanted hundreds of times."""
    low, high = float(t.min()), float(t.max())
    steps = np.linspace(low, high, max(2, round((high - low) / TABLE_STEP)))
    return steps, Table(steps, t)


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


@register(WARPS)
class Crumple(Bend):
    """A sheet that was crushed and smoothed out again."""

    kind: Literal["crumple"] = "crumple"
    strength: float = key(0.6, "How crushed it was; 1 for a ball of paper.", ge=0, le=3)
    ridges: float = key(1.0, "Strength of single ridges, some of which run straight through the facets.", ge=0, le=3)
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
