"""The program run in this process, what it says, and what it leaves behind."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch
from xml.etree import ElementTree

import cv2
import numpy as np

from ecgvec.cli import main
from ecgvec.resources import folder

DEMO = folder("demo") / "ecgvec-demo"
RUN_FILE = "ecgvec-run.json"


"""Written before the first record is opened, whole: it may stay where a run has failed."""


@dataclass(frozen=True)
class Outcome:
    """What a run ended in."""

    code: int
    stdout: str
    stderr: str


def program(*arguments: object) -> Outcome:
    """The program's own main function, in this process, for a process of its own costs a second; a batch draws here
    as well, unless it is given ``--workers``. What the program does not catch goes through and fails the test."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["ecgvec", *map(str, arguments)]
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            patch("ecgvec.batch.pool.usable_cores", return_value=0),
        ):
            main()
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        sys.argv = before
    return Outcome(code, out.getvalue(), err.getvalue())


def contents(top: Path) -> dict[str, bytes]:
    """All files below ``top``, hidden ones included, but run files."""
    return {
        path.relative_to(top).as_posix(): path.read_bytes()
        for path in sorted(top.rglob("*"))
        if path.is_file() and path.name != RUN_FILE
    }


def assert_one_line(stderr: str, words: tuple[str, ...]) -> None:
    """One line ``ecgvec: ...`` that holds all ``words``. Empty lines are a test's own matter (see below)."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    assert len(lines) == 1, stderr
    assert lines[0].startswith("ecgvec: ")
    # A message of ours, not the text of an error that nobody foresaw.
    assert "unexpected" not in stderr
    assert "report it" not in stderr
    for word in words:
        assert word in lines[0], f"'{word}' is not in: {lines[0]}"


def assert_whole(out: Path) -> None:
    """Every file below ``out`` is whole: it opens, has the hash that its image's JSON gives, and is under no other
    name than its own."""
    files = [path for path in out.rglob("*") if path.is_file()]
    assert not [path for path in files if path.name.startswith(".") or path.suffix == ".part"]
    for path in files:
        if path.suffix == ".png":
            assert cv2.imread(str(path), cv2.IMREAD_UNCHANGED) is not None, path
        elif path.suffix == ".svg":
            ElementTree.parse(path)
        elif path.suffix == ".npz":
            with np.load(path) as arrays:
                assert all(arrays[key].size for key in arrays), path
        elif path.suffix == ".json":
            document = json.loads(path.read_text())
            for name, digest in document["files"].items() if document.get("format") == "ecgvec" else ():
                assert hashlib.sha256((path.parent / name).read_bytes()).hexdigest() == digest, f"{path} lists {name}"


def copy_record(where: Path, name: str, edit: Callable[[str], str] = lambda text: text) -> Path:
    """The embedded record as ``where/name``, its header's text edited; the record's path without extension."""
    where.mkdir(parents=True, exist_ok=True)
    text = edit(DEMO.with_suffix(".hea").read_text()).replace("ecgvec-demo", name)
    (where / f"{name}.hea").write_text(text)
    shutil.copy(DEMO.with_suffix(".dat"), where / f"{name}.dat")
    return where / name


def edited(old: str, new: str, count: int = 1) -> Callable[[Path, str], object]:
    """Makes the embedded record with ``old`` in its header replaced by ``new``."""

    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new, count)

    return lambda where, name: copy_record(where, name, edit)
