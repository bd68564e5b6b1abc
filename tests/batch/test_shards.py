"""A run into shards: what is read back is what a folder holds, whoever drew it and however often it stopped."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tarfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import webdataset

import ecgvec
from ecgvec.batch import shards
from ecgvec.batch.jobs import find_jobs
from ecgvec.batch.local import STAGING, RunOptions, Summary, run
from ecgvec.batch.manifest import MANIFEST, Manifest, Task
from ecgvec.batch.replay import replay_image
from ecgvec.batch.shards import UNFIT
from ecgvec.batch.work import drawer
from ecgvec.errors import ExportError
from ecgvec.export.files import field_of, key
from ecgvec.export.formats import FORMATS
from ecgvec.recipe.recipe import Recipe, load_recipe
from ecgvec.record.model import Record
from tests.batch.drawers import deadly_probe, deadly_shards
from tests.batch.runs import write_record
from tests.conftest import Run

WRITTEN = ["png", "json", "kit", "coco", "masks"]
RECIPE = load_recipe("clean", {"page.dpi": 50, "output.formats": WRITTEN})
SIZE = 3
NAMES = ("a/r0", "a/r1", "b.c/r2", "b.c/r3.5", "b.c/r4.v1.x", "d/r5", "d/r6", "d/r7", "e/__r8__", "e/r~9")
BROKEN, LONG = "a/r1", "d/r5"  # one without signals, one of two pages


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records")
    for name in NAMES:
        parent, plain = name.split("/")
        write_record(folder / parent, "plain", 21 if name == LONG else 10)
        for ending in (".hea", ".dat"):  # wfdb refuses to write names with dots; it reads them
            path = folder / parent / f"plain{ending}"
            path.with_name(plain + ending).write_bytes(path.read_bytes().replace(b"plain", plain.encode()))
            path.unlink()
    (folder / f"{BROKEN}.dat").unlink()
    return folder


def drawn(records: Path, out: Path, recipe: Recipe = RECIPE, **options: Any) -> Summary:
    made = RunOptions(manifest=out / MANIFEST, **{"shards": SIZE, **options})
    return run(records, lambda: find_jobs(records, out, False), out, recipe, made)


def files(out: Path) -> dict[str, bytes]:
    names = (path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    return {name: (out / name).read_bytes() for name in names if not name.startswith((MANIFEST, "ecgvec-run"))}


@pytest.fixture(scope="module")
def whole(records: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run that nobody disturbs makes, in this process."""
    out = tmp_path_factory.mktemp("whole")
    summary = drawn(records, out)
    assert (summary.images, summary.done, [name for name, _ in summary.quarantined]) == (10, 9, [BROKEN])
    return out


@pytest.fixture(scope="module")
def loose(records: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The same run without shards."""
    out = tmp_path_factory.mktemp("loose")
    drawn(records, out, shards=None)
    return files(out)


def tars(out: Path) -> list[Path]:
    return sorted((out / "shards").glob("*.tar"))


def test_samples_are_the_files_of_a_folder(whole: Path, loose: dict[str, bytes]) -> None:
    """Every file of an image is a member of its sample, with the same bytes; files that images share lie outside."""
    assert [path.name for path in tars(whole)] == [f"shard-00000{number}.tar" for number in range(4)]
    samples = {}
    for sample in webdataset.WebDataset([str(path) for path in tars(whole)], shardshuffle=False):
        samples[sample.pop("__key__")] = {name: data for name, data in sample.items() if not name.startswith("__")}
    assert list(samples) == [
        "a/r0-0", "b.c/r2-0", "b.c/r3~25-0", "b.c/r4~2v1~2x-0", "d/r5-0", "d/r5-1", "d/r6-0", "d/r7-0",
        "e/~3_r8__-0", "e/r~09-0",
    ]  # fmt: skip
    stems = [name.removesuffix(".png") for name in loose if "/kit" not in f"/{name}" and name.endswith("-0.png")]
    left = dict(loose)
    for stem in [*stems, "d/r5-1"]:
        names = {"": [".png", ".json", ".npz"], "kit/": [".json"], "kit/text_bounding_box/": [".txt"]}
        names["masks/"] = ["-classes.png", "-leads.png", "-rows.npy"]
        expected = {
            ".".join([*filter(None, folder.split("/")), end.lstrip("-.")]): left.pop(folder + stem + end)
            for folder, ends in names.items()
            for end in ends
        }
        assert samples.pop(key(stem)) == expected
    assert samples == {}
    outside = {name: data for name, data in files(whole).items() if not name.startswith("shards/")}
    assert outside == left and {"kit/gridsize.csv", "quarantine.csv"} <= set(left)


def test_index_and_headers(whole: Path) -> None:
    index = json.loads((whole / "shards/shards.json").read_text())
    assert index["wids_version"] == 1
    assert [shard["url"] for shard in index["shardlist"]] == [path.name for path in tars(whole)]
    assert [shard["nsamples"] for shard in index["shardlist"]] == [2, 4, 3, 1]
    for shard, path in zip(index["shardlist"], tars(whole), strict=True):
        assert shard["filesize"] == path.stat().st_size
        with tarfile.open(path) as tar:
            members = tar.getmembers()
        assert len([m for m in members if m.name.endswith("-0.png") or m.name.endswith("-1.png")]) == shard["nsamples"]
        facts = {(m.mtime, m.uid, m.gid, m.mode, m.uname, m.gname, m.isreg()) for m in members}
        assert facts == {(0, 0, 0, 0o644, "", "", True)}
    assert subprocess.run(["tar", "tf", tars(whole)[0]], capture_output=True, check=True).stdout.count(b"\n") == 2 * 8


def test_datasets_read_them(
    whole: Path, loose: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    data = datasets.load_dataset(str(whole / "shards"), cache_dir=str(tmp_path))
    assert list(data) == ["train"] and len(data["train"]) == 10
    row = next(row for row in data["train"] if row["__key__"] == "b.c/r3~25-0")
    assert row["json"]["plan"]["record"]["path"] == "b.c/r3.5"
    assert row["json"]["labels"] == json.loads(loose["b.c/r3.5-0.json"])["labels"]
    assert np.asarray(row["png"]).shape[:2] == np.asarray(row["masks.classes.png"]).shape[:2]
    assert row["kit.text_bounding_box.txt"] == loose["kit/text_bounding_box/b.c/r3.5-0.txt"].decode()
    pictures = load_recipe("clean", {"page.dpi": 50, "output.formats": ["png", "gt"]})
    write_record(tmp_path / "in", "r0", 10)
    drawn(tmp_path / "in", tmp_path / "out", pictures)
    found = {"train": str(tmp_path / "out/shards/shard-*.tar")}
    plain = datasets.load_dataset("webdataset", data_files=found, cache_dir=str(tmp_path), split="train")
    assert {"png", "gt.png", "__key__"} <= set(plain.column_names) and plain[0]["__key__"] == "r0-0"


@pytest.mark.parametrize("workers", [1, 2])
def test_processes_draw_the_same_bytes(records: Path, whole: Path, tmp_path: Path, workers: int) -> None:
    drawn(records, tmp_path, workers=workers)
    assert files(tmp_path) == files(whole)
    assert not list(tmp_path.glob(f"{STAGING}*"))


def started(records: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    flags = ["-r", "50", "--formats", ",".join(WRITTEN), "--workers", "2", "--shards", str(SIZE), *more]
    command = [sys.executable, "-c", "from ecgvec.cli import main; main()", "batch", "-i", str(records)]
    return subprocess.Popen([*command, "-o", str(out), *flags], text=True, stderr=subprocess.PIPE)


def test_a_killed_run_is_resumed(records: Path, whole: Path, tmp_path: Path) -> None:
    process = started(records, tmp_path)
    end = time.monotonic() + 120
    while not tars(tmp_path) and time.monotonic() < end:
        time.sleep(0.005)
    process.kill()
    process.communicate()
    time.sleep(1.5)  # its processes notice at the end of their shards
    with Manifest(tmp_path / MANIFEST) as manifest:
        states = manifest.counts()
        finished = {tar.path: tar for tar, _ in manifest.shared_files()}
        waiting = [len(chunk) for chunk in manifest.waiting(SIZE)]
    assert states["waiting"] == sum(waiting) > 0 and waiting[:-1] == [SIZE] * (len(waiting) - 1)
    for path in tars(tmp_path):
        assert path.read_bytes() == (whole / "shards" / path.name).read_bytes(), "whole or not there"
    summary = drawn(records, tmp_path, resume=True, workers=2)
    assert (summary.images, summary.done, len(summary.quarantined)) == (10, 9, 1)
    assert files(tmp_path) == files(whole)
    assert all((tmp_path / name).stat().st_mtime_ns == tar.mtime for name, tar in finished.items()), "done twice"


def test_a_damaged_shard_is_made_anew_and_no_other(records: Path, whole: Path, tmp_path: Path) -> None:
    drawn(records, tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tars(tmp_path)}
    damaged, lost, changed, _ = tars(tmp_path)
    damaged.write_bytes(damaged.read_bytes()[:-512])
    lost.unlink()
    content = bytearray(changed.read_bytes())
    content[5000] ^= 1
    changed.write_bytes(bytes(content))
    os.utime(changed, ns=(times[changed], times[changed]))
    drawn(records, tmp_path, resume=True)
    assert {path for path, when in times.items() if path.stat().st_mtime_ns != when} == {damaged, lost}
    assert files(tmp_path) != files(whole)
    drawn(records, tmp_path, resume=True, rehash=True)
    assert files(tmp_path) == files(whole)


def test_a_most_of_images_is_kept_and_resumed(records: Path, tmp_path: Path) -> None:
    few = load_recipe("clean", {"page.dpi": 50, "output.formats": ["png"], "output.max_images": 4})
    summary = drawn(records, tmp_path, few, workers=2)
    assert summary.images == 4 and len(summary.skipped) == 5
    before = files(tmp_path)
    assert [path.name for path in tars(tmp_path)] == ["shard-000000.tar", "shard-000001.tar"]
    tars(tmp_path)[1].unlink()
    assert drawn(records, tmp_path, few, resume=True).images == 4
    assert files(tmp_path) == before


def test_a_shard_without_images_and_shards_of_another_run(tmp_path: Path) -> None:
    for name in ("r0", "r1", "r2"):
        write_record(tmp_path / "in", name, 10)
    out, few = tmp_path / "out", load_recipe("clean", {"page.dpi": 50, "output.formats": ["png"]})
    drawn(tmp_path / "in", out, few, shards=1)
    assert len(tars(out)) == 3
    (out / "shards/mine.tar").write_bytes(b"")
    (tmp_path / "in/r1.dat").unlink()
    drawn(tmp_path / "in", out, few, shards=1, restart=True)
    assert [path.name for path in tars(out)] == ["mine.tar", "shard-000000.tar", "shard-000002.tar"]
    index = json.loads((out / "shards/shards.json").read_text())["shardlist"]
    assert [shard["url"] for shard in index] == ["shard-000000.tar", "shard-000002.tar"]


def test_a_mended_record_comes_with_its_shard(tmp_path: Path) -> None:
    """`--resume` does not draw a whole shard again for a record in quarantine, unless its tar is gone."""
    for name in ("r0", "r1", "r2"):
        write_record(tmp_path / "in", name, 10)
    out, few = tmp_path / "out", load_recipe("clean", {"page.dpi": 50, "output.formats": ["png"]})
    signals = (tmp_path / "in/r1.dat").read_bytes()
    (tmp_path / "in/r1.dat").unlink()
    assert drawn(tmp_path / "in", out, few, shards=2).done == 2
    (tmp_path / "in/r1.dat").write_bytes(signals)
    when = [path.stat().st_mtime_ns for path in tars(out)]
    summary = drawn(tmp_path / "in", out, few, shards=2, resume=True)
    assert (summary.done, [name for name, _ in summary.quarantined]) == (2, ["r1"])
    assert [path.stat().st_mtime_ns for path in tars(out)] == when
    tars(out)[0].unlink()
    assert drawn(tmp_path / "in", out, few, shards=2, resume=True).done == 3
    with tarfile.open(tars(out)[0]) as tar:
        assert tar.getnames() == ["r0-0.png", "r1-0.png"]
    assert tars(out)[1].stat().st_mtime_ns == when[1]


def test_a_json_from_a_shard_is_replayed(records: Path, whole: Path, tmp_path: Path) -> None:
    with tarfile.open(tars(whole)[1]) as tar:
        tar.extract("b.c/r3~25-0.json", tmp_path, filter="data")
    result = replay_image(tmp_path / "b.c/r3~25-0.json", records, tmp_path / "again")
    others = {name: same for name, same in result.items() if name != "b.c/r3.5-0.json"}
    assert len(others) == 7 and all(others.values())
    again = (tmp_path / "again/b.c/r3.5-0.json").read_bytes()
    assert again == (tmp_path / "b.c/r3~25-0.json").read_bytes()


def test_a_full_disk_ends_the_run_and_leaves_no_half_of_a_tar(
    records: Path, tmp_path: Path, ecgvec_run: Run, ecgvec_process: Run
) -> None:
    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    flags = ("-i", records, "-o", tmp_path, "-r", "50", "--formats", "png,svg,json", "--shards", "5")
    done = ecgvec_process("batch", *flags, "--workers", "2", preexec_fn=little_room)
    assert done.returncode == 2 and "shard-00000" in done.stderr and "cannot be written" in done.stderr
    assert not tars(tmp_path) and not list(tmp_path.glob(f"{STAGING}*"))
    done = ecgvec_run("batch", *flags, "--resume")
    assert done.returncode == 1 and len(tars(tmp_path)) == 2, done.stderr


def test_another_size_is_another_run(records: Path, whole: Path, tmp_path: Path) -> None:
    drawn(records, tmp_path)
    with pytest.raises(ExportError, match="begun with another number of records a shard"):
        drawn(records, tmp_path, resume=True, shards=4)


def test_formats_that_are_folders_are_refused(records: Path, tmp_path: Path, ecgvec_run: Run) -> None:
    done = ecgvec_run("batch", "-i", records, "-o", tmp_path / "x", "--formats", "png,hf", "--shards", "5")
    assert done.returncode == 2 and "leave hf out of --formats" in done.stderr and not (tmp_path / "x").exists()


def test_every_format_has_its_members(demo_record: Record) -> None:
    """No two files of an image get one name, whatever the formats, and the name leads to the sample."""
    sheet = ecgvec.render(demo_record, "clean", seed=1, dpi=50)
    stem = "a.b/c.d-0"
    paths = [path for name, part in FORMATS if name not in UNFIT for path in part.files(sheet, stem)]
    names = [field_of(path, stem) for path in paths]
    assert len(set(names)) == len(names) >= 15 and all(name == name.lower() for name in names)
    for name in UNFIT:
        assert FORMATS.get(name).files(sheet, stem)
    for name in names:
        assert webdataset.tariterators.base_plus_ext(f"{key(stem)}.{name}") == ("a.b/c~2d-0", name)


def test_long_and_foreign_names(tmp_path: Path) -> None:
    folder, name = "ä" * 100, "é" * 60
    write_record(tmp_path / "in" / folder, "r0", 10)
    for ending in (".hea", ".dat"):
        path = tmp_path / "in" / folder / f"r0{ending}"
        path.with_name(name + ending).write_bytes(path.read_bytes().replace(b"r0", name.encode()))
        path.unlink()
    drawn(tmp_path / "in", tmp_path / "out", load_recipe("clean", {"page.dpi": 50, "output.formats": ["png"]}))
    with tarfile.open(tars(tmp_path / "out")[0]) as tar:
        assert tar.getnames() == [f"{folder}/{name}-0.png"]
    sample = next(iter(webdataset.WebDataset(str(tars(tmp_path / "out")[0]), shardshuffle=False)))
    assert sample["__key__"] == f"{folder}/{name}-0"


FATAL = NAMES.index("d/r6")
DEADLY_SHARDS, DEADLY_PROBE = partial(deadly_shards, FATAL), partial(deadly_probe, FATAL)


def chunks(records: Path, out: Path) -> list[list[Task]]:
    tasks = [Task(number, job) for number, job in enumerate(find_jobs(records, out, False).jobs)]
    return [tasks[at : at + SIZE] for at in range(0, len(tasks), SIZE)]


def test_a_record_that_kills_its_process_costs_no_other(records: Path, whole: Path, tmp_path: Path) -> None:
    out, staging = tmp_path / "out", tmp_path / "staging"
    staging.mkdir()
    arguments = (records, RECIPE, out, staging, None)
    found = shards.draw_shards(chunks(records, out), SIZE, arguments, 2, None, DEADLY_SHARDS, DEADLY_PROBE)
    entries = {entry.number: entry for group in found for entry in group}
    assert sorted(entries) == list(range(len(NAMES)))
    states = {NAMES[number]: entry.state for number, entry in entries.items() if entry.state != "done"}
    assert states == {BROKEN: "quarantined", NAMES[FATAL]: "quarantined"}
    assert "SIGSEGV" in entries[FATAL].reason
    assert list(staging.iterdir()) == []
    same = [path.name for path in tars(out) if path.read_bytes() == (whole / "shards" / path.name).read_bytes()]
    assert same == ["shard-000000.tar", "shard-000001.tar", "shard-000003.tar"]
    with tarfile.open(tars(out)[2]) as tar, tarfile.open(tars(whole)[2]) as other:
        assert set(other.getnames()) - set(tar.getnames()) == {
            n for n in other.getnames() if n.startswith(NAMES[FATAL])
        }
        assert len(tar.getnames()) == 2 * 8


def test_a_shard_that_cannot_be_drawn_though_its_records_can_ends_the_run(records: Path, tmp_path: Path) -> None:
    arguments = (records, RECIPE, tmp_path / "out", tmp_path, None)
    third = chunks(records, tmp_path)[2:3]
    with pytest.raises(ExportError, match=r"shard-000002.tar cannot be drawn, though its records can, each alone"):
        list(shards.draw_shards(third, SIZE, arguments, 1, None, DEADLY_SHARDS, drawer))
