"""From the parts of a warp to one map: bends, camera and planar maps composed, then inverted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ecgvec._typing import BoolArray, Float64Array, Points
from ecgvec.errors import WarpError
from ecgvec.warp.cameras import Phone
from ecgvec.warp.grid import Grid, Sloped, between, solve_slopes
from ecgvec.warp.lattice import Lattice, find_flipped_cells, lattice_lines
from ecgvec.warp.parts import Bend, Camera, Canvas, Paper, Planar, Roll, WarpPart
from ecgvec.warp.relief import LARGEST_STRAIN, Relief, Surface

STEP_AT_200_DPI = 10  # px between the lattice's nodes: about 1.3 mm, at any resolution
OVERHEAD_MM = 600.0  # from which a page is seen when no camera is named
SPARSE = 4  # a node in so many is solved for before the others
WHOLE_STEPS, SHORTER, INVERSION_STEPS = 5, 0.6, 40
NEAR = 5e-3  # px: the lattice IS the map, so this is a matter of looks alone
TRUSTED = 0.015  # px: a chord's step leaves a third of it at most
LONGEST = 1.0  # mm of such a step: one that is longer is near the horizon, where slopes are no guide
MARGIN_MM = 0.5
SHARES = (1.0, 0.85, 0.7, 0.55, 0.4, 0.25, 0.1)  # of the relief, tried in turn until the sheet can be seen whole


@dataclass(frozen=True, eq=False)
class Composed:
    """A warp with what light needs to know of it: the surface in space, what bent it, the camera and what became of
    its picture, and the ``share`` of the relief that was kept."""

    warp: Lattice
    surface: Surface
    bends: tuple[Bend, ...]
    camera: Camera
    planar: tuple[Planar, ...]
    canvas: Canvas
    share: float

    def project(self, xyz: Float64Array) -> Points:
        """Image px (n, 2) of points (n, 3) in mm from the page's middle, z towards the viewer and 0 on the desk."""
        return _seen(xyz, self.camera, self.canvas, self.planar)[0]


def compose(paper: Paper, canvas: Canvas, parts: Sequence[WarpPart], share: float | None = None) -> Composed:
    """The map that ``parts`` make of a page on an image of ``canvas`` (before planar maps change its size).

    With ``share`` None, a sheet that hides parts of itself from the camera, or that would have to stretch by more than
    1 %, is bent less, until it does not. WarpError where nothing helps, or where the given ``share`` does not.
    """
    rolls = [part for part in parts if isinstance(part, Roll)]
    if len(rolls) > 1:
        raise WarpError(f"a sheet is rolled once, not by {' and by '.join(r.kind for r in rolls)}: keep one of them")
    bends = tuple(part for part in parts if isinstance(part, Bend))
    relief = Relief(paper, bends, rolls[0] if rolls else None)
    reason = None
    for tried in SHARES if share is None else (share,):
        try:
            surface = _strained(relief.surface(tried))
            return photograph_sheet(surface, bends, canvas, parts, tried)
        except _TooSteepError as error:
            reason = error
    raise WarpError(f"this sheet cannot be photographed: {reason}; lessen its bends, or the camera's tilt")


class _TooSteepError(Exception):
    """Less relief may help."""


def _strained(surface: Surface) -> Surface:
    """The surface itself. _TooSteepError where paper would tear."""
    strain = surface.strain()
    if strain > LARGEST_STRAIN:
        raise _TooSteepError(f"it would stretch by {100 * strain:.1f} %")
    return surface


def photograph_sheet(
    surface: Surface, bends: tuple[Bend, ...], canvas: Canvas, parts: Sequence[WarpPart], share: float
) -> Composed:
    """The warp of a sheet that was bent by ``share`` of ``bends``, seen by the camera and planar maps of ``parts``."""
    cameras = [part for part in parts if isinstance(part, Camera)]
    if len(cameras) > 1:
        raise WarpError(f"a sheet is photographed once, not by {' and by '.join(c.kind for c in cameras)}: keep one")
    camera = cameras[0] if cameras else Phone(distance=OVERHEAD_MM)
    planar = tuple(part for part in parts if isinstance(part, Planar))
    points, after = _seen(surface.planes.reshape(3, -1).T, camera, canvas, planar)
    warp = _inverted(surface, points.T.reshape(2, *surface.height.shape), (after.width, after.height))
    return Composed(warp, surface, bends, camera, planar, canvas, share)


def _seen(xyz: Float64Array, camera: Camera, canvas: Canvas, planar: Sequence[Planar]) -> tuple[Points, Canvas]:
    """Image px (n, 2) of points in space, and the image that they are in."""
    points = camera.project(xyz, canvas)
    for part in planar:
        points, canvas = part.move(points, canvas), part.canvas(canvas)
    return points, canvas


@dataclass(frozen=True, eq=False)
class _Forward:
    """Page mm -> image px: a homography, and what the sheet's nodes differ from it by. Beyond the paper's edge the
    edge's own difference goes on."""

    homography: Float64Array
    difference: Grid

    def __call__(self, points: Points) -> Points:
        return self.at(*points.T).T

    def at(self, x: Float64Array, y: Float64Array) -> Float64Array:
        """Image px (2, n) of page mm x (n,) and y (n,)."""
        return np.asarray(_through(self.homography, x, y)[0] + self.difference.at(x, y))

    def with_slopes(self, x: Float64Array, y: Float64Array) -> Sloped:
        """The same with its derivatives."""
        flat, depth = _through(self.homography, x, y)
        more = self.difference.with_slopes(x, y)
        h = self.homography
        along = (more[i + 1] + (h[:2, i, None] - flat * h[2, i]) / depth for i in (0, 1))
        return Sloped(flat + more.values, *along)


def _through(homography: Float64Array, x: Float64Array, y: Float64Array) -> tuple[Float64Array, Float64Array]:
    """x (n,) and y (n,) through a homography (3, 3): (2, n), and what was divided by (n,)."""
    h = homography
    depth = h[2, 0] * x + h[2, 1] * y + h[2, 2]
    return np.stack([h[0, 0] * x + h[0, 1] * y + h[0, 2], h[1, 0] * x + h[1, 1] * y + h[1, 2]]) / depth, depth


def _inverted(surface: Surface, seen: Float64Array, size: tuple[int, int]) -> Lattice:
    """The lattice in the image, where the surface's nodes are ``seen`` (2, rows, columns), px. _TooSteepError where the
    sheet hides parts of itself."""
    if find_flipped_cells(seen).any():
        raise _TooSteepError("it hides parts of itself from the camera")
    page = np.stack(np.meshgrid(surface.x, surface.y))
    few = np.s_[:, ::6, ::6]
    found, _ = cv2.findHomography(page[few].reshape(2, -1).T, seen[few].reshape(2, -1).T)
    if found is None:
        raise WarpError("the camera sees the sheet edge on: lessen its tilt and pan")
    homography: Float64Array = np.array(found, dtype=np.float64)
    flat = _through(homography, *page.reshape(2, -1))[0].reshape(seen.shape)
    difference = Grid(seen - flat, (0.0, 0.0), surface.step, clamped=True)
    return _solved(surface.paper, _Forward(homography, difference), size)


def _solved(paper: Paper, forward: _Forward, size: tuple[int, int]) -> Lattice:
    """Page mm at the image's nodes. _TooSteepError where the paper is seen edge on, or turned over."""
    scale = _scale(forward, paper.centre)
    step = max(2, round(STEP_AT_200_DPI * scale / (200 / 25.4)))
    points, lost = _inverse_on(lattice_lines(size, step), step, forward)
    if _near_paper(lost, paper).any():
        raise _TooSteepError("parts of it are seen edge on")
    _check_cells(points, _near_paper(points, paper))
    return Lattice(size, np.stack(list(points), axis=-1), step, forward, forward.homography, paper)


def _inverse_on(
    lines: tuple[Float64Array, Float64Array], step: int, forward: _Forward
) -> tuple[Float64Array, Float64Array]:
    """Page mm (2, rows, columns) of the image px where ``lines`` ``step`` px apart, x (columns,) and y (rows,), cross;
    and those of them (2, k) that are not found. Every SPARSE-th is worked out from nothing. Cubics through those come
    so near the others that the cubics' own slopes do for a step, and are looked at again only where it was long."""
    few = [line[0] + np.arange(-(-(len(line) - 1) // SPARSE) + 1) * SPARSE * step for line in lines]
    wanted = np.stack(np.meshgrid(*few)).reshape(2, -1)
    start = _through(np.array(np.linalg.inv(forward.homography), dtype=np.float64), *wanted)[0]
    points = _inverse(forward, wanted, start)[0].reshape(2, len(few[1]), len(few[0]))
    points = between(between(points, SPARSE, 1), SPARSE, 2)[:, : len(lines[1]), : len(lines[0])]
    down, across = (np.asarray(np.gradient(points, step, axis=axis)) for axis in (1, 2))
    wanted = np.stack(np.meshgrid(*lines))
    rest = wanted - forward.at(*points.reshape(2, -1)).reshape(points.shape)
    more, far = across * rest[0] + down * rest[1], np.abs(rest).max(axis=0) > TRUSTED
    points += more * (far | (np.abs(more).max(axis=0) < LONGEST))
    points[:, far], lost = _inverse(forward, wanted[:, far], points[:, far])
    return points, lost


def _inverse(forward: _Forward, wanted: Float64Array, start: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Page mm (2, n) of image px (2, n), by Newton's method from ``start`` (2, n), and those of them (2, k) that it
    does not find. A few beyond a curled edge, where the map has a kink, need shorter steps."""
    points, left = start, np.arange(wanted.shape[1])
    here, goal = start, wanted
    for number in range(INVERSION_STEPS):
        there = forward.with_slopes(*here)
        rest = goal - there.values
        far = np.flatnonzero((np.abs(rest) > NEAR).any(axis=0))
        if len(far) < len(left):
            points[:, left] = here
            left, here, goal, rest = left[far], here[:, far], goal[:, far], rest[:, far]
            there = Sloped(*(part[:, far] for part in there))
        if not len(left):
            break
        for axis, more in zip(here, solve_slopes(there, *rest), strict=True):
            axis += (1.0 if number < WHOLE_STEPS else SHORTER) * more
    points[:, left] = here
    return points, here


def _near_paper(points: Float64Array, paper: Paper) -> BoolArray:
    """Which page mm (2, ...) lie on the paper or within MARGIN_MM of it, (...)."""
    x, y = points
    x_near = (x > -MARGIN_MM) & (x < paper.width + MARGIN_MM)
    return np.asarray(x_near & (y > -MARGIN_MM) & (y < paper.height + MARGIN_MM))


def _check_cells(points: Float64Array, near: BoolArray) -> None:
    """_TooSteepError where a cell of the image's lattice, page mm (2, rows, columns), that shows paper is not wholly
    right side out. ``near`` (rows, columns): which nodes lie near the paper."""
    shows = near[:-1, :-1] | near[:-1, 1:] | near[1:, :-1] | near[1:, 1:]
    if (find_flipped_cells(points) & shows).any():
        raise _TooSteepError("it hides parts of itself from the camera")


def _scale(forward: _Forward, place: Float64Array) -> float:
    """Image px a mm of paper at ``place`` (2,), page mm."""
    here = forward.with_slopes(place[:1], place[1:])
    (a, c), (b, d) = here.along_x[:, 0], here.along_y[:, 0]
    return float(np.sqrt(a * d - b * c))
