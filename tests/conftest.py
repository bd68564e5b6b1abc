"""Fixtures: the real records of the folder ``shared``, the embedded record, and a small run of the program."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ecgvec.record.model import Record
from ecgvec.record.read import read_record
from ecgvec.resources import folder

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("ECGVEC_SHARED", ROOT.parent / "shared"))
_ABSENT = "the folder 'shared' with real records is absent"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real records. Tests that use it skip where it is absent, or fail with REQUIRE_SHARED=1."""
    if SHARED.is_dir():
        return SHARED
    if os.environ.get("REQUIRE_SHARED") == "1":
        pytest.fail(f"{_ABSENT}, and REQUIRE_SHARED=1 forbids to skip")
    pytest.skip(_ABSENT)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were skipped for want of real records."""
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if _ABSENT in str(r.longrepr)]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} tests skipped: {_ABSENT}")


@pytest.fixture(scope="session")
def demo_record() -> Record:
    """The embedded, synthesised 12-lead record: 10 s at 500 Hz."""
    return read_record(folder("demo") / "ecgvec-demo")


@pytest.fixture(scope="session")
def twelve_lead(shared: Path) -> list[Path]:
    """Every 12-lead record among the real ones, without extension."""
    folders = ("ptbxl_500hz", "georgia", "chapman", "ptbxl_100hz")
    return sorted(path.with_suffix("") for name in folders for path in (shared / "records" / name).glob("*.hea"))


@pytest.fixture
def ecgvec_run() -> Run:
    """Run the real program: ``ecgvec_run("batch", "-i", ..., cwd=...)`` -> completed process with text output."""

    def run(*arguments: object, **more: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / "cli.py"), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, **more)  # type: ignore[call-overload, no-any-return]

    return run
