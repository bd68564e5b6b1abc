"""What a page shows without its traces, and how much trace ink each pixel of its image holds."""

from __future__ import annotations

from dataclasses import dataclass

import cairocffi
import cv2
import numpy as np
from numpy.typing import NDArray

from ecgvec.errors import SourceError
from ecgvec.geometry.path import Points, rectangles, with_gaps
from ecgvec.layout.place import Layout
from ecgvec.raster import append_path, draw
from ecgvec.scene.grid import grid, paper
from ecgvec.scene.header import footer, header
from ecgvec.scene.nodes import Group, Mark, Pen, Scene, TextInfo
from ecgvec.scene.pulse import pulses, separators
from ecgvec.scene.qr import qr_code
from ecgvec.scene.text import text_mark
from ecgvec.style import Colors, page_colors, rgb
from ecgvec.verify.page import Image, Page
from ecgvec.warp.base import Flat

Cover = NDArray[np.float32]
_LEAST_REACH = 0.05  # of paper to ink: below it, a pixel cannot tell
Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in whole px, the last ones left out


@dataclass(frozen=True, eq=False)
class Ink:
    """Trace ink of an image: ``cover`` (H, W), 0 for none to 1 for a pixel full of it, and ``weight`` (H, W), 0 to 1:
    how well a pixel can tell (0 under other marks of the ink's colour)."""

    cover: Cover
    weight: Cover

    def crop(self, box: Box) -> Ink:
        """The part inside ``box``."""
        x0, y0, x1, y1 = box
        return Ink(self.cover[y0:y1, x0:x1], self.weight[y0:y1, x0:x1])


def unmix(image: Image, page: Page) -> Ink:
    """Trace ink by pixel: image = empty + cover (full - empty), where ``empty`` is the page drawn without traces and
    ``full`` the page whose traces fill everything, both drawn from plan and labels alone.

    R, G and B are first weighed by how much the ink's colour differs in them from the paper's.
    """
    colors = page_colors(page.plan.page.style)
    contrast = np.array(rgb(colors.ground), dtype=np.float64) - rgb(colors.trace)
    channels = (contrast / max(1.0, float(contrast @ contrast))).reshape(1, 3)  # ink is 1 below paper
    seen, empty, full = (cv2.transform(i.astype(np.float32), channels) for i in (image, *backdrops(page)))
    reach: Cover = full - empty
    cover = np.divide(seen - empty, reach, out=np.zeros_like(reach), where=np.abs(reach) > _LEAST_REACH)
    return Ink(np.clip(cover, -0.5, 1.5), np.square(reach))


def backdrops(page: Page) -> tuple[Image, Image]:
    """The page without traces, and with traces everywhere, (H, W, 3) uint8 each."""
    warp = page.warp
    if not isinstance(warp, Flat):
        raise SourceError(f"{page.path}: verify draws the grid of pages seen straight on alone")
    plan, layout = page.plan, page.layout
    colors = page_colors(plan.page.style)
    under = [paper(layout, colors), grid(layout, plan.page.style, colors)]
    under += [separators(layout, plan.page.style, colors), pulses(layout, plan.page.style, colors)]
    over = [_names(page, colors), header(layout, plan, colors), footer(layout, plan, colors)]
    over += [qr_code(plan.qr_text, layout.qr_box) if plan.qr_text is not None else None]
    empty = draw(_scene(layout, [*under, *over]), warp.dpi, warp.frame)
    full = draw(_scene(layout, [_flood(layout, colors), *over]), warp.dpi, warp.frame)
    return empty, full


def _scene(layout: Layout, groups: list[Group | None]) -> Scene:
    return Scene(layout.width, layout.height, "", tuple(group for group in groups if group is not None))


def _flood(layout: Layout, colors: Colors) -> Group:
    """Trace ink far beyond the paper."""
    box = (-layout.width, -layout.height, 2 * layout.width, 2 * layout.height)
    return Group("flood", "trace", (Mark("flood", "trace", rectangles([box]), Pen(fill=colors.trace)),))


def _names(page: Page, colors: Colors) -> Group:
    """The lead names where their labels say that they are."""
    style, marks = page.plan.page.style, []
    font = (style.names_font, style.names_size, colors.trace)
    for name in page.names:
        probe = text_mark(name.id, name.role, name.text, (0.0, 0.0), font)
        if probe is not None and isinstance(probe.info, TextInfo):
            at = (name.corner[0] - probe.info.ink.x0, name.corner[1] - probe.info.ink.y0)
            mark = text_mark(name.id, name.role, name.text, at, font)
            marks += [mark] if mark is not None else []
    return Group("lead-names", "lead-names", tuple(marks))


def stroke(points: Points, width: float, box: Box, clip: tuple[float, float, float, float] | None = None) -> Cover:
    """What a round pen of ``width`` px leaves along ``points`` (n, 2) px, broken at NaN: 0 to 1 for each pixel of
    ``box``, by cairo, as on the page. ``clip`` x0, y0, x1, y1 in px cuts the ink."""
    x0, y0, x1, y1 = box
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_A8, x1 - x0, y1 - y0)
    context = cairocffi.Context(surface)
    context.translate(-x0, -y0)
    if clip is not None:
        context.rectangle(clip[0], clip[1], clip[2] - clip[0], clip[3] - clip[1])
        context.clip()
    path = with_gaps(points)
    if len(path.codes):
        append_path(context, path)
    context.set_line_width(width)
    context.set_line_cap(cairocffi.LINE_CAP_ROUND)
    context.set_line_join(cairocffi.LINE_JOIN_ROUND)
    context.stroke()
    surface.flush()
    rows = np.frombuffer(surface.get_data(), dtype=np.uint8).reshape(y1 - y0, surface.get_stride())
    cover: Cover = rows[:, : x1 - x0].astype(np.float32) / np.float32(255)
    return cover


def clip_px(page: Page, clip: tuple[float, float, float, float] | None) -> tuple[float, float, float, float] | None:
    """A clip in page mm as px of a flat image."""
    if clip is None:
        return None
    (x0, y0), (x1, y1) = page.warp.forward(np.array([clip[:2], clip[2:]], dtype=np.float64))
    return float(x0), float(y0), float(x1), float(y1)
