"""One item of a dataset: its page drawn, its labels as arrays, and items put together into a batch."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ecgvec.batch.jobs import find_jobs
from ecgvec.errors import RecipeError, RecordError, nearest
from ecgvec.export.coco import ADDED, LEADS, WITH_KEYPOINTS
from ecgvec.export.instances import Instance, instances
from ecgvec.export.masks import CLASSES, mask_arrays
from ecgvec.export.yolo import NAMES, OTHER_LEAD, OTHER_MARK
from ecgvec.layout.style import check_style
from ecgvec.planning.note_texts import with_terms
from ecgvec.recipe.distributions import Distribution, parse_distribution
from ecgvec.recipe.recipe import Recipe, load_mix, load_recipe
from ecgvec.record.files import find_header
from ecgvec.record.model import Record
from ecgvec.record.read import read_record
from ecgvec.sheet import Sheet

Item = dict[str, Any]
Target = Callable[[Sheet], Any]

MASK_CLASSES = tuple(kind.name for kind in CLASSES)  # by class number of ``mask``; those of the masks format
BOX_CLASSES = NAMES  # by class number of ``box_classes``; those of the YOLO format


def _mask(sheet: Sheet) -> Item:
    """``mask`` (H, W) uint8: the class of each pixel, as in the masks format. Ink keeps its class where a stain or a
    shadow hides it."""
    return {"mask": torch.from_numpy(mask_arrays(sheet)[0])}


def _boxes(sheet: Sheet) -> Item:
    """``boxes`` (n, 4) float32: x0, y0, x1, y1 in px, inside the image, of all that can be seen at least in part;
    ``box_classes`` (n,) int64; ``box_names``: n names, also of leads that have no class of their own."""
    seen = [instance for instance in instances(sheet)[0] if instance.visible]
    return {
        "boxes": torch.tensor([instance.box for instance in seen], dtype=torch.float32).reshape(-1, 4),
        "box_classes": torch.tensor([_class(instance) for instance in seen], dtype=torch.int64),
        "box_names": [instance.category for instance in seen],
    }


def _class(instance: Instance) -> int:
    """The number of its class. Each family has names of its own: a lead may be called as a mark is."""
    own = {"lead": LEADS, "added": ADDED}.get(instance.family, tuple(WITH_KEYPOINTS))
    other = OTHER_LEAD if instance.family == "lead" else OTHER_MARK
    return NAMES.index(instance.category if instance.category in own else other)


def _traces(sheet: Sheet) -> Item:
    """The k drawn pieces of leads, one after another, N samples in all: ``trace_points`` (N, 2) float32, x and y in px
    (NaN in gaps of the record); ``trace_values`` (N, 2) float64, s from the record's start and mV as recorded;
    ``trace_visible`` and ``trace_occluded`` (N,) bool: whether the place can be seen, whether something hides it.
    ``trace_counts``, ``trace_leads``, ``trace_rows``, ``trace_rhythm``: k numbers of samples, lead names, rows from 0,
    and whether it is a rhythm strip."""
    traces = sheet.labels.traces
    values = [np.column_stack([trace.t, trace.mv]) for trace in traces]
    return {
        "trace_points": torch.from_numpy(np.concatenate([trace.points for trace in traces]).astype(np.float32)),
        "trace_values": torch.from_numpy(np.concatenate(values)),
        "trace_visible": torch.from_numpy(np.concatenate([trace.visible for trace in traces])),
        "trace_occluded": torch.from_numpy(np.concatenate([trace.occluded for trace in traces])),
        "trace_counts": [len(trace.t) for trace in traces],
        "trace_leads": [trace.lead for trace in traces],
        "trace_rows": [trace.row for trace in traces],
        "trace_rhythm": [trace.rhythm for trace in traces],
    }


def _signal(sheet: Sheet) -> Item:
    """``signal`` (samples, leads) float32: mV of the page's window, whole, NaN where the record has no value;
    ``signal_leads``: the columns' names; ``fs``: samples a second; ``start``: s from the record's start."""
    return {
        "signal": torch.from_numpy(sheet.signals.astype(np.float32)),
        "signal_leads": list(sheet.signal_leads),
        "fs": sheet.labels.traces[0].fs,
        "start": sheet.plan.window.start,
    }


LABELS: dict[str, Callable[[Sheet], Item]] = {"mask": _mask, "boxes": _boxes, "traces": _traces, "signal": _signal}


def check_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """The names of labels; RecipeError for an unknown one."""
    names = (labels,) if isinstance(labels, str) else tuple(labels)
    for name in names:
        if name not in LABELS:
            raise RecipeError(f"labels: '{name}' is unknown{nearest(name, LABELS)}")
    return names


def make_item(sheet: Sheet, labels: Iterable[str]) -> Item:
    """``image`` (3, H, W) uint8 RGB, ``size`` (2,) int64 H and W, ``name`` of the page (record's path and number of the
    window), ``window``, ``epoch``, and the labels."""
    pixels = torch.from_numpy(np.ascontiguousarray(sheet.image.transpose(2, 0, 1)))
    plan = sheet.plan
    item: Item = {
        "image": pixels,
        "size": torch.tensor(pixels.shape[1:]),
        "name": f"{plan.record.path}-{plan.window.index}",
        "window": plan.window.index,
        "epoch": plan.variant,
    }
    for label in labels:
        item |= LABELS[label](sheet)
    return item


OneRecord = Record | str | os.PathLike[str]


@dataclass(frozen=True)
class Entry:
    """A record, or where it lies. ``key``: what its random streams are keyed by; None: its name."""

    source: Record | Path
    key: str | None

    @property
    def name(self) -> str:
        """What warnings call it."""
        return self.source.name if isinstance(self.source, Record) else str(self.source)

    def read(self) -> Record:
        """The record; RecordError where it cannot be read."""
        return self.source if isinstance(self.source, Record) else read_record(self.source)


def find_entries(records: OneRecord | Sequence[OneRecord]) -> tuple[Entry, ...]:
    """The records of a folder, sorted by their paths below it, which key their streams as in ``ecgvec batch``; or the
    record or records that are given, in their order, keyed by their names as in ``ecgvec.render``. A name that comes
    again is numbered, ``100 (2)``, lest pages of two records be drawn alike. RecordError where there is no record."""
    if isinstance(records, str | os.PathLike):
        folder = Path(records)
        if folder.is_dir():
            return tuple(Entry(folder / job.file, job.path) for job in find_jobs(folder, folder, False).jobs)
        find_header(folder)
    given = [records] if isinstance(records, Record | str | os.PathLike) else list(records)
    if not given:
        raise RecordError("no record was given: give a folder, paths of records, or Records")
    seen: Counter[str] = Counter()
    found = []
    for one in given:
        source = one if isinstance(one, Record) else Path(one)
        name = source.name.removesuffix(".hea")
        seen[name] += 1
        found.append(Entry(source, f"{name} ({seen[name]})" if seen[name] > 1 else None))
    return tuple(found)


def resolve_recipe(recipe: Recipe | str | Mapping[str, Any], dpi: float | None) -> Recipe:
    """The recipe of that name, or mix of such, with ``dpi`` laid upon it (None: its own), and with the terms that its
    notes take from a text, which is read now, once. EcgvecError where one of these is wrong."""
    if not isinstance(recipe, Recipe):
        keys = {} if dpi is None else {"page.dpi": dpi}
        recipe = load_mix(recipe, keys) if isinstance(recipe, Mapping) else load_recipe(recipe, keys)
    elif dpi is not None:
        check_style("page", "dpi", dpi)
        recipe = _with_dpi(recipe, parse_distribution("page.dpi", dpi))
    return with_terms(recipe)[0]


def _with_dpi(recipe: Recipe, dpi: Distribution) -> Recipe:
    mix = tuple(part.model_copy(update={"recipe": _with_dpi(part.recipe, dpi)}) for part in recipe.mix)
    return recipe.model_copy(update={"page": recipe.page if mix else {**recipe.page, "dpi": dpi}, "mix": mix})


FILL = 255  # of padded pixels of images: white, as blank paper is
IGNORE = 255  # the class of padded pixels of masks: give it to a loss as ``ignore_index``


def collate(batch: Sequence[dict[str, Any]], multiple: int = 1) -> dict[str, Any]:
    """A batch of items, for DataLoader's ``collate_fn``.

    Pages stand at the top left, so that px coordinates stay true, and are padded on the right and below to the greatest
    height and width, rounded up to a ``multiple`` of px: ``image`` (B, 3, H, W) uint8 with ``FILL``, ``mask`` (B, H, W)
    uint8 with ``IGNORE``. ``sizes`` (B, 2) int64 are the pages' own heights and widths. All else is a list of B.
    """
    if multiple < 1:
        raise ValueError(f"multiple is {multiple}: give a number of px of at least 1")
    sizes = torch.stack([item["size"] for item in batch])
    height, width = (-(-side // multiple) * multiple for side in sizes.amax(dim=0).tolist())
    joined: dict[str, Any] = {}
    for key in batch[0]:
        values = [item[key] for item in batch]
        if key in ("image", "mask"):
            joined[key] = _padded(values, height, width, FILL if key == "image" else IGNORE)
        elif key == "size":
            joined["sizes"] = sizes
        else:
            joined[key] = values
    return joined


def _padded(planes: Sequence[torch.Tensor], height: int, width: int, fill: int) -> torch.Tensor:
    """Tensors (..., h, w) of one kind as one (B, ..., height, width)."""
    whole = planes[0].new_full((len(planes), *planes[0].shape[:-2], height, width), fill)
    for place, plane in zip(whole, planes, strict=True):
        place[..., : plane.shape[-2], : plane.shape[-1]] = plane
    return whole
