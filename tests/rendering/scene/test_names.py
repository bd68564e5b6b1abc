"""What is in the way of a lead's name, against everything on the page looked at one by one."""

from __future__ import annotations

import numpy as np
import shapely

from ecgvec._typing import Points
from ecgvec.geometry.path import Box, runs
from ecgvec.layout.place import Axes, Panel, TraceInfo
from ecgvec.rendering.scene.names import CLEARANCE, _Ink

PEN_MM = 0.3


def trace(points: Points) -> TraceInfo:
    """A trace that runs through ``points`` (n, 2)."""
    panel = Panel("II", 1, False, 0, 0, Box(0, 0, 100, 60), 30.0, 0.0, 4.0, 10.0)
    t = points[:, 0] / 25
    return TraceInfo(panel, Axes(0.0, 0.0, 30.0, 25.0, 10.0), 0, 500.0, t, points[:, 1], points)


def test_nothing_is_overlooked() -> None:
    rng = np.random.default_rng(0)
    lines = []
    for row in range(4):
        x = np.sort(rng.uniform(0, 100, 700))
        y = 10 + 14 * row + np.cumsum(rng.normal(0, 0.35, len(x)))
        y[rng.integers(0, len(x), 12)] = np.nan
        lines.append(np.column_stack([x, y]))
    others = [Box(x, y, x + 4, y + 3) for x, y in rng.uniform(0, 90, (6, 2)).tolist()]
    ink = _Ink([trace(points) for points in lines], PEN_MM, others)
    drawn = [shapely.LineString(run) for points in lines for run in runs(points) if len(run) > 1]
    free = 0
    for x, y in rng.uniform(-5, 100, (600, 2)).tolist():
        box = Box(x, y, x + rng.uniform(1, 8), y + 3)
        place = shapely.box(*box).buffer(CLEARANCE + PEN_MM / 2, join_style="mitre")
        wanted = sum(line.intersection(place).length for line in drawn)
        wanted += sum(shapely.box(*other).intersection(place).area for other in others)
        found = ink.overlap(box)
        assert abs(found - wanted) < 1e-9
        assert (found == 0.0) == (wanted == 0.0)
        free += found == 0.0
    assert 50 < free < 550
