"""What a reader cannot see for want of contrast: the layers that effects paint, and where too little is left of ink."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import BoolArray, Float32Array, Float64Array, Image, Points, Uint8Array
from ecgvec.effects.base import Effect, EffectContext, OnPaper
from ecgvec.effects.color import Dye, apply_dye, dye_levels, dye_tables
from ecgvec.effects.texture import Patch
from ecgvec.effects.tones import bands
from ecgvec.geometry.units import MM_PER_INCH, pixel_size
from ecgvec.warp.parts import Bend, Paper

LOST = 0.15  # share of the contrast of ink to paper below which ink is not told from what lies on it
SMALLEST_MM2 = 0.08  # specks below that hide no line
SIMPLIFIED_MM = 0.1
FURTHEST_PX = 1e5  # further than any two places of a page are apart
FINER = 3  # rows and columns that a pixel is divided in for its share of a polygon


def low_contrast_region(effects: Sequence[Effect], view: EffectContext) -> BaseGeometry:
    """Where ``effects`` together leave less than LOST of the contrast of ink to paper, in page mm.

    It is measured on what they paint one after another at the page's own resolution, once over bare paper and once over
    nothing but ink, in the channel in which the ink is told best: a red drop does not hide black ink, which is seen
    through it in red light.
    """
    over = [(effect, effect.min_contrast()) for effect in effects if isinstance(effect, OnPaper)]
    covering = [effect for effect, left in over if left < 1]
    if math.prod(left for _, left in over) >= LOST:
        return Polygon()
    scale, paper = view.scale, view.paper
    width, height = pixel_size(paper.width, paper.height, scale * MM_PER_INCH)
    bare, inked = np.full((height, width, 3), 255, dtype=np.uint8), np.zeros((height, width, 3), dtype=np.uint8)
    for effect in covering:
        bare, inked = (_with(effect, page, view) for page in (bare, inked))
    most, lost = math.ceil(LOST * 255) - 1, np.empty((height, width), dtype=np.uint8)
    for rows in bands(height):
        cv2.inRange(cv2.subtract(bare[rows], inked[rows]), (0, 0, 0), (most, most, most), dst=lost[rows])
    return polygonize(lost > 0, scale)


def _with(effect: OnPaper, page: Image, view: EffectContext) -> Image:
    """What an effect makes of a page, which may be changed itself."""
    if isinstance(effect, Covering):
        lay_effect((page.shape[0], page.shape[1]), effect, view.scale, view.paper).on(page)
        return page
    return effect.apply(page, view.scale, view.paper, view.composed.bends)


def polygonize(mask: BoolArray, scale: float) -> BaseGeometry:
    """The pixels (H, W) of a ``mask`` at ``scale`` px/mm as polygons in mm, simplified, without specks."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    part = mask[y : y + height, x : x + width]  # little of a page
    if not part.size:
        return Polygon()
    _, marked, stats, _ = cv2.connectedComponentsWithStats(part.view(np.uint8).copy(), connectivity=4)
    large = stats[:, cv2.CC_STAT_AREA] >= SMALLEST_MM2 * scale**2
    large[0] = False
    contours, order = cv2.findContours(large[marked].astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    outer: list[Points] = []
    inner: list[Points] = []
    for contour, (_, _, _, parent) in zip(contours, order[0] if contours else (), strict=True):
        line = (contour.reshape(-1, 2) + (x, y) + 0.5) / scale
        (outer if parent < 0 else inner).append(np.vstack([line, *[line[:1]] * 3]))  # a ring even of one pixel
    # All contours run through the middles of the mask's own outermost pixels, half a pixel inside of its edge.
    whole, holes = (
        shapely.union_all([shapely.make_valid(Polygon(ring)) for ring in rings]) for rings in (outer, inner)
    )
    wide = shapely.buffer(shapely.difference(whole, holes), 0.5 / scale, join_style="mitre", mitre_limit=1.5)
    return shapely.simplify(wide, SIMPLIFIED_MM)


def rasterize_coverage(shape: BaseGeometry, patch: Patch, scale: float) -> Float32Array:
    """The share (h, w) of each of a patch's pixels that lies within polygons, which are in page mm."""
    height, width = len(patch.y), len(patch.x)
    fine = np.zeros((height * FINER, width * FINER), dtype=np.uint8)
    corner = np.array([patch.columns.start, patch.rows.start])
    rings: list[Points] = []
    for part in shapely.get_parts(shape):
        if isinstance(part, Polygon) and not part.is_empty:
            rings += [shapely.get_coordinates(ring) for ring in (part.exterior, *part.interiors)]
    if not rings:
        return np.zeros((height, width), dtype=np.float32)
    places = [np.rint(((ring * scale - corner) * FINER - 0.5) * 16).astype(np.int32) for ring in rings]
    cv2.fillPoly(fine, places, 1, cv2.LINE_8, 4)
    total = np.zeros((height, width), dtype=np.uint8)
    for i, j in np.ndindex(FINER, FINER):
        total += fine[i::FINER, j::FINER]
    return np.asarray(total * np.float32(1 / FINER**2))


def distance_to_mask(share: Float32Array, scale: float) -> Float32Array:
    """How far (h, w) in mm each pixel is from those that ``share`` (h, w) fills more than half; 0 within them."""
    away: Any = cv2.distanceTransform((share <= 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    # Where nothing is filled OpenCV gives the largest float, whose square is none.
    return np.asarray(np.clip(away - np.float32(0.5), 0, FURTHEST_PX) * np.float32(1 / scale))


@dataclass(frozen=True, eq=False)
class Dyed:
    """A dye's density ``levels`` (h, w) on a patch, and its ``tables`` (3, 256)."""

    patch: Patch
    levels: Uint8Array
    tables: Uint8Array

    def on(self, page: Image) -> None:
        """Dyes the page (H, W, 3), in place."""
        seen = page[self.patch.rows, self.patch.columns]
        for rows in bands(len(seen)):
            apply_dye(seen[rows], self.levels[rows], self.tables)


@dataclass(frozen=True, eq=False)
class Painted:
    """Paint on those n pixels of a patch that are ``where`` (h, w): its ``share`` (n, 1), and its ``color`` (n, 3) or
    (1, 3) in sRGB."""

    patch: Patch
    where: BoolArray
    share: Float32Array
    color: Float32Array

    def on(self, page: Image) -> None:
        """Mixes the paint into the page (H, W, 3), in place."""
        seen = page[self.patch.rows, self.patch.columns]
        old = seen[self.where].astype(np.float32)
        new = old + self.share * (self.color - old) + np.float32(0.5)
        seen[self.where] = np.clip(new, 0, 255).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Shaded:
    """Shade on a patch: of the sRGB there ``levels`` (h, w) of 255 are left."""

    patch: Patch
    levels: Uint8Array

    def on(self, page: Image) -> None:
        """Shades the page (H, W, 3), in place."""
        seen = page[self.patch.rows, self.patch.columns]
        seen[:] = cv2.multiply(seen, cv2.merge([self.levels] * 3), scale=1 / 255)


@dataclass(eq=False)
class Layers:
    """Layers for a page of that ``shape`` (H, W), the first one lowest."""

    shape: tuple[int, int]
    found: list[Dyed | Painted | Shaded] = field(default_factory=list)

    def dye(self, patch: Patch, density: Float32Array, absorbs: Dye) -> None:
        """Dyes a patch of the page to a ``density`` (h, w) of 0 to 1, by Lambert and Beer's law: what is under a dye is
        seen through it."""
        self.dye_by(patch, lambda rows: density[rows], absorbs)

    def dye_by(self, patch: Patch, density: Callable[[slice], Float32Array], absorbs: Dye) -> None:
        """The same, with ``density`` of some of the patch's rows at a time."""
        levels = np.empty((len(patch.y), len(patch.x)), dtype=np.uint8)
        for rows in bands(len(levels)):
            levels[rows] = dye_levels(density(rows))
        self.found.append(Dyed(patch, levels, dye_tables(absorbs)))

    def paint(self, patch: Patch, share: Float32Array | Float64Array, color: Float32Array | Float64Array) -> None:
        """Mixes ``color`` (h, w, 3) or (3,), sRGB 0 to 255, into a patch of the page: ``share`` (h, w) of it."""
        where = share > 0
        new = color[where] if color.ndim == 3 else color[None]
        self.found.append(Painted(patch, where, share[where][:, None].astype(np.float32), new.astype(np.float32)))

    def shade(self, patch: Patch, gain: Float32Array | Float64Array) -> None:
        """Multiplies the sRGB of a patch of the page by ``gain`` (h, w), 0 to 1."""
        self.found.append(Shaded(patch, np.rint(np.clip(gain, 0, 1) * 255).astype(np.uint8)))

    def on(self, page: Image) -> None:
        """Lays all of them on the page (H, W, 3), in place."""
        for layer in self.found:
            layer.on(page)


class Covering(OnPaper):
    """An effect that lays something on the page, whatever is printed there."""

    @abstractmethod
    def lay(self, layers: Layers, scale: float, paper: Paper) -> None:
        """Adds its layers to those for a page at ``scale`` px/mm."""

    def apply(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3) with its layers; the very same array where it has none."""
        layers = lay_effect((page.shape[0], page.shape[1]), self, scale, paper)
        if not layers.found:
            return page
        changed = page.copy()
        layers.on(changed)
        return changed


@lru_cache(maxsize=4)  # of a page: they are wanted when it is measured what they hide, and again when it is drawn
def lay_effect(shape: tuple[int, int], effect: Covering, scale: float, paper: Paper) -> Layers:
    """What an effect lays on a page of that ``shape``."""
    layers = Layers(shape)
    effect.lay(layers, scale, paper)
    return layers
