"""A quick digitiser that knows the labels' geometry (warp, panels, gain, pen) and none of the values.

Column by column, ink comes in vertical runs. The path of a lead is the chain of runs that jumps least; within a run
the pen's upper and lower rim tell where its centre passed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import maximum_filter1d, median_filter, minimum_filter1d

from ecgvec._typing import Float32Array, Float64Array, IntpArray
from ecgvec.verify.oracle import straighten
from ecgvec.verify.page import Page, Strip
from ecgvec.verify.unmix import OUTSIDE, Ink
from ecgvec.warp.base import Flat, local_scale

INKED = 0.25  # cover from which a pixel belongs to a run
INKED_SOFT = 0.42  # and where resampling has softened the ink, which fills more columns: the best of 0.15 to 0.58
REACH_MM = 30.0  # searched above and below a lead's zero line, at least
REACH_ROWS = 1.5  # and in row heights
STRAY = 0.01  # cost of a px away from the zero line, of a column; a px of jump costs 1
BEND = 0.05  # cost of a px between the middles of neighbouring runs
REACH_PENS = 0.5  # widths of the pen that its rim reaches to either side
TREND = 7  # columns whose median is the trend that tells peaks from valleys
MOST_RUNS = 24  # a column
TORN = 4.0  # px between the runs of neighbouring columns from which they are not of one line


@dataclass(frozen=True, eq=False)
class Runs:
    """Vertical runs of ink: ``top`` and ``bottom`` (columns, k) in px, NaN where a column has fewer than k."""

    top: Float64Array
    bottom: Float64Array


def digitise(ink: Ink, page: Page) -> dict[str, Float64Array]:
    """Millivolts (n,) of each strip by its id, one a sample, NaN where there is no ink. A bent page is made straight
    first."""
    inked = INKED if isinstance(page.warp, Flat) else INKED_SOFT
    ink, page = straighten(ink, page)
    return {strip.id: digitise_strip(ink, page, strip, inked) for strip in page.strips}


def digitise_strip(ink: Ink, page: Page, strip: Strip, inked: float = INKED) -> Float64Array:
    """Millivolts (n,) of one strip of a page seen straight on."""
    zero = strip.to_image(np.zeros(strip.count), page.warp)
    height, width = ink.cover.shape
    first, stop = max(0, int(zero[0, 0])), min(width, int(zero[-1, 0]) + 1)
    if stop - first < 2:
        return np.full(strip.count, np.nan)
    scale = local_scale(page.warp, page.warp.inverse(zero[:1]))[0, 1]
    reach = max(REACH_MM, REACH_ROWS * _row_height(page)) * scale
    y0, y1 = max(0, int(zero[:, 1].min() - reach)), min(height, int(zero[:, 1].max() + reach) + 1)
    columns = np.arange(first, stop) + 0.5
    levels = np.interp(columns, zero[:, 0], zero[:, 1]) - y0
    cover = ink.cover[y0:y1, first:stop]
    # A column without the lead's own zero line would have it jump to another lead, and from far before.
    shown = cover[np.clip(levels.astype(np.intp), 0, y1 - y0 - 1), np.arange(stop - first)] != OUTSIDE
    cover = np.where(shown, cover, np.float32(OUTSIDE))
    top, bottom = in_picture(*chain(find_runs(cover, inked), levels), cover)
    y = centre(top, bottom, page.pen) + y0
    return _at_samples(columns, y, page, strip)


def _row_height(page: Page) -> float:
    box = page.layout.panels[0].box
    return box.y1 - box.y0


def find_runs(cover: Float32Array, least: float = INKED) -> Runs:
    """All runs of inked pixels in each column of ``cover`` (rows, columns), rims told by partly covered pixels."""
    rows, columns = cover.shape
    wide = np.zeros((columns, rows + 2), dtype=np.float32)
    wide[:, 1:-1] = cover.T
    inked = (wide >= least).astype(np.int8)
    inked[:, [0, -1]] = 0
    edges = np.diff(inked, axis=1)
    column, start = np.nonzero(edges == 1)  # start is the padded index of the pixel before the run
    _, last = np.nonzero(edges == -1)  # last pixel of the run
    counts = np.bincount(column, minlength=columns)
    place = np.arange(len(column)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = place < MOST_RUNS
    column, start, last, place = column[kept], start[kept], last[kept], place[kept]
    top = np.full((columns, max(1, min(MOST_RUNS, int(counts.max(initial=0))))), np.nan)
    bottom = top.copy()
    # Padded pixel p spans p - 1 to p of the crop.
    top[column, place] = start + 1 - np.minimum(wide[column, start + 1], 1) - np.clip(wide[column, start], 0, 1)
    bottom[column, place] = last - 1 + np.minimum(wide[column, last], 1) + np.clip(wide[column, last + 1], 0, 1)
    return Runs(top, bottom)


def chain(runs: Runs, levels: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Top and bottom (columns,) of the runs whose chain costs least, by dynamic programming; NaN without any run.

    ``levels`` (columns,) is the y of the zero line.
    """
    top, bottom = runs.top, runs.bottom
    middle = (top + bottom) / 2
    away = np.maximum(0, np.maximum(top - levels[:, None], levels[:, None] - bottom))
    own = np.where(np.isfinite(top), STRAY * away, np.inf)
    filled = np.flatnonzero(np.isfinite(top[:, 0]))
    if not len(filled):
        return np.full(len(levels), np.nan), np.full(len(levels), np.nan)
    back = np.zeros(top.shape, dtype=np.intp)
    cost = own[filled[0]]
    for before, now in pairwise(filled):
        gap = np.maximum(0, np.maximum(top[now][:, None] - bottom[before], top[before] - bottom[now][:, None]))
        step = cost + gap + BEND * np.abs(middle[now][:, None] - middle[before])
        step[np.isnan(step)] = np.inf
        back[now] = step.argmin(axis=1)
        cost = step[np.arange(len(step)), back[now]] + own[now]
    return _traced(runs, filled, back, int(np.argmin(cost)))


def _traced(runs: Runs, filled: IntpArray, back: IntpArray, last: int) -> tuple[Float64Array, Float64Array]:
    top, bottom = np.full(len(runs.top), np.nan), np.full(len(runs.top), np.nan)
    for column in filled[::-1]:
        top[column], bottom[column] = runs.top[column, last], runs.bottom[column, last]
        last = back[column, last]
    return top, bottom


def in_picture(top: Float64Array, bottom: Float64Array, cover: Float32Array) -> tuple[Float64Array, Float64Array]:
    """The chain (columns,) without what follows a jump at which the line left the picture: beyond it, only other leads'
    ink is there to be found."""
    filled = np.flatnonzero(np.isfinite(top))
    torn = np.maximum(top[filled[1:]] - bottom[filled[:-1]], top[filled[:-1]] - bottom[filled[1:]]) > TORN
    first, last = 0, len(top)
    for i in np.flatnonzero(torn):
        before, after = filled[i], filled[i + 1]
        leaves = _at_rim(cover[:, after], top[before], bottom[before])
        enters = _at_rim(cover[:, before], top[after], bottom[after])
        if enters and not leaves:
            first = after
        elif leaves:
            last = min(last, after)
    kept = (np.arange(len(top)) >= first) & (np.arange(len(top)) < last)
    return np.where(kept, top, np.nan), np.where(kept, bottom, np.nan)


def _at_rim(column: Float32Array, top: float, bottom: float) -> bool:
    """Whether a line between ``top`` and ``bottom`` would lie where the picture ends in this column."""
    return bool((column[max(0, int(top - TORN)) : int(bottom + TORN) + 1] == OUTSIDE).any())


def centre(top: Float64Array, bottom: Float64Array, pen: float) -> Float64Array:
    """Where the pen's centre passed in each column, from the rims of its ink (y down).

    The ink's top is the least y under the pen, less its radius: a moving minimum. Undoing it (opening) is exact at
    narrow peaks, undoing the bottom's moving maximum (closing) at narrow valleys. Where the two differ, the one further
    from the trend is what the narrow feature reached.
    """
    known = np.isfinite(top)
    if not known.any():
        return top
    x = np.arange(len(top))
    high = np.interp(x, x[known], top[known]) + pen / 2
    low = np.interp(x, x[known], bottom[known]) - pen / 2
    opened, closed = _moving(high, REACH_PENS * pen, maximum_filter1d), _moving(low, REACH_PENS * pen, minimum_filter1d)
    trend = median_filter((high + low) / 2, TREND, mode="nearest")
    up, down = np.abs(opened - trend), np.abs(closed - trend)
    # A soft choice: on slopes both are near and their mean is best.
    share = up**4 / np.maximum(up**4 + down**4, 1e-12)
    y = np.where(np.abs(opened - closed) > 0.5, share * opened + (1 - share) * closed, (opened + closed) / 2)
    return np.where(known, y, np.nan)


def _moving(values: Float64Array, reach: float, extreme: Callable[..., Float64Array]) -> Float64Array:
    """Moving extreme of ``reach`` columns to either side; between whole columns, between their two results."""
    whole = int(reach)
    inner, outer = (extreme(values, 2 * half + 1, mode="nearest") for half in (whole, whole + 1))
    return np.asarray(inner + (reach - whole) * (outer - inner))


def _at_samples(columns: Float64Array, y: Float64Array, page: Page, strip: Strip) -> Float64Array:
    """Millivolts at the samples' times from points (x, y) px of the line, NaN more than a px from any ink."""
    known = np.isfinite(y)
    if known.sum() < 2:
        return np.full(strip.count, np.nan)
    t, mv = strip.axes.to_signal(page.warp.inverse(np.column_stack([columns[known], y[known]])))
    t, order = np.unique(t, return_index=True)
    found = CubicSpline(t, mv[order])(np.clip(strip.t, t[0], t[-1]))
    nearest = np.abs(strip.t[:, None] - t[np.clip(np.searchsorted(t, strip.t)[:, None] + [-1, 0], 0, len(t) - 1)])
    pixel = float(np.median(np.diff(t))) if len(t) > 1 else 0.0
    return np.where(nearest.min(axis=1) <= 1.5 * pixel, found, np.nan)
