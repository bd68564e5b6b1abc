"""The most that any digitiser can read: the signal fitted by drawing it again; bent pages made straight."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.linalg import solveh_banded
from scipy.sparse import coo_array, csr_array, dia_array

from ecgvec._typing import Float32Array, Float64Array, IntpArray
from ecgvec.geometry.units import MM_PER_INCH, px_per_mm
from ecgvec.rendering.camera import page_dpi
from ecgvec.verify.page import Page, Strip
from ecgvec.verify.unmix import OUTSIDE, Box, Ink, backdrops, clip_px, contrast, stroke
from ecgvec.warp.apply import Tile, flatten_page, taps
from ecgvec.warp.base import Flat, local_scale

SWEEPS = 2  # over all strips, each fitted beside the ink of the others as it was; the second where inks may meet
AGAIN_FROM = 2  # of NOISES, in later sweeps
STEPS = 20  # of one strip at one of NOISES
MARGIN = 8  # px around a strip's ink
NUDGE = 0.3  # px across the line by which samples are moved for derivatives
LARGEST_NUDGE = 1.5  # px along y, where the line is steep
# What the fit allows a pixel's cover to differ by, from coarse (the prior leads, no detail is fitted to a wrong place)
# to fine (8 bits of colour, 15 sub-rows in cairo).
NOISES = (0.3, 0.1, 0.03, 0.01, 0.003)
BEND = 0.08  # px per sample^2: the second difference that the prior expects where the line is calm
DAMPING = 1e-2  # at the start, of the mean power of a sample
SETTLED = 1e-2  # relative fall of the misfit below which a strip is done


def refit(ink: Ink, page: Page, start: Mapping[str, Float64Array]) -> dict[str, Float64Array]:
    """Millivolts (n,) of each strip by its id, fitted to the image's ``ink`` from ``start`` on (NaN stays NaN)."""
    view = _PageView(ink, page)
    strips = [_Strip.of(strip, view.page) for strip in page.strips]
    current = [start[s.strip.id] * s.px_per_mv for s in strips]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # cairo draws outside Python's lock
        for sweep in range(SWEEPS):
            boxes = [s.extent(u) for s, u in zip(strips, current, strict=True)]
            tasks = []
            for i, one in enumerate(strips):
                near = [j for j in range(len(strips)) if j != i and _meet(boxes[i], boxes[j])]
                others = [(strips[j], current[j]) for j in near]
                noises = NOISES if sweep == 0 else NOISES[AGAIN_FROM:] if near else ()
                tasks.append(pool.submit(_fit, one, current[i], view, others, noises))
            current = [task.result() for task in tasks]
    return {s.strip.id: u / s.px_per_mv for s, u in zip(strips, current, strict=True)}


def _meet(a: Box | None, b: Box | None) -> bool:
    return a is not None and b is not None and a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@dataclass(frozen=True, eq=False)
class _Strip:
    """A strip's constants: px a mV along y, px between samples, and how many samples lie between two that are moved
    together. Its unknowns ``u`` (n,) are voltages in px."""

    page: Page
    strip: Strip
    px_per_mv: float
    pitch: float
    apart: int

    @classmethod
    def of(cls, strip: Strip, page: Page) -> _Strip:
        zero = np.array([[strip.axes.x0, strip.axes.zero_y]])
        scale = local_scale(page.warp, zero)[0]
        pitch = float(scale[0] * strip.axes.speed / strip.fs)
        reach = page.pen / 2 + pitch + 1.0  # px that a moved sample can change on either side
        return cls(page, strip, float(scale[1] * strip.axes.gain), pitch, int(np.ceil(2 * reach / pitch)) + 1)

    def points(self, u: Float64Array) -> Float64Array:
        """Image px (n, 2)."""
        return self.strip.to_image(u / self.px_per_mv, self.page.warp)

    def draw(self, u: Float64Array, box: Box) -> Float32Array:
        """Cover of the box's pixels."""
        return stroke(self.points(u), self.page.pen, box, clip_px(self.page, self.strip.clip))

    def extent(self, u: Float64Array) -> Box | None:
        """Whole px around the line, inside the image; None where nothing is known or inside."""
        points = self.points(u)
        known = points[np.isfinite(points[:, 1])]
        if not len(known):
            return None
        room = MARGIN + self.page.pen
        (x0, y0), (x1, y1) = np.floor(known.min(axis=0) - room), np.ceil(known.max(axis=0) + room)
        box = (max(0, int(x0)), max(0, int(y0)), min(self.page.size[0], int(x1)), min(self.page.size[1], int(y1)))
        return box if box[2] > box[0] and box[3] > box[1] else None


def _fit(
    one: _Strip,
    u: Float64Array,
    view: _PageView,
    others: list[tuple[_Strip, Float64Array]],
    noises: tuple[float, ...] = NOISES,
) -> Float64Array:
    """One strip's ``u`` (n,) px, fitted beside ``others`` as they are, at one of ``noises`` after the other."""
    box = one.extent(u)
    if box is None or np.isfinite(u).sum() < 3 or not noises:
        return u
    problem = _Problem.of(one, view.seen(box), others, box)
    for noise in noises:
        u = _descend(replace(problem, weight=problem.seen.weight / np.float32(noise**2)), u)
    return u


def _descend(problem: _Problem, u: Float64Array) -> Float64Array:
    """``u`` (n,) px moved until the misfit falls no more."""
    damping, rest, jacobian = DAMPING, problem.rest(u), problem.jacobian(u)
    for _ in range(STEPS):
        bend = _bend(u)
        cost = problem.cost(rest, u, bend)
        step = _step(jacobian, problem.weight, rest, u, bend, damping)
        tried = u + step  # NaN stays NaN
        tried_rest = problem.rest(tried)
        tried_cost = problem.cost(tried_rest, tried, bend)
        if tried_cost < cost:
            u, rest, damping = tried, tried_rest, max(damping / 4, 1e-7)
            if tried_cost > (1 - SETTLED) * cost:
                break
            jacobian = problem.jacobian(u)
        else:
            damping *= 8
            if damping > 1e3:
                break
    return u


@dataclass(frozen=True, eq=False)
class _Problem:
    """What one strip is fitted to: what the image shows of the page's part ``box``, the ``weight`` (pixels,) of that in
    1 / noise^2, and ``free``, how much of each pixel of the page the other strips leave open."""

    one: _Strip
    box: Box
    seen: Seen
    weight: Float32Array
    free: Float32Array

    @classmethod
    def of(cls, one: _Strip, seen: Seen, others: list[tuple[_Strip, Float64Array]], box: Box) -> _Problem:
        free = np.ones((box[3] - box[1], box[2] - box[0]), dtype=np.float32)
        for other, u in others:
            free *= 1 - other.draw(u, box)
        return cls(one, box, seen, seen.weight, free)

    def rest(self, u: Float64Array) -> Float64Array:
        """Seen less drawn, (pixels,)."""
        return np.asarray(self.seen.cover - self.seen.shown(1 - self.free * (1 - self.one.draw(u, self.box))))

    def cost(self, rest: Float64Array, u: Float64Array, bend: Float64Array) -> float:
        """Minus twice the log posterior, but for a constant."""
        second = _second(u)
        return float(np.vdot(self.weight * rest, rest)) + float(np.sum((second / bend) ** 2))

    def jacobian(self, u: Float64Array) -> csr_array:
        """Change of what each pixel shows by a px of each sample: (pixels, n)."""
        one, n, width = self.one, len(u), self.box[2] - self.box[0]
        nudge = _nudges(u, one.pitch)
        x = one.points(np.zeros(n))[:, 0] - self.box[0]
        rows, columns, values = [], [], []
        for first in range(one.apart):
            moved = np.arange(first, n, one.apart)
            if not len(moved):
                continue
            up, down = u.copy(), u.copy()
            up[moved] += nudge[moved]
            down[moved] -= nudge[moved]
            change = (one.draw(up, self.box) - one.draw(down, self.box)) * self.free
            pixel = np.flatnonzero(change)
            owner = moved[_nearest(x[moved], (pixel % width).astype(np.float64) + 0.5)]
            rows.append(pixel)
            columns.append(owner)
            values.append(change.ravel()[pixel] / (2 * nudge[owner]))
        entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
        return self.seen.changes(csr_array(coo_array(entries, (self.free.size, n))))


def _nearest(sorted_x: Float64Array, x: Float64Array) -> IntpArray:
    """Index of the nearest of ``sorted_x`` to each ``x``."""
    if len(sorted_x) == 1:
        return np.zeros(len(x), dtype=np.intp)
    middles = (sorted_x[1:] + sorted_x[:-1]) / 2
    return np.searchsorted(middles, x)


def _nudges(u: Float64Array, pitch: float) -> Float64Array:
    """How far each sample is moved for its derivative: further where the line is steep, which changes less ink."""
    slope = np.abs(np.gradient(np.nan_to_num(u))) / pitch
    return np.clip(NUDGE * np.sqrt(1 + slope**2), NUDGE, LARGEST_NUDGE)


def _second(u: Float64Array) -> Float64Array:
    """Second differences (n - 2,), 0 across gaps."""
    return np.nan_to_num(np.diff(u, 2), nan=0.0)


def _bend(u: Float64Array) -> Float64Array:
    """The second difference (n - 2,) that the prior expects: more where the line bends already."""
    second = np.abs(_second(u))
    window = np.ones(5) / 5
    return BEND + np.convolve(second, window, mode="same")


def _step(
    jacobian: csr_array, weight: Float32Array, rest: Float64Array, u: Float64Array, bend: Float64Array, damping: float
) -> Float64Array:
    """The step (n,) of ``u`` that a quadratic model takes to its least."""
    n = len(u)
    weighted = jacobian.multiply(weight.reshape(-1, 1)).tocsr()
    normal = (jacobian.T @ weighted).tocsr()
    pull = weighted.T @ rest.astype(np.float64)
    second = _second(u)
    inverse = np.where(np.isfinite(np.diff(u, 2)), 1 / bend**2, 0.0)
    reach = max(2, int(_bandwidth(normal)))
    band = np.zeros((reach + 1, n))
    for k in range(reach + 1):
        band[k, : n - k] = normal.diagonal(k)
    taps = (1.0, -2.0, 1.0)
    for i in range(3):
        pull[i : n - 2 + i] -= taps[i] * inverse * second
        for j in range(i, 3):
            band[j - i, i : n - 2 + i] += taps[i] * taps[j] * inverse
    band[0] += damping * (band[0] + band[0].mean()) + 1e-6
    return np.asarray(solveh_banded(band, pull, lower=True))


def _bandwidth(matrix: csr_array) -> int:
    entries = matrix.tocoo()
    return int(np.abs(entries.row - entries.col).max(initial=0))


READ_SCALE = 1.0  # px of the straightened page for one of the image
HALF_SHOWN = 0.5
LEAST_TAKEN = 0.05  # of paper to ink on the page: below it, a pixel of the image cannot tell
RIM_STEP = 8  # px between places on a box's rim


def straighten(ink: Ink, page: Page) -> tuple[Ink, Page]:
    """The image's ink as it lies on the paper, and the page that shows it so; a flat page as it is."""
    if isinstance(page.warp, Flat):
        return ink, page
    scale = READ_SCALE * page.warp.scale()
    found = flatten_page(np.dstack([ink.cover, ink.weight, np.ones_like(ink.cover)]), page.warp, scale)
    # Float32Array itself, not what a pixel shows of it: averaged beside paper, a line on a grid line would lose ink.
    cover = np.where(found[..., 2] > HALF_SHOWN, np.clip(found[..., 0], -0.5, 1.5), np.float32(OUTSIDE))
    return Ink(cover, np.maximum(found[..., 1], 0)), page.straight(scale * MM_PER_INCH)


@dataclass(frozen=True, eq=False)
class Seen:
    """A part of an image: ``cover`` (n,) of its pixels and their ``weight`` (n,), and how ink on a part of the page
    gets there: ``matrix`` (n, pixels of the page's part), or None where they are the same."""

    cover: Float32Array
    weight: Float32Array
    matrix: csr_array | None = None

    def shown(self, drawn: Float32Array) -> Float64Array | Float32Array:
        """What the pixels (n,) show of ink ``drawn`` (rows, columns) on the page."""
        flat = drawn.ravel()
        return flat if self.matrix is None else np.asarray(self.matrix @ flat.astype(np.float64))

    def changes(self, jacobian: csr_array) -> csr_array:
        """Changes (n, k) of the pixels from changes (pixels of the page's part, k) of ink on the page."""
        return jacobian if self.matrix is None else csr_array(self.matrix @ jacobian)


class _PageView:
    """An image's ink as ink on a page seen straight on: ``page`` is that page, at the resolution at which it was drawn
    before the one resampling."""

    def __init__(self, ink: Ink, page: Page) -> None:
        self._ink, self._bent = ink, page
        self.page, self._scale, self._reach = page, 1.0, np.empty((0, 0), dtype=np.float32)
        if not isinstance(page.warp, Flat):
            dpi = page_dpi(page.warp, page.plan.page.style.dpi)
            self.page, self._scale = page.straight(dpi), px_per_mm(dpi)
            empty, full = (cv2.transform(i.astype(np.float32), contrast(page)) for i in backdrops(self.page))
            self._reach = np.asarray(full - empty)

    def seen(self, box: Box) -> Seen:
        """What the image shows of ``box`` of the page, whole px of ``page``."""
        if isinstance(self._bent.warp, Flat):
            part = self._ink.crop(box)
            return Seen(part.cover.ravel(), part.weight.ravel())
        image = self._around(box)
        part = self._ink.crop(image)
        x0, y0, x1, y1 = box
        reach = self._reach[y0:y1, x0:x1].ravel().astype(np.float64)
        matrix = taps(self._bent.warp, self._scale, Tile(*image), Tile(*box))
        whole = np.asarray(matrix @ reach)
        told = np.abs(whole) > LEAST_TAKEN
        rows = np.divide(1.0, whole, out=np.zeros_like(whole), where=told)
        matrix = csr_array(dia_array((rows[None], 0), shape=(len(rows),) * 2) @ matrix)
        matrix = csr_array(matrix @ dia_array((reach[None], 0), shape=(len(reach),) * 2))
        return Seen(part.cover.ravel(), part.weight.ravel() * told, matrix)

    def _around(self, box: Box) -> Box:
        """Whole px of the image around a part of the page."""
        x0, y0, x1, y1 = box
        x, y = (np.append(np.arange(a, b, RIM_STEP), b).astype(np.float64) for a, b in ((x0, x1), (y0, y1)))
        rim = [np.column_stack([x, np.full_like(x, at)]) for at in (y0, y1)]
        rim += [np.column_stack([np.full_like(y, at), y]) for at in (x0, x1)]
        points = self._bent.warp.forward(self.page.warp.inverse(np.concatenate(rim)))
        low, high = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
        width, height = self._bent.size
        left, top = np.clip(low, 0, (width - 1, height - 1)).astype(int)
        right, bottom = np.clip(high, (left + 1, top + 1), (width, height)).astype(int)
        return int(left), int(top), int(right), int(bottom)
