"""What is labelled. The same classes hold labels on the page (mm) and in the image (px): ``mapped`` goes from one to
the other. Boxes travel as polygons and are bounded last; what cannot be seen says so and stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TypeVar

import numpy as np

from ecgvec._typing import BoolArray, Float64Array, Points
from ecgvec.errors import brief
from ecgvec.geometry.path import PointMap, bounds, dense_ring, extremes, pen_rims
from ecgvec.layout.place import Axes

SeenMap = Callable[[Points], BoolArray]
T = TypeVar("T")


@dataclass(frozen=True, eq=False, repr=False)
class TraceLabel:
    """One drawn piece of one lead: ``samples`` of the record from ``first_sample`` on. ``t`` (n,) s from the record's
    start, ``mv`` (n,) mV as recorded, ``points`` (n, 2): where each sample lies (NaN in gaps), ``visible`` (n,):
    whether that place can be seen. ``panel`` (4, 2):
    the corners of the lead's place on the page, ``panel_ring`` (n, 2) its outline. ``outline``: points around the ink
    whose bounds are the ink's own; ``pen`` is its width in mm.
    ``occluded`` (n,): whether something hides the place, no ink was left there, or the paper itself is gone; what is
    occluded is not visible. ``axes`` is the map between page mm and (t, mV), and ``clip`` (x0, y0, x1, y1) what the ink
    is cut to, in page mm (None: it runs free); no warp changes them."""

    id: str
    lead: str
    polarity: int
    rhythm: bool
    row: int
    column: int
    first_sample: int
    samples: int
    fs: float
    axes: Axes
    clip: tuple[float, float, float, float] | None
    t: Float64Array
    mv: Float64Array
    points: Points
    visible: BoolArray
    occluded: BoolArray
    panel: Points
    panel_ring: Points
    outline: Points
    pen: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The box of the ink: left, top, width, height."""
        return _box_of(self.outline)

    def __repr__(self) -> str:
        return f"<TraceLabel {self.id}: {self.samples} samples of {self.lead}>"

    def transform(self, function: PointMap) -> TraceLabel:
        """The label with its points sent through ``function``, but for its outline, see ``rims``."""
        ring, panel = function(self.panel_ring), function(self.panel)
        return replace(self, points=function(self.points), panel=panel, panel_ring=ring)

    def rims(self, points: Points) -> Points:
        """What is sent through a map to get the outline, where the map sends the label's points to ``points`` (n, 2).
        Round ink reaches furthest where its line does, so of ink that nothing cuts it is the pen at those four
        points."""
        if self.clip is not None or not np.isfinite(points).any():
            return self.outline
        return pen_rims(self.points[extremes(points)], self.pen)


@dataclass(frozen=True, eq=False, repr=False)
class CharacterLabel:
    """One character of a handwritten note, and the ring (n, 2) around its ink."""

    character: str
    ring: Points

    def __repr__(self) -> str:
        return f"<CharacterLabel '{self.character}'>"


@dataclass(frozen=True, eq=False, repr=False)
class TextLabel:
    """A line of text: its role (``lead-name``, ``header-text``, ``footer-text``, or ``note`` where it is handwritten),
    its string, its place in reading order, the corners (4, 2) of its ink's box (top-left, top-right, bottom-right,
    bottom-left as read), the hull (n, 2) of its ink, and points of it whose bounds are the ink's own. ``trace`` is the
    id of the trace that a lead name belongs to; ``characters`` are those of a note that have ink, in order; ``kind``
    says whether a note is a ``note``, a ``signature`` or of ``calipers`` (printed: "").
    ``occluded``: the share of the hull that something hides; at 1 it is not visible."""

    id: str
    role: str
    text: str
    order: int
    quad: Points
    hull: Points
    outline: Points
    trace: str | None = None
    characters: tuple[CharacterLabel, ...] = ()
    kind: str = ""
    visible: bool = True
    occluded: float = 0.0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The box of the ink: left, top, width, height."""
        return _box_of(self.outline)

    def __repr__(self) -> str:
        return f"<TextLabel {self.id}: {self.role} '{brief(self.text, 40)}'>"

    def transform(self, function: PointMap) -> TextLabel:
        """The label with its points sent through ``function``."""
        return replace(
            self,
            quad=function(self.quad),
            hull=function(self.hull),
            outline=function(self.outline),
            characters=tuple(replace(c, ring=function(c.ring)) for c in self.characters),
        )


@dataclass(frozen=True, eq=False, repr=False)
class MarkLabel:
    """Something that was put on the printed page (a stamp, a redaction bar, an arrow): its kind, its words, the id of
    the trace that it points out (None: no trace), and the ring (n, 2) around it. ``opaque``: nothing beneath can be
    seen. ``occluded``: the share of the ring's area that something else hides."""

    id: str
    kind: str
    text: str
    trace: str | None
    ring: Points
    opaque: bool
    visible: bool = True
    occluded: float = 0.0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The box of the ink: left, top, width, height."""
        return _box_of(self.ring)

    def __repr__(self) -> str:
        return f"<MarkLabel {self.id}: {self.kind} '{brief(self.text, 40)}'>"


@dataclass(frozen=True, eq=False, repr=False)
class PulseLabel:
    """A calibration pulse: its corners (n, 2) from foot to foot, ``mv`` high and ``seconds`` wide, and points around
    its ink, whose bounds are the ink's own. ``occluded``: the share of its length that something hides."""

    id: str
    row: int
    mv: float
    seconds: float
    gains: tuple[float, ...]
    corners: Points
    outline: Points
    visible: bool = True
    occluded: float = 0.0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The box of the ink: left, top, width, height."""
        return _box_of(self.outline)

    def __repr__(self) -> str:
        return f"<PulseLabel {self.id}: {self.mv:g} mV, {self.seconds:g} s>"


@dataclass(frozen=True, eq=False, repr=False)
class GridLabel:
    """The crossings of lines ``step_mm`` apart, (rows, columns, 2), whether each can be seen, (rows, columns), and
    whether something hides it, (rows, columns)."""

    step_mm: float
    crossings: Float64Array
    visible: BoolArray
    occluded: BoolArray

    def __repr__(self) -> str:
        return f"<GridLabel: {self.visible.shape[0]} x {self.visible.shape[1]} crossings, {self.step_mm:g} mm apart>"


@dataclass(frozen=True, eq=False, repr=False)
class QrLabel:
    """A QR code: its string, the corners (4, 2) of its modules, and the share of it that something hides."""

    text: str
    quad: Points
    visible: bool = True
    occluded: float = 0.0

    def __repr__(self) -> str:
        return f"<QrLabel '{brief(self.text, 40)}'>"


@dataclass(frozen=True, eq=False, repr=False)
class BeatPlace:
    """Where a beat lies in one trace: the trace's id, the ``point`` (1, 2), and whether it can be seen."""

    trace: str
    point: Points
    visible: bool = True
    occluded: bool = False

    def __repr__(self) -> str:
        return f"<BeatPlace in {self.trace}>"


@dataclass(frozen=True, eq=False, repr=False)
class BeatLabel:
    """One beat of the record's annotation: time in s from the record's start, WFDB symbol, and where it lies in each
    trace that shows it."""

    t: float
    symbol: str
    places: tuple[BeatPlace, ...]

    def __repr__(self) -> str:
        return f"<BeatLabel {self.symbol} at {self.t:.3f} s, in {len(self.places)} traces>"


@dataclass(frozen=True, eq=False, repr=False)
class Labels:
    """All labels of a page. ``corners`` (4, 2) are those of the whole sheet; ``page`` (n, 2) is the outline in dense
    steps of what is left of it, and ``holes`` are the outlines (n, 2) of what is missing inside; ``ink_width`` is the
    trace's width in mm. ``minor`` is the 1 mm lattice where it was asked for."""

    corners: Points
    page: Points
    holes: tuple[Points, ...]
    ink_width: float
    traces: tuple[TraceLabel, ...]
    texts: tuple[TextLabel, ...]
    pulses: tuple[PulseLabel, ...]
    grid: GridLabel | None
    minor: GridLabel | None
    qr: QrLabel | None
    marks: tuple[MarkLabel, ...]
    beats: tuple[BeatLabel, ...]

    def __repr__(self) -> str:
        kinds = {"traces": self.traces, "texts": self.texts, "marks": self.marks, "beats": self.beats}
        return f"<Labels: {', '.join(f'{len(labels)} {kind}' for kind, labels in kinds.items())}>"

    def transform(self, function: PointMap) -> Labels:
        """The same labels with every point sent through ``function``, (n, 2) -> (n, 2)."""
        moved = _at_once(self._moved, function)
        rims = [trace.rims(sent.points) for trace, sent in zip(self.traces, moved.traces, strict=True)]
        outlines = _at_once(lambda each: [each(points) for points in rims], function)
        traces = (replace(t, outline=outline) for t, outline in zip(moved.traces, outlines, strict=True))
        return replace(moved, traces=tuple(traces))

    def _moved(self, function: PointMap) -> Labels:
        """The labels sent through ``function``, but for the outlines of traces."""
        return replace(
            self,
            corners=function(self.corners),
            page=function(self.page),
            holes=tuple(function(hole) for hole in self.holes),
            traces=tuple(t.transform(function) for t in self.traces),
            texts=tuple(t.transform(function) for t in self.texts),
            pulses=tuple(replace(p, corners=function(p.corners), outline=function(p.outline)) for p in self.pulses),
            grid=_mapped_grid(self.grid, function),
            minor=_mapped_grid(self.minor, function),
            qr=replace(self.qr, quad=function(self.qr.quad)) if self.qr is not None else None,
            marks=tuple(replace(m, ring=function(m.ring)) for m in self.marks),
            beats=tuple(
                replace(b, places=tuple(replace(p, point=function(p.point)) for p in b.places)) for b in self.beats
            ),
        )

    def restrict(self, function: SeenMap) -> Labels:
        """The same labels, visible only where ``function`` ((n, 2) -> (n,) bool) says so too.

        A text, pulse, QR code or mark is visible while any part of it is; samples, crossings and beats one by one.
        """

        def any_of(points: Points) -> bool:
            if function(points).any():  # most often, and soon told
                return True
            ring = dense_ring(points)
            if function(ring).any():
                return True
            middle = ring.mean(axis=0)  # a large mark may hold the whole image within its ring
            inner = middle + (ring - middle)[:, None] * np.linspace(0, 1, 9)[None, :, None]
            return bool(function(inner.reshape(-1, 2)).any())

        return replace(
            self,
            traces=tuple(replace(t, visible=t.visible & function(t.points)) for t in self.traces),
            texts=tuple(t if any_of(t.hull) else replace(t, visible=False) for t in self.texts),
            pulses=tuple(
                p if any_of(p.corners) or function(p.outline).any() else replace(p, visible=False) for p in self.pulses
            ),
            grid=_seen_grid(self.grid, function),
            minor=_seen_grid(self.minor, function),
            qr=replace(self.qr, visible=self.qr.visible and any_of(self.qr.quad)) if self.qr is not None else None,
            marks=tuple(m if any_of(m.ring) else replace(m, visible=False) for m in self.marks),
            beats=tuple(
                replace(b, places=tuple(replace(p, visible=p.visible and bool(function(p.point)[0])) for p in b.places))
                for b in self.beats
            ),
        )


def _at_once(use: Callable[[PointMap], T], function: PointMap) -> T:
    """``use(function)``, where ``use`` sends many arrays through its map: one call of ``function`` for all of them,
    which is far cheaper. ``use`` is run once to learn what it asks for, so that must not hang on the answers."""
    asked: list[Points] = []

    def ask(points: Points) -> Points:
        asked.append(points)
        return points

    use(ask)
    if not asked:
        return use(function)
    answer = function(np.concatenate(asked))
    ends = [0, *accumulate(len(points) for points in asked)]
    answers = iter([answer[first:last] for first, last in pairwise(ends)])
    return use(lambda _: next(answers))


def _mapped_grid(grid: GridLabel | None, function: PointMap) -> GridLabel | None:
    if grid is None:
        return None
    return replace(grid, crossings=function(grid.crossings.reshape(-1, 2)).reshape(grid.crossings.shape))


def _seen_grid(grid: GridLabel | None, function: SeenMap) -> GridLabel | None:
    if grid is None:
        return None
    seen = function(grid.crossings.reshape(-1, 2)).reshape(grid.visible.shape)
    return replace(grid, visible=grid.visible & seen)


def _box_of(points: Points) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = bounds(points)
    return x0, y0, x1 - x0, y1 - y0
