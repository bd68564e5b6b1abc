"""Labels as the JSON beside an image holds them, written and read back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ecgvec._typing import Float64Array, Points
from ecgvec.geometry.path import bounds
from ecgvec.layout.place import Axes
from ecgvec.rendering.labels.model import (
    BeatLabel,
    BeatPlace,
    CharacterLabel,
    GridLabel,
    Labels,
    MarkLabel,
    PulseLabel,
    QrLabel,
    TextLabel,
    TraceLabel,
)

PX_DECIMALS = 6  # a millionth of a pixel
NO_NUMBER = "a label lies at a place that is no number"


def _rounded(values: Float64Array) -> Float64Array:
    """``values`` as the JSON holds them; ValueError for NaN, which has no place in it."""
    rounded = values.round(PX_DECIMALS)
    if not np.isfinite(rounded).all():
        raise ValueError(NO_NUMBER)
    return rounded


def encode_box(points: Float64Array) -> list[float]:
    """x, y, width, height of points in image pixels."""
    x0, y0, x1, y1 = bounds(points)
    if not math.isfinite(x0 + y0 + x1 + y1):
        raise ValueError(NO_NUMBER)
    return [round(v, PX_DECIMALS) for v in (x0, y0, x1 - x0, y1 - y0)]


def _encode_trace(label: TraceLabel) -> dict[str, Any]:
    return {
        "id": label.id,
        "lead": label.lead,
        "polarity": label.polarity,
        "rhythm": label.rhythm,
        "row": label.row,
        "column": label.column,
        "first_sample": label.first_sample,
        "samples": label.samples,
        "fs": label.fs,
        "axes": label.axes,
        "box": encode_box(label.outline),
        "panel": _rounded(label.panel),
        "visible_samples": int(label.visible.sum()),
        "occluded_samples": int(label.occluded.sum()),
        "visible": bool(label.visible.any()),
    }


def _encode_text(label: TextLabel) -> dict[str, Any]:
    return {
        "id": label.id,
        "role": label.role,
        "text": label.text,
        "order": label.order,
        "box": encode_box(label.outline),
        "quad": _rounded(label.quad),
        "hull": _rounded(label.hull),
        "trace": label.trace,
        "characters": [{"character": c.character, "ring": _rounded(c.ring)} for c in label.characters],
        **({"kind": label.kind} if label.kind else {}),
        "visible": label.visible,
        "occluded": label.occluded,
    }


def _encode_mark(label: MarkLabel) -> dict[str, Any]:
    return {
        "id": label.id,
        "kind": label.kind,
        "text": label.text,
        "trace": label.trace,
        "box": encode_box(label.ring),
        "ring": _rounded(label.ring),
        "opaque": label.opaque,
        "visible": label.visible,
        "occluded": label.occluded,
    }


def _encode_pulse(label: PulseLabel) -> dict[str, Any]:
    return {
        "id": label.id,
        "row": label.row,
        "mv": label.mv,
        "seconds": label.seconds,
        "gains": label.gains,
        "corners": _rounded(label.corners),
        "box": encode_box(label.outline),
        "visible": label.visible,
        "occluded": label.occluded,
    }


def _encode_grid(label: GridLabel | None) -> dict[str, Any] | None:
    if label is None:
        return None
    return {
        "step_mm": label.step_mm,
        "crossings": _rounded(label.crossings),
        "visible": label.visible,
        "occluded": label.occluded,
    }


def _encode_beat(label: BeatLabel) -> dict[str, Any]:
    places = [
        {"trace": p.trace, "point": _rounded(p.point)[0], "visible": p.visible, "occluded": p.occluded}
        for p in label.places
    ]
    return {"t": round(label.t, 9), "symbol": label.symbol, "places": places}


def _encode_qr(label: QrLabel | None) -> dict[str, Any] | None:
    if label is None:
        return None
    return {
        "text": label.text,
        "quad": _rounded(label.quad),
        "visible": label.visible,
        "occluded": label.occluded,
    }


def encode_labels(labels: Labels) -> dict[str, Any]:
    """The JSON of labels in image px. Boxes are x, y, width, height; quads run clockwise from the top left as read."""
    return {
        "page": {
            "corners": _rounded(labels.corners),
            "outline": _rounded(labels.page),
            "holes": [_rounded(hole) for hole in labels.holes],
        },
        "traces": [_encode_trace(trace) for trace in labels.traces],
        "texts": [_encode_text(text) for text in labels.texts],
        "pulses": [_encode_pulse(pulse) for pulse in labels.pulses],
        "grid": _encode_grid(labels.grid),
        "minor_grid": _encode_grid(labels.minor),
        "qr": _encode_qr(labels.qr),
        "marks": [_encode_mark(mark) for mark in labels.marks],
        "beats": [_encode_beat(beat) for beat in labels.beats],
    }


def _points(raw: Any) -> Points:
    """Points (n, 2); ValueError where there is none, or one lies nowhere."""
    points = np.array(raw, dtype=np.float64).reshape(-1, 2)
    if not len(points) or not np.isfinite(points).all():
        raise ValueError("a label has no place")
    return points


def _box_corners(box: Any) -> Points:
    """The corners (4, 2) of a box x, y, width, height."""
    x, y, width, height = (float(value) for value in box)
    return _points([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])


def _optional(raw: Any) -> str | None:
    return None if raw is None else str(raw)


def _decode_trace(raw: Mapping[str, Any], pen: float) -> TraceLabel:
    panel = _points(raw["panel"])
    return TraceLabel(
        id=str(raw["id"]),
        lead=str(raw["lead"]),
        polarity=int(raw["polarity"]),
        rhythm=bool(raw["rhythm"]),
        row=int(raw["row"]),
        column=int(raw["column"]),
        first_sample=int(raw["first_sample"]),
        samples=int(raw["samples"]),
        fs=float(raw["fs"]),
        axes=Axes(**raw["axes"]),
        clip=None,
        t=np.empty(0),
        mv=np.empty(0),
        points=np.empty((0, 2)),
        visible=np.empty(0, dtype=bool),
        occluded=np.empty(0, dtype=bool),
        panel=panel,
        panel_ring=panel,
        outline=_box_corners(raw["box"]),
        pen=pen,
    )


def _decode_text(raw: Mapping[str, Any]) -> TextLabel:
    return TextLabel(
        id=str(raw["id"]),
        role=str(raw["role"]),
        text=str(raw["text"]),
        order=int(raw["order"]),
        quad=_points(raw["quad"]),
        hull=_points(raw["hull"]),
        outline=_box_corners(raw["box"]),
        trace=_optional(raw["trace"]),
        characters=tuple(CharacterLabel(str(c["character"]), _points(c["ring"])) for c in raw["characters"]),
        kind=str(raw.get("kind", "")),
        visible=bool(raw["visible"]),
        occluded=float(raw["occluded"]),
    )


def _decode_mark(raw: Mapping[str, Any]) -> MarkLabel:
    return MarkLabel(
        id=str(raw["id"]),
        kind=str(raw["kind"]),
        text=str(raw["text"]),
        trace=_optional(raw["trace"]),
        ring=_points(raw["ring"]),
        opaque=bool(raw["opaque"]),
        visible=bool(raw["visible"]),
        occluded=float(raw["occluded"]),
    )


def _decode_pulse(raw: Mapping[str, Any]) -> PulseLabel:
    return PulseLabel(
        id=str(raw["id"]),
        row=int(raw["row"]),
        mv=float(raw["mv"]),
        seconds=float(raw["seconds"]),
        gains=tuple(float(gain) for gain in raw["gains"]),
        corners=_points(raw["corners"]),
        outline=_box_corners(raw["box"]),
        visible=bool(raw["visible"]),
        occluded=float(raw["occluded"]),
    )


def _decode_grid(raw: Mapping[str, Any] | None) -> GridLabel | None:
    if raw is None:
        return None
    crossings = np.array(raw["crossings"], dtype=np.float64)
    visible, occluded = (np.array(raw[key], dtype=bool) for key in ("visible", "occluded"))
    if crossings.shape != (*visible.shape, 2) or visible.shape != occluded.shape or not np.isfinite(crossings).all():
        raise ValueError(f"a grid of the shape {crossings.shape}")
    return GridLabel(float(raw["step_mm"]), crossings, visible, occluded)


def _decode_qr(raw: Mapping[str, Any] | None) -> QrLabel | None:
    if raw is None:
        return None
    return QrLabel(str(raw["text"]), _points(raw["quad"]), bool(raw["visible"]), float(raw["occluded"]))


def _decode_beat(raw: Mapping[str, Any]) -> BeatLabel:
    places = (
        BeatPlace(str(p["trace"]), _points(p["point"]), bool(p["visible"]), bool(p["occluded"])) for p in raw["places"]
    )
    return BeatLabel(float(raw["t"]), str(raw["symbol"]), tuple(places))


def decode_labels(raw: Mapping[str, Any], pen: float) -> Labels:
    """The labels of the JSON that ``encode_labels`` made; ``pen`` is the trace's width in mm. Outlines are the corners
    of their boxes, a trace's ``panel_ring`` is the corners of its panel, its ``clip`` is None, and it has no samples
    yet. KeyError, TypeError, ValueError and their like for a JSON that is not whole."""
    page = raw["page"]
    return Labels(
        corners=_points(page["corners"]),
        page=_points(page["outline"]),
        holes=tuple(_points(hole) for hole in page["holes"]),
        ink_width=pen,
        traces=tuple(_decode_trace(label, pen) for label in raw["traces"]),
        texts=tuple(_decode_text(label) for label in raw["texts"]),
        pulses=tuple(_decode_pulse(label) for label in raw["pulses"]),
        grid=_decode_grid(raw["grid"]),
        minor=_decode_grid(raw["minor_grid"]),
        qr=_decode_qr(raw["qr"]),
        marks=tuple(_decode_mark(label) for label in raw["marks"]),
        beats=tuple(_decode_beat(label) for label in raw["beats"]),
    )
