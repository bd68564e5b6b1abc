"""The native format: a strict JSON beside each image with plan, layout and labels, and dense traces in an NPZ."""

from __future__ import annotations

import hashlib
import io
import json
import math
import posixpath
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from typing import Any

import numpy as np
import orjson
from pydantic import ValidationError

from ecgvec._typing import Float64Array
from ecgvec._version import __version__
from ecgvec.errors import SourceError, one_line
from ecgvec.export.formats import FORMATS, Files, Format
from ecgvec.geometry.units import px_per_mm
from ecgvec.planning.model import Plan
from ecgvec.recipe.recipe import parse_density
from ecgvec.rendering.labels.derive import at_density, inside
from ecgvec.rendering.labels.model import (
    BeatLabel,
    GridLabel,
    Labels,
    MarkLabel,
    PulseLabel,
    QrLabel,
    TextLabel,
    TraceLabel,
    bounds,
)
from ecgvec.sheet import Sheet
from ecgvec.warp.base import Flat

PX_DECIMALS = 6  # a millionth of a pixel
NO_NUMBER = "a label lies at a place that is no number"

_JSON = orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_APPEND_NEWLINE


def _rounded(values: Float64Array) -> Float64Array:
    """``values`` as the JSON holds them; ValueError for NaN, which has no place in it."""
    rounded = values.round(PX_DECIMALS)
    if not np.isfinite(rounded).all():
        raise ValueError(NO_NUMBER)
    return rounded


def box(points: Float64Array) -> list[float]:
    """x, y, width, height of points in image pixels."""
    x0, y0, x1, y1 = bounds(points)
    if not math.isfinite(x0 + y0 + x1 + y1):
        raise ValueError(NO_NUMBER)
    return [round(v, PX_DECIMALS) for v in (x0, y0, x1 - x0, y1 - y0)]


def _trace(label: TraceLabel) -> dict[str, Any]:
    return {
        "id": label.id,
        "lead": label.lead,
        "polarity": label.polarity,
        "rhythm": label.rhythm,
        "row": label.row,
        "column": label.column,
        "first_sample": label.first_sample,
        "samples": len(label.t),
        "fs": label.fs,
        "axes": label.axes,
        "box": box(label.outline),
        "panel": _rounded(label.panel),
        "visible_samples": int(label.visible.sum()),
        "occluded_samples": int(label.occluded.sum()),
        "visible": bool(label.visible.any()),
    }


def _text(label: TextLabel) -> dict[str, Any]:
    return {
        "id": label.id,
        "role": label.role,
        "text": label.text,
        "order": label.order,
        "box": box(label.outline),
        "quad": _rounded(label.quad),
        "hull": _rounded(label.hull),
        "trace": label.trace,
        "characters": [{"character": c.character, "ring": _rounded(c.ring)} for c in label.characters],
        **({"kind": label.kind} if label.kind else {}),
        "visible": label.visible,
        "occluded": label.occluded,
    }


def _mark(label: MarkLabel) -> dict[str, Any]:
    return {
        "id": label.id,
        "kind": label.kind,
        "text": label.text,
        "trace": label.trace,
        "box": box(label.ring),
        "ring": _rounded(label.ring),
        "opaque": label.opaque,
        "visible": label.visible,
        "occluded": label.occluded,
    }


def _pulse(label: PulseLabel) -> dict[str, Any]:
    return {
        "id": label.id,
        "row": label.row,
        "mv": label.mv,
        "seconds": label.seconds,
        "gains": label.gains,
        "corners": _rounded(label.corners),
        "box": box(label.outline),
        "visible": label.visible,
        "occluded": label.occluded,
    }


def _grid(label: GridLabel | None) -> dict[str, Any] | None:
    if label is None:
        return None
    return {
        "step_mm": label.step_mm,
        "crossings": _rounded(label.crossings),
        "visible": label.visible,
        "occluded": label.occluded,
    }


def _beat(label: BeatLabel) -> dict[str, Any]:
    places = [
        {"trace": p.trace, "point": _rounded(p.point)[0], "visible": p.visible, "occluded": p.occluded}
        for p in label.places
    ]
    return {"t": round(label.t, 9), "symbol": label.symbol, "places": places}


def _qr(label: QrLabel | None) -> dict[str, Any] | None:
    if label is None:
        return None
    return {
        "text": label.text,
        "quad": _rounded(label.quad),
        "visible": label.visible,
        "occluded": label.occluded,
    }


def _labels(labels: Labels) -> dict[str, Any]:
    """Labels in image pixels. Boxes are x, y, width, height; quads run clockwise from the top left as read."""
    return {
        "page": {
            "corners": _rounded(labels.corners),
            "outline": _rounded(labels.page),
            "holes": [_rounded(hole) for hole in labels.holes],
        },
        "traces": [_trace(trace) for trace in labels.traces],
        "texts": [_text(text) for text in labels.texts],
        "pulses": [_pulse(pulse) for pulse in labels.pulses],
        "grid": _grid(labels.grid),
        "minor_grid": _grid(labels.minor),
        "qr": _qr(labels.qr),
        "marks": [_mark(mark) for mark in labels.marks],
        "beats": [_beat(beat) for beat in labels.beats],
    }


def _dense_traces(sheet: Sheet) -> tuple[TraceLabel, ...]:
    """The traces in image px, at the density that the plan asks for."""
    if sheet.plan.trace_density is None:
        return sheet.labels.traces
    number, unit = parse_density(sheet.plan.trace_density)
    per_mm = number * (px_per_mm(sheet.plan.page.style.dpi) if unit == "px" else 1.0)
    seen = inside(sheet.warp)
    found = []
    for trace in sheet.labels.traces:
        label = at_density(trace, per_mm)
        points = sheet.warp.forward(label.points)
        found.append(replace(label, points=points, visible=label.visible & seen(points)))
    return tuple(found)


def dense(sheet: Sheet) -> bytes:
    """All points of all traces as NPZ: ``ID/t`` (n,) s, ``ID/mv`` (n,) mV, ``ID/xy`` (n, 2) image px, NaN in gaps,
    ``ID/visible`` and ``ID/occluded`` (n,) bool."""
    arrays: dict[str, Any] = {}
    for trace in _dense_traces(sheet):
        arrays[f"{trace.id}/t"] = trace.t
        arrays[f"{trace.id}/mv"] = trace.mv
        arrays[f"{trace.id}/xy"] = trace.points
        arrays[f"{trace.id}/visible"] = trace.visible
        arrays[f"{trace.id}/occluded"] = trace.occluded
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def sidecar(sheet: Sheet, files: Mapping[str, bytes]) -> bytes:
    """The JSON of one image. ``files`` are the image's other files, by their paths below the output folder: they are
    listed, as seen from the JSON, with their SHA-256."""
    here = posixpath.dirname(sheet.plan.stem_path) or "."
    height, width = sheet.image.shape[:2]
    style = sheet.plan.page.style
    header = sheet.plan.header
    document = {
        "format": "ecgvec",
        "format_version": 2,
        "program_version": __version__,
        "image": {
            "width": width,
            "height": height,
            "dpi": style.dpi,
            "px_per_mm": px_per_mm(style.dpi),
            "flat": isinstance(sheet.warp, Flat),
            "homography": sheet.homography.tolist(),
        },
        "header": {
            "printed": header is not None,
            "synthetic": header is not None,
            "from_record": list(sheet.plan.header_from_record),
        },
        "plan": sheet.plan.model_dump(mode="json"),
        "layout": sheet.layout,
        "labels": _labels(sheet.labels),
        "files": {
            posixpath.relpath(name, here): hashlib.sha256(content).hexdigest()
            for name, content in sorted(files.items())
        },
    }
    return _as_json(document)


def _as_json(document: dict[str, Any]) -> bytes:
    """``document`` on one line, its keys in order."""
    try:
        return orjson.dumps(document, default=_plain, option=_JSON)
    except orjson.JSONEncodeError:  # it knows neither seeds beyond 64 bits nor file names that are no UTF-8
        text = json.dumps(
            document, default=_plain, allow_nan=False, sort_keys=True, ensure_ascii=False, separators=(",", ":")
        )
        return (text + "\n").encode("utf-8", "backslashreplace")  # such names become JSON's own escapes


def _plain(value: Any) -> Any:
    """Data classes as dictionaries, arrays and named tuples as lists, so that JSON shows boxes as arrays."""
    if is_dataclass(value):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else list(value)


def read_sidecar(text: str, name: str) -> tuple[Plan, dict[str, str]]:
    """The plan in a sidecar JSON, and its files with their SHA-256. SourceError, naming ``name``, for anything else."""
    try:
        document = json.loads(text)
        if not isinstance(document, dict) or document.get("format") != "ecgvec":
            raise SourceError(f"{name} is not a JSON that ecgvec has written beside an image: give such a file")
        if not isinstance(document.get("files"), dict):
            raise SourceError(f"{name} lacks its table of files: render the image anew")
        return Plan.model_validate(document["plan"]), document["files"]
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise SourceError(
            f"{name}: plan.{where} is wrong ({error.errors()[0]['msg']}): render the image anew"
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceError(f"{name} is not a whole sidecar JSON ({one_line(error)}): render the image anew") from None


def _files(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}.npz": dense(sheet)}


# The JSON itself is written last, by ``write``, for it lists the hashes of all other files.
FORMATS.add("json", Format("plan, layout and labels as JSON, dense traces as NPZ", _files, ending=".npz"))
