"""Progress while a run goes on, and its summary."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import typer

from ecgvec.batch.jobs import Jobs
from ecgvec.batch.local import IN_THIS_PROCESS, QUARANTINE_FILE, Report, RunOptions, Summary, run
from ecgvec.batch.local import Progress as RunProgress
from ecgvec.errors import RecordError, printable
from ecgvec.export.storage import Place
from ecgvec.recipe.recipe import Recipe

SHOWN = 10  # lines of each kind; the rest is counted


def run_with_progress(
    folder: Place,
    find: Callable[[], Jobs],
    out: Place,
    recipe: Recipe,
    options: RunOptions = IN_THIS_PROCESS,
    *,
    header: Path | None = None,
    only: bool = False,
    json_log: bool = False,
) -> None:
    """Run, show progress on standard error, print the summary; exit code 1 if any record failed, 130 if interrupted.

    With ``only`` the run is of one record that the user named: its failure is an error of its own. With ``json_log``
    standard error has a line of JSON for each record instead of a bar.
    """
    with json_lines() if json_log else progress_bar() as report:
        try:
            summary = run(folder, find, out, recipe, options, header=header, only=only, report=report)
        except KeyboardInterrupt:
            cure = "go on by --resume" if options.manifest else "it cannot be resumed"
            typer.echo(f"ecgvec: interrupted; what is in {out} is whole: {cure}", err=True)
            raise typer.Exit(130) from None
    if only and summary.quarantined:
        raise RecordError(summary.quarantined[0][1])
    print_summary(summary, out)
    if summary.quarantined:
        raise typer.Exit(1)


@contextmanager
def progress_bar() -> Iterator[Report]:
    """A bar with images a second and the time left, where standard error is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    begun = monotonic()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("records", total=None)

        def report(now: RunProgress) -> None:
            rate = now.images / max(monotonic() - begun, 1e-9)
            text = f"{now.images} images, {rate:.1f}/s"
            bar.update(task, total=now.total, completed=now.records, description=text)

        yield report


@contextmanager
def json_lines() -> Iterator[Report]:
    """A line of JSON on standard error for each record, and one at the start."""
    begun = monotonic()

    def report(now: RunProgress) -> None:
        line: dict[str, Any] = {"seconds": round(monotonic() - begun, 3), "images": now.images, "records": now.records}
        line |= {"total": now.total}
        if now.entry is not None:
            line |= {"record": now.record, "state": now.entry.state, "reason": now.entry.reason}
        typer.echo(json.dumps(line, ensure_ascii=False), err=True)

    yield report


def print_summary(summary: Summary, out: Place) -> None:
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
