"""The native format: a strict JSON beside each image with plan, layout and labels, and dense traces in an NPZ."""

from __future__ import annotations

import hashlib
import io
import json
import posixpath
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from typing import Any

import numpy as np
import orjson

from ecgvec._version import __version__
from ecgvec.export.formats import FORMAT_NAME, FORMAT_VERSION, FORMATS, Files, Format
from ecgvec.export.label_json import encode_labels
from ecgvec.geometry.units import px_per_mm
from ecgvec.recipe.recipe import parse_density
from ecgvec.rendering.labels.derive import at_density, inside
from ecgvec.rendering.labels.model import (
    TraceLabel,
)
from ecgvec.sheet import Sheet
from ecgvec.warp.base import Flat

_JSON = orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_APPEND_NEWLINE


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
        "format": FORMAT_NAME,
        "format_version": FORMAT_VERSION,
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
        "labels": encode_labels(sheet.labels),
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


def _files(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}.npz": dense(sheet)}


# The JSON itself is written last, by ``write``, for it lists the hashes of all other files.
FORMATS.add("json", Format("plan, layout and labels as JSON, dense traces as NPZ", _files, ending=".npz"))
