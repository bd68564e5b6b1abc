"""Hulls of many groups of points against those that shapely makes of each."""

from __future__ import annotations

import numpy as np
import shapely

from ecgvec.geometry.path import hull, hull_corners, hulls


def test_they_are_those_of_each_group_alone() -> None:
    rng = np.random.default_rng(0)
    groups = []
    for count in rng.choice([1, 2, 3, 5, 20, 300], 200):
        points = rng.normal(size=(count, 2)) * 20
        flaw = rng.integers(4)
        if flaw == 0:
            points = np.round(points, -1)  # many in one place
        if flaw == 1:
            points[:, 1] = 3.0  # in a line
        groups.append(points)
    points, counts = np.concatenate(groups), np.array([len(group) for group in groups])
    corners, of_each = hull_corners(points, counts)
    found = np.split(corners, np.cumsum(of_each)[:-1])
    for group, shape, ring in zip(groups, hulls(points, counts), found, strict=True):
        wanted = shapely.convex_hull(shapely.multipoints(group))
        assert shape.wkb == wanted.wkb
        assert len(np.unique(ring, axis=0)) == len(ring)
        np.testing.assert_array_equal(ring, shapely.get_coordinates(wanted)[: len(ring)])
        np.testing.assert_array_equal(ring, hull(group))
