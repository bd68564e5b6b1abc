"""Notes written on pages by hand: where they lie, what their labels say, and that a replay needs no network."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest
import shapely

import ecgvec
from ecgvec.errors import RecipeError
from ecgvec.export import coco, kit, masks, native, yolo
from ecgvec.export.label_json import encode_box
from ecgvec.handwriting import Writer
from ecgvec.layout.place import place
from ecgvec.pipeline import render_plan
from ecgvec.planning import notes as planned
from ecgvec.planning.model import Plan
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from ecgvec.rendering.scene import notes as placed
from ecgvec.resources import folder, listing
from ecgvec.verify.labels import label_error
from ecgvec.verify.page import read_page
from ecgvec.verify.unmix import unmix
from ecgvec.viewer.overlay import draw_layers
from ecgvec.viewer.tags import label_page
from ecgvec.warp.base import Flat
from tests.export.native import SCHEMA, document
from tests.marks.pages import changed, within
from tests.rendering.scene.notes import PHONE, made, notes, without, written

LOOKS: dict[str, dict[str, Any]] = {
    "at the offsets": {"notes.x_offset": 40, "notes.y_offset": 150},
    "free, sloping": {"notes.place": "free", "notes.angle": {"uniform": [-20, 20]}, "notes.nib": "ballpoint"},
    "in margins": {"notes.place": "margin", "notes.nib": "felt-tip"},
    "across": {"notes.place": "across", "notes.size": 0.35, "notes.nib": "fountain"},
    "bent": PHONE | {"notes.place": "free", "notes.angle": 12},
}


@pytest.fixture(scope="module", params=LOOKS, ids=str)
def pair(request: pytest.FixtureRequest, demo_record: Record) -> tuple[ecgvec.Sheet, ecgvec.Sheet]:
    """A page with notes, and the same page without."""
    sheet = written(demo_record, LOOKS[request.param], seed=4)
    return sheet, without(demo_record, sheet)


def test_labels_lie_around_the_ink(pair: tuple[ecgvec.Sheet, ecgvec.Sheet]) -> None:
    sheet, bare = pair
    ink, found = changed(sheet, bare), notes(sheet)
    reach = 1 if isinstance(sheet.warp, Flat) else 2  # resampling spreads a pixel over its neighbours
    assert len(found) == 3
    assert not (ink & ~within([note.hull for note in found], ink.shape, reach)).any()
    assert not (ink & ~within([c.ring for note in found for c in note.characters], ink.shape, reach)).any()
    assert not (changed(sheet, bare, 60) & ~within([note.hull for note in found], ink.shape, 1)).any()
    for note in found:
        y, x = np.nonzero(ink & within([note.hull], ink.shape, reach))
        x0, y0, wide, high = encode_box(note.outline)
        assert (x.min(), y.min()) == pytest.approx((math.floor(x0), math.floor(y0)), abs=reach)
        assert (x.max(), y.max()) == pytest.approx((math.floor(x0 + wide), math.floor(y0 + high)), abs=reach)
        assert "".join(c.character for c in note.characters) == note.text.replace(" ", "")
        for c in note.characters:
            assert (ink & within([c.ring], ink.shape, 0)).any(), c.character


def test_quads_are_turned_with_their_notes(pair: tuple[ecgvec.Sheet, ecgvec.Sheet]) -> None:
    """The page's own quad: its upper side runs as the note does, and it holds the hull without room to spare."""
    scene = pair[0].scene
    infos = [mark.info for mark in scene.shapes() if mark.role == "note" and mark.info is not None]
    for note, info in zip(pair[0].plan.notes, infos, strict=True):
        along, down = info.quad[1] - info.quad[0], info.quad[3] - info.quad[0]
        angle = math.degrees(math.atan2(-along[1], along[0]))
        turn = (angle - note.angle + 180) % 360 - 180
        assert min(abs(turn - t) for t in planned.turns(note)) < 0.01
        assert abs(along @ down) < 0.01
        ink = shapely.multipoints(info.outline.points)
        assert shapely.Polygon(info.quad).buffer(0.001).covers(ink)
        assert shapely.minimum_rotated_rectangle(ink).area < shapely.Polygon(info.quad).area * 1.001


def test_notes_lie_where_they_belong(pair: tuple[ecgvec.Sheet, ecgvec.Sheet]) -> None:
    scene = pair[0].scene
    marks = [mark for mark in scene.shapes() if mark.info is not None and mark.role != "note"]
    traces = [shapely.LineString(mark.path.points) for mark in marks if mark.role == "trace"]
    texts = [shapely.box(*mark.info.ink) for mark in marks if mark.role in ("lead-name", "footer-text")]
    hulls = [
        shapely.convex_hull(shapely.multipoints(m.info.outline.points))
        for m in scene.shapes()
        if m.role == "note" and m.info
    ]
    for i, (note, hull) in enumerate(zip(pair[0].plan.notes, hulls, strict=True)):
        x0, y0, x1, y1 = hull.bounds
        assert 0 < x0 < x1 < scene.width
        assert 0 < y0 < y1 < scene.height
        assert not any(hull.intersects(other) for other in hulls[:i])
        on_trace = any(hull.intersects(trace) for trace in traces)
        if note.place == "across":
            assert on_trace
        if note.place == "free":
            assert not on_trace
            assert not any(hull.intersects(text) for text in texts)
            assert min(hull.distance(trace) for trace in traces) < placed.GAP_MM[1] + y1 - y0
        if note.place == "margin":
            assert min(x0, scene.width - x1, scene.height - y1) == pytest.approx(planned.EDGE_MM, abs=0.001)


def test_the_bent_vectors_hold_the_notes(pair: tuple[ecgvec.Sheet, ecgvec.Sheet]) -> None:
    sheet = pair[0]
    root = ElementTree.fromstring(sheet.warped_svg.encode())
    drawn = {e.get("id"): e for e in root.iter() if e.get("class") == "note"}
    for note in notes(sheet):
        element = drawn[note.id]
        assert element.get("data-text") == note.text
        # The first path of a note may be its pale strokes alone.
        paths = [str(e.get("d")) for name, e in drawn.items() if str(name).startswith(note.id) and e.get("d")]
        xy = np.array(re.findall(r"-?[\d.]+", " ".join(paths)), dtype=float).reshape(-1, 2)
        x0, y0, wide, high = encode_box(note.outline)
        assert xy.min(axis=0).tolist() == pytest.approx([x0, y0], abs=0.1)
        assert xy.max(axis=0).tolist() == pytest.approx([x0 + wide, y0 + high], abs=0.1)


def test_the_sidecar_is_as_its_schema_says(pair: tuple[ecgvec.Sheet, ecgvec.Sheet]) -> None:
    loaded = document(pair[0])
    jsonschema.validate(loaded, SCHEMA)
    texts = loaded["labels"]["texts"]
    assert [t["role"] for t in sorted(texts, key=lambda t: t["order"])][-3:] == ["note"] * 3
    assert all(bool(t["characters"]) == (t["role"] == "note") for t in texts)


def test_masks_hold_the_ink(pair: tuple[ecgvec.Sheet, ecgvec.Sheet]) -> None:
    sheet, bare = pair
    classes, leads, _ = masks.mask_arrays(sheet)
    number = next(i for i, kind in enumerate(masks.CLASSES) if kind.name == "note")
    mask, strong = classes == number, changed(sheet, bare, 90)
    assert mask.sum() > 50
    assert not (mask & ~changed(sheet, bare)).any()
    assert (strong & ~mask).sum() < 0.1 * strong.sum()
    assert (leads == masks.mask_arrays(bare)[1]).all()


def test_detectors_get_their_own_class(pair: tuple[ecgvec.Sheet, ecgvec.Sheet]) -> None:
    sheet = pair[0]
    loaded = json.loads(b"".join(coco.annotations_file([coco.image_share(sheet, "a")])["coco/annotations.json"]))
    found = [a for a in loaded["annotations"] if a["category_id"] == 34]
    assert [a["text"] for a in found] == [note.text for note in notes(sheet)]
    assert [a["bbox"] for a in found] == [encode_box(note.outline) for note in notes(sheet)]
    lines = yolo.image_files(sheet, "a")["yolo/detect/labels/a.txt"].decode().splitlines()
    assert sum(line.startswith("37 ") for line in lines) == 3
    assert (yolo.NAMES[28], yolo.NAMES[37], yolo.NAMES[38]) == ("panel", "note", "calipers")


def test_the_kit_is_told(pair: tuple[ecgvec.Sheet, ecgvec.Sheet]) -> None:
    sheet, bare = pair
    told, untold = kit.config(sheet), kit.config(bare)
    assert (told["handwritten_text"], told["num_words"]) == (True, 3)
    assert (untold["handwritten_text"], untold["num_words"]) == (False, 0)
    lines = kit.text_boxes(sheet).decode().splitlines()[-3:]
    for line, note in zip(lines, notes(sheet), strict=True):
        x0, y1, x1, y0, text = line.split(",", 4)
        x, y, wide, high = encode_box(note.outline)
        assert text == note.text
        assert [float(v) for v in (x0, y0, x1, y1)] == pytest.approx([x, y, x + wide, y + high], abs=0.001)


def test_overlays_show_them(pair: tuple[ecgvec.Sheet, ecgvec.Sheet], tmp_path: Any) -> None:
    sheet = pair[0]
    sheet.save(tmp_path, ("png", "json"))
    page = ecgvec.load(tmp_path / f"{sheet.plan.stem}.json")
    marks = [m for group in draw_layers(label_page(page), ["texts"]) for m in group.shapes]
    assert [m.data["text"] for m in marks if m.role == "note"] == [note.text for note in notes(sheet)]
    rings = [m for m in marks if m.role == "character"]
    assert [m.data["character"] for m in rings] == [c.character for note in notes(sheet) for c in note.characters]


def test_traces_verify_beside_and_under_notes(pair: tuple[ecgvec.Sheet, ecgvec.Sheet], tmp_path: Any) -> None:
    sheet = pair[0]
    sheet.save(tmp_path, ("png", "json"))
    page = read_page(tmp_path / f"{sheet.plan.stem}.json")
    assert len(page.added) == 3
    error = label_error(sheet.image, page, unmix(sheet.image, page), {t.id: t.points for t in sheet.labels.traces})
    assert error.found
    assert error.median < 0.05
    assert error.p99 < 0.5


# Again and again -----------------------------------------------------------------------------------------------------


def test_a_replay_needs_no_network(demo_record: Record, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sheet = written(demo_record, {"notes.place": {"choice": ["offset", "free", "across"]}}, seed=2)
    first = native.sidecar(sheet, {})

    def refuse(*arguments: object, **more: object) -> None:
        raise AssertionError("a replay writes nothing anew")

    monkeypatch.setattr(Writer, "__init__", refuse)
    monkeypatch.setattr(Writer, "write", refuse)
    planned._inked.cache_clear()
    (tmp_path / "a.json").write_bytes(first)
    plan = ecgvec.load(tmp_path / "a.json", samples=False).plan
    again = render_plan(demo_record, plan)
    assert (again.image == sheet.image).all()
    assert native.sidecar(again, {}) == first
    assert again.svg == sheet.svg


def test_seeds_decide(demo_record: Record) -> None:
    one, two, other = (made(demo_record, seed=seed).plans[0] for seed in (1, 1, 2))
    assert one == two
    assert one.notes[0].strokes != other.notes[0].strokes
    seen = [
        made(demo_record, {"notes.words": 1, "notes.place": "free"}, seed=seed).plans[0].notes[0] for seed in range(8)
    ]
    for name in ("text", "style", "x_height", "nib", "seed", "ink_seed"):
        assert len({getattr(note, name) for note in seen}) > 1, name


def test_notes_change_no_other_draw(demo_record: Record) -> None:
    plain = made(demo_record, {"notes.probability": 0}, recipe="everything", seed=3).plans[0]
    with_notes = made(demo_record, recipe="everything", seed=3).plans[0]
    assert not plain.notes
    assert len(with_notes.notes) == 3
    assert with_notes.model_copy(update={"notes": ()}) == plain


def test_a_record_s_windows_have_notes_of_their_own(demo_record: Record) -> None:
    first, second = made(demo_record, {"page.seconds": 5}).plans
    assert [note.text for note in first.notes] != [note.text for note in second.notes]


def test_one_hand_with_one_pen_writes_a_page(demo_record: Record) -> None:
    for seed in range(4):
        found = made(demo_record, {"notes.words": 4}, seed=seed).plans[0].notes
        assert len({(note.style, note.nib, note.color, note.shade, note.x_height) for note in found}) == 1
        assert found[0].style.startswith("uji-")  # a person's


def test_pages_without_notes_load_no_network() -> None:
    code = (
        "import sys, ecgvec\n"
        "from ecgvec.recipe.recipe import load_recipe\n"
        "record = ecgvec.read_record(sys.argv[1])\n"
        "ecgvec.render(record, load_recipe('clean', {'page.dpi': 60}))\n"
        "assert 'ecgvec.handwriting.recurrent' not in sys.modules\n"
        "ecgvec.render(record, load_recipe('clean', {'page.dpi': 60, 'notes.probability': 1}))\n"
        "assert 'ecgvec.handwriting.recurrent' in sys.modules\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(folder("demo") / "ecgvec-demo")], check=True, timeout=120)


# Room ----------------------------------------------------------------------------------------------------------------


def test_notes_go_on_in_lines(demo_record: Record) -> None:
    sheet = written(
        demo_record, {"notes.words": 14, "notes.size": 0.2, "notes.x_offset": 30, "notes.y_offset": 20}, seed=5
    )
    boxes = [encode_box(note.outline) for note in notes(sheet)]
    assert len(boxes) == 14
    starts = [i for i, box in enumerate(boxes) if box[0] == pytest.approx(30, abs=0.01)]
    assert starts[0] == 0
    assert len(starts) > 1
    assert min(box[1] for box in boxes) == pytest.approx(20, abs=0.01)
    for one, two in pairwise(boxes):
        assert two[0] > one[0] + one[2] or two[1] > one[1] + one[3]
    assert max(box[0] + box[2] for box in boxes) < sheet.warp.size[0]


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        ({"notes.x_offset": 90_000}, 0),
        ({"notes.y_offset": 90_000}, 0),
        ({"notes.size": 4, "notes.place": "free"}, None),
        ({"notes.size": 4, "notes.place": "margin"}, None),
        ({"notes.size": 1.5, "notes.words": 12}, None),
    ],
)
def test_notes_that_find_no_place_are_left_out_and_told(
    demo_record: Record, keys: dict[str, Any], left: int | None
) -> None:
    found = made(demo_record, keys, seed=1)
    asked, got = keys.get("notes.words", 3), len(found.plans[0].notes)
    assert got == left or (left is None and 0 < got < asked)
    message = f"image 0: {asked - got} of {asked} notes find no place on the page"
    assert [m for m in found.messages if m.startswith(message)]


def test_a_single_note_is_one(demo_record: Record) -> None:
    found = made(demo_record, {"notes.words": 1, "notes.x_offset": 90_000})
    assert found.messages[-1].startswith("image 0: the note finds no place on the page")


def test_a_page_without_traces_has_free_places(demo_record: Record) -> None:
    plan = made(demo_record, {"notes.place": {"choice": ["free", "across"]}}).plans[0]
    layout = place(plan.page)
    for group in placed.draw_notes(plan.notes, layout, []):
        x0, y0, x1, y1 = group.shapes[0].info.ink  # type: ignore[union-attr]
        assert 0 < x0 < x1 < layout.width
        assert 0 < y0 < y1 < layout.height


def test_what_is_blacked_out_hides_notes(demo_record: Record) -> None:
    bar = {"marks.redaction.probability": 1, "marks.redaction.x": 0.2, "marks.redaction.y": 0.05}
    bar |= {"marks.redaction.width": 110, "marks.redaction.height": 20}
    sheet = written(demo_record, bar, {"notes.words": 1, "notes.x_offset": 100, "notes.y_offset": 30}, seed=3)
    note = notes(sheet)[0]
    assert (note.visible, note.occluded > 0.995) == (False, True)
    assert (sheet.image == without(demo_record, sheet).image).all()


# What can go wrong ---------------------------------------------------------------------------------------------------


def test_plain_letters_are_told(demo_record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Writer.write
    monkeypatch.setattr(Writer, "write", lambda *a, **k: [replace(note, fallback=True) for note in write(*a, **k)])
    found = made(demo_record, {"notes.words": 1})
    note = found.plans[0].notes[0]
    assert note.fallback
    assert f"image 0: the note '{note.text}' is set from plain letters." in found.messages
    assert 'data-fallback="true"' in render_plan(demo_record, found.plans[0]).svg


@pytest.mark.parametrize(
    "spoilt",
    [
        {"strokes": []},
        {"strokes": [[]], "characters": [[]]},
        {"characters": [[0]]},
        {"strokes": [[[0, 0, 40]]], "characters": [[99]]},
        {"strokes": [[[0, 0, 0]]], "characters": [[0]]},
        {"shade": "blue"},
        {"place": "nowhere"},
    ],
)
def test_spoilt_notes_in_a_plan_are_refused(demo_record: Record, spoilt: dict[str, Any]) -> None:
    raw = made(demo_record, {"notes.words": 1}).plans[0].model_dump(mode="json")
    Plan.model_validate(raw)
    raw["notes"][0] |= spoilt
    with pytest.raises(ValueError, match=r"notes.0"):
        Plan.model_validate(raw)


def test_a_note_too_large_for_its_plan_is_refused(demo_record: Record) -> None:
    plan = made(demo_record, {"notes.words": 1, "notes.place": "free"}).plans[0]
    far = plan.notes[0].model_copy(
        update={"strokes": (((0.0, 0.0, 40.0), (900.0, 0.0, 40.0)),), "characters": ((0, 0),)}
    )
    with pytest.raises(RecipeError, match="larger than the page"):
        render_plan(demo_record, plan.model_copy(update={"notes": (far,)}))


@pytest.mark.parametrize("name", [name for name in listing("recipes") if name.startswith("kaggle-")])
def test_recipes_after_a_competition_have_none(name: str) -> None:
    assert load_recipe(name).notes.probability == 0


@pytest.mark.parametrize("name", ["everything", "archive"])
def test_recipes_of_old_paper_have_some(name: str) -> None:
    assert load_recipe(name).notes.probability == 0.3


def test_a_page_without_marks_and_notes_loads_neither_scipy_nor_the_network() -> None:
    code = (
        "import sys, ecgvec; ecgvec.render(sys.argv[1], dpi=60);"
        "print([m for m in sys.modules if m.split('.')[:2] in (['scipy', 'signal'], ['scipy', 'ndimage'])"
        " or m in ('torch', 'ecgvec.handwriting.recurrent')])"
    )
    record = folder("demo") / "ecgvec-demo"
    done = subprocess.run([sys.executable, "-c", code, str(record)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
