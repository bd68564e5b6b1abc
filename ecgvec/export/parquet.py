"""What a run's images are, in one table: ``metadata.parquet``, a row an image, for pandas, DuckDB or ``datasets``.

- ``file_name``: the image below the output folder, by the name of the column that ``datasets`` joins images by;
  ``key``: what its members in a shard are called, up to the first dot;
- ``record``, ``window``, ``start`` and ``seconds`` (s, from the record's start), ``variant``, ``seed``, ``recipe``,
  ``template``, ``speed`` (mm/s), ``dpi``, ``px_per_mm``, ``width`` and ``height`` (px), as in ``ecgvec.export.hf``;
- ``leads``: names of the leads in the order of the traces, a lead once for each of its pieces; ``visible_traces``: of
  how many of them the image shows something;
- ``notes``: every handwritten note: its ``kind`` and ``text``, and where the text is from: ``how`` it was chosen, the
  ``source``, its ``label`` and ``code``, each null where there is none;
- ``pixels_sha256``: of the image's RGB bytes, row by row, so that equal pictures are found however they are encoded.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import islice
from typing import Any

from ecgvec.errors import ExportError
from ecgvec.export.formats import FORMATS, Format, Streams, no_files
from ecgvec.export.tar import key
from ecgvec.geometry.units import px_per_mm
from ecgvec.sheet import Sheet

FILE = "metadata.parquet"
ROWS = 5000  # in a row group: what is held in memory at a time


def row(sheet: Sheet, stem: str) -> dict[str, Any]:
    """The row of one image. ExportError where the table could not be written at the end of the run."""
    if find_spec("pyarrow") is None:
        raise ExportError("the format parquet needs pyarrow: install it with pip install 'ecgvec[parquet]'")
    plan, style, traces = sheet.plan, sheet.plan.page.style, sheet.annotations.traces
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
