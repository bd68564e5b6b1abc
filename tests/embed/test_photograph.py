"""A letter with two ECGs, one of them turned, photographed: every label of both and of the letter lies on its ink."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import shapely
from pycocotools.coco import COCO
from shapely import Polygon

import ecgvec
from ecgvec import embed
from ecgvec.embed.page import HOST_TEXT
from ecgvec.errors import EcgvecError, ExportError, RecipeError
from ecgvec.export.instances import instances
from ecgvec.geometry.path import bounds
from ecgvec.recipe.recipe import load_mix
from ecgvec.record.model import Record
from ecgvec.rendering.camera import render_pixels
from ecgvec.rendering.labels.derive import trace_ink
from ecgvec.rendering.labels.model import TextLabel
from tests.embed.hosts import LETTER, blank
from tests.embed.ink import offsets

DPI = 200.0
TORN = """
extends = "phone-photo"
[effects.torn-edge]
edge = "right"
"""


@pytest.fixture(scope="module")
def sheets(demo_record: Record) -> list[ecgvec.Sheet]:
    """Two pages of straight flanks, up and down, whose ink has a middle that can be told."""
    t = np.arange(5000) / 500
    saws = [0.6 * np.abs(((t + k / 13) % (0.8 + 0.05 * k)) / (0.8 + 0.05 * k) - 0.5) - 0.15 for k in range(12)]
    record = Record("saws", 500.0, np.column_stack(saws), demo_record.leads)
    return [
        ecgvec.render(record, dpi=50, template="ge", print_header=True),
        ecgvec.render(record, dpi=50, template="hospital", qr_code=True, trace_width=0.3, gain=20),
    ]


PLACES = (22, 52, 165, 0), (50, 185, 120, 8)  # x, y, width in mm, and the turn


def letter(sheets: list[ecgvec.Sheet]) -> embed.Page:
    page = embed.page(LETTER, "letter").with_text("With kind regards, made up", (25, 285), size=4.2)
    for sheet, place in zip(sheets, PLACES, strict=True):
        page = page.with_ecg(sheet, *place)
    return page


def bare() -> embed.Page:
    return embed.page(blank(more='viewBox="0 0 210 297"'), "letter")


@pytest.fixture(scope="module")
def photo(sheets: list[ecgvec.Sheet]) -> embed.Photograph:
    return embed.photograph(letter(sheets), "phone-photo", seed=5, dpi=DPI)


def traces_alone(sheets: list[ecgvec.Sheet]) -> list[ecgvec.Sheet]:
    return [replace(sheet, scene=sheet.trace_scene) for sheet in sheets]


def darkness(image: np.ndarray) -> np.ndarray:
    return np.asarray(255.0 - image.mean(axis=2))


def test_every_trace_of_both_lies_on_its_ink(sheets: list[ecgvec.Sheet], photo: embed.Photograph) -> None:
    """The page that CairoSVG draws, with the traces alone, sent through the photograph's warp: the ink's middle against
    the labels, across the line."""
    page = bare()
    for sheet, place in zip(traces_alone(sheets), PLACES, strict=True):
        page = page.with_ecg(sheet, *place)
    ink = darkness(render_pixels(page.drawing.draw, photo.view, DPI))
    everything = {(k, t.id): t.points[::4] for k, sheet in enumerate(photo.ecgs) for t in sheet.labels.traces}
    found = []
    for k, sheet in enumerate(photo.ecgs):
        for trace in sheet.labels.traces:
            others = np.concatenate([points for key, points in everything.items() if key != (k, trace.id)])
            some = offsets(ink, trace, others[np.isfinite(others).all(axis=1)])
            assert len(some) > 25, f"{trace.id} was not checked"
            found.append(some)
    error = np.hypot(*np.concatenate(found).T)
    print(f"{len(error)} places, median {np.median(error):.3f}, p99 {np.percentile(error, 99):.3f} px")
    assert np.percentile(error, 99) < 0.15
    assert np.abs(np.concatenate(found).mean(axis=0)).max() < 0.02
    # The control: labels half a pixel off are seen.
    trace = photo.ecgs[1].labels.traces[0]
    moved = replace(trace, points=trace.points + np.array([0.0, 0.5]))
    assert np.median(np.hypot(*offsets(ink, moved, np.empty((0, 2))).T)) > 0.2


def test_the_photograph_itself_shows_the_ink_there(photo: embed.Photograph) -> None:
    """With light, wear, noise and JPEG, on its grid: not to a hundredth of a px, but there."""
    dark = darkness(photo.image)
    for sheet in photo.ecgs:
        for trace in sheet.labels.traces:
            points = trace.points[trace.visible][::7]
            x, y = np.floor(points).astype(int).T
            aside = np.clip(y - 14, 0, None)
            assert np.median(dark[y, x]) > np.median(dark[aside, x]) + 25


def test_what_the_sheets_say_of_themselves_agrees(sheets: list[ecgvec.Sheet], photo: embed.Photograph) -> None:
    """Each ECG is a Sheet: its own truth, drawn by cairo through its own map, is the same picture as the host's."""
    for k, sheet in enumerate(photo.ecgs):
        alone = bare().with_ecg(traces_alone(sheets)[k], *PLACES[k])
        host = render_pixels(alone.drawing.draw, photo.view, DPI)
        own = sheet.trace_image
        assert own.shape == host.shape
        both = (own < 200).any(axis=2), (host < 200).any(axis=2)
        assert (both[0] & both[1]).sum() / (both[0] | both[1]).sum() > 0.8
        assert np.abs(darkness(own).sum() / darkness(host).sum() - 1) < 0.02
        points = sheet.labels.corners
        assert sheet.warp.forward(sheet.warp.inverse(points)) == pytest.approx(points, abs=1e-6)
        assert sheet.warp.inverse(points) == pytest.approx(photo.page.insets[k].on_paper.corners, abs=1e-3)


def ink_box(ink: np.ndarray) -> tuple[float, float, float, float]:
    (x, y) = (np.flatnonzero(ink.any(axis=axis)) for axis in (0, 1))
    return float(x[0]), float(y[0]), float(x[-1]) + 1, float(y[-1]) + 1


def test_the_hosts_texts_hold_their_ink(photo: embed.Photograph) -> None:
    """Each text's box, grown by a pixel, holds all ink near it, and the ink reaches each of its sides."""
    page = embed.page(LETTER, "letter").with_text("With kind regards, made up", (25, 285), size=4.2)
    ink = darkness(render_pixels(page.drawing.draw, photo.view, DPI)) > 40
    assert [text.text for text in photo.texts] == [
        "Dear Dr Example,",
        "Thank you for seeing this made-up patient on Monday .",
        "Archive copy 7, made up",
        "hidden by an ECG",
        "With kind regards, made up",
    ]
    checked = 0
    for text in photo.texts:
        x0, y0, x1, y1 = bounds(text.outline)
        if min(x0, y0) < 4 or x1 > ink.shape[1] - 4 or y1 > ink.shape[0] - 4:
            continue
        corner = int(x0) - 4, int(y0) - 4
        near = ink[corner[1] : int(y1) + 4, corner[0] : int(x1) + 4].copy()
        y, x = np.indices(near.shape) + 0.5
        near &= shapely.contains_xy(Polygon(text.hull).buffer(3.0), x + corner[0], y + corner[1])  # no other text's
        found = np.array(ink_box(near)) + np.array([*corner, *corner])
        assert found == pytest.approx([x0, y0, x1, y1], abs=1.3), text.text
        checked += 1
    assert checked >= 4


def test_measured_boxes_are_the_ink_at_any_resolution() -> None:
    page = embed.page(LETTER)
    for dpi, alone in ((72.0, True), (150.0, False), (600.0, False)):
        image = page.drawing.draw(dpi)
        scale = dpi / 25.4
        for text in page.texts:
            x0, y0, x1, y1 = (int(v * scale) + d for v, d in zip(bounds(text.hull), (-3, -3, 4, 4), strict=True))
            part = darkness(image)[max(0, y0) : y1, max(0, x0) : x1] > 30
            found = (np.array(ink_box(part)) + [max(0, x0), max(0, y0)] * 2) / scale
            assert found == pytest.approx(bounds(text.hull), abs=0.05 + 1.0 / scale), (dpi, text.text)
        assert alone or len(page.texts) == 4


def test_quads_of_turned_texts_begin_at_the_top_left_as_read() -> None:
    host = LETTER.replace("rotate(-90 8 280)", "translate(100 100) rotate(30) scale(1.5)").replace('x="8" y="280"', "")
    turned = {text.id: text.quad for text in (*embed.page(LETTER).texts, *embed.page(host).texts[2:3])}
    upright = {text.id: text.quad for text in embed.page(LETTER).texts}
    for quad, angle in ((upright["greeting"], 0), (upright["turned"], -90), (turned["turned"], 30)):
        (x, y), down = quad[1] - quad[0], quad[3] - quad[0]
        assert np.degrees(np.arctan2(y, x)) == pytest.approx(angle, abs=0.01)
        assert np.hypot(x, y) > 5 * np.hypot(*down) and x * down[1] - y * down[0] > 0
    assert upright["turned"][0, 1] == pytest.approx(280, abs=0.5)  # it is read from below
    assert np.hypot(*(turned["turned"][3] - turned["turned"][0])) < 1.5 * 4


def test_nothing_outside_the_host_is_opened(tmp_path: Path) -> None:
    picture = tmp_path / "black.png"
    assert cv2.imwrite(str(picture), np.zeros((9, 9, 3), dtype=np.uint8))
    image = f'<image width="200" height="200" href="{picture.as_uri()}"/>'
    assert embed.page(blank().replace("></svg>", f">{image}</svg>")).drawing.draw(30).min() == 255


def test_labels_know_what_hides_them(photo: embed.Photograph, sheets: list[ecgvec.Sheet]) -> None:
    texts = {text.id: text for text in photo.texts}
    assert texts["below"].occluded == 1.0 and not texts["below"].visible
    assert texts["greeting"].occluded == 0.0 and texts["greeting"].visible
    over = letter(sheets).with_ecg(sheets[1], 60, 60, 60, rotate=20)
    seen = embed.photograph(over, "clean", dpi=60)
    ring = Polygon(over.insets[2].quad)
    for trace, own in zip(seen.ecgs[0].labels.traces, over.insets[0].labels.traces, strict=True):
        known = np.isfinite(own.points).all(axis=1)
        below = shapely.contains_xy(ring, *own.points[known].T)
        assert np.array_equal(trace.occluded[known], below)
        assert not (trace.visible[known] & below).any()
    assert any(trace.occluded.any() for trace in seen.ecgs[0].labels.traces)
    assert not any(trace.occluded.any() for trace in seen.ecgs[2].labels.traces)
    through = letter(sheets).with_ecg(sheets[1], 60, 60, 60, paper=False)
    assert not any(trace.occluded.any() for trace in embed.photograph(through, dpi=60).ecgs[0].labels.traces)


def test_outside_the_page_and_the_image_nothing_is_visible(sheets: list[ecgvec.Sheet]) -> None:
    """An ECG that leaves the host's page is cut there, in the picture of a page and in its labels."""
    page = bare().with_ecg(sheets[0], 100, 20, 165)
    for recipe in ("clean", "phone-photo"):
        photo = embed.photograph(page, recipe, seed=2, dpi=100)
        for trace in photo.ecgs[0].labels.traces:
            known = np.isfinite(trace.points).all(axis=1)
            host = page.insets[0].to_host(photo.ecgs[0].warp.inverse(trace.points[known]))
            inside = (trace.points[known] >= 0) & (trace.points[known] < photo.ecgs[0].warp.size)
            off = (host[:, 0] > 210) | ~inside.all(axis=1)
            assert not trace.visible[known][off].any()
        last = photo.ecgs[0].labels.traces[-1]
        assert last.visible.any() and not last.visible.all()
        ring = photo.ecgs[0].labels.page
        shown = ((ring >= 0) & (ring < photo.ecgs[0].warp.size)).all(axis=1)
        outline = page.insets[0].to_host(photo.ecgs[0].warp.inverse(ring[shown]))
        assert recipe != "clean" or outline[:, 0].max() > 209.8
        assert outline[:, 0].max() < 210 + 1e-6


def test_torn_paper_hides_what_was_on_it(sheets: list[ecgvec.Sheet], tmp_path: Path) -> None:
    (tmp_path / "torn.toml").write_text(TORN)
    page = bare().with_ecg(sheets[0], 60, 20, 150)
    page = page.with_text("far out on the right", (205, 250), align="right").with_text("on the left", (10, 250))
    photo = embed.photograph(page, str(tmp_path / "torn.toml"), seed=2, dpi=80)
    assert photo.view.remaining_paper is not None
    hosts = {text.text: text for text in photo.texts}
    assert hosts["far out on the right"].occluded > 0.05 and hosts["on the left"].occluded == 0
    lost = 0
    for trace, own in zip(photo.ecgs[0].labels.traces, page.insets[0].labels.traces, strict=True):
        gone = ~shapely.contains_xy(photo.view.remaining_paper.buffer(1e-9), *own.points.T)
        assert trace.occluded[gone].all() and not trace.visible[gone].any()
        lost += int(gone.sum())
    assert lost > 50
    assert len(photo.labels.page) > len(page.insets[0].labels.corners)


def test_seen_straight_on_the_host_is_drawn_where_it_lies(sheets: list[ecgvec.Sheet]) -> None:
    page = letter(sheets)
    photo = embed.photograph(page, "clean", dpi=120)
    assert np.array_equal(photo.image, page.drawing.draw(120))
    for sheet, inset in zip(photo.ecgs, page.insets, strict=True):
        for one, other in zip(sheet.labels.traces, inset.labels.traces, strict=True):
            assert one.points == pytest.approx(other.points * 120 / 25.4, nan_ok=True)
            assert bounds(one.outline) == pytest.approx(np.array(bounds(other.outline)) * 120 / 25.4)


def test_coco_holds_all_of_it(photo: embed.Photograph, sheets: list[ecgvec.Sheet], tmp_path: Path) -> None:
    second = embed.photograph(replace(letter(sheets), name="second"), "clean", dpi=60)
    files = embed.save([photo, second], tmp_path)
    assert [str(file.relative_to(tmp_path)) for file in files] == [
        "letter.png", "letter.svg", "second.png", "second.svg", "coco/annotations.json",
    ]  # fmt: skip
    assert all(file.is_file() for file in files)
    data = COCO(str(tmp_path / "coco" / "annotations.json"))
    assert data.cats[35]["name"] == HOST_TEXT and len(data.imgs) == 2
    for number, one in enumerate((photo, second), start=1):
        rows = data.loadAnns(data.getAnnIds(imgIds=[number]))
        names = [row["label_id"] for row in rows]
        assert len(names) == len(set(names))
        wanted = sum(len(instances(sheet)[0]) for sheet in one.ecgs)
        texts = [row for row in rows if row["category_id"] == 35]
        assert len(rows) == wanted + len(texts)
        assert len(texts) + len(data.imgs[number]["hidden"]) >= len(one.texts)
        assert {row.get("ecg") for row in rows} == {None, 1, 2}
        height, width = one.image.shape[:2]
        for row in rows:
            x, y, w, h = row["bbox"]
            assert x >= 0 and y >= 0 and x + w <= width + 1e-6 and y + h <= height + 1e-6 and row["area"] > 0
    below = next(row for row in data.anns.values() if row["label_id"] == "below")
    assert below["occluded"] == 1 and below["keypoints"][2::3] == [1, 1, 1, 1]
    trace = photo.ecgs[1].labels.traces[0]
    row = next(row for row in data.anns.values() if row["label_id"] == trace.id and row["image_id"] == 1)
    assert row["area"] == pytest.approx(trace_ink(trace, photo.ecgs[1].warp, trace.pen).area, rel=1e-6)


def test_a_page_of_texts_alone_and_given_places(tmp_path: Path) -> None:
    quad = [(10, 10), (60, 12), (60, 18), (10, 16)]
    page = embed.page(LETTER, texts=[("a picture of words", quad), ("and again", quad)])
    photo = embed.photograph(page, "phone-photo", seed=1, dpi=40)
    assert [text.text for text in photo.texts] == ["a picture of words", "and again"]
    assert photo.view.warp.inverse(photo.texts[0].quad) == pytest.approx(np.array(quad, dtype=float), abs=1e-6)
    photo.save(tmp_path)
    document = json.loads((tmp_path / "coco" / "annotations.json").read_text())
    assert len(document["annotations"]) == 2 and photo.ecgs == ()
    assert isinstance(photo.labels.texts[0], TextLabel)


def test_the_same_seed_is_the_same_picture_and_names_key_chance(sheets: list[ecgvec.Sheet]) -> None:
    page = embed.page(LETTER, "one").with_ecg(sheets[0], 22, 52, 165)
    one, same = (embed.photograph(page, "phone-photo", seed=9, dpi=40) for _ in range(2))
    assert np.array_equal(one.image, same.image) and one.warp == same.warp
    for other, seed in ((page, 10), (replace(page, name="two"), 9)):
        assert embed.photograph(other, "phone-photo", seed=seed, dpi=40).warp != one.warp


def test_what_cannot_be_is_said() -> None:
    page = embed.page(LETTER)
    photo = embed.photograph(page, dpi=20)
    with pytest.raises(ExportError, match="'page'"):
        embed.coco([photo, photo])
    with pytest.raises(RecipeError, match="mixes"):
        embed.photograph(page, load_mix({"clean": 1, "phone-photo": 2}, {}))
    with pytest.raises(EcgvecError, match="lower dpi"):
        embed.photograph(page, "clean", dpi=6000)
    with pytest.raises(EcgvecError, match="lower dpi"):
        embed.photograph(page, "phone-photo", dpi=6000)
    with pytest.raises(RecipeError, match="above 0"):
        embed.photograph(page, dpi=float("nan"))
    with pytest.raises(EcgvecError, match="no quad"):
        embed.page(LETTER, texts={"word": [(0, 0)]})
    with pytest.raises(EcgvecError, match="name"):
        embed.page(LETTER, "../up")
    with pytest.raises(EcgvecError, match="cannot be drawn"):
        embed.page(blank(more='opacity="half"'))
