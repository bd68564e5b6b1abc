"""Ink in a picture against labels: where a line's middle passes, without any of the project's own sampling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgvec.rendering.labels.model import TraceLabel

Floats = NDArray[np.float64]

REACH = 5.0  # px to either side that a line's ink is sought
STRAIGHT = 6  # px along the line in which it has to be straight
BEND = 0.15  # px by which it may bend there
LONE = 12.0  # px to the next line's label
LEAST_INK = 60.0  # levels times px


def sampled(picture: Floats, points: Floats) -> Floats:
    """``picture`` (H, W) at image points (n, 2), bilinear between the pixels' centres."""
    at = points - 0.5
    whole = np.floor(at).astype(int)
    (x, y), (u, v) = whole.T, (at - whole).T
    top = picture[y, x] * (1 - u) + picture[y, x + 1] * u
    bottom = picture[y + 1, x] * (1 - u) + picture[y + 1, x + 1] * u
    return np.asarray(top * (1 - v) + bottom * v)


def offsets(darkness: Floats, trace: TraceLabel, others: Floats) -> Floats:
    """How far (n, 2) px, in x and y, the middle of the ink lies from the label, across the line, at the places of a
    trace where it is straight, seen, and away from all ``others`` (m, 2) and from itself. ``darkness`` (H, W) is 0 on
    paper."""
    known = trace.points[trace.visible & np.isfinite(trace.points).all(axis=1)]
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(known, axis=0).T))])
    s = np.arange(STRAIGHT, length[-1] - STRAIGHT, 3.0)

    def at(where: Floats) -> Floats:
        return np.column_stack([np.interp(where, length, known[:, i]) for i in (0, 1)])

    here, before, after = at(s), at(s - STRAIGHT), at(s + STRAIGHT)
    along = after - before
    along /= np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    across = np.column_stack([-along[:, 1], along[:, 0]])
    straight = np.ones(len(s), dtype=bool)
    for share in np.linspace(-STRAIGHT, STRAIGHT, 9):
        straight &= np.abs(((at(s + share) - here) * across).sum(axis=1)) < BEND
    height, width = darkness.shape
    straight &= ((here > REACH + 2) & (here < np.array([width, height]) - REACH - 2)).all(axis=1)
    keep = np.flatnonzero(straight)

    def lone(place: int) -> bool:
        far = np.abs(length - s[place]) > 1.5 * LONE  # along the line itself, which may turn back
        near = [np.hypot(*(points - here[place]).T).min(initial=np.inf) for points in (others, known[far])]
        return min(near) > LONE

    keep = np.array([place for place in keep if lone(place)], dtype=int)
    steps = np.arange(-REACH, REACH + 0.01, 0.25)
    profile = np.stack([sampled(darkness, here[keep] + step * across[keep]) for step in steps], axis=1)
    ink = profile.sum(axis=1) * 0.25
    good = ink > LEAST_INK
    middle = (profile[good] * steps).sum(axis=1) / profile[good].sum(axis=1)
    return np.asarray(middle[:, None] * across[keep][good])
