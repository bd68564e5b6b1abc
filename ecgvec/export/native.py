"""The native format: a strict JSON beside each image with plan, layout and labels, and dense traces in an NPZ."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

import ecgvec
from ecgvec.annotations.model import Annotations, TraceLabel, bounds
from ecgvec.errors import SourceError
from ecgvec.export.formats import FORMATS, Files, Format
from ecgvec.plan.model import Plan
from ecgvec.sheet import Sheet
from ecgvec.units import px_per_mm

PX_DECIMALS = 6  # a millionth of a pixel


def _rounded(values: NDArray[np.float64]) -> Any:
    return np.round(values, PX_DECIMALS).tolist()


def _box(points: NDArray[np.float64], pad: float = 0.0) -> list[float]:
    """x, y, width, height of points in image pixels."""
    x0, y0, x1, y1 = bounds(points, pad)
    return [round(v, PX_DECIMALS) for v in (x0, y0, x1 - x0, y1 - y0)]


def _trace(label: TraceLabel, ink_px: float) -> dict[str, Any]:
    return {
        "id": label.id,
        "lead": label.lead,
        "polarity": label.polarity,
        "rhythm": label.rhythm,
        "row": label.row,
        "column": label.column,
        "first_sample": label.first_sample,
        "samples": len(label.t),
        "box": _box(label.points, ink_px / 2),
        "panel": _rounded(label.panel),
    }


def _labels(labels: Annotations, dpi: float) -> dict[str, Any]:
    """Labels in image pixels. Boxes are x, y, width, height; quads run clockwise from the top left as read."""
    grid, qr = labels.grid, labels.qr
    return {
        "page": _rounded(labels.page),
        "traces": [_trace(trace, labels.ink_width * px_per_mm(dpi)) for trace in labels.traces],
        "texts": [
            {"id": t.id, "role": t.role, "text": t.text, "box": _box(t.quad), "quad": _rounded(t.quad)}
            for t in labels.texts
        ],
        "pulses": [
            {
                "id": p.id,
                "row": p.row,
                "mv": p.mv,
                "seconds": p.seconds,
                "gains": list(p.gains),
                "corners": _rounded(p.corners),
                "box": _box(p.corners),
            }
            for p in labels.pulses
        ],
        "grid": None if grid is None else {"step_mm": grid.step_mm, "crossings": _rounded(grid.crossings)},
        "qr": None if qr is None else {"text": qr.text, "quad": _rounded(qr.quad)},
    }


def dense(labels: Annotations) -> bytes:
    """All samples of all traces as NPZ: ``ID/t`` (n,) s, ``ID/mv`` (n,) mV, ``ID/xy`` (n, 2) image px, NaN in gaps."""
    arrays: dict[str, Any] = {}
    for trace in labels.traces:
        arrays[f"{trace.id}/t"] = trace.t
        arrays[f"{trace.id}/mv"] = trace.mv
        arrays[f"{trace.id}/xy"] = trace.points
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def sidecar(sheet: Sheet, files: Mapping[str, bytes]) -> bytes:
    """The JSON of one image. ``files`` are the image's other files: they are listed with their SHA-256."""
    height, width = sheet.image.shape[:2]
    style = sheet.plan.page.style
    header = sheet.plan.header
    document = {
        "format": "ecgvec",
        "format_version": 1,
        "program_version": ecgvec.__version__,
        "image": {"width": width, "height": height, "dpi": style.dpi, "px_per_mm": px_per_mm(style.dpi)},
        "header": {
            "printed": header is not None,
            "synthetic": header is not None,
            "from_record": list(sheet.plan.header_from_record),
        },
        "plan": sheet.plan.model_dump(mode="json"),
        "layout": _plain(asdict(sheet.layout)),
        "labels": _labels(sheet.annotations, style.dpi),
        "files": {
            name.rsplit("/", 1)[-1]: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())
        },
    }
    return (json.dumps(document, allow_nan=False, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _plain(value: Any) -> Any:
    """Named tuples as lists, so that JSON shows boxes as arrays."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def read_sidecar(text: str, name: str) -> tuple[Plan, dict[str, str]]:
    """The plan in a sidecar JSON, and its files with their SHA-256. SourceError, naming ``name``, for anything else."""
    try:
        document = json.loads(text)
        if not isinstance(document, dict) or document.get("format") != "ecgvec":
            raise SourceError(f"{name} is not a JSON that ecgvec has written beside an image: give such a file")
        return Plan.model_validate(document["plan"]), dict(document["files"])
    except (json.JSONDecodeError, KeyError) as error:
        raise SourceError(f"{name} is not a whole sidecar JSON ({error}): render the image anew") from None
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise SourceError(
            f"{name}: plan.{where} is wrong ({error.errors()[0]['msg']}): render the image anew"
        ) from None


def _files(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}.npz": dense(sheet.annotations)}


# The JSON itself is written last, by ``write``, for it lists the hashes of all other files.
FORMATS.add("json", Format("plan, layout and labels as JSON, dense traces as NPZ", _files))
