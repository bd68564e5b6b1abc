"""Hugging Face ``datasets``: a folder for ``load_dataset("imagefolder", data_dir=OUT/hf)``.

The convention is that of https://huggingface.co/docs/datasets/image_dataset and image_load: images, and beside them a
``metadata.jsonl`` with a line an image, ``file_name`` and further columns; ``objects`` is as in its chapter on object
detection. All lines have the same keys with values of the same types, and no null or NaN.

    hf/train/metadata.jsonl
    hf/train/NAME-K.png, or FOLDER~1NAME-K.png where records lie in folders

The library looks for words like ``train``, ``test`` or ``val`` in the names of folders and, failing that, of files, and
sorts the files into splits by them; an image of a record called ``test`` or from a folder ``training`` would be parted
from its metadata, which is then lost without a word. One folder ``train`` and none in it leaves nothing to be guessed.
So the ``/`` in an image's path is written ``~1`` and ``~`` as ``~0``, as in JSON pointers (RFC 6901).

Columns, lengths in image px, (0, 0) being the top-left corner of the top-left pixel, boxes x, y, width, height:

- ``record``, ``window``, ``start`` and ``seconds`` (s, from the record's start), ``variant``, ``seed``, ``recipe``,
  ``template``, ``speed`` (mm/s), ``dpi``, ``px_per_mm``, ``width``, ``height``;
- ``leads``: every piece of a lead, seen or not, as in the JSON of the native format: ``bbox`` is that of all its ink,
  ``panel`` the corners of its place, ``gain`` in mm/mV;
- ``texts``: every text likewise, with its corners ``quad``; ``trace`` is the id of the lead that it names, or empty;
- ``objects``: parallel lists ``id``, ``categories``, ``bbox``, ``area`` (px²) and ``keypoints`` (x, y, v; none for
  traces) of what the image shows of traces, texts, pulses, QR code and panels: the instances of
  ``ecgvec.export.coco``, cut at the image's edge;
- ``hidden``: how many things have no object because nothing of them is seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from ecgvec._typing import Points
from ecgvec.export.coco import PX_DECIMALS, xywh
from ecgvec.export.formats import FORMATS, Files, Format, Streams
from ecgvec.export.images import encode_png
from ecgvec.export.instances import Instance, instances
from ecgvec.export.native import box
from ecgvec.geometry.units import px_per_mm
from ecgvec.render.labels.model import TextLabel, TraceLabel
from ecgvec.sheet import Sheet

FOLDER = "hf/train"


def file_name(stem: str) -> str:
    """The image's name inside its folder."""
    return stem.replace("~", "~0").replace("/", "~1") + ".png"


def _points(points: Points) -> list[list[float]]:
    rows: list[list[float]] = np.round(points, PX_DECIMALS).tolist()
    return rows


def _lead(trace: TraceLabel) -> dict[str, Any]:
    return {
        "id": trace.id,
        "lead": trace.lead,
        "polarity": trace.polarity,
        "rhythm": trace.rhythm,
        "row": trace.row,
        "column": trace.column,
        "first_sample": trace.first_sample,
        "samples": len(trace.t),
        "fs": float(trace.fs),
        "gain": float(trace.axes.gain),
        "bbox": box(trace.outline),
        "panel": _points(trace.panel),
        "visible": bool(trace.visible.any()),
    }


def _text(text: TextLabel) -> dict[str, Any]:
    return {
        "id": text.id,
        "role": text.role,
        "text": text.text,
        "order": text.order,
        "trace": text.trace or "",
        "bbox": box(text.outline),
        "quad": _points(text.quad),
        "visible": text.visible,
    }


def _objects(found: list[Instance]) -> dict[str, list[Any]]:
    return {
        "id": [instance.id for instance in found],
        "categories": [instance.category for instance in found],
        "bbox": [xywh(instance.box) for instance in found],
        "area": [round(float(instance.shape.area), PX_DECIMALS) for instance in found],
        "keypoints": [[] if instance.keypoints is None else _points(instance.keypoints) for instance in found],
    }


def metadata(sheet: Sheet, stem: str) -> dict[str, Any]:
    """The line of one image."""
    plan, style = sheet.plan, sheet.plan.page.style
    found, hidden = instances(sheet)
    width, height = sheet.warp.size
    return {
        "file_name": file_name(stem),
        "record": plan.record.path,
        "window": plan.window.index,
        "start": float(plan.window.start),
        "seconds": float(plan.page.seconds),
        "variant": plan.variant,
        "seed": plan.seed,
        "recipe": plan.recipe,
        "template": plan.page.template,
        "speed": float(style.speed),
        "dpi": float(style.dpi),
        "px_per_mm": px_per_mm(style.dpi),
        "width": width,
        "height": height,
        "leads": [_lead(trace) for trace in sheet.annotations.traces],
        "texts": [_text(text) for text in sheet.annotations.texts],
        "objects": _objects(found),
        "hidden": len(hidden),
    }


def metadata_file(parts: Iterable[dict[str, Any]]) -> Streams:
    """The lines of all images in one file."""
    lines = (json.dumps(part, allow_nan=False, ensure_ascii=False) + "\n" for part in parts)
    return {f"{FOLDER}/metadata.jsonl": (line.encode("utf-8", "backslashreplace") for line in lines)}


def _image(sheet: Sheet, stem: str) -> Files:
    return {f"{FOLDER}/{file_name(stem)}": encode_png(sheet.image, sheet.plan.page.style.dpi)}


FORMATS.add(
    "hf", Format("a folder for Hugging Face datasets: images and metadata.jsonl", _image, metadata, metadata_file)
)
