"""Fixtures: records, synthesised and real, the embedded record, and a small run of the program."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecgvec.record.model import Record
from ecgvec.record.read import read_record
from ecgvec.resources import folder

# Assertions of helpers say as much as those of test modules.
_PARTS = sorted(path.parent.name for path in Path(__file__).parent.glob("*/__init__.py"))
pytest.register_assert_rewrite("tests.program", *(f"tests.{part}" for part in _PARTS))

from tests.program import program  # noqa: E402
from tests.records import TWELVE, make_records  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
SLOW = ROOT / "tests/slow.txt"
"""Tests that `make test-fast` leaves out: a file, or a file and a function, one a line."""
SHARED = Path(os.environ.get("ECGVEC_SHARED", ROOT.parent / "shared"))
_ABSENT = "the folder 'shared' with real records is absent"
_REQUIRED = os.environ.get("REQUIRE_SHARED") == "1"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--remake-goldens", action="store_true", help="draw the pages of tests/golden anew and keep them")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `tests/slow.txt` names."""
    slow = set(SLOW.read_text(encoding="utf-8").splitlines())
    for item in items:
        file, _, name = item.nodeid.partition("::")
        if file in slow or f"{file}::{name.partition('[')[0]}" in slow:
            item.add_marker("slow")


@pytest.fixture
def remake(request: pytest.FixtureRequest) -> bool:
    """Whether the golden pages are to be made anew."""
    return bool(request.config.getoption("--remake-goldens"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real records. Tests that use it skip where it is absent, or fail with REQUIRE_SHARED=1."""
    if SHARED.is_dir():
        return SHARED
    if _REQUIRED:
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
def made_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of synthesised records, laid out as that of the real ones."""
    return make_records(tmp_path_factory.mktemp("records"))


@pytest.fixture(scope="session", params=["made", "real"] if SHARED.is_dir() or _REQUIRED else ["made"])
def record_folder(request: pytest.FixtureRequest) -> Path:
    """The folder of synthesised records and, where it is there, that of the real ones: each test runs over both."""
    if request.param == "made":
        made: Path = request.getfixturevalue("made_records")
        return made
    real: Path = request.getfixturevalue("shared") / "records"
    return real


@pytest.fixture(scope="session")
def twelve_lead(request: pytest.FixtureRequest) -> list[Path]:
    """All 12-lead records without extension: the real ones where they are there, else the synthesised ones."""
    real = SHARED / "records"
    top: Path = real if real.is_dir() else request.getfixturevalue("made_records")
    return sorted(top / name / record for name, records in TWELVE.items() for record in records)


@pytest.fixture
def ecgvec_run() -> Run:
    """Run the program in this process: ``ecgvec_run("batch", "-i", ...)`` -> what a process would have said."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        done = program(*arguments)
        return subprocess.CompletedProcess(arguments, done.code, done.stdout, done.stderr)

    return run


@pytest.fixture
def ecgvec_process() -> Run:
    """The same in a process of its own: ``ecgvec_process("batch", "-i", ..., cwd=...)``; it takes a second or more."""

    def run(*arguments: object, **more: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / "cli.py"), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, **more)  # type: ignore[call-overload, no-any-return]

    return run


@pytest.fixture
def plain_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes are set from plain letters, at once: for tests of what is written, not of how."""

    def give_up(self: object, orders: list[Any]) -> None:
        for order in orders:
            order.attempts = 99

    monkeypatch.setattr("ecgvec.handwriting.writer.Writer._attempt", give_up)
