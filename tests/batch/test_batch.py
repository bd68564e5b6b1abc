"""A run over a folder: names, windows, summary, exit codes."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from ecgvec.batch.jobs import find_jobs
from ecgvec.resources import folder
from tests.batch.runs import stems, write_record
from tests.conftest import Run


def test_folders_are_mirrored_and_equal_names_stay_apart(tmp_path: Path, ecgvec_run: Run) -> None:
    for place in ("a", "b/c", "."):
        write_record(tmp_path / "in" / place, "r1", 10)
    done = ecgvec_run("batch", "-i", tmp_path / "in", "-o", tmp_path / "out", "-r", "50")
    assert done.returncode == 0, done.stderr
    assert stems(tmp_path / "out") == ["a/r1-0", "b/c/r1-0", "r1-0"]
    rows = list(csv.DictReader((tmp_path / "out/kit/gridsize.csv").open()))
    assert sorted({row["filename"] for row in rows}) == ["a/r1-0.png", "b/c/r1-0.png", "r1-0.png"]
    assert (tmp_path / "out/kit/text_bounding_box/b/c/r1-0.txt").is_file()


def test_an_output_folder_inside_the_input_is_not_searched(tmp_path: Path, ecgvec_run: Run) -> None:
    write_record(tmp_path, "r1", 10)
    out = tmp_path / "out"
    write_record(out, "stray", 10)
    assert ecgvec_run("batch", "-i", tmp_path, "-o", out, "-r", "50", "--formats", "png,json").returncode == 0
    assert stems(out) == ["r1-0"]


def test_windows_tails_and_variants(tmp_path: Path, ecgvec_run: Run) -> None:
    write_record(tmp_path / "in", "long", 25)
    write_record(tmp_path / "in", "short", 4)
    common = ("batch", "-i", tmp_path / "in", "-r", "50", "--formats", "json")
    done = ecgvec_run(*common, "-o", tmp_path / "drop")
    assert stems(tmp_path / "drop") == ["long-0", "long-1", "short-0"]
    assert (
        "long: The last 5.000 s fill less than a page and are dropped (--partial-page keep draws them)." in done.stdout
    )
    assert "short: The last 4.000 s fill less than a page and are drawn as long as they are." in done.stdout
    ecgvec_run(*common, "-o", tmp_path / "keep", "--partial-page", "keep", "--variants", "2")
    assert stems(tmp_path / "keep") == [
        "long-0-v0", "long-0-v1", "long-1-v0", "long-1-v1", "long-2-v0", "long-2-v1", "short-0-v0", "short-0-v1",
    ]  # fmt: skip
    last = json.loads((tmp_path / "keep/long-2-v0.json").read_text())
    assert last["plan"]["window"] == {"index": 2, "first": 2000, "count": 500, "start": 20.0}
    assert last["layout"]["seconds"] == 5.0


def test_first_sample_gives_one_image(tmp_path: Path, ecgvec_run: Run) -> None:
    write_record(tmp_path / "in", "long", 25)
    done = ecgvec_run("single", "-i", tmp_path / "in/long", "-o", tmp_path / "out", "-st", "500", "--formats", "json")
    assert done.returncode == 0, done.stderr
    assert stems(tmp_path / "out") == ["long-0"]
    plan = json.loads((tmp_path / "out/long-0.json").read_text())["plan"]
    assert plan["window"] == {"index": 0, "first": 500, "count": 1000, "start": 5.0}


def test_max_images_is_a_limit_of_the_run(tmp_path: Path, ecgvec_run: Run) -> None:
    for name in ("a", "b", "c"):
        write_record(tmp_path / "in", name, 20)
    done = ecgvec_run(
        "batch", "-i", tmp_path / "in", "-o", tmp_path / "out", "-r", "50", "--formats", "json", "--max_num_images", "3"
    )
    assert stems(tmp_path / "out") == ["a-0", "a-1", "b-0"]
    assert "skipped: 1 record\n  1: --max_num_images was reached" in done.stdout


def test_one_bad_record_does_not_end_the_run(tmp_path: Path, ecgvec_run: Run) -> None:
    write_record(tmp_path / "in", "good", 10)
    write_record(tmp_path / "in", "bad", 10)
    (tmp_path / "in/bad.dat").unlink()
    (tmp_path / "in/notes.hea").write_text("Dear colleague,\nthank you for referring this patient.\n")
    common = ("batch", "-i", tmp_path / "in", "-o", tmp_path / "out", "-r", "50", "--formats", "png,json")
    done = ecgvec_run(*common)
    assert done.returncode == 1
    assert "1 image of 1 record" in done.stdout
    assert "quarantined: 2 records" in done.stdout
    rows = list(csv.DictReader((tmp_path / "out/quarantine.csv").open()))
    assert [row["record"] for row in rows] == ["bad", "notes"]
    assert "bad.dat" in rows[0]["reason"]
    for name in ("bad.hea", "notes.hea"):
        (tmp_path / "in" / name).unlink()
    assert ecgvec_run(*common).returncode == 0
    assert not (tmp_path / "out/quarantine.csv").exists()


def test_segments_are_not_records_of_their_own(record_folder: Path, tmp_path: Path) -> None:
    found = find_jobs(record_folder / "formats", tmp_path, anonymous=False)
    assert "041s/041s" in [job.path for job in found.jobs]
    assert found.segments == ("041s/041s01", "041s/041s02")


def test_every_record_is_drawn_or_says_why_not(record_folder: Path, tmp_path: Path, ecgvec_run: Run) -> None:
    done = ecgvec_run(
        "batch", "-i", record_folder, "-o", tmp_path, "-r", "50", "--formats", "json", "--max_num_images", "400"
    )
    reasons = {row["record"]: row["reason"] for row in csv.DictReader((tmp_path / "quarantine.csv").open())}
    assert "100.dat" in reasons.pop("formats/100skew")  # it lacks its signal file
    # The real ones of two headers count through all values of 24 and 32 bits, which are no millivolts.
    assert set(reasons) <= {"formats/binformats", "formats/flacformats"}
    assert all("reaches 41943 mV" in reason for reason in reasons.values())
    assert done.returncode == 1
    assert f"of {32 - len(reasons)} records" in done.stdout


def test_leads_with_commas_in_their_names(record_folder: Path, tmp_path: Path, ecgvec_run: Run) -> None:
    leads = ",".join(f'"sig {i}, fmt {fmt}"' for i, fmt in enumerate((8, 16, 61, 80, 160, 212, 310, 311)))
    record = record_folder / "formats" / "binformats"
    done = ecgvec_run("single", "-i", record, "-o", tmp_path, "--formats", "json", "--leads", leads)
    assert done.returncode == 0, done.stderr
    shown = json.loads((tmp_path / "binformats-0.json").read_text())["labels"]["traces"]
    assert len(shown) == 8


def test_header_elsewhere(tmp_path: Path, ecgvec_run: Run) -> None:
    (tmp_path / "signals").mkdir()
    (tmp_path / "headers").mkdir()
    shutil.copy(folder("demo") / "ecgvec-demo.dat", tmp_path / "signals")
    shutil.copy(folder("demo") / "ecgvec-demo.hea", tmp_path / "headers")
    done = ecgvec_run(
        "single", "-i", tmp_path / "signals/ecgvec-demo.dat", "-hea", tmp_path / "headers/ecgvec-demo.hea",
        "-o", tmp_path / "out", "--formats", "json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert stems(tmp_path / "out") == ["ecgvec-demo-0"]


@pytest.mark.parametrize("formats", ["png", "svg", "pdf", "gt", "gt-svg", "json", "kit"])
def test_each_format_alone(tmp_path: Path, ecgvec_run: Run, formats: str) -> None:
    write_record(tmp_path / "in", "r", 10)
    assert ecgvec_run("batch", "-i", tmp_path / "in", "-o", tmp_path / "out", "--formats", formats).returncode == 0
    made = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    expected = {
        "png": {"r-0.png"},
        "svg": {"r-0.svg"},
        "pdf": {"r-0.pdf"},
        "gt": {"r-0-gt.png"},
        "gt-svg": {"r-0-gt.svg"},
        "json": {"r-0.json", "r-0.npz"},
        "kit": {"kit/gridsize.csv", "kit/r-0.json", "kit/text_bounding_box/r-0.txt"},
    }
    assert made == expected[formats] | {"ecgvec-run.json", "ecgvec-manifest.sqlite"}
