"""``verify`` on bent pages: what it reads, how far labels lie from ink, and what it is told when something is off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import ecgvec
from ecgvec.geometry.units import px_per_mm
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from ecgvec.rendering.camera import render_pixels
from ecgvec.verify.digitise import digitise
from ecgvec.verify.labels import LabelError, label_error
from ecgvec.verify.oracle import refit, straighten
from ecgvec.verify.page import Page, read_page
from ecgvec.verify.report import read_values, verify_folder
from ecgvec.verify.score import Score, score
from ecgvec.verify.unmix import stroke, unmix
from ecgvec.warp.apply import Tile, resample, taps
from ecgvec.warp.lattice import Lattice, lattice_pixels

Image = NDArray[np.uint8]

CREASED = {
    "warp.creases.vertical": 2,
    "warp.edge-wave.height": 2,
    "warp.phone.tilt": 12,
    "warp.phone.pan": 8,
    "warp.phone.distance": 350,
}
CURLED = {
    "page.dpi": 209,
    "warp.phone.fill": 0.95,
    "warp.curl.radius": 200,
    "warp.crumple.strength": 0.6,
    "warp.phone.tilt": -10,
    "warp.phone.pan": -6,
    "warp.phone.roll": 2,
    "warp.phone.distance": 350,
}
SMALL = {"page.dpi": 120, "layout.template": "3x4"}


def rendered(record: Record | Path, *overrides: dict[str, Any]) -> ecgvec.Sheet:
    keys = {key: value for part in overrides for key, value in part.items()}
    return ecgvec.render(record, load_recipe("clean", keys), seed=3)


def saved(sheet: ecgvec.Sheet, folder: Path, formats: tuple[str, ...] = ("json",)) -> Page:
    sheet.save(folder, formats)
    return read_page(folder / f"{sheet.plan.stem}.json")


LOOKS: dict[str, dict[str, Any]] = {
    "creased": CREASED,
    "curled, clipped": {**CURLED, "page.clip": True},
    "shrunk, lit, turned": {**CREASED, "warp.resize.factor": 0.85, "warp.rotate.angle": 80, "effects.lamp.azimuth": 60},
}


@pytest.fixture(scope="module", params=LOOKS, ids=str)
def sheet(request: pytest.FixtureRequest, demo_record: Record) -> ecgvec.Sheet:
    return rendered(demo_record, LOOKS[request.param], SMALL)


@pytest.fixture(scope="module")
def page(sheet: ecgvec.Sheet, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return saved(sheet, tmp_path_factory.mktemp("bent"))


def measured(sheet: ecgvec.Sheet, page: Page, image: Image, off: tuple[float, float] = (0.0, 0.0)) -> LabelError:
    points = {trace.id: trace.points + np.array(off) for trace in sheet.labels.traces}
    return label_error(image, page, unmix(image, page), points)


def test_the_plan_gives_the_same_map_again(sheet: ecgvec.Sheet, page: Page) -> None:
    assert isinstance(page.warp, Lattice)
    assert isinstance(sheet.warp, Lattice)
    np.testing.assert_array_equal(page.warp.nodes, sheet.warp.nodes)
    assert page.warp.size == sheet.warp.size


def test_right_labels_are_found_right(sheet: ecgvec.Sheet, page: Page) -> None:
    """Measured at 200 dpi: 99th percentile 0.03 to 0.06 px."""
    error = measured(sheet, page, sheet.image)
    assert error.found
    assert error.median < 0.01
    assert error.worst < 0.1


@pytest.mark.parametrize("off", [(1.0, 0.0), (0.0, -1.0), (0.3, 0.0)])
def test_labels_that_are_off(sheet: ecgvec.Sheet, page: Page, off: tuple[float, float]) -> None:
    error = measured(sheet, page, sheet.image, off)
    assert error.shift == pytest.approx((-off[0], -off[1]), abs=0.05)
    assert error.p99 == pytest.approx(np.hypot(*off), abs=0.1)


def test_an_image_shifted_by_a_pixel_is_off_by_a_pixel(sheet: ecgvec.Sheet, page: Page) -> None:
    error = measured(sheet, page, np.roll(sheet.image, 1, axis=1))
    assert error.median == pytest.approx(1.0, abs=0.05)
    assert error.p99 == pytest.approx(1.0, abs=0.1)


def test_one_wrong_trace_among_many(sheet: ecgvec.Sheet, page: Page) -> None:
    points = {trace.id: trace.points for trace in sheet.labels.traces}
    wrong = sheet.labels.traces[1].id
    points[wrong] = points[wrong] + [0.7, 0.7]
    error = label_error(sheet.image, page, unmix(sheet.image, page), points)
    assert error.median < 0.05
    assert error.traces[wrong] == pytest.approx((-0.7, -0.7), abs=0.05)
    assert error.worst == pytest.approx(1.0, abs=0.1)


def test_a_resampling_that_is_half_a_pixel_off_is_found(sheet: ecgvec.Sheet, page: Page) -> None:
    """The picture is taken through a map that differs from the labels' by half a pixel."""
    warp = sheet.warp
    assert isinstance(warp, Lattice)
    (x, y), shape = lattice_pixels(warp.size, warp.step)
    other = replace(warp, nodes=warp.inverse(np.column_stack([x, y]) - 0.5).reshape(*shape, 2))
    plan = sheet.plan
    image = render_pixels(sheet.scene, replace(sheet.view, warp=other), plan.page.style.dpi, plan.effects)
    assert measured(sheet, page, image).shift == pytest.approx((0.5, 0.5), abs=0.05)


def test_ink_is_straight_again(sheet: ecgvec.Sheet, page: Page) -> None:
    """Nothing of grid, names and light is left, and the ink lies where the page's lines do."""
    ink, straight = straighten(unmix(sheet.image, page), page)
    open_share = np.ones(ink.cover.shape, dtype=np.float32)
    for mark in sheet.trace_scene.shapes():
        points = straight.warp.forward(mark.info.points)  # type: ignore[union-attr]
        open_share *= 1 - stroke(points, straight.pen, (0, 0, *straight.size))
    told = ink.weight > 0.1
    assert told.mean() > 0.6
    # Resampled twice, ink loses its sharpness; on grid lines, averaged with paper, some of its amount too.
    drawn = (1 - open_share)[told]
    assert ink.cover[told].sum() == pytest.approx(drawn.sum(), rel=0.15)
    assert np.corrcoef(ink.cover[told], drawn)[0, 1] > 0.75


def test_a_line_that_leaves_the_picture_ends_there(demo_record: Record, tmp_path: Path) -> None:
    """The frame cuts the rows askew, so that in the last columns of one lead others are seen: they are not read for
    it."""
    turned = {"warp.rotate.angle": 12, "warp.crop.right": 0.1}
    sheet = rendered(demo_record, SMALL, turned)
    page = saved(sheet, tmp_path)
    found = digitise(unmix(sheet.image, page), page)
    lost = 0
    for trace in sheet.labels.traces:
        away = np.abs(found[trace.id] - trace.mv)
        assert np.nanmax(away) < 1.0
        far = ~trace.visible & (trace.points[:, 0] > sheet.warp.size[0] + 4)
        assert np.isnan(found[trace.id][far]).all()
        lost += int(far.sum())
    assert lost > 100


def quick(page: Page) -> tuple[dict[str, NDArray[np.float64]], Score]:
    from ecgvec.export.read import decode_image

    path, arrays = page.saved.file(".png"), page.saved.file(".npz")
    assert path is not None
    assert arrays is not None
    found = digitise(unmix(decode_image(path, page.size)[0], page), page)
    return found, score(page, read_values(page)[0], found)


@pytest.mark.parametrize("look", [CREASED, CURLED], ids=["creased", "curled"])
def test_a_bent_page_is_read(demo_record: Record, tmp_path: Path, look: dict[str, Any]) -> None:
    _, found = quick(saved(rendered(demo_record, look, SMALL), tmp_path, ("png", "json")))
    assert len(found.leads) == 12
    assert found.challenge > 15.0


def test_values_in_the_labels_change_nothing(demo_record: Record, tmp_path: Path) -> None:
    page = saved(rendered(demo_record, SMALL, CREASED), tmp_path, ("png", "json"))
    before, score_before = quick(page)
    arrays = page.saved.file(".npz")
    assert arrays is not None
    with np.load(arrays) as stored:
        changed = {name: stored[name].copy() for name in stored.files}
    for name in changed:
        if name.endswith(("/mv", "/xy")):
            np.random.default_rng(0).shuffle(changed[name])
    np.savez(arrays, **changed)  # type: ignore[arg-type]
    after, score_after = quick(page)
    assert score_after.challenge < score_before.challenge - 10
    for name, values in before.items():
        np.testing.assert_array_equal(values, after[name])


def test_a_folder_of_bent_pages_is_good(demo_record: Record, tmp_path: Path) -> None:
    rendered(demo_record, SMALL, CREASED, {"effects.lamp.azimuth": 200}).save(tmp_path, ["png", "json"])
    report = verify_folder(tmp_path)
    assert report.good
    (image,) = report.images
    assert image.labels is not None
    assert image.labels.worst < 0.1


@pytest.mark.parametrize("factor", [1.0, 0.6])
def test_the_matrix_is_what_resampling_does(demo_record: Record, factor: float) -> None:
    """Noise, resampled, and the same by the matrix, over several tiles: but for the rounding to bytes they agree."""
    sheet = rendered(demo_record, CREASED, SMALL, {"warp.resize.factor": factor})
    warp, scale = sheet.warp, px_per_mm(120)
    assert isinstance(warp, Lattice)
    size = round(warp.paper.height * scale), round(warp.paper.width * scale), 3
    noise = np.random.default_rng(0).integers(0, 256, size).astype(np.uint8)
    image = resample(noise, scale, warp)
    seen, drawn = Tile(100, 90, 400, 300), Tile(50, 60, 1000, 700)
    matrix = taps(warp, scale, seen, drawn)
    found = matrix @ noise[drawn.y0 : drawn.y1, drawn.x0 : drawn.x1, 0].ravel().astype(float)
    whole = np.asarray(matrix.sum(axis=1)) > 0.999
    assert whole.mean() > 0.95
    rest = found - image[seen.y0 : seen.y1, seen.x0 : seen.x1, 0].ravel()
    assert np.abs(rest[whole]).max() < 1.1
    assert rest[whole].std() < 0.4


def oracle(record: Record | Path, folder: Path, *overrides: dict[str, Any]) -> tuple[Score, Score]:
    """Scores of the quick digitiser and of the oracle."""
    sheet = rendered(record, *overrides)
    page = saved(sheet, folder)
    ink = unmix(sheet.image, page)
    start = digitise(ink, page)
    best = refit(ink, page, start)
    truth = {trace.id: trace.mv for trace in sheet.labels.traces}
    return score(page, truth, start), score(page, truth, best)


def test_the_oracle_sees_through_the_bend(demo_record: Record, tmp_path: Path) -> None:
    few = {"record.leads": ("V2",), "page.seconds": 1.2, "page.dpi": 150}
    (start, found), (_, flat) = (oracle(demo_record, tmp_path / name, few, look) for name, look in _TWO.items())
    assert found.challenge > start.challenge + 10
    assert found.challenge > flat.challenge - 4  # of a single lead; measured 1


_TWO: dict[str, dict[str, Any]] = {"bent": CREASED, "flat": {}}


@pytest.mark.long
@pytest.mark.parametrize("name", ["HR06000", "HR06002", "E07502"])
def test_bending_costs_the_oracle_at_most_3_db(twelve_lead: list[Path], tmp_path: Path, name: str) -> None:
    """Median over twelve leads of a real record at 200 dpi; bent pages show a mm as large as the flat one to 1 %."""
    path = next(path for path in twelve_lead if path.name == name)
    flat, *others = (
        np.array(list(oracle(path, tmp_path / kind, {"layout.template": "3x4"}, look)[1].leads.values()))
        for kind, look in {"flat": {}, "creased": CREASED, "curled": CURLED}.items()
    )
    lost = [float(np.nanmedian(flat - other)) for other in others]
    print(f"{name}: flat {np.nanmedian(flat):.1f} dB; creased and curled lose", " and ".join(f"{v:.1f}" for v in lost))
    assert max(lost) <= 3
