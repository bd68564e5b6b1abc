"""A trace's points at another density than the record's samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecgvec.render.labels.model import TraceLabel


def at_density(trace: TraceLabel, per_mm: float) -> TraceLabel:
    """A page label (in mm) with ``per_mm`` points on each mm of paper along time, on the very line that was drawn.

    ``t`` and ``mv`` are interpolated linearly, as the line itself is; gaps stay NaN. A point is occluded where the
    nearest sample is.
    """
    if not len(trace.t):
        return trace
    count = int(np.floor((trace.t[-1] - trace.t[0]) * trace.axes.speed * per_mm + 1e-9)) + 1
    t = trace.t[0] + np.arange(count) / (trace.axes.speed * per_mm)
    mv = np.interp(t, trace.t, trace.mv)
    points = trace.axes.to_page(t, mv)
    visible = np.isfinite(mv)
    if trace.clip is not None:
        with np.errstate(invalid="ignore"):
            visible &= (points[:, 1] >= trace.clip[1]) & (points[:, 1] <= trace.clip[3])
    nearest = np.clip(np.rint((t - trace.t[0]) * trace.fs).astype(np.intp), 0, len(trace.t) - 1)
    occluded = trace.occluded[nearest]
    return replace(trace, t=t, mv=mv, points=points, visible=visible & ~occluded, occluded=occluded)
