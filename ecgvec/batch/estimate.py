"""How many images a run will make, how long it will take and how much it will write, from a few records of the list.

The records are drawn in as many processes as the run will have, as far as there are records for them, so that they
contend for the machine as in the run. Nothing is written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from ecgvec.batch.jobs import Job, read_from
from ecgvec.batch.manifest import Chunk, Entry, Task
from ecgvec.batch.pool import Draw, Pool, usable_cores
from ecgvec.batch.work import plans_of
from ecgvec.errors import EcgvecError, RecordError, one_line
from ecgvec.export.storage import Place, is_of_this_process
from ecgvec.export.write import contents, select_formats, shares
from ecgvec.pipeline import render_plan
from ecgvec.planning.make import Draft, Planned, drafts, finish_plans
from ecgvec.planning.note_texts import with_terms
from ecgvec.recipe.recipe import Recipe
from ecgvec.record.model import Record

SAMPLE = 8  # records
PAGES = 2  # of each that are drawn; the others are taken to be like them
MANIFEST = "manifest"  # counts as a format
ROW = 250  # bytes of an image's rows in the manifest, besides its shares of common files


class Range(NamedTuple):
    """A number, and the number less and more one standard error of it."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """What a run over ``records`` records will be: ``images``; ``seconds`` with so many ``workers``; ``bytes`` in all,
    and by format. Of ``sampled`` records ``failed`` could not be drawn, with their ``reasons``."""

    records: int
    sampled: int
    failed: int
    workers: int
    images: Range
    seconds: Range
    bytes: Range
    bytes_by_format: dict[str, Range]
    reasons: tuple[str, ...]

    def as_json(self) -> str:
        """On one line; ranges as {"mean", "low", "high"}."""
        ranges = {name: getattr(self, name)._asdict() for name in ("images", "seconds", "bytes")}
        by_format = {name: size._asdict() for name, size in self.bytes_by_format.items()}
        return json.dumps({**asdict(self), **ranges, "bytes_by_format": by_format}, ensure_ascii=False)

    def as_text(self) -> str:
        """For people."""
        lines = [
            f"{self.records} records: {_spread(self.images, _count)} images",
            f"time with --workers {self.workers}: {_spread(self.seconds, _time)}",
            f"size: {_spread(self.bytes, _size)}",
            *(f"  {name}: {_spread(size, _size)}" for name, size in self.bytes_by_format.items()),
            f"from {self.sampled} records of the list; ranges are one standard error",
        ]
        if self.failed:
            lines.append(f"{self.failed} of them cannot be drawn: {'; '.join(self.reasons)}")
        return "\n".join(lines)


def _spread(value: Range, spoken: Callable[[float], str]) -> str:
    mean, low, high = map(spoken, value)
    return mean if low == high else f"about {mean} ({low} to {high})"


def _count(number: float) -> str:
    return f"{number:.0f}"


def _time(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def _size(number: float) -> str:
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB")):
        if number >= 1000**power:
            return f"{number / 1000**power:.2f} {unit}"
    return f"{number / 1000:.1f} kB"


@dataclass(frozen=True)
class Measured(Entry):
    """A record of the sample: seconds of one process for all of its images, and their bytes by format."""

    seconds: float = 0.0
    sizes: dict[str, float] = field(default_factory=dict)


@dataclass(eq=False)
class _Open:
    """A record under way: ``pages`` of it are drawn, ``images`` there are."""

    task: Task
    record: Record | None = None
    pages: Sequence[Draft] = ()
    images: int = 0
    preparing: float = 0.0
    drawing: list[float] = field(default_factory=list)
    sizes: list[Mapping[str, int]] = field(default_factory=list)
    fault: str = ""

    def estimate_rest(self) -> Measured:
        """The pages that were drawn stand for all."""
        number = self.task.number
        if self.fault:
            return Measured(number, "quarantined", reason=self.fault, seconds=self.preparing + sum(self.drawing))
        share = self.images / len(self.pages)
        names = dict.fromkeys(name for sizes in self.sizes for name in sizes)
        sizes = {name: share * sum(some.get(name, 0) for some in self.sizes) for name in names}
        seconds = self.preparing + share * sum(self.drawing)
        return Measured(number, "done", images=self.images, seconds=seconds, sizes=sizes)


class _Sampler:
    """Measures records of ``folder``, chunk by chunk."""

    def __init__(self, folder: Place, recipe: Recipe, header: Path | None) -> None:
        self._folder, self._recipe, self._header = folder, recipe, header
        self._formats = select_formats(recipe.output.formats_to_write)

    def draw(self, chunk: Chunk) -> Iterator[Entry]:
        """What each record takes; the first is drawn once before, for what is loaded once is not of the records."""
        self._measure(chunk[:1])
        yield from self._measure(chunk)

    def _measure(self, chunk: Sequence[Task]) -> list[Measured]:
        every = [_Open(task) for task in chunk]
        for here in every:
            _caught(here, partial(self._prepare, here))
        pages = [(here, page) for here in every for page in here.pages]
        begun = perf_counter()
        plans = plans_of([page for _, page in pages])
        writing = (perf_counter() - begun) / max(len(pages), 1)  # of notes, for all pages at once
        for (here, page), plan in zip(pages, plans, strict=True):
            _caught(here, partial(self._draw_page, here, page, plan, writing))
        return [here.estimate_rest() for here in every]

    def _prepare(self, here: _Open) -> None:
        begun, job, output = perf_counter(), here.task.job, self._recipe.output
        here.record = read_from(self._folder, job.file, self._header)
        variant = here.task.number % output.variants
        pages = drafts(
            here.record, self._recipe, path=job.path, alias=job.alias, seed=output.seed, variant=variant
        ).pages
        here.images = len(pages) * output.variants
        here.pages = pages if len(pages) <= PAGES else [pages[len(pages) // 4], pages[3 * len(pages) // 4]]
        here.preparing = perf_counter() - begun

    def _draw_page(self, here: _Open, draft: Draft, plan: Planned | None, writing: float) -> None:
        if here.record is None:
            return
        begun = perf_counter()
        sheet = render_plan(here.record, (plan or finish_plans([draft])[0]).plans[0])
        sizes: dict[str, int] = {}
        for name, files in contents(self._formats, sheet):
            sizes[name] = sizes.get(name, 0) + sum(map(len, files.values()))
        parts = {name: len(json.dumps(part)) for name, part in shares(self._formats, sheet)}
        for name, size in parts.items():
            sizes[name] = sizes.get(name, 0) + size
        if not self._recipe.output.image_only:
            sizes[MANIFEST] = ROW + sum(parts.values())
        here.drawing.append(perf_counter() - begun + writing)
        here.sizes.append(sizes)


def sampler(folder: Place, recipe: Recipe, header: Path | None) -> Draw:
    """What measures records of ``folder``, for a `Pool`."""
    return _Sampler(folder, recipe, header).draw


def _caught(here: _Open, step: Callable[[], None]) -> None:
    """Do a ``step`` of a record. Its fault is noted: the run will quarantine it."""
    if here.fault:
        return
    try:
        step()
    except EcgvecError as error:
        here.fault = str(error)
    except Exception as error:  # as in the run
        here.fault = f"unexpected {type(error).__name__}: {one_line(error)}"


def estimate(folder: Place, jobs: Sequence[Job], recipe: Recipe, workers: int, header: Path | None = None) -> Estimate:
    """What a run over ``jobs``, records of ``folder``, will be. RecordError where none of the sample can be drawn.
    Records in ``memory://``, which no other process sees, are drawn in this one."""
    recipe, _ = with_terms(recipe, forgiving=True)
    count = min(SAMPLE, len(jobs))
    tasks = [Task(at, jobs[at]) for at in (round((i + 0.5) * len(jobs) / count - 0.5) for i in range(count))]
    processes = 1 if is_of_this_process(folder) else min(workers, count)
    if is_of_this_process(folder):
        entries = list(sampler(folder, recipe, header)(tasks))
    else:
        with Pool(processes, sampler, folder, recipe, header) as pool:
            entries = list(pool.draw([tasks[i::processes] for i in range(processes)]))
    found = [entry for entry in entries if isinstance(entry, Measured)]
    failed = [entry for entry in entries if entry.state != "done"]
    if len(failed) == count:
        raise RecordError(f"none of {count} records of the sample can be drawn: {failed[0].reason}")
    left = len(entries) - len(found)  # killed their process
    images = _range([*(entry.images for entry in found), *[0.0] * left], len(jobs))
    share = 1.0
    if recipe.output.max_images is not None and images.mean > recipe.output.max_images:
        share, images = recipe.output.max_images / images.mean, Range(*[float(recipe.output.max_images)] * 3)
        workers = 1  # as in the run
    cores = usable_cores()
    pace = share / processes * min(processes, cores) / min(workers, cores)
    names = dict.fromkeys(name for entry in found for name in entry.sizes)
    sizes = {name: [entry.sizes.get(name, 0.0) for entry in found] + [0.0] * left for name in names}
    totals = [sum(values) for values in zip(*sizes.values(), strict=True)]
    return Estimate(
        records=len(jobs),
        sampled=count,
        failed=len(failed),
        workers=workers,
        images=images,
        seconds=_range([entry.seconds for entry in found], len(jobs), pace, is_exact=False),
        bytes=_range(totals, len(jobs), share),
        bytes_by_format={name: _range(values, len(jobs), share) for name, values in sizes.items()},
        reasons=tuple(dict.fromkeys(entry.reason for entry in failed)),
    )


def _range(values: Sequence[float], total: int, factor: float = 1.0, is_exact: bool = True) -> Range:
    """The sum over ``total`` records, times ``factor``, of which ``values`` are a sample without replacement. Where
    that is all of them, exact values are known of all; times are not."""
    count = len(values)
    mean = sum(values) / count
    error = 0.0
    if count > 1:
        variance = sum((value - mean) ** 2 for value in values) / (count - 1)
        error = math.sqrt(variance / count * (1 - count / total if is_exact else 1))
    middle, spread = mean * total * factor, error * total * factor
    return Range(middle, max(middle - spread, 0.0), middle + spread)
