"""What a dataset gives of a page: tensors of its pixels and of the labels that were asked for.

A key of an item is one tensor or list, never a list of tensors: what a worker hands over costs an open file for each
tensor, and a page has a dozen traces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch

from ecgvec.errors import RecipeError, nearest
from ecgvec.export.coco import ADDED, CORNERED, LEADS
from ecgvec.export.instances import Instance, instances
from ecgvec.export.masks import CLASSES, mask_arrays
from ecgvec.export.yolo import NAMES, OTHER_LEAD, OTHER_MARK
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
    own = {"lead": LEADS, "added": ADDED}.get(instance.family, tuple(CORNERED))
    other = OTHER_LEAD if instance.family == "lead" else OTHER_MARK
    return NAMES.index(instance.category if instance.category in own else other)


def _traces(sheet: Sheet) -> Item:
    """The k drawn pieces of leads, one after another, N samples in all: ``trace_points`` (N, 2) float32, x and y in px
    (NaN in gaps of the record); ``trace_values`` (N, 2) float64, s from the record's start and mV as recorded;
    ``trace_visible`` and ``trace_occluded`` (N,) bool: whether the place can be seen, whether something hides it.
    ``trace_counts``, ``trace_leads``, ``trace_rows``, ``trace_rhythm``: k numbers of samples, lead names, rows from 0,
    and whether it is a rhythm strip."""
    traces = sheet.annotations.traces
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
        "fs": sheet.annotations.traces[0].fs,
        "start": sheet.plan.window.start,
    }


LABELS: dict[str, Callable[[Sheet], Item]] = {"mask": _mask, "boxes": _boxes, "traces": _traces, "signal": _signal}


def checked(labels: Iterable[str]) -> tuple[str, ...]:
    """The names of labels; RecipeError for an unknown one."""
    names = (labels,) if isinstance(labels, str) else tuple(labels)
    for name in names:
        if name not in LABELS:
            raise RecipeError(f"labels: '{name}' is unknown{nearest(name, LABELS)}")
    return names


def item_of(sheet: Sheet, labels: Iterable[str]) -> Item:
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
