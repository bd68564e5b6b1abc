"""Records to images, one after another; the pages of several are planned first, so that their notes are written at
once. One bad record never costs the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecgvec.batch.jobs import Job, read_from
from ecgvec.batch.manifest import Entry, Task
from ecgvec.errors import EcgvecError, ExportError, RecordError, one_line, printable
from ecgvec.export.storage import Place, Url, check_driver
from ecgvec.export.write import Saved, Writer, select_formats
from ecgvec.layout.header import fill_header, fill_text
from ecgvec.layout.style import PageStyle
from ecgvec.layout.template import load_template
from ecgvec.pipeline import render_plan
from ecgvec.planning.header import header_values
from ecgvec.planning.make import Draft, Planned, drafts, finish_plans
from ecgvec.recipe.distributions import parse_distribution
from ecgvec.recipe.recipe import Recipe, load_recipe
from ecgvec.record.model import Record, Subject

_OPENCV_NO_MEMORY = -4  # `code` of a cv2.error
PAGES = 32  # planned before their notes are written: the network is ten times as fast with a hundred notes as with five


@dataclass(eq=False)
class _Open:
    """A record with pages that wait: what was ``saved`` of it, ``messages`` for the user, and what went wrong."""

    task: Task
    record: Record | None = None
    waiting: int = 0
    is_read: bool = False  # all of its pages are drafted
    saved: list[Saved] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    skipped: str = ""
    fault: str = ""

    def entry(self) -> Entry:
        """What became of it. Images that were drawn before a fault stay, and count."""
        return Entry(
            number=self.task.number,
            state="quarantined" if self.fault else "skipped" if self.skipped else "done",
            images=len(self.saved),
            reason=self.fault or self.skipped,
            messages=tuple(self.messages),
            files=tuple(file for one in self.saved for file in one.files),
            parts=tuple(part for one in self.saved for part in one.parts),
        )


class Work:
    """Draws the records that it is given, and says of each what became of it.

    ``most``: how many images may be made in all; ``ended`` is called once for each record, in their order.
    """

    def __init__(
        self,
        folder: Place,
        recipe: Recipe,
        writer: Writer,
        ended: Callable[[Entry], None],
        header: Path | None = None,
        most: int | None = None,
    ) -> None:
        self._folder, self._recipe, self._writer, self._header = folder, recipe, writer, header
        self._ended, self._left = ended, most
        self._pages: list[tuple[_Open, Draft, int]] = []
        self._open: list[_Open] = []

    def add(self, task: Task) -> None:
        """Read and plan a record; pages are drawn as soon as there are enough. ExportError where a file cannot be
        written, which ends the run."""
        here = _Open(task)
        self._open.append(here)
        if self._is_full():
            here.skipped = "--max_num_images was reached"
        else:
            with _caught(here):
                _check_name(task.job)
                here.record = read_from(self._folder, task.job.file, self._header)
                self._draft(here, here.record)
        here.is_read = True
        self._report()

    def finish(self) -> None:
        """Draw what waits."""
        pages, self._pages = self._pages, []
        plans = plans_of([draft for _, draft, _ in pages])
        for (here, draft, variant), plan in zip(pages, plans, strict=True):
            here.waiting -= 1
            if here.fault or here.record is None:
                continue
            with _caught(here):
                planned = plan or finish_plans([draft])[0]
                here.messages += planned.messages if variant == 0 else ()
                here.saved.append(self._writer.write(render_plan(here.record, planned.plans[0])))
                if self._left is not None:
                    self._left -= 1
        self._report()

    def _draft(self, here: _Open, record: Record) -> None:
        for variant in range(self._recipe.output.variants):
            made = drafts(
                record,
                self._recipe,
                path=here.task.job.path,
                alias=here.task.job.alias,
                seed=self._recipe.output.seed,
                variant=variant,
            )
            if variant == 0:
                here.messages += made.messages
            for page in made.pages:
                if self._is_full():
                    return
                self._pages.append((here, page, variant))
                here.waiting += 1
                if len(self._pages) >= PAGES or not any(waits.asked for _, waits, _ in self._pages):
                    self.finish()

    def _is_full(self) -> bool:
        """Whether no further image may be made; what waits is drawn first, for it may fail."""
        if self._left is not None and self._left <= len(self._pages):
            self.finish()
        return self._left == 0

    def _report(self) -> None:
        while self._open and self._open[0].is_read and self._open[0].waiting == 0:
            self._ended(self._open.pop(0).entry())


def plans_of(pages: Sequence[Draft]) -> Sequence[Planned | None]:
    """The plans of these, or nothing where one of them is at fault: each alone shows which."""
    try:
        return finish_plans(pages)
    except Exception:
        return [None] * len(pages)


def drawer(
    folder: Place, recipe: Recipe, out: Place, staging: Path | None, header: Path | None, most: int | None = None
) -> Callable[[Sequence[Task]], Iterator[Entry]]:
    """What draws records of ``folder`` into ``out``, chunk by chunk; see `Work`. Each process makes its own."""
    if isinstance(folder, Url):  # a fault of this machine, not of all records
        check_driver(folder)
    writer = Writer(out, recipe.output.formats_to_write, staging)

    def draw(chunk: Sequence[Task]) -> Iterator[Entry]:
        """What became of each record, as soon as it is known."""
        ended: deque[Entry] = deque()
        work = Work(folder, recipe, writer, ended.append, header, most)
        for task in chunk:
            work.add(task)
            while ended:
                yield ended.popleft()
        work.finish()
        yield from ended

    return draw


@contextmanager
def _caught(here: _Open) -> Iterator[None]:
    """Faults of one record are its own; an output that cannot be written ends the run."""
    try:
        yield
    except ExportError:
        raise
    except EcgvecError as error:
        here.fault = str(error)
    except Exception as error:  # a fault of ours in one record must not cost the others; it is reported, not hidden
        if isinstance(error, MemoryError) or getattr(error, "code", None) == _OPENCV_NO_MEMORY:
            here.fault = "there is not enough memory to draw it: lower --dpi, or draw with fewer --workers"
        else:
            here.fault = f"unexpected {type(error).__name__}: {one_line(error)}; please report it"


def _check_name(job: Job) -> None:
    """RecordError for a name that is no text, which JSON, CSV and all other lists of images could not hold, and for one
    that would lead out of the output."""
    try:
        job.path.encode()
    except UnicodeEncodeError:
        raise RecordError(f"the name of record {printable(job.path)} is not UTF-8: rename its files") from None
    if not {"", ".", ".."}.isdisjoint(job.path.split("/")):  # names of objects may hold what no folder is called
        raise RecordError(f"record {printable(job.path)} is in no folder of that name: rename its objects")


def check_recipe(source: str, overrides: Mapping[str, Any]) -> Recipe:
    """Load a recipe and everything that it names: templates, headers, formats. EcgvecError for the first wrong one."""
    return check_names(load_recipe(source, overrides))


def check_names(recipe: Recipe) -> Recipe:
    """The recipe, and every one of its mix, once all that it names has been loaded."""
    for part in recipe.mix:
        _check_pages(part.recipe)
    _check_pages(recipe)
    select_formats(recipe.output.formats_to_write)
    return recipe


def _check_pages(recipe: Recipe) -> None:
    pages = [recipe.page]
    for name in recipe.layout.template.probes():
        if name != "auto":
            template = load_template(str(name))
            pages.append({key: parse_distribution(f"page.{key}", value) for key, value in template.page.items()})
    known = header_values(PageStyle(), (), Subject(), (0, "", 0))
    for page in pages:
        for name in page["header"].probes() if "header" in page else ():
            fill_header(str(name), known)
        for text in page["footer"].probes() if "footer" in page else ():
            fill_text(str(text), known, "footer")
