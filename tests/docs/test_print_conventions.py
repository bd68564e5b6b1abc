"""Each row of ``docs/print-conventions.md``, measured on a page.

Nothing is asked of the layout: the SVG is parsed, its paths, stroke widths and colours are measured in millimetres and
held against the record's own samples. Test names begin with the row that they check.
"""

from __future__ import annotations

import colorsys
import functools
import itertools
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

import ecgvec
from ecgvec.components import rgb
from ecgvec.record.model import Lead, Record
from ecgvec.resources import listing
from ecgvec.sheet import Sheet

Points = NDArray[np.float64]
Box = tuple[float, float, float, float]

TEMPLATES = sorted(listing("pages"))
HEADERS = sorted(listing("headers"))
LIMB = ["I", "II", "III", "aVR", "aVL", "aVF"]
CHEST = ["V1", "V2", "V3", "V4", "V5", "V6"]
CABRERA = ["aVL", "I", "-aVR", "II", "aVF", "III"]
FS = 500  # of the demo record
MICRON = 1e-3

_COMMAND = re.compile(r"([MLCZ])([^MLCZ]*)")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_BEZIER = np.linspace(0, 1, 17)[1:, None]


def outlines(d: str) -> list[Points]:
    """The subpaths of an SVG path of absolute M, L, C and Z, curves as 16 chords each."""
    found: list[list[Points]] = []
    for command, text in _COMMAND.findall(d):
        numbers = np.array(_NUMBER.findall(text), dtype=np.float64).reshape(-1, 2)
        if command == "M":
            found.append([numbers])
        elif command == "L":
            found[-1].append(numbers)
        elif command == "C":
            a, (b, c, e), t = found[-1][-1][-1], numbers, _BEZIER
            found[-1].append((1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * e)
        else:
            found[-1].append(found[-1][0][:1])
    return [np.concatenate(parts) for parts in found]


@dataclass(frozen=True)
class Ink:
    """One path of the page, as it stands in the SVG."""

    attrib: dict[str, str]

    @functools.cached_property
    def parts(self) -> list[Points]:
        return outlines(self.attrib["d"])

    @functools.cached_property
    def points(self) -> Points:
        return np.concatenate(self.parts)

    @property
    def box(self) -> Box:
        x0, y0 = self.points.min(axis=0)
        x1, y1 = self.points.max(axis=0)
        return float(x0), float(y0), float(x1), float(y1)

    @property
    def width(self) -> float:
        return float(self.attrib["stroke-width"])

    def data(self, name: str) -> str:
        return self.attrib[f"data-{name}"]

    @functools.cached_property
    def line(self) -> shapely.Geometry:
        """The stroked line with its width."""
        pieces = [shapely.LineString(part) for part in self.parts if len(part) > 1]
        return shapely.buffer(shapely.MultiLineString(pieces), self.width / 2)


class Page:
    """A sheet, and its SVG read as any other program would read it."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.root = ElementTree.fromstring(sheet.svg.encode())
        self._inks = [
            (str(e.get("class")), Ink(dict(e.attrib))) for e in self.root.iter("{http://www.w3.org/2000/svg}path")
        ]

    def of(self, role: str) -> list[Ink]:
        return [ink for found, ink in self._inks if found == role]

    def texts(self, role: str) -> list[str]:
        return [ink.data("text") for ink in self.of(role)]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in mm, as written."""
        width, height = self.root.attrib["width"], self.root.attrib["height"]
        assert width.endswith("mm")
        assert height.endswith("mm")
        assert self.root.attrib["viewBox"] == f"0 0 {width[:-2]} {height[:-2]}"
        return float(width[:-2]), float(height[:-2])

    def trace(self, lead: str, rhythm: bool = False) -> Ink:
        """The one trace of that lead: a rhythm strip, or not."""
        wanted = "true" if rhythm else "false"
        (ink,) = [i for i in self.of("trace") if i.data("lead") == lead and i.data("rhythm") == wanted]
        return ink

    @property
    def lead_traces(self) -> list[Ink]:
        return [ink for ink in self.of("trace") if ink.data("rhythm") == "false"]

    @property
    def strips(self) -> list[Ink]:
        """The rhythm strips from the top down."""
        return sorted((i for i in self.of("trace") if i.data("rhythm") == "true"), key=lambda ink: baseline(ink))

    def printed_order(self) -> list[list[str]]:
        """The printed names of the leads (rhythm strips left out), column by column, each from the top down."""
        starts = sorted({round(float(ink.points[0, 0]), 2) for ink in self.lead_traces})
        columns: list[list[tuple[float, str]]] = [[] for _ in starts]
        bottom = max(baseline(ink) for ink in self.lead_traces) + 5.5
        for name in self.of("lead-name"):
            x0, y0, x1, y1 = name.box
            if (y0 + y1) / 2 < bottom:
                column = int(np.searchsorted(starts, (x0 + x1) / 2)) - 1
                columns[column].append((y0, name.data("text")))
        return [[text for _, text in sorted(column)] for column in columns]


def baseline(ink: Ink) -> float:
    """The level of a trace's rest: its median y. The demo record's rest lies within 0.1 mV of zero."""
    return float(np.median(ink.points[:, 1]))


@functools.lru_cache(maxsize=64)
def _page(record: Record, seed: int, keys: tuple[tuple[str, Any], ...]) -> Page:
    return Page(ecgvec.render(record, seed=seed, **dict(keys)))


def page(record: Record, seed: int = 0, **keys: Any) -> Page:
    """A page of the record, drawn once however many tests look at it; coarsely, unless ``dpi`` says how finely."""
    return _page(record, seed, tuple(sorted({"dpi": 50.0, **keys}.items())))


@pytest.fixture(scope="module")
def fifteen(demo_record: Record) -> Record:
    """The demo record with three further leads, which the 15-lead template needs."""
    extra = [demo_record.index(name) for name in ("V1", "V5", "V6")]
    return replace(
        demo_record,
        leads=(*demo_record.leads, Lead("V4R", "V4R"), Lead("V8", "V8"), Lead("V9", "V9")),
        signals=np.column_stack([demo_record.signals, 0.7 * demo_record.signals[:, extra]]),
    )


@pytest.fixture(params=TEMPLATES)
def any_template(request: pytest.FixtureRequest, demo_record: Record, fifteen: Record) -> tuple[Record, str]:
    """Each shipped page template with a record that it can show."""
    return (fifteen if request.param == "15-lead" else demo_record), str(request.param)


def scales(ink: Ink, mv: NDArray[np.float64]) -> tuple[float, float]:
    """mm per second and mm per millivolt of a trace that shows ``mv`` at 500 Hz; every sample must lie on the scale."""
    assert len(ink.points) == len(mv)
    (speed, x0), (gain, zero) = (
        np.polyfit(source, seen, 1)
        for source, seen in ((np.arange(len(mv)) / FS, ink.points[:, 0]), (mv, -ink.points[:, 1]))
    )
    assert np.abs(x0 + speed * np.arange(len(mv)) / FS - ink.points[:, 0]).max() < MICRON
    assert np.abs(zero + gain * mv + ink.points[:, 1]).max() < MICRON
    return float(speed), float(gain)


def signal(record: Record, lead: str, start: float = 0.0, seconds: float = 10.0) -> NDArray[np.float64]:
    """The millivolts of a lead in [start, start + seconds)."""
    first = round(start * FS)
    return record.signals[first : first + round(seconds * FS), record.index(lead)]


def lines(ink: Ink) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x of the vertical and y of the horizontal straight lines of a path, sorted."""
    ends = np.array(list(ink.parts))
    assert ends.shape[1:] == (2, 2)
    upright, level = ends[:, 0, 0] == ends[:, 1, 0], ends[:, 0, 1] == ends[:, 1, 1]
    assert (upright ^ level).all()
    return np.sort(ends[upright, 0, 0]), np.sort(ends[level, 0, 1])


def starts(inks: list[Ink]) -> list[float]:
    """The x at which the columns of these traces begin, from the left."""
    return sorted({round(float(ink.points[0, 0]), 3) for ink in inks})


# Grid ---------------------------------------------------------------------------------------------------------------


def test_grid_minor_lines_are_1_mm_apart_and_every_fifth_is_a_major_line(demo_record: Record) -> None:
    drawn = page(demo_record)
    (minor,), (major,) = drawn.of("grid-minor"), drawn.of("grid-major")
    for few, many in zip(lines(minor), lines(major), strict=True):
        assert np.allclose(np.diff(many), 5, atol=1e-4)
        together = np.sort(np.concatenate([few, many]))
        assert np.allclose(np.diff(together), 1, atol=1e-4)
        assert len(few) == 4 * (len(many) - 1)
    assert major.width > minor.width


def test_grid_a_minor_square_is_40_ms_by_100_microvolts_at_25_mm_s_and_10_mm_mv(demo_record: Record) -> None:
    drawn = page(demo_record)
    xs, ys = (np.diff(np.sort(np.concatenate(pair))) for pair in zip(*map(lines, _grid(drawn)), strict=True))
    speed, gain = scales(drawn.trace("II", rhythm=True), signal(demo_record, "II"))
    assert np.median(xs) / speed == pytest.approx(0.04, abs=1e-6)
    assert np.median(ys) / gain == pytest.approx(0.1, abs=1e-5)


def _grid(drawn: Page) -> tuple[Ink, Ink]:
    (minor,), (major,) = drawn.of("grid-minor"), drawn.of("grid-major")
    return minor, major


def test_grid_some_machines_print_dots_of_1_mm_and_lines_of_5_mm(demo_record: Record) -> None:
    """Counted in the pixels: a lattice of separate dots, 1 mm apart, between lines 5 mm apart."""
    drawn = page(demo_record, grid="dots", grid_color="grey", dpi=254.0)
    _, major = _grid(drawn)
    xs, ys = lines(major)
    image = ecgvec.graphics.raster.draw(drawn.sheet.scene.only({"grid-minor"}), 254.0)
    # One 5 mm box, 10 pixels a mm, cut half a millimetre outside the lines left and right of it.
    left, top = xs[3] * 10, ys[3] * 10
    box = 255 - image[round(top) : round(top + 50), round(left - 5) : round(left + 55), 0]
    count, _, _, centres = cv2.connectedComponentsWithStats((box > 20).astype(np.uint8))
    dots = centres[1:] + np.array([round(left - 5) + 0.5, round(top) + 0.5])
    assert count - 1 == 6 * 4  # 4 rows between two lines, 6 dots each: at the lines' 0 and 5 mm, too
    at = np.sort(np.unique(np.round((dots - (left, top)) / 10, 1), axis=0), axis=0)
    assert np.allclose(np.unique(at[:, 0]), range(6), atol=0.1)
    assert np.allclose(np.unique(at[:, 1]), range(1, 5), atol=0.1)
    assert np.allclose(np.diff(xs), 5, atol=1e-4)
    assert np.allclose(np.diff(ys), 5, atol=1e-4)


# Speeds, gains ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("speed", [12.5, 25.0, 50.0])
def test_speed_on_a_roll(demo_record: Record, speed: float) -> None:
    drawn = page(demo_record, template="3x4+1R", paper="roll-210", speed=speed)
    strip = drawn.trace("II", rhythm=True)
    assert scales(strip, signal(demo_record, "II"))[0] == pytest.approx(speed, abs=1e-5)
    # The same by eye: the highest R wave stands where its time says.
    peak = int(np.argmax(signal(demo_record, "II")))
    highest = int(np.argmin(strip.points[:, 1]))
    assert strip.points[highest, 0] - strip.points[0, 0] == pytest.approx(peak / FS * speed, abs=MICRON)
    assert f"{speed:g}mm/s" in " ".join(drawn.texts("footer-text"))


def test_speed_25_is_standard(demo_record: Record) -> None:
    assert scales(page(demo_record).trace("II", rhythm=True), signal(demo_record, "II"))[0] == pytest.approx(25)


@pytest.mark.parametrize("gain", [2.5, 5.0, 10.0, 20.0])
def test_gain(demo_record: Record, gain: float) -> None:
    drawn = page(demo_record, template="3x4+1R", gain=gain)
    for lead in ("I", "aVR", "V2", "V6"):
        ink = drawn.trace(lead)
        start = 2.5 * int(ink.data("column"))
        assert scales(ink, signal(demo_record, lead, start, 2.5))[1] == pytest.approx(gain, rel=1e-4)
    strip = drawn.trace("II", rhythm=True)
    assert np.ptp(strip.points[:, 1]) == pytest.approx(gain * np.ptp(signal(demo_record, "II")), abs=MICRON)


def test_gain_10_is_standard(demo_record: Record) -> None:
    assert scales(page(demo_record).trace("II", rhythm=True), signal(demo_record, "II"))[1] == pytest.approx(10)


def test_gain_of_chest_leads_may_be_half_that_of_the_limb_leads(demo_record: Record) -> None:
    drawn = page(demo_record, template="12x1", gain=10.0, chest_gain=5.0)
    found = {lead: scales(drawn.trace(lead), signal(demo_record, lead))[1] for lead in LIMB + CHEST}
    assert found == pytest.approx({**dict.fromkeys(LIMB, 10.0), **dict.fromkeys(CHEST, 5.0)}, rel=1e-4)


# Calibration pulse --------------------------------------------------------------------------------------------------


def shape(pulse: Ink) -> list[tuple[float, float]]:
    """The corners of a pulse above its feet: mm to the right of its first rise, mm above its baseline."""
    points = pulse.points
    level = points[0, 1]
    assert points[-1, 1] == level
    rise = points[int(np.flatnonzero(np.abs(np.diff(points[:, 1])) > 0)[0])]
    return [(round(float(x - rise[0]), 3), round(float(level - y), 3)) for x, y in points[1:-1]]


def test_pulse_is_1_mv_high_and_200_ms_wide_before_the_first_column(demo_record: Record) -> None:
    drawn = page(demo_record, template="3x4+1R")
    pulses = drawn.of("pulse")
    first = min(ink.box[0] for ink in drawn.of("trace"))
    assert len(pulses) == 4
    for pulse in pulses:
        assert shape(pulse) == [(0, 0), (0, 10), (5, 10), (5, 0)]
        assert pulse.box[2] < first
    rows = sorted(pulse.points[0, 1] for pulse in pulses)
    marked = sorted({round(float(ink.data("baseline-mm")), 3) for ink in drawn.of("trace")})
    assert rows == pytest.approx(marked, abs=MICRON)


@pytest.mark.parametrize(("speed", "gain"), [(12.5, 10.0), (50.0, 10.0), (25.0, 2.5), (25.0, 20.0), (50.0, 20.0)])
def test_pulse_grows_with_speed_and_gain(demo_record: Record, speed: float, gain: float) -> None:
    drawn = page(demo_record, template="3x4+1R", paper="roll-210", speed=speed, gain=gain)
    width = round(0.2 * speed, 3)
    assert [shape(pulse) for pulse in drawn.of("pulse")] == [[(0, 0), (0, gain), (width, gain), (width, 0)]] * 4


def test_pulse_may_stand_after_the_last_column(demo_record: Record) -> None:
    drawn = page(demo_record, template="3x4+1R", pulse="right")
    last = max(ink.box[2] for ink in drawn.of("trace"))
    assert len(drawn.of("pulse")) == 4
    assert all(pulse.box[0] > last for pulse in drawn.of("pulse"))
    assert all(pulse.box[2] < drawn.size[0] for pulse in drawn.of("pulse"))


def test_pulse_of_half_gain_is_half_as_high(demo_record: Record) -> None:
    pulses = page(demo_record, template="3x4", gain=5.0).of("pulse")
    assert [shape(pulse) for pulse in pulses] == [[(0, 0), (0, 5), (5, 5), (5, 0)]] * 3


def test_pulse_is_a_staircase_of_twice_2_5_mm_where_limb_and_chest_differ(demo_record: Record) -> None:
    drawn = page(demo_record, template="3x4+1R", gain=10.0, chest_gain=5.0)
    *rows, strip = sorted(drawn.of("pulse"), key=lambda ink: ink.points[0, 1])
    assert [shape(row) for row in rows] == [[(0, 0), (0, 10), (2.5, 10), (2.5, 5), (5, 5), (5, 0)]] * 3
    assert shape(strip) == [(0, 0), (0, 10), (5, 10), (5, 0)]  # II alone stands there


def test_pulse_of_a_row_of_chest_leads_alone_has_their_gain(demo_record: Record) -> None:
    drawn = page(demo_record, template="12x1", gain=10.0, chest_gain=5.0)
    heights = [max(y for _, y in shape(p)) for p in sorted(drawn.of("pulse"), key=lambda ink: ink.points[0, 1])]
    assert heights == [10.0] * 6 + [5.0] * 6


# 3x4, 6x2, 12x1 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "order", "seconds"),
    [
        ("3x4", [["I", "II", "III"], ["aVR", "aVL", "aVF"], ["V1", "V2", "V3"], ["V4", "V5", "V6"]], 2.5),
        ("6x2", [LIMB, CHEST], 5.0),
        ("12x1", [LIMB + CHEST], 10.0),
    ],
)
def test_3x4_and_6x2_and_12x1_columns_are_consecutive_windows(
    demo_record: Record, template: str, order: list[list[str]], seconds: float
) -> None:
    drawn = page(demo_record, template=template)
    assert drawn.printed_order() == order
    left = drawn.trace("I").points[0, 0]
    for column, leads in enumerate(order):
        for lead in leads:
            ink = drawn.trace(lead)
            speed, gain = scales(ink, signal(demo_record, lead, column * seconds, seconds))
            assert (speed, gain) == pytest.approx((25, 10), rel=1e-4)
            assert ink.points[0, 0] - left == pytest.approx(column * seconds * 25, abs=MICRON)
            assert float(ink.data("t0-s")) == column * seconds
        levels = [baseline(drawn.trace(lead)) for lead in leads]
        assert levels == sorted(levels)


@pytest.mark.parametrize("template", ["3x4", "6x2"])
def test_3x4_and_6x2_columns_are_simultaneous_on_request(demo_record: Record, template: str) -> None:
    drawn = page(demo_record, template=template, column_timing="simultaneous")
    count = 4 if template == "3x4" else 2
    assert len(starts(drawn.lead_traces)) == count
    for ink in drawn.lead_traces:
        assert scales(ink, signal(demo_record, ink.data("lead"), 0.0, 10 / count))[1] == pytest.approx(10, rel=1e-4)
        assert float(ink.data("t0-s")) == 0.0


@pytest.mark.parametrize("template", ["3x4+1R", "3x4+3R"])
def test_3x4_rhythm_strips_last_10_s_in_step_with_the_columns(demo_record: Record, template: str) -> None:
    drawn = page(demo_record, template=template)
    left = drawn.trace("I").points[0, 0]
    for strip in drawn.strips:
        assert scales(strip, signal(demo_record, strip.data("lead")))[0] == pytest.approx(25, rel=1e-6)
        assert strip.points[0, 0] == pytest.approx(left, abs=MICRON)
        assert baseline(strip) > max(baseline(ink) for ink in drawn.lead_traces)
    # The same time stands at the same x, in the columns and in the strip.
    for ink in drawn.lead_traces:
        first = round(float(ink.data("t0-s")) * FS)
        same_time = drawn.strips[0].points[first : first + len(ink.points), 0]
        assert np.abs(ink.points[:, 0] - same_time).max() < MICRON


def test_3x4_one_rhythm_strip_is_lead_ii(demo_record: Record) -> None:
    assert [strip.data("lead") for strip in page(demo_record, template="3x4+1R").strips] == ["II"]


def test_3x4_three_rhythm_strips_are_v1_ii_v5(demo_record: Record) -> None:
    assert [strip.data("lead") for strip in page(demo_record, template="3x4+3R").strips] == ["V1", "II", "V5"]


def test_3x4_rhythm_strips_are_those_asked_for(demo_record: Record) -> None:
    drawn = page(demo_record, template="3x4", rhythm="V1,II,V5")
    assert [strip.data("lead") for strip in drawn.strips] == ["V1", "II", "V5"]
    for strip in drawn.strips:
        assert scales(strip, signal(demo_record, strip.data("lead")))[1] == pytest.approx(10, rel=1e-4)


# Cabrera ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", ["3x4+1R", "6x2", "12x1", "2-column", "1-column"])
def test_cabrera_order(demo_record: Record, template: str) -> None:
    drawn = page(demo_record, template=template, cabrera=True)
    printed = list(itertools.chain.from_iterable(drawn.printed_order()))
    assert printed == CABRERA + CHEST
    for name in printed:
        ink = drawn.trace(name.lstrip("-"))
        start = float(ink.data("t0-s"))
        mv = signal(demo_record, name.lstrip("-"), start, len(ink.points) / FS)
        upright = -10 if name == "-aVR" else 10
        assert scales(ink, mv)[1] == pytest.approx(upright, rel=1e-4), name
        assert ink.data("polarity") == ("-1" if name == "-aVR" else "1")


# Paper --------------------------------------------------------------------------------------------------------------

PAPERS = {"letter": (279.4, 215.9), "a4": (297.0, 210.0), "fan-fold": (280.0, 210.0), "fan-fold-300": (300.0, 210.0)}


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("orientation", ["landscape", "portrait"])
def test_paper_size(demo_record: Record, paper: str, orientation: str) -> None:
    long, short = PAPERS[paper]
    size = (long, short) if orientation == "landscape" else (short, long)
    drawn = page(demo_record, template="3x4+1R", paper=paper, orientation=orientation, seconds=5.0, dpi=200.0)
    assert drawn.size == size
    (sheet,) = drawn.of("paper")
    assert sheet.box == (0.0, 0.0, *size)
    assert drawn.sheet.image.shape[:2] == (round(size[1] * 200 / 25.4), round(size[0] * 200 / 25.4))


def test_paper_letter_has_2200_x_1700_px_at_200_dpi(demo_record: Record) -> None:
    assert page(demo_record, paper="letter", dpi=200.0).sheet.image.shape == (1700, 2200, 3)


@pytest.mark.parametrize("across", [50, 110, 210])
def test_paper_roll(demo_record: Record, across: int) -> None:
    """As wide as the roll, as long as the strip needs, and the grid runs to its edges. 50 mm hold one lead."""
    record = demo_record.with_leads(["II"]) if across == 50 else demo_record
    for seconds in (5.0, 10.0):
        drawn = page(record, template="1-column" if across == 50 else "3x4", paper=f"roll-{across}", seconds=seconds)
        width, height = drawn.size
        assert height == across
        assert seconds * 25 < width < seconds * 25 + 25
        grid_box = _grid(drawn)[1].box
        assert grid_box[0] < 5
        assert grid_box[2] > width - 5
        for ink in [*drawn.of("trace"), *drawn.of("pulse"), *drawn.of("lead-name")]:
            x0, y0, x1, y1 = ink.box
            assert 0 < x0 < x1 < width
            assert 0 < y0 < y1 < height


# Trace --------------------------------------------------------------------------------------------------------------


def test_trace_is_0_2_to_0_35_mm_wide_on_every_template(any_template: tuple[Record, str]) -> None:
    record, template = any_template
    inks = page(record, template=template).of("trace")
    assert inks
    assert all(0.2 <= ink.width <= 0.35 for ink in inks)


@pytest.mark.parametrize(("width", "pixels"), [(0.127, 1.5), (0.21, 2.4803), (0.26, 3.0709)])
def test_trace_width_of_software_as_pixels_at_300_dpi(demo_record: Record, width: float, pixels: float) -> None:
    flat = replace(demo_record, signals=np.zeros_like(demo_record.signals))
    drawn = page(flat, template="12x1", trace_width=width, trace_color="#000000", dpi=300.0)
    assert {ink.width for ink in drawn.of("trace")} == {width}
    ink = (255.0 - drawn.sheet.trace_image[:, :, 0]) / 255
    middle = ink[:, ink.shape[1] // 2]
    assert middle.sum() / 12 == pytest.approx(pixels, abs=0.04)


# GE look ------------------------------------------------------------------------------------------------------------


def near(color: str, wanted: str, levels: int) -> bool:
    return max(abs(a - b) for a, b in zip(rgb(color), rgb(wanted), strict=True)) <= levels


def ground_color(drawn: Page) -> tuple[int, ...]:
    """The commonest colour among the pixels between the grid lines, at 200 dpi."""
    assert drawn.sheet.image.shape[1] == round(drawn.size[0] * 200 / 25.4)
    x0, y0, x1, y1 = (round(v * 200 / 25.4) for v in _grid(drawn)[1].box)
    red, green, blue = np.moveaxis(drawn.sheet.image[y0:y1, x0:x1].astype(np.int64), 2, 0)
    commonest = int(np.argmax(np.bincount((red << 16 | green << 8 | blue).ravel())))
    return commonest >> 16, commonest >> 8 & 255, commonest & 255


def test_ge_look_colors(demo_record: Record) -> None:
    drawn = page(demo_record, template="ge", dpi=200.0)
    minor, major = _grid(drawn)
    assert near(minor.attrib["stroke"], "#FFC0C0", 6)
    assert near(major.attrib["stroke"], "#E0A0A0", 6)
    assert {ink.attrib["stroke"] for ink in drawn.of("trace")} == {"#000000"}
    assert ground_color(drawn) == pytest.approx(rgb("#FFF4F4"), abs=3)


def test_ge_look_text_is_sans(demo_record: Record) -> None:
    drawn = page(demo_record, template="ge")
    roles = ("lead-name", "header-text", "footer-text")
    assert all(drawn.of(role) for role in roles)
    assert {ink.data("font") for role in roles for ink in drawn.of(role)} <= {"sans", "sans-bold"}


def test_ge_look_separators_are_short(demo_record: Record) -> None:
    drawn = page(demo_record, template="ge")
    boundaries = starts(drawn.lead_traces)[1:]
    levels = sorted({float(ink.data("baseline-mm")) for ink in drawn.lead_traces})
    bars = [bar.box for bar in drawn.of("separator")]
    assert len(bars) == len(boundaries) * len(levels) == 9
    for x, level in itertools.product(boundaries, levels):
        ((x0, y0, x1, y1),) = [bar for bar in bars if abs(bar[0] - x) < 0.01 and bar[1] < level < bar[3]]
        assert x0 == x1
        assert y1 - y0 < float(np.diff(levels).min()) / 2


def test_ge_look_header(demo_record: Record) -> None:
    drawn = page(demo_record, template="ge")
    texts = drawn.texts("header-text")
    for label in ("Vent. rate", "PR interval", "QRS duration", "QT/QTc", "P-R-T axes", "Unconfirmed"):
        assert label in texts
    for beginning in ("Technician", "Test ind"):
        assert any(text.startswith(beginning) for text in texts), beginning
    # Labels, values and units of a row stand on one line, in that order.
    by_text = {ink.data("text"): ink for ink in drawn.of("header-text")}
    value = next(i for i in drawn.of("header-text") if re.fullmatch(r"\d+/\d+", i.data("text")))
    assert by_text["QT/QTc"].box[2] < value.box[0]
    assert abs(by_text["QT/QTc"].box[3] - value.box[3]) < 1.0
    assert all(ink.box[3] < min(i.box[1] for i in drawn.of("trace")) for ink in drawn.of("header-text"))


def test_ge_look_footer_with_speed_gain_filter_and_program(demo_record: Record) -> None:
    drawn = page(demo_record, template="ge")
    text = " ".join(" ".join(drawn.texts("footer-text")).split())
    assert re.search(r"25mm/s 10mm/mV (40|100|150)Hz 9\.0\.8 12SL 241 CID: 1", text), text
    assert all(ink.box[1] > max(i.box[3] for i in drawn.of("trace")) for ink in drawn.of("footer-text"))


def test_ge_look_footer_with_eid_edt_order(demo_record: Record) -> None:
    text = " ".join(page(demo_record, template="ge").texts("footer-text"))
    assert re.search(r"EID:.*EDT:.*ORDER:", text), text


# Portable GE --------------------------------------------------------------------------------------------------------


def test_portable_ge_has_dots_on_a_warm_tint(demo_record: Record) -> None:
    drawn = page(demo_record, template="mac400", dpi=200.0)
    minor, _ = _grid(drawn)
    assert minor.attrib["stroke-linecap"] == "round"
    assert minor.attrib["stroke-dasharray"] == "0,1"
    assert ground_color(drawn) == pytest.approx((240, 234, 216), abs=4)


def test_portable_ge_shows_three_leads_a_strip(demo_record: Record) -> None:
    drawn = page(demo_record, template="mac400")
    at_a_time = [len(column) for column in drawn.printed_order()]
    assert at_a_time == [3, 3, 3, 3]
    assert drawn.strips == []


# Philips ------------------------------------------------------------------------------------------------------------


def philips_footer(record: Record, seed: int = 0, **keys: Any) -> str:
    return " ".join(" ".join(page(record, seed, template="philips", **keys).texts("footer-text")).split())


def test_philips_look_footer_names_speed_limb_and_chest(demo_record: Record) -> None:
    assert philips_footer(demo_record).startswith("Speed: 25 mm/sec Limb: 10 mm/mV Chest: 10.0 mm/mV")


def test_philips_look_footer_gives_the_chest_gain_of_its_own(demo_record: Record) -> None:
    assert re.search(r"Limb: 10 mm/mV Chest: 5(\.0)? mm/mV", philips_footer(demo_record, chest_gain=5.0))


def test_philips_look_footer_names_the_filter(demo_record: Record) -> None:
    footers = {re.sub(r"^.*mm/mV ", "", philips_footer(demo_record, seed)) for seed in range(8)}
    assert all(re.fullmatch(r"F 60~ \d+(\.\d+)?-\d+ Hz", text) for text in footers)
    assert "F 60~ 0.15-100 Hz" in footers


def test_philips_look_has_separators_between_the_columns(demo_record: Record) -> None:
    drawn = page(demo_record, template="philips")
    boundaries = starts(drawn.lead_traces)[1:]
    assert len(boundaries) == 3
    found = [bar.box for bar in drawn.of("separator")]
    assert sorted({round(x0, 3) for x0, _, _, _ in found}) == pytest.approx(boundaries, abs=0.01)
    for level in {float(ink.data("baseline-mm")) for ink in drawn.lead_traces}:
        assert sum(y0 < level < y1 for _, y0, _, y1 in found) == 3


# Schiller -----------------------------------------------------------------------------------------------------------

EIGHT_AND_FOUR = """
extends = "schiller"
rows = [["I", "V1"], ["II", "V2"], ["III", "V3"], ["aVR", "V4"]]
rhythm = ["aVL", "aVF", "V5", "V6"]
"""


def grid_of_leads(drawn: Page) -> tuple[int, int, int]:
    """Rows, columns and rhythm strips of a page."""
    rows = {round(float(ink.data("baseline-mm")), 2) for ink in drawn.lead_traces}
    return len(rows), len(starts(drawn.lead_traces)), len(drawn.strips)


def test_schiller_look_the_shipped_page_is_one_of_the_three(demo_record: Record) -> None:
    """4x3+1R, 1x12, or 8 leads of 5 s and 4 of 10 s."""
    assert grid_of_leads(page(demo_record, template="schiller")) in {(3, 4, 1), (12, 1, 0), (4, 2, 4)}


@pytest.mark.parametrize("speed", [25.0, 50.0])
def test_schiller_look_with_8_leads_of_5_s_and_4_of_10_s(demo_record: Record, tmp_path: Path, speed: float) -> None:
    (tmp_path / "schiller-8-4.toml").write_text(EIGHT_AND_FOUR, encoding="utf-8")
    drawn = page(demo_record, template=str(tmp_path / "schiller-8-4.toml"), speed=speed, paper="roll-210")
    assert grid_of_leads(drawn) == (4, 2, 4)
    for ink in drawn.of("trace"):
        start, seconds = float(ink.data("t0-s")), 10.0 if ink.data("rhythm") == "true" else 5.0
        mv = signal(demo_record, ink.data("lead"), start, seconds)
        assert scales(ink, mv) == pytest.approx((speed, 10), rel=1e-4)


@pytest.mark.parametrize(("rows", "wanted"), [("3x4+1R", (3, 4, 1)), ("12x1", (12, 1, 0))])
@pytest.mark.parametrize("speed", [25.0, 50.0])
def test_schiller_look_with_4x3_1r_and_1x12(
    demo_record: Record, rows: str, wanted: tuple[int, int, int], speed: float
) -> None:
    look: dict[str, Any] = {
        "header": "schiller",
        "print_header": True,
        "names_font": "sans-bold",
        "lead_names": "inline",
    }
    drawn = page(demo_record, template=rows, speed=speed, paper="roll-210", **look)
    assert grid_of_leads(drawn) == wanted
    assert scales(drawn.trace("I"), signal(demo_record, "I", 0.0, 10 / wanted[1]))[0] == pytest.approx(speed)


# Many hospital prints -----------------------------------------------------------------------------------------------


def test_hospital_prints_have_dashed_separators_through_all_rows(demo_record: Record) -> None:
    drawn = page(demo_record, template="hospital")
    top, bottom = min(ink.box[1] for ink in drawn.lead_traces), max(ink.box[3] for ink in drawn.lead_traces)
    bars = drawn.of("separator")
    assert sorted(round(bar.box[0], 3) for bar in bars) == pytest.approx(starts(drawn.lead_traces)[1:], abs=0.01)
    for bar in bars:
        x0, y0, x1, y1 = bar.box
        assert x0 == x1
        assert (y0 < top, y1 > bottom) == (True, True)
        assert len(bar.attrib["stroke-dasharray"].split(",")) >= 2


def test_hospital_prints_have_serif_names_above_the_trace_at_each_segments_start(demo_record: Record) -> None:
    drawn = page(demo_record, template="hospital")
    names = drawn.of("lead-name")
    assert len(names) == len(drawn.of("trace")) == 13
    free = list(drawn.of("trace"))
    for name in names:
        assert name.data("font").startswith("serif")
        x0, _, x1, y1 = name.box
        # Of this lead's traces (II has two) the one in whose row the name stands.
        same = [t for t in free if t.data("lead") == name.data("text")]
        trace = min(same, key=lambda t: abs(baseline(t) - y1))
        free.remove(trace)
        assert 0 <= x0 - trace.points[0, 0] <= 5
        below = trace.points[(trace.points[:, 0] > x0) & (trace.points[:, 0] < x1), 1]
        assert y1 < below.min()
        assert float(trace.data("baseline-mm")) - y1 < 15  # of this row, not of the one above
    assert free == []


def test_hospital_prints_have_a_pulse_at_the_far_left_of_each_row(demo_record: Record) -> None:
    drawn = page(demo_record, template="hospital")
    pulses = drawn.of("pulse")
    levels = sorted({round(float(ink.data("baseline-mm")), 3) for ink in drawn.of("trace")})
    assert sorted(pulse.points[0, 1] for pulse in pulses) == pytest.approx(levels, abs=MICRON)
    assert len({pulse.box[0] for pulse in pulses}) == 1
    others = [*drawn.of("trace"), *drawn.of("lead-name"), *drawn.of("separator")]
    assert max(pulse.box[2] for pulse in pulses) < min(ink.box[0] for ink in others)


def test_hospital_prints_have_a_dot_grid(demo_record: Record) -> None:
    minor, _ = _grid(page(demo_record, template="hospital"))
    assert minor.attrib["stroke-linecap"] == "round"
    assert minor.attrib["stroke-dasharray"] == "0,1"


# Grid colours -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("red", -10, 15), ("pink", -50, -10), ("brown", 18, 45), ("green", 90, 160), ("blue", 200, 250)],
)
def test_grid_colors_met(demo_record: Record, name: str, low: float, high: float) -> None:
    drawn = page(demo_record, grid_color=name, dpi=200.0)
    saturation = []
    for ink in _grid(drawn):
        hue, s, _ = colorsys.rgb_to_hsv(*(c / 255 for c in rgb(ink.attrib["stroke"])))
        assert low <= (hue * 360 if hue * 360 <= 300 else hue * 360 - 360) <= high
        saturation.append(s)
    assert 0.05 < saturation[0] < saturation[1]
    assert min(ground_color(drawn)) >= 240


@pytest.mark.parametrize("keys", [{"bw": True}, {"bw": True, "grid": "dots"}, {"grid_color": "grey"}])
def test_grid_colors_of_black_and_white_prints_are_grey(demo_record: Record, keys: dict[str, Any]) -> None:
    for ink in _grid(page(demo_record, **keys)):
        red, green, blue = rgb(ink.attrib["stroke"])
        assert red == green == blue < 255


def test_grid_colors_of_a_black_and_white_print_leave_no_color_in_the_pixels(demo_record: Record) -> None:
    image = page(demo_record, template="ge", bw=True, qr_code=True).sheet.image
    assert (np.ptp(image, axis=2) == 0).all()


def test_grid_colors_may_be_any_other(demo_record: Record) -> None:
    drawn = page(demo_record, grid_color="#7A3E9D")
    assert _grid(drawn)[1].attrib["stroke"] == "#7A3E9D"


# Nothing on anything ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("position", ["above", "below", "inline", None], ids=str)
def test_lead_names_are_never_on_a_trace(any_template: tuple[Record, str], position: str | None) -> None:
    """With the template's own place of the names (None), and with each of the three."""
    record, template = any_template
    own: dict[str, Any] = {} if position is None else {"lead_names": position}
    drawn = page(record, template=template, **own)
    traces = drawn.of("trace")
    names = drawn.of("lead-name")
    assert len(names) == len(traces)
    ink = [trace.line for trace in traces]
    hit = [name.data("text") for name in names if shapely.intersects(shapely.box(*name.box), ink).any()]
    assert hit == []


def crowd(drawn: Page) -> list[tuple[str, shapely.Geometry]]:
    """Header, footer and lead names, QR code with its white, and pulses, each with the room that it takes."""
    found = []
    for role in ("header-text", "footer-text", "lead-name"):
        found += [(f"{role} '{ink.data('text')}'", shapely.box(*ink.box)) for ink in drawn.of(role)]
    found += [("QR code", shapely.box(*ink.box)) for ink in drawn.of("qr-back")]
    return found + [(f"pulse {i}", ink.line) for i, ink in enumerate(drawn.of("pulse"))]


def assert_nothing_overlaps(drawn: Page) -> None:
    found = crowd(drawn)
    kinds = [name.split()[0] for name, _ in found]
    assert {"header-text", "lead-name", "QR", "pulse"} <= set(kinds)
    clashes = [f"{a} on {b}" for (a, p), (b, q) in itertools.combinations(found, 2) if shapely.intersects(p, q)]
    assert clashes == []
    paper = shapely.box(0, 0, *drawn.size)
    assert [name for name, place in found if not shapely.contains(paper, place)] == []


@pytest.mark.parametrize("paper", ["letter", "a4"])
def test_header_names_qr_code_and_pulses_do_not_overlap(any_template: tuple[Record, str], paper: str) -> None:
    record, template = any_template
    assert_nothing_overlaps(page(record, template=template, paper=paper, print_header=True, qr_code=True))


@pytest.mark.parametrize("paper", ["letter", "a4"])
@pytest.mark.parametrize("header", HEADERS)
def test_no_header_overlaps_anything_whatever_it_is_filled_with(demo_record: Record, paper: str, header: str) -> None:
    for seed in range(4):
        keys: dict[str, Any] = {"template": "3x4", "paper": paper, "print_header": True, "qr_code": True}
        assert_nothing_overlaps(page(demo_record, seed, header=header, **keys))
