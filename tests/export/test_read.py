"""What is read back is what was written, and every reader refuses the same files with the same sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import ecgvec
from ecgvec.batch.replay import replay_image
from ecgvec.errors import SourceError
from ecgvec.record.model import Record
from ecgvec.verify.report import verify_folder
from ecgvec.viewer.gallery import write_gallery
from ecgvec.viewer.overlay import inspect_images

RICH = {
    "notes.probability": 1,
    "marks.stamp.words": "SEEN",
    "marks.broken-trace.amount": 0.2,
    "page.qr_code": True,
    "page.print_header": True,
    "page.label_minor_grid": True,
    "page.dpi": 70,
}


@pytest.fixture(scope="module", params=["clean", "phone-photo"])
def sheet(request: pytest.FixtureRequest, demo_record: Record) -> ecgvec.Sheet:
    return ecgvec.render(demo_record, ecgvec.load_recipe(request.param, RICH), seed=4)


@pytest.fixture
def written(sheet: ecgvec.Sheet, tmp_path: Path) -> Path:
    sheet.save(tmp_path, ["png", "json"])
    return tmp_path / f"{sheet.plan.stem}.json"


def near(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and np.allclose(one, other, atol=1e-6, equal_nan=True)


def test_labels_come_back_as_the_models_that_were_written(sheet: ecgvec.Sheet, written: Path) -> None:
    labels, page = sheet.labels, ecgvec.load(written)
    found = page.labels
    assert near(found.corners, labels.corners) and near(found.page, labels.page)
    assert len(found.traces) == len(labels.traces) == 13
    for one, other in zip(found.traces, labels.traces, strict=True):
        assert type(one) is type(other)
        for key in (
            "id",
            "lead",
            "polarity",
            "rhythm",
            "row",
            "column",
            "first_sample",
            "samples",
            "fs",
            "axes",
            "pen",
        ):
            assert getattr(one, key) == getattr(other, key), key
        for key in ("t", "mv", "points", "panel"):
            assert near(getattr(one, key), getattr(other, key)), key
        assert (one.visible == other.visible).all() and (one.occluded == other.occluded).all()
        assert one.box == pytest.approx(other.box, abs=1e-6)
    assert any(text.role == "note" and text.characters for text in found.texts)
    for one, other in zip(found.texts, labels.texts, strict=True):
        same = ("id", "role", "text", "order", "trace", "kind", "visible", "occluded")
        assert [getattr(one, key) for key in same] == [getattr(other, key) for key in same]
        assert near(one.quad, other.quad) and near(one.hull, other.hull)
        assert one.box == pytest.approx(other.box, abs=1e-6)
        assert [c.character for c in one.characters] == [c.character for c in other.characters]
    assert len(found.marks) == len(labels.marks) > 0 and len(found.pulses) == len(labels.pulses) > 0
    for one, other in zip(found.marks, labels.marks, strict=True):
        assert (one.kind, one.text, one.opaque, one.visible) == (other.kind, other.text, other.opaque, other.visible)
        assert near(one.ring, other.ring)
    for one, other in zip(found.pulses, labels.pulses, strict=True):
        assert (one.mv, one.seconds, one.gains) == (other.mv, other.seconds, other.gains)
        assert near(one.corners, other.corners)
    for one, other in ((found.grid, labels.grid), (found.minor, labels.minor)):
        assert one is not None and other is not None
        assert near(one.crossings, other.crossings) and (one.visible == other.visible).all()
    assert found.qr is not None and labels.qr is not None and found.qr.text == labels.qr.text


def test_the_rest_of_the_page_comes_back(sheet: ecgvec.Sheet, written: Path) -> None:
    page = ecgvec.load(written)
    assert page.plan == sheet.plan
    assert (page.read_image() == sheet.image).all()
    assert page.size == (sheet.image.shape[1], sheet.image.shape[0])
    assert page.layout == sheet.layout
    assert near(page.homography, sheet.homography)
    points = np.array([[20.0, 30.0], [150.0, 110.0]])
    assert np.allclose(page.warp.forward(points), sheet.warp.forward(points), atol=1e-6)
    assert set(page.files) == {f"{page.name}.png", f"{page.name}.npz"}
    assert page.file(".png") == page.image_path == written.with_suffix(".png")
    assert page.file(".svg") is None
    assert ecgvec.load(written.with_suffix(".png")).plan == page.plan


def test_without_samples_the_npz_is_not_opened(written: Path) -> None:
    written.with_suffix(".npz").unlink()
    page = ecgvec.load(written, samples=False)
    assert page.labels.traces[0].samples > 0 and not len(page.labels.traces[0].t)
    with pytest.raises(SourceError, match=r"\.npz is missing"):
        ecgvec.load(written)


def test_reprs_are_short(written: Path) -> None:
    page = ecgvec.load(written)
    labels = page.labels
    things = [page, labels, *labels.traces, *labels.texts, *labels.pulses, *labels.marks, labels.grid, labels.qr]
    assert all(len(repr(thing)) <= 110 and repr(thing).startswith("<") for thing in things)


def spoil(sidecar: Path, **change: object) -> None:
    document = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps(document | change))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"format_version": 99},
            "has the format version 99, and this ecgvec reads 2: render the image anew, or use",
        ),
        (
            {"format_version": 1},
            "has the format version 1, and this ecgvec reads 2: render the image anew, or use",
        ),
        ({"labels": None}, "is not a whole sidecar JSON"),
    ],
)
def test_every_reader_refuses_with_the_same_sentence(
    sheet: ecgvec.Sheet, written: Path, change: dict[str, object], sentence: str, tmp_path: Path
) -> None:
    spoil(written, **change)
    said = []
    for read in (
        lambda: ecgvec.load(written),
        lambda: inspect_images(written, tmp_path / "labels"),
        lambda: replay_image(written, None, tmp_path / "again"),
        lambda: write_gallery(tmp_path),
    ):
        with pytest.raises(SourceError) as caught:
            read()
        said.append(str(caught.value))
    said.append(str(verify_folder(tmp_path).images[0].fault))
    endings = {text[text.index(written.name) + len(written.name) :] for text in said}
    assert len(endings) == 1, said
    assert sentence in endings.pop()
    assert not (tmp_path / "again").exists()


def test_a_folder_is_no_image(tmp_path: Path, written: Path) -> None:
    for path, words in ((tmp_path / "none.json", "does not exist"), (written.with_suffix(".npz"), "is no image")):
        with pytest.raises(SourceError, match=words):
            ecgvec.load(path)
    lonely = tmp_path / "lonely"
    lonely.mkdir()
    shutil.copy(written.with_suffix(".png"), lonely)
    with pytest.raises(SourceError, match="has no labels"):
        ecgvec.load(lonely / f"{written.stem}.png")
