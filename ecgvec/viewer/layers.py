"""The labels of one image as shapes to draw over it, a layer a kind of label. Everything here is in image pixels."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ecgvec._typing import BoolArray, Points
from ecgvec.components import Registry
from ecgvec.errors import SourceError
from ecgvec.geometry.path import Path, bounds, polyline, segments, with_gaps
from ecgvec.graphics.shapes import Pen, Shape
from ecgvec.rendering.labels.model import TextLabel
from ecgvec.viewer.tags import Labelled, Tags, box_corners

# Twelve colours that stay apart in normal, deuteranope and protanope sight, dealt out so that neighbours on the usual
# pages differ most (the tests hold them to it). They are light enough for black ink and dark enough for white paper.
LEAD_COLORS = {
    "I": "#1ED2B4", "II": "#B40F69", "III": "#96D200", "aVR": "#784BA5", "aVL": "#C39600", "aVF": "#4B78FF",
    "V1": "#B4690F", "V2": "#D287F0", "V3": "#963C00", "V4": "#2DA5B4", "V5": "#4B3CE1", "V6": "#FF0F78",
}  # fmt: skip
OTHER_COLORS = ("#780078", "#FF8778", "#6978B4", "#870F3C")
_OTHER_LEADS = {"V7": 0, "V8": 1, "V9": 2, "V3R": 0, "V4R": 1, "V5R": 2, "V6R": 3, "X": 0, "Y": 1, "Z": 2}
GRID, PAGE, TEXT, PULSE, QR, BEAT, SAMPLE = "#1F3A93", "#C800A0", "#005A9C", "#E05A00", "#6A0DAD", "#C00000", "#FFD200"
ADDED, OCCLUDED = "#00794A", "#FF5A1F"  # what was put on the print; samples that something hides
NOTE = "#B5179E"

TRACE_SHARE, LEAST_TRACE = 0.5, 0.35  # a trace's line: a share of the ink's width, at the least in px


@dataclass(frozen=True)
class Layer:
    """One kind of label: ``draw`` makes its shapes, ``shown`` says whether unasked."""

    draw: Callable[[Labelled, Tags], Iterator[Shape]]
    shown: bool = True


LAYERS: Registry[Layer] = Registry("layer", SourceError)  # in painting order


def lead_color(lead: str) -> str:
    """The colour of a lead, the same in every image."""
    other = _OTHER_LEADS.get(lead, zlib.crc32(lead.encode("utf-8", "replace")) % len(OTHER_COLORS))
    return LEAD_COLORS.get(lead, OTHER_COLORS[other])


def _pen(color: str, visible: bool, width: float, opacity: float = 0.9) -> Pen:
    """A thin line; dashed for what cannot be seen."""
    if visible:
        return Pen(stroke=color, width=width, opacity=opacity, cap="round", join="round")
    return Pen(stroke=color, width=width, opacity=opacity, join="round", dash=(4.0, 3.0))


def _facts(label: object, *names: str) -> dict[str, str]:
    """Fields of a label, for ``data-*`` attributes."""
    return {name.replace("_", "-"): _word(getattr(label, name)) for name in names}


def _word(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return " ".join(map(_word, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _ring(
    name: str,
    role: str,
    points: Points,
    color: str,
    width: float,
    label: object,
    visible: bool,
    facts: tuple[str, ...] = (),
) -> Shape:
    """A closed outline through a label's points."""
    data = _facts(label, *facts) | {"visible": _word(visible)}
    return Shape(name, role, polyline(points, closed=True), _pen(color, visible, width), data)


def _page(image: Labelled, tags: Tags) -> Iterator[Shape]:
    outline = polyline(image.labels.page, closed=True)
    yield Shape("page-outline", "page", outline, _pen(PAGE, True, 1.0))
    corners, radius = image.labels.corners, 0.6 * image.scale
    for i, (x, y) in enumerate(corners.tolist()):
        box = (x - radius, y - radius, x + radius, y + radius)
        yield Shape(
            f"page-corner-{i}", "page-corner", _circle(x, y, radius), _pen(PAGE, True, image.line), {"corner": str(i)}
        )
        yield from tags.place(f"corner {i}", box, PAGE, f"page-corner-{i}", beside=True)


def _circle(x: float, y: float, radius: float) -> Path:
    angle = np.linspace(0.0, 2 * np.pi, 24, endpoint=False)
    return polyline(np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)]), closed=True)


def _grid(image: Labelled, tags: Tags) -> Iterator[Shape]:
    """A small diagonal cross on each crossing: it stands out from the lines, and its middle is the point."""
    for key, label, arm, opacity in (
        ("minor-grid", image.labels.minor, 0.12, 0.6),
        ("grid", image.labels.grid, 0.4, 0.9),
    ):
        if label is None:
            continue
        points, visible = label.crossings.reshape(-1, 2), label.visible.ravel()
        for seen in (True, False):
            chosen = points[visible] if seen else points[~visible]
            if len(chosen):
                path = _crosses(chosen, arm * image.scale if seen else 0.5 * arm * image.scale)
                facts = {"step-mm": _word(label.step_mm), "crossings": str(len(chosen)), "visible": _word(seen)}
                pen = Pen(stroke=GRID, width=image.line, opacity=opacity if seen else 0.5 * opacity)
                yield Shape(f"{key}-{_word(seen)}", "crossings", path, pen, facts)


def _crosses(points: Points, arm: float) -> Path:
    x, y = points.T
    ends = [np.column_stack([x - arm, y - s * arm, x + arm, y + s * arm]) for s in (1, -1)]
    return segments(np.concatenate(ends))


_TRACE_FACTS = ("lead", "polarity", "rhythm", "row", "column", "first_sample", "samples", "fs")


def _traces(image: Labelled, tags: Tags) -> Iterator[Shape]:
    width = float(np.clip(TRACE_SHARE * image.ink, LEAST_TRACE, 1.0))
    for label in image.labels.traces:
        points, visible, occluded = label.points, label.visible, label.occluded
        hidden = ~visible & np.isfinite(points).all(axis=1)
        shown = {"": visible, "hidden": _widened(hidden & ~occluded), "occluded": _widened(hidden & occluded)}
        for kind, chosen in shown.items():
            path = with_gaps(np.where(chosen[:, None], points, np.nan))
            if len(path.points):
                color = OCCLUDED if kind == "occluded" else lead_color(label.lead)
                facts = _facts(label, *_TRACE_FACTS) | {"visible": _word(not kind)}
                role, name = (f"trace-{kind}", f"{label.id}-{kind}") if kind else ("trace", label.id)
                yield Shape(name, role, path, _pen(color, kind != "hidden", width, 1.0), facts)


def _widened(chosen: BoolArray) -> BoolArray:
    """``chosen`` (n,) and the points beside them, so that a line reaches what it goes on from."""
    return np.asarray(chosen | np.append(chosen[1:], False) | np.append(False, chosen[:-1]))


def _samples(image: Labelled, tags: Tags) -> Iterator[Shape]:
    """A dot on each point of the NPZ, which are the samples unless another density was asked for. Dots are smaller
    than their distance where that can be: to be looked at closely. What is occluded has another colour."""
    for label in image.labels.traces:
        points, visible, occluded = label.points, label.visible, label.occluded
        shown = points[np.isfinite(points).all(axis=1)]
        apart = float(np.median(np.diff(shown[:, 0]))) if len(shown) > 1 else image.ink
        kinds = {"true": visible, "false": ~visible & ~occluded, "occluded": ~visible & occluded}
        for kind, these in kinds.items():
            alone = np.full((2 * int(these.sum()), 2), np.nan)
            alone[::2] = points[these]
            color, opacity = OCCLUDED if kind == "occluded" else SAMPLE, 0.5 if kind == "false" else 1.0
            pen = Pen(stroke=color, width=float(np.clip(0.6 * apart, 0.3, 1.5)), cap="round", opacity=opacity)
            if np.isfinite(alone).any():
                yield Shape(f"samples-{kind}-{label.id}", "samples", with_gaps(alone), pen, {"lead": label.lead})


def _panels(image: Labelled, tags: Tags) -> Iterator[Shape]:
    for label in image.labels.traces:
        color, name, seen = lead_color(label.lead), f"panel-{label.id}", bool(label.visible.any())
        yield _ring(name, "panel", label.panel, color, image.line, label, seen, ("lead", "rhythm", "row", "column"))
        text = f"{label.lead} row {label.row} column {label.column}"
        yield from tags.place(text, bounds(label.panel), color, name)


def _boxes(image: Labelled, tags: Tags) -> Iterator[Shape]:
    """The box of each trace's ink, with the lead, its seconds, and whether it is a rhythm strip or upside down."""
    for label in image.labels.traces:
        color, name = lead_color(label.lead), f"box-{label.id}"
        corners, seen = box_corners(label.box), bool(label.visible.any())
        yield _ring(name, "box", corners, color, image.line, label, seen, _TRACE_FACTS)
        first, count, fs = label.first_sample, label.samples, label.fs
        sign = "-" if label.polarity < 0 else ""
        text = f"{sign}{label.lead}{' rhythm' if label.rhythm else ''} {first / fs:g}–{(first + count) / fs:g} s"
        yield from tags.place(text, bounds(corners), color, name, seen)


def _pulses(image: Labelled, tags: Tags) -> Iterator[Shape]:
    for label in image.labels.pulses:
        name, corners = label.id, label.corners
        yield _ring(f"{name}-box", "pulse-box", box_corners(label.box), PULSE, image.line, label, label.visible)
        facts = _facts(label, "row", "mv", "seconds", "gains", "visible")
        yield Shape(name, "pulse", polyline(corners), _pen(PULSE, label.visible, image.line), facts)
        text = f"{label.mv:g} mV {label.seconds:g} s"
        yield from tags.place(text, bounds(box_corners(label.box)), PULSE, name, label.visible)


def _qr(image: Labelled, tags: Tags) -> Iterator[Shape]:
    label = image.labels.qr
    if label is not None:
        yield _ring("qr-code", "qr", label.quad, QR, image.line, label, label.visible, ("text",))
        yield from tags.place(f"QR {label.text}", bounds(label.quad), QR, "qr-code", label.visible)


def _text(image: Labelled, label: TextLabel, color: str, tag: str, tags: Tags) -> Iterator[Shape]:
    """A text's box as a line, and the hull of its ink as a wash."""
    hull = polyline(label.hull, closed=True)
    yield Shape(f"hull-{label.id}", "hull", hull, Pen(fill=color, opacity=0.16))
    facts = ("role", "text", "order")
    yield _ring(f"text-{label.id}", label.role, label.quad, color, image.line, label, label.visible, facts)
    yield from tags.place(tag, bounds(label.quad), color, f"text-{label.id}", label.visible, True)


def _texts(image: Labelled, tags: Tags) -> Iterator[Shape]:
    """Header, footer and notes; of these also what they say, and a ring round each character."""
    for label in image.labels.texts:
        if label.role == "note":
            for i, character in enumerate(label.characters):
                name, facts = f"character-{label.id}-{i}", {"character": character.character}
                ring = polyline(character.ring, closed=True)
                yield Shape(name, "character", ring, _pen(NOTE, label.visible, LEAST_TRACE), facts)
            yield from _text(image, label, NOTE, f"#{label.order} {label.text}", tags)
        elif label.role != "lead-name":
            yield from _text(image, label, TEXT, f"#{label.order}", tags)


def _names(image: Labelled, tags: Tags) -> Iterator[Shape]:
    for label in image.labels.texts:
        if label.role == "lead-name":
            color = lead_color(label.text.removeprefix("-"))
            yield from _text(image, label, color, f"#{label.order} {label.text}", tags)


def _beats(image: Labelled, tags: Tags) -> Iterator[Shape]:
    """A ring round each place of a beat, with the beat's symbol."""
    radius = 0.45 * image.scale
    for i, beat in enumerate(image.labels.beats):
        for place in beat.places:
            (x, y), name = place.point[0].tolist(), f"beat-{i}-{place.trace}"
            facts = _facts(beat, "t", "symbol") | _facts(place, "trace", "visible")
            yield Shape(name, "beat", _circle(x, y, radius), _pen(BEAT, place.visible, image.line), facts)
            box = (x - radius, y - radius, x + radius, y + radius)
            yield from tags.place(beat.symbol, box, BEAT, name, place.visible, True)


def _marks(image: Labelled, tags: Tags) -> Iterator[Shape]:
    """The ring around each thing that was put on the print, with its kind and words."""
    for label in image.labels.marks:
        name = f"ring-{label.id}"
        facts = ("kind", "text", "opaque", "occluded")
        yield _ring(name, "added", label.ring, ADDED, image.line, label, label.visible, facts)
        text = f"{label.kind} {label.text}".strip()
        yield from tags.place(text, bounds(label.ring), ADDED, name, label.visible)


LAYERS.add("page", Layer(_page))
LAYERS.add("grid", Layer(_grid))
LAYERS.add("traces", Layer(_traces))
LAYERS.add("samples", Layer(_samples, shown=False))
LAYERS.add("panels", Layer(_panels, shown=False))
LAYERS.add("boxes", Layer(_boxes))
LAYERS.add("pulses", Layer(_pulses))
LAYERS.add("qr", Layer(_qr))
LAYERS.add("texts", Layer(_texts))
LAYERS.add("names", Layer(_names))
LAYERS.add("beats", Layer(_beats))
LAYERS.add("marks", Layer(_marks))
