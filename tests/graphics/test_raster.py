"""Pixels: their number, their place, and that both ways to them, scene -> cairo and scene -> SVG -> CairoSVG, agree."""

from __future__ import annotations

import base64
import functools
import itertools
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path as File
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import ecgvec
from ecgvec import svg
from ecgvec.errors import RecipeError, SourceError
from ecgvec.geometry.path import CURVE, MOVE, Box, Path, join, polyline, rectangles, with_gaps
from ecgvec.graphics.raster import draw, draw_svg
from ecgvec.graphics.shapes import Group, Pen, Scene, Shape, text_shape
from ecgvec.record.model import Lead, Record
from ecgvec.resources import listing
from tests.graphics.drawing import assert_same

Image = NDArray[np.uint8]

TEMPLATES = sorted(listing("pages"))
BLACK = Pen(fill="#000000")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def scene(width: float, height: float, *marks: Shape) -> Scene:
    """A hand-made page."""
    return Scene(width, height, "hand-made", (Group("all", "all", marks),))


def ink(image: Image) -> NDArray[np.float64]:
    """How much of each pixel is black, 0 to 1, in a picture of black on white."""
    coverage: NDArray[np.float64] = (255.0 - image[:, :, 0]) / 255
    return coverage


def edges(line: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Start and end, in pixels and parts of them, of each run of ink along a row or column of pixels."""
    step = np.diff(np.concatenate([[0], (line > 0).astype(np.int8), [0]]))
    runs = zip(np.flatnonzero(step == 1), np.flatnonzero(step == -1), strict=True)
    return [(float(a + 1 - line[a]), float(b - 1 + line[b - 1])) for a, b in runs]


@pytest.fixture(scope="module")
def fifteen(demo_record: Record) -> Record:
    """The demo record with three further leads, which the 15-lead template needs."""
    extra = [demo_record.index(name) for name in ("V1", "V5", "V6")]
    return replace(
        demo_record,
        leads=(*demo_record.leads, Lead("V4R", "V4R"), Lead("V8", "V8"), Lead("V9", "V9")),
        signals=np.column_stack([demo_record.signals, 0.7 * demo_record.signals[:, extra]]),
    )


# Size and scale -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dpi", [50, 72, 96, 99.5, 137, 200, 254, 300, 333, 600, 1200])
@pytest.mark.parametrize("size", [(279.4, 2.0), (2.0, 215.9), (297.0, 2.1), (33.333, 7.777), (10.16, 12.7)], ids=str)
def test_pixel_size_is_mm_times_dpi_over_25_4_rounded(size: tuple[float, float], dpi: float) -> None:
    page = scene(*size, Shape("sheet", "paper", rectangles([(0, 0, *size)]), Pen(fill="#FFEEDD")))
    for image in (draw(page, dpi), draw_svg(svg.write(page), dpi)):
        for pixels, mm in zip(image.shape[1::-1], size, strict=True):
            # Half a pixel, and where exactly half is left over either neighbour.
            assert abs(pixels - mm * dpi / 25.4) <= 0.5 + 1e-9


@pytest.mark.parametrize(("width", "height"), [(279.4, 215.9), (297.0, 210.0), (280.0, 210.0), (300.0, 210.0)])
def test_both_ways_give_one_size_at_any_dpi(width: float, height: float) -> None:
    """Also where the page's edge falls on the middle of a pixel: letter is 2830.5 px high at 333 dpi."""
    wrong = []
    for dpi in (50, 60.5, 97.3, 111, 137, 150, 200, 254, 300, 333):
        for page in (scene(width, 3.0), scene(3.0, height)):
            direct, through_svg = draw(page, dpi).shape, draw_svg(svg.write(page), dpi).shape
            if direct != through_svg:
                wrong.append((dpi, direct, through_svg))
    assert wrong == []


@pytest.mark.parametrize("dpi", [50.0, 137.0, 1200.0])
def test_a_page_at_the_lowest_and_the_highest_dpi(demo_record: Record, dpi: float) -> None:
    sheet = ecgvec.render(demo_record, template="3x4", paper="roll-50", seconds=1.0, dpi=dpi)
    across = round(50 * dpi / 25.4)
    assert sheet.image.shape == (across, round(sheet.scene.width * dpi / 25.4), 3)
    assert np.array_equal(sheet.image, draw(sheet.scene, dpi))


@pytest.mark.parametrize("dpi", [49.9, 1200.1, 0, -200, float("nan")])
def test_no_other_dpi(demo_record: Record, dpi: float) -> None:
    with pytest.raises(RecipeError, match="dpi"):
        ecgvec.render(demo_record, dpi=dpi)


def test_a_page_too_long_for_cairo_is_refused_in_one_sentence() -> None:
    with pytest.raises(SourceError, match=r"^a page of .* pixels at 300 dpi.*: lower --dpi or --seconds$"):
        draw(scene(5000.0, 10.0), 300)


@pytest.mark.parametrize("seconds", [10.123, 41.01, 62.503])
def test_the_svg_of_a_long_roll_is_as_long_as_the_page(demo_record: Record, seconds: float) -> None:
    """Lengths that need more than five digits are not cut short: 1045.25 mm, not 1045.2 mm."""
    long = replace(demo_record, signals=np.tile(demo_record.signals, (7, 1)))
    sheet = ecgvec.render(long, template="12x1", paper="roll-210", seconds=seconds, dpi=50)
    found = re.search(r'<svg [^>]*\bwidth="([^"]+)mm"', sheet.svg)
    assert found is not None
    assert float(found[1]) == pytest.approx(sheet.scene.width, abs=1e-5)


@pytest.mark.parametrize("dpi", [200, 333, 50, 137, 1200])
def test_the_edges_of_a_5_mm_box_lie_where_the_dpi_says(dpi: float) -> None:
    """Within 0.01 px, measured from how much of the outermost pixels is covered, wherever the box begins."""
    scale, worst = dpi / 25.4, 0.0
    for x, y in itertools.product((2.0, 2.0917, 2.37, 2.81234), (2.0, 2.1371, 2.5, 2.9993)):
        page = scene(10.16, 10.16, Shape("box", "box", rectangles([(x, y, x + 5, y + 5)]).round(), BLACK))
        for image in (draw(page, dpi), draw_svg(svg.write(page), dpi)):
            black = ink(image)[:-1, :-1]  # without the pixels in which the paper ends
            (across,) = edges(black[round((y + 2.5) * scale)])
            (along,) = edges(black[:, round((x + 2.5) * scale)])
            wanted = (x * scale, (x + 5) * scale, y * scale, (y + 5) * scale)
            worst = max(worst, float(np.abs(np.subtract((*across, *along), wanted)).max()))
    assert worst <= 0.01, f"{worst:.4f} px"


@pytest.mark.parametrize("axis", ["across", "down"])
@pytest.mark.parametrize("dpi", [200, 333])
def test_the_5_mm_boxes_of_a_page_lie_where_the_dpi_says(demo_record: Record, dpi: float, axis: str) -> None:
    """The edges of every major grid line, within 0.01 px of 5 mm steps from the grid's origin."""
    sheet = ecgvec.render(demo_record, major_color="#000000", minor_color="#FFFFFF", paper_color="#FFFFFF", dpi=50)
    page = sheet.scene.only({"grid-major"})
    (major,) = page.shapes()
    x0, y0, x1, y1 = major.path.bounds()
    low, high = (x0, x1) if axis == "across" else (y0, y1)
    lines = np.arange(low, high + 0.01, 5.0)
    scale, half = dpi / 25.4, major.pen.width / 2
    black = ink(draw(page, dpi))
    # Along the middle of a row, or column, of boxes: away from the lines of the other direction.
    profile = black[round((y0 + 17.5) * scale)] if axis == "across" else black[:, round((x0 + 17.5) * scale)]
    found = np.array(edges(profile))
    wanted = np.column_stack([(lines - half) * scale, (lines + half) * scale])
    assert found.shape == wanted.shape
    worst = float(np.abs(found - wanted).max())
    assert worst <= 0.01, f"{worst:.4f} px"


# Both ways show the same --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_looks_the_same_both_ways(demo_record: Record, fifteen: Record, template: str) -> None:
    record = fifteen if template == "15-lead" else demo_record
    sheet = ecgvec.render(record, template=template, print_header=True, qr_code=True, dpi=50)
    for dpi in (50, 137, 200, 300):
        assert_same(sheet.scene, sheet.svg, dpi)


@pytest.mark.parametrize(
    "keys",
    [
        {"clip": True, "gain": 20.0},
        {"bw": True},
        {"grid": "dots"},
        {"grid": "dots", "bw": True, "qr_code": True, "separators": "dashed"},
        {"grid": "none", "qr_code": True},
        {"template": "ge", "bw": True, "clip": True, "gain": 20.0},
        {"template": "12x1", "cabrera": True, "lead_names": "inline"},
        {"template": "3x4+3R", "chest_gain": 5.0, "trace_width": 0.127, "separators": "bar"},
    ],
    ids=lambda keys: " ".join(f"{key}={value}" for key, value in keys.items()),
)
def test_every_option_looks_the_same_both_ways(demo_record: Record, keys: dict[str, Any]) -> None:
    sheet = ecgvec.render(demo_record, **{"dpi": 50, **keys})
    for dpi in (137, 200):
        assert_same(sheet.scene, sheet.svg, dpi)


@pytest.mark.parametrize("paper", ["letter", "a4", "fan-fold", "fan-fold-300", "roll-50", "roll-110", "roll-210"])
@pytest.mark.parametrize("dpi", [50, 137, 200, 300])
def test_every_paper_looks_the_same_both_ways(demo_record: Record, paper: str, dpi: float) -> None:
    """Also where the paper ends within a pixel, as A4 does at nearly every dpi."""
    sheet = ecgvec.render(demo_record, template="3x4", paper=paper, dpi=50)
    assert_same(sheet.scene, sheet.svg, dpi)


@pytest.mark.parametrize("dpi", [50, 1200])
def test_the_lowest_and_the_highest_dpi_look_the_same_both_ways(demo_record: Record, dpi: float) -> None:
    sheet = ecgvec.render(demo_record, template="3x4", paper="roll-50", seconds=1.0, dpi=50)
    assert_same(sheet.scene, sheet.svg, dpi)


def test_a_record_with_gaps_looks_the_same_both_ways(demo_record: Record) -> None:
    signals = demo_record.signals.copy()
    signals[1000:1500] = np.nan
    signals[2000:2100:2, :6] = np.nan  # samples alone between gaps
    sheet = ecgvec.render(replace(demo_record, signals=signals), template="12x1", dpi=50)
    assert "nan" not in sheet.svg.lower()
    for dpi in (137, 200):
        assert_same(sheet.scene, sheet.svg, dpi)


def test_nothing_is_drawn_in_a_gap_and_a_sample_alone_is_a_dot(demo_record: Record) -> None:
    signals = np.zeros_like(demo_record.signals)
    signals[1000:2000] = np.nan
    signals[1500] = 0.0
    sheet = ecgvec.render(replace(demo_record, signals=signals), template="12x1", dpi=254, trace_width=0.3)
    x0 = float(re.findall(r'data-x0-mm="([^"]+)"', sheet.svg)[0])
    for image in (sheet.trace_image, draw_svg(svg.write(sheet.trace_scene), 254)):
        black = ink(image)
        # 0.05 mm a sample, 10 px a mm: the gap is 1000 samples, 500 px, long.
        start, dot, end = ((x0 + sample * 0.05) * 10 for sample in (999, 1500, 2000))
        for row in range(12):
            runs = edges(black[round(float(sheet.labels.traces[row].points[0, 1]) - 0.5)])
            assert len(runs) == 3
            assert runs[0][1] == pytest.approx(start + 1.5, abs=0.7)
            assert np.mean(runs[1]) == pytest.approx(dot, abs=0.5)
            assert runs[1][1] - runs[1][0] == pytest.approx(3.0, abs=0.7)
            assert runs[2][0] == pytest.approx(end - 1.5, abs=0.7)


def blob(x: float, y: float, size: float) -> Path:
    """A closed shape of four cubic curves."""
    k = 0.5523 * size
    points = [
        *[(x + size, y), (x + size, y + k), (x + k, y + size), (x, y + size)],
        *[(x - k, y + size), (x - size, y + k), (x - size, y)],
        *[(x - size, y - k), (x - k, y - size), (x, y - size)],
        *[(x + k, y - size), (x + size, y - k), (x + size, y)],
    ]
    return Path(np.array([MOVE, *[CURVE] * 4], dtype=np.uint8), np.array(points)).round()


def hand_made() -> Scene:
    """What no page of ours has: fill with stroke, opacity, sharp corners, dashes, curves and clips, one on another."""
    # Corners on both sides of the miter limit: 1 / sin(half the angle) is 6.1 at (16, 24), 1.9 at (36, 60).
    sharp = polyline([(10, 60), (16, 24), (22, 60), (35, 24), (36, 60), (40, 58), (11, 59.5)]).round()
    wave = with_gaps(np.column_stack([np.linspace(45, 115, 700), 50 + 9 * np.sin(np.linspace(0, 40, 700))])).round()
    dashes = join([polyline([(5, y), (112, y + 3.3)]) for y in (64, 67, 70)]).round()
    text = text_shape("words", "header-text", "aVR ½ mV, Ångström & <Ω>", (44, 33), ("serif", 6.0, "#205080"))
    assert text is not None
    marks = [
        Shape("sheet", "paper", rectangles([(0, 0, 127.0, 76.2)]), Pen(fill="#FFF7F6")),
        Shape("both", "x", blob(30, 25, 18), Pen("#AA0000", 2.3, "#00AA44", opacity=0.37)),
        Shape("over", "x", blob(45, 27, 15), Pen(fill="#3333FF", opacity=0.5)),
        Shape("miter", "x", sharp, Pen("#000000", 1.6, opacity=0.8)),
        Shape(
            "round",
            "x",
            sharp.transform(lambda p: p + np.array([36.0, 0.0])).round(),
            Pen("#000000", 1.6, join="round"),
        ),
        Shape("dashed", "x", dashes, Pen("#884400", 0.6, dash=(2.2, 1.0, 0.4, 1.0))),
        Shape("dots", "x", polyline([(5, 73), (112, 73.4)]).round(), Pen("#004400", 0.9, cap="round", dash=(0.0, 1.7))),
        Shape("wave", "x", wave, Pen("#000000", 0.26, cap="round", join="round"), clip=Box(50.2, 44.03, 103.7, 58.01)),
        Shape(
            "hole",
            "x",
            join([blob(100, 20, 14), polyline([(95, 15), (95, 25), (106.3, 25)], closed=True)]).round(),
            BLACK,
        ),
        replace(text, pen=Pen(fill="#205080", opacity=0.61)),
        Shape(
            "dot", "x", with_gaps(np.array([[np.nan, 0], [120.0, 70.0], [np.nan, 0]])), Pen("#000000", 3, cap="round")
        ),
    ]
    return scene(127.0, 76.2, *marks)


@pytest.mark.parametrize("dpi", [50, 100, 137, 200, 300, 1200])
def test_a_hand_made_page_with_opacity_dashes_joins_and_curves_looks_the_same_both_ways(dpi: float) -> None:
    page = hand_made()
    assert_same(page, svg.write(page), dpi)


def test_opacity_mixes_with_what_is_below() -> None:
    """Half red on white, and half blue on that: 255 (1 - a) of the ground is left each time."""
    page = scene(
        20.0,
        10.0,
        Shape("a", "x", rectangles([(0, 0, 10, 10)]), Pen(fill="#FF0000", opacity=0.5)),
        Shape("b", "x", rectangles([(5, 0, 15, 10)]), Pen(fill="#0000FF", opacity=0.25)),
    )
    for image in (draw(page, 254), draw_svg(svg.write(page), 254)):
        assert image[50, 25].tolist() == pytest.approx([255, 127.5, 127.5], abs=1)
        assert image[50, 75].tolist() == pytest.approx([191.25, 95.6, 159.4], abs=1)
        assert image[50, 125].tolist() == pytest.approx([191.25, 191.25, 255], abs=1)
        assert image[50, 175].tolist() == [255, 255, 255]


def test_what_lies_on_the_edge_of_the_paper_is_on_white_both_ways() -> None:
    """10 mm are 78.74 px at 200 dpi: of the last row and column three quarters are paper, the rest is white."""
    page = scene(10.0, 10.0, Shape("sheet", "paper", rectangles([(0, 0, 10, 10)]), Pen(fill="#808080")))
    for image in (draw(page, 200), draw_svg(svg.write(page), 200)):
        assert image.shape == (79, 79, 3)
        for pixel in (image[78, 40], image[40, 78]):
            assert pixel.tolist() == pytest.approx([255 - 0.74 * 127] * 3, abs=2)


# SVGs of other programs ---------------------------------------------------------------------------------------------

FOREIGN = """
  <title>drawn elsewhere</title>
  <rect x="50" y="50" width="100" height="100" fill="#00f"/>
  <g transform="translate(250 100) scale(2)" style="fill:red;stroke:none"><circle r="20"/></g>
  <g transform="rotate(90 200 200)"><rect x="190" y="150" width="20" height="100" fill="green"/></g>
</svg>"""


@pytest.mark.parametrize("dpi", [50, 200, 300])
@pytest.mark.parametrize(
    ("width", "height"), [("4in", "2.5in"), ("101.6mm", "63.5mm"), ("10.16cm", "6.35cm"), ("288pt", "180pt")]
)
def test_an_svg_of_another_program_has_its_right_size(width: str, height: str, dpi: int) -> None:
    image = draw_svg(f'{SVG} width="{width}" height="{height}" viewBox="0 0 400 250">{FOREIGN}', dpi)
    assert image.shape == (round(2.5 * dpi), 4 * dpi, 3)
    unit = dpi / 100  # 100 user units an inch
    blue = (image == (0, 0, 255)).all(axis=2)
    rows, columns = np.nonzero(blue)
    assert (columns.min(), columns.max() + 1) == pytest.approx((50 * unit, 150 * unit), abs=0.51)
    assert (rows.min(), rows.max() + 1) == pytest.approx((50 * unit, 150 * unit), abs=0.51)
    red = (255.0 - image[:, :, 1]) / 255 * (image[:, :, 0] > 200)
    assert red.sum() == pytest.approx(np.pi * (40 * unit) ** 2, rel=0.01)
    moments = cv2.moments(red)
    assert moments["m10"] / moments["m00"] + 0.5 == pytest.approx(250 * unit, abs=0.1)
    assert moments["m01"] / moments["m00"] + 0.5 == pytest.approx(100 * unit, abs=0.1)
    rows, columns = np.nonzero((image == (0, 128, 0)).all(axis=2))
    assert (columns.min(), columns.max() + 1) == pytest.approx((150 * unit, 250 * unit), abs=0.51)
    assert (rows.min(), rows.max() + 1) == pytest.approx((190 * unit, 210 * unit), abs=0.51)


BROKEN = {
    "empty": "",
    "no XML": "hello, page",
    "cut off": '<svg xmlns="http://www.w3.org/2000/svg" width="10mm" height="10mm"><rect',
    "wrong nesting": f'{SVG} width="10mm" height="10mm"><g></svg></g>',
    "no size": f"{SVG}></svg>",
    "no size at all": f'{SVG} width="0" height="10mm"></svg>',
    "negative size": f'{SVG} width="-5mm" height="10mm"></svg>',
    "size is no number": f'{SVG} width="nanmm" height="10mm"></svg>',
    "boundless size": f'{SVG} width="1e9in" height="1e9in"></svg>',
    "control character": f'{SVG} width="1mm" height="1mm">\x00</svg>',
    "lone surrogate": f'{SVG} width="1mm" height="1mm">\ud800</svg>',
    "unknown entity": f'{SVG} width="1mm" height="1mm">&nope;</svg>',
    "entity": f'<!DOCTYPE svg [<!ENTITY a "aaaa">]>{SVG} width="1mm" height="1mm">&a;</svg>',
    "use of itself": f'{SVG} width="1mm" height="1mm"><g id="a"><use href="#a"/></g></svg>',
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_svg_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        draw_svg(text, 200)
    message = str(caught.value)
    assert re.fullmatch(r"this SVG cannot be drawn \(.+\): check that it is a whole SVG document", message), message
    assert len(message) < 400


# What an SVG must not do: open files or addresses.

_touched: list[str] | None = None


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if _touched is None or event not in {"open", "socket.connect", "socket.getaddrinfo", "urllib.Request"}:
        return
    if not str(arguments[0]).startswith("data:"):
        _touched.append(f"{event} {arguments[0] if event in {'open', 'urllib.Request'} else arguments[1:]}")


@functools.cache
def _install_audit() -> None:
    sys.addaudithook(_audit)  # once: a hook cannot be taken off again


@contextmanager
def watched() -> Iterator[list[str]]:
    """All files and addresses that Python opens within the block, as the interpreter itself reports them."""
    global _touched
    _install_audit()
    _touched = []
    try:
        yield _touched
    finally:
        _touched = None


HOSTILE = {
    "image": '<image href="file://{path}" width="10" height="10"/>',
    "image, old style": '<image xlink:href="file://{path}" width="10" height="10"/>',
    "image, bare path": '<image href="{path}" width="10" height="10"/>',
    "image, no file": '<image href="file:///etc/hostname" width="10" height="10"/>',
    "use": '<use href="file://{path}#a"/>',
    "fill": '<rect width="10" height="10" fill="url(file://{path}#a)"/>',
    "style sheet": "<style>@import url(file://{path});</style>",
    "address": '<image href="http://127.0.0.1:9/{path}" width="10" height="10"/>',
    "svg in an image": '<image width="10" height="10" href="data:image/svg+xml,'
    "&lt;svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'&gt;"
    "&lt;image href='file://{path}' width='10' height='10'/&gt;&lt;/svg&gt;\"/>",
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_an_svg_opens_no_local_file_and_no_address(hostile: str, tmp_path: File) -> None:
    secret = tmp_path / "secret.png"
    cv2.imwrite(str(secret), np.full((10, 10, 3), (0, 0, 255), dtype=np.uint8))
    text = f'{SVG} width="10mm" height="10mm" viewBox="0 0 10 10">{hostile.format(path=secret)}</svg>'
    draw_svg(f'{SVG} width="1mm" height="1mm"></svg>', 50)  # so that all modules are loaded
    with watched() as touched:
        secret.read_bytes()
        assert [event for event in touched if str(secret) in event]  # the watch sees what is opened
        touched.clear()
        try:
            image = draw_svg(text, 100)
        except SourceError:
            image = np.full((39, 39, 3), 255, dtype=np.uint8)
        names = list(touched)
    assert [n for n in names if str(tmp_path) in n or "hostname" in n or not n.startswith("open")] == []
    assert image.shape == (39, 39, 3)
    red = (image[:, :, 0] > 200) & (image[:, :, 1] < 100)
    assert not red.any()


def test_an_svg_reads_no_external_entity(tmp_path: File) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret", encoding="utf-8")
    head = f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file://{secret}">]>'
    with watched() as touched, pytest.raises(SourceError):
        draw_svg(f'{head}{SVG} width="1mm" height="1mm"><text>&x;</text></svg>', 50)
    assert [event for event in touched if str(tmp_path) in event] == []


def test_an_image_within_an_svg_is_drawn() -> None:
    """The control of the tests above: an image that lies in the SVG itself is shown."""
    ok, png = cv2.imencode(".png", np.full((10, 10, 3), (0, 0, 255), dtype=np.uint8))
    assert ok
    data = base64.b64encode(png.tobytes()).decode()
    body = f'<image href="data:image/png;base64,{data}" width="10" height="10"/>'
    image = draw_svg(f'{SVG} width="10mm" height="10mm" viewBox="0 0 10 10">{body}</svg>', 100)
    assert image[20, 20].tolist() == [255, 0, 0]
