"""What a run will be, said before it: against the run itself."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from ecgvec.batch.estimate import MANIFEST, SAMPLE, Estimate, estimate
from ecgvec.batch.jobs import find_jobs
from ecgvec.batch.local import RunOptions, run
from ecgvec.batch.pool import usable_cores
from ecgvec.errors import RecordError
from ecgvec.recipe.recipe import Recipe, load_recipe
from tests.batch.runs import write_record
from tests.conftest import Run

WRITTEN = ["png", "json", "kit", "coco"]
ENDS = {"png": "*-?.png", "coco": "coco/*.json"}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve records, four of them of two pages; one without signals."""
    folder = tmp_path_factory.mktemp("records")
    for number in range(12):
        write_record(folder / f"s{number % 2}", f"r{number:02d}", 21 if number % 3 == 0 else 10)
    (folder / "s1/r05.dat").unlink()
    return folder


def recipe(**more: Any) -> Recipe:
    return load_recipe("clean", {"page.dpi": 50, "output.formats": WRITTEN, **more})


def estimated(folder: Path, what: Recipe, workers: int = 1) -> Estimate:
    return estimate(folder, find_jobs(folder, folder / "none", False).jobs, what, workers)


def test_it_is_near_to_what_the_run_is(records: Path, tmp_path: Path) -> None:
    said = estimated(records, recipe())
    begun = time.perf_counter()
    options = RunOptions(manifest=tmp_path / "m.sqlite")
    summary = run(records, lambda: find_jobs(records, tmp_path, False), tmp_path, recipe(), options)
    took = time.perf_counter() - begun
    assert summary.images == 15 and (said.records, said.sampled, said.workers) == (12, SAMPLE, 1)
    assert said.images.low <= said.images.mean <= said.images.high and 10 < said.images.mean < 20
    assert took / 5 < said.seconds.mean < took * 5
    for name, pattern in ENDS.items():
        true = sum(path.stat().st_size for path in tmp_path.rglob(pattern))
        assert 0.6 * true < said.bytes_by_format[name].mean < 1.6 * true, name
    true = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert 0.6 * true < said.bytes.mean < 1.6 * true
    assert set(said.bytes_by_format) == {*WRITTEN, MANIFEST}
    assert said.bytes.mean == pytest.approx(sum(size.mean for size in said.bytes_by_format.values()))


def test_a_small_list_is_counted_whole(records: Path) -> None:
    """All records are in the sample: nothing is guessed of images and bytes. Variants count."""
    jobs = [job for job in find_jobs(records, records / "none", False).jobs if job.path in ("s0/r00", "s1/r01")]
    one = estimate(records, jobs, recipe(), 2)
    two = estimate(records, jobs, recipe(**{"output.variants": 2}), 2)
    assert one.images == (3, 3, 3) and two.images == (6, 6, 6)
    assert one.bytes.low == one.bytes.mean == one.bytes.high
    assert two.bytes.mean == pytest.approx(2 * one.bytes.mean, rel=0.05)


def test_long_records_are_not_drawn_whole(tmp_path: Path) -> None:
    write_record(tmp_path, "long", 3000, leads=("I",))
    begun = time.perf_counter()
    said = estimated(tmp_path, recipe(**{"output.formats": ["png"]}))
    took = time.perf_counter() - begun
    assert said.images.mean == 300 and said.bytes.mean > 300 * 5000
    assert said.seconds.mean > took / 3, "most of it is reckoned, not waited for"


def test_the_most_of_images_is_the_end(records: Path) -> None:
    few = estimated(records, recipe(**{"output.max_images": 3}), workers=2)
    every = estimated(records, recipe())
    assert few.images == (3, 3, 3) and few.workers == 1
    assert few.bytes.mean == pytest.approx(every.bytes.mean * 3 / every.images.mean)


def test_workers_share_the_time(records: Path) -> None:
    one, many = estimated(records, recipe()), estimated(records, recipe(), workers=usable_cores())
    assert many.images == one.images and many.bytes == one.bytes
    assert many.seconds.mean < 2 * one.seconds.mean


def test_records_that_cannot_be_drawn(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_record(tmp_path, name, 10)
    (tmp_path / "a.dat").unlink()
    said = estimated(tmp_path, recipe())
    assert (said.failed, said.images.mean) == (1, 1) and "a.dat" in said.reasons[0]
    assert "1 of them cannot be drawn:" in said.as_text()
    (tmp_path / "b.dat").unlink()
    with pytest.raises(RecordError, match="none of 2 records of the sample can be drawn"):
        estimated(tmp_path, recipe())


def test_the_command_says_it_and_writes_nothing(records: Path, tmp_path: Path, ecgvec_run: Run) -> None:
    out = tmp_path / "out"
    before = sorted(records.rglob("*"))
    flags = ("batch", "-i", records, "-o", out, "-r", "50", "--formats", "png,json", "--plan-only", "--workers", "1")
    done = ecgvec_run(*flags)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("12 records: about ")
    assert re.match(r"time with --workers 1: (about )?\d+\.\d s", lines[1])  # a tenth of a second may hold its range
    assert [line.split(":")[0].strip() for line in lines[2:6]] == ["size", "png", "json", "manifest"]
    found = json.loads(ecgvec_run(*flags, "--json-log").stdout)
    assert found["records"] == 12 and found["images"]["low"] < found["images"]["mean"] < found["images"]["high"]
    assert set(found["bytes_by_format"]) == {"png", "json", "manifest"}
    assert not out.exists() and sorted(records.rglob("*")) == before
    refused = ecgvec_run(*flags, "--shards", "5", "--formats", "yolo")
    assert refused.returncode == 2 and "leave yolo out" in refused.stderr
