"""Pages of all kinds, and the boxes of their labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ecgvec
from ecgvec.export.label_json import encode_box
from ecgvec.record.model import Lead, Record

Mask = NDArray[np.bool_]
MARGIN = 1e-6  # px: the native labels and COCO's are rounded to as much


def some_sheets(demo: Record) -> list[ecgvec.Sheet]:
    """Pages with everything on them, with one column, cut by their edge, with a border, with cut traces, and of a
    record of two leads, one of no standard name, with gaps."""

    def page(name: str, **keys: Any) -> ecgvec.Sheet:
        return ecgvec.render(Record(name, demo.fs, demo.signals, demo.leads), **keys)

    signals = demo.signals[:, :2].copy()
    signals[700:900], signals[::97], signals[2000:2001, 1] = np.nan, np.nan, np.nan
    two = Record("two", demo.fs, signals, (Lead("ECG1", "ECG1"), Lead("V5", "V5")))
    return [
        page("whole", template="3x4+1R", print_header=True, qr_code=True, chest_gain=5),
        page("column", template="12x1", dpi=150),
        page("cropped", crop=0.1, print_header=True, qr_code=True),
        page("close", crop=0.33, template="12x1"),
        page("padded", pad=12.0, template="6x2", dpi=300),
        page("cut", clip=True, gain=20, template="12x1"),
        ecgvec.render(two),
    ]


def native_boxes(sheet: ecgvec.Sheet) -> dict[str, list[float]]:
    """The boxes of everything labelled, as the native format has them."""
    labels = sheet.labels
    boxes = {label.id: encode_box(label.outline) for label in (*labels.traces, *labels.pulses)}
    boxes |= {text.id: encode_box(text.hull) for text in labels.texts}
    boxes |= {f"panel-{trace.id}": encode_box(trace.panel) for trace in labels.traces}
    return boxes if labels.qr is None else boxes | {"qr-code": encode_box(labels.qr.quad)}


def iou(a: Mask, b: Mask) -> float:
    return float((a & b).sum() / (a | b).sum())


def moved(sheet: ecgvec.Sheet, path: str) -> ecgvec.Sheet:
    """A sheet as if its record lay at ``path`` below the input folder."""
    record = sheet.plan.record.model_copy(update={"path": path})
    return replace(sheet, plan=sheet.plan.model_copy(update={"record": record}))
