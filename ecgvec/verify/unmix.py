"""What a page shows without its traces, and how much trace ink each pixel of its image holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import cairocffi
import cv2
import numpy as np

from ecgvec._typing import Float32Array, Float64Array, Image, Points
from ecgvec.components import rgb
from ecgvec.effects.base import OnPaper
from ecgvec.geometry.path import polyline, rectangles, with_gaps
from ecgvec.graphics.raster import append_path
from ecgvec.graphics.shapes import Group, Pen, Scene, Shape, TextInfo, text_shape
from ecgvec.layout.place import Layout
from ecgvec.layout.style import Colors, page_colors
from ecgvec.rendering.camera import View, render_pixels
from ecgvec.rendering.scene.build import footer, grid, header, paper, pulses, qr_code, separators
from ecgvec.verify.page import Page, shift_page
from ecgvec.warp.base import Flat

OUTSIDE = -1.0  # cover of what an image does not show
_LEAST_REACH = 0.05  # of paper to ink: below it, a pixel cannot tell
_SAME_PEN = 0.02
STRIPE_MM = 20.0
CLIP_POINTS = 200  # a side of a panel on a bent page
Shift = tuple[float, float]  # x, y in px
Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in whole px, the last ones left out


@dataclass(frozen=True, eq=False)
class Ink:
    """Trace ink of an image: ``cover`` (H, W), 0 for none to 1 for a pixel full of it, and ``weight`` (H, W), 0 to 1:
    how well a pixel can tell (0 under other marks of the ink's colour). Of a page made straight again, parts that the
    image did not show are OUTSIDE."""

    cover: Float32Array
    weight: Float32Array

    def crop(self, box: Box) -> Ink:
        """The part inside ``box``."""
        x0, y0, x1, y1 = box
        return Ink(self.cover[y0:y1, x0:x1], self.weight[y0:y1, x0:x1])


def unmix(image: Image, page: Page, shift: Shift = (0.0, 0.0)) -> Ink:
    """Trace ink by pixel: image = empty + cover (full - empty), where ``empty`` is the page drawn without traces and
    ``full`` the page whose traces fill everything, both drawn from plan and labels alone, and bent and lit as the page.

    R, G and B are first weighed by how much the ink's colour differs in them from the paper's. ``shift``: the image
    shows the page so many px further right and down than its JSON says.
    """
    weighed = contrast(page)
    seen, empty, full = (cv2.transform(i.astype(np.float32), weighed) for i in (image, *backdrops(page, shift)))
    reach: Float32Array = full - empty
    cover = np.divide(seen - empty, reach, out=np.zeros_like(reach), where=np.abs(reach) > _LEAST_REACH)
    weight: Float32Array = np.square(reach)
    for ring in page.added:  # somebody drew here; whatever lies beneath is no guide
        cv2.fillPoly(weight, [np.rint(ring - 0.5 + shift).astype(np.int32)], 0)
    return Ink(np.clip(cover, -0.5, 1.5), weight)


def contrast(page: Page) -> Float64Array:
    """Weights (1, 3) of R, G and B that take paper to a value and ink to one less than it."""
    colors = page_colors(page.plan.page.style)
    difference = np.array(rgb(colors.ground), dtype=np.float64) - rgb(colors.trace)
    return (difference / max(1.0, float(difference @ difference))).reshape(1, 3)


def backdrops(page: Page, shift: Shift = (0.0, 0.0)) -> tuple[Image, Image]:
    """The page without traces, and with traces everywhere, (H, W, 3) uint8 each, moved by ``shift`` px: a bent page by
    whole ones."""
    page = shift_page(page, shift)
    warp, style, scenes = page.warp, page.plan.page.style, _scenes(page)
    foreseen = [known for known in (effect.predictable_part() for effect in page.plan.effects) if known is not None]
    view = View(warp) if isinstance(warp, Flat) else page.view
    empty, *inked = (render_pixels(scene, view, style.dpi, foreseen) for scene in scenes)
    full = np.asarray(reduce(np.minimum, inked), dtype=np.uint8)
    if isinstance(warp, Flat):
        return empty, full
    rows, columns = round(shift[1]), round(shift[0])
    return np.roll(empty, (rows, columns), axis=(0, 1)), np.roll(full, (rows, columns), axis=(0, 1))


def _scenes(page: Page) -> tuple[Scene, ...]:
    """The page without traces; and pages whose traces fill together everything: one, or where effects tell ink from
    paper by what most of the page is, two of which each is paper to two fifths."""
    plan, layout = page.plan, page.layout
    colors = page_colors(plan.page.style)
    under = [paper(layout, colors), grid(layout, plan.page.style, colors)]
    under += [separators(layout, plan.page.style, colors), pulses(layout, plan.page.style, colors)]
    over = [_names(page, colors), header(layout, plan, colors), footer(layout, plan, colors)]
    over += [qr_code(plan.qr_text, layout.qr_box) if plan.qr_text is not None else None]
    on_paper = any(isinstance(effect, OnPaper) for effect in plan.effects)
    floods = [_stripes(layout, colors, start) for start in (0.0, 0.5)] if on_paper else [_flood(layout, colors)]
    return _scene(layout, [*under, *over]), *(_scene(layout, [*under, flood, *over]) for flood in floods)


def _scene(layout: Layout, groups: list[Group | None]) -> Scene:
    return Scene(layout.width, layout.height, "", tuple(group for group in groups if group is not None))


def _flood(layout: Layout, colors: Colors) -> Group:
    """Trace ink far beyond the paper."""
    box = (-layout.width, -layout.height, 2 * layout.width, 2 * layout.height)
    return Group("flood", "trace", (Shape("flood", "trace", rectangles([box]), Pen(fill=colors.trace)),))


def _stripes(layout: Layout, colors: Colors, start: float) -> Group:
    """Upright stripes of trace ink, three fifths of each STRIPE_MM, from a share ``start`` of one on."""
    left = np.arange(start - 2, 2 * layout.width / STRIPE_MM) * STRIPE_MM
    boxes = [(x, -layout.height, x + 0.6 * STRIPE_MM, 2 * layout.height) for x in left]
    return Group("flood", "trace", (Shape("flood", "trace", rectangles(boxes), Pen(fill=colors.trace)),))


def _names(page: Page, colors: Colors) -> Group:
    """The lead names where their labels say that they are."""
    style, marks = page.plan.page.style, []
    font = (style.names_font, style.names_size, colors.trace)
    for name in page.names:
        probe = text_shape(name.id, name.role, name.text, (0.0, 0.0), font)
        if probe is not None and isinstance(probe.info, TextInfo):
            at = (name.corner[0] - probe.info.ink.x0, name.corner[1] - probe.info.ink.y0)
            mark = text_shape(name.id, name.role, name.text, at, font)
            marks += [mark] if mark is not None else []
    return Group("lead-names", "lead-names", tuple(marks))


def stroke(points: Points, width: float | Float64Array, box: Box, clip: Points | None = None) -> Float32Array:
    """What a round pen of ``width`` px, one or (n,), leaves along ``points`` (n, 2) px, broken at NaN: 0 to 1 for each
    pixel of ``box``, by cairo, as on the page. The polygon ``clip`` (k, 2) px cuts the ink."""
    x0, y0, x1, y1 = box
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_A8, x1 - x0, y1 - y0)
    context = cairocffi.Context(surface)
    context.translate(-x0, -y0)
    if clip is not None:
        append_path(context, polyline(clip, closed=True))
        context.clip()
    context.set_line_cap(cairocffi.LINE_CAP_ROUND)
    context.set_line_join(cairocffi.LINE_JOIN_ROUND)
    for piece, pen in _pieces(points, width):
        path = with_gaps(piece)
        if len(path.codes):
            append_path(context, path)
            context.set_line_width(pen)
            context.stroke()
    surface.flush()
    rows = np.frombuffer(surface.get_data(), dtype=np.uint8).reshape(y1 - y0, surface.get_stride())
    cover: Float32Array = rows[:, : x1 - x0].astype(np.float32) / np.float32(255)
    return cover


def _pieces(points: Points, width: float | Float64Array) -> list[tuple[Points, float]]:
    """The line in pieces along which the pen's width stays within a share of _SAME_PEN."""
    if isinstance(width, float):
        return [(points, width)]
    steps = np.round(np.log(width) / _SAME_PEN)
    edges = [0, *(np.flatnonzero(np.diff(steps)) + 1).tolist(), len(points)]
    return [(points[a : b + 1], float(np.median(width[a:b]))) for a, b in pairwise(edges)]


def clip_px(page: Page, clip: tuple[float, float, float, float] | None) -> Points | None:
    """A clip in page mm as a polygon (k, 2) in image px."""
    if clip is None:
        return None
    x0, y0, x1, y1 = clip
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]])
    if isinstance(page.warp, Flat):
        return page.warp.forward(corners[:4])
    many = [a + (b - a) * np.linspace(0, 1, CLIP_POINTS, endpoint=False)[:, None] for a, b in pairwise(corners)]
    return page.warp.forward(np.concatenate(many))
