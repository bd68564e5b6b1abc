"""Labels drawn over their image, to be looked at: a PNG, or an SVG whose layers can be switched on and off."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import cairocffi
import cv2
import numpy as np

from ecgvec._typing import BoolArray, Points, Uint8Array
from ecgvec.components import Registry, rgb
from ecgvec.errors import SourceError, one_line
from ecgvec.export.files import write_file
from ecgvec.export.images import encode_png
from ecgvec.graphics.raster import append_path
from ecgvec.graphics.shapes import Group, Pen, Shape, printable
from ecgvec.viewer.layers import LAYERS
from ecgvec.viewer.tags import Labelled, Tags

SUFFIX = "-labels"
FORMAT_VERSION = 1  # of the JSON
_CURE = "render the image anew with --formats png,json"
# What reading a JSON or an NPZ raises that lacks a part, or has another one in its place.
_BROKEN = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError)
Dense = tuple[Points, BoolArray, BoolArray]  # of a trace's points: places, which are visible, which are occluded
_BROKEN_NPZ = (*_BROKEN, OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError)

# A browser has no list of layers: there, keys switch them.
_KEYS = "123456789abcdefghijklmnopqrstuvwxyz"
_SCRIPT = (
    'addEventListener("keydown", e => { const g = document.getElementsByClassName("layer")[parseInt(e.key, 36) - 1]; '
    'if (g) g.style.display = g.style.display ? "" : "none" })'
)


@dataclass(frozen=True, eq=False)
class Source:
    """An image with its labels: its name, the PNG's bytes and pixels (H, W, 3) BGR, its dpi, and the labels."""

    name: str
    png: bytes
    pixels: Uint8Array
    dpi: float
    labels: Labelled


@dataclass
class Inspected:
    """The overlays that were written, and (JSON, reason) of each image that could not be drawn."""

    written: list[Path] = field(default_factory=list)
    failed: list[tuple[Path, str]] = field(default_factory=list)


def inspect_images(
    source: Path,
    out: Path | None = None,
    layers: Sequence[str] | None = None,
    output: str = "png",
    written: Callable[[Path], None] = lambda path: None,
) -> Inspected:
    """Draw the labels over one image, given by its PNG or JSON, or over all images below a folder.

    The overlays, ``NAME-labels.png`` or ``.svg`` (``output``), come to lie beside the images, or below ``out`` in the
    same folders. A bad image of a folder does not keep the others back; SourceError for one image that is bad, an
    unknown layer or format and a folder without images, ExportError where nothing can be written. ``written`` is called
    with each overlay.
    """
    names, draw = select_layers(layers), FORMATS.get(output)
    result = Inspected()
    alone = not source.is_dir()
    sidecars = [find_sidecar(source)] if alone else find_images(source)
    for sidecar in sidecars:
        folder = sidecar.parent if out is None else out if alone else out / sidecar.parent.relative_to(source)
        try:
            image = read_source(sidecar, any(LAYERS.get(name).dense for name in names))
            content = draw(image, draw_layers(image, names, sidecar))
        except SourceError as error:
            if alone:
                raise
            result.failed.append((sidecar, str(error)))
            continue
        result.written.append(folder / f"{sidecar.stem}{SUFFIX}.{output}")
        write_file(result.written[-1], content)
        written(result.written[-1])
    return result


def select_layers(names: Sequence[str] | None) -> list[str]:
    """These layers in painting order; None for the usual ones, ``all`` for every one. SourceError, with the nearest
    name, for an unknown one."""
    if names is None:
        return [name for name, layer in LAYERS if layer.shown]
    wanted = {name.strip() for name in names} - {""}
    if not wanted:
        raise SourceError(f"no layer is named: choose from {', '.join(LAYERS.names())}, or all")
    for name in sorted(wanted - {"all"}):
        LAYERS.get(name)
    return [name for name in LAYERS.names() if name in wanted or "all" in wanted]


def find_sidecar(path: Path) -> Path:
    """The JSON of an image, given by its PNG or by that JSON; SourceError where there is none."""
    if not path.exists():
        raise SourceError(f"{path} does not exist: give an image, its JSON, or a folder of them")
    if path.suffix == ".json":
        return path
    if path.suffix != ".png":
        raise SourceError(f"{path} is neither a PNG nor a JSON: give an image that ecgvec has drawn, or its JSON")
    sidecar = path.with_suffix(".json")
    if not sidecar.is_file():
        raise SourceError(f"{path} has no labels, for no {sidecar.name} lies beside it: {_CURE}")
    return sidecar


def find_images(folder: Path) -> list[Path]:
    """The JSONs below ``folder`` that lie beside a PNG of the same name, sorted; SourceError where there is none."""
    found = []
    for top, _, files in os.walk(folder):
        names = set(files)
        found += [Path(top) / name for name in files if name.endswith(".json") and f"{name[:-5]}.png" in names]
    if not found:
        raise SourceError(f"no image with a JSON beside it was found in {folder}: {_CURE}")
    return sorted(found)


def read_source(sidecar: Path, dense: bool) -> Source:
    """An image with its labels. Without ``dense`` the NPZ may be missing. SourceError for files that are missing,
    broken or no part of an image that ecgvec has drawn."""
    document = _document(sidecar)
    png = sidecar.with_suffix(".png")
    try:
        content = png.read_bytes()
        pixels = cv2.imdecode(np.frombuffer(content, dtype=np.uint8), cv2.IMREAD_COLOR) if content else None
    except (OSError, cv2.error) as error:
        raise SourceError(f"{png}, the image of {sidecar.name}, cannot be read ({one_line(error)}): {_CURE}") from None
    if pixels is None:
        raise SourceError(f"{png} is not a whole PNG: {_CURE}")
    try:
        image, style = document["image"], document["plan"]["page"]["style"]
        scale = float(image["px_per_mm"])
        if not 0.1 <= scale <= 1000:
            raise ValueError(f"{scale} px/mm")
        size, dpi, ink = (int(image["width"]), int(image["height"])), float(image["dpi"]), style["trace_width"] * scale
        labels = document["labels"]
        traces = [str(label["id"]) for label in labels["traces"]]
        digest = document["files"].get(sidecar.with_suffix(".npz").name)
    except _BROKEN as error:
        raise _not_whole(sidecar, error) from None
    height, width = pixels.shape[:2]
    if size != (width, height):
        raise SourceError(
            f"{png} has {width} x {height} pixels, but its labels are for {size[0]} x {size[1]}: give the image as it "
            "was rendered"
        )
    places = _dense(sidecar.with_suffix(".npz"), traces, digest, dense)
    found = Labelled(width, height, scale, ink, labels, places)
    return Source(sidecar.stem, content, pixels.astype(np.uint8), dpi, found)


def _document(sidecar: Path) -> dict[str, Any]:
    try:
        document = json.loads(sidecar.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{sidecar} cannot be read ({one_line(error)}): give the JSON beside an image") from None
    except _BROKEN as error:
        raise _not_whole(sidecar, error) from None
    if not isinstance(document, dict) or document.get("format") != "ecgvec":
        raise SourceError(f"{sidecar} is not a JSON that ecgvec has written beside an image: give such a file")
    if document.get("format_version") != FORMAT_VERSION:
        raise SourceError(
            f"{sidecar} has the format version {document.get('format_version')}, this program reads {FORMAT_VERSION}: "
            "inspect it with the ecgvec that wrote it"
        )
    return document


def _not_whole(sidecar: Path, error: BaseException) -> SourceError:
    what = f"{type(error).__name__}: {one_line(error)}"
    return SourceError(f"{sidecar} is not a whole sidecar JSON ({what}): render the image anew")


def _dense(path: Path, ids: Sequence[str], digest: str | None, needed: bool) -> dict[str, Dense]:
    """Places, visibility and occlusion of all points of these traces. ``digest``: the SHA-256 that the JSON knows of
    the NPZ."""
    if not path.is_file():
        if not needed:
            return {}
        raise SourceError(
            f"{path} is missing, which holds the traces of the image: {_CURE}, or leave out the layers "
            f"{' and '.join(name for name, layer in LAYERS if layer.dense)} with --layers"
        )
    try:
        content = path.read_bytes()
        if digest is not None and hashlib.sha256(content).hexdigest() != digest:
            raise ValueError("it is not the file that was written with the JSON")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name: _points(arrays, name) for name in ids}
    except _BROKEN_NPZ as error:
        raise SourceError(f"{path} does not hold the traces of its image ({one_line(error)}): {_CURE}") from None


def _points(arrays: Any, name: str) -> Dense:
    xy = np.asarray(arrays[f"{name}/xy"], dtype=np.float64)
    visible, occluded = (np.asarray(arrays[f"{name}/{key}"], dtype=bool) for key in ("visible", "occluded"))
    if xy.ndim != 2 or not xy.shape == (len(visible), 2) == (len(occluded), 2):
        raise ValueError(f"{name} has places of the shape {xy.shape} for {len(visible)} points")
    return xy, visible, occluded


def draw_layers(image: Source, names: Sequence[str], sidecar: Path) -> list[Group]:
    """The labels as marks in image pixels, a group a layer; SourceError where the JSON lacks some of them."""
    try:
        tags = Tags(image.labels)
        return [
            Group(f"layer-{name}", "layer", tuple(LAYERS.get(name).draw(image.labels, tags)), {"layer": name})
            for name in names
        ]
    except _BROKEN as error:
        raise _not_whole(sidecar, error) from None


def to_svg(image: Source, groups: Sequence[Group]) -> bytes:
    """One document that needs no other file, in image pixels: the PNG within it, over it a ``<g>`` a layer."""
    width, height = image.labels.width, image.labels.height
    keys = ", ".join(f"{key} {group.data['layer']}" for key, group in zip(_KEYS, groups, strict=False))
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" id="overlay" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f"<title>{escape(printable(image.name))}: labels. Keys switch layers: {keys}</title>",
        f'<image id="image" width="{width}" height="{height}" preserveAspectRatio="none" '
        'style="image-rendering:pixelated" '
        f'xlink:href="data:image/png;base64,{base64.b64encode(image.png).decode("ascii")}"/>',
    ]
    for group in groups:
        name = group.data["layer"]
        lines.append(
            f'<g id="{group.id}" class="layer layer-{name}" data-layer="{name}" inkscape:groupmode="layer" '
            f'inkscape:label="{name}">'
        )
        lines += [_element(mark) for mark in group.shapes]
        lines.append("</g>")
    lines += [f"<script>{_SCRIPT}</script>", "</svg>", ""]
    return "\n".join(lines).encode()


def _element(mark: Shape) -> str:
    """A mark as a path. What it is about stands in ``data-*``, and in a title that shows when pointed at."""
    data = {key: printable(value) for key, value in mark.data.items()}
    attributes = {"id": printable(mark.id), "class": mark.role} | _pen_attributes(mark.pen)
    attributes |= {f"data-{key}": value for key, value in data.items()}
    about = mark.role not in ("tag", "backing")
    attributes["pointer-events"] = "all" if about else "none"
    written = " ".join(f"{key}={quoteattr(value)}" for key, value in attributes.items())
    title = f"{mark.role}: " + ", ".join(f"{key} {value}" for key, value in data.items()) if about else ""
    return f'<path {written} d="{mark.path.svg_d()}">{f"<title>{escape(title)}</title>" if about else ""}</path>'


def _pen_attributes(pen: Pen) -> dict[str, str]:
    attributes = {"fill": pen.fill or "none"}
    if pen.fill is not None and pen.opacity < 1:
        attributes["fill-opacity"] = f"{pen.opacity:g}"
    if pen.stroke is not None:
        attributes |= {"stroke": pen.stroke, "stroke-width": f"{pen.width:.4g}", "stroke-opacity": f"{pen.opacity:g}"}
        attributes |= {"stroke-linecap": pen.cap, "stroke-linejoin": pen.join}
    if pen.dash:
        attributes["stroke-dasharray"] = ",".join(f"{length:g}" for length in pen.dash)
    return attributes


def to_png(image: Source, groups: Sequence[Group]) -> bytes:
    """The image with the layers painted over it by cairo, at the same places as in the SVG."""
    height, width = image.pixels.shape[:2]
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, width, height)
    rows = np.frombuffer(surface.get_data(), dtype=np.uint8).reshape(height, surface.get_stride())
    bgrx = rows[:, : 4 * width].reshape(height, width, 4)  # cairo's order on little-endian machines
    bgrx[:, :, :3] = image.pixels
    surface.mark_dirty()
    context = cairocffi.Context(surface)
    for group in groups:
        for mark in group.shapes:
            _paint(context, mark)
    surface.flush()
    return encode_png(np.ascontiguousarray(bgrx[:, :, 2::-1]), image.dpi)


def _paint(context: Any, mark: Shape) -> None:
    pen = mark.pen
    append_path(context, mark.path)
    if pen.fill is not None:
        context.set_source_rgba(*(c / 255 for c in rgb(pen.fill)), pen.opacity)
        context.fill_preserve()
    if pen.stroke is not None:
        context.set_line_width(pen.width)
        context.set_line_cap(cairocffi.LINE_CAP_ROUND if pen.cap == "round" else cairocffi.LINE_CAP_BUTT)
        context.set_line_join(cairocffi.LINE_JOIN_ROUND if pen.join == "round" else cairocffi.LINE_JOIN_MITER)
        context.set_dash(pen.dash)
        context.set_source_rgba(*(c / 255 for c in rgb(pen.stroke)), pen.opacity)
        context.stroke_preserve()
    context.new_path()


FORMATS: Registry[Callable[[Source, Sequence[Group]], bytes]] = Registry("format of overlays", SourceError)
FORMATS.add("png", to_png)
FORMATS.add("svg", to_svg)
