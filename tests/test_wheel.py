"""A built wheel works on its own: templates, fonts and the demo record inside, no top-level module but ecgvec."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (built,) = out.glob("*.whl")
    return built


def test_wheel_holds_all_data_and_one_package(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"ecgvec"}
    for folder in ("templates/pages", "templates/headers", "templates/recipes", "fonts", "demo"):
        here = {p.name for p in (ROOT / folder).iterdir() if p.is_file()}
        there = {n.rsplit("/", 1)[1] for n in names if n.rsplit("/", 1)[0] == f"ecgvec/_data/{folder}"}
        assert here == there
    assert "ecgvec/viewer/web/page.html" in names
    for name in ("LICENSE", "NOTICE"):
        assert any(n.endswith(f"licenses/{name}") for n in names), name


@pytest.mark.long
def test_wheel_runs_the_demo_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env/bin/python"
    pip = [str(python), "-m", "pip", "install", "-q", "-c", str(ROOT / "constraints/main.txt"), str(wheel)]
    subprocess.run(pip, check=True, capture_output=True, text=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    demo = [str(tmp_path / "env/bin/ecgvec"), "demo"]
    done = subprocess.run(demo, check=True, capture_output=True, text=True, cwd=elsewhere)
    assert (elsewhere / "ecgvec-demo/index.html").is_file()
    assert done.stdout.count(".png") >= 9
    cli = subprocess.run([str(python), "-c", "import cli"], capture_output=True, text=True, check=False, cwd=elsewhere)
    assert "No module named 'cli'" in cli.stderr
