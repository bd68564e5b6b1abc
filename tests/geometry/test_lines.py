"""Paths as plain lines."""

from __future__ import annotations

import numpy as np
import pytest

from ecgvec.geometry.outlines import text_path
from ecgvec.geometry.path import CURVE, LINE, MOVE, Path, dash_line, divide, join, lines, polyline, rectangles, segments


def test_one_line_a_move_and_closed_ones_come_back_to_their_beginning() -> None:
    path = join([segments([(0, 0, 1, 0)]), rectangles([(2, 2, 3, 4)]), polyline([(5, 5), (6, 6), (7, 5)])])
    found = lines(path, 0.1)
    assert [line.tolist() for line in found] == [
        [[0, 0], [1, 0]],
        [[2, 2], [3, 2], [3, 4], [2, 4], [2, 2]],
        [[5, 5], [6, 6], [7, 5]],
    ]
    assert lines(join([]), 0.1) == []


@pytest.mark.parametrize("tolerance", [0.1, 0.01, 0.0001])
def test_curves_become_pieces_within_the_tolerance(tolerance: float) -> None:
    controls = np.array([[0, 0], [0, 4], [3, 4], [3, 0]], dtype=float)
    path = Path(
        np.array([MOVE, LINE, CURVE, LINE], dtype=np.uint8), np.array([[-1, 0], *controls, [9, 0]], dtype=float)
    )
    (line,) = lines(path, tolerance)
    assert line[:2].tolist() == [[-1, 0], [0, 0]]
    assert line[-2:].tolist() == pytest.approx(np.array([[3, 0], [9, 0]]))
    t = np.linspace(0, 1, 2001)[:, None]
    true = (1 - t) ** 3 * controls[0] + 3 * t * (1 - t) ** 2 * controls[1]
    true += 3 * t**2 * (1 - t) * controls[2] + t**3 * controls[3]
    starts, along = line[:-1], np.diff(line, axis=0)
    share = ((true[:, None] - starts) * along).sum(axis=2) / (along**2).sum(axis=1)
    nearest = starts + np.clip(share, 0, 1)[..., None] * along
    away = np.hypot(*np.moveaxis(true[:, None] - nearest, -1, 0)).min(axis=1).max()
    assert 0.2 * tolerance < away <= tolerance  # and not much finer than asked for


def test_letters_have_the_outlines_that_eight_pieces_a_curve_give() -> None:
    path = text_path("aVR 8%", "serif", 4.0)[0]
    assert sum(len(line) for line in lines(path, 1e-9)) > len(path.flatten().points)
    low, high = (np.concatenate(lines(path, 0.001)).min(axis=0), np.concatenate(lines(path, 0.001)).max(axis=0))
    assert (*low, *high) == pytest.approx(path.flatten().bounds(), abs=0.005)


def test_pieces_are_divided_evenly() -> None:
    found, of = divide(np.array([[0, 0], [4, 0], [4, 3]], dtype=float), np.array([2, 3]))
    assert found.tolist() == [[0, 0], [2, 0], [4, 0], [4, 1], [4, 2], [4, 3]]
    assert of.tolist() == [0, 0, 1, 1, 1, 2]


def test_dashes_begin_with_ink_and_end_with_the_line() -> None:
    line = np.array([[0, 0], [5, 0]], dtype=float)
    assert np.allclose(dash_line(line, (1.2, 1.0)), [[(0, 0), (1.2, 0)], [(2.2, 0), (3.4, 0)], [(4.4, 0), (5, 0)]])
    assert np.allclose(dash_line(line, (2.0,)), [[(0, 0), (2, 0)], [(4, 0), (5, 0)]])
    (whole,) = dash_line(line, ())
    assert whole is line


def test_dashes_turn_with_the_line_and_may_be_dots() -> None:
    line = np.array([[0, 0], [1, 0], [1, 3]], dtype=float)
    first, second = dash_line(line, (1.5, 0.5))
    assert first.tolist() == [[0, 0], [1, 0], [1, 0.5]]
    assert second.tolist() == [[1, 1], [1, 2.5]]
    dots = dash_line(line, (0.0, 1.0))
    assert np.allclose(dots, [[(0, 0)] * 2, [(1, 0)] * 2, [(1, 1)] * 2, [(1, 2)] * 2])
