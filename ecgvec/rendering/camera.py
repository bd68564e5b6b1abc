"""The picture of a page: the scene drawn, the paper bent and lit, each pixel resampled once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import groupby
from typing import cast

import numpy as np
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Image
from ecgvec.effects.base import (
    Capture,
    Effect,
    EffectContext,
    Light,
    OnPaper,
    Shading,
    Surroundings,
    gain_on_paper,
    veil_on_paper,
)
from ecgvec.effects.glare import saturated_region
from ecgvec.effects.in_light import InLight, apply_in_light
from ecgvec.effects.layers import low_contrast_region
from ecgvec.errors import RecipeError, WarpError
from ecgvec.geometry.units import MM_PER_INCH, pixel_size, px_per_mm
from ecgvec.graphics.raster import LARGEST_PX, cover, draw
from ecgvec.graphics.shapes import Scene
from ecgvec.planning.model import Plan
from ecgvec.rendering.labels.derive import as_path
from ecgvec.warp.apply import Dressing, resample
from ecgvec.warp.base import SRGB_POWER, Flat
from ecgvec.warp.compose import Composed, compose
from ecgvec.warp.lattice import Lattice, lattice_pixels
from ecgvec.warp.parts import Canvas, Paper
from ecgvec.warp.planar import Crop

Painter = Callable[[float, tuple[float, float, float, float] | None], Image]
"""Draws a page at a resolution in dpi: all of it (None), or what lies between x0, y0, x1 and y1 mm."""

SAME_SCALE = (0.8, 1.15)  # image px a page px between which the page is drawn at the image's own resolution


@dataclass(frozen=True, eq=False)
class View:
    """How a page is seen: ``warp``, and what it is composed of where the page is not seen straight on. ``sheet``: what
    is left of the paper, in page mm (None: all of it)."""

    warp: Flat | Lattice
    composed: Composed | None = None
    remaining_paper: Polygon | None = None


def compute_view(plan: Plan, paper: Paper) -> View:
    """How ``plan`` shows a page of that size. WarpError where the sheet cannot be photographed so."""
    style = plan.page.style
    if not plan.warp and all(isinstance(effect, Capture) for effect in plan.effects):
        whole = paper.width + 2 * style.pad, paper.height + 2 * style.pad  # of which a share is cut off each side
        x, y = (style.pad - style.crop * side for side in whole)
        return View(Flat((-x, -y, paper.width + x, paper.height + y), style.dpi))
    parts = [*plan.warp, *([Crop(amount=style.crop)] if style.crop else [])]
    size = pixel_size(paper.width + 2 * style.pad, paper.height + 2 * style.pad, style.dpi)
    composed = compose(paper, Canvas(*size, px_per_mm(style.dpi)), parts, plan.relief_share)
    if max(composed.warp.size) > LARGEST_PX:
        width, height = composed.warp.size
        raise WarpError(
            f"image {plan.stem} would have {width} x {height} px, and {LARGEST_PX} a side is the most: lower --dpi or "
            "warp.resize.factor"
        )
    return View(composed.warp, composed, remaining_paper(paper, plan.effects))


def remaining_paper(paper: Paper, effects: Sequence[Effect]) -> Polygon | None:
    """What ``effects`` leave of the paper: the largest piece, with its holes, in page mm; None for all of it."""
    lost = shapely.union_all([effect.missing(paper) for effect in effects if isinstance(effect, OnPaper)])
    if lost.is_empty:
        return None
    left = shapely.difference(shapely.box(0, 0, paper.width, paper.height), lost)
    pieces = [part for part in shapely.get_parts(left) if isinstance(part, Polygon) and not part.is_empty]
    if not pieces:
        raise RecipeError("nothing of the paper is left: lessen what is torn off or burnt")
    return max(pieces, key=lambda piece: piece.area)


def occluded_region(view: View, effects: Sequence[Effect], dpi: float) -> BaseGeometry:
    """What ``effects`` cover of the paper, each and all together, in page mm. ``dpi``: of the image."""
    if view.composed is None:
        return Polygon()
    context = _context(view, dpi)
    lights = [effect for effect in effects if isinstance(effect, Light)]
    shapes = [effect.occluded_region(context) for effect in effects]
    return shapely.union_all([*shapes, low_contrast_region(effects, context), saturated_region(context, lights)])


def _context(view: View, dpi: float) -> EffectContext:
    assert isinstance(view.warp, Lattice) and view.composed is not None
    return EffectContext(view.composed, view.remaining_paper, px_per_mm(page_dpi(view.warp, dpi)))


def render_pixels(page: Scene | Painter, view: View, dpi: float, effects: Sequence[Effect] = ()) -> Image:
    """The picture of ``page``, (H, W, 3) uint8 sRGB: what ``effects`` do to the paper, then what it lies on and the
    light on both, while a page that is not seen straight on is resampled; then what takes the picture does to it."""
    paint = partial(draw, page) if isinstance(page, Scene) else page
    captures = [effect for effect in effects if isinstance(effect, Capture)]
    if isinstance(view.warp, Flat):
        image, scale = paint(dpi, view.warp.frame), px_per_mm(dpi)
    else:
        image, scale = _seen(paint, view, dpi, effects), view.warp.scale()
        captures = captures[len(_shading(effects)) :]
    for in_light, some in groupby(captures, lambda effect: isinstance(effect, InLight)):
        if in_light:
            image = apply_in_light(image, cast(list[InLight], list(some)), scale)
        else:
            image = reduce(lambda before, effect: effect.capture(before, scale), some, image)
    return image


def _shading(effects: Sequence[Effect]) -> list[Shading]:
    """Those of ``effects`` that take the picture first and do no more than multiply its light."""
    found: list[Shading] = []
    for effect in effects:
        if isinstance(effect, Shading):
            found.append(effect)
        elif isinstance(effect, Capture):
            break
    return found


def _seen(paint: Painter, view: View, dpi: float, effects: Sequence[Effect]) -> Image:
    """A page that is not seen straight on: worn, bent, lit, on its ground."""
    assert isinstance(view.warp, Lattice)
    drawn_dpi = page_dpi(view.warp, dpi)
    page = paint(drawn_dpi, None)
    if not effects:
        return resample(page, px_per_mm(drawn_dpi), view.warp)
    context, dpi = _context(view, dpi), drawn_dpi
    for effect in effects:
        if isinstance(effect, OnPaper):
            page = effect.apply(page, px_per_mm(dpi), view.warp.paper, context.composed.bends)
    lights = tuple(effect for effect in effects if isinstance(effect, Light))
    grounds = [effect for effect in effects if isinstance(effect, Surroundings)]
    if len(grounds) > 1:
        raise RecipeError(f"a page lies on one thing, not on {' and '.join(g.kind for g in grounds)}: keep one of them")
    dressing = Dressing(
        gain_on_paper(context, lights),
        veil_on_paper(context, lights),
        None if view.remaining_paper is None else cover(as_path(view.remaining_paper), page.shape[:2], dpi),
        grounds[0].ground(context, lights) if grounds else None,
        grounds[0].pattern(context) if grounds else None,
    )
    return resample(page, px_per_mm(dpi), view.warp, _shaded(dressing, _shading(effects), view.warp))


def _shaded(dressing: Dressing, shading: Sequence[Shading], warp: Lattice) -> Dressing:
    """The same with the light that ``shading`` leaves of the sheet's and of the ground's."""
    if not shading:
        return dressing
    shape = warp.nodes.shape[:2]
    places = lattice_pixels(warp.size, warp.step)[0].T.reshape(*shape, 2)
    left = np.ones((*shape, 3))
    for effect in shading:
        left *= effect.factor(places, warp.size) ** (1 / SRGB_POWER)
    gain, ground = left if dressing.gain is None else dressing.gain * left, dressing.ground
    if ground is not None:
        ground = replace(ground, gain=ground.gain * left)
    return replace(dressing, gain=gain, ground=ground, shade=left)


def page_dpi(warp: Lattice, dpi: float) -> float:
    """The resolution at which a page is drawn so that the image shows it about pixel by pixel."""
    share = warp.scale() / px_per_mm(dpi)
    if SAME_SCALE[0] <= share <= SAME_SCALE[1]:
        return dpi
    largest = (LARGEST_PX - 1) * MM_PER_INCH / max(warp.paper.width, warp.paper.height)
    return min(round(share, 1) * dpi, largest)
