"""Labels drawn over their image: on the ink to a tenth of a pixel, and nowhere else."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cairocffi
import cv2
import numpy as np
import pytest
import typer
from numpy.typing import NDArray
from typer.testing import CliRunner

import ecgvec
from ecgvec.cli import inspect
from ecgvec.components import rgb
from ecgvec.errors import SourceError
from ecgvec.export.read import find_sidecars
from ecgvec.graphics.raster import append_path, draw_svg
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.beats import Beats
from ecgvec.record.model import Record
from ecgvec.viewer.layers import LAYERS, LEAD_COLORS, OTHER_COLORS, lead_color
from ecgvec.viewer.overlay import draw_layers, inspect_images, select_layers
from ecgvec.viewer.tags import label_page
from tests.conftest import ROOT

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ("plain", "gaps", "clipped")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, demo_record: Record) -> Path:
    """Three images in folders of their own: one with a header and a QR code, one with gaps and beats, one clipped."""
    folder = tmp_path_factory.mktemp("pages")
    gaps = demo_record.signals.copy()
    gaps[700:900] = np.nan
    gaps[::97] = np.nan
    beats = Beats(np.array([0.4, 3.1, 6.0]), ("N", "V", '"'), "atr")
    made: dict[str, tuple[Record, dict[str, Any]]] = {
        "plain": (demo_record, {"print_header": True, "qr_code": True, "dpi": 120, "pad": 5.3}),
        "gaps": (Record("gaps", 500.0, gaps, demo_record.leads, beats=beats), {"dpi": 90}),
        "clipped": (
            Record("clipped", 500.0, 3 * demo_record.signals, demo_record.leads),
            {"gain": 20, "clip": True, "cabrera": True, "dpi": 100},
        ),
    }
    for name, (record, page) in made.items():
        ecgvec.render(record, **page).save(folder / name, ["png", "gt", "json"])
    return folder


def sidecar_of(pages: Path, name: str) -> Path:
    return next((pages / name).glob("*.json"))


@pytest.fixture
def one(pages: Path, tmp_path: Path) -> Path:
    """A copy of one image's files, to be spoilt; its JSON."""
    return sidecar_of(Path(shutil.copytree(pages, tmp_path / "copy")), "plain")


def svg_of(sidecar: Path, out: Path, *layers: str) -> ElementTree.Element:
    """The SVG overlay of these layers, parsed."""
    (written,) = inspect_images(sidecar, out, layers or None, "svg").written
    return ElementTree.fromstring(written.read_bytes())


def paths_of(root: ElementTree.Element, role: str) -> list[ElementTree.Element]:
    return [path for path in root.iter(f"{SVG}path") if path.get("class") == role]


def points_of(path: ElementTree.Element) -> NDArray[np.float64]:
    return np.array(re.findall(r"-?[\d.]+", path.attrib["d"]), dtype=np.float64).reshape(-1, 2)


def pixels_of(path: Path) -> NDArray[np.int_]:
    image = cv2.imread(str(path))
    assert image is not None
    return image.astype(int)


def read_npz(sidecar: Path) -> dict[str, NDArray[Any]]:
    with np.load(sidecar.with_suffix(".npz")) as arrays:
        return dict(arrays)


def labels_of(sidecar: Path) -> dict[str, Any]:
    labels: dict[str, Any] = json.loads(sidecar.read_text())["labels"]
    return labels


@pytest.mark.parametrize("name", NAMES)
def test_trace_lines_are_the_npz_samples(pages: Path, tmp_path: Path, name: str) -> None:
    sidecar = sidecar_of(pages, name)
    root = svg_of(sidecar, tmp_path, "traces")
    arrays = read_npz(sidecar)
    lines = {path.attrib["id"]: points_of(path) for path in paths_of(root, "trace")}
    assert set(lines) == {label["id"] for label in labels_of(sidecar)["traces"]}
    for trace, line in lines.items():
        seen = arrays[f"{trace}/visible"]
        # A sample alone between gaps is a line of no length: its point stands there twice.
        drawn = line[np.append(True, (np.diff(line, axis=0) != 0).any(axis=1))]
        assert drawn.shape == (seen.sum(), 2)
        assert np.abs(drawn - arrays[f"{trace}/xy"][seen]).max() < 1e-3


def redrawn(root: ElementTree.Element, shape: tuple[int, int], width: float, shift: tuple[float, float]) -> Any:
    """The SVG's trace lines in black ink of ``width`` px on white, with cairo's own calls."""
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, shape[1], shape[0])
    context = cairocffi.Context(surface)
    context.set_source_rgb(1, 1, 1)
    context.paint()
    context.set_source_rgb(0, 0, 0)
    context.set_line_width(width)
    context.set_line_cap(cairocffi.LINE_CAP_ROUND)
    context.set_line_join(cairocffi.LINE_JOIN_ROUND)
    context.translate(*shift)
    for path in paths_of(root, "trace"):
        for letter, x, y in re.findall(r"([ML])(-?[\d.]+),(-?[\d.]+)", path.attrib["d"]):
            (context.move_to if letter == "M" else context.line_to)(float(x), float(y))
        context.stroke()
    surface.flush()
    grey = np.frombuffer(surface.get_data(), dtype=np.uint8).reshape(shape[0], -1, 4)[:, : shape[1], 0]
    return grey.astype(int)


@pytest.mark.parametrize("name", ["plain", "gaps"])
def test_trace_lines_lie_on_the_ink_to_a_tenth_of_a_pixel(pages: Path, tmp_path: Path, name: str) -> None:
    sidecar = sidecar_of(pages, name)
    root = svg_of(sidecar, tmp_path, "traces")
    truth = pixels_of(sidecar.with_name(f"{sidecar.stem}-gt.png"))[:, :, 0]
    width = 0.26 * json.loads(sidecar.read_text())["image"]["px_per_mm"]
    there = np.abs(redrawn(root, truth.shape, width, (0, 0)) - truth)
    assert (there <= 3).mean() >= 0.999
    for shift in ((0.1, 0), (-0.1, 0), (0, 0.1), (0, -0.1)):
        assert np.abs(redrawn(root, truth.shape, width, shift) - truth).sum() > 5 * there.sum()


@pytest.mark.parametrize(("name", "layers"), [("plain", None), ("gaps", ["all"]), ("plain", ["traces"])])
def test_png_changes_pixels_near_labels_alone(pages: Path, tmp_path: Path, name: str, layers: list[str] | None) -> None:
    sidecar = sidecar_of(pages, name)
    (written,) = inspect_images(sidecar, tmp_path, layers).written
    before = pixels_of(sidecar.with_suffix(".png"))
    changed = (pixels_of(written) != before).any(axis=2)
    height, width = changed.shape
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_A8, width, height)
    context = cairocffi.Context(surface)
    for group in draw_layers(label_page(ecgvec.load(sidecar)), select_layers(layers)):
        for mark in group.shapes:
            append_path(context, mark.path)
            context.set_line_width(mark.pen.width + 3)
            context.set_line_join(cairocffi.LINE_JOIN_ROUND)
            context.set_line_cap(cairocffi.LINE_CAP_ROUND)
            (context.fill_preserve if mark.pen.fill else context.stroke_preserve)()
            context.stroke()
    surface.flush()
    near = np.frombuffer(surface.get_data(), dtype=np.uint8).reshape(height, -1)[:, :width] > 0
    assert not (changed & ~near).any()
    assert changed.mean() > 0.002
    assert near.mean() < (0.05 if layers == ["traces"] else 0.5)


def test_overlay_leaves_the_ink_to_be_seen(pages: Path, tmp_path: Path) -> None:
    sidecar = sidecar_of(pages, "plain")
    root = svg_of(sidecar, tmp_path, "all")
    assert all(float(path.get("stroke-width", 0)) <= 1 for path in root.iter(f"{SVG}path"))
    ink = 0.26 * json.loads(sidecar.read_text())["image"]["px_per_mm"]
    assert {float(path.attrib["stroke-width"]) < 0.51 * ink for path in paths_of(root, "trace")} == {True}


@pytest.mark.parametrize(("name", "layers"), [("plain", None), ("clipped", ["traces"]), ("gaps", ["samples", "beats"])])
def test_svg_and_png_are_the_same_picture(pages: Path, tmp_path: Path, name: str, layers: list[str] | None) -> None:
    sidecar = sidecar_of(pages, name)
    (vectors,) = inspect_images(sidecar, tmp_path, layers, "svg").written
    (pixels,) = inspect_images(sidecar, tmp_path, layers, "png").written
    drawn = draw_svg(vectors.read_text(), 96)[:, :, ::-1]
    assert np.abs(drawn - pixels_of(pixels)).max() <= 4


def test_png_says_its_resolution(pages: Path, tmp_path: Path) -> None:
    (written,) = inspect_images(sidecar_of(pages, "plain"), tmp_path).written
    assert b"pHYs" in written.read_bytes()[:64]


def test_svg_needs_no_other_file_and_tells_no_path(pages: Path, tmp_path: Path) -> None:
    sidecar = sidecar_of(pages, "plain")
    (written,) = inspect_images(sidecar, tmp_path, None, "svg").written
    text = written.read_text()
    root = ElementTree.fromstring(text)
    (image,) = root.iter(f"{SVG}image")
    kind, data = image.attrib["{http://www.w3.org/1999/xlink}href"].split(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == sidecar.with_suffix(".png").read_bytes()
    assert text.count("href") == 1
    assert str(tmp_path) not in text
    assert str(pages) not in text


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_is_a_group_that_holds_every_label(pages: Path, tmp_path: Path, name: str) -> None:
    sidecar = sidecar_of(pages, name)
    root, labels = svg_of(sidecar, tmp_path, "all"), labels_of(sidecar)
    groups = [group for group in root.iter(f"{SVG}g") if "layer" in group.attrib["class"].split()]
    assert [group.attrib["id"] for group in groups] == [f"layer-{layer}" for layer in LAYERS.names()]
    assert [group.attrib["data-layer"] for group in groups] == LAYERS.names()
    ids = [path.attrib["id"] for path in root.iter(f"{SVG}path")]
    assert len(ids) == len(set(ids))
    texts = [text["role"] == "lead-name" for text in labels["texts"]]
    for role, count in {
        "box": len(labels["traces"]),
        "panel": len(labels["traces"]),
        "pulse": len(labels["pulses"]),
        "lead-name": sum(texts),
        "hull": len(texts),
        "beat": sum(len(beat["places"]) for beat in labels["beats"]),
        "qr": int(labels["qr"] is not None),
        "page": 1,
    }.items():
        assert len(paths_of(root, role)) == count, role
    (crossings,) = paths_of(root, "crossings")
    assert int(crossings.attrib["data-crossings"]) == sum(len(row) for row in labels["grid"]["crossings"])


def test_marks_stand_where_the_json_says(pages: Path, tmp_path: Path) -> None:
    sidecar = sidecar_of(pages, "plain")
    root, labels = svg_of(sidecar, tmp_path, "all"), labels_of(sidecar)
    by_id = {path.attrib["id"]: path for path in root.iter(f"{SVG}path")}
    expected = {f"text-{text['id']}": text["quad"] for text in labels["texts"]}
    expected |= {f"hull-{text['id']}": text["hull"] for text in labels["texts"]}
    expected |= {f"panel-{trace['id']}": trace["panel"] for trace in labels["traces"]}
    expected |= {pulse["id"]: pulse["corners"] for pulse in labels["pulses"]}
    expected |= {"qr-code": labels["qr"]["quad"], "page-outline": labels["page"]["outline"]}
    for name, points in expected.items():
        assert np.abs(points_of(by_id[name]) - points).max() < 1e-3, name
    # The two strokes of a crossing's mark meet on it.
    ends = points_of(by_id["grid-true"]).reshape(2, -1, 2, 2)
    assert np.abs(ends.mean(axis=2) - np.array(labels["grid"]["crossings"]).reshape(-1, 2)).max() < 1e-3
    text = next(text for text in labels["texts"] if text["role"] == "header-text")
    assert by_id[f"text-{text['id']}"].attrib["data-text"] == text["text"]


def test_minor_grid_is_drawn_where_it_is_labelled(tmp_path: Path, demo_record: Record) -> None:
    ecgvec.render(demo_record, dpi=50, label_minor_grid=True).save(tmp_path, ["png", "json"])
    sidecar = next(tmp_path.glob("*.json"))
    minor, major = paths_of(svg_of(sidecar, tmp_path, "grid"), "crossings")
    assert (minor.attrib["data-step-mm"], major.attrib["data-step-mm"]) == ("1", "5")
    ends = points_of(minor).reshape(2, -1, 2, 2)
    lattice = np.array(labels_of(sidecar)["minor_grid"]["crossings"]).reshape(-1, 2)
    assert np.abs(ends.mean(axis=2) - lattice).max() < 1e-3


def test_beats_have_their_ring_and_symbol(pages: Path, tmp_path: Path) -> None:
    sidecar = sidecar_of(pages, "gaps")
    root = svg_of(sidecar, tmp_path, "beats")
    places = [place for beat in labels_of(sidecar)["beats"] for place in beat["places"]]
    rings = paths_of(root, "beat")
    for place, ring in zip(places, rings, strict=True):
        assert np.abs(points_of(ring).mean(axis=0) - place["point"]).max() < 1e-3
    assert {ring.attrib["data-symbol"] for ring in rings} == {"N", "V", '"'}


def test_marks_have_their_rings_and_what_they_hide_another_color(tmp_path: Path, demo_record: Record) -> None:
    over = {"marks.redaction.x": 0.3, "marks.redaction.y": 0.4, "marks.redaction.height": 40, "page.dpi": 80}
    recipe = load_recipe("clean", over | {"marks.stamp.words": "SEEN", "marks.broken-trace.amount": 0.1})
    sheet = ecgvec.render(demo_record, recipe)
    sheet.save(tmp_path, ["png", "json"])
    (sidecar,) = tmp_path.glob("*.json")
    root = svg_of(sidecar, tmp_path, "all")
    rings = {path.attrib["data-kind"]: path for path in paths_of(root, "added")}
    assert set(rings) == {"redaction", "stamp"} and rings["stamp"].attrib["data-text"].startswith("SEEN")
    for label in labels_of(sidecar)["marks"]:
        assert np.abs(points_of(rings[label["kind"]]) - label["ring"]).max() < 1e-3
    covered = {path.attrib["id"].removesuffix("-occluded"): path for path in paths_of(root, "trace-occluded")}
    usual = {path.attrib["stroke"] for path in paths_of(root, "trace")}
    dots = {path.attrib["id"]: points_of(path) for path in paths_of(root, "samples")}
    assert set(covered) == {trace.id for trace in sheet.labels.traces}
    for trace in sheet.labels.traces:
        assert covered[trace.id].attrib["stroke"] not in usual
        line = points_of(covered[trace.id])
        away = np.hypot(*(line[:, None] - trace.points[trace.occluded][None]).transpose(2, 0, 1)).min(axis=0)
        assert away.max() < 1e-3  # every occluded sample is on it
        drawn = dots[f"samples-occluded-{trace.id}"][::2]  # a dot is a line of no length
        np.testing.assert_allclose(drawn, trace.points[trace.occluded], atol=1e-3)
    assert not paths_of(root, "trace-hidden")


def test_what_cannot_be_seen_is_dashed(pages: Path, tmp_path: Path, one: Path) -> None:
    root = svg_of(sidecar_of(pages, "clipped"), tmp_path, "traces")
    hidden = paths_of(root, "trace-hidden")
    assert hidden
    assert all(path.get("stroke-dasharray") for path in hidden)
    assert not any(path.get("stroke-dasharray") for path in paths_of(root, "trace"))
    document = json.loads(one.read_text())
    document["labels"]["texts"][0]["visible"] = False
    document["labels"]["grid"]["visible"][0][0] = False
    one.write_text(json.dumps(document))
    root = svg_of(one, tmp_path, "all")
    dashed = [path.attrib["id"] for path in root.iter(f"{SVG}path") if path.get("stroke-dasharray")]
    assert dashed == [f"text-{document['labels']['texts'][0]['id']}"]
    assert len([tag for tag in paths_of(root, "tag") if tag.attrib["data-text"].endswith(" hidden")]) == 1
    assert {path.attrib["data-visible"] for path in paths_of(root, "crossings")} == {"true", "false"}


def test_tags_keep_off_one_another_and_inside(pages: Path, tmp_path: Path) -> None:
    sidecar = sidecar_of(pages, "plain")
    root = svg_of(sidecar, tmp_path)
    boxes = [points_of(path) for path in paths_of(root, "backing")]
    assert len(boxes) > 40
    size = [float(root.attrib["width"]), float(root.attrib["height"])]
    for box in boxes:
        assert (box.min(axis=0) >= -1e-3).all()
        assert (box.max(axis=0) <= np.array(size) + 1e-3).all()
    sides = [(a.min(axis=0), a.max(axis=0)) for a in boxes]
    clashes = sum(
        bool((np.minimum(a1, b1) - np.maximum(a0, b0) > 1).all()) for (a0, a1), (b0, b1) in combinations(sides, 2)
    )
    assert clashes == 0


# Machado, Oliveira and Fernandes (2009), linear RGB, complete deficiency.
SIGHTS = {
    "normal": np.eye(3),
    "deuteranope": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanope": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}


def oklab(color: str, sight: str) -> NDArray[np.float64]:
    """A colour as that sight sees it, in Oklab, where distances are those of the eye (Ottosson 2020)."""
    part = np.array(rgb(color)) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    seen = np.clip(SIGHTS[sight] @ linear, 0, 1)
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    mixed: NDArray[np.float64] = lab @ np.cbrt(cones @ seen)
    return mixed


@pytest.mark.parametrize("sight", SIGHTS)
def test_lead_colors_stay_apart(sight: str) -> None:
    def apart(one: str, other: str) -> float:
        return float(np.linalg.norm(oklab(one, sight) - oklab(other, sight)))

    every = [*LEAD_COLORS.values(), *OTHER_COLORS]
    assert min(apart(a, b) for a, b in combinations(every, 2)) > 0.08
    rows = [("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6")]
    columns = [*zip(*rows, strict=True), tuple(LEAD_COLORS)]
    neighbours = {pair for line in rows + columns for pair in pairwise(line)}
    assert min(apart(LEAD_COLORS[a], LEAD_COLORS[b]) for a, b in neighbours) > 0.15
    for color in every:
        assert apart(color, "#000000") > 0.3
        assert apart(color, "#FFFFFF") > 0.15


def test_lead_colors_are_fixed() -> None:
    assert lead_color("II") == LEAD_COLORS["II"]
    assert len({lead_color(name) for name in ("V7", "V8", "V9")}) == 3
    assert len({lead_color(name) for name in ("X", "Y", "Z")}) == 3
    assert lead_color("ECG 1 \udc80") in OTHER_COLORS


def test_choosing_layers() -> None:
    assert select_layers(None) == [n for n in LAYERS.names() if n not in ("samples", "panels")]
    assert select_layers(["beats", " traces ", ""]) == ["traces", "beats"]
    assert select_layers(["all"]) == LAYERS.names()
    with pytest.raises(SourceError, match=r"unknown layer 'trace'; did you mean 'traces'\?"):
        select_layers(["grid", "trace"])
    with pytest.raises(SourceError, match="no layer is named: choose from page, grid"):
        select_layers([" "])


def test_unknown_format(pages: Path) -> None:
    with pytest.raises(SourceError, match=r"unknown format of overlays 'sgv'; did you mean 'svg'\?"):
        inspect_images(pages, output="sgv")


def test_folder_is_mirrored_and_overlays_are_no_images(one: Path, tmp_path: Path) -> None:
    folder = one.parent.parent
    images = [folder / name for name in find_sidecars(folder)]
    assert [path.parent.name for path in images] == sorted(NAMES)
    for output in ("png", "svg"):
        beside = inspect_images(folder, layers=["names"], output=output)
        assert beside.written == [path.with_name(f"{path.stem}-labels.{output}") for path in images]
    assert [folder / name for name in find_sidecars(folder)] == images
    mirrored = inspect_images(folder, tmp_path / "out", ["names"])
    assert mirrored.written == [tmp_path / "out" / path.parent.name / f"{path.stem}-labels.png" for path in images]
    for first, again in zip(images, mirrored.written, strict=True):
        assert again.read_bytes() == first.with_name(f"{first.stem}-labels.png").read_bytes()


def test_image_is_found_by_its_png(one: Path, tmp_path: Path) -> None:
    by_png, by_json = (
        inspect_images(path, tmp_path / name).written[0].read_bytes()
        for name, path in (("a", one.with_suffix(".png")), ("b", one))
    )
    assert by_png == by_json


def without_npz(sidecar: Path) -> None:
    sidecar.with_suffix(".npz").unlink()


def edited(edit: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def spoil(sidecar: Path) -> None:
        document = json.loads(sidecar.read_text())
        edit(document)
        sidecar.write_text(json.dumps(document))

    return spoil


def other_size(sidecar: Path) -> None:
    cv2.imwrite(str(sidecar.with_suffix(".png")), np.zeros((40, 50, 3), dtype=np.uint8))


def other_npz(sidecar: Path) -> None:
    np.savez(sidecar.with_suffix(".npz"), a=np.zeros(3))


def changed_npz(sidecar: Path) -> None:
    arrays = {name: array + 1 if name.endswith("xy") else array for name, array in read_npz(sidecar).items()}
    np.savez(sidecar.with_suffix(".npz"), **arrays)  # type: ignore[arg-type]


def odd_npz(sidecar: Path) -> None:
    edited(lambda d: d.update(files={}))(sidecar)
    arrays = {name: array[:-1] if name.endswith("xy") else array for name, array in read_npz(sidecar).items()}
    np.savez(sidecar.with_suffix(".npz"), **arrays)  # type: ignore[arg-type]


SPOILT: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no npz": (without_npz, r"\.npz is missing, .*render the image anew with --formats png,json"),
    "other npz": (other_npz, r"\.npz does not hold the samples of its image"),
    "npz of another image": (
        changed_npz,
        r"\.npz does not hold .* \(it is not the file that was written with the JSON",
    ),
    "odd npz": (
        odd_npz,
        r"\.npz does not hold the samples of its image \(trace-0-I has arrays of different lengths",
    ),
    "text as npz": (lambda p: p.with_suffix(".npz").write_text("no"), r"\.npz does not hold the samples"),
    "cut npz": (lambda p: p.with_suffix(".npz").write_bytes(b"PK\x03\x04"), r"\.npz does not hold the samples"),
    "no png": (lambda p: p.with_suffix(".png").unlink(), r"\.png cannot be read"),
    "text as png": (lambda p: p.with_suffix(".png").write_text("no"), r"\.png is not a whole image"),
    "empty png": (lambda p: p.with_suffix(".png").write_bytes(b""), r"\.png is not a whole image"),
    "other size": (other_size, r"\.png has 50 x 40 px, but its labels are for 1370 x"),
    "other program": (lambda p: p.write_text('{"version": "5.0"}'), "is not a JSON that ecgvec has written"),
    "a list": (lambda p: p.write_text("[]"), "is not a JSON that ecgvec has written"),
    "no json": (lambda p: p.write_text("{"), "is not a whole sidecar JSON"),
    "too deep": (lambda p: p.write_text("[" * 100_000), "is not a whole sidecar JSON"),
    "no text": (lambda p: p.write_bytes(b"\xff\xfe\x00"), "cannot be read"),
    "newer": (edited(lambda d: d.update(format_version=99)), "has the format version 99, and this ecgvec reads 2"),
    "no labels": (edited(lambda d: d.pop("labels")), r"not a whole sidecar JSON \(KeyError: 'labels'\)"),
    "no traces": (edited(lambda d: d["labels"].pop("traces")), r"not a whole sidecar JSON \(KeyError: 'traces'\)"),
    "no quad": (edited(lambda d: d["labels"]["texts"][0].pop("quad")), "not a whole sidecar JSON"),
    "word as quad": (edited(lambda d: d["labels"]["texts"][0].update(quad=["a", 1])), "not a whole sidecar JSON"),
    "nan as box": (edited(lambda d: d["labels"]["traces"][0].update(box=[float("nan")] * 4)), "not a whole sidecar"),
    "empty quad": (edited(lambda d: d["labels"]["qr"].update(quad=[])), "not a whole sidecar JSON"),
    "no scale": (edited(lambda d: d["image"].update(px_per_mm=0)), "not a whole sidecar JSON"),
    "huge": (edited(lambda d: d["image"].update(px_per_mm=1e400)), "not a whole sidecar JSON"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", SPOILT)
def test_spoilt_image_is_one_clear_sentence(one: Path, tmp_path: Path, kind: str) -> None:
    spoil, message = SPOILT[kind]
    spoil(one)
    with pytest.raises(SourceError, match=message) as caught:
        inspect_images(one, tmp_path / "out")
    sentence = str(caught.value)
    assert str(one.with_suffix("")) in sentence
    assert "\n" not in sentence
    assert ": " in sentence
    assert not (tmp_path / "out").exists()


def test_input_without_labels(one: Path, tmp_path: Path) -> None:
    png = one.with_suffix(".png")
    for path, message in (
        (tmp_path / "nothing.png", "does not exist"),
        (one.with_suffix(".npz"), "is no image and no JSON"),
        (one.with_name(f"{one.stem}-gt.png"), rf"has no labels, for no {one.stem}-gt\.json lies beside it"),
    ):
        with pytest.raises(SourceError, match=message) as caught:
            inspect_images(path)
        assert str(path) in str(caught.value)
    empty = tmp_path / "empty"
    empty.mkdir()
    shutil.copy(png, empty)
    (empty / "ecgvec-run.json").write_text("{}")
    with pytest.raises(SourceError, match=rf"no image with a JSON beside it was found in {empty}"):
        inspect_images(empty)


def run_command(*arguments: object) -> Any:
    app = typer.Typer()
    app.command()(inspect.inspect)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_command_reports_a_bad_image_and_draws_the_others(one: Path, tmp_path: Path) -> None:
    without_npz(one)
    done = run_command(one.parent.parent, "-o", tmp_path / "out", "--layers", "traces,names", "--format", "svg")
    assert done.exit_code == 1
    assert done.stdout.count("-labels.svg") == 2
    assert done.stderr.startswith(f"not drawn: {one.with_suffix('.npz')} is missing")
    assert done.stderr.count("\n") == 1
    assert len(list((tmp_path / "out").rglob("*-labels.svg"))) == 2


def test_command_draws_one_image_beside_itself(one: Path) -> None:
    done = run_command(one)
    assert done.exit_code == 0
    assert done.stdout.strip() == str(one.with_name(f"{one.stem}-labels.png"))
    assert isinstance(run_command(one, "--layers", "boxs").exception, SourceError)


def test_command_names_every_layer_and_imports_nothing_heavy() -> None:
    assert inspect.LAYERS.split(", ") == LAYERS.names()
    code = "import sys; import ecgvec.cli.inspect; assert not {'numpy', 'cv2'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_traces_of_another_density(demo_record: Record, tmp_path: Path) -> None:
    recipe = load_recipe("clean", {"output.trace_density": "1/mm", "page.dpi": 60})
    ecgvec.render(demo_record, recipe).save(tmp_path, ["png", "json"])
    sidecar = next(tmp_path.glob("*.json"))
    arrays = read_npz(sidecar)
    for line in paths_of(svg_of(sidecar, tmp_path), "trace"):
        assert np.abs(points_of(line) - arrays[f"{line.attrib['id']}/xy"]).max() < 1e-3


def test_records_of_twelve_and_of_two_leads(record_folder: Path, tmp_path: Path) -> None:
    for name, count in (("ptbxl_500hz/HR06001", 13), ("mitdb_2lead/100", 2)):
        ecgvec.render(record_folder / name, dpi=80).save(tmp_path, ["png", "json"])
        sidecar = next(tmp_path.glob(f"{name.rsplit('/')[-1]}*.json"))
        root = svg_of(sidecar, tmp_path, "all")
        arrays = read_npz(sidecar)
        lines = paths_of(root, "trace")
        assert len(lines) == count
        for line in lines:
            assert np.abs(points_of(line) - arrays[f"{line.attrib['id']}/xy"]).max() < 1e-3
    assert paths_of(root, "beat")
