"""Looking things up: tables against NumPy's, many places against one at a time."""

from __future__ import annotations

import numpy as np
import pytest

from ecgvec.warp.cameras import Phone
from ecgvec.warp.creases import Creases
from ecgvec.warp.grid import AT_ONCE, Table
from ecgvec.warp.parts import Roll
from ecgvec.warp.waves import Curl
from tests.warp.bending import PAPER, bend_page
from tests.warp.surfaces import ROLLS


@pytest.mark.parametrize(
    "steps", [np.linspace(-7.3, 211.9, 4390), np.arange(-150.3, 150.4, 0.05), np.array([0.0, 1e-3])]
)
def test_a_table_finds_what_numpy_finds_to_the_bit(steps: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    rng = np.random.default_rng(0)
    wide = steps[-1] - steps[0]
    places = rng.uniform(steps[0] - 0.1 * wide, steps[-1] + 0.1 * wide, 50_000)
    places = np.concatenate([places, steps, np.nextafter(steps, -np.inf), np.nextafter(steps, np.inf)])
    table = Table(steps, places)
    for _ in range(2):
        values = rng.normal(size=len(steps))
        np.testing.assert_array_equal(table(values), np.interp(places, steps, values))


def test_many_points_are_found_where_each_is_found_alone() -> None:
    warp = bend_page([Creases(), Curl(), Phone(tilt=20)]).warp
    points = np.random.default_rng(1).uniform((-20, -20), (PAPER.width + 20, PAPER.height + 20), (2 * AT_ONCE + 77, 2))
    points[::1000] = np.nan
    found = warp.forward(points)
    some = np.arange(0, len(points), 499)
    np.testing.assert_array_equal(found[some], np.concatenate([warp.forward(points[i : i + 1]) for i in some]))


@pytest.mark.parametrize("roll", ROLLS.values(), ids=ROLLS.keys())
def test_how_a_roll_bends_is_what_it_says_where_the_sheet_lies(roll: Roll) -> None:
    points = np.random.default_rng(2).uniform((0, 0), (PAPER.width, PAPER.height), (3_000, 2))
    lying, bending = roll.roll(points, PAPER, 0.7), roll.bending(points, PAPER, 0.7)
    np.testing.assert_array_equal(bending.curvature, lying.curvature)
    np.testing.assert_array_equal(bending.across, lying.across)
    assert np.abs(bending.curvature).max() > 0
