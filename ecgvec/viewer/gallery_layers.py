"""What can be switched on and off over an image: the layers of ``ecgvec inspect``, in the same colours, sorted anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from ecgvec.geometry.path import Path, joined
from ecgvec.graphics.nodes import Mark, Pen
from ecgvec.viewer import layers as inspect_layers
from ecgvec.viewer.tags import Label, Labelled, Tags

_Ring = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Layer:
    """A layer: its ``id``, what the page calls it, the ``key`` that switches it, whether it is ``shown`` unasked, and
    which of inspect's layers draws it (``texts`` alone is shared out by role)."""

    id: str
    title: str
    key: str
    shown: bool
    source: str


TRACES = "traces"
LAYERS = (  # in painting order
    Layer("page", "Page outline", "o", False, "page"),
    Layer("grid", "Grid lattice", "g", False, "grid"),
    Layer(TRACES, "Traces", "1", True, "traces"),
    Layer("boxes", "Trace boxes", "2", True, "boxes"),
    Layer("panels", "Panels", "3", False, "panels"),
    Layer("names", "Lead names", "4", False, "names"),
    Layer("texts", "Texts", "5", False, "texts"),
    Layer("notes", "Notes", "6", True, "texts"),
    Layer("characters", "Characters", "7", False, "texts"),
    Layer("pulses", "Pulses", "8", False, "pulses"),
    Layer("marks", "Marks", "9", True, "marks"),
    Layer("beats", "Beats", "b", False, "beats"),
    Layer("qr", "QR code", "q", False, "qr"),
)


@dataclass(frozen=True)
class Tag:
    """A small text beside a label: its backing ``box`` (x0, y0, x1, y1) in px and its colour."""

    text: str
    box: tuple[float, float, float, float]
    color: str


@dataclass(frozen=True)
class Drawn:
    """A layer of one image: paths in image px, one for each pen, and tags."""

    layer: Layer
    paths: tuple[tuple[Pen, Path], ...]
    tags: tuple[Tag, ...]


def draw(image: Labelled, traces: bool = False) -> list[Drawn]:
    """The layers of ``image`` that hold something, in painting order; that of the traces only where ``traces``."""
    tags = Tags(image)
    found = []
    for layer in LAYERS:
        if layer.id == TRACES and not traces:
            continue
        marks = list(_of(layer, image, tags))
        drawn = Drawn(layer, tuple(_by_pen(marks)), tuple(_tags(marks)))
        if drawn.paths:
            found.append(drawn)
    return found


def _of(layer: Layer, image: Labelled, tags: Tags) -> Iterator[Mark]:
    """The layer's marks. Notes and their characters are layers apart from printed texts."""
    if layer.source == "texts":
        written = layer.id != "texts"
        texts = [label for label in image.labels["texts"] if (label["role"] == "note") == written]
        image = replace(image, labels={**image.labels, "texts": texts})
    marks = inspect_layers.LAYERS.get(layer.source).draw(image, tags)
    if layer.id in ("notes", "characters"):
        return (mark for mark in marks if (mark.role == "character") == (layer.id == "characters"))
    return marks


def _by_pen(marks: Iterable[Mark]) -> Iterator[tuple[Pen, Path]]:
    """The paths of all marks but the tags, those of one pen joined: a page shows few long paths sooner than many."""
    paths: dict[Pen, list[Path]] = {}
    for mark in marks:
        if mark.role not in ("tag", "backing"):
            paths.setdefault(mark.pen, []).append(mark.path)
    return ((pen, joined(same)) for pen, same in paths.items())


def _tags(marks: Sequence[Mark]) -> Iterator[Tag]:
    """Tags: a backing and, right after it, its letters."""
    for backing, letters in pairwise(marks):
        if backing.role == "backing" and letters.role == "tag":
            yield Tag(letters.data["text"], backing.path.bounds(), str(letters.pen.fill))


def counts(labels: Label) -> dict[str, int]:
    """How many labels each layer holds."""
    notes = [text for text in labels["texts"] if text["role"] == "note"]
    names = [text for text in labels["texts"] if text["role"] == "lead-name"]
    crossings = sum(sum(map(len, grid["crossings"])) for grid in (labels["grid"], labels["minor_grid"]) if grid)
    traces = len(labels["traces"])
    return {
        "page": 1,
        "grid": crossings,
        TRACES: traces,
        "boxes": traces,
        "panels": traces,
        "names": len(names),
        "texts": len(labels["texts"]) - len(names) - len(notes),
        "notes": len(notes),
        "characters": sum(len(note["characters"]) for note in notes),
        "pulses": len(labels["pulses"]),
        "marks": len(labels["marks"]),
        "beats": len(labels["beats"]),
        "qr": int(labels["qr"] is not None),
    }


def sayings(labels: Label) -> list[dict[str, Any]]:
    """What the page says of a label that is pointed at: ``ring`` around it in image px, ``what`` it is, its ``text``
    and whether it can be seen (``state``)."""
    found = [_said(t["hull"], _role(t), t["text"], t) for t in labels["texts"]]
    found += [_said(m["ring"], m["kind"], m["text"], m) for m in labels["marks"]]
    found += [
        _said(p["corners"], "calibration pulse", f"{p['mv']:g} mV, {p['seconds']:g} s", p) for p in labels["pulses"]
    ]
    if labels["qr"] is not None:
        found.append(_said(labels["qr"]["quad"], "QR code", labels["qr"]["text"], labels["qr"]))
    return found


def _role(label: Label) -> str:
    return str(label.get("kind") or label["role"]).replace("-", " ")


def _said(ring: _Ring, what: str, text: str, label: Mapping[str, Any]) -> dict[str, Any]:
    hidden = float(label["occluded"])
    state = "" if label["visible"] else "not visible"
    if label["visible"] and hidden >= 0.005:
        state = f"{hidden:.0%} occluded"
    return {"ring": [[round(x, 1), round(y, 1)] for x, y in ring], "what": what, "text": text, "state": state}
