"""The layer for raster compositors: its alpha, its quad, and its labels where a compositor puts them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import shapely
from shapely import Polygon

import ecgvec
from ecgvec import embed
from ecgvec.errors import RecipeError, WarpError
from ecgvec.geometry.path import bounds
from ecgvec.graphics.raster import draw
from ecgvec.record.model import Record
from tests.embed.ink import offsets

TORN = """
extends = "phone-photo"
[effects.torn-edge]
edge = "right"
"""
MATRIX = np.array([[0.9, -0.25, 300.0], [0.2, 0.95, 40.0], [-4e-5, 3e-5, 1.0]])
SIZE = 1500, 1300


@pytest.fixture(scope="module")
def saws(demo_record: Record) -> Record:
    t = np.arange(5000) / 500
    period = 0.8 + 0.05 * np.arange(12)
    return Record("saws", 500.0, 0.6 * np.abs(t[:, None] % period / period - 0.5) - 0.15, demo_record.leads)


@pytest.fixture(scope="module")
def flat(saws: Record) -> ecgvec.Sheet:
    return ecgvec.render(saws, dpi=100, grid="none")


@pytest.fixture(scope="module")
def bent(saws: Record, tmp_path_factory: pytest.TempPathFactory) -> ecgvec.Sheet:
    recipe = tmp_path_factory.mktemp("recipe") / "torn.toml"
    recipe.write_text(TORN)
    return ecgvec.render(saws, str(recipe), seed=3, dpi=100)


def test_a_flat_page_is_all_paper(flat: ecgvec.Sheet) -> None:
    layer = embed.Layer(flat)
    assert (layer.image[..., 3] == 255).all()
    assert np.array_equal(layer.image[..., :3], flat.image)
    assert layer.quad == pytest.approx(np.array([(0, 0), (1100, 0), (1100, 850), (0, 850)]))
    assert layer.labels.traces[0].points == pytest.approx(flat.labels.traces[0].points, nan_ok=True)


def test_another_resolution_is_drawn_anew(flat: ecgvec.Sheet) -> None:
    layer = embed.Layer(flat, dpi=150)
    assert np.array_equal(layer.image[..., :3], draw(flat.scene, 150))
    assert layer.labels.traces[0].points == pytest.approx(1.5 * flat.labels.traces[0].points, nan_ok=True)


def test_padding_is_not_paper_and_is_trimmed(saws: Record) -> None:
    padded = ecgvec.render(saws, dpi=100, pad=10)
    wide, cut = embed.Layer(padded, trim=False), embed.Layer(padded)
    assert wide.size == padded.warp.size and cut.size < wide.size
    assert (wide.image[:38, :, 3] == 0).all() and (cut.image[1:-1, 1:-1, 3] == 255).all()
    assert cut.quad - cut.quad[0] == pytest.approx(wide.quad - wide.quad[0])
    shift = wide.quad[0] - cut.quad[0]
    assert cut.labels.traces[3].points + shift == pytest.approx(wide.labels.traces[3].points, nan_ok=True)


def test_a_bent_and_torn_sheet_is_cut_out_along_its_paper(bent: ecgvec.Sheet) -> None:
    layer = embed.Layer(bent, trim=False)
    assert layer.image.shape[:2] == bent.image.shape[:2]
    outline = Polygon(layer.labels.page, layer.labels.holes)
    assert layer.labels.page == pytest.approx(bent.labels.page)
    y, x = np.indices(layer.image.shape[:2]) + 0.5
    inside, around = (shapely.contains_xy(outline.buffer(grown), x, y) for grown in (-2.0, 2.0))
    alpha = layer.image[..., 3]
    assert (alpha[inside] == 255).all() and (alpha[~around] == 0).all()
    assert 0.1 < inside.mean() < 0.99 and ((alpha > 0) & (alpha < 255)).any()
    assert embed.Layer(bent).size < layer.size


def test_no_rim_of_the_ground_is_left_on_the_paper(bent: ecgvec.Sheet) -> None:
    """Colours along the edges are the paper's own: laid on black, nothing is as bright as white over it."""
    layer = embed.Layer(bent)
    alpha = layer.image[..., 3].astype(int)
    edge = (alpha > 40) & (alpha < 230)
    paper = cv2.erode(np.where(alpha == 255, layer.image[..., 0], 255).astype(np.uint8), np.ones((7, 7), np.uint8))
    bright = cv2.dilate(np.where(alpha == 255, layer.image[..., 0], 0).astype(np.uint8), np.ones((9, 9), np.uint8))
    rim = layer.image[..., 0][edge].astype(int)
    assert np.percentile(rim - bright[edge], 95) < 25 and np.percentile(paper[edge] - rim, 95) < 60


def composited(layer: embed.Layer, through: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """What a compositor does: the layer, through its matrix, over a white page."""
    image: Any = layer.image.astype(np.float32)
    image[..., :3] *= image[..., 3:] / 255
    moved = cv2.warpPerspective(image, through, size, flags=cv2.INTER_LINEAR)  # noqa: TID251
    return moved[..., :3] + (1 - moved[..., 3:] / 255) * np.array([255.0, 255.0, 255.0])


@pytest.mark.parametrize("trim", [True, False])
def test_a_compositor_puts_the_labels_on_the_ink(flat: ecgvec.Sheet, trim: bool) -> None:
    layer = embed.Layer(flat, dpi=130, trim=trim)
    ink = 255.0 - composited(layer, embed.for_opencv(MATRIX), SIZE).mean(axis=2)
    labels = layer.under(MATRIX, SIZE)
    found = []
    for trace in labels.traces:
        others = [t.points[::3] for t in labels.traces if t.id != trace.id] + [t.hull for t in labels.texts]
        found.append(offsets(ink, trace, np.concatenate(others)))
    error = np.hypot(*np.concatenate(found).T)
    assert len(error) > 300
    print(f"{len(error)} places, median {np.median(error):.3f}, p99 {np.percentile(error, 99):.3f} px")
    assert np.percentile(error, 99) < 0.15
    for text in labels.texts:
        x0, y0, x1, y1 = (round(v) for v in bounds(text.hull))
        assert not text.visible or ink[max(0, y0) : y1, max(0, x0) : x1].max() > 60


def test_labels_of_what_synthtiger_pastes(flat: ecgvec.Sheet) -> None:
    """It cuts quads to whole px, and takes them for middles of pixels."""
    layer = embed.Layer(flat, dpi=120)
    width, height = layer.size
    first = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float32)
    quad = np.array([(120.7, 60.3), (1240.4, 20.9), (1300.2, 860.8), (60.6, 900.1)]).astype(int).astype(np.float32)
    drawn = cv2.getPerspectiveTransform(first, quad)
    ink = 255.0 - composited(layer, drawn, SIZE).mean(axis=2)
    trace = layer.under(embed.from_opencv(drawn), SIZE).traces[-1]
    found = offsets(ink, trace, np.empty((0, 2)))
    assert len(found) > 50 and np.percentile(np.hypot(*found.T), 99) < 0.15
    assert embed.for_opencv(embed.from_opencv(drawn)) == pytest.approx(drawn)


def test_of_a_bent_sheet_too(bent: ecgvec.Sheet) -> None:
    """Light and wear are on it: the ink is darker than what lies beside it."""
    layer = embed.Layer(bent, dpi=130)
    dark = 255.0 - composited(layer, embed.for_opencv(MATRIX), SIZE).mean(axis=2)
    checked = 0
    for trace in layer.under(MATRIX, SIZE).traces:
        points = trace.points[trace.visible][::9]
        x, y = np.floor(points).astype(int).T
        aside = np.clip(y - 8, 0, None)
        checked += len(points) > 20
        if len(points) > 20:
            assert np.median(dark[y, x]) > np.median(dark[aside, x]) + 15
    assert checked >= 8


def test_what_neither_image_holds_is_not_visible(bent: ecgvec.Sheet) -> None:
    layer = embed.Layer(bent)
    half = layer.under(np.eye(3), (layer.size[0] // 2, layer.size[1]))
    for before, after in zip(layer.labels.traces, half.traces, strict=True):
        with np.errstate(invalid="ignore"):
            left = after.points[:, 0] < layer.size[0] // 2
        assert np.array_equal(after.visible, before.visible & left)
        assert after.outline == pytest.approx(before.outline, abs=1e-6)
    away = layer.under([[1, 0, 1e6], [0, 1, 0], [0, 0, 1]], (100, 100))
    assert not any(trace.visible.any() for trace in away.traces) and not any(text.visible for text in away.texts)


@pytest.mark.parametrize("matrix", [np.eye(2), np.zeros((3, 3)), np.full((3, 3), np.nan)])
def test_no_homography(flat: ecgvec.Sheet, matrix: np.ndarray) -> None:
    with pytest.raises(WarpError, match="no homography"):
        embed.Layer(flat, dpi=30).under(matrix, (10, 10))


def test_no_resolution(flat: ecgvec.Sheet) -> None:
    with pytest.raises(RecipeError, match="above 0"):
        embed.Layer(flat, dpi=0)


def test_a_picture_without_paper(saws: Record, tmp_path: Path) -> None:
    recipe = tmp_path / "away.toml"
    recipe.write_text("[warp.phone]\nshift_x = -0.5\nfill = 0.9\n[warp.crop]\namount = 0.05\nleft = 0.45\n")
    sheet = ecgvec.render(saws, str(recipe), dpi=50)
    assert embed.Layer(sheet, trim=False).image[..., 3].max() == 0
    with pytest.raises(WarpError, match="nothing of its paper"):
        embed.Layer(sheet)
