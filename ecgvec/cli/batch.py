"""``ecgvec batch``: a folder of records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecgvec.cli.flagged import MixText, PrintRecipe, RecipeName, SetKeys, load_flagged_recipe, print_recipe
from ecgvec.cli.flags import with_flags
from ecgvec.errors import RecipeError, printable
from ecgvec.export.storage import Place, is_of_this_process, place

if TYPE_CHECKING:
    from ecgvec.batch.pool import Pooled
    from ecgvec.recipe.recipe import Recipe


WHERE = "PATH|URL"


class Engine(StrEnum):
    """Where processes draw."""

    LOCAL = "local"
    RAY = "ray"


Input = Annotated[
    str,
    typer.Option(
        "-i", "--input", metavar=WHERE, help="Folder of WFDB records, or a URL. The output mirrors its folders."
    ),
]
Output = Annotated[str, typer.Option("-o", "--output", metavar=WHERE, help="Output folder, or a URL.")]
_CORES = "the usable cores, or the cluster's"
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes that draw.", show_default=_CORES)]
On = Annotated[Engine, typer.Option("--engine", help="Draw on this machine, or on all nodes of a Ray cluster.")]
_CLUSTER = "RAY_ADDRESS, or the one running on this machine"
Address = Annotated[
    str | None,
    typer.Option("--address", metavar="HOST:PORT", help="The cluster for --engine ray.", show_default=_CLUSTER),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the run in the output folder: draw what is missing or damaged.")
]
Restart = Annotated[
    bool, typer.Option("--restart", help="Begin again, even if the run in the output folder has not ended.")
]
Rehash = Annotated[
    bool, typer.Option("--rehash", help="With --resume, read all files again instead of trusting size and time.")
]
_DONE = "The file that says what is done; needed if the output is a URL."
ManifestFile = Annotated[str | None, typer.Option("--manifest", metavar="FILE", help=_DONE, show_default="in OUTPUT")]
Shards = Annotated[
    int | None, typer.Option("--shards", min=1, metavar="SIZE", help="Write WebDataset tars of this many records each.")
]
_ESTIMATE = "Estimate images, time and gigabytes from a few records; write nothing. With --json-log: as JSON."
PlanOnly = Annotated[bool, typer.Option("--plan-only", help=_ESTIMATE)]
JsonLog = Annotated[
    bool, typer.Option("--json-log", help="Write a line of JSON for each record to standard error, instead of a bar.")
]


def batch(
    source: Input,
    out: Output,
    flags: dict[str, Any],
    recipe: RecipeName = None,
    mix: MixText = None,
    sets: SetKeys = None,
    print_only: PrintRecipe = False,
    workers: Workers = None,
    engine: On = Engine.LOCAL,
    address: Address = None,
    resume: Resume = False,
    restart: Restart = False,
    rehash: Rehash = False,
    manifest: ManifestFile = None,
    shards: Shards = None,
    plan_only: PlanOnly = False,
    json_log: JsonLog = False,
) -> None:
    """Draw every record of a folder."""
    from ecgvec.batch.jobs import find_jobs
    from ecgvec.batch.local import RunOptions, refuse_same_folder
    from ecgvec.batch.pool import usable_cores
    from ecgvec.cli.report import run_with_progress

    loaded = load_flagged_recipe(recipe, mix, flags, sets)
    if print_only:
        print_recipe(loaded)
        return
    folder, goal = _reachable(source), _reachable(out)
    refuse_same_folder(folder, goal)
    if resume and restart:
        raise RecipeError("--resume and --restart contradict one another: give one of them")
    if address is not None and engine is not Engine.RAY:
        raise RecipeError("--address is that of a Ray cluster: give --engine ray as well, or leave it out")
    if plan_only:
        if engine is Engine.RAY:
            raise RecipeError("--plan-only measures on this machine alone: leave --engine ray out")
        _plan(folder, goal, loaded, workers or usable_cores(), shards, json_log)
        return
    held = _manifest(manifest, goal, resume, loaded)
    with _processes(engine, address) as (cores, pool):
        options = RunOptions(workers or cores, held, resume, restart, rehash, shards, pool)
        run_with_progress(
            folder,
            lambda: find_jobs(folder, goal, loaded.output.anonymous_names),
            goal,
            loaded,
            options,
            json_log=json_log,
        )


def _reachable(text: str) -> Place:
    found = place(text)
    if is_of_this_process(found):
        raise RecipeError(f"{found} is empty when a program begins, and gone when it ends: give a folder or a bucket")
    return found


def _manifest(given: str | None, out: Place, resume: bool, recipe: Recipe) -> Path | None:
    """The file that says what is done, if there is to be one."""
    from ecgvec.batch.manifest import MANIFEST

    if given is not None:
        found = place(given)
        if not isinstance(found, Path):
            raise RecipeError(f"--manifest {given} is a URL: give a file on a disk of this machine, which is locked")
        return found
    # With the images and nothing beside them, and where nobody is to learn the records' names, which it holds.
    if recipe.output.image_only or recipe.output.anonymous_names:
        if resume:
            raise RecipeError(
                "--resume needs --manifest FILE with --image_only and --anonymous-names, from the first run on"
            )
        return None
    if isinstance(out, Path):
        return out / MANIFEST
    raise RecipeError(f"the output is {out}: say with --manifest FILE where on this machine to note what is done")


@contextmanager
def _processes(engine: Engine, address: str | None) -> Iterator[tuple[int, Pooled]]:
    """How many cores there are to draw with, and what draws with them."""
    if engine is Engine.RAY:
        from ecgvec.batch.ray.cluster import connect
        from ecgvec.batch.ray.engine import RayPool

        with connect(address) as cores:
            yield cores, RayPool
    else:
        from ecgvec.batch.pool import Pool, usable_cores

        yield usable_cores(), Pool


def _plan(source: Place, out: Place, recipe: Recipe, workers: int, shards: int | None, as_json: bool) -> None:
    """What the run would be, on standard output."""
    from ecgvec.batch.estimate import estimate
    from ecgvec.batch.jobs import find_jobs
    from ecgvec.batch.shards import refuse_unfit

    if shards is not None:
        refuse_unfit(recipe.output.formats_to_write)
    jobs = find_jobs(source, out, recipe.output.anonymous_names).jobs
    found = estimate(source, jobs, recipe, workers)
    for line in [found.as_json()] if as_json else found.as_text().splitlines():
        typer.echo(printable(line))


command = with_flags(batch)
