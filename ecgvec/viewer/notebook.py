"""A Sheet as a notebook shows it: its image, and its image with labels in layers."""

from __future__ import annotations

import html

import numpy as np
import shapely

from ecgvec._typing import Uint8Array
from ecgvec.errors import printable
from ecgvec.export.images import encode_png
from ecgvec.geometry.path import CLOSE, CURVE, MOVE, Path
from ecgvec.geometry.units import px_per_mm
from ecgvec.graphics.shapes import Pen
from ecgvec.sheet import Sheet
from ecgvec.viewer.contact_sheet import thumbnail
from ecgvec.viewer.gallery_data import LAYERS, QUALITY, Drawn, Layer, Tag, as_base64, draw, jpeg, pen_attributes
from ecgvec.viewer.tags import Labelled

WIDEST = 1600  # px of a picture in a notebook
USUAL_WIDTH = 1300  # px, beyond which tags grow with the page
_TOLERANCE = 0.1  # px that a line may be simplified by: a notebook keeps all that it shows
_FRAME = (
    "display:inline-block;max-width:100%;padding:8px 10px;border-radius:8px;background:#fff;color:#1d2126;"
    "font:13px/1.6 system-ui,sans-serif"
)


def as_png(sheet: Sheet) -> bytes:
    """The image as PNG, at the most 1600 px wide, that says its resolution."""
    image = _small(sheet)
    return encode_png(image, sheet.plan.page.style.dpi * image.shape[1] / sheet.image.shape[1])


def _small(sheet: Sheet) -> Uint8Array:
    return sheet.image if sheet.image.shape[1] <= WIDEST else thumbnail(sheet.image, WIDEST)


def label_sheet(sheet: Sheet) -> Labelled:
    """The sheet's labels, as layers are drawn from them."""
    height, width = sheet.image.shape[:2]
    style = sheet.plan.page.style
    scale = px_per_mm(style.dpi)
    return Labelled(width, height, scale, style.trace_width * scale, sheet.labels)


def as_html(sheet: Sheet) -> str:
    """The image with its label layers as SVG over it, and a box for each layer that shows or hides it: a fragment that
    needs no script, no other file and no ids, so that many of them can stand on one page."""
    image = label_sheet(sheet)
    layers = draw(image, traces=True)
    boxes = "".join(_switch(drawn.layer) for drawn in layers)
    rules = "".join(
        f".ecgvec-sheet:has(.on-{layer.id}:not(:checked)) .of-{layer.id}{{display:none}}" for layer in LAYERS
    )
    enlarged = max(1.0, image.width / USUAL_WIDTH)
    groups = "".join(_group(drawn, enlarged) for drawn in layers)
    picture = f"data:image/jpeg;base64,{as_base64(jpeg(_small(sheet), QUALITY))}"
    return (
        f'<div class="ecgvec-sheet" style="{_FRAME}"><style>{rules}</style>'
        f"<div><b>{html.escape(printable(sheet.plan.stem))}</b> {html.escape(printable(_about(sheet)))}</div>"
        f"<div>{boxes}</div>"
        f'<svg viewBox="0 0 {image.width} {image.height}" style="display:block;width:{min(image.width, WIDEST)}px;'
        f'max-width:100%;height:auto" role="img" aria-label="The page with its labels">'
        f'<image width="{image.width}" height="{image.height}" preserveAspectRatio="none" href="{picture}"/>'
        f"{groups}</svg></div>"
    )


def _about(sheet: Sheet) -> str:
    plan = sheet.plan
    facts = [plan.recipe, f"seed {plan.seed}", plan.page.template, f"{plan.page.style.dpi:g} dpi"]
    return " · ".join(fact for fact in facts if fact)


def _switch(layer: Layer) -> str:
    checked = " checked" if layer.shown else ""
    return (
        '<label style="display:inline-block;margin-right:14px;white-space:nowrap">'
        f'<input type="checkbox" class="on-{layer.id}"{checked}> {html.escape(layer.title)}</label>'
    )


def _group(drawn: Drawn, enlarged: float) -> str:
    paths = "".join(_path(pen, path) for pen, path in drawn.paths)
    return f'<g class="of-{drawn.layer.id}">{paths}{"".join(_tag(tag, enlarged) for tag in drawn.tags)}</g>'


def _path(pen: Pen, path: Path) -> str:
    attributes = " ".join(f'{key}="{html.escape(value)}"' for key, value in pen_attributes(pen).items())
    return f'<path {attributes} vector-effect="non-scaling-stroke" d="{simplify(path).svg_d((1, 1))}"/>'


def simplify(path: Path) -> Path:
    """Lines with fewer points that stay within 0.1 px; curves and closed paths as they are."""
    if np.isin(path.codes, (CURVE, CLOSE)).any():
        return path
    starts = np.flatnonzero(path.codes == MOVE)
    runs = np.split(path.points, starts[1:])
    kept = [shapely.get_coordinates(shapely.simplify(shapely.LineString(run), _TOLERANCE)) for run in runs]
    codes = [np.r_[path.codes[:1], np.ones(len(run) - 1, dtype=np.uint8)] for run in kept]
    return Path(np.concatenate(codes).astype(np.uint8), np.concatenate(kept))


def _tag(tag: Tag, enlarged: float) -> str:
    """The tag, enlarged from its lower left corner, for notebooks show pages small."""
    x0, y0, x1, y1 = tag.box
    wide, high = enlarged * (x1 - x0), enlarged * (y1 - y0)
    return (
        f'<rect x="{x0:.1f}" y="{y1 - high:.1f}" width="{wide:.1f}" height="{high:.1f}" fill="#fff" fill-opacity=".8"/>'
        f'<text x="{x0 + 0.15 * high:.1f}" y="{y1 - 0.2 * high:.1f}" fill="{tag.color}" font-size="{high / 1.17:.1f}" '
        f'font-family="sans-serif">{html.escape(tag.text)}</text>'
    )
