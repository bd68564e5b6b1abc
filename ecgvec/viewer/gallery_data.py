"""One image as the gallery holds it: its layers, a picture, a thumbnail, labels and samples in few bytes."""

from __future__ import annotations

import base64
import json
import pathlib
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from ecgvec._typing import Float64Array, Image, Int64Array, Points, Uint8Array
from ecgvec.errors import SourceError
from ecgvec.export.read import SavedPage, decode_image, load
from ecgvec.geometry.path import Path, join
from ecgvec.graphics.shapes import Pen, Shape
from ecgvec.rendering.labels.model import Labels, MarkLabel, PulseLabel, QrLabel, TextLabel, TraceLabel
from ecgvec.viewer import layers
from ecgvec.viewer.contact_sheet import thumbnail
from ecgvec.viewer.layers import lead_color
from ecgvec.viewer.tags import Labelled, Tags, label_page

QUALITY, SMALL_QUALITY = 85, 80  # of JPEGs: the pictures, the thumbnails
_MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg"}
THUMBNAIL = 480  # px wide
T_STEP, MV_STEP, XY_STEP = 1e-5, 1e-3, 1e-2  # s, mV, px: what samples are rounded to
_LARGEST = 1e9  # steps: differences of two such numbers still fit 32 bits
GAP, VISIBLE, HIDDEN, OCCLUDED_SAMPLE = range(4)  # what the page knows of a sample
_DECIMALS = (1, 1)  # px, of outlines


def jpeg(image: Uint8Array, quality: int) -> bytes:
    """An RGB image (H, W, 3) as JPEG."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise SourceError("OpenCV could not encode the image as JPEG: check its size")
    return data.tobytes()


@dataclass(frozen=True, eq=False)
class Entry:
    """One image: its ``name`` (path below the folder, without suffix), what was written of it, its pixels (H, W, 3)
    uint8 RGB, and the bytes of its file."""

    name: str
    page: SavedPage
    pixels: Image
    content: bytes

    @property
    def media_type(self) -> str:
        """Of the file."""
        return _MEDIA_TYPES[self.page.image_path.suffix]


def read_entry(folder: pathlib.Path, name: str) -> Entry:
    """The image of the JSON ``name`` below ``folder``. SourceError, naming the file as it lies below ``folder``, for
    files that are missing, broken or no part of an image that ecgvec has drawn."""
    page = load(folder / name, name=name)
    stem = name.removesuffix(".json")
    pixels, content = decode_image(page.image_path, page.size, stem + page.image_path.suffix)
    return Entry(stem, page, pixels, content)


def picture(entry: Entry, lossless: bool) -> tuple[str, bytes]:
    """The media type and the bytes of the picture: a JPEG of quality 85, or the file as it is."""
    return (entry.media_type, entry.content) if lossless else ("image/jpeg", jpeg(entry.pixels, QUALITY))


def small(entry: Entry) -> tuple[bytes, int, int]:
    """The thumbnail as JPEG, its width and its height."""
    image = thumbnail(entry.pixels, THUMBNAIL)
    return jpeg(image, SMALL_QUALITY), image.shape[1], image.shape[0]


def as_base64(content: bytes) -> str:
    """Bytes as base64, whose letters have no meaning in HTML."""
    return base64.b64encode(content).decode("ascii")


def labels(entry: Entry) -> bytes:
    """Labels and samples, deflated: the length of a JSON (4 bytes, little-endian), the JSON, then for each trace the
    columns t, mv, x, y as ``planes`` and a byte a sample that says what it is."""
    page = entry.page
    packed = [_trace(trace) for trace in page.labels.traces]
    head = {
        "width": page.size[0],
        "height": page.size[1],
        "counts": counts(page.labels),
        "layers": [_layer(drawn) for drawn in draw(label_page(page))],
        "sayings": sayings(page.labels),
        "traces": [about for about, _ in packed],
    }
    text = json.dumps(head, separators=(",", ":"), sort_keys=True).encode()
    return zlib.compress(b"".join([struct.pack("<I", len(text)), text, *(content for _, content in packed)]), 6)


def _trace(trace: TraceLabel) -> tuple[dict[str, Any], bytes]:
    """What is said of a trace, and its columns."""
    t0 = float(trace.t[0]) if len(trace.t) else 0.0
    columns = (trace.t - t0, trace.mv, trace.points[:, 0], trace.points[:, 1])
    steps = [_step(column, least) for column, least in zip(columns, (T_STEP, MV_STEP, XY_STEP, XY_STEP), strict=True)]
    state = np.where(trace.visible, VISIBLE, np.where(trace.occluded, OCCLUDED_SAMPLE, HIDDEN)).astype(np.uint8)
    state[~np.isfinite(trace.mv) | ~np.isfinite(trace.points).all(axis=1)] = GAP
    about = {
        "lead": trace.lead,
        "color": lead_color(trace.lead),
        "inverted": trace.polarity < 0,
        "rhythm": trace.rhythm,
        "samples": len(state),
        "t0": t0,
        "steps": steps,
    }
    content = b"".join(planes(_counted(column, step)) for column, step in zip(columns, steps, strict=True))
    return about, content + state.tobytes()


def _step(column: Float64Array, least: float) -> float:
    """``least``, or more where the column's numbers would not fit otherwise."""
    largest = float(np.max(np.abs(column), initial=0.0, where=np.isfinite(column)))
    return max(least, largest / _LARGEST)


def _counted(column: Float64Array, step: float) -> Int64Array:
    """The column in steps; in gaps the number before, which costs nothing."""
    known = np.isfinite(column)
    before = np.maximum.accumulate(np.where(known, np.arange(len(column)), 0))
    return np.round(np.where(known, column, 0.0)[before] / step).astype(np.int64)


def planes(numbers: Int64Array) -> bytes:
    """Differences as unsigned 32-bit numbers (0, -1, 1, -2, ... become 0, 1, 2, 3, ...), all lowest bytes first, then
    all next ones: what changes slowly becomes long runs of zeros."""
    steps = np.diff(numbers, prepend=0)
    unsigned = ((steps << 1) ^ (steps >> 63)).astype("<u4")
    return unsigned.view(np.uint8).reshape(-1, 4).T.tobytes()


def _layer(drawn: Drawn) -> dict[str, Any]:
    return {
        "id": drawn.layer.id,
        "paths": [{**pen_attributes(pen), "d": path.svg_d(_DECIMALS)} for pen, path in drawn.paths],
        "tags": [{"text": t.text, "box": [round(v, 1) for v in t.box], "color": t.color} for t in drawn.tags],
    }


def pen_attributes(pen: Pen) -> dict[str, str]:
    """A pen as attributes of an SVG path."""
    found = {"fill": pen.fill or "none"}
    if pen.fill is not None:
        found["fill-opacity"] = f"{pen.opacity:g}"
    if pen.stroke is not None:
        found |= {"stroke": pen.stroke, "stroke-width": f"{pen.width:.3g}", "stroke-opacity": f"{pen.opacity:g}"}
        found |= {"stroke-linecap": pen.cap, "stroke-linejoin": pen.join}
    if pen.dash:
        found["stroke-dasharray"] = " ".join(f"{length:g}" for length in pen.dash)
    return found


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


def _of(layer: Layer, image: Labelled, tags: Tags) -> Iterator[Shape]:
    """The layer's marks. Notes and their characters are layers apart from printed texts."""
    if layer.source == "texts":
        written = layer.id != "texts"
        texts = tuple(label for label in image.labels.texts if (label.role == "note") == written)
        image = replace(image, labels=replace(image.labels, texts=texts))
    marks = layers.LAYERS.get(layer.source).draw(image, tags)
    if layer.id in ("notes", "characters"):
        return (mark for mark in marks if (mark.role == "character") == (layer.id == "characters"))
    return marks


def _by_pen(marks: Iterable[Shape]) -> Iterator[tuple[Pen, Path]]:
    """The paths of all marks but the tags, those of one pen joined: a page shows few long paths sooner than many."""
    paths: dict[Pen, list[Path]] = {}
    for mark in marks:
        if mark.role not in ("tag", "backing"):
            paths.setdefault(mark.pen, []).append(mark.path)
    return ((pen, join(same)) for pen, same in paths.items())


def _tags(marks: Sequence[Shape]) -> Iterator[Tag]:
    """Tags: a backing and, right after it, its letters."""
    for backing, letters in pairwise(marks):
        if backing.role == "backing" and letters.role == "tag":
            yield Tag(letters.data["text"], backing.path.bounds(), str(letters.pen.fill))


def counts(labels: Labels) -> dict[str, int]:
    """How many labels each layer holds."""
    notes = [text for text in labels.texts if text.role == "note"]
    names = [text for text in labels.texts if text.role == "lead-name"]
    traces = len(labels.traces)
    return {
        "page": 1,
        "grid": sum(grid.visible.size for grid in (labels.grid, labels.minor) if grid is not None),
        TRACES: traces,
        "boxes": traces,
        "panels": traces,
        "names": len(names),
        "texts": len(labels.texts) - len(names) - len(notes),
        "notes": len(notes),
        "characters": sum(len(note.characters) for note in notes),
        "pulses": len(labels.pulses),
        "marks": len(labels.marks),
        "beats": len(labels.beats),
        "qr": int(labels.qr is not None),
    }


def sayings(labels: Labels) -> list[dict[str, Any]]:
    """What the page says of a label that is pointed at: ``ring`` around it in image px, ``what`` it is, its ``text``
    and whether it can be seen (``state``)."""
    found = [_said(text.hull, _role(text), text.text, text) for text in labels.texts]
    found += [_said(mark.ring, mark.kind, mark.text, mark) for mark in labels.marks]
    found += [_said(p.corners, "calibration pulse", f"{p.mv:g} mV, {p.seconds:g} s", p) for p in labels.pulses]
    if labels.qr is not None:
        found.append(_said(labels.qr.quad, "QR code", labels.qr.text, labels.qr))
    return found


def _role(label: TextLabel) -> str:
    return (label.kind or label.role).replace("-", " ")


def _said(ring: Points, what: str, text: str, label: TextLabel | MarkLabel | PulseLabel | QrLabel) -> dict[str, Any]:
    state = "" if label.visible else "not visible"
    if label.visible and label.occluded >= 0.005:
        state = f"{label.occluded:.0%} occluded"
    return {"ring": [[round(x, 1), round(y, 1)] for x, y in ring.tolist()], "what": what, "text": text, "state": state}
