"""YOLO labels, read as Ultralytics reads them, against the native labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import shapely
import yaml
from numpy.typing import NDArray
from scipy.spatial import cKDTree

import ecgvec
from ecgvec.export import yolo
from ecgvec.export.instances import instances
from ecgvec.export.write import Writer, write_sheets
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from ecgvec.rendering.labels.derive import as_path
from tests.export.boxes import MARGIN, iou, moved, native_boxes, some_sheets
from tests.graphics.drawing import coverage

ROUNDING = 2e-4  # px: half of the last decimal of a fraction, in the largest image, and that of the native labels


@pytest.fixture(scope="module")
def sheets(demo_record: Record) -> list[ecgvec.Sheet]:
    return some_sheets(demo_record)


@pytest.fixture(scope="module")
def out(sheets: list[ecgvec.Sheet], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("yolo")
    write_sheets(sheets, folder, ["yolo"])
    return folder / "yolo"


def ultralytics_label_path(image: Path) -> Path:
    """As ``img2label_paths`` in ultralytics/data/utils.py describes: the last ``images`` of the path is ``labels``."""
    parts = list(image.parts)
    last = max(i for i, part in enumerate(parts[:-1]) if part == "images")
    parts[last] = "labels"
    return Path(*parts).with_suffix(".txt")


def lines(out: Path, task: str, sheet: ecgvec.Sheet) -> list[tuple[int, NDArray[np.float64]]]:
    """Class and numbers of each line of a sheet's labels."""
    text = ultralytics_label_path(out / task / "images" / f"{sheet.plan.stem}.png").read_text()
    rows = [np.array(line.split(), dtype=float) for line in text.splitlines()]
    return [(int(row[0]), row[1:]) for row in rows]


def decoded(box: NDArray[np.float64], sheet: ecgvec.Sheet) -> NDArray[np.float64]:
    """x, y, width, height in px of centre and size in fractions."""
    centre, size = box.reshape(2, 2) * sheet.warp.size
    return np.concatenate([centre - size / 2, size])


@pytest.mark.parametrize("task", yolo.TASKS)
def test_data_yaml(out: Path, task: str) -> None:
    data = yaml.safe_load((out / task / "data.yaml").read_text())
    assert list(data["names"]) == list(range(len(yolo.NAMES))) and tuple(data["names"].values()) == yolo.NAMES
    assert data.get("kpt_shape") == ([4, 3] if task == "pose" else None)
    assert "path" not in data and "flip_idx" not in data  # beside the file; no flipping
    for split in ("train", "val"):
        images = sorted((out / task / data[split]).rglob("*.png"))
        assert len(images) == 7
        assert all(ultralytics_label_path(image).is_file() for image in images)


def test_classes_are_the_same_for_ever() -> None:
    wanted = {"I": 0, "aVF": 5, "V1": 6, "V6": 11, "Z": 21, "other-lead": 22, "lead-name": 23, "panel": 28}
    wanted |= {"other-mark": 29, "redaction": 30, "stamp": 31, "underline": 36}
    assert {name: yolo.NAMES.index(name) for name in wanted} == wanted


def test_images_are_those_of_the_sheets(out: Path, sheets: list[ecgvec.Sheet]) -> None:
    for sheet in sheets[:3]:
        for task in yolo.TASKS:
            image = cv2.imread(str(out / task / "images" / f"{sheet.plan.stem}.png"))
            assert (image[:, :, ::-1] == sheet.image).all()


def test_whole_boxes_are_the_native_ones(out: Path, sheets: list[ecgvec.Sheet]) -> None:
    compared = 0
    for sheet in sheets:
        native, (found, hidden) = native_boxes(sheet), instances(sheet)
        rows = lines(out, "detect", sheet)
        assert len(rows) == len(found) == len(native) - len(hidden)
        for (number, box), instance in zip(rows, found, strict=True):
            assert box.shape == (4,) and box.min() >= 0 and box.max() <= 1
            other = instance.lead and instance.category == "ECG1"
            assert yolo.NAMES[number] == ("other-lead" if other else instance.category)
            x, y, width, height = decoded(box, sheet)
            np.testing.assert_allclose((x, y, x + width, y + height), instance.box, atol=ROUNDING)
            assert min(x, y) >= -ROUNDING
            assert x + width <= sheet.warp.size[0] + ROUNDING and y + height <= sheet.warp.size[1] + ROUNDING
            if not instance.truncated:
                np.testing.assert_allclose((x, y, width, height), native[instance.id], atol=ROUNDING)
                compared += 1
    assert compared > 150


def test_polygons_keep_to_the_ink(out: Path, sheets: list[ecgvec.Sheet]) -> None:
    """No point of the ink's outline lies further than 0.25 px from the polygon."""
    parted = 0
    for sheet in sheets:
        found = [instance for instance in instances(sheet)[0] if instance.category != "panel"]
        for (number, numbers), instance in zip(lines(out, "segment", sheet), found, strict=True):
            assert len(numbers) >= 6 and len(numbers) % 2 == 0 and numbers.min() >= 0 and numbers.max() <= 1
            assert (yolo.NAMES[number] in yolo.LEADS or number == yolo.NAMES.index("other-lead")) is instance.lead
            ring = numbers.reshape(-1, 2) * sheet.warp.size
            outline = shapely.LinearRing(ring)
            exteriors = shapely.get_coordinates([part.exterior for part in instance.shape.geoms])
            shapely.prepare(outline)
            assert shapely.dwithin(outline, shapely.points(exteriors), 0.25 + ROUNDING).all()
            assert cKDTree(exteriors).query(ring)[0].max() < ROUNDING
            np.testing.assert_allclose(outline.bounds, instance.shape.bounds, atol=0.25 + ROUNDING)
            parted += len(instance.shape.geoms) > 1
    assert parted > 2


def test_masks_as_the_trainer_paints_them(out: Path, sheets: list[ecgvec.Sheet]) -> None:
    """``cv2.fillPoly`` of whole numbers, as in Ultralytics, at four times the image's size, where ink is 8 px wide."""
    sheet = sheets[0]
    size = (sheet.warp.size[0] * 4, sheet.warp.size[1] * 4)
    found = [instance for instance in instances(sheet)[0] if instance.category != "panel"]
    for (_, numbers), instance in list(zip(lines(out, "segment", sheet), found, strict=True))[:13]:
        mask = np.zeros(size[::-1], dtype=np.uint8)
        cv2.fillPoly(mask, [(numbers.reshape(-1, 2) * size).astype(np.int32)], 1)
        parts = [shapely.Polygon(part.exterior) for part in instance.shape.geoms]
        ink = shapely.transform(shapely.union_all(parts), lambda points: points * 4)
        assert iou(mask.astype(bool), coverage(as_path(ink), size) >= 128) > 0.85


def test_parts_are_joined_without_width() -> None:
    boxes = [shapely.box(x, 0, x + 2, 3) for x in (8.0, 0.0, 4.0)]
    ring = yolo.one_ring([shapely.get_coordinates(box)[:-1] for box in boxes])
    assert shapely.Polygon(ring).area == pytest.approx(sum(box.area for box in boxes))
    mask = np.zeros((5, 12), dtype=np.uint8)
    cv2.fillPoly(mask, [ring.astype(np.int32)], 1)
    assert all(
        mask[int(box.bounds[1]) : int(box.bounds[3]), int(box.bounds[0]) : int(box.bounds[2])].all() for box in boxes
    )


def test_keypoints(out: Path, sheets: list[ecgvec.Sheet]) -> None:
    seen = set()
    for sheet in sheets:
        labels = sheet.labels
        corners = {text.id: text.quad for text in labels.texts}
        corners |= {f"panel-{trace.id}": trace.panel for trace in labels.traces}
        corners |= {p.id: np.array([p.corners[1], p.corners[-2], p.corners[-1], p.corners[0]]) for p in labels.pulses}
        if labels.qr is not None:
            corners["qr-code"] = labels.qr.quad
        found = [instance for instance in instances(sheet)[0] if instance.id in corners]
        for (number, numbers), instance in zip(lines(out, "pose", sheet), found, strict=True):
            assert yolo.NAMES[number] == instance.category and len(numbers) == 4 + 4 * 3
            np.testing.assert_allclose(decoded(numbers[:4], sheet)[:2], instance.box[:2], atol=ROUNDING)
            for (x, y), (kx, ky, v) in zip(corners[instance.id], numbers[4:].reshape(4, 3), strict=True):
                inside = 0 <= x < sheet.warp.size[0] and 0 <= y < sheet.warp.size[1]
                told = (kx * sheet.warp.size[0], ky * sheet.warp.size[1], v)
                np.testing.assert_allclose(told, (x, y, 2) if inside else (0, 0, 0), atol=ROUNDING + MARGIN)
                seen.add((instance.category, v))
    assert {("panel", 0), ("panel", 2), ("pulse", 2), ("qr-code", 2), ("lead-name", 2), ("header-text", 2)} <= seen


@pytest.mark.parametrize("folder", ["training/georgia", "images", "some/images/here", "labels"])
def test_labels_lie_where_ultralytics_looks(sheets: list[ecgvec.Sheet], tmp_path: Path, folder: str) -> None:
    files = Writer(tmp_path, ["yolo"]).write(moved(sheets[0], f"{folder}/whole")).files
    written = [tmp_path / file.path for file in files]
    images = [path for path in written if path.suffix == ".png"]
    assert len(images) == 3
    assert {ultralytics_label_path(image) for image in images} == {path for path in written if path.suffix == ".txt"}


def test_what_cannot_be_seen_has_no_line(out: Path, sheets: list[ecgvec.Sheet]) -> None:
    close = next(sheet for sheet in sheets if sheet.plan.record.name == "close")
    hidden = [trace for trace in close.labels.traces if not trace.visible.any()]
    assert hidden
    classes = {number for number, _ in lines(out, "detect", close)}
    assert not {yolo.NAMES.index(trace.lead) for trace in hidden} & classes


def test_marks_have_lines_and_what_they_hide_whole_has_none(demo_record: Record) -> None:
    over = {f"marks.{kind}.probability": 1 for kind in ("redaction", "circle", "highlighter", "stamp")}
    over |= {"marks.redaction.over": "header", "layout.template": "ge", "page.print_header": True}
    sheet = ecgvec.render(demo_record, load_recipe("clean", over))
    files = {name: content.decode() for name, content in yolo.image_files(sheet, "x").items() if name.endswith(".txt")}
    rows = {task: files[f"yolo/{task}/labels/x.txt"].splitlines() for task in yolo.TASKS}
    for mark in sheet.labels.marks:
        low, high = mark.ring.min(axis=0), mark.ring.max(axis=0)
        wanted = np.concatenate([(low + high) / 2, high - low]) / np.tile(sheet.warp.size, 2)
        number = yolo.NAMES.index(mark.kind)
        (line,) = (row.split() for row in rows["detect"] if int(row.split()[0]) == number)
        np.testing.assert_allclose(np.array(line[1:], dtype=float), wanted, atol=1e-7)
        assert sum(int(row.split()[0]) == number for row in rows["segment"]) == 1
        assert not any(int(row.split()[0]) == number for row in rows["pose"])
    gone = [text for text in sheet.labels.texts if not text.visible]
    headers = sum(int(row.split()[0]) == yolo.NAMES.index("header-text") for row in rows["detect"])
    shown = [text for text in sheet.labels.texts if text.role == "header-text" and text.visible]
    assert gone and headers == len(shown)


def test_a_kind_that_is_not_known_is_another_mark(demo_record: Record) -> None:
    sheet = ecgvec.render(demo_record, load_recipe("clean", {"marks.stamp.probability": 1}))
    labels = sheet.labels
    for name in ("sneeze", "pulse", "V1"):
        strange = replace(labels, marks=(replace(labels.marks[0], kind=name),))
        (found,) = (i for i in instances(replace(sheet, labels=strange))[0] if i.family == "added")
        assert yolo.NAMES[int(yolo.detect_line(found, np.array(sheet.warp.size)).split()[0])] == "other-mark"
