"""``ecgvec batch``: a folder of records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ecgvec.commands.flagged import MixText, PrintRecipe, RecipeName, flagged_recipe, print_recipe
from ecgvec.commands.flags import with_flags
from ecgvec.errors import RecipeError


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
    beside = None if loaded.output.image_only else out / MANIFEST  # the images and nothing beside them
    options = RunOptions(workers or usable_cores(), manifest or beside, resume, restart, rehash)
    run_with_progress(
        source, lambda: find_jobs(source, out, loaded.output.anonymous_names), out, loaded, options, json_log=json_log
    )


command = with_flags(batch)
