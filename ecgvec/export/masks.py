"""Pixels with a class: masks beside each image, and nnU-Net's raw data set."""

from __future__ import annotations

import hashlib
import json
import math
import struct
import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from shapely import GeometryCollection, LineString
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import AnyArray, BoolArray, Points, Uint8Array, Uint16Array
from ecgvec.components import rgb
from ecgvec.export.formats import FORMATS, Files, Format, Streams
from ecgvec.export.images import encode_png, npy
from ecgvec.geometry.path import CLOSE, MOVE, Path, dash_line, dense_ring, lines, polyline
from ecgvec.graphics.shapes import Shape, TextInfo
from ecgvec.layout.place import TraceInfo
from ecgvec.record.leads import STANDARD_12
from ecgvec.rendering.labels.derive import as_path, corners, trace_ink
from ecgvec.rendering.labels.model import TraceLabel
from ecgvec.sheet import Sheet
from ecgvec.warp.base import Warp, local_scale

BITS = 16  # leads in one PNG
THINNEST_PX = 1.0  # lines are filled at least so wide
PIECE_MM = 1.0  # longest straight piece of a stroke's outline that goes through the warp
CURVE_MM = 0.002  # by which straight pieces may stray from a curve


@dataclass(frozen=True)
class MaskClass:
    """One class of ``STEM-classes.png``: its name, its colour in the palette, the roles of the marks that are painted
    in it, and what of them."""

    name: str
    color: str
    roles: tuple[str, ...]
    meaning: str


CLASSES = (
    MaskClass("background", "#FFFFFF", ("qr-back",), "paper, grid, and all that no other class names"),
    MaskClass("trace", "#000000", ("trace",), "the ink of all traces"),
    MaskClass("lead-name", "#1F77B4", ("lead-name",), "the letters of the lead names"),
    MaskClass("text", "#2CA02C", ("header-text", "footer-text"), "the letters of header and footer"),
    MaskClass("pulse", "#D62728", ("pulse",), "the line of the calibration pulses"),
    MaskClass("separator", "#FF7F0E", ("separator",), "the bars, or the dashes, between the columns"),
    MaskClass("qr-code", "#9467BD", ("qr-code",), "the whole square of the QR code's modules, dark and light"),
    MaskClass("note", "#8C564B", ("note",), "the ink of handwritten notes"),
)
CLASS_OF_ROLE = {role: i for i, kind in enumerate(CLASSES) for role in kind.roles}


@dataclass(frozen=True, eq=False)
class Patch:
    """A shape's pixels: ``inside`` (height, width) bool, its top-left pixel being column ``x`` and row ``y`` of the
    image."""

    x: int
    y: int
    inside: BoolArray

    def of(self, plane: AnyArray) -> AnyArray:
        """The part of ``plane`` (H, W), one value a pixel of the image, that the patch lies on; a view."""
        height, width = self.inside.shape
        return plane[self.y : self.y + height, self.x : self.x + width]


def _edges(path: Path) -> tuple[Points, Points]:
    """The sides of a closed path's rings, (n, 2) from and (n, 2) to; curves as straight lines."""
    flat = path.flatten()
    starts = np.flatnonzero(flat.codes[flat.codes != CLOSE] == MOVE)
    following = np.arange(1, len(flat.points) + 1)
    following[np.append(starts[1:], len(flat.points)) - 1] = starts  # a ring's last point leads to its first
    return flat.points, flat.points[following]


def fill_polygon(path: Path, size: tuple[int, int], even_odd: bool) -> Patch | None:
    """The pixels of an image of ``size`` (width, height) whose centre lies in the closed ``path`` (image px), by the
    even-odd rule or by the non-zero one, which fonts need: their contours may overlap. None where it lies outside.

    The rows' middles are cut with the path's sides, and windings summed along each row: exact, while cairo without
    antialiasing also fills gaps that are one pixel wide.
    """
    if not len(path.points):
        return None
    x0, y0, x1, y1 = path.bounds()
    left, top = max(0, math.floor(x0)), max(0, math.floor(y0))
    width, height = min(size[0], math.ceil(x1)) - left, min(size[1], math.ceil(y1)) - top
    if width <= 0 or height <= 0:
        return None
    tail, tip = (end - (left + 0.5, top + 0.5) for end in _edges(path))  # pixel centres at whole numbers
    first, stop = np.clip(np.ceil(np.sort([tail[:, 1], tip[:, 1]], axis=0)), 0, height).astype(np.intp)
    side = np.repeat(np.arange(len(tail)), stop - first)
    row = np.arange(len(side)) - np.repeat(np.cumsum(stop - first) - stop, stop - first)
    a, b = tail[side], tip[side]
    x = a[:, 0] + (row - a[:, 1]) * (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1])
    at = row * (width + 1) + np.clip(np.ceil(x), 0, width).astype(np.intp)
    turns = np.zeros((height, width + 1), dtype=np.int16)
    np.add.at(turns.ravel(), at, np.where(a[:, 1] < b[:, 1], 1, -1).astype(np.int16))
    winding = np.cumsum(turns, axis=1, dtype=np.int16)[:, :width]
    return Patch(left, top, (winding & 1 if even_odd else winding) != 0)


def _width(mark: Shape, places: Points, warp: Warp) -> float:
    """The width in mm in which a line is filled: the pen's, or one pixel where that is wider. ``places`` (n, 2): page
    points between which the line runs."""
    scale = float(local_scale(warp, places).min())
    return max(mark.pen.width, THINNEST_PX / scale)


def stroke_ink(mark: Shape, width: float) -> BaseGeometry:
    """What a pen of ``width`` mm leaves along the open lines of a mark, dashes and caps as its own pen has them: a
    polygon on the page, in mm, with no side longer than ``PIECE_MM``."""
    drawn = lines(mark.path, CURVE_MM)
    pieces = [LineString(piece) for line in drawn for piece in dash_line(line, mark.pen.dash)]
    ink: BaseGeometry = shapely.buffer(
        GeometryCollection(pieces),
        width / 2,
        cap_style="round" if mark.pen.cap == "round" else "flat",
        join_style="round" if mark.pen.join == "round" else "mitre",
    )
    return shapely.segmentize(ink, PIECE_MM)


def _patch(mark: Shape, trace: TraceLabel | None, warp: Warp) -> Patch | None:
    """The pixels of one mark: the letters of a text, the square of a QR code, the ink of a line."""
    if isinstance(mark.info, TextInfo):
        return fill_polygon(mark.info.outline.transform(warp.forward), warp.size, even_odd=False)
    if mark.role in ("qr-code", "qr-back"):
        ring = dense_ring(corners(mark.path.bounds()))
        return fill_polygon(polyline(warp.forward(ring), closed=True), warp.size, even_odd=True)
    if mark.pen.stroke is None:
        return fill_polygon(mark.path.transform(warp.forward), warp.size, even_odd=False)
    if isinstance(mark.info, TraceInfo) and trace is not None:
        ink = trace_ink(trace, warp, _width(mark, dense_ring(corners(mark.info.panel.box), 4), warp))
    else:
        ink = shapely.transform(stroke_ink(mark, _width(mark, mark.path.points, warp)), warp.forward)
    return fill_polygon(as_path(ink), warp.size, even_odd=True)


def ink_patches(sheet: Sheet, roles: Collection[str]) -> Iterator[tuple[Shape, Patch]]:
    """Each mark of these roles with its pixels, in the order of painting; marks outside the image are left out."""
    traces = {trace.id: trace for trace in sheet.labels.traces}
    for mark in sheet.scene.shapes():
        patch = _patch(mark, traces.get(mark.id), sheet.warp) if mark.role in roles else None
        if patch is not None:
            yield mark, patch


def lead_bits(sheet: Sheet) -> tuple[str, ...]:
    """The lead of each bit: the standard 12, then the page's other leads in the order of its traces."""
    drawn = (trace.lead for trace in sheet.labels.traces)
    return tuple(dict.fromkeys([*STANDARD_12, *drawn]))


def mask_arrays(sheet: Sheet) -> tuple[Uint8Array, Uint16Array, Uint8Array]:
    """Classes (H, W), lead bits (planes, H, W), 16 leads a plane, and rows (rows, H, W), 0 or 1."""
    width, height = sheet.warp.size
    bits = {lead: i for i, lead in enumerate(lead_bits(sheet))}
    classes = np.zeros((height, width), dtype=np.uint8)
    leads = np.zeros((-(-len(bits) // BITS), height, width), dtype=np.uint16)
    rows = np.zeros((1 + max(panel.row for panel in sheet.layout.panels), height, width), dtype=np.uint8)
    for mark, patch in ink_patches(sheet, CLASS_OF_ROLE):
        patch.of(classes)[patch.inside] = CLASS_OF_ROLE[mark.role]
        if isinstance(mark.info, TraceInfo):
            plane, bit = divmod(bits[mark.info.panel.lead], BITS)
            patch.of(leads[plane])[patch.inside] |= np.uint16(1 << bit)
            patch.of(rows[mark.info.panel.row])[patch.inside] = 1
    return classes, leads, rows


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def mask_png(values: Uint8Array | Uint16Array, palette: Uint8Array | None = None) -> bytes:
    """``values`` (H, W) as a PNG: greyscale of 8 or 16 bits, or, with ``palette`` (n, 3) RGB, indices into it.

    Neither OpenCV writes palettes, nor as fast: masks are long runs, for which zlib's run-length strategy is made.
    Source: PNG specification, third edition (W3C), sections 11.2.1 IHDR, 11.2.2 PLTE and 9.2 filter type 0.
    """
    height, width = values.shape
    depth = values.dtype.itemsize
    lines = np.zeros((height, 1 + width * depth), dtype=np.uint8)  # each begins with its filter: 0, none
    lines[:, 1:].view(f">u{depth}")[:] = values  # the high byte first
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    data = packer.compress(lines.data) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8 * depth, 0 if palette is None else 3, 0, 0, 0)
    colors = b"" if palette is None else _chunk(b"PLTE", np.ascontiguousarray(palette, dtype=np.uint8).tobytes())
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + colors + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _files(sheet: Sheet, stem: str) -> Files:
    classes, leads, rows = mask_arrays(sheet)
    palette = np.array([rgb(kind.color) for kind in CLASSES], dtype=np.uint8)
    files = {f"masks/{stem}-classes.png": mask_png(classes, palette), f"masks/{stem}-rows.npy": npy(rows)}
    for i, plane in enumerate(leads):
        files[f"masks/{stem}-leads{f'-{i + 1}' if i else ''}.png"] = mask_png(plane)
    return files


def other_leads(sheet: Sheet, stem: str) -> tuple[str, list[str]] | None:
    """The image and its leads beyond the standard 12, bit 12 first; None where it has none."""
    others = list(lead_bits(sheet)[len(STANDARD_12) :])
    return (stem, others) if others else None


def classes_file(parts: Iterable[tuple[str, list[str]] | None]) -> Streams:
    """``masks/classes.json``: classes by number, leads by bit, and the further leads of those images that have any."""
    kinds = [
        {"id": i, "name": kind.name, "color": kind.color, "meaning": kind.meaning} for i, kind in enumerate(CLASSES)
    ]
    others = {
        stem: {str(len(STANDARD_12) + i): lead for i, lead in enumerate(leads)} for stem, leads in filter(None, parts)
    }
    document = {
        "format": "ecgvec-masks",
        "format_version": 1,
        "classes": kinds,
        "lead_bits": {str(i): lead for i, lead in enumerate(STANDARD_12)},
        "lead_bits_per_file": BITS,
        "other_lead_bits": others,
    }
    return {"masks/classes.json": [(json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()]}


FORMATS.add(
    "masks",
    Format("classes, leads and rows of each pixel: palette PNG, 16-bit PNG, .npy", _files, other_leads, classes_file),
)


OTHER = "other"  # every lead without a standard name
# The place is the label, in every dataset the same; dataset.json names them as far as the run uses them.
LABELS = (
    "background",
    *STANDARD_12,
    OTHER,
    *("V7", "V8", "V9", "V3R", "V4R", "V5R", "V6R", "X", "Y", "Z"),
)
LONGEST_CASE = 200  # bytes; file names end at 255
_ENDING = ".png"


def case_name(stem: str) -> str:
    """nnU-Net's case identifier of an image: its path below the output folder with ``__`` for ``/``.

    Where two paths could so become one identifier (a name holds ``__``, or begins or ends with ``_``), or where it
    would be too long for a file system, it is the path's last part and 16 hexadecimal digits of the path's BLAKE2b.
    """
    parts, case = stem.split("/"), stem.replace("/", "__")
    if len(case.encode()) <= LONGEST_CASE and not any("__" in f"_{part}_" for part in parts):
        return case
    return f"{parts[-1]}-{hashlib.blake2b(stem.encode(), digest_size=8).hexdigest()}"


def label_of(lead: str) -> int:
    """The label of a lead."""
    return LABELS.index(lead if lead in LABELS[1:] else OTHER)


def label_image(sheet: Sheet) -> Uint8Array:
    """The label of each pixel, (H, W)."""
    width, height = sheet.warp.size
    labels = np.zeros((height, width), dtype=np.uint8)
    for mark, patch in ink_patches(sheet, ("trace", "qr-back")):
        # A mark without a trace is the white ground of a QR code, which hides what lies below it.
        label = label_of(mark.info.panel.lead) if isinstance(mark.info, TraceInfo) else 0
        patch.of(labels)[patch.inside] = label
    return labels


def _nnunet_files(sheet: Sheet, stem: str) -> Files:
    case = case_name(stem)
    return {
        f"nnunet/imagesTr/{case}_0000{_ENDING}": encode_png(sheet.image, sheet.plan.page.style.dpi),
        f"nnunet/labelsTr/{case}{_ENDING}": mask_png(label_image(sheet)),
    }


def highest_label(sheet: Sheet, stem: str) -> int:
    """The highest label that the image may hold."""
    return max((label_of(trace.lead) for trace in sheet.labels.traces), default=0)


def dataset_file(parts: Iterable[int]) -> Streams:
    """``nnunet/dataset.json``: the standard 12 leads, and as many further labels as the run needs."""
    images, highest = 0, len(STANDARD_12)
    for part in parts:
        images, highest = images + 1, max(highest, part)
    document = {
        "channel_names": {"0": "R", "1": "G", "2": "B"},
        "labels": {name: i for i, name in enumerate(LABELS[: 1 + highest])},
        "numTraining": images,
        "file_ending": _ENDING,
        "overwrite_image_reader_writer": "NaturalImage2DIO",
        "name": "ecgvec",
        "description": "ECGs on paper; labels are the ink of leads; where two cross, the later one has the pixel",
    }
    return {"nnunet/dataset.json": [(json.dumps(document, indent=1) + "\n").encode()]}


FORMATS.add(
    "nnunet", Format("a raw dataset of nnU-Net v2, one label a lead", _nnunet_files, highest_label, dataset_file)
)
