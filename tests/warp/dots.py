"""Gaussian dots painted on a page and looked for in its image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgvec._typing import Points
from ecgvec.rendering.labels.derive import inside
from ecgvec.warp.apply import resample
from ecgvec.warp.compose import Composed
from ecgvec.warp.creases import Creases
from tests.warp.bending import PAPER, SCALE, jacobian

SIGMA = 1.5  # px of the page
DARK = 200  # of 255, in a dot's middle
APART = 40  # px of the page, on average; 24 at least
TAIL = 4.2  # sigmas after which nothing is left of a dot in bytes
SPARE = 1.5  # px of the image around that, so that a misplaced dot is measured and not cut off
SMALLEST = 0.5  # image px a page px, along its shortest direction: what is smaller is not measured
ZONE_MM = 2.5  # of a fold line
SNAPPED_MM = 2.0  # a dot so near to a fold's line is moved nearer, so that the folds are tested hard
BENDING = 0.04  # by how much the local Jacobian may differ within a dot, as a share of itself, outside a bend zone


@dataclass(frozen=True)
class Dots:
    """What became of n dots: ``away`` (n,) px from where the label is, NaN where it was not measured; which lie in the
    bend zone, in the image (as ``visible`` has it), and which of these could not be measured."""

    points: Points
    found: Points
    away: NDArray[np.float64]
    zone: NDArray[np.bool_]
    visible: NDArray[np.bool_]
    excluded: NDArray[np.bool_]

    def summary(self) -> str:
        out, within = (self.away[self.visible & ~self.excluded & z] for z in (~self.zone, self.zone))
        far = [
            f"p99 {np.percentile(a, 99):.3f} max {a.max():.3f} px ({len(a)})" if len(a) else "-" for a in (out, within)
        ]
        return (
            f"outside bends {far[0]}; in bends {far[1]}; excluded {self.excluded.sum()}, "
            f"invisible {(~self.visible).sum()} of {len(self.points)}"
        )


def label_points(composed: Composed, seed: int) -> Points:
    """Page points (n, 2) mm all over the sheet, no two within 24 px of one another on the page."""
    rng = np.random.default_rng(seed)
    x, y = (np.arange(APART / 2, side * SCALE, APART) for side in (PAPER.width, PAPER.height))
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    points = (grid + rng.uniform(-8, 8, grid.shape)) / SCALE
    for bend in composed.bends:
        for folds in bend.folds(PAPER) if isinstance(bend, Creases) else ():
            t = (points - PAPER.centre) @ folds.across
            for offset in folds.offsets:
                near = np.flatnonzero(np.abs(t - offset) < SNAPPED_MM)
                shift = rng.normal(0, 0.4, len(near)) + offset - t[near]
                moved = points[near] + shift[:, None] * folds.across
                cell = np.abs(moved * SCALE - grid[near]).max(axis=1) < 8  # dots still must not meet
                points[near[cell]] = moved[cell]
    return points


def paint(points: Points) -> NDArray[np.uint8]:
    """A white page (H, W, 3) with a dark dot at each of ``points`` (n, 2) mm."""
    width, height = round(PAPER.width * SCALE), round(PAPER.height * SCALE)
    ink = np.zeros((height + 40, width + 40))
    px = points * SCALE
    corner = np.floor(px).astype(int) - 10
    reach = np.arange(21)
    across = np.exp(-((corner[:, :1] + reach + 0.5 - px[:, :1]) ** 2) / (2 * SIGMA**2))
    down = np.exp(-((corner[:, 1:] + reach + 0.5 - px[:, 1:]) ** 2) / (2 * SIGMA**2))
    rows, columns = corner[:, 1, None] + reach + 20, corner[:, 0, None] + reach + 20
    np.add.at(ink, (rows[:, :, None], columns[:, None, :]), DARK * down[:, :, None] * across[:, None, :])
    page = np.rint(255 - ink[20:-20, 20:-20]).astype(np.uint8)
    return np.repeat(page[:, :, None], 3, axis=2)


def bend_zone(composed: Composed, points: Points) -> NDArray[np.bool_]:
    """Which dots lie in the bend zone of a fold or of anything else that bends sharply: near a fold's line, or where
    the map's Jacobian is not the same all over the dot."""
    zone = np.zeros(len(points), dtype=bool)
    for bend in composed.bends:
        for folds in bend.folds(PAPER) if isinstance(bend, Creases) else ():
            t = (points - PAPER.centre) @ folds.across
            zone |= (np.abs(t[:, None] - folds.offsets) < ZONE_MM).any(axis=1)
    here = jacobian(composed.warp, points, 2 * SIGMA / SCALE)
    size = np.linalg.norm(here, axis=(1, 2))
    for direction in ([1, 0], [0, 1], [-1, 0], [0, -1]):
        there = jacobian(composed.warp, points + 2 * SIGMA / SCALE * np.array(direction), 2 * SIGMA / SCALE)
        zone |= np.linalg.norm(there - here, axis=(1, 2)) > BENDING * size
    return zone


def look_for(composed: Composed, seed: int = 0) -> Dots:
    """Paint dots, bend the page, and measure how far from its label each dot lies."""
    warp = composed.warp
    points = label_points(composed, seed)
    image = resample(paint(points), SCALE, warp)
    labels = warp.forward(points)
    visible = inside(warp)(labels)
    scales = np.linalg.svd(jacobian(warp, points) / SCALE, compute_uv=False)
    half = np.ceil(TAIL * SIGMA * scales[:, 0] + SPARE)
    width, height = warp.size
    whole = (labels - half[:, None] >= 0).all(axis=1) & (labels + half[:, None] <= (width, height)).all(axis=1)
    measured = visible & whole & (scales[:, 1] >= SMALLEST)
    found = np.full_like(points, np.nan)
    for size in np.unique(half[measured]):
        some = np.flatnonzero(measured & (half == size))
        found[some] = centroids(image[:, :, 1], labels[some], int(size))
    away = np.hypot(*(found - labels).T)
    return Dots(points, found, away, bend_zone(composed, points), visible, visible & ~measured)


def centroids(image: NDArray[np.uint8], places: Points, half: int) -> Points:
    """Where the ink's centre lies in the window of ``half`` px to all sides of the pixel at each of ``places``
    (n, 2); infinity where there is hardly any ink."""
    reach = np.arange(-half, half + 1)
    columns, rows = np.floor(places).astype(int).T[:, :, None] + reach
    columns, rows = np.clip(columns, 0, image.shape[1] - 1), np.clip(rows, 0, image.shape[0] - 1)
    ink = 255.0 - image[rows[:, :, None], columns[:, None, :]]
    mass = ink.sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        x = (ink.sum(axis=1) * (columns + 0.5)).sum(axis=1) / mass
        y = (ink.sum(axis=2) * (rows + 0.5)).sum(axis=1) / mass
    lost = mass < 0.1 * DARK * 2 * np.pi * (SIGMA * SMALLEST) ** 2
    return np.where(lost[:, None], np.inf, np.column_stack([x, y]))
