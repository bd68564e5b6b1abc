"""What goes wrong with the pen that writes the traces."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
import shapely
from pydantic import Field

from ecgvec._typing import BoolArray, Float64Array, Points
from ecgvec.components import Seed, key, register
from ecgvec.geometry.affine import Affine
from ecgvec.geometry.path import Box, dash_line, lines, runs
from ecgvec.graphics.shapes import Shape
from ecgvec.layout.place import TraceInfo
from ecgvec.marks.base import MARKS, PenFault
from ecgvec.marks.strokes import Share, measure_along
from ecgvec.warp.parts import generator

DASH_DECIMALS = 2  # of mm: an SVG's six digits hold such a dash on a strip of ten metres
INK_SHARE = 0.95  # of a line, which gaps and the pen's round ends may take
LEAST_MM = 0.02  # of a dash

Shift = Annotated[float, Field(ge=-5, le=5, allow_inf_nan=False, json_schema_extra={"unit": "mm"})]


def _of_trace(seed: int, trace: Shape) -> np.random.Generator:
    """The generator for one trace: each has gaps of its own."""
    return generator((seed + zlib.crc32(trace.id.encode())) % 2**63)


@register(MARKS)
class BrokenTrace(PenFault):
    """The pen skips: a share of the line is missing, in gaps that come in clusters; samples without ink are
    ``occluded``."""

    kind: Literal["broken-trace"] = "broken-trace"
    amount: float = key(0.1, "Share of the line that is missing.", ge=0, le=0.6)
    length: float = key(2.0, "Mean length of a gap.", "mm", ge=0.5, le=30)
    traces: Share = key(1.0, "Share of the traces that are hit.")
    seed: Seed = 0

    def write(self, trace: Shape, info: TraceInfo) -> tuple[Shape, ...]:
        """The same path by a pen with dashes, which begin anew after every gap of the record; ``inked`` tells which
        samples have ink."""
        rng = _of_trace(self.seed, trace)
        if rng.random() >= self.traces:
            return (trace,)
        drawn = lines(trace.path, 1.0)
        longest = max((float(measure_along(line)[-1]) for line in drawn), default=0.0)
        gaps = self._gaps(rng, longest, trace.pen.width)
        if trace.pen.dash:
            gaps = np.concatenate([gaps, _gaps_of(trace.pen.dash)])
        dash = _dash(gaps, longest)
        if not dash:
            return (trace,)
        pieces = [piece for line in drawn for piece in dash_line(line, dash)]
        ink = shapely.MultiLineString(pieces)
        shapely.prepare(ink)
        finite = np.flatnonzero(np.isfinite(info.points).all(axis=1))
        inked = np.zeros(len(info.points), dtype=bool)
        inked[finite] = np.concatenate([_on_dash(line, dash) for line in runs(info.points)])
        bare = finite[~inked[finite]]  # but for those that the ends of dashes reach, which are round
        inked[bare] = shapely.dwithin(ink, shapely.points(info.points[bare]), trace.pen.width / 2)
        return (replace(trace, pen=replace(trace.pen, dash=dash), info=replace(info, inked=inked)),)

    def _gaps(self, rng: np.random.Generator, long: float, width: float) -> Float64Array:
        """Starts and ends (n, 2) mm of the gaps in a line ``long`` mm long, without its two ends. A gap is longer than
        what it leaves bare: the ends of the ink are round."""
        bare = self.length * rng.lognormal(0, 0.5, int(3 * self.amount * long / self.length) + 8)
        bare = bare[: int(np.searchsorted(np.cumsum(bare), self.amount * long)) + 1]
        bare[-1] -= max(0.0, bare.sum() - self.amount * long)
        bare = np.minimum(bare[bare > LEAST_MM], 0.5 * long)
        while len(bare) and bare.sum() + width * len(bare) > INK_SHARE * long:
            bare = bare[:-1]
        free = rng.gamma(0.7, 1.0, len(bare) + 1) + 0.02
        free *= (long - bare.sum() - width * len(bare)) / free.sum()
        starts = np.cumsum(free[:-1]) + np.cumsum(bare + width) - (bare + width)
        return np.column_stack([starts, starts + bare + width])


def _on_dash(line: Points, dash: tuple[float, ...]) -> BoolArray:
    """Which points of a line (n, 2) lie on a dash, not in a gap."""
    return np.asarray(np.searchsorted(np.cumsum(dash), measure_along(line), side="right") % 2 == 0)


def _gaps_of(dash: tuple[float, ...]) -> Float64Array:
    """The gaps (n, 2) mm of a dash array, once through."""
    ends = np.cumsum(dash)
    return np.column_stack([ends[::2], ends[1::2]])


def _dash(gaps: Float64Array, long: float) -> tuple[float, ...]:
    """Gaps (n, 2) mm, which may overlap, as lengths on and off in turn; none where there is no gap. The last one off
    follows beyond ``long`` mm, so that nothing comes twice."""
    found: list[float] = []
    at = 0.0
    for start, end in np.round(gaps[np.argsort(gaps[:, 0])], DASH_DECIMALS).tolist():
        if found and start - at < LEAST_MM:
            longer = max(0.0, round(end - at, DASH_DECIMALS))
            found[-1] = round(found[-1] + longer, DASH_DECIMALS)
        elif end - start >= LEAST_MM:
            found += [round(max(start - at, LEAST_MM), DASH_DECIMALS), round(end - start, DASH_DECIMALS)]
        at = round(sum(found), DASH_DECIMALS)
    rest = round(long - at + 1.0, DASH_DECIMALS)
    return (*found, max(rest, 1.0), 1.0) if found else ()


@register(MARKS)
class DoubleTrace(PenFault):
    """Struck twice: a fainter trace lies beneath, a little aside; it has no label."""

    kind: Literal["double-trace"] = "double-trace"
    dx: Shift = key(0.45, "Shift to the right.")
    dy: Shift = key(0.35, "Shift downwards.")
    strength: float = key(0.4, "Density of the fainter trace.", ge=0.02, le=1)
    traces: Share = key(1.0, "Share of the traces that are hit.")
    seed: Seed = 0

    def write(self, trace: Shape, info: TraceInfo) -> tuple[Shape, ...]:
        """The trace as it is, and its ghost."""
        if _of_trace(self.seed, trace).random() >= self.traces:
            return (trace,)
        x, y = round(self.dx, 4), round(self.dy, 4)
        clip = trace.clip
        moved = None if clip is None else Box(clip.x0 + x, clip.y0 + y, clip.x1 + x, clip.y1 + y)
        ghost = Shape(
            f"{trace.id}-ghost",
            "trace-ghost",
            trace.path.transform(Affine.translate(x, y)).round(),
            replace(trace.pen, opacity=round(self.strength, 4)),
            {"of": trace.id},
            clip=moved,
        )
        return trace, ghost
