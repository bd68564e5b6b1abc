"""Every script of the cookbook runs as a user would run it, small, and makes what it says."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from ecgvec.resources import folder
from tests.conftest import ROOT, SHARED
from tools.make_cookbook import tasks

DEMO = folder("demo") / "ecgvec-demo"
SMALL = {"COUNT": "1", "DPI": "60", "WORKERS": "1", "SIZE": "1"}
REPORT = (
    "Sinus rhythm with left bundle branch block. ST depression in V4-V6, QTc 480 ms. Atrial fibrillation in 2019.\n"
)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a record or two in ``records``, a bad one among them in ``spoiled``, a report in ``reports``, and
    the program in ``bin``."""
    top = tmp_path_factory.mktemp("cookbook")
    real = sorted((SHARED / "records/ptbxl_500hz").glob("*.hea"))[:1]
    for place, header in zip(("records", "records/more"), [DEMO.with_suffix(".hea"), *real], strict=False):
        (top / place).mkdir()
        for file in header.parent.glob(f"{header.stem}.*"):
            shutil.copy(file, top / place)
    shutil.copytree(top / "records", top / "spoiled")
    (top / "spoiled/a.hea").write_text("a 1 500 5000\na.dat 16 1000 16 0 0 0 0 I\n")  # whose signals are missing
    (top / "reports").mkdir()
    (top / "reports/a.txt").write_text(REPORT)
    (top / "bin").mkdir()
    for name, command in (("ecgvec", f'"{sys.executable}" "{ROOT / "cli.py"}"'), ("python", f'"{sys.executable}"')):
        program = top / "bin" / name
        program.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return top


def cooked(top: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script run in ``top``."""
    (script,) = (ROOT / "examples/cookbook").glob(f"{name}*")
    runner = "sh" if script.suffix == ".sh" else sys.executable
    more = {"PATH": f"{top / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [runner, str(script), *arguments],
        cwd=top,
        env={**os.environ, **more, **SMALL},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done


def only(paths: list[Path]) -> Path:
    assert len(paths) == 1, paths
    return paths[0]


def document(out: Path) -> dict[str, object]:
    path = only([p for p in out.glob("*-*.json") if p.name != "ecgvec-run.json"])
    found: dict[str, object] = json.loads(path.read_text())
    return found


def page(out: Path) -> dict[str, object]:
    """How the one image's page looks."""
    return document(out)["plan"]["page"]["style"]  # type: ignore[index, return-value, call-overload]


def nnunet_masks(top: Path) -> None:
    done = cooked(top, "01", "spoiled", "01")
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("export nnUNet_raw="))
    data = Path(line.partition("=")[2]) / "Dataset501_ECG"
    picture = cv2.imread(str(only(list((data / "imagesTr").glob("*_0000.png")))))
    labels = cv2.imread(str(only(list((data / "labelsTr").glob("*.png")))), cv2.IMREAD_UNCHANGED)
    told = json.loads((data / "dataset.json").read_text())
    assert "a.dat" in (top / "01/quarantine.csv").read_text()
    assert labels.shape == picture.shape[:2] and told["numTraining"] == 1
    assert set(np.unique(labels)) == set(told["labels"].values())


def ten_thousand_photos(top: Path) -> None:
    done = cooked(top, "02", "records", "02")
    assert "1 records: 1 images" in done.stdout and "1 image of 1 record" in done.stdout
    photo = only(list((top / "02/photos").glob("*.jpg")))
    before = photo.stat().st_mtime_ns
    cooked(top, "02", "records", "02")
    assert photo.stat().st_mtime_ns == before, "the same line again draws nothing twice"


def cabrera(top: Path) -> None:
    cooked(top, "03", "records", "03")
    style = page(top / "03")
    assert (style["cabrera"], style["speed"], style["paper"]) == (True, 50.0, "a4")
    traces = document(top / "03")["labels"]["traces"]  # type: ignore[index, call-overload]
    assert [trace["lead"] for trace in traces[:12:2]] == ["aVL", "I", "aVR", "II", "aVF", "III"]
    assert next(trace for trace in traces if trace["lead"] == "aVR")["polarity"] == -1


def my_hospital(top: Path) -> None:
    cooked(top, "04", "records", "04")
    texts = [text["text"] for text in document(top / "04")["labels"]["texts"]]  # type: ignore[index, call-overload]
    assert {"St. Elsewhere Hospital", "Cardiology, ward 3B", "QT / QTc"} <= set(texts)
    assert any(text.endswith("St. Elsewhere") for text in texts) and page(top / "04")["grid_color"] == "green"


def only_the_lattice(top: Path) -> None:
    cooked(top, "05", "records", "05")
    name = only(list((top / "05").glob("*.jpg"))).stem
    crossings, seen = (np.load(top / f"05/grid/{name}{end}.npy") for end in ("", "-visible"))
    assert crossings.shape == (*seen.shape, 2) and seen.mean() > 0.5 and np.isfinite(crossings).all()
    bent = np.diff(crossings[seen.shape[0] // 2, :, 1], n=2)
    assert np.abs(bent).max() > 0.01, "the lines are bent"


def letter(top: Path) -> None:
    cooked(top, "06", str(DEMO), "06", "--dpi", "60")
    coco = json.loads(only(list((top / "06").rglob("*.json"))).read_text())
    names = {category["id"]: category["name"] for category in coco["categories"]}
    assert any(names[a["category_id"]] == "I" or "trace" in names[a["category_id"]] for a in coco["annotations"])
    assert only(list((top / "06").rglob("*.png"))).stat().st_size > 10_000


def yolo_coco(top: Path) -> None:
    cooked(top, "07", "spoiled", "07")
    boxes = only(list((top / "07/yolo/detect").rglob("labels/**/*.txt"))).read_text().splitlines()
    assert len(boxes) >= 12 and all(len(line.split()) == 5 for line in boxes)
    assert len(json.loads((top / "07/coco/annotations.json").read_text())["images"]) == 1
    assert only(list((top / "07/look").glob("*-labels.png"))).stat().st_size > 10_000


def my_recipe(top: Path) -> None:
    assert "right" in cooked(top, "08", "records", "08").stdout
    assert page(top / "08")["grid_color"] == "blue"
    parts = {part["kind"]: part for part in document(top / "08")["plan"]["effects"]}  # type: ignore[index, call-overload]
    assert parts["desk"]["material"] == "steel" and cv2.imread(str(top / "08/preview.png")).shape[1] > 1000


def notes_from_my_reports(top: Path) -> None:
    done = cooked(top, "09", "records", "reports", "09")
    assert "LBBB" in done.stdout
    notes = document(top / "09")["plan"]["notes"]  # type: ignore[index, call-overload]
    assert notes and all(note["origin"]["how"] == "from-text" for note in notes)


def torch_loader(top: Path) -> None:
    done = cooked(top, "10", "records", "--dpi", "60", "--epochs", "1", "--workers", "0")
    assert "epoch 0: images (" in done.stdout


def shards(top: Path) -> None:
    cooked(top, "11", "records", "11", "done.sqlite")
    with tarfile.open(top / "11/shards/shard-000000.tar") as tar:
        assert {name.rpartition(".")[2] for name in tar.getnames()} == {"jpg", "json", "npz"}
    assert (top / "done.sqlite").is_file() and (top / "11/shards/shards.json").is_file()


def verify_and_replay(top: Path) -> None:
    done = cooked(top, "12", "spoiled", "12")
    assert "1 images, 0 with something wrong" in done.stdout
    assert done.stdout.count("the same bytes") == 3 and list((top / "12").glob("*-labels.png"))


def my_effect(top: Path) -> None:
    assert "Haze(" in cooked(top, "13", str(DEMO), "13.png", "--dpi", "60").stdout
    assert cv2.imread(str(top / "13.png")).shape == (510, 660, 3)


def mix_and_table(top: Path) -> None:
    done = cooked(top, "14", "spoiled", "14")
    assert "count_all: [[1]]" in done.stdout
    assert (top / "14/gallery.html").stat().st_size > 100_000


def pdf(top: Path) -> None:
    assert "1 pages" in cooked(top, "15", str(DEMO), "15.pdf").stdout
    assert (top / "15.pdf").read_bytes().startswith(b"%PDF")


CHECKS: dict[str, Callable[[Path], None]] = {
    "01": nnunet_masks,
    "02": ten_thousand_photos,
    "03": cabrera,
    "04": my_hospital,
    "05": only_the_lattice,
    "06": letter,
    "07": yolo_coco,
    "08": my_recipe,
    "09": notes_from_my_reports,
    "10": torch_loader,
    "11": shards,
    "12": verify_and_replay,
    "13": my_effect,
    "14": mix_and_table,
    "15": pdf,
}


def test_every_script_has_a_check() -> None:
    assert [task.path.name[:2] for task in tasks()] == list(CHECKS)


@pytest.mark.parametrize("number", CHECKS)
def test_the_script_makes_what_it_says(number: str, workplace: Path) -> None:
    CHECKS[number](workplace)
