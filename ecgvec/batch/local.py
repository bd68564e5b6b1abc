"""A run: every record of a folder through the pipeline, one bad record never ending it, and no work done twice."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ecgvec._version import __version__
from ecgvec.batch import shards
from ecgvec.batch.jobs import Jobs
from ecgvec.batch.manifest import Chunk, Entry, Manifest, find_lost
from ecgvec.batch.pool import Pool, Pooled
from ecgvec.batch.replay import relative_input, write_run_file
from ecgvec.batch.work import drawer
from ecgvec.errors import ExportError
from ecgvec.export.files import make_folder, refusal, remove_file, write_file
from ecgvec.export.storage import Place, is_of_this_process
from ecgvec.export.write import Writer
from ecgvec.planning.note_texts import terms_by_source, with_terms
from ecgvec.recipe.recipe import Recipe

QUARANTINE_FILE = "quarantine.csv"
CHUNK = 16  # records that a process takes at a time, at most
FEWEST = 4  # at least, where there are many: notes are written quicker for several pages at once
STAGING = ".ecgvec-"  # begins the name of the folder where files lie until they are whole
_SPOKEN = {
    "program_version": "version of ecgvec",
    "header": "header file",
    "shards": "number of records a shard",
}


@dataclass
class Summary:
    """What became of a run: images written, records done, records skipped and why, records quarantined and why."""

    images: int = 0
    done: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Progress:
    """How far a run is: ``images`` and ``records`` done in this run, of ``total`` records that there were to do."""

    images: int
    records: int
    total: int
    entry: Entry | None = None
    record: str = ""


Report = Callable[[Progress], None]
Arguments = tuple[Place, Recipe, Place, Path | None, Path | None]  # of `work.drawer`


@dataclass(frozen=True)
class RunOptions:
    """How a run is made. ``workers``: processes, 0 to draw in this one, as is always done with ``memory://``, which no
    other process sees; ``manifest``: the file that it can be resumed by (None: it cannot); ``resume``: go on with the
    run that the manifest holds, if it holds one; ``restart``: begin anew although it holds one that has not ended;
    ``rehash``: when resuming, read all files again instead of trusting their size and time; ``shards``: so many records
    go into a tar (None: files in folders); ``pool``: what the processes are, where there are any."""

    workers: int = 0
    manifest: Path | None = None
    resume: bool = False
    restart: bool = False
    rehash: bool = False
    shards: int | None = None
    pool: Pooled = Pool


IN_THIS_PROCESS = RunOptions()


def refuse_same_folder(source: Place, out: Place) -> None:
    """ExportError where the output folder is the input folder."""
    real = [place.resolve() if isinstance(place, Path) else place for place in (source, out)]
    if real[0] == real[1]:
        raise ExportError(f"the output folder {out} is the input folder: choose another with -o")


def run(
    folder: Place,
    find: Callable[[], Jobs],
    out: Place,
    recipe: Recipe,
    options: RunOptions = IN_THIS_PROCESS,
    *,
    header: Path | None = None,
    only: bool = False,
    report: Report = lambda progress: None,
) -> Summary:
    """Draw the jobs that ``find`` finds, records of ``folder``, into ``out``; a resumed run has found them already.

    A record that cannot be drawn is quarantined with the reason; an output that cannot be written ends the run
    (ExportError), as does a manifest of another run. With ``only`` it is one record that the user named: nothing is
    written of its quarantine, and a text for its notes has to be read.
    """
    refuse_same_folder(folder, out)
    if is_of_this_process(folder) or is_of_this_process(out):
        options = replace(options, workers=0)
    if options.shards is not None:
        shards.refuse_unfit(recipe.output.formats_to_write)
    is_begun = options.resume and options.manifest is not None and options.manifest.is_file()
    found = None if is_begun else find()
    make_folder(out)
    asked = _settings(folder, out, recipe, header) | {"shards": options.shards}
    with Manifest(options.manifest) as manifest:
        if found is None and not manifest.is_new:
            _resume(manifest, asked, out, options.rehash)
            recipe, _ = with_terms(recipe, known=manifest.settings()["terms"])
        else:
            _refuse_unfinished(manifest, options)
            resolved, told = with_terms(recipe, forgiving=not only)
            found = found or find()
            settings = {"asked": asked, "terms": terms_by_source(resolved), "told": told}
            manifest.begin(settings, found.jobs, found.segments)
            recipe = resolved
        if not recipe.output.image_only:
            write_run_file(folder, out, recipe)
        _draw(manifest, folder, out, recipe, options, header, report)
        summary = _summary(manifest)
        if not only:
            _write_quarantine(out, summary)
    return summary


def _settings(folder: Place, out: Place, recipe: Recipe, header: Path | None) -> dict[str, Any]:
    """What has to be the same for a run to be resumed."""
    return {
        "program_version": __version__,
        "input": relative_input(folder, out) or str(Path(str(folder)).resolve()),
        "header": None if header is None else str(header),
        "recipe": recipe.model_dump(mode="json"),
    }


def _resume(manifest: Manifest, asked: dict[str, Any], out: Place, rehash: bool) -> None:
    """Let the records of lost files wait again, and those that failed. ExportError for the run of another recipe.

    A shard is drawn as a whole: for a record in it that failed, all others would be drawn again. It is left as it is.
    """
    for name, value in manifest.settings()["asked"].items():
        if asked[name] != value:
            what = _SPOKEN.get(name, name)
            raise ExportError(
                f"the run in {out} was begun with another {what}: give the flags that it was begun with, "
                "leave --resume out to begin anew, or choose another output folder"
            )
    if asked["shards"] is None:
        manifest.again(states=("quarantined", "skipped"))
    manifest.again(numbers=find_lost(manifest.files(), out, rehash))


def _refuse_unfinished(manifest: Manifest, options: RunOptions) -> None:
    if manifest.is_new or options.restart:
        return
    counts = manifest.counts()
    if counts.get("waiting"):
        total = sum(counts.values())
        raise ExportError(
            f"{manifest.path} holds a run that stopped after {total - counts['waiting']} of {total} records: "
            "go on with it by --resume, or begin anew by --restart"
        )


def _draw(
    manifest: Manifest,
    folder: Place,
    out: Place,
    recipe: Recipe,
    options: RunOptions,
    header: Path | None,
    report: Report,
) -> None:
    """All that waits, and the files that all images share."""
    most, images, records = recipe.output.max_images, 0, 0
    total = manifest.counts().get("waiting", 0)
    if most is not None:
        most -= manifest.images()
    report(Progress(0, 0, total))
    with _staging(out) as staging:
        for group in _groups(manifest.waiting, (folder, recipe, out, staging, header), total, options, most):
            manifest.enter(group)
            for entry in group:
                images, records = images + entry.images, records + 1
                report(Progress(images, records, total, entry, manifest.path_of(entry.number)))
        Writer(out, recipe.output.formats_to_write, staging).finish(manifest.parts)
    if options.shards is not None:
        shards.finish(out, manifest.shared_files(), manifest.parts(shards.PARTS))


def _groups(
    waiting: Callable[[int], Iterator[Chunk]],
    arguments: Arguments,
    total: int,
    options: RunOptions,
    most: int | None,
) -> Iterator[Sequence[Entry]]:
    """What becomes of the jobs: of those together whose files appear together."""
    size = options.shards
    if size is None:
        yield from ([entry] for entry in _entries(waiting, arguments, total, options, most))
    else:
        workers = min(options.workers, max(1, -(-total // size)))
        yield from shards.draw_shards(waiting(size), size, arguments, workers, most, pool=options.pool)


def _entries(
    waiting: Callable[[int], Iterator[Chunk]], arguments: Arguments, total: int, options: RunOptions, most: int | None
) -> Iterator[Entry]:
    """What becomes of the jobs."""
    workers = options.workers
    if most is not None:  # one process knows how many images there are
        yield from drawer(*arguments, most=most)([task for chunk in waiting(CHUNK) for task in chunk])
    elif workers == 0:
        draw = drawer(*arguments)
        for chunk in waiting(CHUNK):
            yield from draw(chunk)
    else:
        with options.pool(min(workers, max(total, 1)), drawer, *arguments) as pool:
            yield from pool.draw(shrinking(waiting(CHUNK), total, workers))


def shrinking(chunks: Iterable[Chunk], total: int, workers: int) -> Iterator[Chunk]:
    """The ``total`` tasks of ``chunks`` in smaller and smaller ones, so that all ``workers`` end at about one time."""
    left = total
    for chunk in chunks:
        while chunk:
            least = FEWEST if total > 2 * FEWEST * workers else 1
            size = max(least, min(CHUNK, left // (4 * workers)))
            yield chunk[:size]
            left -= len(chunk[:size])
            chunk = chunk[size:]


@contextmanager
def _staging(out: Place) -> Iterator[Path | None]:
    """A folder below ``out`` for files until they are whole, and none that an earlier run was killed with. None for a
    URL: what goes there lies on the disk of the process that draws it."""
    if not isinstance(out, Path):
        yield None
        return
    try:
        for old in out.glob(f"{STAGING}*"):
            shutil.rmtree(old, ignore_errors=True)
        here = Path(tempfile.mkdtemp(prefix=STAGING, dir=out))
    except OSError as error:
        raise refusal(out, error) from None
    try:
        yield here
    finally:
        shutil.rmtree(here, ignore_errors=True)


def _summary(manifest: Manifest) -> Summary:
    return Summary(
        images=manifest.images(),
        done=manifest.counts().get("done", 0),
        skipped=[
            *manifest.jobs_in_state("skipped"),
            *((name, "it is a segment of another record") for name in manifest.segments()),
        ],
        quarantined=list(manifest.jobs_in_state("quarantined")),
        messages=[*manifest.settings()["told"], *(f"{path}: {message}" for path, message in manifest.messages())],
    )


def _write_quarantine(out: Place, summary: Summary) -> None:
    path = out / QUARANTINE_FILE
    if not summary.quarantined:
        remove_file(path)  # of an earlier run whose faults are mended
        return
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    rows.writerow(["record", "reason"])
    rows.writerows(summary.quarantined)
    write_file(path, buffer.getvalue().encode("utf-8", "backslashreplace"))
