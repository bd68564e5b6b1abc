"""Tables of a whole run: Parquet, and the ``imagefolder`` of Hugging Face ``datasets``."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import islice
from typing import Any

import numpy as np

from ecgvec._typing import Points
from ecgvec.errors import ExportError
from ecgvec.export.coco import PX_DECIMALS, xywh
from ecgvec.export.files import key
from ecgvec.export.formats import FORMATS, Files, Format, Streams, no_files
from ecgvec.export.images import encode_png
from ecgvec.export.instances import Instance, instances
from ecgvec.export.label_json import encode_box
from ecgvec.geometry.units import px_per_mm
from ecgvec.rendering.labels.model import TextLabel, TraceLabel
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
        "bbox": encode_box(trace.outline),
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
        "bbox": encode_box(text.outline),
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
        "leads": [_lead(trace) for trace in sheet.labels.traces],
        "texts": [_text(text) for text in sheet.labels.texts],
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


FILE = "metadata.parquet"
ROWS = 5000  # in a row group: what is held in memory at a time


def row(sheet: Sheet, stem: str) -> dict[str, Any]:
    """The row of one image. ExportError where the table could not be written at the end of the run."""
    if find_spec("pyarrow") is None:
        raise ExportError("the format parquet needs pyarrow: install it with pip install 'ecgvec[parquet]'")
    plan, style, traces = sheet.plan, sheet.plan.page.style, sheet.labels.traces
    width, height = sheet.warp.size
    return {
        "file_name": f"{stem}.png",
        "key": key(stem),
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
        "leads": [trace.lead for trace in traces],
        "visible_traces": sum(bool(trace.visible.any()) for trace in traces),
        "notes": [{"kind": note.kind, "text": note.text, **note.origin.model_dump()} for note in plan.notes],
        "pixels_sha256": hashlib.sha256(sheet.image.tobytes()).hexdigest(),
    }


def _schema() -> Any:
    import pyarrow as pa

    texts, whole, real = pa.string(), pa.int64(), pa.float64()
    note = pa.struct([(name, texts) for name in ("kind", "text", "how", "source", "label", "code")])
    columns = [
        ("file_name", texts), ("key", texts), ("record", texts), ("window", whole), ("start", real), ("seconds", real),
        ("variant", whole), ("seed", whole), ("recipe", texts), ("template", texts), ("speed", real), ("dpi", real),
        ("px_per_mm", real), ("width", whole), ("height", whole), ("leads", pa.list_(texts)),
        ("visible_traces", whole), ("notes", pa.list_(note)), ("pixels_sha256", texts),
    ]  # fmt: skip
    return pa.schema(columns)


class _Pieces(io.RawIOBase):
    """A file that can be written to and read in between: what ``take`` gives is no longer held."""

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def write(self, piece: Any) -> int:
        content = bytes(piece)
        self._held.append(content)
        self._size += len(content)
        return len(content)

    def take(self) -> bytes:
        """What was written since the last time."""
        held, self._held = self._held, []
        return b"".join(held)


def _written(parts: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, file, rows = _schema(), _Pieces(), iter(parts)
    writer = pq.ParquetWriter(file, schema, compression="zstd")
    while some := list(islice(rows, ROWS)):
        writer.write_table(pa.Table.from_pylist(some, schema=schema))
        yield file.take()
    writer.close()
    yield file.take()


def table(parts: Iterable[dict[str, Any]]) -> Streams:
    """The table of all images, row group by row group."""
    return {FILE: _written(parts)}


FORMATS.add("parquet", Format("metadata.parquet: a row an image (needs pyarrow)", no_files, row, table, names_png=True))
