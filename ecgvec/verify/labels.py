"""How far the labels lie from the ink, in px: each labelled trace is drawn again and laid on the image.

This is the one place of ``verify`` that reads where the labels say that the samples lie. A trace's ink is predicted
from its label; the shift that takes the prediction to the image's ink is found by least squares (Lucas and Kanade
1981), redrawn with cairo at each step, so that a label that is right is found at 0 and not at a bias of the method.

On bent pages too the ink is drawn in the image, around the labels themselves, with the pen's width there and as soft as
resampling leaves it on average. It never goes through the resampling, whose faults would otherwise go unseen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from ecgvec._typing import Float32Array, Float64Array, Image, IntpArray, Points
from ecgvec.marks.pen import DoubleTrace
from ecgvec.verify.page import Page, Strip
from ecgvec.verify.unmix import Box, Ink, Shift, clip_px, stroke, unmix
from ecgvec.warp.base import Flat

REACH = 6  # px that the ink is sought around its label, along x and along y
PROBES = 10_000  # inked pixels that are tried at each whole shift
DARKEST = 80  # percentile of the labels' ink that is a line's middle
LEAST_SHARE = 0.5  # of the labels' ink that has to be in the image
STEPS = 4  # of least squares
LARGEST_STEP = 1.0  # px
ENOUGH = 0.005  # px: a smaller step is the last
PIECE = 96  # px of a trace that get a shift of their own
LEAST_POWER = 2.0  # squared change of cover by a px, summed: below it a direction cannot be told
TELLING = 0.05  # px: standard error, by the image's own noise, up to which a shift counts as told
PEN_EVERY = 25  # labels of a bent page's trace the pen's width is looked up
SOFT = np.array([1 / 12, 5 / 6, 1 / 12])  # what a bilinear tap does, in the mean over places between pixels


@dataclass(frozen=True)
class LabelError:
    """Label error of an image in px: ``shift`` (x, y) from labels to ink, the median over traces, and ``median`` its
    length; ``p99`` over pieces of the traces; ``traces``: (x, y) of each, NaN along a direction that cannot be told.
    ``found`` is False where the labels' ink is not in the image, or only further off than is sought."""

    shift: Shift
    median: float
    p99: float
    traces: Mapping[str, Shift]
    found: bool = True

    @property
    def worst(self) -> float:
        """The largest error in px of any trace, or of all but a hundredth of the pieces."""
        lengths = [float(np.hypot(*np.nan_to_num(shift))) for shift in self.traces.values()]
        return max([*lengths, self.p99])


@dataclass(frozen=True, eq=False)
class _Placed:
    """A labelled trace in the image: its labels, the box around them, and its ink as drawn from them: ``pen`` px wide,
    or (n,) at each label; ``soft`` where the image was resampled; ``ghost`` (n, 2) px: where it was struck twice."""

    strip: Strip
    points: Points
    box: Box
    clip: Points | None
    pen: float | Float64Array
    soft: bool
    ghost: Points | None

    def draw(self, shift: Shift = (0.0, 0.0)) -> Float32Array:
        """Predicted cover of the box's pixels, the labels moved by ``shift``."""
        clip = None if self.clip is None else self.clip + np.array(shift)
        drawn = stroke(self.points + np.array(shift), self.pen, self.box, clip)
        return np.asarray(cv2.sepFilter2D(drawn, -1, SOFT, SOFT)) if self.soft else drawn


@dataclass(frozen=True, eq=False)
class _Found:
    """The shift of a trace, and the distances (pieces,) of its pieces from their labels."""

    shift: Shift
    pieces: Float64Array


def label_error(image: Image, page: Page, ink: Ink, points: Mapping[str, Points]) -> LabelError:
    """Hold the labels' ``points``, (n, 2) image px by trace id, against the image; ``ink`` is the image's, unmixed.

    The page's ground (grid, texts) may have moved with the ink: then it is drawn again where it is.
    """
    placed = [p for p in (_placed(strip, page, points[strip.id]) for strip in page.strips) if p is not None]
    shift = _rough(ink, placed) if placed else None
    if shift is None:
        return LabelError((0.0, 0.0), 0.0, 0.0, {}, found=False)
    ground = ink if shift == (0.0, 0.0) else _better_ground(ink, image, page, shift)
    found = [_fit(ground, placed, one, shift) for one in placed]
    if np.hypot(*np.subtract(_middle(found), shift)) > 4 * ENOUGH and np.hypot(*_middle(found)) > 4 * ENOUGH:
        shift = _middle(found)
        ground = _better_ground(ground, image, page, shift)
        found = [_fit(ground, placed, one, shift) for one in placed]
    middle = _middle(found)
    lengths = np.concatenate([f.pieces for f in found])
    p99 = float(np.percentile(lengths, 99)) if len(lengths) else 0.0
    traces = {one.strip.id: f.shift for one, f in zip(placed, found, strict=True)}
    return LabelError(middle, float(np.hypot(*middle)), p99, traces)


def _middle(found: list[_Found]) -> Shift:
    """The median shift of all traces, 0 along a direction that none can tell."""
    x, y = np.array([f.shift for f in found], dtype=np.float64).T
    return _median(x), _median(y)


def _median(values: Float64Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else 0.0


def _placed(strip: Strip, page: Page, points: Points) -> _Placed | None:
    """A labelled trace with whole px around it, or None outside the image."""
    known = points[np.isfinite(points).all(axis=1)]
    if not len(known):
        return None
    pen = page.pen if isinstance(page.warp, Flat) else _pens(page, points)
    room = 2 * REACH + float(np.max(pen))
    (x0, y0), (x1, y1) = np.floor(known.min(axis=0) - room), np.ceil(known.max(axis=0) + room)
    box = (max(0, int(x0)), max(0, int(y0)), min(page.size[0], int(x1)), min(page.size[1], int(y1)))
    if box[2] - box[0] < 2 or box[3] - box[1] < 2:
        return None
    soft = not isinstance(page.warp, Flat)
    return _Placed(strip, points, box, clip_px(page, strip.clip), pen, soft, _ghost(page, points))


def _ghost(page: Page, points: Points) -> Points | None:
    """Where a page that was struck twice has the ghost of labels (n, 2), px."""
    for mark in page.plan.marks:
        if isinstance(mark, DoubleTrace):
            return page.warp.forward(page.warp.inverse(points) + np.array([mark.dx, mark.dy]))
    return None


def _pens(page: Page, points: Points) -> Float64Array:
    """The pen's width (n,) in px at labels (n, 2), from some of them."""
    few = np.flatnonzero(np.isfinite(points).all(axis=1))[::PEN_EVERY]
    return np.interp(np.arange(len(points)), few, page.pens(page.warp.inverse(points[few])))


def _better_ground(ink: Ink, image: Image, page: Page, shift: Shift) -> Ink:
    """The image's ink with the ground moved by ``shift``, or ``ink`` where that explains the image better. That of a
    bent page moves by whole px."""
    if not isinstance(page.warp, Flat) and round(shift[0]) == round(shift[1]) == 0:
        return ink
    other = unmix(image, page, shift)
    return other if float(np.abs(other.cover).sum()) < float(np.abs(ink.cover).sum()) else ink


def _rough(ink: Ink, placed: list[_Placed]) -> Shift | None:
    """The shift in whole px at which most of the labels' ink lies on dark pixels, all traces together.

    None where less than half of it does at any.
    """
    drawn = [one.draw() for one in placed]
    # From half the cover of a line's middle on: what a shifted grid leaves behind is weaker.
    least = 0.5 * min(1.0, float(np.percentile(np.concatenate([d[d > 0] for d in drawn]), DARKEST)))
    dark = np.pad(np.where(ink.cover > least, ink.cover, 0), REACH)
    spots = []
    for one, cover in zip(placed, drawn, strict=True):
        y, x = np.nonzero(cover > least)
        spots.append(np.column_stack([y + one.box[1], x + one.box[0], cover[y, x]]))
    inked = np.concatenate(spots)
    inked = inked[:: len(inked) // PROBES + 1]
    y, x = inked[:, :2].astype(np.intp).T
    reach = np.arange(2 * REACH + 1)
    scores = np.array([[float(dark[y + dy, x + dx].sum()) for dx in reach] for dy in reach])
    distance = np.hypot(reach[:, None] - REACH, reach[None, :] - REACH)
    best = int(np.argmax(scores - 1e-6 * distance))  # of equal ones the nearest
    if scores.ravel()[best] < LEAST_SHARE * float(inked[:, 2].sum()):
        return None
    return float(best % len(reach) - REACH), float(best // len(reach) - REACH)


def _fit(ink: Ink, placed: list[_Placed], one: _Placed, start: Shift) -> _Found:
    """The shift of one trace by least squares from ``start`` on, and of its pieces from there."""
    seen = ink.crop(one.box)
    weight = seen.weight * (_others(one, placed, start) < 0.01) * _unghosted(one, start)
    shift = np.array(start)
    for _ in range(STEPS):
        drawn = one.draw((float(shift[0]), float(shift[1])))
        power, pull = _normal(seen.cover, drawn, weight)
        step = _solve(power.sum(axis=0)[None], pull.sum(axis=0)[None])[0]
        if np.hypot(*step) <= ENOUGH:
            break
        shift = shift + np.clip(step, -LARGEST_STEP, LARGEST_STEP)
    noise = _noise(seen.cover, drawn, weight)
    least = max(LEAST_POWER, noise / TELLING**2)
    edges = _edges(power, noise)
    steps = _solve(np.add.reduceat(power, edges), np.add.reduceat(pull, edges), least)
    pieces: Float64Array = np.hypot(*(shift + steps).T)
    whole = power.sum(axis=0)
    own = np.diag(whole) - whole[0, 1] ** 2 / np.maximum(np.diag(whole)[::-1], 1e-9)
    x, y = np.where(own >= least, shift, np.nan)
    return _Found((float(x), float(y)), pieces)


def _noise(seen: Float32Array, drawn: Float32Array, weight: Float32Array) -> float:
    """Variance of a pixel of weight 1 around the ink that was predicted, on lines and beside them."""
    near = (cv2.dilate(drawn, np.ones((3, 3), dtype=np.uint8)) > 0) & (weight > 0)
    return float(np.mean((weight * np.square(seen - drawn))[near])) if near.any() else 0.0


def _edges(power: Float64Array, noise: float) -> IntpArray:
    """Where the pieces of a trace start: PIECE px each, or so many times as long that noise lets most of them tell."""
    weakest = np.linalg.eigvalsh(np.add.reduceat(power, np.arange(0, len(power), PIECE)))[:, 0]
    variance = noise / max(float(np.median(weakest)), LEAST_POWER)
    return np.arange(0, len(power), PIECE * max(1, int(np.ceil(variance / TELLING**2))))


def _others(one: _Placed, placed: list[_Placed], shift: Shift) -> Float32Array:
    """What other traces, moved by ``shift``, leave in this one's box."""
    x0, y0, x1, y1 = one.box
    found = np.zeros((y1 - y0, x1 - x0), dtype=np.float32)
    for other in placed:
        a0, b0, a1, b1 = other.box
        if other is not one and a0 < x1 and x0 < a1 and b0 < y1 and y0 < b1:
            np.maximum(found, stroke(other.points + np.array(shift), other.pen + 2, one.box), out=found)
    return found


def _unghosted(one: _Placed, shift: Shift) -> Float32Array:
    """0 where a trace that was struck twice left its ghost (n, 2) px and nothing else, 1 elsewhere."""
    found = np.ones((one.box[3] - one.box[1], one.box[2] - one.box[0]), dtype=np.float32)
    if one.ghost is not None:
        found[(stroke(one.ghost + np.array(shift), one.pen, one.box) > 0) & (one.draw(shift) == 0)] = 0
    return found


def _normal(seen: Float32Array, drawn: Float32Array, weight: Float32Array) -> tuple[Float64Array, Float64Array]:
    """Normal equations of the shift by lines of pixels across the box's longer side: (lines, 2, 2) and (lines, 2)."""
    across = 0 if drawn.shape[1] >= drawn.shape[0] else 1
    gy, gx = (-g for g in np.gradient(drawn))
    rest = (seen - drawn) * weight
    xx, xy, yy = (np.sum(weight * a * b, axis=across, dtype=np.float64) for a, b in ((gx, gx), (gx, gy), (gy, gy)))
    pull = np.stack([np.sum(rest * g, axis=across, dtype=np.float64) for g in (gx, gy)], axis=-1)
    return np.stack([np.stack([xx, xy], axis=-1), np.stack([xy, yy], axis=-1)], axis=-2), pull


def _solve(power: Float64Array, pull: Float64Array, least: float = LEAST_POWER) -> Points:
    """Least-squares shifts (k, 2); 0 along directions that have less power than ``least``."""
    values, vectors = np.linalg.eigh(power)
    along = np.einsum("kji,kj->ki", vectors, pull)
    steps: Points = np.einsum("kij,kj->ki", vectors, np.where(values >= least, along / np.maximum(values, least), 0.0))
    return steps
