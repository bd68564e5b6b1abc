"""``ecgvec verify``: the report of a folder, its JSON, its exit codes."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import ecgvec
from ecgvec.cli.verify import verify
from ecgvec.errors import SourceError
from ecgvec.record.model import Lead, Record
from ecgvec.verify.report import as_json, verify_folder

app = typer.Typer()
app.command()(verify)


@pytest.fixture
def folder(demo_record: Record, tmp_path: Path) -> Path:
    ecgvec.render(demo_record).save(tmp_path / "run")
    return tmp_path / "run"


def png(folder: Path) -> Path:
    return next(path for path in folder.glob("*.png") if not path.stem.endswith("-gt"))


def test_a_clean_folder_is_good(folder: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [str(folder), "--json", str(tmp_path / "report.json")])
    assert result.exit_code == 0, result.output
    assert "median" in result.output
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    (image,) = document["images"]
    assert document["good"]
    assert image["labels"]["median_px"] < 0.01
    assert len(image["quick"]["leads_db"]) == 12
    assert image["oracle"] is None
    assert document["summary"]["quick"]["leads"] == 12
    assert document["summary"]["quick"]["median"] > 15


def test_a_shifted_image_is_told(folder: Path) -> None:
    path = png(folder)
    cv2.imwrite(str(path), np.roll(cv2.imread(str(path)), 1, axis=1))
    (image,) = verify_folder(folder).images
    assert image.changed == (path.name,)
    assert image.labels is not None
    assert image.labels.median == pytest.approx(1.0, abs=0.05)
    assert image.off(0.5)
    assert not image.off(1.2)
    result = CliRunner().invoke(app, [str(folder)])
    assert result.exit_code == 1
    assert "changed" in result.output


def test_a_wrong_label_is_told_though_all_files_are_whole(demo_record: Record, tmp_path: Path) -> None:
    """Exit code 1 for the label alone: the JSON lists the hash of the wrong NPZ."""
    import hashlib

    ecgvec.render(demo_record).save(tmp_path, ["png", "json"])
    arrays = next(tmp_path.glob("*.npz"))
    with np.load(arrays) as stored:
        changed = {name: stored[name] + (1.0 if name.endswith("/xy") else 0.0) for name in stored.files}
    before = hashlib.sha256(arrays.read_bytes()).hexdigest()
    np.savez(arrays, **changed)
    sidecar = arrays.with_suffix(".json")
    after = hashlib.sha256(arrays.read_bytes()).hexdigest()
    sidecar.write_text(sidecar.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    (image,) = verify_folder(tmp_path).images
    assert not image.changed
    assert image.labels is not None
    assert image.labels.median == pytest.approx(math.sqrt(2), abs=0.05)
    assert CliRunner().invoke(app, [str(tmp_path)]).exit_code == 1
    assert CliRunner().invoke(app, [str(tmp_path), "--tolerance", "2"]).exit_code == 0


def test_missing_and_changed_files_are_named(folder: Path) -> None:
    next(folder.glob("*.svg")).unlink()
    truth = next(folder.glob("*-gt.png"))
    truth.write_bytes(truth.read_bytes() + b"\0")
    text = next((folder / "kit").rglob("*.txt"))
    text.write_text("x", encoding="utf-8")
    (image,) = verify_folder(folder).images
    assert [Path(name).suffix for name in image.missing] == [".svg"]
    assert {Path(name).name for name in image.changed} == {truth.name, text.name}
    assert image.quick is not None
    png(folder).unlink()
    (image,) = verify_folder(folder).images
    assert image.quick is None
    assert json.loads(as_json(verify_folder(folder)))["good"] is False


def test_a_broken_sidecar_ends_nothing(folder: Path) -> None:
    (folder / "broken.json").write_text("{", encoding="utf-8")
    (folder / "other.json").write_text('{"format": "another"}', encoding="utf-8")
    report = verify_folder(folder)
    assert len(report.images) == 2
    assert [bool(image.fault) for image in report.images] == [True, False]
    assert not report.good


def test_a_picture_that_is_none(folder: Path) -> None:
    png(folder).write_bytes(b"no picture")
    (image,) = verify_folder(folder).images
    assert image.fault is not None
    assert "is not a whole image" in image.fault


def test_folders_without_images(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no image with labels"):
        verify_folder(tmp_path)
    with pytest.raises(SourceError, match="is no folder"):
        verify_folder(tmp_path / "absent")


def test_labels_of_another_density(demo_record: Record, tmp_path: Path) -> None:
    """A label every tenth of a mm: millivolts are read off the line between the labels."""
    from ecgvec.recipe.recipe import load_recipe

    recipe = load_recipe("clean", {"output.trace_density": "10/mm"})
    ecgvec.render(demo_record, recipe).save(tmp_path, ["png", "json"])
    (image,) = verify_folder(tmp_path).images
    assert image.fault is None
    assert image.labels is not None
    assert image.labels.worst < 0.1
    assert image.quick is not None
    assert image.quick.challenge > 15


def test_zero_leads_are_left_out_and_counted(demo_record: Record, tmp_path: Path) -> None:
    signals = demo_record.signals.copy()
    signals[:, 6] = 0.0
    ecgvec.render(Record("zero", 500.0, signals, tuple(Lead(n, n) for n in demo_record.lead_names))).save(tmp_path)
    report = verify_folder(tmp_path)
    assert report.quick is not None
    assert (report.quick.leads, report.quick.zero_leads) == (11, 1)
    assert json.loads(as_json(report))["images"][0]["quick"]["leads_db"]["V1"] is None
