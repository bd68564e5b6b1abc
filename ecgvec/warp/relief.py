"""The sheet as a surface over its page, bent and drawn together so that lengths on the paper stay."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy import fft

from ecgvec._typing import Complex128Array, Float64Array, Points
from ecgvec.warp.parts import Bend, Bending, Paper, Roll

NODE_MM = 1.5  # distance of the lattice's nodes
RESTING = 8  # % of the sheet lie on the desk: paper is too soft to stand on three points
HEIGHTS_FIRST = 0.4  # share of the heights down to which a roll keeps its whole curvature
LARGEST_STRAIN = 0.01  # of a length along the paper, 99th percentile


@dataclass(frozen=True, eq=False)
class Surface:
    """A bent sheet at the nodes of a page lattice: ``x`` (columns,) and ``y`` (rows,) page mm; ``height`` (rows,
    columns) above the rolled sheet in mm; ``planes`` (3, rows, columns): x, y and z in mm from the page's middle, z
    towards the viewer and 0 on the desk."""

    paper: Paper
    x: Float64Array
    y: Float64Array
    height: Float64Array
    planes: Float64Array

    @property
    def step(self) -> tuple[float, float]:
        """Distance of nodes along x and y, mm."""
        return float(self.x[1] - self.x[0]), float(self.y[1] - self.y[0])

    @cached_property
    def xyz(self) -> Float64Array:
        """The ``planes`` as points (rows, columns, 3)."""
        return np.stack(list(self.planes), axis=-1)

    @cached_property
    def normals(self) -> Float64Array:
        """Unit normals (rows, columns, 3)."""
        # x right, y down, z towards the viewer: a flat sheet's normal is (0, 0, 1).
        (a, b, c), (d, e, f) = (np.asarray(np.gradient(self.planes, axis=axis)) for axis in (2, 1))
        x, y, z = b * f - c * e, c * d - a * f, a * e - b * d
        length = np.sqrt(x * x + y * y + z * z)
        return np.stack([x / length, y / length, z / length], axis=-1)

    def strain(self) -> float:
        """How much lengths along the paper are wrong, as a share: 99th percentile over the sheet and all
        directions."""
        e, f, g = _metric(self)
        worst = np.abs((e + g) / 2 - 1) / 2 + np.sqrt(((e - g) / 2) ** 2 + f * f) / 2
        return _percentile(worst, 99)


def nodes(paper: Paper) -> tuple[Float64Array, Float64Array]:
    """x (columns,) and y (rows,) of the page lattice, page mm: an even number of cells, the rim on the paper's
    edge."""
    counts = (2 * max(1, round(side / NODE_MM / 2)) + 1 for side in (paper.width, paper.height))
    x, y = (np.linspace(0, side, n) for side, n in zip((paper.width, paper.height), counts, strict=True))
    return x, y


@dataclass(frozen=True, eq=False)
class Relief:
    """All that bends a sheet. What does not hang on the share of it that is kept is worked out once."""

    paper: Paper
    bends: tuple[Bend, ...]
    roll: Roll | None

    def surface(self, share: float) -> Surface:
        """The sheet under ``share`` of all heights. A roll stretches nothing, so it gives way only below
        HEIGHTS_FIRST."""
        (x, y), height = nodes(self.paper), share * self._height
        if self.roll is None:
            planes = np.stack([*np.meshgrid(*(side - side[-1] / 2 for side in (x, y))), height])
            planes[:2] += share**2 * self._flat_shifts
        else:
            planes = self._rolled(self.roll, height, min(1.0, share / HEIGHTS_FIRST))
        planes[2] -= _percentile(planes[2], RESTING)
        return Surface(self.paper, x, y, height, planes)

    @cached_property
    def _points(self) -> Points:
        """Page mm (n, 2) of the nodes, row by row; in memory all x and then all y, which NumPy works on faster."""
        return np.stack(np.meshgrid(*nodes(self.paper))).reshape(2, -1).T

    @cached_property
    def _height(self) -> Float64Array:
        """The whole height (rows, columns), mm."""
        x, y = nodes(self.paper)
        height = np.zeros(len(self._points))
        for bend in self.bends:
            height += bend.heights(self._points, self.paper)
        return height.reshape(len(y), len(x))

    @cached_property
    def _flat_shifts(self) -> Float64Array:
        """In-plane shifts (2, rows, columns) in mm under the whole height, of a sheet that is not rolled; under a share
        of it they are that share's square of these."""
        return _shifts(self._height, None, nodes(self.paper)) if self.bends else np.zeros((2, *self._height.shape))

    def _rolled(self, roll: Roll, height: Float64Array, share: float) -> Float64Array:
        """Places in space (3, rows, columns), mm, of a sheet that is rolled too, to ``share`` of the curvature."""
        points = self._points
        if self.bends:
            shifts = _shifts(height, roll.bending(points, self.paper, share), nodes(self.paper))
            points = points + shifts.reshape(2, -1).T
        lying = roll.roll(points, self.paper, share)
        return lying.xyz.T.reshape(3, *height.shape) + height * lying.normals.T.reshape(3, *height.shape)


def _shifts(height: Float64Array, bending: Bending | None, lines: tuple[Float64Array, Float64Array]) -> Float64Array:
    """In-plane shifts (2, rows, columns) in mm: solved on every second node, halfway between for the others."""
    (x, y), step = lines, (float(lines[0][1] - lines[0][0]), float(lines[1][1] - lines[1][0]))
    gx, gy = (np.asarray(np.gradient(height, step[i], axis=1 - i))[::2, ::2] for i in (0, 1))
    strain = np.stack([gx * gx, gy * gy, gx * gy]) / 2
    if bending is not None:
        bent_by = (height * bending.curvature.reshape(height.shape))[::2, ::2]
        dx, dy = np.moveaxis(bending.across.reshape(*height.shape, 2)[::2, ::2], -1, 0)
        strain -= bent_by * np.stack([dx * dx, dy * dy, dx * dy])
    coarse = draw_together(strain, (2 * step[0], 2 * step[1]))
    wide = np.empty((2, coarse.shape[1], len(x)))
    wide[:, :, ::2], wide[:, :, 1::2] = coarse, (coarse[:, :, 1:] + coarse[:, :, :-1]) / 2
    full = np.empty((2, len(y), len(x)))
    full[:, ::2], full[:, 1::2] = wide, (wide[:, 1:] + wide[:, :-1]) / 2
    return full


def _metric(surface: Surface) -> tuple[Float64Array, Float64Array, Float64Array]:
    """First fundamental form E, F, G of the lattice's cells."""
    (dx, dy), planes = surface.step, surface.planes
    a, b, c = (planes[:, :-1, 1:] - planes[:, :-1, :-1]) / dx
    d, e, f = (planes[:, 1:, :-1] - planes[:, :-1, :-1]) / dy
    return a * a + b * b + c * c, a * d + b * e + c * f, d * d + e * e + f * f


def _percentile(values: Float64Array, percent: float) -> float:
    """What ``np.percentile`` finds of numbers, from half the partitions that it makes."""
    last = percent / 100 * (values.size - 1)
    below = min(int(last), values.size - 2)
    sides = np.partition(values, below, axis=None)
    low, high = float(sides[below]), float(sides[below + 1 :].min())
    return low + (last - below) * (high - low)


def draw_together(strain: Float64Array, step: tuple[float, float]) -> Float64Array:
    """Shifts (2, rows, columns) in mm that undo as much as can be of ``strain`` (3, rows, columns): xx, yy, xy, at
    nodes ``step`` (x, y) mm apart."""
    rows, columns = strain.shape[1:]
    mean = strain.mean(axis=(1, 2))
    xx, yy, xy = (_spectrum(strain[i] - mean[i] * (i < 2), odd=i == 2) for i in range(3))
    kx = 2 * np.pi * fft.rfftfreq(2 * columns - 2, step[0])[None, :]
    ky = 2 * np.pi * fft.fftfreq(2 * rows - 2, step[1])[:, None]
    square = kx**2 + ky**2
    square[0, 0] = 1.0
    inverse = 1 / square  # complex numbers are multiplied far faster than divided
    bx, by = 2j * (xx * kx + xy * ky), 2j * (xy * kx + yy * ky)
    along = (bx * kx + by * ky) * (inverse / 2)
    halfway = (fft.ifft((b - k * along) * inverse, axis=0)[:rows] for b, k in ((bx, kx), (by, ky)))
    shifts = [fft.irfft(some, 2 * columns - 2)[:, :columns] for some in halfway]
    x = (np.arange(columns) - (columns - 1) / 2) * step[0]
    y = (np.arange(rows) - (rows - 1) / 2) * step[1]
    return np.stack([shifts[0] - mean[0] * x[None, :], shifts[1] - mean[1] * y[:, None]])


def _spectrum(values: Float64Array, odd: bool) -> Complex128Array:
    """The Fourier series (2 rows - 2, columns) of the page (rows, columns) and its mirror images about its last column
    and row; ``odd`` ones change sign. Mirrored rows have the mirrored series, so half of them are enough."""
    sign = -1.0 if odd else 1.0
    half = fft.rfft(np.concatenate([values, sign * values[:, -2:0:-1]], axis=1))
    return fft.fft(np.concatenate([half, sign * half[-2:0:-1]]), axis=0)
