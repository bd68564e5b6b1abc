"""EcgImages and EcgStream: pages that are drawn as they are asked for."""

from __future__ import annotations

import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal

import cv2
import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from ecgvec.datasets.items import (
    LABELS,
    Entry,
    Item,
    OneRecord,
    Target,
    check_labels,
    find_entries,
    make_item,
    resolve_recipe,
)
from ecgvec.errors import EcgvecError, RecipeError, one_line
from ecgvec.pipeline import render_plan
from ecgvec.planning.make import Draft, drafts, finish_plans
from ecgvec.planning.model import Plan
from ecgvec.recipe.recipe import Recipe
from ecgvec.record.model import Record
from ecgvec.rng import stream
from ecgvec.sheet import Sheet

Windows = Literal["all", "first"]

AHEAD = 16  # pages that a stream plans at once, for the network writes many notes in little more time than one
_SLOTS = 256  # workers that count what they leave out without getting in one another's way


@dataclass(frozen=True)
class _Page:
    """A page that waits for its notes to be written."""

    entry: Entry
    record: Record
    draft: Draft


def _shared(numbers: torch.Tensor) -> torch.Tensor:
    """``numbers`` in memory that workers share with this process."""
    return numbers.share_memory_()  # type: ignore[no-untyped-call, no-any-return]


class _Pages:
    """What both datasets have: records, recipe, seed, labels, and the epoch, in memory that workers share."""

    def __init__(
        self,
        records: OneRecord | Sequence[OneRecord],
        recipe: Recipe | str | Mapping[str, Any] = "clean",
        seed: int = 0,
        dpi: float | None = None,
        *,
        labels: Iterable[str] = tuple(LABELS),
        target: Target | None = None,
        windows: Windows = "all",
    ) -> None:
        if windows not in ("all", "first"):
            raise RecipeError(f"windows is {windows!r}: write 'all' or 'first'")
        self._entries = find_entries(records)
        self._recipe = resolve_recipe(recipe, dpi)
        self._seed, self._labels, self._target, self._windows = seed, check_labels(labels), target, windows
        self._epoch = _shared(torch.zeros(1, dtype=torch.int64))
        self._settled = False

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_settled": False}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A plain pickle holds the numbers; to a worker goes the shared memory itself, which is shared already.
        shared = {key: _shared(value) for key, value in state.items() if isinstance(value, torch.Tensor)}
        self.__dict__.update(state | shared)

    @property
    def epoch(self) -> int:
        """The epoch whose pages are drawn."""
        return int(self._epoch.item())

    def set_epoch(self, epoch: int) -> None:
        """Draw the pages of ``epoch``, from 0, from here on. Call it before the loader is iterated; persistent workers
        hear it too."""
        if epoch < 0:
            raise ValueError(f"epoch is {epoch}: count from 0")
        self._epoch[0] = epoch

    def _settle(self) -> None:
        """A worker keeps to one thread: there is a worker for each core."""
        if not self._settled and get_worker_info() is not None:
            # 0 and not 1, at which OpenCV waits for its threads to end: a forked worker does not have them, for ever.
            cv2.setNumThreads(0)
            threadpool_limits(1)
            self._settled = True

    def _drafts(self, entry: Entry, epoch: int) -> list[_Page]:
        """All pages of a record in ``epoch``."""
        record = entry.read()
        pages = drafts(record, self._recipe, path=entry.key, seed=self._seed, variant=epoch).pages
        return [_Page(entry, record, page) for page in (pages if self._windows == "all" else pages[:1])]

    def _finished(self, item: Item, sheet: Sheet) -> Item:
        return item if self._target is None else {**item, "target": self._target(sheet)}


class EcgImages(_Pages, Dataset[Item]):
    """Pages of ECG records by number, drawn when asked for. Nothing is written to disk, but that reading a record from
    files lays a header of a few lines into the temporary folder; Records that were read before need none.

    ``records``: a folder, a record's path, a Record, or a list of paths or Records. ``recipe``: a Recipe, its name, or
    a mix of names with weights. ``dpi``: px an inch, stronger than the recipe's. ``labels``: of "mask", "boxes",
    "traces" and "signal"; what an item holds is told in ``items.LABELS`` and docs/torch.md. ``target``: a function
    of the Sheet whose result is the item's "target". ``windows``: all pages of a record, or the "first" alone.

    The page of a number depends on the seed, the epoch and the record, and on nothing else. Epoch e draws what
    ``ecgvec.render(record, recipe, seed=seed, window=k, variant=e)`` draws. Where chance decides how many seconds a
    page shows, records have other numbers of pages in other epochs: the length stays that of epoch 0, and as many pages
    are taken, spread evenly over the record.

    An item that cannot be drawn raises: RecordError where the record is at fault. Records are opened to count their
    pages when the length is first asked for, unless ``windows`` is "first"; one that cannot be read counts as one page.
    """

    _ends: list[int] | None = None  # of each record, the number of pages up to its last
    _recent: tuple[int, int, list[_Page]] | None = None  # the record that was drafted last, its epoch, its pages

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_recent": None}

    def __len__(self) -> int:
        return self._counted()[-1] if self._windows == "all" else len(self._entries)

    def __getitem__(self, index: int) -> Item:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Item]:
        """The items of a batch, whose handwritten notes are written in one pass of the network."""
        self._settle()
        pages = [self._page(int(index), self.epoch) for index in indices]
        plans = [planned.plans[0] for planned in finish_plans([page.draft for page in pages])]
        items = []
        for page, plan in zip(pages, plans, strict=True):
            sheet = render_plan(page.record, plan)
            items.append(self._finished(make_item(sheet, self._labels), sheet))
        return items

    def _page(self, index: int, epoch: int) -> _Page:
        length = len(self)
        if not -length <= index < length:
            raise IndexError(f"there are {length} pages: choose 0 to {length - 1}, not {index}")
        index %= length
        number = bisect_right(self._counted(), index) if self._windows == "all" else index
        if self._recent is None or self._recent[:2] != (number, epoch):
            self._recent = (number, epoch, self._drafts(self._entries[number], epoch))
        pages = self._recent[2]
        if self._windows == "first":
            return pages[0]
        ends = self._counted()
        first = ends[number - 1] if number else 0
        return pages[(index - first) * len(pages) // (ends[number] - first)]

    def _counted(self) -> list[int]:
        if self._ends is None:
            self._ends = list(accumulate(self._count(entry) for entry in self._entries))
        return self._ends

    def _count(self, entry: Entry) -> int:
        try:
            return len(self._drafts(entry, 0))
        except EcgvecError:
            return 1  # which raises this error when it is asked for


class EcgStream(_Pages, IterableDataset[Item]):
    """The same pages as of `EcgImages`, each once an epoch, one after another; the arguments are the same.

    Records are dealt out to the workers of the DataLoader, and before that to the ``world`` processes of a training on
    several devices, of which this is number ``rank``. ``shuffle``: records come in another order in each epoch, by
    the seed; the pages of one follow one another. Nothing is counted ahead, so there is no length, and processes may
    have different numbers of pages.

    A record, or page, that cannot be drawn is left out with a warning; ``left_out`` counts them over all workers.
    """

    def __init__(
        self,
        records: OneRecord | Sequence[OneRecord],
        recipe: Recipe | str | Mapping[str, Any] = "clean",
        seed: int = 0,
        dpi: float | None = None,
        *,
        labels: Iterable[str] = tuple(LABELS),
        target: Target | None = None,
        windows: Windows = "all",
        shuffle: bool = True,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        super().__init__(records, recipe, seed, dpi, labels=labels, target=target, windows=windows)
        if not 0 <= rank < world:
            raise ValueError(f"rank is {rank} of a world of {world}: count processes from 0")
        self._shuffle, self._rank, self._world = shuffle, rank, world
        self._left_out = _shared(torch.zeros(_SLOTS, dtype=torch.int64))

    @property
    def skipped(self) -> int:
        """How many records and pages could not be drawn, in all epochs so far, in this process and its workers."""
        return int(self._left_out.sum())

    def __iter__(self) -> Iterator[Item]:
        self._settle()
        epoch, info = self.epoch, get_worker_info()
        worker, workers = (info.id, info.num_workers) if info is not None else (0, 1)
        order = list(range(len(self._entries)))
        if self._shuffle:
            stream(self._seed, "", epoch, "torch/order").shuffle(order)
        for pages in self._groups(order[self._rank * workers + worker :: self._world * workers], epoch):
            for page, plan in self._planned(pages):
                try:
                    sheet = render_plan(page.record, plan)
                    item = make_item(sheet, self._labels)
                except Exception as error:  # of one page of very many: it is counted and told, and costs no training
                    self._leave_out(page.entry, error)
                    continue
                yield self._finished(item, sheet)

    def _groups(self, numbers: Iterable[int], epoch: int) -> Iterator[list[_Page]]:
        """Pages whose notes are to be written together; those before the first that has any come alone."""
        waiting: list[_Page] = []
        for number in numbers:
            try:
                pages = self._drafts(self._entries[number], epoch)
            except Exception as error:
                self._leave_out(self._entries[number], error)
                continue
            for page in pages:
                waiting.append(page)
                if len(waiting) == AHEAD or not any(one.draft.asked for one in waiting):
                    yield waiting
                    waiting = []
        if waiting:
            yield waiting

    def _planned(self, pages: Sequence[_Page]) -> Iterator[tuple[_Page, Plan]]:
        try:
            together = finish_plans([page.draft for page in pages])
        except Exception:
            together = []  # one of them is at fault: each alone shows which
        for i, page in enumerate(pages):
            try:
                plan = (together[i] if together else finish_plans([page.draft])[0]).plans[0]
            except Exception as error:
                self._leave_out(page.entry, error)
                continue
            yield page, plan

    def _leave_out(self, entry: Entry, error: Exception) -> None:
        info = get_worker_info()
        self._left_out[(info.id if info is not None else 0) % _SLOTS] += 1
        reason = str(error)
        if not isinstance(error, EcgvecError):
            reason = f"unexpected {type(error).__name__}: {one_line(error)}; please report it"
        warnings.warn(f"{entry.name} is left out ({self.skipped} so far): {reason}", RuntimeWarning, stacklevel=2)
