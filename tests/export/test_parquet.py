"""The table of a run, read by pyarrow and by `datasets`, against the JSON beside each image."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import cv2
import datasets
import pyarrow.parquet as pq
import pytest

from ecgvec.batch.jobs import find_jobs
from ecgvec.batch.local import RunOptions, run
from ecgvec.batch.manifest import MANIFEST
from ecgvec.errors import ExportError
from ecgvec.export import tables
from ecgvec.recipe.recipe import load_recipe
from tests.batch.runs import write_record
from tests.conftest import Run

KEYS = {"page.dpi": 50, "notes.probability": 1, "notes.words": 2, "output.formats": ["png", "json", "parquet"]}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records")
    for name, seconds in (("r0", 10), ("r1", 21), ("r3", 10)):
        write_record(folder / "s", name, seconds)
    write_record(folder, "r2", 10, leads=("I", "V1", "aVR"))
    return folder


def drawn(records: Path, out: Path, **options: Any) -> None:
    made = RunOptions(manifest=out / MANIFEST, **options)
    run(records, lambda: find_jobs(records, out, False), out, load_recipe("clean", KEYS), made)


@pytest.fixture(scope="module")
def out(records: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "ROWS", 2)  # several row groups
        drawn(records, folder)
    return folder


def test_rows_say_what_the_jsons_say(out: Path) -> None:
    file = pq.ParquetFile(out / "metadata.parquet")
    assert file.num_row_groups == 3
    rows = file.read().to_pylist()
    assert [row["file_name"] for row in rows] == ["r2-0.png", "s/r0-0.png", "s/r1-0.png", "s/r1-1.png", "s/r3-0.png"]
    for row in rows:
        path = out / row["file_name"]
        document = json.loads(path.with_suffix(".json").read_text())
        plan, traces = document["plan"], document["labels"]["traces"]
        assert (row["key"], row["record"]) == (row["file_name"][:-4], plan["record"]["path"])
        assert (row["window"], row["start"]) == (plan["window"]["index"], plan["window"]["start"])
        assert [row[name] for name in ("variant", "seed", "recipe")] == [
            plan[name] for name in ("variant", "seed", "recipe")
        ]
        assert (row["template"], row["seconds"]) == (plan["page"]["template"], plan["page"]["seconds"])
        assert (row["dpi"], row["speed"]) == (50, 25) and row["px_per_mm"] == pytest.approx(50 / 25.4)
        assert row["leads"] == [trace["lead"] for trace in traces]
        assert row["visible_traces"] == sum(trace["visible"] for trace in traces) > 0
        assert len(row["notes"]) == len(plan["notes"]) == 2
        for note, planned in zip(row["notes"], plan["notes"], strict=True):
            assert note == {"kind": planned["kind"], "text": planned["text"], **planned["origin"]}
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        assert image.shape == (row["height"], row["width"], 3)
        assert hashlib.sha256(image.tobytes()).hexdigest() == row["pixels_sha256"]


def test_datasets_join_it_to_the_images(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    data = datasets.load_dataset("imagefolder", data_dir=str(out), cache_dir=str(tmp_path), split="train")
    assert sorted(zip(data["record"], data["window"], strict=True)) == [
        ("r2", 0), ("s/r0", 0), ("s/r1", 0), ("s/r1", 1), ("s/r3", 0),
    ]  # fmt: skip
    assert all(row["image"].size == (row["width"], row["height"]) for row in data)


def test_shards_and_processes_make_the_same_table(records: Path, tmp_path: Path) -> None:
    drawn(records, tmp_path / "here")
    drawn(records, tmp_path / "shards", shards=2, workers=2)
    table = (tmp_path / "here/metadata.parquet").read_bytes()
    assert (tmp_path / "shards/metadata.parquet").read_bytes() == table


def test_without_pyarrow_the_run_ends_before_it_has_written_an_image(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "find_spec", lambda name: None if name == "pyarrow" else importlib.util.find_spec(name))
    with pytest.raises(ExportError, match=r"needs pyarrow: install it with pip install 'ecgvec\[parquet\]'"):
        drawn(records, tmp_path)
    assert not list(tmp_path.rglob("*.png"))


def test_the_command_line_knows_the_format(records: Path, tmp_path: Path, ecgvec_run: Run) -> None:
    done = ecgvec_run("batch", "-i", records, "-o", tmp_path, "-r", "50", "--formats", "parquet")
    assert done.returncode == 0, done.stderr
    assert pq.read_table(tmp_path / "metadata.parquet").num_rows == 5
