"""The labels of one image as marks to draw over it, a layer a kind of label. Everything here is in image pixels."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecgvec.annotations.model import Seen, bounds
from ecgvec.drawing.nodes import Mark, Pen
from ecgvec.drawing.text import printable
from ecgvec.errors import SourceError
from ecgvec.geometry.affine import Affine
from ecgvec.geometry.outlines import cap_height, text_path
from ecgvec.geometry.path import Path, Points, polyline, rectangles, segments, with_gaps
from ecgvec.registry import Registry
from ecgvec.style import rgb

# Twelve colours that stay apart in normal, deuteranope and protanope sight, dealt out so that neighbours on the usual
# pages differ most (the tests hold them to it). They are light enough for black ink and dark enough for white paper.
LEAD_COLORS = {
    "I": "#1ED2B4", "II": "#B40F69", "III": "#96D200", "aVR": "#784BA5", "aVL": "#C39600", "aVF": "#4B78FF",
    "V1": "#B4690F", "V2": "#D287F0", "V3": "#963C00", "V4": "#2DA5B4", "V5": "#4B3CE1", "V6": "#FF0F78",
}  # fmt: skip
OTHER_COLORS = ("#780078", "#FF8778", "#6978B4", "#870F3C")
_OTHER_LEADS = {"V7": 0, "V8": 1, "V9": 2, "V3R": 0, "V4R": 1, "V5R": 2, "V6R": 3, "X": 0, "Y": 1, "Z": 2}
GRID, PAGE, TEXT, PULSE, QR, BEAT, SAMPLE = "#1F3A93", "#C800A0", "#005A9C", "#E05A00", "#6A0DAD", "#C00000", "#FFD200"

LINE, LEAST_LINE, LARGEST_LINE = 0.1, 0.4, 0.8  # outlines: in mm of the page, and their limits in px
TRACE_SHARE, LEAST_TRACE = 0.5, 0.35  # a trace's line: a share of the ink's width, at the least in px
TAG_SIZE, LEAST_TAG_SIZE = 1.35, 7.0  # the em of a tag's text, in mm of the page and at the least in px
LONGEST_TAG = 40  # characters
GAP = 2.5  # px from a box to its tag
CELL = 0.25  # mm, the cells in which tags keep out of the way
_SHARES = (0.0, 0.15, 0.3, 0.5, 0.7, 0.85, 1.0)  # of a box's side, where tags are tried

Label = Mapping[str, Any]  # one label, or a group of them, of the JSON that ``export/native.py`` writes


@dataclass(frozen=True, eq=False)
class Labelled:
    """An image's labels. ``labels`` is that part of its JSON; ``dense`` gives for each trace its points (n, 2), NaN in
    gaps, and which of them are visible (n,); ``scale`` is px/mm, ``ink`` the trace's width in px."""

    width: int
    height: int
    scale: float
    ink: float
    labels: Label
    dense: Mapping[str, tuple[Points, Seen]]

    @property
    def line(self) -> float:
        """The width of outlines in px."""
        return min(max(LINE * self.scale, LEAST_LINE), LARGEST_LINE)


@dataclass(frozen=True)
class Layer:
    """One kind of label: ``draw`` makes its marks, ``shown`` says whether unasked, ``dense`` if of the NPZ."""

    draw: Callable[[Labelled, Tags], Iterator[Mark]]
    shown: bool = True
    dense: bool = False


LAYERS: Registry[Layer] = Registry("layer", SourceError)  # in painting order


def lead_color(lead: str) -> str:
    """The colour of a lead, the same in every image."""
    other = _OTHER_LEADS.get(lead, zlib.crc32(lead.encode("utf-8", "replace")) % len(OTHER_COLORS))
    return LEAD_COLORS.get(lead, OTHER_COLORS[other])


class Tags:
    """Small texts beside labels, each where it covers the least ink and the fewest other texts."""

    def __init__(self, image: Labelled) -> None:
        self._size = max(LEAST_TAG_SIZE, TAG_SIZE * image.scale)
        self._cell = max(1.0, CELL * image.scale)
        self._width, self._height = image.width, image.height
        self._full = np.zeros((int(self._height / self._cell) + 1, int(self._width / self._cell) + 1), dtype=np.float32)
        for points, _ in image.dense.values():
            self._cover(_dense_line(points))
        for quad in [t["quad"] for t in image.labels["texts"]] + [
            _box_corners(p["box"]) for p in image.labels["pulses"]
        ]:
            self._full[self._cells(bounds(_array(quad)))] = 2.0

    def _cover(self, points: Points) -> None:
        x, y = np.floor(points[np.isfinite(points).all(axis=1)] / self._cell).astype(np.intp).T
        inside = (x >= 0) & (y >= 0) & (x < self._full.shape[1]) & (y < self._full.shape[0])
        self._full[y[inside], x[inside]] = 1.0

    def _cells(self, box: Sequence[float]) -> tuple[slice, slice]:
        x0, y0, x1, y1 = (max(0, int(v / self._cell)) for v in box)
        return slice(y0, y1 + 1), slice(x0, x1 + 1)

    def place(
        self, text: str, around: Sequence[float], color: str, name: str, visible: bool = True, beside: bool = False
    ) -> Iterator[Mark]:
        """A tag for the box ``around`` (x0, y0, x1, y1): its backing, its letters. None for a box out of sight.

        It stands along the top or the bottom of the box; ``beside`` it if there is room, as suits a line of text.
        """
        x0, y0, x1, y1 = around
        text = printable(text if visible else f"{text} hidden")
        if not text or x1 < 0 or y1 < 0 or x0 > self._width or y0 > self._height:
            return
        text = text if len(text) <= LONGEST_TAG else text[: LONGEST_TAG - 1] + "…"
        letters, advance = text_path(text, "sans", self._size)
        pad, cap = self._size * 0.18, cap_height("sans", self._size)
        wide, high = advance + 2 * pad, cap + 2.6 * pad
        x, y = min(self._places(around, wide, high, beside))[1]
        box = (x, y, x + wide, y + high)
        self._full[self._cells(box)] += 8.0
        yield Mark(f"{name}-backing", "backing", rectangles([box]), Pen(fill="#FFFFFF", opacity=0.72))
        letters = letters.mapped(Affine.translate(x + pad, y + 1.3 * pad + cap))
        yield Mark(f"{name}-tag", "tag", letters, Pen(fill=_darker(color)), {"text": text})

    def _places(
        self, around: Sequence[float], wide: float, high: float, beside: bool
    ) -> Iterator[tuple[float, tuple[float, float]]]:
        """(cost, top-left corner) of the places to try: at the sides, along the top, the bottom, inside."""
        x0, y0, x1, y1 = around
        xs = [x0 + share * max(0.0, x1 - x0 - wide) for share in _SHARES]
        ys = (y0 - GAP - high, y1 + GAP, y0 + GAP, y1 - GAP - high)
        sides = [(x, (y0 + y1 - high) / 2) for x in (x1 + GAP, x0 - GAP - wide)] if beside else []
        for rank, (left, top) in enumerate(sides + [(x, y) for y in ys for x in xs]):
            x, y = min(max(left, 0.0), self._width - wide), min(max(top, 0.0), self._height - high)
            covered = float(self._full[self._cells((x, y, x + wide, y + high))].sum())
            yield covered + 0.1 * rank + abs(x - left) + abs(y - top), (x, y)


def _dense_line(points: Points, pieces: int = 8) -> Points:
    """Points along a line through ``points``, NaN where it breaks."""
    step = np.diff(points, axis=0)[:, None] * (np.arange(pieces)[None, :, None] / pieces)
    along: Points = (points[:-1, None] + step).reshape(-1, 2)
    return along


def _array(points: Any) -> Points:
    array = np.array(points, dtype=np.float64).reshape(-1, 2)
    if not len(array) or not np.isfinite(array).all():
        raise ValueError("a label has no place")
    return array


def _darker(color: str) -> str:
    return "#" + "".join(f"{round(0.6 * c):02X}" for c in rgb(color))


def _pen(color: str, visible: bool, width: float, opacity: float = 0.9) -> Pen:
    """A thin line; dashed for what cannot be seen."""
    if visible:
        return Pen(stroke=color, width=width, opacity=opacity, cap="round", join="round")
    return Pen(stroke=color, width=width, opacity=opacity, join="round", dash=(4.0, 3.0))


def _facts(label: Label, *names: str) -> dict[str, str]:
    """Fields of a label as they stand in its JSON, for ``data-*`` attributes."""
    return {name.replace("_", "-"): _word(label[name]) for name in names}


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(map(_word, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _ring(
    name: str, role: str, points: Any, color: str, width: float, label: Label, facts: tuple[str, ...] = ()
) -> Mark:
    """A closed outline through a label's points."""
    visible = bool(label["visible"])
    path = polyline(_array(points), closed=True)
    return Mark(name, role, path, _pen(color, visible, width), _facts(label, *facts, "visible"))


def _page(image: Labelled, tags: Tags) -> Iterator[Mark]:
    page = image.labels["page"]
    yield Mark("page-outline", "page", polyline(_array(page["outline"]), closed=True), _pen(PAGE, True, 1.0))
    corners, radius = _array(page["corners"]), 0.6 * image.scale
    for i, (x, y) in enumerate(corners.tolist()):
        box = (x - radius, y - radius, x + radius, y + radius)
        yield Mark(
            f"page-corner-{i}", "page-corner", _circle(x, y, radius), _pen(PAGE, True, image.line), {"corner": str(i)}
        )
        yield from tags.place(f"corner {i}", box, PAGE, f"page-corner-{i}", beside=True)


def _circle(x: float, y: float, radius: float) -> Path:
    angle = np.linspace(0.0, 2 * np.pi, 24, endpoint=False)
    return polyline(np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)]), closed=True)


def _grid(image: Labelled, tags: Tags) -> Iterator[Mark]:
    """A small diagonal cross on each crossing: it stands out from the lines, and its middle is the point."""
    for key, arm, opacity in (("minor_grid", 0.12, 0.6), ("grid", 0.4, 0.9)):
        label = image.labels[key]
        if label is None:
            continue
        points, visible = _array(label["crossings"]), np.array(label["visible"], dtype=bool).ravel()
        for seen in (True, False):
            chosen = points[visible] if seen else points[~visible]
            if len(chosen):
                path = _crosses(chosen, arm * image.scale if seen else 0.5 * arm * image.scale)
                facts = {"step-mm": _word(label["step_mm"]), "crossings": str(len(chosen)), "visible": _word(seen)}
                pen = Pen(stroke=GRID, width=image.line, opacity=opacity if seen else 0.5 * opacity)
                yield Mark(f"{key.replace('_', '-')}-{_word(seen)}", "crossings", path, pen, facts)


def _crosses(points: Points, arm: float) -> Path:
    x, y = points.T
    ends = [np.column_stack([x - arm, y - s * arm, x + arm, y + s * arm]) for s in (1, -1)]
    return segments(np.concatenate(ends))


_TRACE_FACTS = ("lead", "polarity", "rhythm", "row", "column", "first_sample", "samples", "fs")


def _traces(image: Labelled, tags: Tags) -> Iterator[Mark]:
    width = float(np.clip(TRACE_SHARE * image.ink, LEAST_TRACE, 1.0))
    for label in image.labels["traces"]:
        points, visible = image.dense[label["id"]]
        hidden = ~visible & np.isfinite(points).all(axis=1)
        near = hidden | np.append(hidden[1:], False) | np.append(False, hidden[:-1])
        for seen, left_out in ((True, ~visible), (False, ~near)):
            path = with_gaps(np.where(left_out[:, None], np.nan, points))
            if len(path.points):
                role, name = ("trace", label["id"]) if seen else ("trace-hidden", f"{label['id']}-hidden")
                facts = _facts(label, *_TRACE_FACTS) | {"visible": _word(seen)}
                yield Mark(name, role, path, _pen(lead_color(label["lead"]), seen, width, 1.0), facts)


def _samples(image: Labelled, tags: Tags) -> Iterator[Mark]:
    """A dot on each point of the NPZ, which are the samples unless another density was asked for. Dots are smaller
    than their distance where that can be: to be looked at closely."""
    for label in image.labels["traces"]:
        points, visible = image.dense[label["id"]]
        shown = points[np.isfinite(points).all(axis=1)]
        apart = float(np.median(np.diff(shown[:, 0]))) if len(shown) > 1 else image.ink
        for seen in (True, False):
            chosen = points[visible == seen]
            alone = np.full((2 * len(chosen), 2), np.nan)
            alone[::2] = chosen
            pen = Pen(
                stroke=SAMPLE, width=float(np.clip(0.6 * apart, 0.3, 1.5)), cap="round", opacity=1.0 if seen else 0.5
            )
            if np.isfinite(alone).any():
                yield Mark(
                    f"samples-{_word(seen)}-{label['id']}", "samples", with_gaps(alone), pen, {"lead": label["lead"]}
                )


def _panels(image: Labelled, tags: Tags) -> Iterator[Mark]:
    for label in image.labels["traces"]:
        color, name = lead_color(label["lead"]), f"panel-{label['id']}"
        yield _ring(name, "panel", label["panel"], color, image.line, label, ("lead", "rhythm", "row", "column"))
        text = f"{label['lead']} row {label['row']} column {label['column']}"
        yield from tags.place(text, bounds(_array(label["panel"])), color, name)


def _box_corners(box: Sequence[float]) -> Points:
    x, y, wide, high = (float(v) for v in box)
    return _array([(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)])


def _boxes(image: Labelled, tags: Tags) -> Iterator[Mark]:
    """The box of each trace's ink, with the lead, its seconds, and whether it is a rhythm strip or upside down."""
    for label in image.labels["traces"]:
        color, name = lead_color(label["lead"]), f"box-{label['id']}"
        corners = _box_corners(label["box"])
        yield _ring(name, "box", corners, color, image.line, label, _TRACE_FACTS)
        first, count, fs = label["first_sample"], label["samples"], label["fs"]
        sign = "-" if label["polarity"] < 0 else ""
        text = f"{sign}{label['lead']}{' rhythm' if label['rhythm'] else ''} {first / fs:g}–{(first + count) / fs:g} s"
        yield from tags.place(text, bounds(corners), color, name, bool(label["visible"]))


def _pulses(image: Labelled, tags: Tags) -> Iterator[Mark]:
    for label in image.labels["pulses"]:
        name, corners = label["id"], _array(label["corners"])
        yield _ring(f"{name}-box", "pulse-box", _box_corners(label["box"]), PULSE, image.line, label)
        facts = _facts(label, "row", "mv", "seconds", "gains", "visible")
        yield Mark(name, "pulse", polyline(corners), _pen(PULSE, label["visible"], image.line), facts)
        text = f"{label['mv']:g} mV {label['seconds']:g} s"
        yield from tags.place(text, bounds(_box_corners(label["box"])), PULSE, name, label["visible"])


def _qr(image: Labelled, tags: Tags) -> Iterator[Mark]:
    label = image.labels["qr"]
    if label is not None:
        yield _ring("qr-code", "qr", label["quad"], QR, image.line, label, ("text",))
        yield from tags.place(f"QR {label['text']}", bounds(_array(label["quad"])), QR, "qr-code", label["visible"])


def _text(image: Labelled, label: Label, color: str, tag: str, tags: Tags) -> Iterator[Mark]:
    """A text's box as a line, and the hull of its ink as a wash."""
    hull = polyline(_array(label["hull"]), closed=True)
    yield Mark(f"hull-{label['id']}", "hull", hull, Pen(fill=color, opacity=0.16))
    yield _ring(
        f"text-{label['id']}", label["role"], label["quad"], color, image.line, label, ("role", "text", "order")
    )
    yield from tags.place(tag, bounds(_array(label["quad"])), color, f"text-{label['id']}", label["visible"], True)


def _texts(image: Labelled, tags: Tags) -> Iterator[Mark]:
    for label in image.labels["texts"]:
        if label["role"] != "lead-name":
            yield from _text(image, label, TEXT, f"#{label['order']}", tags)


def _names(image: Labelled, tags: Tags) -> Iterator[Mark]:
    for label in image.labels["texts"]:
        if label["role"] == "lead-name":
            color = lead_color(label["text"].removeprefix("-"))
            yield from _text(image, label, color, f"#{label['order']} {label['text']}", tags)


def _beats(image: Labelled, tags: Tags) -> Iterator[Mark]:
    """A ring round each place of a beat, with the beat's symbol."""
    radius = 0.45 * image.scale
    for i, beat in enumerate(image.labels["beats"]):
        for place in beat["places"]:
            (x, y), name = _array(place["point"])[0].tolist(), f"beat-{i}-{place['trace']}"
            facts = _facts(beat, "t", "symbol") | _facts(place, "trace", "visible")
            yield Mark(name, "beat", _circle(x, y, radius), _pen(BEAT, place["visible"], image.line), facts)
            box = (x - radius, y - radius, x + radius, y + radius)
            yield from tags.place(beat["symbol"], box, BEAT, name, place["visible"], True)


LAYERS.add("page", Layer(_page))
LAYERS.add("grid", Layer(_grid))
LAYERS.add("traces", Layer(_traces, dense=True))
LAYERS.add("samples", Layer(_samples, shown=False, dense=True))
LAYERS.add("panels", Layer(_panels, shown=False))
LAYERS.add("boxes", Layer(_boxes))
LAYERS.add("pulses", Layer(_pulses))
LAYERS.add("qr", Layer(_qr))
LAYERS.add("texts", Layer(_texts))
LAYERS.add("names", Layer(_names))
LAYERS.add("beats", Layer(_beats))
