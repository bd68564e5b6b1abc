"""Masks: against the scene painted by cairo and against plain geometry, and the files read back by other readers."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path as File
from typing import Any

import cairocffi
import cv2
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from PIL import Image

import ecgvec
from ecgvec.components import rgb
from ecgvec.export import masks
from ecgvec.export.formats import FORMATS
from ecgvec.geometry.path import join, polyline, rectangles
from ecgvec.geometry.units import px_per_mm
from ecgvec.graphics.raster import append_path
from ecgvec.graphics.shapes import Shape
from ecgvec.layout.place import TraceInfo
from ecgvec.record.leads import STANDARD_12
from ecgvec.record.model import Lead, Record
from ecgvec.resources import listing

Mask = NDArray[np.bool_]

NO_CLASS = {"paper", "ground", "grid-minor", "grid-major"}  # roles that are background and hide nothing
IDS = {kind.name: i for i, kind in enumerate(masks.CLASSES)}


def many_leads(record: Record, *others: str) -> Record:
    """The record with further leads of these names."""
    signals = np.column_stack([record.signals, *(0.7 * record.signals[:, i % 12] for i in range(len(others)))])
    return replace(record, leads=(*record.leads, *(Lead(name, name) for name in others)), signals=signals)


def painted(sheet: ecgvec.Sheet, mark: Shape) -> NDArray[np.uint8]:
    """How much of each pixel cairo covers with one mark of the page, (H, W), 0 to 255. A QR code is its whole square.

    Not without antialiasing, for then cairo fills gaps of one pixel that are none of the mark's.
    """
    height, width = sheet.image.shape[:2]
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_A8, width, height)
    context = cairocffi.Context(surface)
    context.scale(px_per_mm(sheet.warp.dpi), px_per_mm(sheet.warp.dpi))
    context.translate(-sheet.warp.frame[0], -sheet.warp.frame[1])
    if mark.clip is not None:
        x0, y0, x1, y1 = mark.clip
        context.rectangle(x0, y0, x1 - x0, y1 - y0)
        context.clip()
    append_path(context, rectangles([mark.path.bounds()]) if mark.role == "qr-code" else mark.path)
    if mark.pen.fill is not None:
        context.fill()
    else:
        context.set_line_width(mark.pen.width)
        context.set_line_cap(cairocffi.LINE_CAP_ROUND if mark.pen.cap == "round" else cairocffi.LINE_CAP_BUTT)
        context.set_line_join(cairocffi.LINE_JOIN_ROUND)
        context.set_dash(mark.pen.dash)
        context.stroke()
    surface.flush()
    rows = np.frombuffer(surface.get_data(), dtype=np.uint8).reshape(height, surface.get_stride())
    return rows[:, :width].copy()


def assert_same_but_for_edges(found: NDArray[Any], wanted: NDArray[Any], edge: Mask) -> None:
    """Masks differ only where a mark's edge runs through the pixel, and on few of those."""
    assert found.shape == wanted.shape
    off = found != wanted
    assert not (off & ~edge).any()
    assert off.sum() <= 0.03 * edge.sum() + 2, f"{off.sum()} of {edge.sum()} pixels at edges"


def assert_agrees_with_the_scene(sheet: ecgvec.Sheet) -> set[str]:
    """All three masks against the scene, painted mark by mark; returns the names of the classes seen."""
    classes, leads, rows = masks.mask_arrays(sheet)
    names = masks.lead_bits(sheet)
    assert len(leads) == -(-len(names) // 16)
    wanted, edge = np.zeros_like(classes), np.zeros(classes.shape, dtype=bool)
    bits, planes = np.zeros((len(names), *classes.shape), dtype=np.uint8), np.zeros_like(rows)
    for mark in sheet.scene.shapes():
        if mark.role in NO_CLASS:
            continue
        cover = painted(sheet, mark)
        inside = cover >= 128
        edge |= (cover > 0) & (cover < 255)
        wanted[inside] = masks.CLASS_OF_ROLE[mark.role]  # a role that masks do not know is a KeyError
        if isinstance(mark.info, TraceInfo):
            bits[names.index(mark.info.panel.lead)][inside] = 1
            planes[mark.info.panel.row][inside] = 1
    assert_same_but_for_edges(classes, wanted, edge)
    for i, bit in enumerate(bits):
        assert_same_but_for_edges((leads[i // 16] >> i % 16 & 1).astype(np.uint8), bit, edge)
    for found, drawn in zip(rows, planes, strict=True):
        assert_same_but_for_edges(found, drawn, edge)
    return {masks.CLASSES[i].name for i in np.unique(classes)}


# Against the scene --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", sorted(listing("pages")))
def test_masks_of_every_template_agree_with_the_page(demo_record: Record, template: str) -> None:
    record = many_leads(demo_record, "V7", "V8", "V9") if template == "15-lead" else demo_record
    sheet = ecgvec.render(record, template=template, print_header=True, qr_code=True, dpi=150)
    found = assert_agrees_with_the_scene(sheet)
    assert {"background", "trace", "text", "qr-code"} <= found
    assert ("pulse" in found) == bool(sheet.layout.pulses)
    assert ("separator" in found) == bool(sheet.layout.separators)


@pytest.mark.parametrize(
    "keys",
    [
        {"crop": 0.1, "print_header": True, "qr_code": True},
        {"crop": 0.3, "separators": "dashed"},
        {"pad": 12.3, "pulse": "right", "separators": "bar"},
        {"clip": True, "gain": 20.0, "chest_gain": 10.0},
        {"dpi": 300, "trace_width": 0.4, "separators": "dashed", "lead_names": "inline"},
        {"dpi": 137.7, "paper": "a4", "cabrera": True, "template": "12x1"},
        {"paper": "roll-110", "template": "3x4", "calibration_pulse": False, "grid": "none"},
    ],
    ids=lambda keys: " ".join(f"{key}={value}" for key, value in keys.items()),
)
def test_masks_of_every_option_agree_with_the_page(demo_record: Record, keys: dict[str, Any]) -> None:
    assert_agrees_with_the_scene(ecgvec.render(demo_record, **{"dpi": 200, **keys}))


def test_masks_of_a_record_with_gaps_agree_with_the_page(demo_record: Record) -> None:
    signals = demo_record.signals.copy()
    signals[1000:1500] = np.nan
    signals[2000:2100:2, :6] = np.nan  # samples alone between gaps
    assert_agrees_with_the_scene(ecgvec.render(replace(demo_record, signals=signals), template="12x1"))


@pytest.mark.parametrize("dpi", [150, 200, 333])
def test_a_pixel_is_ink_where_its_centre_is_within_half_a_pens_width_of_the_line(
    demo_record: Record, dpi: float
) -> None:
    """By distance alone, without any painter: all pixels but those whose centre lies less than 0.06 px from the rim."""
    sheet = ecgvec.render(demo_record, dpi=dpi)
    _, leads, _ = masks.mask_arrays(sheet)
    reach = sheet.plan.page.style.trace_width * px_per_mm(dpi) / 2
    for lead in ("I", "V3"):
        lines = [shapely.LineString(t.points) for t in sheet.labels.traces if t.lead == lead]
        inside = (leads[0] >> STANDARD_12.index(lead) & 1).astype(bool)
        near = cv2.dilate(inside.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool)
        y, x = np.nonzero(near)
        distance = shapely.distance(shapely.points(x + 0.5, y + 0.5), shapely.MultiLineString(lines))
        sure: Mask = np.abs(np.asarray(distance) - reach) > 0.06
        assert sure.mean() > 0.9
        assert np.array_equal(inside[y, x][sure], np.less(distance, reach)[sure])


def test_no_hole_in_a_line_thinner_than_a_pixel(demo_record: Record) -> None:
    """0.26 mm is half a pixel at 50 dpi; each trace is one piece all the same, and a pixel thick where it is level."""
    sheet = ecgvec.render(demo_record, template="12x1", dpi=50, gain=20.0)
    _, leads, _ = masks.mask_arrays(sheet)
    for trace in sheet.labels.traces:
        inside = (leads[0] >> STANDARD_12.index(trace.lead) & 1).astype(np.uint8)
        assert cv2.connectedComponents(inside, connectivity=8)[0] == 2, trace.lead
        columns = inside.sum(axis=0)[int(trace.points[0, 0]) + 1 : int(trace.points[-1, 0])]
        assert columns.min() == 1
        assert np.median(columns) <= 2


# Overlaps -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crossing() -> ecgvec.Sheet:
    """Twelve rows of flat leads; at 5 s lead V1 falls through the row of V2."""
    signals = np.zeros((5000, 12))
    signals[2500:2520, 6] = -3.0
    return ecgvec.render(Record("r", 500.0, signals, tuple(Lead(n, n) for n in STANDARD_12)), template="12x1")


def test_a_pixel_of_two_leads_has_both_bits(crossing: ecgvec.Sheet) -> None:
    classes, leads, rows = masks.mask_arrays(crossing)
    v1, v2 = crossing.labels.traces[6:8]
    x, y = int(v1.points[2500, 0]), int(v2.points[0, 1])
    assert leads[0, y, x] == 1 << 6 | 1 << 7
    assert rows[:, y, x].nonzero()[0].tolist() == [6, 7]
    assert classes[y, x] == IDS["trace"]
    both = (leads[0] & (1 << 6 | 1 << 7)) == (1 << 6 | 1 << 7)
    assert np.array_equal(both, (rows[6] & rows[7]).astype(bool))
    assert 4 <= both.sum() <= 40
    assert np.array_equal(leads.any(axis=0), rows.any(axis=0))


def test_a_rhythm_strip_has_its_leads_bit_and_a_row_of_its_own(demo_record: Record) -> None:
    sheet = ecgvec.render(demo_record, template="3x4+1R")
    _, leads, rows = masks.mask_arrays(sheet)
    assert rows.shape == (4, *sheet.image.shape[:2])
    assert rows.dtype == np.uint8
    assert set(np.unique(rows)) == {0, 1}
    strip = next(t for t in sheet.labels.traces if t.rhythm)
    assert (strip.lead, strip.row) == ("II", 3)
    assert ((leads[0] >> 1 & 1)[rows[3] == 1] == 1).all()


def test_an_inverted_lead_has_its_leads_bit(demo_record: Record) -> None:
    sheet = ecgvec.render(demo_record, template="12x1", cabrera=True)
    trace = next(t for t in sheet.labels.traces if t.polarity < 0)
    _, leads, rows = masks.mask_arrays(sheet)
    assert trace.lead == "aVR"
    assert np.array_equal(leads[0] >> 3 & 1, rows[trace.row])


def test_a_row_without_a_trace_is_a_plane_of_zeros(demo_record: Record) -> None:
    """A lead that has no value on this page, but elsewhere, is not drawn; its row keeps its number."""
    signals = np.tile(demo_record.signals, (2, 1))
    signals[:5000, 4] = np.nan
    sheet = ecgvec.render(replace(demo_record, signals=signals), template="12x1", rhythm="none")
    _, leads, rows = masks.mask_arrays(sheet)
    assert len(rows) == 12
    assert [i for i, row in enumerate(rows) if not row.any()] == [4]
    assert not (leads[0] >> 4 & 1).any()


def test_a_qr_code_hides_a_trace_in_the_classes_but_not_in_its_bit(demo_record: Record) -> None:
    signals = demo_record.signals.copy()
    signals[4850:5000:20, STANDARD_12.index("V4")] = 60.0
    sheet = ecgvec.render(replace(demo_record, signals=signals), qr_code=True, template="3x4", baseline="zero")
    classes, leads, _ = masks.mask_arrays(sheet)
    back = next(m for m in sheet.scene.shapes() if m.role == "qr-back")
    inside = painted(sheet, back) == 255
    assert (leads[0][inside] >> 9 & 1).any()
    assert IDS["trace"] not in classes[inside]
    assert set(np.unique(classes[inside])) == {IDS["background"], IDS["qr-code"]}


# Letters ------------------------------------------------------------------------------------------------------------


def test_letters_keep_their_holes_and_have_none_where_contours_overlap(demo_record: Record) -> None:
    """The ring of Å lies upon the A in the bundled faces: by the even-odd rule there would be a hole in the letter."""
    record = Record("r", 500.0, demo_record.signals[:, :1], (Lead("ÅO8", "ÅO8"),))
    sheet = ecgvec.render(record, template="1-column", names_size=12.0, names_font="sans", dpi=300)
    name = next(m for m in sheet.scene.shapes() if m.role == "lead-name")
    classes, _, _ = masks.mask_arrays(sheet)
    cover = painted(sheet, name)
    assert_same_but_for_edges(classes == IDS["lead-name"], cover >= 128, (cover > 0) & (cover < 255))
    letters = name.path.transform(sheet.warp.forward)
    patches = [masks.fill_polygon(letters, sheet.warp.size, even_odd) for even_odd in (False, True)]
    assert patches[0] is not None
    assert patches[1] is not None
    assert (patches[0].inside & ~patches[1].inside).sum() > 5  # the overlap is there to be missed
    holes = cv2.connectedComponents((~patches[0].inside).astype(np.uint8), connectivity=4)[0]
    counters = 5  # ring, A, O and both of 8
    assert holes - 1 > counters
    label = next(t for t in sheet.labels.texts if t.role == "lead-name")
    y, x = np.nonzero(classes == IDS["lead-name"])
    box = [x.min(), y.min(), x.max() + 1, y.max() + 1]
    assert np.abs(np.array(box) - [*label.quad[0], *label.quad[2]]).max() <= 1


# The rule -----------------------------------------------------------------------------------------------------------


def test_a_pixel_is_filled_where_its_centre_is_inside() -> None:
    shape = rectangles([(1.4, 0.6, 4.4, 2.6)])
    patch = masks.fill_polygon(shape, (10, 10), even_odd=True)
    assert patch is not None
    plane = np.zeros((10, 10), dtype=np.uint8)
    patch.of(plane)[patch.inside] = 1
    assert np.argwhere(plane).tolist() == [[y, x] for y in (1, 2) for x in (1, 2, 3)]


def test_a_gap_of_one_pixel_stays_a_gap() -> None:
    """Slanting sides, so that cairo's way would fill it."""
    left = polyline([(1, 1), (3, 1), (3.01, 4), (1, 4)], closed=True)
    right = polyline([(4, 1), (7, 1), (7, 4), (4.01, 4)], closed=True)
    for even_odd in (True, False):
        patch = masks.fill_polygon(join([left, right]), (9, 6), even_odd)
        assert patch is not None
        assert patch.inside.astype(int).tolist() == [[1, 1, 0, 1, 1, 1]] * 3


def test_any_polygon_is_filled_as_geometry_says() -> None:
    """Stars that cross themselves, with holes, partly outside the image: each centre by its winding number."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:30, :40] + 0.5
    for _ in range(20):
        rings = [rng.uniform(-10, 50, (rng.integers(3, 9), 2)) for _ in range(3)]
        turns = np.zeros(x.shape, dtype=int)
        for ring in rings:
            angles = np.arctan2(ring[:, 1] - y[..., None], ring[:, 0] - x[..., None])
            steps = np.diff(np.concatenate([angles, angles[..., :1]], axis=-1))
            turns += np.rint(((steps + np.pi) % (2 * np.pi) - np.pi).sum(axis=-1) / (2 * np.pi)).astype(int)
        for even_odd, wanted in ((True, turns % 2 == 1), (False, turns != 0)):
            patch = masks.fill_polygon(join(polyline(ring, closed=True) for ring in rings), (40, 30), even_odd)
            assert patch is not None
            plane = np.zeros(x.shape, dtype=bool)
            patch.of(plane)[:] = patch.inside
            assert np.array_equal(plane, wanted)


def test_shapes_at_and_beyond_the_images_edge() -> None:
    plane = np.zeros((6, 8), dtype=np.uint8)
    patch = masks.fill_polygon(rectangles([(-5.0, -5.0, 2.0, 2.0)]), (8, 6), even_odd=True)
    assert patch is not None
    patch.of(plane)[patch.inside] = 1
    patch = masks.fill_polygon(rectangles([(6.0, 4.0, 60.0, 50.0)]), (8, 6), even_odd=True)
    assert patch is not None
    patch.of(plane)[patch.inside] = 2
    assert plane[:2, :2].tolist() == [[1, 1], [1, 1]]
    assert plane[4:, 6:].tolist() == [[2, 2], [2, 2]]
    assert (plane > 0).sum() == 8
    for box in ((-9, 1, -3, 4), (8, 0, 20, 6), (0, 6, 3, 9)):
        assert masks.fill_polygon(rectangles([box]), (8, 6), even_odd=True) is None
    assert masks.fill_polygon(join([]), (8, 6), even_odd=True) is None


def test_two_contours_that_overlap_by_both_rules() -> None:
    two = rectangles([(0, 0, 4, 4), (2, 0, 6, 4)])
    union, difference = (masks.fill_polygon(two, (6, 4), even_odd) for even_odd in (False, True))
    assert union is not None
    assert difference is not None
    assert union.inside.all()
    assert difference.inside[0].tolist() == [True, True, False, False, True, True]


def written(folder: File, sheets: dict[str, ecgvec.Sheet]) -> File:
    """What a run of these sheets, by their stems, writes below ``folder`` in this format."""
    kind = FORMATS.get("masks")
    assert kind.part is not None
    assert kind.merge is not None
    shared = kind.merge([kind.part(sheet, stem) for stem, sheet in sheets.items()])
    files = {name: b"".join(pieces) for name, pieces in shared.items()}
    for stem, sheet in sheets.items():
        files |= kind.files(sheet, stem)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder / "masks"


def read(path: File) -> NDArray[Any]:
    """The numbers of a PNG as OpenCV reads them."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image


def decoded(data: bytes, flags: int = cv2.IMREAD_UNCHANGED) -> NDArray[Any]:
    """The same of a PNG in memory."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    assert image is not None
    return image


# Files --------------------------------------------------------------------------------------------------------------


def test_files_read_back_with_other_readers(demo_record: Record) -> None:
    sheet = ecgvec.render(demo_record, print_header=True, qr_code=True, crop=0.05)
    classes, leads, rows = masks.mask_arrays(sheet)
    files = FORMATS.get("masks").files(sheet, "a/b-0")
    assert set(files) == {"masks/a/b-0-classes.png", "masks/a/b-0-leads.png", "masks/a/b-0-rows.npy"}
    picture = Image.open(io.BytesIO(files["masks/a/b-0-classes.png"]))
    assert picture.mode == "P"
    assert np.array_equal(np.asarray(picture), classes)
    colors = np.array([rgb(kind.color) for kind in masks.CLASSES], dtype=np.uint8)
    assert np.array_equal(np.asarray(picture.convert("RGB")), colors[classes])
    found = decoded(files["masks/a/b-0-leads.png"])
    assert found.dtype == np.uint16
    assert np.array_equal(found, leads[0])
    assert np.array_equal(np.load(io.BytesIO(files["masks/a/b-0-rows.npy"]), allow_pickle=False), rows)
    assert FORMATS.get("masks").files(sheet, "a/b-0") == files


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 1), (33, 250)], ids=str)
def test_any_numbers_come_back_from_a_png(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for dtype, top in ((np.uint8, 256), (np.uint16, 65536)):
        values: NDArray[Any] = rng.integers(0, top, shape).astype(dtype)
        data = masks.mask_png(values)
        found = decoded(data)
        assert found.dtype == dtype
        assert np.array_equal(found, values)
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), values)
    palette = rng.integers(0, 256, (256, 3)).astype(np.uint8)
    indices = rng.integers(0, 256, shape).astype(np.uint8)
    data = masks.mask_png(indices, palette)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), indices)
    shown = decoded(data, cv2.IMREAD_COLOR)
    assert np.array_equal(shown[:, :, ::-1], palette[indices])


def test_leads_beyond_the_standard_twelve_and_beyond_sixteen_bits(demo_record: Record, tmp_path: File) -> None:
    others = ("V7", "V8", "V9", "X", "Y", "Z", "ECG 1")
    sheet = ecgvec.render(
        many_leads(demo_record, *others), paper="roll-210", template="1-column", rhythm="none", dpi=90
    )
    stem = "sub/r-0"
    folder = written(tmp_path, {stem: sheet, "r-1": ecgvec.render(demo_record, dpi=50)})
    first, second = (read(folder / f"{stem}-leads{end}.png") for end in ("", "-2"))
    document = json.loads((folder / "classes.json").read_text(encoding="utf-8"))
    bits = {**document["lead_bits"], **document["other_lead_bits"][stem]}
    assert list(document["other_lead_bits"]) == [stem]
    assert bits == {str(i): lead for i, lead in enumerate((*STANDARD_12, *others))}
    rows = np.load(folder / f"{stem}-rows.npy")
    for trace in sheet.labels.traces:
        bit = next(int(i) for i, lead in bits.items() if lead == trace.lead)
        plane = (first, second)[bit // document["lead_bits_per_file"]]
        assert np.array_equal(plane >> bit % document["lead_bits_per_file"] & 1, rows[trace.row]), trace.lead
    assert rows.any(axis=(1, 2)).all()
    assert not (folder / "r-1-leads-2.png").exists()


def test_classes_json_names_what_the_palette_shows(demo_record: Record, tmp_path: File) -> None:
    sheet = ecgvec.render(demo_record, print_header=True, qr_code=True, dpi=100)
    folder = written(tmp_path, {"r-0": sheet})
    document = json.loads((folder / "classes.json").read_text(encoding="utf-8"))
    picture = Image.open(folder / "r-0-classes.png")
    palette = picture.getpalette()
    assert palette is not None
    for kind in document["classes"]:
        assert tuple(palette[3 * kind["id"] : 3 * kind["id"] + 3]) == rgb(kind["color"])
    names = [kind["name"] for kind in document["classes"]]
    assert names[0] == "background"
    assert len(set(names)) == len(names)
    assert set(np.unique(np.asarray(picture))) <= set(range(len(names)))
    assert document["other_lead_bits"] == {}
