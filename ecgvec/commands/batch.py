"""``ecgvec batch``: a folder of records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ecgvec.commands.flagged import MixText, PrintRecipe, RecipeName, flagged_recipe, print_recipe
from ecgvec.commands.flags import with_flags


def batch(
    source: Annotated[
        Path, typer.Option("-i", "--input", help="Folder of WFDB records; folders inside it are mirrored.")
    ],
    out: Annotated[Path, typer.Option("-o", "--output", help="Output folder.")],
    flags: dict[str, Any],
    recipe: RecipeName = None,
    mix: MixText = None,
    print_only: PrintRecipe = False,
) -> None:
    """Draw every record of a folder."""
    from ecgvec.batch.jobs import find_jobs
    from ecgvec.batch.local import refuse_same_folder
    from ecgvec.commands.report import run_with_progress

    loaded = flagged_recipe(recipe, mix, flags)
    if print_only:
        print_recipe(loaded)
        return
    refuse_same_folder(source, out)
    found = find_jobs(source, out, loaded.output.anonymous_names)
    run_with_progress(source, found, out, loaded)


command = with_flags(batch)
