"""How fast the pen moved: modelled, because the pen data have no timing.

The two-thirds power law (Lacquaniti, Terzuolo, Viviani 1983): the angular speed of a writing hand goes with the
curvature to the power of two thirds, so its speed along the path with the curvature to the power of minus one third.
Large writing is faster, so that a letter takes about the same time in any size (isochrony, Viviani, McCollum 1983).
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ecgvec._typing import Float64Array, Points

_AT_RADIUS_OF_X = 45.0  # mm/s where the radius of the path is an x-height, and the x-height 2.5 mm
_USUAL_X_HEIGHT = 2.5  # mm
_STRAIGHTEST = 0.15  # of 1 / x-height: a straighter path is no faster
SLOWEST, FASTEST = 20.0, 120.0  # mm/s
_AT_ENDS = 0.55  # of the speed: where the pen touches down and where it is lifted
_SMOOTH = 1.2  # points


def pen_speed(points: Points, x_height: float) -> Float64Array:
    """The pen's speed in mm/s (n,) at evenly spaced points (n, 2) in mm of one stroke; ``x_height`` in mm."""
    if len(points) < 3:
        return np.full(len(points), SLOWEST)
    radius_law = np.maximum(_curvature(points) * x_height, _STRAIGHTEST) ** (-1 / 3)
    speed = _AT_RADIUS_OF_X * (x_height / _USUAL_X_HEIGHT) * radius_law
    edge = np.minimum(np.arange(len(points)), np.arange(len(points))[::-1])
    speed *= 1 - (1 - _AT_ENDS) * np.exp(-edge / 1.5)
    smooth = gaussian_filter1d(speed, _SMOOTH, mode="nearest")
    return np.clip(smooth, SLOWEST, FASTEST)


def _curvature(points: Points) -> Float64Array:
    """The unsigned curvature in 1/mm (n,): the turn at each point over the arc length around it."""
    steps = np.diff(points, axis=0)
    lengths = np.maximum(np.hypot(steps[:, 0], steps[:, 1]), 1e-9)
    cross = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
    turn = np.abs(np.arctan2(cross, (steps[:-1] * steps[1:]).sum(axis=1)))
    inner = turn / (0.5 * (lengths[:-1] + lengths[1:]))
    return np.asarray(np.concatenate([inner[:1], inner, inner[-1:]]))
