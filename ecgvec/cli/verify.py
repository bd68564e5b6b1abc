"""``ecgvec verify``: does the image still hold the signal, and do its labels lie on it?"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ecgvec.verify.report import ImageReport, Pool, Report
    from ecgvec.verify.score import Score


def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Output folder of a run: images with their JSON.")],
    oracle: Annotated[
        bool, typer.Option("--oracle", help="Also fit the signal by drawing it again: the best any digitiser can do.")
    ] = False,
    tolerance: Annotated[
        float, typer.Option("--tolerance", metavar="PX", min=0.0, help="Largest label error allowed.")
    ] = 0.5,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all figures to this file.")
    ] = None,
) -> None:
    """Digitise images with their labels' geometry: SNR by lead and image, label errors, missing and changed files.

    Exit code 1 if a label is off by more than --tolerance, or a file is missing or changed.
    """
    from rich.console import Console
    from rich.progress import Progress

    from ecgvec.export.files import write_file
    from ecgvec.verify.report import as_json, verify_folder

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("images")
        report = verify_folder(
            folder,
            oracle=oracle,
            tolerance=tolerance,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if json_file is not None:
        write_file(json_file, as_json(report).encode())
    _print(report)
    if not report.good:
        raise typer.Exit(1)


def _print(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("image", "labels px", "p99 px", "quick dB", "Kaggle dB", "oracle dB", "zero leads", "wrong")
    for image in report.images:
        table.add_row(*_row(image, report.tolerance))
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table)
    for name, pool in (("quick digitiser", report.quick), ("oracle", report.oracle)):
        if pool is not None:
            typer.echo(f"{name}: {_summary(pool)}")
    wrong = sum(not image.good(report.tolerance) for image in report.images)
    typer.echo(f"{len(report.images)} images, {wrong} with something wrong (labels within {report.tolerance:g} px)")


def _row(image: ImageReport, tolerance: float) -> list[str]:
    labels = image.labels
    found = labels is not None and labels.found
    return [
        image.name,
        f"{labels.median:.2f}" if labels is not None and found else "-",
        f"{labels.p99:.2f}" if labels is not None and found else "-",
        _decibels(image.quick, "challenge"),
        _decibels(image.quick, "kaggle"),
        _decibels(image.oracle, "challenge"),
        str(sum(math.isnan(v) for v in image.quick.leads.values())) if image.quick is not None else "-",
        "; ".join(_wrong(image, tolerance)),
    ]


def _wrong(image: ImageReport, tolerance: float) -> list[str]:
    """What is wrong with an image, in words."""
    lines = [image.fault] if image.fault else []
    lines += [f"missing: {name}" for name in image.missing]
    lines += [f"changed: {name}" for name in image.changed]
    if image.labels is not None and image.off(tolerance):
        lines.append(
            f"labels off by {image.labels.worst:.2f} px"
            if image.labels.found
            else "the labels' ink is not in the image"
        )
    return lines


def _decibels(score: Score | None, rule: str) -> str:
    return "-" if score is None else f"{getattr(score, rule):.1f}"


def _summary(pool: Pool) -> str:
    low = f", below 0.4 x px/s {pool.low_median:.1f} dB" if not math.isnan(pool.low_median) else ""
    return (
        f"median {pool.median:.1f} dB, 10th percentile {pool.p10:.1f} dB{low} (Challenge rule, {pool.leads} leads, "
        f"{pool.zero_leads} all-zero left out); Kaggle rule {pool.kaggle:.1f} dB"
    )
