"""A run: every record of a folder through the pipeline, one bad record never ending it."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ecgvec
from ecgvec.batch.jobs import Job
from ecgvec.batch.work import Outcome, Work
from ecgvec.errors import ExportError, SourceError, one_line
from ecgvec.export.files import refusal, write_file
from ecgvec.export.write import Writer
from ecgvec.recipe import Recipe

RUN_FILE = "ecgvec-run.json"
QUARANTINE_FILE = "quarantine.csv"


@dataclass
class Summary:
    """What became of a run: images written, records done, records skipped and why, records quarantined and why."""

    images: int = 0
    done: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count what became of one record."""
        path = outcome.job.path
        self.images += outcome.images
        self.messages += [f"{path}: {message}" for message in outcome.messages]
        if outcome.quarantined:
            self.quarantined.append((path, outcome.quarantined))
        elif outcome.skipped:
            self.skipped.append((path, outcome.skipped))
        else:
            self.done += 1


def refuse_same_folder(source: Path, out: Path) -> None:
    """ExportError where the output folder is the input folder."""
    if out.resolve() == source.resolve():
        raise ExportError(f"the output folder {out} is the input folder: choose another with -o")


def run(
    folder: Path,
    jobs: tuple[Job, ...],
    out: Path,
    recipe: Recipe,
    header: Path | None = None,
    keep_quarantine: bool = True,
    progress: Callable[[Job, Summary], None] = lambda job, summary: None,
) -> Summary:
    """Draw all ``jobs``, records of ``folder``, into ``out``.

    A record that cannot be drawn is quarantined with the reason; an output that cannot be written ends the run
    (ExportError). ``keep_quarantine`` writes the list of those records into ``out``; ``progress`` is called after each
    record.
    """
    refuse_same_folder(folder, out)
    writer = Writer(out, recipe.output.written)
    summary = Summary()
    if not recipe.output.image_only:
        write_run_file(folder, out, recipe)

    def ended(outcome: Outcome) -> None:
        summary.add(outcome)
        progress(outcome.job, summary)

    work = Work(folder, recipe, writer, ended, header, recipe.output.max_images)
    for job in jobs:
        work.add(job)
    work.finish()
    writer.finish()
    if keep_quarantine:
        _write_quarantine(out, summary)
    return summary


def _write_quarantine(out: Path, summary: Summary) -> None:
    path = out / QUARANTINE_FILE
    if not summary.quarantined:
        try:
            path.unlink(missing_ok=True)  # of an earlier run whose faults are mended
        except OSError as error:
            raise refusal(path, error) from None
        return
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    rows.writerow(["record", "reason"])
    rows.writerows(summary.quarantined)
    write_file(path, buffer.getvalue().encode("utf-8", "backslashreplace"))


def write_run_file(folder: Path, out: Path, recipe: Recipe) -> None:
    """Say how the folder was made: the recipe, and where the input lay as seen from the output. ``replay`` reads it.

    A folder may be filled by several runs: each different one is kept.
    """
    path = out / RUN_FILE
    run = {
        "program_version": ecgvec.__version__,
        "input": Path(os.path.relpath(folder.resolve(), out.resolve())).as_posix(),
        "recipe": recipe.model_dump(mode="json"),
    }
    runs = _read_runs(path) if path.is_file() else []
    document = {"format": "ecgvec-run", "runs": [*runs, *([run] if run not in runs else [])]}
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    write_file(path, text.encode("utf-8", "backslashreplace"))


def _read_runs(path: Path) -> list[dict[str, Any]]:
    try:
        runs = list(json.loads(path.read_text(encoding="utf-8"))["runs"])
        if not all(isinstance(run["input"], str) for run in runs):
            raise TypeError("an input is no text")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceError(
            f"{path} is not a whole run file ({one_line(error)}): "
            "remove it, and say where records are with -i in a replay"
        ) from None
    return runs


def find_inputs(sidecar: Path) -> list[Path]:
    """The input folders of the runs that filled the folder of ``sidecar``, newest first, from the run file there or
    above; none where there is no run file. SourceError where it is damaged."""
    for folder in sidecar.resolve().parents:
        if (folder / RUN_FILE).is_file():
            runs = _read_runs(folder / RUN_FILE)
            return [Path(os.path.normpath(folder / run["input"])) for run in reversed(runs)]
    return []
