"""``ecgvec batch``: a folder of records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecgvec.commands.flagged import MixText, PrintRecipe, RecipeName, flagged_recipe, print_recipe
from ecgvec.commands.flags import with_flags
from ecgvec.errors import RecipeError, printable

if TYPE_CHECKING:
    from ecgvec.recipe import Recipe


def batch(
    source: Annotated[
        Path, typer.Option("-i", "--input", help="Folder of WFDB records; folders inside it are mirrored.")
    ],
    out: Annotated[Path, typer.Option("-o", "--output", help="Output folder.")],
    flags: dict[str, Any],
    recipe: RecipeName = None,
    mix: MixText = None,
    print_only: PrintRecipe = False,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes that draw.", show_default="the usable cores")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in the output folder: draw what is missing or damaged.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew although the run in the output folder has not ended.")
    ] = False,
    rehash: Annotated[
        bool, typer.Option("--rehash", help="With --resume, read all files again instead of trusting size and time.")
    ] = False,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", help="The file that says what is done.", show_default="in OUTPUT")
    ] = None,
    shards: Annotated[
        int | None,
        typer.Option("--shards", min=1, metavar="SIZE", help="Into WebDataset tars, of so many records each."),
    ] = None,
    plan_only: Annotated[
        bool,
        typer.Option(
            "--plan-only",
            help="Say how many images, how long and how many gigabytes, from a few records; write nothing. With "
            "--json-log: as JSON.",
        ),
    ] = False,
    json_log: Annotated[
        bool, typer.Option("--json-log", help="A line of JSON for each record on standard error, instead of a bar.")
    ] = False,
) -> None:
    """Draw every record of a folder."""
    from ecgvec.batch.jobs import find_jobs
    from ecgvec.batch.local import RunOptions, refuse_same_folder
    from ecgvec.batch.manifest import MANIFEST
    from ecgvec.batch.pool import usable_cores
    from ecgvec.commands.report import run_with_progress

    loaded = flagged_recipe(recipe, mix, flags)
    if print_only:
        print_recipe(loaded)
        return
    refuse_same_folder(source, out)
    if resume and restart:
        raise RecipeError("--resume and --restart contradict one another: give one of them")
    if plan_only:
        _plan(source, out, loaded, workers or usable_cores(), shards, json_log)
        return
    # With the images and nothing beside them, and where nobody is to learn the records' names, which it holds.
    is_hidden = loaded.output.image_only or loaded.output.anonymous_names
    if resume and is_hidden and manifest is None:
        raise RecipeError(
            "--resume needs --manifest FILE with --image_only and --anonymous-names, from the first run on"
        )
    beside = None if is_hidden else out / MANIFEST
    options = RunOptions(workers or usable_cores(), manifest or beside, resume, restart, rehash, shards)
    run_with_progress(
        source, lambda: find_jobs(source, out, loaded.output.anonymous_names), out, loaded, options, json_log=json_log
    )


def _plan(source: Path, out: Path, recipe: Recipe, workers: int, shards: int | None, as_json: bool) -> None:
    """What the run would be, on standard output."""
    from ecgvec.batch.estimate import estimate
    from ecgvec.batch.jobs import find_jobs
    from ecgvec.batch.shards import refuse_unfit

    if shards is not None:
        refuse_unfit(recipe.output.written)
    jobs = find_jobs(source, out, recipe.output.anonymous_names).jobs
    found = estimate(source, jobs, recipe, workers)
    for line in [found.as_json()] if as_json else found.as_text().splitlines():
        typer.echo(printable(line))


command = with_flags(batch)
