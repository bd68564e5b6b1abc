"""The PDF: true scale, exact vectors, words where the ink is; read by poppler and by pypdf, which did not write it."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pypdf
import pytest
import shapely
from numpy.typing import NDArray
from pypdf.generic import ContentStream

import ecgvec
from ecgvec.errors import ExportError
from ecgvec.geometry.path import Box, join, polyline, rectangles, segments
from ecgvec.geometry.path import Path as Drawn
from ecgvec.graphics import pdf, raster
from ecgvec.graphics.shapes import AddedInfo, Group, Pen, Scene, Shape, TextInfo, text_shape
from ecgvec.pipeline import render_plan
from ecgvec.planning.make import make_plans
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from ecgvec.resources import folder
from ecgvec.sheet import Sheet
from tests.conftest import Run
from tests.graphics.renderers import program, read, run, worst
from tests.marks.pages import keys, page
from tests.rendering.scene.notes import written

DEMO = folder("demo") / "ecgvec-demo"
POINT_MM = 25.4 / 72
BOX_MM = 0.01  # to which a 5 mm box is true
WORD_MM = 0.3  # to which a word's box ends where its ink does
CAIRO_LEVELS, SPLASH_LEVELS = 1, {300: 10.0, 600: 5.0}  # poppler's own renderer draws lines a little wider
PAGES: dict[str, dict[str, Any]] = {
    "hospital": {"template": "hospital", "grid": "dots", "print_header": True, "qr_code": True},
    "ge": {"template": "ge", "print_header": True},
}


@pytest.fixture(scope="module")
def sheets(demo_record: Record) -> dict[str, Sheet]:
    return {name: ecgvec.render(demo_record, dpi=50, **keys) for name, keys in PAGES.items()}


def tool(name: str, data: bytes, *flags: str) -> str:
    """What one of poppler's programs says of a PDF."""
    command = [program(name), *flags, "-", *(["-"] if name == "pdftotext" else [])]
    done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, "poppler finds nothing to complain of"
    return done.stdout.decode("utf-8")


def picture(name: str, data: bytes, dpi: int, folder: Path, *flags: str) -> NDArray[np.uint8]:
    """A PDF's only page as one of poppler's renderers draws it, or a part of it."""
    (folder / "page.pdf").write_bytes(data)
    where = [str(folder / "page.pdf"), str(folder / "page")]
    run([program(name), "-r", str(dpi), "-png", "-singlefile", *flags, *where])
    return read(folder / "page.png")


def reader(data: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(data), strict=True)


def said(data: bytes) -> str:
    """All words of a PDF, one blank between them."""
    return " ".join(" ".join(part.extract_text() for part in reader(data).pages).split())


def painted(data: bytes) -> Iterator[tuple[str, tuple[float, ...], NDArray[np.float64]]]:
    """(S or f, colour, points in the numbers of the file) of every path of the first page."""
    document = reader(data)
    points: list[float] = []
    colors: dict[str, tuple[float, ...]] = {}
    contents = document.pages[0].get_contents()
    assert contents is not None
    for operands, operator in ContentStream(contents, document).operations:
        name = operator.decode()
        if name in ("m", "l", "c"):
            points += map(float, operands)
        elif name in ("rg", "RG"):
            colors[name] = tuple(map(float, operands))
        elif name in ("S", "f"):
            yield name, colors["RG" if name == "S" else "rg"], np.array(points).reshape(-1, 2)
            points = []
        elif name == "n":
            points = []


def to_points(data: bytes) -> NDArray[np.float64]:
    """The matrix (a, b, c, d, e, f) from mm to points, the only one of the page."""
    document = reader(data)
    contents = document.pages[0].get_contents()
    assert contents is not None
    matrices = [operands for operands, name in ContentStream(contents, document).operations if name == b"cm"]
    assert len(matrices) == 1
    return np.array(list(map(float, matrices[0])))


def words(data: bytes) -> list[tuple[str, Box]]:
    """Every word that pdftotext finds, and its box in mm."""
    pattern = r'<word xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)</word>'
    found = re.findall(pattern, tool("pdftotext", data, "-bbox"))
    return [(unescape(word), Box(*(float(side) * POINT_MM for side in box))) for *box, word in found]


# ---------------------------------------------------------------- what is drawn


@pytest.mark.parametrize("name", PAGES)
def test_poppler_shows_the_same_page(sheets: dict[str, Sheet], name: str, tmp_path: Path) -> None:
    scene = sheets[name].scene
    data, ours = pdf.write([scene]), raster.draw(scene, 300)
    theirs = picture("pdftocairo", data, 300, tmp_path)
    assert theirs.shape == ours.shape
    assert np.abs(theirs.astype(int) - ours).max() <= CAIRO_LEVELS, "cairo is given the very same numbers"
    levels, where = worst(ours, picture("pdftoppm", data, 300, tmp_path), 300)
    assert levels <= SPLASH_LEVELS[300], where
    x, y, side = 600, 900, 1500
    part = picture("pdftoppm", data, 600, tmp_path, *f"-x {x} -y {y} -W {side} -H {side}".split())
    finer = np.ascontiguousarray(raster.draw(scene, 600)[y : y + side, x : x + side])
    levels, where = worst(finer, part, 600)
    assert levels <= SPLASH_LEVELS[600], where


def test_every_number_of_the_vectors_is_the_scenes(sheets: dict[str, Sheet]) -> None:
    scene = sheets["ge"].scene
    found = list(painted(pdf.write([scene])))
    wanted = [
        (operator, np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255, mark.path.points)
        for mark in scene.shapes()
        for operator, color in (("f", mark.pen.fill), ("S", mark.pen.stroke))
        if color is not None
    ]
    assert len(found) == len(wanted) > 50
    for (operator, color, points), (expected, shade, drawn) in zip(found, wanted, strict=True):
        assert operator == expected
        assert color == pytest.approx(shade, abs=1e-6)
        assert np.abs(points - drawn).max() < 1e-9  # a scene's points are on the grid of decimals that is written


def test_a_box_of_5_mm_by_its_vectors(sheets: dict[str, Sheet]) -> None:
    scene = sheets["ge"].scene
    data = pdf.write([scene])
    a, b, c, d, e, f = to_points(data)
    assert (b, c, e) == (0, 0, 0)
    assert f == pytest.approx(float(reader(data).pages[0].mediabox.height), abs=1e-6)
    (major,) = (mark for mark in scene.shapes() if mark.role == "grid-major")
    assert major.pen.stroke is not None
    shade = [int(major.pen.stroke[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    found = np.concatenate([p for s, color, p in painted(data) if s == "S" and np.allclose(color, shade, atol=1e-6)])
    for axis, scale in ((0, a), (1, -d)):
        lines = np.unique(found[:, axis] * scale)
        sides = np.diff(lines[np.diff(lines, prepend=-1.0) > 1.0]) * POINT_MM
        assert len(sides) > 30
        assert np.abs(sides - 5.0).max() < 1e-6


@pytest.mark.parametrize("name", ["pdftoppm", "pdftocairo"])
def test_a_box_of_5_mm_in_pixels(sheets: dict[str, Sheet], name: str, tmp_path: Path) -> None:
    scene, dpi, side = sheets["ge"].scene.only({"paper", "grid-major"}), 4800, 2300
    at = round(50 / 25.4 * dpi)
    flags = f"-x {at} -y {at} -W {side} -H {side}".split()
    grey = 255.0 - picture(name, pdf.write([scene]), dpi, tmp_path, *flags)[:, :, 1]
    dark = grey - grey.min()
    for axis in (0, 1):
        middles = centroids(dark.mean(axis=axis)) * 25.4 / dpi
        assert len(middles) in (2, 3)
        assert np.abs(np.diff(middles) - 5.0).max() < BOX_MM


def centroids(profile: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the lines that cross a strip have their middles, px; lines that its ends cut are left out."""
    inside = profile > 0.5 * profile.max()  # lines along the strip darken all of it a little
    base = np.median(profile)
    edges = np.flatnonzero(np.diff(inside.astype(int)))
    starts = [edge for edge in edges.tolist() if not inside[edge]]
    middles = []
    for start in starts:
        end = next((edge for edge in edges.tolist() if edge > start), None)
        if end is not None and start > 60 and end < len(profile) - 60:
            part = np.arange(start - 50, end + 52)
            weight = profile[part] - base
            middles.append(float((weight * (part + 0.5)).sum() / weight.sum()))
    return np.array(middles)


def test_pens_clips_and_opacity(tmp_path: Path) -> None:
    grey = Pen(stroke="#203040", width=1.2)
    star = polyline([(30, 2), (33, 11), (25, 5), (35, 5), (27, 11)], closed=True)
    same_way = join([rectangles([(40, 2, 48, 11)]), rectangles([(42, 4, 46, 9)])])
    corner = polyline([(2, 22), (6, 15), (10, 22)])
    marks = (
        Shape("off", "x", segments([(-3, 5, 8, 5)]), replace(grey, cap="square", opacity=0.5)),
        Shape("round", "x", segments([(12, 5, 20, 5), (12, 9, 12, 9)]), replace(grey, cap="round")),
        Shape("star", "x", star, Pen(fill="#A02020", opacity=0.6)),
        Shape("ring", "x", same_way, Pen(fill="#20A020", stroke="#000000", width=0.8, opacity=0.35, join="round")),
        Shape("miter", "x", corner, grey),
        Shape("blunt", "x", polyline([(12, 22), (13, 15), (14, 22)]), grey),  # sharper than the miter limit
        Shape("clip", "x", segments([(16, 18, 30, 18)]), replace(grey, width=4.0), clip=Box(18, 17, 24, 30)),
        Shape("dash", "x", segments([(32, 16, 50, 16)]), replace(grey, dash=(2.0, 1.0, 0.5))),
        Shape("dots", "x", segments([(32, 20, 49, 20)]), replace(grey, cap="round", dash=(0.0, 2.0))),
        Shape("over", "x", rectangles([(10, 1, 44, 24)]), Pen(fill="#0000FF", opacity=0.1)),
        Shape("empty", "x", Drawn(np.empty(0, dtype=np.uint8), np.empty((0, 2))), Pen(fill="#000000")),
    )
    scene = Scene(50.8, 25.4, "hand-made", (Group("all", "all", marks),))
    data, ours = pdf.write([scene]), raster.draw(scene, 500)
    theirs = picture("pdftocairo", data, 500, tmp_path)
    assert np.abs(theirs.astype(int) - ours).max() <= 3  # levels are rounded at other places
    levels, where = worst(ours, picture("pdftoppm", data, 500, tmp_path), 500)
    assert levels < 8, where
    for mark in marks[:-1]:  # the control: each of them is seen
        without = replace(scene, groups=(Group("all", "all", tuple(m for m in marks if m is not mark)),))
        assert worst(ours, raster.draw(without, 500), 500)[0] > 8, mark.id


def test_a_pdf_holds_vectors_and_embedded_fonts_alone(sheets: dict[str, Sheet]) -> None:
    data = pdf.write([sheet.scene for sheet in sheets.values()])
    assert len(tool("pdfimages", data, "-list").splitlines()) == 2, "a head, and no image"
    fonts = tool("pdffonts", data).splitlines()[2:]
    assert len(fonts) == 2
    for line in fonts:
        assert re.match(r"[A-Z]{6}\+Liberation\S+ +CID TrueType +Identity-H +yes yes yes ", line)


# ---------------------------------------------------------------- words


@pytest.mark.parametrize("name", PAGES)
def test_every_printed_word_is_found_where_its_ink_is(sheets: dict[str, Sheet], name: str) -> None:
    scene = sheets[name].scene
    data = pdf.write([scene])
    found, everything = words(data), said(data)
    texts = [(mark.info, float(mark.data["size-mm"])) for mark in scene.shapes() if isinstance(mark.info, TextInfo)]
    assert len(texts) > 30
    for info, size in texts:
        assert " ".join(info.text.split()) in everything
        x0, y0, x1, y1 = info.ink
        here = [
            (word, box)
            for word, box in found
            if x0 - 1 < (box.x0 + box.x1) / 2 < x1 + 1 and y0 - 0.6 < (box.y0 + box.y1) / 2 < y1 + 0.6
        ]
        here.sort(key=lambda item: item[1].x0)
        assert [word for word, _ in here] == info.text.split()
        assert here[0][1].x0 == pytest.approx(x0, abs=WORD_MM)
        assert here[-1][1].x1 == pytest.approx(x1, abs=WORD_MM)
        assert min(box.y0 for _, box in here) < y0 + WORD_MM
        assert max(box.y1 for _, box in here) > y1 - WORD_MM
        assert max(box.y1 - box.y0 for _, box in here) < 1.2 * size, "a line of its own face and size"


def test_handwriting_is_found_on_its_ink_however_it_is_turned(demo_record: Record) -> None:
    turned = 0
    for seed in (0, 3, 5):
        sheet = written(demo_record, {"notes.words": 4, "notes.place": "margin"}, seed=seed)
        data = pdf.write([sheet.scene])
        found = words(data)
        notes = [m.info for m in sheet.scene.shapes() if m.role == "note" and isinstance(m.info, TextInfo)]
        assert notes
        for info in notes:
            assert info.text in said(data)
            assert info.quad is not None
            quad = shapely.Polygon(info.quad)
            here = [
                word
                for word, box in found
                if quad.buffer(0.3).contains(shapely.Point((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2))
            ]
            assert set(info.text.split()) <= set(here)
            slope = abs(info.quad[1, 1] - info.quad[0, 1])
            turned += slope > 0.5
            if slope < 0.01:
                boxes = [box for word, box in found if word in info.text.split() and word in here]
                near = [box for box in boxes if quad.buffer(0.3).contains(shapely.box(*box).centroid)]
                assert min(box.x0 for box in near) == pytest.approx(info.quad[0, 0], abs=WORD_MM)
                assert max(box.x1 for box in near) == pytest.approx(info.quad[1, 0], abs=WORD_MM)
                assert min(box.y0 for box in near) == pytest.approx(info.quad[0, 1], abs=WORD_MM)
                assert max(box.y1 for box in near) == pytest.approx(info.quad[2, 1], abs=WORD_MM)
    assert turned > 0


def test_what_is_blacked_out_is_not_found_and_a_stamp_is(demo_record: Record) -> None:
    open_, barred = (
        page(demo_record, keys("stamp", words="RECEIVED"), over)
        for over in ({}, keys("redaction", over="header", lines=1))
    )
    marks = list(open_.scene.shapes())
    name = next(m.info.text for m in marks if m.role == "header-text" and isinstance(m.info, TextInfo))
    stamp = next(m.info for m in marks if isinstance(m.info, AddedInfo))
    assert name in said(pdf.write([open_.scene]))
    data = pdf.write([barred.scene])
    assert not set(name.split()) & {word for word, _ in words(data)}
    assert name.split()[0] not in said(data)
    assert "Vent. rate" in said(data)
    assert stamp.text in said(data)
    (box,) = (box for word, box in words(data) if word == "RECEIVED")
    assert shapely.Polygon(stamp.ring).contains(shapely.box(*box).centroid)


def test_characters_beyond_ascii_and_beyond_the_faces() -> None:
    texts = ["25 µV, 5°, 10 mm²", "Łęcka–Żółć ½ €", "ΑΩ Жук", "心电图 and 𝔘", "( \\ ) <>"]
    marks = [
        text_shape(f"t{i}", "header-text", text, (5.0, 10.0 + 8 * i), (("sans", "condensed")[i % 2], 4.0, "#000000"))
        for i, text in enumerate(texts)
    ]
    scene = Scene(100.0, 60.0, "", (Group("all", "all", tuple(mark for mark in marks if mark is not None)),))
    data = pdf.write([scene])
    found = " ".join(tool("pdftotext", data, "-layout").split())
    for text in texts:
        assert text in said(data)
        assert text in found


# ---------------------------------------------------------------- the document


def test_many_pages_in_one_document(demo_record: Record) -> None:
    plans = make_plans(demo_record, load_recipe("clean", {"page.seconds": 4, "page.dpi": 50}), seed=1).plans
    scenes = [render_plan(demo_record, plan).scene for plan in plans]
    other = replace(scenes[0], width=210.0, height=400.0, title="ü (1)")
    document = reader(pdf.write(scene for scene in [*scenes, other]))
    assert len(document.pages) == len(scenes) + 1 > 2
    for part, scene in zip(document.pages, [*scenes, other], strict=True):
        assert float(part.mediabox.width) == pytest.approx(scene.width / POINT_MM, abs=1e-6)
        assert float(part.mediabox.height) == pytest.approx(scene.height / POINT_MM, abs=1e-6)
        assert "aVR" in part.extract_text()
    outline: Any = document.outline
    assert [entry["/Title"] for entry in outline] == [scene.title for scene in [*scenes, other]]
    with pytest.raises(ExportError, match="at least one page"):
        pdf.write([])


def test_it_says_its_title_and_no_more_and_the_same_bytes_twice(sheets: dict[str, Sheet]) -> None:
    scene = sheets["ge"].scene
    data = pdf.write([scene])
    assert data == pdf.write([scene])
    document = reader(data)
    assert document.metadata == {"/Title": scene.title}
    root: Any = document.trailer["/Root"]
    assert set(root) == {"/Type", "/Pages"}
    assert not re.search(rb"Date|Producer|Creator|Author|qpdf|pikepdf", data)
    odd = pdf.write([replace(scene, title="a\x00b\udc80c\n")])
    assert reader(odd).metadata == {"/Title": "abc"}


def test_the_format_by_the_command_line(tmp_path: Path, ecgvec_run: Run, sheets: dict[str, Sheet]) -> None:
    (file,) = sheets["ge"].save(tmp_path / "api", formats=["pdf"])
    assert (file.name, file.read_bytes()) == ("ecgvec-demo-0.pdf", pdf.write([sheets["ge"].scene]))
    flags = ("-i", DEMO.parent, "-o", tmp_path / "out", "--formats", "pdf,json", "-r", "50", "--anonymous-names")
    done = ecgvec_run("batch", *flags, "-rot", "5")
    assert done.returncode == 0, done.stderr
    data = (tmp_path / "out/record-000001-0.pdf").read_bytes()
    assert reader(data).metadata == {"/Title": "ECG record-000001, image 0"}
    assert "ecgvec-demo" not in said(data)


def test_pikepdf_is_asked_for_where_it_is_absent(sheets: dict[str, Sheet], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pikepdf", None)
    with pytest.raises(ExportError, match=r"needs pikepdf: install it with pip install 'ecgvec\[pdf\]'"):
        pdf.write([sheets["ge"].scene])


def test_nothing_of_it_is_loaded_before_a_pdf_is_written() -> None:
    code = "import sys, ecgvec.export.write; print([m for m in ('pikepdf', 'fontTools.subset') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr
