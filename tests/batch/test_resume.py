"""A run that was stopped goes on: the same bytes as if it had not been, and nothing done twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ecgvec.batch.jobs import Jobs, find_jobs
from ecgvec.batch.local import STAGING, RunOptions, Summary, run
from ecgvec.batch.manifest import MANIFEST, Entry, Manifest
from ecgvec.errors import ExportError
from ecgvec.recipe.recipe import load_recipe
from tests.batch.runs import twelve_records, write_record
from tests.conftest import Run

FORMATS = ["png", "json", "kit", "coco"]
RECIPE = load_recipe("clean", {"page.dpi": 50, "output.formats": FORMATS})


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return twelve_records(tmp_path_factory.mktemp("records"))


@pytest.fixture(scope="module")
def whole(records: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run that nobody disturbs makes, in this process."""
    out = tmp_path_factory.mktemp("whole")
    drawn(records, out)
    return files(out)


def files(out: Path) -> dict[str, bytes]:
    """All files but the manifest and those that lie where the run is."""
    names = (path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    return {name: (out / name).read_bytes() for name in names if not name.startswith((MANIFEST, "ecgvec-run"))}


def drawn(records: Path, out: Path, recipe: object = RECIPE, **options: object) -> Summary:
    made = RunOptions(manifest=out / MANIFEST, **options)  # type: ignore[arg-type]
    return run(records, lambda: find_jobs(records, out, False), out, recipe, made)  # type: ignore[arg-type]


def test_processes_draw_the_same_bytes(records: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    for workers in (1, 2):
        out = tmp_path / str(workers)
        summary = drawn(records, out, workers=workers)
        assert (summary.images, summary.done, len(summary.quarantined)) == (12, 11, 1)
        assert files(out) == whole
        assert not list(out.glob(f"{STAGING}*"))


def started(records: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    flags = ["-r", "50", "--formats", ",".join(FORMATS), "--workers", "2", *more]
    command = [sys.executable, "-c", "from ecgvec.cli import main; main()", "batch", "-i", str(records)]
    return subprocess.Popen(
        [*command, "-o", str(out), *flags],
        text=True,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background ignore it
    )


@pytest.mark.parametrize("images", [1, 4])
def test_a_killed_run_is_resumed(records: Path, whole: dict[str, bytes], tmp_path: Path, images: int) -> None:
    process = started(records, tmp_path)
    end = time.monotonic() + 120
    while len(list(tmp_path.rglob("*.json"))) < images and time.monotonic() < end:
        time.sleep(0.005)
    process.kill()
    process.communicate()
    time.sleep(1.5)  # its processes notice at the end of their records
    with Manifest(tmp_path / MANIFEST) as manifest:
        done = manifest.counts().get("done", 0)
        finished = {file.path: file for _, file in manifest.files()}
    assert done < 11
    for path in tmp_path.rglob("*.json"):
        json.loads(path.read_text())  # whole or not there
    summary = drawn(records, tmp_path, resume=True, workers=2)
    assert (summary.images, summary.done, len(summary.quarantined)) == (12, 11, 1)
    assert files(tmp_path) == whole
    assert all((tmp_path / name).stat().st_mtime_ns == file.mtime for name, file in finished.items()), "done twice"


def test_an_interrupted_run_says_how_to_go_on(records: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    process = started(records, tmp_path, "--json-log")
    assert process.stderr is not None
    first = json.loads(process.stderr.readline())  # before any is drawn: later the run may have ended
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "--resume" in said
    assert first["total"] == 12 and first["records"] == 0
    drawn(records, tmp_path, resume=True)
    assert files(tmp_path) == whole


def test_lost_and_damaged_files_are_made_anew_and_no_others(
    records: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    drawn(records, tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}
    (tmp_path / "s0/r00-0.png").unlink()
    (tmp_path / "s1/r01-0.json").write_bytes(b"{}")
    good = tmp_path / "s2/r02-0.png"
    touched = good.read_bytes()
    os.utime(good, ns=(1, 1))  # of another time, and whole
    entries: list[Entry | None] = []
    options = RunOptions(manifest=tmp_path / MANIFEST, resume=True)
    run(records, lambda: Jobs((), ()), tmp_path, RECIPE, options, report=lambda now: entries.append(now.entry))
    assert len([entry for entry in entries if entry is not None]) == 3, "two, and the one in quarantine"
    assert files(tmp_path) == whole and good.read_bytes() == touched and good.stat().st_mtime_ns == 1
    same = [path for path, when in times.items() if path.stat().st_mtime_ns == when]
    assert len(same) == len(times) - 3


def test_a_file_changed_within_its_time_is_found_by_reading_it(
    records: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    drawn(records, tmp_path)
    path = tmp_path / "s0/r00-0.png"
    when, content = path.stat().st_mtime_ns, bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(bytes(content))
    os.utime(path, ns=(when, when))
    drawn(records, tmp_path, resume=True)
    assert files(tmp_path) != whole
    drawn(records, tmp_path, resume=True, rehash=True)
    assert files(tmp_path) == whole


def test_a_record_that_was_mended_is_drawn_when_resumed(tmp_path: Path) -> None:
    write_record(tmp_path / "in", "a", 10)
    write_record(tmp_path / "in", "b", 10)
    signal_file = tmp_path / "in/b.dat"
    content = signal_file.read_bytes()
    signal_file.unlink()
    assert len(drawn(tmp_path / "in", tmp_path / "out").quarantined) == 1
    signal_file.write_bytes(content)
    summary = drawn(tmp_path / "in", tmp_path / "out", resume=True)
    assert (summary.done, summary.quarantined) == (2, []) and not (tmp_path / "out/quarantine.csv").exists()


def test_runs_that_do_not_fit_are_refused(records: Path, tmp_path: Path) -> None:
    drawn(records, tmp_path)
    other = load_recipe("clean", {"page.dpi": 51, "output.formats": FORMATS})
    with pytest.raises(ExportError, match="begun with another recipe"):
        drawn(records, tmp_path, other, resume=True)
    with Manifest(tmp_path / MANIFEST) as manifest:
        manifest.again(numbers=[2])
        with pytest.raises(ExportError, match="another run is writing to"):
            drawn(records, tmp_path)
    with pytest.raises(ExportError, match="stopped after 11 of 12 records: go on with it by --resume"):
        drawn(records, tmp_path)
    assert drawn(records, tmp_path, restart=True).done == 11
    (tmp_path / MANIFEST).write_bytes(b"no manifest" * 1000)
    with pytest.raises(ExportError, match=r"cannot be used .*: free space there, or remove it"):
        drawn(records, tmp_path, resume=True)


def test_an_output_folder_that_vanishes_ends_the_run(records: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def vanish(now: object) -> None:
        for path in sorted(out.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()

    options = RunOptions(manifest=tmp_path / MANIFEST)
    with pytest.raises(ExportError, match="cannot be written"):
        run(records, lambda: find_jobs(records, out, False), out, RECIPE, options, report=vanish)
    with Manifest(tmp_path / MANIFEST) as manifest:
        assert sum(manifest.counts().values()) == 12 and manifest.counts()["waiting"] > 0


def test_two_runs_on_one_folder(records: Path, tmp_path: Path, ecgvec_process: Run) -> None:
    with Manifest(tmp_path / MANIFEST):
        done = ecgvec_process("batch", "-i", records, "-o", tmp_path, "-r", "50")
    assert done.returncode == 2 and done.stderr.startswith("ecgvec: another run is writing to")


def test_resume_and_restart_contradict(records: Path, tmp_path: Path, ecgvec_run: Run) -> None:
    done = ecgvec_run("batch", "-i", records, "-o", tmp_path, "--resume", "--restart")
    assert done.returncode == 2 and "--resume and --restart contradict one another" in done.stderr


@pytest.mark.parametrize("flag", ["--anonymous-names", "--image_only"])
def test_a_hidden_manifest_is_written_where_the_user_says(tmp_path: Path, ecgvec_run: Run, flag: str) -> None:
    write_record(tmp_path / "in", "secret", 10)
    flags = ["batch", "-i", tmp_path / "in", "-o", tmp_path / "out", "-r", "50", flag]
    done = ecgvec_run(*flags, "--resume")
    assert done.returncode == 2 and "--resume needs --manifest FILE" in done.stderr
    assert ecgvec_run(*flags).returncode == 0 and not (tmp_path / "out" / MANIFEST).exists()
    manifest = tmp_path / "elsewhere" / "m.sqlite"
    assert ecgvec_run(*flags, "--restart", "--manifest", manifest).returncode == 0 and manifest.is_file()
    (image,) = (tmp_path / "out").glob("*.png") if flag == "--image_only" else (tmp_path / "out").glob("*-0.png")
    image.unlink()
    again = ecgvec_run(*flags, "--resume", "--manifest", manifest)
    assert again.returncode == 0 and image.is_file(), again.stderr
