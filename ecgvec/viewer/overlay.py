"""Labels drawn over their image, to be looked at: a PNG, or an SVG whose layers can be switched on and off."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import cairocffi
import numpy as np

from ecgvec._typing import Image
from ecgvec.components import Registry, rgb
from ecgvec.errors import SourceError
from ecgvec.export.files import write_file
from ecgvec.export.images import encode_png
from ecgvec.export.read import SavedPage, decode_image, find_sidecar, find_sidecars, load
from ecgvec.graphics.raster import append_path
from ecgvec.graphics.shapes import Group, Pen, Shape, printable
from ecgvec.viewer.layers import LAYERS
from ecgvec.viewer.tags import Labelled, Tags, label_page

SUFFIX = "-labels"

# A browser has no list of layers: there, keys switch them.
_KEYS = "123456789abcdefghijklmnopqrstuvwxyz"
_SCRIPT = (
    'addEventListener("keydown", e => { const g = document.getElementsByClassName("layer")[parseInt(e.key, 36) - 1]; '
    'if (g) g.style.display = g.style.display ? "" : "none" })'
)


@dataclass(frozen=True, eq=False)
class Source:
    """An image with its labels: what was written of it, the bytes of its file and its pixels (H, W, 3) RGB."""

    page: SavedPage
    content: bytes
    pixels: Image


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
    sidecars = [find_sidecar(source)] if alone else [source / name for name in find_sidecars(source)]
    for sidecar in sidecars:
        folder = sidecar.parent if out is None else out if alone else out / sidecar.parent.relative_to(source)
        try:
            image = read_source(sidecar)
            content = draw(image, draw_layers(label_page(image.page), names))
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


def read_source(sidecar: Path) -> Source:
    """An image with its labels. SourceError for files that are missing, broken or no part of an image that ecgvec has
    drawn."""
    page = load(sidecar)
    pixels, content = decode_image(page.image_path, page.size)
    return Source(page, content, pixels)


def draw_layers(image: Labelled, names: Sequence[str]) -> list[Group]:
    """The labels as shapes in image pixels, a group a layer."""
    tags = Tags(image)
    return [
        Group(f"layer-{name}", "layer", tuple(LAYERS.get(name).draw(image, tags)), {"layer": name}) for name in names
    ]


def to_svg(image: Source, groups: Sequence[Group]) -> bytes:
    """One document that needs no other file, in image pixels: the picture within it, over it a ``<g>`` a layer."""
    width, height = image.page.size
    keys = ", ".join(f"{key} {group.data['layer']}" for key, group in zip(_KEYS, groups, strict=False))
    media = "image/png" if image.page.image_path.suffix == ".png" else "image/jpeg"
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" id="overlay" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f"<title>{escape(printable(image.page.name))}: labels. Keys switch layers: {keys}</title>",
        f'<image id="image" width="{width}" height="{height}" preserveAspectRatio="none" '
        'style="image-rendering:pixelated" '
        f'xlink:href="data:{media};base64,{base64.b64encode(image.content).decode("ascii")}"/>',
    ]
    for group in groups:
        name = group.data["layer"]
        lines.append(
            f'<g id="{group.id}" class="layer layer-{name}" data-layer="{name}" inkscape:groupmode="layer" '
            f'inkscape:label="{name}">'
        )
        lines += [_element(shape) for shape in group.shapes]
        lines.append("</g>")
    lines += [f"<script>{_SCRIPT}</script>", "</svg>", ""]
    return "\n".join(lines).encode()


def _element(shape: Shape) -> str:
    """A shape as a path. What it is about stands in ``data-*``, and in a title that shows when pointed at."""
    data = {key: printable(value) for key, value in shape.data.items()}
    attributes = {"id": printable(shape.id), "class": shape.role} | _pen_attributes(shape.pen)
    attributes |= {f"data-{key}": value for key, value in data.items()}
    about = shape.role not in ("tag", "backing")
    attributes["pointer-events"] = "all" if about else "none"
    written = " ".join(f"{key}={quoteattr(value)}" for key, value in attributes.items())
    title = f"{shape.role}: " + ", ".join(f"{key} {value}" for key, value in data.items()) if about else ""
    return f'<path {written} d="{shape.path.svg_d()}">{f"<title>{escape(title)}</title>" if about else ""}</path>'


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
    bgrx[:, :, :3] = image.pixels[:, :, ::-1]
    surface.mark_dirty()
    context = cairocffi.Context(surface)
    for group in groups:
        for shape in group.shapes:
            _paint(context, shape)
    surface.flush()
    return encode_png(np.ascontiguousarray(bgrx[:, :, 2::-1]), image.page.dpi)


def _paint(context: Any, shape: Shape) -> None:
    pen = shape.pen
    append_path(context, shape.path)
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
