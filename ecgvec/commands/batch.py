"""``ecgvec batch``: a folder of records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ecgvec.commands.flagged import flagged_recipe
from ecgvec.commands.flags import with_flags


def batch(
    source: Annotated[
        Path, typer.Option("-i", "--input", help="Folder of WFDB records; folders inside it are mirrored.")
    ],
    out: Annotated[Path, typer.Option("-o", "--output", help="Output folder.")],
    flags: dict[str, Any],
    recipe: Annotated[
        str, typer.Option("--recipe", help="Recipe: a name or a .toml file (see `ecgvec recipes list`).")
    ] = "clean",
) -> None:
    """Draw every record of a folder."""
    from ecgvec.batch.jobs import find_jobs
    from ecgvec.batch.local import refuse_same_folder
    from ecgvec.commands.report import run_with_progress

    loaded = flagged_recipe(recipe, flags)
    refuse_same_folder(source, out)
    found = find_jobs(source, out, loaded.output.anonymous_names)
    run_with_progress(source, found, out, loaded)


command = with_flags(batch)
