"""``ecgvec single``: one record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ecgvec.cli.flagged import MixText, PrintRecipe, RecipeName, flagged_recipe, print_recipe
from ecgvec.cli.flags import with_flags


def single(
    source: Annotated[
        Path, typer.Option("-i", "--input", help="A record: without extension, its header or signal file.")
    ],
    out: Annotated[Path, typer.Option("-o", "--output", help="Output folder.")],
    flags: dict[str, Any],
    header_file: Annotated[
        Path | None, typer.Option("-hea", "--header-file", help="The header, where it lies elsewhere than the signals.")
    ] = None,
    recipe: RecipeName = None,
    mix: MixText = None,
    print_only: PrintRecipe = False,
) -> None:
    """Draw one record."""
    from ecgvec.batch.jobs import Job, Jobs, anonymous_name
    from ecgvec.cli.report import run_with_progress
    from ecgvec.record.files import find_header

    loaded = flagged_recipe(recipe, mix, flags)
    if print_only:
        print_recipe(loaded)
        return
    name = (header_file if header_file is not None else find_header(source)).stem
    alias = anonymous_name(0) if loaded.output.anonymous_names else None
    job = Job(path=name, file=source.name, alias=alias)
    run_with_progress(source.parent, lambda: Jobs((job,), ()), out, loaded, header=header_file, only=True)


command = with_flags(single)
