"""Notes tied to beats by arrows, rings and brackets, and signatures: where they lie, and what their labels say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest
import shapely

import ecgvec
from ecgvec.export import coco, kit, native, yolo
from ecgvec.geometry.units import px_per_mm
from ecgvec.graphics.shapes import AddedInfo, TextInfo
from ecgvec.handwriting import Writer
from ecgvec.layout.place import TraceInfo, place
from ecgvec.marks.places import peaks
from ecgvec.pipeline import render_plan
from ecgvec.planning import note_texts
from ecgvec.planning import notes as planned
from ecgvec.planning.model import Plan
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from ecgvec.rendering.labels.model import MarkLabel, TextLabel
from ecgvec.rendering.scene import notes as placed
from ecgvec.rendering.scene import pointers
from ecgvec.resources import listing
from ecgvec.warp.base import Flat
from tests.export.native import SCHEMA, document
from tests.marks.pages import changed, strokes_apart, within
from tests.rendering.scene.notes import PHONE, made, notes, without, written

BEAT = {"notes.place": "beat", "notes.words": 2, "page.dpi": 150}
LOOKS: dict[str, dict[str, Any]] = {
    "arrows": BEAT | {"notes.pointer": "arrow", "notes.nib": "ballpoint"},
    "rings": BEAT | {"notes.pointer": "circle", "notes.nib": "fountain", "notes.angle": 8},
    "brackets": BEAT | {"notes.words": 1, "notes.calipers": 4, "notes.nib": "felt-tip"},
    "signed": BEAT | {"notes.words": 1, "notes.place": "free", "notes.signature": 1},
    "all, bent": BEAT | PHONE | {"notes.calipers": 2, "notes.signature": 1, "notes.nib": "gel"},
}


@pytest.fixture(scope="module", params=LOOKS, ids=str)
def pair(request: pytest.FixtureRequest, demo_record: Record) -> tuple[ecgvec.Sheet, ecgvec.Sheet]:
    """A page with such notes, and the same page without."""
    sheet = written(demo_record, LOOKS[request.param], seed=7)
    return sheet, without(demo_record, sheet)


def tied(sheet: ecgvec.Sheet) -> list[tuple[TextLabel, MarkLabel]]:
    """Each note that has a pointer, with it."""
    texts = {note.id: note for note in notes(sheet)}
    return [(texts[mark.id.rsplit("-", 1)[0]], mark) for mark in sheet.labels.marks]


def test_ink_lies_within_the_labels(pair: tuple[ecgvec.Sheet, ecgvec.Sheet]) -> None:
    sheet, bare = pair
    ink, reach = changed(sheet, bare), 1 if isinstance(sheet.warp, Flat) else 2
    rings = [note.hull for note in notes(sheet)] + [mark.ring for mark in sheet.labels.marks]
    assert not (ink & ~within(rings, ink.shape, reach)).any()
    for mark in sheet.labels.marks:
        assert mark.visible and not mark.opaque and shapely.Polygon(mark.ring).is_valid
        own = ink & within([mark.ring], ink.shape, reach)
        rows, columns = np.nonzero(own)
        bounds = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(np.subtract(bounds, [*mark.ring.min(axis=0), *mark.ring.max(axis=0)])).max() < 3.5


def test_each_pointer_has_its_note_and_its_beat(pair: tuple[ecgvec.Sheet, ecgvec.Sheet]) -> None:
    sheet = pair[0]
    found = {note.id: mark for note, mark in tied(sheet)}
    traces = {m.id: m.info for m in sheet.scene.shapes() if isinstance(m.info, TraceInfo)}
    rings = {m.id: m.info.ring for m in sheet.scene.shapes() if isinstance(m.info, AddedInfo)}
    pointing = [i for i, note in enumerate(sheet.plan.notes) if note.place == "beat"]
    assert list(found) == [f"note-{i}" for i in pointing]
    for i in pointing:
        note, mark = sheet.plan.notes[i], found[f"note-{i}"]
        assert mark.id == f"note-{i}-{mark.kind}" and mark.kind == (note.pointer or "calipers")
        assert mark.text == (note.text if note.kind == "calipers" else "")
        info, ring = traces[str(mark.trace)], shapely.Polygon(rings[mark.id])
        beats = shapely.MultiPoint(info.points[peaks(info)])
        if mark.kind == "circle":
            assert ring.intersects(beats)
        if mark.kind == "arrow":
            assert ring.distance(beats) == pytest.approx(pointers.TIP_MM, abs=0.5)


def test_notes_and_pointers_keep_clear_of_each_other(pair: tuple[ecgvec.Sheet, ecgvec.Sheet]) -> None:
    scene = pair[0].scene
    hulls = {
        m.id: shapely.convex_hull(shapely.multipoints(m.info.outline.points))
        for m in scene.shapes()
        if m.role == "note" and isinstance(m.info, TextInfo)
    }
    rings = {m.id: shapely.Polygon(m.info.ring) for m in scene.shapes() if isinstance(m.info, AddedInfo)}
    every = [*hulls.items(), *rings.items()]
    paper = shapely.box(0, 0, scene.width, scene.height).buffer(-1)
    for i, (name, area) in enumerate(every):
        assert paper.contains(area), name
        for other, lower in every[:i]:
            assert area.intersection(lower).area < 0.05, (name, other)
    for name, ring in rings.items():
        assert 0.1 < ring.distance(hulls[name.rsplit("-", 1)[0]]) < 3


def test_labels_say_what_they_are(pair: tuple[ecgvec.Sheet, ecgvec.Sheet]) -> None:
    sheet = pair[0]
    loaded = document(sheet)
    jsonschema.validate(loaded, SCHEMA)
    kinds = [note.kind for note in sheet.plan.notes]
    texts = sorted(loaded["labels"]["texts"], key=lambda text: text["order"])
    assert [text["kind"] for text in texts if text["role"] == "note"] == kinds
    assert all(("kind" in text) == (text["role"] == "note") for text in texts)
    share = json.loads(b"".join(coco.annotations_file([coco.image_share(sheet, "a")])["coco/annotations.json"]))
    names = {category["id"]: category["name"] for category in share["categories"]}
    found = [a for a in share["annotations"] if names[a["category_id"]] == "note"]
    assert [a["kind"] for a in found] == kinds
    marks = [names[a["category_id"]] for a in share["annotations"] if a["category_id"] > 60]
    assert marks == [mark.kind for mark in sheet.labels.marks]
    lines = yolo.image_files(sheet, "a")["yolo/detect/labels/a.txt"].decode().splitlines()
    classes = [yolo.NAMES[int(line.split()[0])] for line in lines]
    assert [name for name in classes if name in coco.ADDED] == marks
    assert kit.config(sheet)["num_words"] == len(kinds)
    for text in (sheet.svg, sheet.warped_svg):
        drawn = {e.get("id"): e for e in ElementTree.fromstring(text.encode()).iter()}
        for i, note in enumerate(sheet.plan.notes):
            assert drawn[f"note-{i}"].get("data-kind") == (None if note.kind == "note" else note.kind)
        for note_label, mark in tied(sheet):
            assert drawn[mark.id].get("data-note") == note_label.id
            assert drawn[mark.id].get("data-trace") == mark.trace


def test_pointers_are_of_their_notes_ink(pair: tuple[ecgvec.Sheet, ecgvec.Sheet]) -> None:
    sheet = pair[0]
    shades = {m.pen.fill for m in sheet.scene.shapes() if m.role in ("note", "mark")}
    assert shades == {sheet.plan.notes[0].shade}


@pytest.mark.parametrize("nib", ["ballpoint", "gel", "felt-tip", "fountain"])
@pytest.mark.parametrize("speed", [25, 50])
def test_brackets_are_as_wide_as_their_texts_say(demo_record: Record, nib: str, speed: int) -> None:
    seen = set()
    for seed in range(3):
        sheet = written(
            demo_record,
            {"notes.calipers": 4, "notes.words": 1, "notes.nib": nib, "notes.size": 0.2},
            {"page.speed": speed, "page.seconds": 10 if speed == 25 else 5},
            seed=seed,
        )
        rings = {m.id: m.info.ring for m in sheet.scene.shapes() if isinstance(m.info, AddedInfo)}
        for note, mark in tied(sheet):
            name, seconds = note.text.split()
            wanted = float(seconds) * speed
            seen.add(name)
            assert mark.text == note.text and mark.kind == "calipers"
            assert strokes_apart(rings[mark.id]) == pytest.approx(wanted, abs=0.05)
            assert strokes_apart(mark.ring) / px_per_mm(sheet.plan.page.style.dpi) == pytest.approx(wanted, abs=0.05)
    assert len(seen) > 2


def test_intervals_are_plausible(demo_record: Record) -> None:
    plan = made(demo_record, {"notes.calipers": 30, "notes.words": 1}).plans[0]
    measures = [note.measure for note in plan.notes if note.measure is not None]
    assert {measure.interval for measure in measures} == set(note_texts.SECONDS)
    for measure in measures:
        low, high = note_texts.SECONDS[measure.interval]
        assert low <= measure.seconds <= high


# Signatures ----------------------------------------------------------------------------------------------------------


def test_signatures_are_large_and_rise(demo_record: Record) -> None:
    at, lower_right = set(), 0
    for seed in range(8):
        sheet = written(demo_record, {"notes.signature": 1, "notes.words": 1, "notes.place": "margin"}, seed=seed)
        remark, signature = sheet.plan.notes
        label = notes(sheet)[1]
        at.add(signature.place)
        assert (label.role, label.kind, label.text) == ("note", "signature", signature.text)
        assert signature.x_height > 1.4 * remark.x_height
        assert 3 <= signature.angle <= 9
        assert "".join(c.character for c in label.characters) == signature.text.replace(" ", "")
        letters = shapely.union_all([shapely.Polygon(c.ring) for c in label.characters])
        assert shapely.Polygon(label.hull).area > 1.15 * letters.convex_hull.area  # the flourish is no character
        if signature.place == "lower-right":
            middle = label.hull.mean(axis=0) / sheet.warp.size
            lower_right += 1
            assert middle[0] > 0.5 and middle[1] > 0.5
    assert len(at) > 1 and lower_right > 2


def test_signatures_are_quick(demo_record: Record) -> None:
    def speed(points: Any) -> float:
        return float(np.mean([point[2] for stroke in points for point in stroke]))

    plan = made(demo_record, {"notes.signature": 1, "notes.words": 4}).plans[0]
    *remarks, signature = plan.notes
    assert speed(signature.strokes) > 1.4 * max(speed(note.strokes) for note in remarks)
    assert (signature.style, signature.nib, signature.shade) == (
        remarks[0].style,
        remarks[0].nib,
        remarks[0].shade,
    )


@pytest.mark.usefixtures("plain_hand")
def test_how_often_pages_are_signed(demo_record: Record) -> None:
    over = {"notes.signature": 0.5, "notes.words": 1}
    signed = [made(demo_record, over, seed=seed).plans[0].notes[-1].kind == "signature" for seed in range(20)]
    assert 4 <= sum(signed) <= 16
    assert all(len(made(demo_record, {"notes.words": 1}, seed=seed).plans[0].notes) == 1 for seed in range(3))


# Again and again, and what can go wrong ------------------------------------------------------------------------------


def test_a_replay_needs_no_network(demo_record: Record, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sheet = written(demo_record, LOOKS["all, bent"], seed=2)
    first = native.sidecar(sheet, {})

    def refuse(*arguments: object, **more: object) -> None:
        raise AssertionError("a replay writes nothing anew")

    monkeypatch.setattr(Writer, "__init__", refuse)
    planned._inked.cache_clear()
    (tmp_path / "a.json").write_bytes(first)
    plan = ecgvec.load(tmp_path / "a.json", samples=False).plan
    again = render_plan(demo_record, plan)
    assert (again.image == sheet.image).all()
    assert native.sidecar(again, {}) == first
    assert (again.svg, again.warped_svg) == (sheet.svg, sheet.warped_svg)


def test_they_change_no_remark(demo_record: Record) -> None:
    plain = made(demo_record, seed=3).plans[0]
    more = made(demo_record, {"notes.calipers": 2, "notes.signature": 1}, seed=3).plans[0]
    assert [note.kind for note in more.notes[3:]] == ["calipers", "calipers", "signature"]
    assert [note.text for note in more.notes[:3]] == [note.text for note in plain.notes]
    assert [note.seed for note in more.notes[:3]] == [note.seed for note in plain.notes]
    assert more.model_copy(update={"notes": plain.notes}) == plain


def test_without_beats_there_is_nothing_to_point_at(demo_record: Record) -> None:
    plan = made(demo_record, {"notes.place": "beat", "notes.calipers": 2}).plans[0]
    layout = place(plan.page)
    groups = placed.draw_notes(plan.notes, layout, [])
    assert [group.role for group in groups] == ["note"] * 5
    for group in groups:
        x0, y0, x1, y1 = group.shapes[0].info.ink  # type: ignore[union-attr]
        assert 0 < x0 < x1 < layout.width and 0 < y0 < y1 < layout.height


@pytest.mark.parametrize(
    "spoilt",
    [
        {"measure": None},
        {"measure": {"interval": "QRS", "seconds": 2.5}},
        {"measure": {"interval": "XY", "seconds": 0.1}},
        {"kind": "signature"},
        {"kind": "scribble"},
        {"pointer": "arrow"},
        {"text": "QRS 9.99"},
    ],
    ids=str,
)
def test_spoilt_brackets_in_a_plan_are_refused(demo_record: Record, spoilt: dict[str, Any]) -> None:
    raw = made(demo_record, {"notes.words": 1, "notes.calipers": 1}).plans[0].model_dump(mode="json")
    Plan.model_validate(raw)
    raw["notes"][1] |= spoilt
    with pytest.raises(ValueError, match=r"notes.1"):
        Plan.model_validate(raw)


@pytest.mark.parametrize("name", listing("recipes"))
def test_recipes_with_notes_sign_some(name: str) -> None:
    options = load_recipe(name).notes
    some = name in ("everything", "archive")
    assert (0 < options.signature < 0.5) == some
    assert ("beat" in options.place.probes()) == some
    assert (max(int(str(value)) for value in options.calipers.probes()) > 0) == some
