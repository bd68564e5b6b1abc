"""Calibration pulses and lead separators."""

from __future__ import annotations

from ecgvec.geometry.path import polyline, segments
from ecgvec.graphics.nodes import Group, Mark, Pen, PulseInfo
from ecgvec.layout.place import PULSE_FOOT, PULSE_SECONDS, Layout, Pulse
from ecgvec.layout.style import Colors, PageStyle


def _corners(pulse: Pulse) -> tuple[tuple[float, float], ...]:
    """Up, along the steps, and down again, between the two feet."""
    step = pulse.width / len(pulse.gains)
    x, points = pulse.x + PULSE_FOOT, [(pulse.x + PULSE_FOOT, pulse.baseline)]
    for gain in pulse.gains:
        points += [(x, pulse.baseline - gain), (x + step, pulse.baseline - gain)]
        x += step
    return (*points, (x, pulse.baseline))


def pulses(layout: Layout, style: PageStyle, colors: Colors) -> Group | None:
    """One calibration pulse a row: 1 mV high, 0.2 s wide; two steps where the row's leads have two gains."""
    if not layout.pulses:
        return None
    pen = Pen(stroke=colors.trace, width=style.trace_width, cap="round", join="round")
    marks = []
    for pulse in layout.pulses:
        corners = _corners(pulse)
        feet = [(pulse.x, pulse.baseline), *corners, (corners[-1][0] + PULSE_FOOT, pulse.baseline)]
        data = {
            "mv": "1",
            "seconds": f"{PULSE_SECONDS:g}",
            "gains": " ".join(f"{gain:g}" for gain in pulse.gains),
            "row": str(pulse.row),
        }
        path = polyline(feet).rounded()
        marks.append(Mark(f"pulse-{pulse.row}", "pulse", path, pen, data, PulseInfo(pulse, corners)))
    return Group("pulses", "pulses", tuple(marks))


def separators(layout: Layout, style: PageStyle, colors: Colors) -> Group | None:
    """Short bars at each column of each row, or dashed lines through all rows."""
    marks = []
    for i, line in enumerate(layout.separators):
        dash = (1.2, 1.0) if line.dashed else ()
        pen = Pen(stroke=colors.trace, width=style.trace_width * (0.6 if line.dashed else 0.8), dash=dash)
        path = segments([(line.x, line.y0, line.x, line.y1)]).rounded()
        marks.append(Mark(f"separator-{i}", "separator", path, pen, {"kind": "dashed" if line.dashed else "bar"}))
    return Group("separators", "separators", tuple(marks)) if marks else None
