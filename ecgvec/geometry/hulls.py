"""Convex hulls of many groups of points at once."""

from __future__ import annotations

import numpy as np
import shapely

from ecgvec._typing import AnyArray, IntpArray, Points


def hulls(points: Points, counts: IntpArray) -> AnyArray:
    """The convex hull, as a shapely geometry, of each group of ``points`` (n, 2): the first ``counts[0]`` of them, the
    next ``counts[1]``, and so on, at least one each."""
    # A line has the hull of its points, and is made far faster than as many points; it has two of them at the least.
    alone = np.repeat(counts == 1, counts)
    of = np.repeat(np.arange(len(counts)), np.where(counts == 1, 2, counts))
    lines: AnyArray = np.asarray(shapely.linestrings(np.repeat(points, 1 + alone, axis=0), indices=of))
    return np.asarray(shapely.convex_hull(lines))


def hull_corners(points: Points, counts: IntpArray) -> tuple[Points, IntpArray]:
    """The same hulls as their corners (m, 2), none twice, and how many of them each has."""
    corners, of = shapely.get_coordinates(hulls(points, counts), return_index=True)
    found = np.bincount(of, minlength=len(counts))
    # A polygon's ring ends where it began; a line or a point does not.
    last = np.zeros(len(corners), dtype=bool)
    last[np.cumsum(found)[found > 3] - 1] = True
    return corners[~last], found - (found > 3)


def hull(points: Points) -> Points:
    """The corners (m, 2) of the convex hull of points (n, 2), none twice."""
    return hull_corners(points, np.array([len(points)]))[0]
