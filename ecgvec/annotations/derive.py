"""From a scene to its labels, by role, before any pixel exists."""

from __future__ import annotations

import numpy as np

from ecgvec.annotations.model import Annotations, GridLabel, PulseLabel, QrLabel, TextLabel, TraceLabel
from ecgvec.geometry.path import Points
from ecgvec.layout.place import PULSE_SECONDS, Box, Layout
from ecgvec.scene.grid import MAJOR_MM, crossings
from ecgvec.scene.nodes import PulseInfo, Scene, TextInfo, TraceInfo


def corners(box: Box | tuple[float, float, float, float]) -> Points:
    """The corners (4, 2) of a box, clockwise from the top left."""
    x0, y0, x1, y1 = box
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], dtype=np.float64)


def _trace(mark_id: str, info: TraceInfo) -> TraceLabel:
    panel = info.panel
    return TraceLabel(
        id=mark_id,
        lead=panel.lead,
        polarity=panel.polarity,
        rhythm=panel.rhythm,
        row=panel.row,
        column=panel.column,
        first_sample=info.first,
        t=info.t,
        mv=info.mv,
        points=info.points,
        panel=corners(panel.box),
    )


def _pulse(mark_id: str, info: PulseInfo) -> PulseLabel:
    pulse = info.pulse
    return PulseLabel(mark_id, pulse.row, 1.0, PULSE_SECONDS, pulse.gains, np.array(info.corners, dtype=np.float64))


def derive(scene: Scene, layout: Layout, ink_width: float) -> Annotations:
    """The labels of a page, in page millimetres."""
    traces, texts, pulses = [], [], []
    grid: GridLabel | None = None
    qr: QrLabel | None = None
    for mark in scene.marks():
        if isinstance(mark.info, TraceInfo):
            traces.append(_trace(mark.id, mark.info))
        elif isinstance(mark.info, TextInfo):
            texts.append(TextLabel(mark.id, mark.role, mark.info.text, corners(mark.info.ink)))
        elif isinstance(mark.info, PulseInfo):
            pulses.append(_pulse(mark.id, mark.info))
        elif mark.role == "grid-major":
            grid = GridLabel(float(MAJOR_MM), crossings(layout))
        elif mark.role == "qr-code":
            qr = QrLabel(mark.data["text"], corners(mark.path.bounds()))
    page = corners((0.0, 0.0, scene.width, scene.height))
    return Annotations(page, ink_width, tuple(traces), tuple(texts), tuple(pulses), grid, qr)
