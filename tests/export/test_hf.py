"""The folder for Hugging Face datasets, loaded by the library itself, against the native labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest

import ecgvec
from ecgvec.export.instances import instances
from ecgvec.export.label_json import encode_box
from ecgvec.export.tables import file_name
from ecgvec.export.write import write_sheets
from ecgvec.record.model import Record
from tests.export.boxes import MARGIN, moved, some_sheets

Load = Callable[[Path], Any]


@pytest.fixture(scope="module")
def sheets(demo_record: Record) -> list[ecgvec.Sheet]:
    return some_sheets(demo_record)


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    """``load(OUT)``: the dataset of the folder OUT/hf, from the disk alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
        cache = tmp_path_factory.mktemp("cache")
        yield lambda out: datasets.load_dataset("imagefolder", data_dir=str(out / "hf"), cache_dir=str(cache))


@pytest.fixture(scope="module")
def out(sheets: list[ecgvec.Sheet], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hf")
    write_sheets(sheets, folder, ["hf"])
    return folder


@pytest.fixture(scope="module")
def rows(load: Load, out: Path) -> Any:
    data = load(out)
    assert list(data) == ["train"]
    return data["train"]


def types(value: Any) -> Any:
    """The shape of a JSON value: keys and types; lists show the types of all their items."""
    if isinstance(value, dict):
        return {key: types(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted({repr(types(item)) for item in value if item != []})
    return type(value).__name__


def test_all_lines_have_one_schema(out: Path, sheets: list[ecgvec.Sheet]) -> None:
    lines = (out / "hf" / "train" / "metadata.jsonl").read_text().splitlines()
    assert len(lines) == len(sheets)
    parsed = [json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON")) for line in lines]
    assert len({repr(types(line)) for line in parsed}) == 1
    assert "NoneType" not in repr(types(parsed[0]))


def test_images_and_facts(rows: Any, sheets: list[ecgvec.Sheet]) -> None:
    assert len(rows) == len(sheets)
    for row, sheet in zip(rows, sheets, strict=True):
        assert (np.asarray(row["image"]) == sheet.image).all()
        assert (row["height"], row["width"]) == sheet.image.shape[:2]
        assert row["record"] == sheet.plan.record.path and row["window"] == sheet.plan.window.index
        assert row["dpi"] == sheet.warp.dpi and row["seed"] == sheet.plan.seed
        assert row["template"] == sheet.plan.page.template and row["recipe"] == sheet.plan.recipe
        assert row["seconds"] == sheet.plan.page.seconds and row["start"] == sheet.plan.window.start


def test_leads_are_the_native_ones(rows: Any, sheets: list[ecgvec.Sheet]) -> None:
    for row, sheet in zip(rows, sheets, strict=True):
        for told, trace in zip(row["leads"], sheet.labels.traces, strict=True):
            assert (told["id"], told["lead"], told["visible"]) == (trace.id, trace.lead, bool(trace.visible.any()))
            assert (told["row"], told["column"], told["rhythm"]) == (trace.row, trace.column, trace.rhythm)
            assert (told["polarity"], told["fs"], told["samples"]) == (trace.polarity, trace.fs, len(trace.t))
            np.testing.assert_allclose(told["bbox"], encode_box(trace.outline), atol=MARGIN)
            np.testing.assert_allclose(told["panel"], trace.panel, atol=MARGIN)


def test_texts_are_the_native_ones(rows: Any, sheets: list[ecgvec.Sheet]) -> None:
    for row, sheet in zip(rows, sheets, strict=True):
        for told, text in zip(row["texts"], sheet.labels.texts, strict=True):
            assert (told["id"], told["role"], told["text"]) == (text.id, text.role, text.text)
            assert (told["order"], told["trace"], told["visible"]) == (text.order, text.trace or "", text.visible)
            np.testing.assert_allclose(told["bbox"], encode_box(text.hull), atol=MARGIN)
            np.testing.assert_allclose(told["quad"], text.quad, atol=MARGIN)


def test_objects_are_the_instances(rows: Any, sheets: list[ecgvec.Sheet]) -> None:
    for row, sheet in zip(rows, sheets, strict=True):
        found, hidden = instances(sheet)
        objects = row["objects"]
        assert row["hidden"] == len(hidden)
        assert objects["id"] == [instance.id for instance in found]
        assert objects["categories"] == [instance.category for instance in found]
        for i, instance in enumerate(found):
            x, y, width, height = objects["bbox"][i]
            np.testing.assert_allclose((x, y, x + width, y + height), instance.box, atol=2 * MARGIN)
            assert objects["area"][i] == pytest.approx(instance.shape.area, abs=MARGIN)
            points = [] if instance.keypoints is None else instance.keypoints
            np.testing.assert_allclose(objects["keypoints"][i], points, atol=MARGIN)
    assert sum(row["hidden"] for row in rows) > 20


def test_names_that_look_like_splits(demo_record: Record, load: Load, tmp_path: Path) -> None:
    """No image is taken for one of a split by the name of its record or folder."""
    sheet = ecgvec.render(demo_record, dpi=50)
    paths = ["test", "my-val-1", "training/georgia/E00001", "eval/b", "data/train-00000-of-1", "a~b"]
    write_sheets([moved(sheet, path) for path in paths], tmp_path, ["hf"])
    data = load(tmp_path)
    assert list(data) == ["train"] and "leads" in data["train"].features
    assert data["train"]["record"][:] == paths
    assert all(image.size == sheet.warp.size for image in data["train"]["image"])


def test_a_page_with_nothing_but_traces(demo_record: Record, load: Load, tmp_path: Path) -> None:
    page = {"lead_names": "none", "pulse": "none", "print_footer": False, "dpi": 50}
    write_sheets([ecgvec.render(demo_record, **page)], tmp_path, ["hf"])
    row = load(tmp_path)["train"][0]
    assert row["texts"] == [] and len(row["leads"]) == 13


def test_file_names_never_meet() -> None:
    stems = ["a/b", "a~b", "a~1b", "a~0b", "a~/b", "a/~b", "a~~b", "a//b"]
    assert len({file_name(stem) for stem in stems}) == len(stems)
    assert file_name("a/b-0") == "a~1b-0.png" and file_name("plain-0") == "plain-0.png"
