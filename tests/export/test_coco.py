"""COCO as pycocotools reads it back, against the native labels and the page of the traces alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import ecgvec
from ecgvec.export import coco
from ecgvec.export.label_json import encode_box
from ecgvec.export.write import write_sheets
from ecgvec.geometry.path import bounds, join, polyline
from ecgvec.graphics.raster import draw
from ecgvec.marks import MARKS
from ecgvec.marks.base import AddedMark
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from ecgvec.rendering.labels.derive import as_path, trace_ink
from tests.export.boxes import MARGIN, Mask, iou, moved, native_boxes, some_sheets
from tests.graphics.drawing import coverage


@pytest.fixture(scope="module")
def sheets(demo_record: Record) -> list[ecgvec.Sheet]:
    return some_sheets(demo_record)


@pytest.fixture(scope="module")
def out(sheets: list[ecgvec.Sheet], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("coco")
    write_sheets(sheets, folder, ["png", "coco"])
    return folder


@pytest.fixture(scope="module")
def data(out: Path) -> COCO:
    return COCO(str(out / "coco" / "annotations.json"))


def images(data: COCO, sheets: list[ecgvec.Sheet]) -> Iterator[tuple[ecgvec.Sheet, dict[str, Any], dict[str, Any]]]:
    """Each sheet with its image's entry and its annotations by the label's id."""
    for number, sheet in enumerate(sheets, start=1):
        found = data.loadAnns(data.getAnnIds(imgIds=[number]))
        yield sheet, data.imgs[number], {a["label_id"]: a for a in found}


def filled(polygons: list[list[float]], size: tuple[int, int]) -> Mask:
    """Polygons of a segmentation, the pixels that they cover by half."""
    path = join(polyline(np.reshape(polygon, (-1, 2)), closed=True) for polygon in polygons)
    return coverage(path, size) >= 128


def centres_inside(shape: shapely.Geometry, size: tuple[int, int]) -> Mask:
    """The pixels whose centre is inside a shape."""
    mask = np.zeros(size[::-1], dtype=bool)
    rows, columns = np.nonzero(coverage(as_path(shape), size))
    shapely.prepare(shape)
    mask[rows, columns] = shapely.contains_xy(shape, columns + 0.5, rows + 0.5)
    return mask


def same_but_for_ties(mask: Mask, shape: shapely.Geometry) -> bool:
    """Whether a mask holds the pixels with their centre inside; centres on the outline itself may be either way."""
    rows, columns = np.nonzero(mask != centres_inside(shape, mask.shape[::-1]))
    return bool((shapely.distance(shapely.points(columns + 0.5, rows + 0.5), shape.boundary) < 1e-9).all())


def test_images_and_ids(data: COCO, sheets: list[ecgvec.Sheet], out: Path) -> None:
    assert list(data.imgs) == list(range(1, len(sheets) + 1))
    assert list(data.anns) == list(range(1, len(data.anns) + 1))
    for sheet, image, _ in images(data, sheets):
        assert (image["height"], image["width"]) == sheet.image.shape[:2]
        assert (out / image["file_name"]).is_file()
        assert image["file_name"] == f"{sheet.plan.stem}.png"


def test_everything_is_an_instance_or_hidden(data: COCO, sheets: list[ecgvec.Sheet]) -> None:
    hidden_kinds = set()
    for sheet, image, found in images(data, sheets):
        labels = sheet.labels
        assert sorted([*found, *image["hidden"]]) == sorted(native_boxes(sheet))
        assert {t.id for t in labels.traces if not t.visible.any()} == {t.id for t in labels.traces} - set(found)
        assert {t.id for t in labels.texts if not t.visible} == {t.id for t in labels.texts} - set(found)
        hidden_kinds |= {name.split("-")[0] for name in image["hidden"]}
    assert {"trace", "panel", "pulse", "qr"} <= hidden_kinds


def test_whole_boxes_are_the_native_ones(data: COCO, sheets: list[ecgvec.Sheet]) -> None:
    compared = 0
    for sheet, _, found in images(data, sheets):
        native = native_boxes(sheet)
        for name, a in found.items():
            x, y, width, height = native[name]
            inside = min(x, y) >= 0 and x + width <= sheet.warp.size[0] and y + height <= sheet.warp.size[1]
            assert a["truncated"] is not inside
            if inside:
                np.testing.assert_allclose(a["bbox"], native[name], atol=MARGIN)
                compared += 1
    assert compared > 150


def test_boxes_of_cut_ink_are_those_of_its_pixels(data: COCO, sheets: list[ecgvec.Sheet]) -> None:
    compared = 0
    for sheet, _, found in images(data, sheets):
        width, height = sheet.warp.size
        for trace in sheet.labels.traces:
            a = found.get(trace.id)
            if a is None or not a["truncated"]:
                continue
            x, y, w, h = a["bbox"]
            assert min(x, y) >= 0 and x + w <= width + MARGIN and y + h <= height + MARGIN
            ink = trace_ink(trace, sheet.warp, sheet.labels.ink_width)
            np.testing.assert_allclose([x, y, x + w, y + h], ink.bounds, atol=MARGIN)
            rows, columns = np.nonzero(coverage(as_path(ink), (width, height)))
            pixels = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert np.abs(np.subtract([x, y, x + w, y + h], pixels)).max() <= 1.01
            compared += 1
    assert compared > 10


def test_masks_are_those_of_the_ink(data: COCO, sheets: list[ecgvec.Sheet]) -> None:
    kinds = set()
    for sheet, _, found in images(data, sheets):
        size = sheet.warp.size
        for trace in sheet.labels.traces:
            if trace.id not in found:
                continue
            a = found[trace.id]
            ink = trace_ink(trace, sheet.warp, sheet.labels.ink_width)
            mask = data.annToMask(a).astype(bool)
            if isinstance(a["segmentation"], dict):
                kinds.add("rle")
                assert same_but_for_ties(mask, ink)
                assert coco_mask.area(data.annToRLE(a)) == pytest.approx(a["area"], rel=0.03)
            else:
                kinds.add("polygon")
                assert iou(filled(a["segmentation"], size), coverage(as_path(ink), size) >= 128) > 0.98
                assert iou(mask, centres_inside(ink, size)) > 0.9  # pycocotools' own raster is coarse
            assert a["area"] == pytest.approx(ink.area, abs=MARGIN)
    assert kinds == {"rle", "polygon"}


def test_masks_together_are_the_truth_page(data: COCO, sheets: list[ecgvec.Sheet]) -> None:
    for sheet, _, found in images(data, sheets):
        truth = sheet.trace_image.max(axis=2) < 128
        both = np.zeros_like(truth)
        for a in found.values():
            if data.cats[a["category_id"]]["supercategory"] == "lead":
                drawn = isinstance(a["segmentation"], list)
                both |= filled(a["segmentation"], sheet.warp.size) if drawn else data.annToMask(a).astype(bool)
        assert iou(both, truth) > (0.98 if sheet.warp.dpi >= 200 else 0.97)


def test_other_masks(data: COCO, sheets: list[ecgvec.Sheet]) -> None:
    sheet, _, found = next(images(data, sheets))
    texts = {text.id: text for text in sheet.labels.texts}
    for name, a in found.items():
        x, y, w, h = a["bbox"]
        rows, columns = np.nonzero(data.annToMask(a))
        if len(rows):
            pixels = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert np.abs(np.subtract([x, y, x + w, y + h], pixels)).max() <= 1.2
        if name in texts:
            assert (a["text"], a["order"], a.get("trace")) == (texts[name].text, texts[name].order, texts[name].trace)
            assert data.cats[a["category_id"]]["name"] == texts[name].role
            assert a["area"] == pytest.approx(shapely.Polygon(texts[name].hull).area, abs=MARGIN)
    pulses = draw(sheet.scene.only({"pulse"}), sheet.warp.dpi, sheet.warp.frame).max(axis=2) < 128
    drawn = [filled(found[pulse.id]["segmentation"], sheet.warp.size) for pulse in sheet.labels.pulses]
    assert iou(np.any(drawn, axis=0), pulses) > 0.98
    modules = data.annToMask(found["qr-code"])
    assert modules.sum() == pytest.approx(found["qr-code"]["area"], rel=0.02)


def test_keypoints(data: COCO, sheets: list[ecgvec.Sheet]) -> None:
    seen = set()
    for sheet, image, found in images(data, sheets):
        labels = sheet.labels
        corners = {text.id: text.quad for text in labels.texts}
        corners |= {f"panel-{trace.id}": trace.panel for trace in labels.traces}
        corners |= {p.id: np.array([p.corners[1], p.corners[-2], p.corners[-1], p.corners[0]]) for p in labels.pulses}
        if labels.qr is not None:
            corners["qr-code"] = labels.qr.quad
        for name, a in found.items():
            category = data.cats[a["category_id"]]
            assert ("keypoints" in a) is ("keypoints" in category) is (name in corners)
            if name not in corners:
                continue
            for (x, y), (kx, ky, v) in zip(corners[name], np.reshape(a["keypoints"], (-1, 3)), strict=True):
                inside = 0 <= x < image["width"] and 0 <= y < image["height"]
                np.testing.assert_allclose((kx, ky, v), (x, y, 2) if inside else (0, 0, 0), atol=MARGIN)
            assert a["num_keypoints"] == np.count_nonzero(a["keypoints"][2::3])
            assert len(category["keypoints"]) == 4
            seen.add((category["name"], a["num_keypoints"]))
    assert {("panel", 4), ("panel", 2), ("pulse", 4), ("qr-code", 4), ("lead-name", 4)} <= seen


def test_a_pulse_of_two_steps(sheets: list[ecgvec.Sheet], data: COCO) -> None:
    sheet, _, found = next(images(data, sheets))
    pulse = next(p for p in sheet.labels.pulses if len(p.gains) == 2)
    assert found[pulse.id]["gains"] == [10.0, 5.0]
    (tl, tr, br, bl) = np.reshape(found[pulse.id]["keypoints"], (4, 3))[:, :2]
    assert tl[1] < tr[1] < br[1] == bl[1] and tl[0] == bl[0] < tr[0] == br[0]


def test_extra_keys(data: COCO, sheets: list[ecgvec.Sheet]) -> None:
    for sheet, image, found in images(data, sheets):
        assert image["record"] == sheet.plan.record.path and image["dpi"] == sheet.warp.dpi
        for trace in sheet.labels.traces:
            for name in {trace.id, f"panel-{trace.id}"} & set(found):
                a = found[name]
                told = a["lead"], a["polarity"], a["rhythm"], a["row"], a["column"]
                assert told == (trace.lead, trace.polarity, trace.rhythm, trace.row, trace.column)
            if trace.id in found:
                assert data.cats[found[trace.id]["category_id"]]["name"] == trace.lead


def test_categories_are_the_same_in_every_run(data: COCO, sheets: list[ecgvec.Sheet], tmp_path: Path) -> None:
    write_sheets(sheets[:1], tmp_path, ["coco"])
    alone = json.loads((tmp_path / "coco" / "annotations.json").read_text())["categories"]
    both = data.dataset["categories"]
    assert [c for c in both if c["id"] <= 100] == alone
    assert [(c["id"], c["name"], c["supercategory"]) for c in both if c["id"] > 100] == [(101, "ECG1", "lead")]
    ids = {c["name"]: c["id"] for c in alone}
    assert [ids[name] for name in ("I", "aVF", "V6", "Z", "lead-name", "pulse", "panel")] == [1, 6, 12, 22, 31, 41, 51]
    assert len({c["id"] for c in both}) == len({c["name"] for c in both}) == len(both)


def test_records_in_folders(sheets: list[ecgvec.Sheet], tmp_path: Path) -> None:
    write_sheets([moved(sheets[0], "some/folder/whole")], tmp_path, ["png", "coco"])
    data = COCO(str(tmp_path / "coco" / "annotations.json"))
    assert data.imgs[1]["file_name"] == "some/folder/whole-0.png"
    assert (tmp_path / data.imgs[1]["file_name"]).is_file()


@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_an_evaluation_of_the_labels_themselves_is_perfect(data: COCO, kind: str) -> None:
    results = [
        {"image_id": a["image_id"], "category_id": a["category_id"], "score": 1.0}
        | ({"bbox": a["bbox"]} if kind == "bbox" else {"segmentation": data.annToRLE(a)})
        for a in data.anns.values()
        if kind == "bbox" or coco_mask.area(data.annToRLE(a)) > 0
    ]
    evaluation = COCOeval(data, data.loadRes(results), kind)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] > 0.99


@pytest.mark.parametrize(
    "shape",
    [
        shapely.box(0, 0, 30, 20),
        shapely.box(3, 0, 7, 20),
        shapely.box(0, 0, 1, 1),
        shapely.box(29, 19, 30, 20),
        shapely.box(2.2, 3.2, 2.4, 9),
        shapely.difference(shapely.Point(15, 10).buffer(9), shapely.Point(16, 9).buffer(4)),
        shapely.union(shapely.Point(6.3, 6.1).buffer(4.7), shapely.Point(20.2, 12).buffer(6.9)),
        shapely.Polygon([(1.3, 2.1), (28.7, 5.9), (14.1, 19.3)]),
    ],
)
def test_rle(shape: shapely.Geometry) -> None:
    encoded = coco.rle(shape, (30, 20))
    assert encoded["size"] == [20, 30] and sum(encoded["counts"]) == 600 and 0 not in encoded["counts"][1:]
    mask = coco_mask.decode(coco_mask.frPyObjects(encoded, 20, 30)).astype(bool)
    assert same_but_for_ties(mask, shape)
    compressed = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert coco_mask.frPyObjects(encoded, 20, 30) == compressed


def test_a_shape_with_a_hole_is_rle() -> None:
    ring = shapely.MultiPolygon([shapely.difference(shapely.box(2, 2, 12, 12), shapely.box(5, 5, 8, 8))])
    assert isinstance(coco.segmentation(ring, (30, 20)), dict)
    parts = shapely.MultiPolygon([shapely.box(2, 2, 5, 5), shapely.box(7, 2, 9, 5)])
    assert [len(polygon) for polygon in coco.segmentation(parts, (30, 20))] == [8, 8]


def test_boxes_of_a_clipped_row_end_at_its_edge(data: COCO, sheets: list[ecgvec.Sheet]) -> None:
    sheet, _, found = next(item for item in images(data, sheets) if item[0].plan.record.name == "cut")
    touching = 0
    for trace in sheet.labels.traces:
        _, top, _, bottom = bounds(trace.panel)
        x, y, w, h = found[trace.id]["bbox"]
        assert top - MARGIN <= y and y + h <= bottom + MARGIN
        ink = trace_ink(trace, sheet.warp, sheet.labels.ink_width)
        np.testing.assert_allclose((x, y, x + w, y + h), ink.bounds, atol=0.05)
        touching += min(y - top, bottom - y - h) < 0.01
    assert touching > 2


# What was put on the print, and what it hides ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def marked(demo_record: Record) -> ecgvec.Sheet:
    """A page with every kind of mark; the patient's name is blackened, and so is half of lead II."""
    over = {f"marks.{kind}.probability": 1 for kind in coco.ADDED}
    over |= {"marks.redaction.over": "header", "marks.second.kind": "redaction", "marks.second.width": 60}
    over |= {"marks.second.x": 0.2, "marks.second.y": 0.47, "marks.second.height": 40}
    return ecgvec.render(demo_record, load_recipe("clean", {"layout.template": "ge", "page.print_header": True} | over))


@pytest.fixture(scope="module")
def marked_data(marked: ecgvec.Sheet, tmp_path_factory: pytest.TempPathFactory) -> COCO:
    folder = tmp_path_factory.mktemp("marked")
    write_sheets([marked], folder, ["coco"])
    return COCO(str(folder / "coco" / "annotations.json"))


def test_every_kind_of_mark_has_a_category_for_ever(marked_data: COCO) -> None:
    kinds = {kind for kind, part in MARKS if issubclass(part, AddedMark)}
    assert kinds == set(coco.ADDED), "add the new kind at the end of coco.ADDED: numbers in use stay"
    ids = {c["name"]: c["id"] for c in marked_data.dataset["categories"] if c["supercategory"] == "added"}
    assert list(ids.values()) == list(range(61, 61 + len(coco.ADDED)))
    assert (ids["redaction"], ids["stamp"], ids["underline"]) == (61, 62, 67)


def test_marks_are_their_rings(marked_data: COCO, marked: ecgvec.Sheet) -> None:
    found = {a["label_id"]: a for a in marked_data.anns.values()}
    assert len(marked.labels.marks) == len(coco.ADDED) + 1
    for mark in marked.labels.marks:
        a = found[mark.id]
        assert marked_data.cats[a["category_id"]]["name"] == mark.kind
        np.testing.assert_allclose(a["bbox"], encode_box(mark.ring), atol=MARGIN)
        assert a["area"] == pytest.approx(shapely.Polygon(mark.ring).area, abs=MARGIN)
        size = marked.warp.size
        assert iou(filled(a["segmentation"], size), coverage(polyline(mark.ring, closed=True), size) >= 128) > 0.97
        assert (a.get("text", ""), a.get("trace"), a["opaque"]) == (mark.text, mark.trace, mark.opaque)
        assert a["occluded"] == mark.occluded and "keypoints" not in a
    assert sum(a["opaque"] for a in found.values() if "opaque" in a) == 2


def test_what_is_hidden_stays_and_says_so(marked_data: COCO, marked: ecgvec.Sheet) -> None:
    found = {a["label_id"]: a for a in marked_data.anns.values()}
    bars = shapely.union_all([shapely.Polygon(m.ring) for m in marked.labels.marks if m.opaque])
    whole = [text for text in marked.labels.texts if not text.visible]
    assert whole and all(text.occluded > 0.99 for text in whole)
    for text in marked.labels.texts:
        a = found[text.id]
        assert a["occluded"] == text.occluded
        v = np.array(a["keypoints"][2::3])
        assert np.array_equal(v, np.where(shapely.contains_xy(bars, *text.quad.T), 1, 2)) and a["num_keypoints"] == 4
    assert all(found[text.id]["keypoints"][2::3] == [1, 1, 1, 1] for text in whole)
    shares = {trace.id: round(float(trace.occluded.mean()), 4) for trace in marked.labels.traces}
    assert {name: found[name]["occluded"] for name in shares} == shares
    assert 0.2 < max(shares.values()) < 1 and min(shares.values()) == 0
    area = sum(a["occluded"] * a["area"] for name, a in found.items() if name.startswith("panel-"))
    assert 0.3 * bars.area < area <= 1.01 * bars.area  # of the bars, what lies on panels
    assert marked_data.imgs[1]["hidden"] == []


def test_a_kind_that_is_not_known_gets_a_category_of_its_own(marked: ecgvec.Sheet, tmp_path: Path) -> None:
    labels = marked.labels
    strange = replace(labels, marks=tuple(replace(mark, kind="pulse") for mark in labels.marks[:1]))
    write_sheets([replace(marked, labels=strange)], tmp_path, ["coco"])
    document = json.loads((tmp_path / "coco" / "annotations.json").read_text())
    assert [c["id"] for c in document["categories"] if c["name"] == "pulse"] == [41, 201]
    (a,) = (a for a in document["annotations"] if a["label_id"] == labels.marks[0].id)
    assert a["category_id"] == 201
