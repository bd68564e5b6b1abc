"""Records drawn in groups: their notes are written together, and one that fails costs the others nothing."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ecgvec.batch import work
from ecgvec.batch.jobs import Job
from ecgvec.batch.manifest import Entry, Task
from ecgvec.batch.work import Work
from ecgvec.errors import RecipeError
from ecgvec.export.write import Writer
from ecgvec.handwriting import Writer as Hand
from ecgvec.planning import make
from ecgvec.planning.make import Draft, Planned
from ecgvec.recipe.recipe import Recipe, load_recipe
from tests.batch.runs import write_record

NOTES = {"notes.probability": 1, "notes.words": 2, "page.dpi": 60, "output.formats": ["png", "json"]}


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Five records, the second of them without signals."""
    for number in range(5):
        write_record(tmp_path / "in", f"r{number}", 21 if number == 3 else 10)
    (tmp_path / "in" / "r1.dat").unlink()
    return tmp_path / "in"


def drawn(folder: Path, out: Path, recipe: Recipe, most: int | None = None) -> list[Entry]:
    ended: list[Entry] = []
    all_of_them = Work(folder, recipe, Writer(out, recipe.output.formats_to_write), ended.append, most=most)
    for number in range(5):
        all_of_them.add(Task(number, Job(f"r{number}", f"r{number}")))
    all_of_them.finish()
    return ended


def files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_notes_of_all_records_are_written_in_one_pass(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, true = [], Hand.write

    def counted(self: Hand, texts: list[str], *more: object) -> object:
        calls.append(len(texts))
        return true(self, texts, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Hand, "write", counted)
    together = drawn(records, tmp_path / "together", load_recipe("clean", NOTES))
    assert [(o.number, o.images, o.state == "quarantined") for o in together] == [
        (0, 1, False), (1, 0, True), (2, 1, False), (3, 2, False), (4, 1, False),
    ]  # fmt: skip
    assert calls[0] == 2 * 5, "five pages with two notes each"
    monkeypatch.setattr(work, "PAGES", 1)
    drawn(records, tmp_path / "alone", load_recipe("clean", NOTES))
    assert len(calls) > 5 and files(tmp_path / "together") == files(tmp_path / "alone")


def test_no_more_images_than_were_asked_for(records: Path, tmp_path: Path) -> None:
    ended = drawn(records, tmp_path / "out", load_recipe("clean", NOTES), most=3)
    assert [o.images for o in ended] == [1, 0, 1, 1, 0]
    assert "--max_num_images" in ended[4].reason and ended[4].state == "skipped" and ended[3].state == "done"
    assert len(list((tmp_path / "out").glob("*.png"))) == 3


def test_pages_without_notes_do_not_wait(records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def counted(pages: list[Draft]) -> list[Planned]:
        sizes.append(len(pages))
        return make.finish_plans(pages)

    monkeypatch.setattr(work, "finish_plans", counted)
    drawn(records, tmp_path / "out", load_recipe("clean", NOTES | {"notes.probability": 0}))
    assert max(sizes) == 1


def test_a_page_whose_notes_fail_costs_no_other(records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(pages: list[Draft]) -> list[Planned]:
        if any(page.plan.record.path == "r2" for page in pages):
            raise RecipeError("the note 'x' cannot be written: change it")
        return make.finish_plans(pages)

    monkeypatch.setattr(work, "finish_plans", failing)
    ended = drawn(records, tmp_path / "out", load_recipe("clean", NOTES))
    assert [o.images for o in ended] == [1, 0, 0, 2, 1]
    assert "the note 'x' cannot be written" in ended[2].reason


@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits")
def test_a_record_that_memory_does_not_suffice_for_costs_no_other(tmp_path: Path) -> None:
    """On a roll, a record of 34 s makes a page of 27,402 x 6,614 pixels; those of 3 s do with a tenth of that."""
    import resource

    for name, seconds in (("a", 3), ("b", 34), ("c", 3)):
        write_record(tmp_path / "in", name, seconds)
    limit = int(1.1 * 2**30)
    program = [sys.executable, "-c", "from ecgvec.cli import main; main()", "batch"]
    flags = ["--paper", "roll-210", "--seconds", "34", "-r", "800", "--formats", "png", "--workers", "1"]
    done = subprocess.run(
        [*program, "-i", str(tmp_path / "in"), "-o", str(tmp_path / "out"), *flags],
        capture_output=True,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # each thread would take of the memory that is allowed
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.returncode == 1, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.png")) == ["a-0.png", "c-0.png"]
    with (tmp_path / "out" / "quarantine.csv").open(newline="") as rows:
        assert list(csv.reader(rows))[1:] == [
            ["b", "there is not enough memory to draw it: lower --dpi, or draw with fewer --workers"]
        ]
