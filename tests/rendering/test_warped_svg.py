"""The page's vectors in image pixels: where the warp puts them, as wide as it makes them, as the image shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path as File
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

import ecgvec
from ecgvec._typing import Points
from ecgvec.errors import SourceError
from ecgvec.geometry.path import Box, dash_line, lines, segments
from ecgvec.graphics.raster import draw_svg
from ecgvec.graphics.shapes import Group, Pen, Scene, Shape
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from ecgvec.rendering import warped_svg
from ecgvec.rendering.camera import render_pixels
from ecgvec.sheet import Sheet
from ecgvec.warp.base import Flat
from tests.graphics.renderers import LEVELS, Target, chromium, librsvg, worst

TOLERANCE_PX = 0.02
DECIMALS_PX = 0.00071  # half the third decimal, in x and in y
SAMPLES = 30_000  # of each role, at most
ACROSS = 5  # columns of pixels in which a ridge is measured
SVG = "{http://www.w3.org/2000/svg}"
BENDS: dict[str, dict[str, Any]] = {
    "creases": {
        "layout.template": "ge",
        "warp.creases.vertical": 3,
        "warp.creases.angle": 70,
        "warp.edge-wave.height": 2,
        "warp.phone.tilt": 12,
        "warp.phone.distance": 350,
    },
    "crumple": {"warp.crumple.strength": 0.4, "warp.phone.tilt": 8, "page.clip": True, "page.gain": 20.0},
    "curl": {
        "layout.template": "3x4+3R",
        "page.grid": "dots",
        "page.separators": "dashed",
        "warp.curl.onset": 40,
        "warp.phone.tilt": 12,
        "warp.phone.pan": -10,
        "warp.lens.k1": 0.05,
        "warp.rotate.angle": 4,
    },
    "smaller": {"warp.creases.vertical": 8, "warp.creases.horizontal": 6, "warp.resize.factor": 0.6},
}
PAGE = {"page.print_header": True, "page.qr_code": True}


@pytest.fixture(scope="module", params=BENDS)
def bent(request: pytest.FixtureRequest, demo_record: Record) -> Sheet:
    """A whole page that is bent, with no light on it."""
    return ecgvec.render(demo_record, load_recipe("clean", {**PAGE, **BENDS[request.param]}), seed=3)


@pytest.fixture(scope="module")
def flat(demo_record: Record) -> Sheet:
    """A page seen straight on, with a margin around it."""
    return ecgvec.render(demo_record, template="ge", print_header=True, qr_code=True, pad=5.0)


def numbers(d: str) -> list[Points]:
    """The lines of a path's ``d``, closed ones with their first point at the end too."""
    found = []
    for line in re.findall("M[^M]*", d):
        points = np.array(re.findall(r"-?\d+\.\d+", line), dtype=np.float64).reshape(-1, 2)
        found.append(np.concatenate([points, points[:1]]) if line.endswith("Z") else points)
    return found


def drawn(svg_text: str) -> dict[str, list[Points]]:
    """{id of a mark: its lines in px} of a warped page."""
    found: dict[str, list[Points]] = {}
    for group in ElementTree.fromstring(svg_text).findall(f"{SVG}g"):
        for mark in group:
            if mark.get("id") is not None:
                paths = [mark.get("d"), *(path.get("d") for path in mark.findall(f"{SVG}path"))]
                found[str(mark.get("id"))] = [line for d in paths if d for line in numbers(d)]
    return found


def pieces(found: list[Points]) -> Any:
    """All straight pieces of lines, as shapely has them."""
    ends = np.concatenate([np.stack([line[:-1], line[1:]], axis=1) for line in found])
    return shapely.linestrings(ends)


def distances(points: Points, found: list[Points]) -> NDArray[np.float64]:
    """How far points (n, 2) lie from the nearest of the lines."""
    _, away = shapely.STRtree(pieces(found)).query_nearest(
        shapely.points(points), all_matches=False, return_distance=True
    )
    return np.asarray(away)


def on_page(mark: Shape) -> list[Points]:
    """The lines of a mark on the page, in mm, dashes cut."""
    return [piece for line in lines(mark.path, 1e-4) for piece in dash_line(line, mark.pen.dash)]


def near(points: Points, sheet: Sheet, margin: float = 10.0) -> NDArray[np.bool_]:
    """Which points (n, 2) lie in the image, or so near to it that its lattice holds them."""
    return np.asarray(((points > -margin) & (points < np.array(sheet.warp.size) + margin)).all(axis=1))


def by_role(scene: Scene) -> Iterator[tuple[str, list[Shape]]]:
    for role in dict.fromkeys(mark.role for mark in scene.shapes()):
        yield role, [mark for mark in scene.shapes() if mark.role == role]


# Where things are ---------------------------------------------------------------------------------------------------


def test_every_written_point_is_the_image_of_a_point_of_its_mark(bent: Sheet) -> None:
    written = drawn(bent.warped_svg)
    assert set(written) == {mark.id for mark in bent.scene.shapes()}
    for mark in bent.scene.shapes():
        points = np.concatenate(written[mark.id])
        points = points[near(points, bent)]
        back = bent.warp.inverse(points)
        # Blunt lines go a little further than their own last point; what is a curve on the page is not followed finer.
        slack = DECIMALS_PX if mark.pen.fill is None and mark.pen.cap != "butt" else 0.006
        home = on_page(mark)
        _, nearest = shapely.STRtree(pieces(home)).query_nearest(shapely.points(back), all_matches=False)
        foot = shapely.get_coordinates(shapely.shortest_line(pieces(home)[nearest], shapely.points(back)))[::2]
        away = np.hypot(*(bent.warp.forward(foot) - points).T)
        assert away.max(initial=0.0) <= slack, mark.id


def test_straight_pieces_keep_within_the_tolerance_of_the_true_lines(bent: Sheet) -> None:
    rng = np.random.default_rng(0)
    written = drawn(bent.warped_svg)
    for role, marks in by_role(bent.scene):
        ends = np.concatenate([np.stack([p[:-1], p[1:]], 1) for mark in marks for p in on_page(mark)])
        long = np.hypot(*(ends[:, 1] - ends[:, 0]).T) + 1e-9
        chosen = rng.choice(len(ends), SAMPLES, p=long / long.sum())
        on_line = ends[chosen, 0] + rng.uniform(0, 1, (SAMPLES, 1)) * (ends[chosen, 1] - ends[chosen, 0])
        true = bent.warp.forward(on_line)
        away = distances(true[near(true, bent)], [line for mark in marks for line in written[mark.id]])
        assert away.max() <= TOLERANCE_PX, f"{role}: {away.max():.4f} px"


def test_a_line_that_cannot_bend_is_written_with_two_points(flat: Sheet) -> None:
    written = drawn(flat.warped_svg)
    assert all(len(line) == 2 for line in written["grid-minor"])
    (sheet,) = written["sheet"]
    x, y = flat.scene.width, flat.scene.height
    assert sheet[:4] == pytest.approx(flat.warp.forward(np.array([(0, 0), (x, 0), (x, y), (0, y)])), abs=0.0006)


# How things look ----------------------------------------------------------------------------------------------------


def ink(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    return (255.0 - image[:, :, 1]) / 255


def windows(sheet: Sheet, pictures: list[NDArray[np.float64]], reach: int = 8) -> list[NDArray[np.float64]]:
    """Patches of 2 ``reach`` + 1 rows by ACROSS columns where the traces run level and alone, (n, rows, columns) a
    picture."""
    rows, columns = [], []
    for trace in sheet.labels.traces:
        points = trace.points[trace.visible]
        x = np.arange(np.ceil(points[:, 0].min()) + 6, points[:, 0].max() - 6, ACROSS)
        near_by = np.stack([np.interp(x + 0.5 + d, points[:, 0], points[:, 1]) for d in range(-4, 5)])
        level = np.ptp(near_by, axis=0) < 2.5
        y = np.floor(near_by[4]).astype(int)
        inside = (y > reach) & (y < sheet.warp.size[1] - reach) & (x > 2) & (x < sheet.warp.size[0] - 3)
        rows.append(y[level & inside])
        columns.append(x[level & inside].astype(int))
    down, right = np.ogrid[-reach : reach + 1, -(ACROSS // 2) : ACROSS // 2 + 1]
    at = np.concatenate(rows)[:, None, None] + down, np.concatenate(columns)[:, None, None] + right
    found = [picture[at] for picture in pictures]
    alone = np.all([window[:, [0, 1, 2, -3, -2, -1]].max(axis=(1, 2)) < 0.02 for window in found], axis=0)
    return [window[alone] for window in found]


def test_ridges_and_widths_of_the_traces_are_those_of_the_image(bent: Sheet) -> None:
    """Ridges on 5 px of line, over which the image's own resampling, worth 0.1 px in a single column, evens out."""
    vectors = draw_svg(warped_svg.write(bent.trace_scene, bent.warp), 96)
    assert vectors.shape == bent.trace_image.shape
    ours, image = windows(bent, [ink(vectors), ink(bent.trace_image)])
    assert len(ours) > 300
    rows = np.arange(ours.shape[1])[:, None]
    ridges = [(patch * rows).sum(axis=(1, 2)) / patch.sum(axis=(1, 2)) for patch in (ours, image)]
    off = np.abs(ridges[0] - ridges[1])
    print(f"{len(off)} ridges: 50, 99, 100 % at {np.percentile(off, [50, 99, 100]).round(3)} px")
    assert np.percentile(off, 99) <= 0.1
    assert abs(np.mean(ridges[0] - ridges[1])) <= 0.01
    for of_ours, of_image in zip(np.array_split(ours, 6), np.array_split(image, 6), strict=True):
        assert of_ours.sum() == pytest.approx(of_image.sum(), rel=0.03)


def test_the_widths_of_the_grid_are_those_of_the_image(demo_record: Record) -> None:
    """Region by region, with lines that run both ways over a page that is tilted a good deal."""
    recipe = load_recipe("clean", {"page.major_color": "#000000", "warp.phone.tilt": 25, "warp.creases.vertical": 2})
    sheet = ecgvec.render(demo_record, recipe, seed=5)
    scene = sheet.scene.only({"grid-major"})
    written = warped_svg.write(scene, sheet.warp)
    widths = [float(w) for w in re.findall(r'stroke-width="([^"]+)"', written)]
    assert max(widths) / min(widths) > 1.2
    assert len(widths) < 25
    pictures = [ink(draw_svg(written, 96)), ink(render_pixels(scene, sheet.view, 200.0))]
    side = 100
    ours, image = (
        p[: p.shape[0] // side * side, : p.shape[1] // side * side]
        .reshape(p.shape[0] // side, side, -1, side)
        .sum(axis=(1, 3))
        for p in pictures
    )
    whole = image > 0.8 * np.median(image)
    ratio = ours[whole] / image[whole]
    assert abs(np.median(ratio) - 1) < 0.01
    assert np.abs(ratio - 1).max() < 0.04


@dataclass(frozen=True)
class Stretched:
    """A warp that makes 10 px of a mm along x and 5 px along y."""

    size: tuple[int, int] = (400, 200)

    def forward(self, points: Points) -> Points:
        return points * (10.0, 5.0)

    def inverse(self, points: Points) -> Points:
        return points / (10.0, 5.0)


def test_a_line_is_as_wide_as_the_warp_makes_what_lies_across_it() -> None:
    """pen |det J| / |J d|: a level line has the scale across it, not the one along it."""
    ends = {"level": (5, 20, 35, 20), "upright": (5, 5, 5, 35), "slanting": (5, 5, 35, 35)}
    marks = [Shape(name, "line", segments([at]), Pen(stroke="#000000", width=0.4)) for name, at in ends.items()]
    marks.append(Shape("dot", "line", segments([(20, 20, 20, 20)]), Pen(stroke="#000000", width=0.4, cap="round")))
    written = warped_svg.write(Scene(40.0, 40.0, "hand-made", (Group("all", "all", tuple(marks)),)), Stretched())
    widths = [float(width) for width in re.findall(r'stroke-width="([^"]+)"', written)]
    assert widths == pytest.approx([0.4 * 5, 0.4 * 10, 0.4 * 50 / np.sqrt(62.5), 0.4 * np.sqrt(50)], abs=0.0006)


def test_a_flat_page_looks_as_it_does(flat: Sheet) -> None:
    assert isinstance(flat.warp, Flat)
    vectors = draw_svg(flat.warped_svg, 96)
    assert vectors.shape == flat.image.shape
    away = np.abs(vectors.astype(int) - flat.image).max(axis=2)
    assert away.mean() < 0.05
    assert np.percentile(away, 99.9) <= 6


@pytest.mark.parametrize("renderer", [librsvg, chromium], ids=lambda function: function.__name__)
def test_other_programs_show_the_same(demo_record: Record, tmp_path: File, renderer: Any) -> None:
    recipe = load_recipe("clean", {**PAGE, **BENDS["curl"], "page.clip": True, "page.gain": 20.0})
    sheet = ecgvec.render(demo_record, recipe, seed=3)
    width, height = (side * 25.4 / 96 for side in sheet.warp.size)
    shown = renderer(sheet.warped_svg, Target(width, height, 96), tmp_path)
    off, where = worst(draw_svg(sheet.warped_svg, 96), shown, 200)  # regions of 16 px
    assert off <= LEVELS, f"{off:.1f} levels: {where}"


# What things are ----------------------------------------------------------------------------------------------------


def test_the_document_has_the_ids_and_the_meaning_of_the_page(bent: Sheet) -> None:
    page, image = (ElementTree.fromstring(text) for text in (bent.svg, bent.warped_svg))
    width, height = bent.warp.size
    assert [image.get(key) for key in ("width", "height", "viewBox")] == [
        *map(str, (width, height)),
        f"0 0 {width} {height}",
    ]
    ids = [element.get("id") for element in image.iter() if element.get("id") is not None]
    assert len(set(ids)) == len(ids)
    for group in page.findall(f"{SVG}g"):
        for element in (group, *group):
            if element.get("id") is None:
                continue
            (same,) = image.findall(f".//*[@id='{element.get('id')}']")
            for key, value in element.attrib.items():
                if key in ("class", "role", "aria-label") or key.startswith("data-"):
                    assert same.get(key) == value
            assert same.findtext(f"{SVG}title") == element.findtext(f"{SVG}title")


def test_a_bent_page_is_not_read_as_one_in_millimetres(flat: Sheet) -> None:
    with pytest.raises(SourceError, match="as its image shows it: give the page itself"):
        ecgvec.svg.read_traces(flat.warped_svg)


def test_opacity_clips_dots_and_the_papers_edge() -> None:
    """A hand-made page at 10 px/mm: what crosses the paper's edge or its clip is cut, doubled ink is not darker."""
    grey = Pen(stroke="#000000", width=2.0, opacity=0.5, cap="round")
    marks = (
        Shape("edge", "edge", segments([(-5, 5, 5, 5)]), grey),
        Shape("clipped", "clipped", segments([(10, 5, 20, 5)]), replace(grey, opacity=1.0), clip=Box(12, 0, 30, 5)),
        Shape("off", "off", segments([(-9, 2, -3, 2)]), grey),
        Shape("dots", "dots", segments([(25, 5, 29.9, 5)]), replace(grey, opacity=1.0, dash=(0.0, 4.0))),
    )
    scene = Scene(40.0, 10.0, "hand-made", (Group("all", "all", marks),))
    image = draw_svg(warped_svg.write(scene, Flat((-10.0, 0.0, 40.0, 10.0), 254.0)), 96)[:, :, 0]
    assert image.shape == (100, 500)
    assert (image[:, :100] == 255).all()  # off the paper
    assert np.abs(image[45:55, 105:140].astype(int) - 127).max() <= 1
    assert (image[42:49, 225:295] == 0).all()
    assert (image[51:, 200:310] == 255).all()
    assert (image[:, :219] > 0).all()
    assert (image[45:55, [350, 390]] == 0).all()
    assert (image[45:55, 365:375] == 255).all()
    assert image[50, 341:359].max() == 0


def test_the_format_writes_both_documents(flat: Sheet, tmp_path: File) -> None:
    whole, traces = flat.save(tmp_path, formats=["warped-svg", "gt-warped-svg"])
    assert (whole.name, traces.name) == ("ecgvec-demo-0-warped.svg", "ecgvec-demo-0-gt-warped.svg")
    assert whole.read_text(encoding="utf-8") == flat.warped_svg
    assert set(drawn(traces.read_text(encoding="utf-8"))) == {trace.id for trace in flat.labels.traces}
