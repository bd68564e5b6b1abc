"""Progress while a run goes on, and its summary."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import typer

from ecgvec.batch.jobs import Job, Jobs
from ecgvec.batch.local import QUARANTINE_FILE, Summary, run
from ecgvec.errors import RecordError, printable
from ecgvec.recipe import Recipe

SHOWN = 10  # lines of each kind; the rest is counted


def run_with_progress(
    folder: Path, found: Jobs, out: Path, recipe: Recipe, header: Path | None = None, only: bool = False
) -> None:
    """Run, show progress on standard error, print the summary; exit code 1 if any record failed.

    With ``only`` the run is of one record that the user named: its failure is an error of its own.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("records", total=len(found.jobs))

        def advance(job: Job, summary: Summary) -> None:
            bar.update(task, advance=1, description=f"{summary.images} images")

        summary = run(folder, found.jobs, out, recipe, header, keep_quarantine=not only, progress=advance)
    summary.skipped += [(name, "it is a segment of another record") for name in found.segments]
    if only and summary.quarantined:
        raise RecordError(summary.quarantined[0][1])
    print_summary(summary, out)
    if summary.quarantined:
        raise typer.Exit(1)


def print_summary(summary: Summary, out: Path) -> None:
    """Done, skipped, quarantined, and what the user needs to know of the records."""
    _say(f"{_count(summary.images, 'image')} of {_count(summary.done, 'record')} in {out}")
    _some(summary.messages)
    if summary.skipped:
        _say(f"skipped: {_count(len(summary.skipped), 'record')}")
        for reason, count in Counter(reason for _, reason in summary.skipped).items():
            _say(f"  {count}: {reason}")
    if summary.quarantined:
        _say(f"quarantined: {_count(len(summary.quarantined), 'record')}, see {out / QUARANTINE_FILE}")
        _some([f"{name}: {reason}" for name, reason in summary.quarantined])


def _say(line: str) -> None:
    typer.echo(printable(line))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _some(lines: list[str]) -> None:
    for line in lines[:SHOWN]:
        _say(f"  {line}")
    if len(lines) > SHOWN:
        _say(f"  and {len(lines) - SHOWN} more")
