"""What is labelled. The same classes hold labels on the page (mm) and in the image (px): ``mapped`` goes from one to
the other. Boxes travel as polygons and are bounded last."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ecgvec.geometry.path import PointMap, Points


@dataclass(frozen=True, eq=False)
class TraceLabel:
    """One drawn piece of one lead. ``t`` (n,) s from the record's start, ``mv`` (n,) mV as recorded, ``points``
    (n, 2): where each sample lies (NaN in gaps). ``panel`` (4, 2): the corners of the lead's place on the page."""

    id: str
    lead: str
    polarity: int
    rhythm: bool
    row: int
    column: int
    first_sample: int
    t: NDArray[np.float64]
    mv: NDArray[np.float64]
    points: Points
    panel: Points


@dataclass(frozen=True, eq=False)
class TextLabel:
    """A line of text: its role (``lead-name``, ``header-text``, ``footer-text``), its string, and the corners (4, 2)
    of its ink's box: top-left, top-right, bottom-right, bottom-left as read."""

    id: str
    role: str
    text: str
    quad: Points


@dataclass(frozen=True, eq=False)
class PulseLabel:
    """A calibration pulse: its corners (n, 2), ``mv`` high and ``seconds`` wide."""

    id: str
    row: int
    mv: float
    seconds: float
    gains: tuple[float, ...]
    corners: Points


@dataclass(frozen=True, eq=False)
class GridLabel:
    """The crossings of the 5 mm lines, (rows, columns, 2)."""

    step_mm: float
    crossings: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class QrLabel:
    """A QR code: its string and the corners (4, 2) of its modules."""

    text: str
    quad: Points


@dataclass(frozen=True, eq=False)
class Annotations:
    """All labels of a page. ``page`` is the paper's corners (4, 2); ``ink_width`` is the trace's width in mm."""

    page: Points
    ink_width: float
    traces: tuple[TraceLabel, ...]
    texts: tuple[TextLabel, ...]
    pulses: tuple[PulseLabel, ...]
    grid: GridLabel | None
    qr: QrLabel | None

    def mapped(self, function: PointMap) -> Annotations:
        """The same labels with every point sent through ``function``, (n, 2) -> (n, 2)."""
        grid, qr = self.grid, self.qr
        if grid is not None:
            flat = function(grid.crossings.reshape(-1, 2))
            grid = replace(grid, crossings=flat.reshape(grid.crossings.shape))
        return replace(
            self,
            page=function(self.page),
            traces=tuple(replace(t, points=function(t.points), panel=function(t.panel)) for t in self.traces),
            texts=tuple(replace(t, quad=function(t.quad)) for t in self.texts),
            pulses=tuple(replace(p, corners=function(p.corners)) for p in self.pulses),
            grid=grid,
            qr=replace(qr, quad=function(qr.quad)) if qr is not None else None,
        )


def bounds(points: Points, pad: float = 0.0) -> tuple[float, float, float, float]:
    """(x0, y0, x1, y1) of points (n, 2), NaN left out, widened by ``pad`` on all sides."""
    x0, y0 = np.nanmin(points, axis=0) - pad
    x1, y1 = np.nanmax(points, axis=0) + pad
    return float(x0), float(y0), float(x1), float(y1)
