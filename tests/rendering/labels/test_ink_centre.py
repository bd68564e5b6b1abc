"""The ink lies where the labels say: profiles across the line, on clean pages with their grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, map_coordinates  # noqa: TID251  # reads a picture, moves no pixel
from scipy.spatial import cKDTree

import ecgvec
from ecgvec._typing import Points
from ecgvec.geometry.units import px_per_mm
from ecgvec.graphics.raster import draw
from ecgvec.record.model import Record

DPI = 200
STEP = 0.25  # px between the points of a densified line


def ink_share(sheet: ecgvec.Sheet) -> NDArray[np.float64]:
    """How much of each pixel the traces cover: the page unmixed from the same page without them."""
    roles = {mark.role for mark in sheet.scene.shapes()} - {"trace"}
    ground = draw(sheet.scene.only(roles), DPI).astype(float)
    return ((ground - sheet.image).sum(axis=2)) / np.maximum(ground.sum(axis=2), 1)


def printed_ink(sheet: ecgvec.Sheet) -> NDArray[np.float64]:
    """Distance in px from each pixel to any ink but the grid's and the traces'."""
    printed = draw(sheet.scene.only({"lead-name", "pulse", "separator", "footer-text"}), DPI)
    return np.asarray(distance_transform_edt((printed == 255).all(axis=2)))


def densified(points: Points) -> tuple[Points, NDArray[np.float64]]:
    """Points ``STEP`` px apart along a line, and their arc lengths."""
    arc = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    keep = np.concatenate([[True], np.diff(arc) > 0])
    at = np.arange(0, arc[-1], STEP)
    return np.column_stack([np.interp(at, arc[keep], points[keep, i]) for i in (0, 1)]), at


def turning(line: Points, reach: float) -> NDArray[np.float64]:
    """Largest angle in degrees between directions within ``reach`` px of each point."""
    ahead = np.unwrap(np.arctan2(*np.gradient(line, axis=0).T[::-1]))
    half = int(np.ceil(reach / STEP))
    shifts = [np.roll(ahead, k) for k in range(-half, half + 1)]
    spread = np.degrees(np.max(shifts, axis=0) - np.min(shifts, axis=0))
    spread[: half + 1] = spread[-half - 1 :] = 360
    return spread


def clear_of_lines(
    line: Points, arc: NDArray[np.float64], at: NDArray[np.intp], others: Points, reach: float
) -> NDArray[np.bool_]:
    """Whether neither another trace nor another part of the same comes within ``reach`` px of the points ``at``."""
    alone = cKDTree(others).query(line[at], distance_upper_bound=reach)[0] > reach
    near = cKDTree(line).query_ball_point(line[at], reach)
    return alone & np.array([np.abs(arc[n] - arc[i]).max() < 1.1 * reach for i, n in zip(at, near, strict=True)])


def centre_offsets(share: NDArray[np.float64], line: Points, at: NDArray[np.intp], reach: float) -> NDArray[np.float64]:
    """Distance of the ink's centre from the line at points ``at``, in px, along the normal."""
    tangent = np.gradient(line, axis=0)[at]
    tangent /= np.hypot(*tangent.T)[:, None]
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    across, along = np.arange(-reach, reach + 0.01, 0.1), np.arange(-1.0, 1.01, 0.25)
    spots = (
        line[at][:, None, None] + normal[:, None, None] * across[None, :, None, None]
        + tangent[:, None, None] * along[None, None, :, None]
    )  # fmt: skip
    rows, columns = spots[..., 1] - 0.5, spots[..., 0] - 0.5  # pixel centres lie at half pixels
    profile = map_coordinates(share, [rows, columns], order=1).mean(axis=2)
    return np.asarray((profile * across).sum(axis=1) / profile.sum(axis=1))


def offsets_of(record: Record) -> tuple[NDArray[np.float64], int]:
    """Centre offsets at all eligible points of a record's page, and the number of points looked at."""
    sheet = ecgvec.render(record, dpi=DPI, template="3x4+1R")
    width = sheet.labels.ink_width * px_per_mm(DPI)
    share, printed = ink_share(sheet), printed_ink(sheet)
    lines = [densified(trace.points[np.isfinite(trace.points[:, 1])]) for trace in sheet.labels.traces]
    found, looked_at = [], 0
    for k, (line, arc) in enumerate(lines):
        column, row = np.clip(line.astype(int), 0, np.array(share.shape)[::-1] - 1).T
        inside = (np.minimum(column, row) > 8) & (column < share.shape[1] - 8) & (row < share.shape[0] - 8)
        candidate = inside & (turning(line, 1.5 * width) < 15) & (printed[row, column] > 2.5 * width)
        at = np.flatnonzero(candidate)[::4]
        looked_at += len(line) // 4
        if len(at):
            others = np.concatenate([other for m, (other, _) in enumerate(lines) if m != k])
            at = at[clear_of_lines(line, arc, at, others, 2.5 * width)]
            found.append(centre_offsets(share, line, at, 1.5 * width))
    return np.concatenate(found), looked_at


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.long)])
def test_ink_lies_where_the_labels_say(twelve_lead: list[Path], every: int) -> None:
    results = [offsets_of(ecgvec.read_record(path)) for path in twelve_lead[::every]]
    offsets = np.abs(np.concatenate([found for found, _ in results]))
    share = len(offsets) / sum(count for _, count in results)
    print(f"eligible {share:.1%}, median {np.median(offsets):.4f} px, p99 {np.percentile(offsets, 99):.4f} px")
    assert share > 0.05
    assert np.median(offsets) <= 0.02
    assert np.percentile(offsets, 99) <= 0.1


def test_a_label_that_is_off_is_seen(demo_record: Record) -> None:
    # The measure itself: a line moved by a tenth of a pixel must show as a tenth of a pixel.
    sheet = ecgvec.render(demo_record, dpi=DPI)
    line, arc = densified(sheet.labels.traces[0].points)
    at = np.flatnonzero(turning(line, 3) < 5)
    at = at[clear_of_lines(line, arc, at, np.zeros((1, 2)), 6)]
    tangent = np.gradient(line, axis=0)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]]) / np.hypot(*tangent.T)[:, None]
    share = ink_share(sheet)
    moved = centre_offsets(share, line - 0.1 * normal, at, 3.5) - centre_offsets(share, line, at, 3.5)
    assert np.median(moved) == pytest.approx(0.1, abs=0.01)
