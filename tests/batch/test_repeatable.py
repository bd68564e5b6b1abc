"""The same command gives the same bytes, whatever else lies in the folder; a replay gives the same image."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ecgvec.batch.manifest import MANIFEST
from ecgvec.resources import folder
from tests.conftest import Run

FLAGS = (
    *("-se", "10", "--random_bw", "0.5", "--random_grid_color", "--random_print_header", "0.5"),
    *("--random_resolution", "-r", "90", "--calibration_pulse", "0.5", "--random_grid_present", "0.7"),
    *("--add_qr_code", "--variants", "2", "--formats", "png,svg,pdf,gt,gt-svg,json,kit"),
)


def contents(out: Path) -> dict[str, bytes]:
    """All files but the manifest, which knows when each was written."""
    paths = [path for path in sorted(out.rglob("*")) if path.is_file() and not path.name.startswith(MANIFEST)]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with one record in a subfolder."""
    inside = tmp_path / "in" / "ward 7"
    inside.mkdir(parents=True)
    for path in folder("demo").glob("ecgvec-demo.*"):
        shutil.copy(path, inside)
    return tmp_path / "in"


def add_record(source: Path) -> None:
    """Another record, sorted before the first."""
    for path in folder("demo").glob("ecgvec-demo.*"):
        text = path.read_bytes()
        name = path.name.replace("ecgvec-demo", "aaa")
        (source / name).write_bytes(text.replace(b"ecgvec-demo", b"aaa") if path.suffix == ".hea" else text)


def test_same_command_same_bytes_and_other_records_change_nothing(
    source: Path, tmp_path: Path, ecgvec_run: Run, ecgvec_process: Run
) -> None:
    outs = [tmp_path / name for name in ("one", "two", "three")]
    for out, here in zip(outs, (ecgvec_run, ecgvec_process, ecgvec_run), strict=True):
        if out.name == "three":
            add_record(source)
        done = here("batch", "-i", source, "-o", out, *FLAGS)
        assert done.returncode == 0, done.stderr
    one, two, three = map(contents, outs)
    assert len([name for name in one if name.startswith("ward 7/")]) == 2 * 7
    assert one == two
    own = {name: content for name, content in one.items() if "ward 7/" in name}
    assert own == {name: three[name] for name in own}
    images = {content for name, content in one.items() if name.endswith(".png") and "-gt" not in name}
    assert len(images) == 2  # variants differ


def test_replay_makes_the_same_files(source: Path, tmp_path: Path, ecgvec_run: Run) -> None:
    out = tmp_path / "out"
    ecgvec_run("batch", "-i", source, "-o", out, *FLAGS)
    for sidecar in sorted((out / "ward 7").glob("*.json")):
        again = tmp_path / f"again-{sidecar.stem}"
        done = ecgvec_run("replay", sidecar, "-o", again)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "DIFFERENT" not in done.stdout
        made = {p.relative_to(again).as_posix(): p.read_bytes() for p in again.rglob("*") if p.is_file()}
        listed = json.loads(sidecar.read_text())["files"]
        assert len(made) == len(listed) + 1
        for name, content in made.items():
            assert content == (out / name).read_bytes()


def test_replay_of_a_changed_record_is_refused(source: Path, tmp_path: Path, ecgvec_run: Run) -> None:
    out = tmp_path / "out"
    ecgvec_run("batch", "-i", source, "-o", out, "--formats", "png,json", "-r", "50")
    signal = source / "ward 7" / "ecgvec-demo.dat"
    samples = np.fromfile(signal, dtype="<i2")
    samples[100] += 1
    samples.tofile(signal)
    done = ecgvec_run("replay", out / "ward 7" / "ecgvec-demo-0.json")
    assert done.returncode == 2
    assert "is not the one that image ecgvec-demo-0 was made from" in done.stderr


def test_single_and_batch_draw_the_same_page(source: Path, tmp_path: Path, ecgvec_run: Run) -> None:
    record = source / "ward 7" / "ecgvec-demo"
    common = ("-se", "4", "--print_header", "--formats", "png,svg,json", "-r", "80")
    ecgvec_run("single", "-i", record, "-o", tmp_path / "a", *common)
    ecgvec_run("batch", "-i", record.parent, "-o", tmp_path / "b", *common)
    for name in ("ecgvec-demo-0.png", "ecgvec-demo-0.svg", "ecgvec-demo-0.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
