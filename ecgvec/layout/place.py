"""Where everything on a page goes, in millimetres; and the axes of each trace."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, FiniteFloat

from ecgvec._typing import BoolArray, Float64Array, Points
from ecgvec.errors import TemplateError
from ecgvec.geometry.path import Box
from ecgvec.layout.style import PAPERS, ROLLS, PageStyle
from ecgvec.layout.template import Rows, split_slot

SIDE_MARGIN = 5.0  # least white, or empty grid, left and right of the traces
EDGE_MARGIN = 4.0  # least distance of header and footer from the paper's edge
PULSE_SECONDS = 0.2
PULSE_FOOT = 1.0  # baseline drawn before and after the pulse
PULSE_GAP = 3.0  # from the pulse's last foot to the trace
FOOTER_HEIGHT = 8.0
QR_SIZE = 16.0
LEAST_PITCH, LARGEST_PITCH = 7.0, 45.0
BASELINE_SHARE = 0.55  # of a row's height, from its top: QRS complexes reach further up than down
BAR_HALF_HEIGHT = 3.5
ROLL_PITCH = 30.0  # height of a row where the paper is as long as one likes


class PageSpec(BaseModel):
    """What stands on a page: the leads of each row, the rhythm strips, the style, the seconds shown, and the height
    of the band that the header takes. Nothing is left to chance."""

    model_config = ConfigDict(frozen=True)

    template: str
    rows: Rows
    rhythm: tuple[str, ...]
    style: PageStyle
    seconds: FiniteFloat
    header_height: FiniteFloat = 0.0
    header_over_grid: bool = False

    @property
    def columns(self) -> int:
        """Number of lead columns."""
        return max((len(row) for row in self.rows), default=1)


@dataclass(frozen=True)
class Panel:
    """The place of one piece of one lead: x = ``x0`` at ``start`` seconds of the page, y = ``baseline`` at 0 mV."""

    lead: str
    polarity: int
    rhythm: bool
    row: int
    column: int
    box: Box
    baseline: float
    start: float
    seconds: float
    gain: float

    @property
    def label(self) -> str:
        """The name to print: the lead's, with a minus where it is drawn inverted."""
        return ("-" if self.polarity < 0 else "") + self.lead


@dataclass(frozen=True)
class Pulse:
    """A calibration pulse of 1 mV at each of ``gains`` (mm/mV), one or two steps, starting at (``x``, ``baseline``)."""

    row: int
    x: float
    baseline: float
    width: float
    gains: tuple[float, ...]


@dataclass(frozen=True)
class Separator:
    """A vertical line between two columns."""

    x: float
    y0: float
    y1: float
    dashed: bool


@dataclass(frozen=True)
class Layout:
    """A page in millimetres. ``grid_origin`` is a crossing of major lines; the grid fills ``grid_box``."""

    width: float
    height: float
    speed: float
    seconds: float
    panels: tuple[Panel, ...]
    pulses: tuple[Pulse, ...]
    separators: tuple[Separator, ...]
    grid_box: Box
    grid_origin: tuple[float, float]
    header_box: Box
    footer_box: Box
    qr_box: Box


def _gain(style: PageStyle, lead: str) -> float:
    chest = lead.startswith("V")
    return style.chest_gain if chest and style.chest_gain is not None else style.gain


def _pulse_place(style: PageStyle) -> str:
    return style.pulse if style.calibration_pulse else "none"


def _pulse_zone(style: PageStyle) -> float:
    if _pulse_place(style) == "none":
        return 0.0
    return 2 * PULSE_FOOT + PULSE_SECONDS * style.speed + PULSE_GAP


def paper_width(style: PageStyle) -> float:
    """Width of the page in mm; infinite along a roll."""
    if style.paper in ROLLS:
        return math.inf if style.orientation == "landscape" else ROLLS[style.paper]
    return PAPERS[style.paper][0 if style.orientation == "landscape" else 1]


def fitting_seconds(style: PageStyle, columns: int) -> float:
    """The seconds a page shows: ``style.seconds``, or with ``style.fit`` as many as the paper has room for.

    TemplateError, with the numbers, where they do not fit and ``fit`` is off.
    """
    room = paper_width(style) - 2 * SIDE_MARGIN - _pulse_zone(style)
    need = style.seconds * style.speed
    if need <= room + 1e-9:
        return style.seconds
    most = max(0.0, math.floor(room / style.speed / columns * 100 + 1e-9) / 100 * columns)
    if style.fit and most > 0:
        return most
    raise TemplateError(
        f"{style.seconds:g} s at {style.speed:g} mm/s are {need:g} mm long, {style.paper} {style.orientation} has room "
        f"for {max(0.0, room):.1f} mm: set --speed lower, --seconds to {most:g} or less, choose another --paper, "
        "or let --fit shorten the strip"
    )


@dataclass(frozen=True)
class _Rows:
    """Rows of equal height: the first one's top, and the height of each."""

    top: float
    pitch: float

    def y(self, row: int) -> float:
        return self.top + row * self.pitch

    def baseline(self, row: int) -> float:
        return round(self.y(row) + BASELINE_SHARE * self.pitch, 3)


def _band(spec: PageSpec) -> float:
    return max(spec.header_height, QR_SIZE + 2.0 if spec.style.qr_code else 0.0)


def _paper(spec: PageSpec, content: float, count: int) -> tuple[float, float]:
    style = spec.style
    if style.paper in PAPERS:
        long, short = PAPERS[style.paper]
        return (long, short) if style.orientation == "landscape" else (short, long)
    across = ROLLS[style.paper]
    if style.orientation == "landscape":
        return content + 2 * SIDE_MARGIN, across
    return across, count * ROLL_PITCH + _band(spec) + FOOTER_HEIGHT + 2 * EDGE_MARGIN


def _place_rows(spec: PageSpec, height: float, count: int) -> _Rows:
    top = EDGE_MARGIN + _band(spec)
    bottom = height - EDGE_MARGIN - (FOOTER_HEIGHT if spec.style.print_footer else 0.0)
    pitch = (bottom - top) / count
    if pitch < LEAST_PITCH:
        raise TemplateError(
            f"template '{spec.template}' has {count} rows, {spec.style.paper} {spec.style.orientation} has room for "
            f"{max(0, int((bottom - top) // LEAST_PITCH))} of {LEAST_PITCH:g} mm: choose a larger --paper, fewer leads "
            "(--leads), or leave the header out"
        )
    step = 5.0 if pitch >= 20 else 1.0  # so that baselines lie on grid lines
    pitch = math.floor(min(pitch, LARGEST_PITCH) / step) * step
    return _Rows(round(top + (bottom - top - count * pitch) / 2, 3), pitch)


def _panels(spec: PageSpec, rows: _Rows, x0: float) -> list[Panel]:
    style, columns = spec.style, spec.columns
    seconds = spec.seconds / columns
    panels = []
    for r, row in enumerate(spec.rows):
        for c, slot in enumerate(row):
            if slot:
                left = x0 + c * seconds * style.speed
                box = Box(left, rows.y(r), left + seconds * style.speed, rows.y(r + 1))
                start = c * seconds if style.column_timing == "consecutive" else 0.0
                lead, polarity = split_slot(slot)
                panels.append(
                    Panel(lead, polarity, False, r, c, box, rows.baseline(r), start, seconds, _gain(style, lead))
                )
    for i, lead in enumerate(spec.rhythm):
        r = len(spec.rows) + i
        box = Box(x0, rows.y(r), x0 + spec.seconds * style.speed, rows.y(r + 1))
        panels.append(Panel(lead, 1, True, r, 0, box, rows.baseline(r), 0.0, spec.seconds, _gain(style, lead)))
    return panels


def _pulses(spec: PageSpec, rows: _Rows, panels: Sequence[Panel], left: float, right: float) -> list[Pulse]:
    style = spec.style
    place = _pulse_place(style)
    if place == "none":
        return []
    x = left if place == "left" else right + PULSE_GAP
    width = PULSE_SECONDS * style.speed
    pulses = []
    for row in sorted({panel.row for panel in panels}):
        gains = tuple(dict.fromkeys(panel.gain for panel in panels if panel.row == row))
        pulses.append(Pulse(row, x, rows.baseline(row), width, gains))
    return pulses


def _separators(spec: PageSpec, rows: _Rows, x0: float) -> list[Separator]:
    style, count = spec.style, len(spec.rows)
    width = spec.seconds / spec.columns * style.speed
    edges = [x0 + c * width for c in range(1, spec.columns)]
    if style.separators == "dashed":
        return [Separator(x, rows.y(0), rows.y(count), True) for x in edges]
    if style.separators == "bar":
        middles = [rows.baseline(r) for r in range(count)]
        return [Separator(x, y - BAR_HALF_HEIGHT, y + BAR_HALF_HEIGHT, False) for x in edges for y in middles]
    return []


def _grid_box(spec: PageSpec, width: float, height: float, origin: tuple[float, float]) -> Box:
    """The paper less the grid margin, shrunk to whole 5 mm boxes; a roll is printed to its edges."""
    if spec.style.paper in ROLLS:
        return Box(0.0, 0.0, width, height)
    margin = spec.style.grid_margin
    top = margin if spec.header_over_grid or spec.header_height == 0 else EDGE_MARGIN + spec.header_height
    low = (margin, top)
    high = (width - margin, height - margin)
    x0, y0 = (o - math.floor((o - a) / 5 + 1e-9) * 5 for o, a in zip(origin, low, strict=True))
    x1, y1 = (o + math.floor((b - o) / 5 + 1e-9) * 5 for o, b in zip(origin, high, strict=True))
    return Box(x0, y0, x1, y1)


def place(spec: PageSpec) -> Layout:
    """Lay a page out. TemplateError, with the numbers, where the content does not fit the paper."""
    style = spec.style
    zone = _pulse_zone(style)
    content = zone + spec.seconds * style.speed
    count = len(spec.rows) + len(spec.rhythm)
    width, height = _paper(spec, content, count)
    rows = _place_rows(spec, height, count)
    left = round((width - content) / 2, 3)  # whole micrometres: nothing is lost where it is written as text
    x0 = left + (zone if _pulse_place(style) == "left" else 0.0)
    panels = _panels(spec, rows, x0)
    right = x0 + spec.seconds * style.speed
    origin = (x0, rows.baseline(0))
    side = max(SIDE_MARGIN, style.grid_margin)
    return Layout(
        width=width,
        height=height,
        speed=style.speed,
        seconds=spec.seconds,
        panels=tuple(panels),
        pulses=tuple(_pulses(spec, rows, panels, left, right)),
        separators=tuple(_separators(spec, rows, x0)),
        grid_box=_grid_box(spec, width, height, origin),
        grid_origin=origin,
        header_box=Box(side, EDGE_MARGIN, width - side, EDGE_MARGIN + spec.header_height),
        footer_box=Box(side, height - EDGE_MARGIN - FOOTER_HEIGHT, width - side, height - EDGE_MARGIN),
        qr_box=Box(width - side - QR_SIZE, EDGE_MARGIN, width - side, EDGE_MARGIN + QR_SIZE),
    )


@dataclass(frozen=True)
class Axes:
    """x = ``x0`` + (t - ``t0``) ``speed``, y = ``zero_y`` - ``polarity`` ``gain`` mV.

    x and y are page mm, t seconds from the record's start, ``speed`` mm/s, ``gain`` mm/mV.
    """

    x0: float
    t0: float
    zero_y: float
    speed: float
    gain: float
    polarity: int = 1

    def to_page(self, t: Float64Array, mv: Float64Array) -> Points:
        """Page points (n, 2) in mm of times (n,) and voltages (n,)."""
        return np.column_stack([self.x0 + (t - self.t0) * self.speed, self.zero_y - self.polarity * self.gain * mv])

    def to_signal(self, points: Points) -> tuple[Float64Array, Float64Array]:
        """Times (n,) in seconds and voltages (n,) in mV of page points (n, 2) in mm."""
        t = self.t0 + (points[:, 0] - self.x0) / self.speed
        return t, (self.zero_y - points[:, 1]) / (self.polarity * self.gain)


@dataclass(frozen=True, eq=False)
class TraceInfo:
    """What a trace shows. ``t`` (n,) seconds from the record's start, ``mv`` (n,) millivolts as recorded (NaN in
    gaps), ``points`` (n, 2) mm on the page, by ``axes``; ``first`` is the first sample's index in the record;
    ``inked`` (n,): where the pen wrote (None: everywhere)."""

    panel: Panel
    axes: Axes
    first: int
    fs: float
    t: Float64Array
    mv: Float64Array
    points: Points
    inked: BoolArray | None = None


@dataclass(frozen=True)
class PulseInfo:
    """A calibration pulse, and its corners (n, 2) in mm."""

    pulse: Pulse
    corners: tuple[tuple[float, float], ...]
