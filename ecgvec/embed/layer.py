"""A sheet as a layer for compositors that work in pixels: cut out along its paper, with its quad and its labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike

from ecgvec._typing import BoolArray, Float64Array, Points, Uint8Array
from ecgvec.effects.base import Capture, Surroundings
from ecgvec.embed.place import page_labels
from ecgvec.errors import RecipeError, WarpError
from ecgvec.geometry.units import MM_PER_INCH, pixel_size, px_per_mm
from ecgvec.graphics.raster import cover
from ecgvec.rendering.camera import View, compute_view, occluded_region, page_dpi, render_pixels
from ecgvec.rendering.labels.derive import as_path, map_labels
from ecgvec.rendering.labels.model import Labels
from ecgvec.rendering.labels.occlusion import occlude
from ecgvec.sheet import Sheet
from ecgvec.warp.apply import Dressing, resample
from ecgvec.warp.base import Flat, Warp

_HALF = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])  # from a pixel's middle to its corner


@dataclass(frozen=True)
class _Moved:
    """A warp whose image goes through a homography ``matrix`` (3, 3), px to px, into one of ``size``."""

    warp: Warp
    matrix: Float64Array
    size: tuple[int, int]

    def forward(self, points: Points) -> Points:
        return _through(self.matrix, self.warp.forward(points))

    def inverse(self, points: Points) -> Points:
        return self.warp.inverse(_through(np.asarray(np.linalg.inv(self.matrix)), points))


def _through(matrix: Float64Array, points: Points) -> Points:
    x, y, w = (np.column_stack([points, np.ones(len(points))]) @ matrix.T).T
    return np.column_stack([x / w, y / w])


class Layer:
    """A sheet cut out along its paper: what SynthTIGER calls a layer, and SynthDoG's document before its own effects.

    ``image`` (H, W, 4) uint8 RGBA, colours not multiplied by alpha: 255 on the paper, 0 off it and where it is torn
    away, in between along its edges. ``quad`` (4, 2): the corners of the whole paper, ``labels``: all labels, both in
    px of ``image``, (0, 0) being the corner of its first pixel. The sheet is bent, worn and lit as its plan says; what
    it lies on and what takes the picture is left out, for the compositor has its own; nor are functions of the caller's
    own applied. ``dpi``: the nominal resolution (None: the sheet's own). With ``trim`` the image ends at the paper's
    bounds, else where the sheet's own image does.
    """

    def __init__(self, sheet: Sheet, dpi: float | None = None, trim: bool = True) -> None:
        plan, self.dpi = sheet.plan, sheet.plan.page.style.dpi if dpi is None else dpi
        if not 0 < self.dpi < np.inf:
            raise RecipeError(f"dpi is {self.dpi}: give a number above 0")
        style = plan.page.style.model_copy(update={"dpi": self.dpi})
        plan = plan.model_copy(update={"page": plan.page.model_copy(update={"style": style})})
        effects = tuple(e for e in plan.effects if not isinstance(e, Capture | Surroundings))
        view = compute_view(plan, sheet.paper)
        alpha = _alpha(sheet, view, self.dpi)
        pixels = _unmixed(render_pixels(sheet.scene, view, self.dpi, effects), alpha)
        whole = np.dstack([pixels, alpha])
        x0, y0, x1, y1 = _bounds(alpha) if trim else (0, 0, *view.warp.size)
        self.image: Uint8Array = np.ascontiguousarray(whole[y0:y1, x0:x1])
        shift = np.array([[1.0, 0.0, -x0], [0.0, 1.0, -y0], [0.0, 0.0, 1.0]])
        self._warp = _Moved(view.warp, shift, (x1 - x0, y1 - y0))
        self._on_paper = occlude(page_labels(sheet), view.remaining_paper, occluded_region(view, effects, self.dpi))
        self.labels: Labels = map_labels(self._on_paper, self._warp)

    @property
    def quad(self) -> Points:
        """The corners (4, 2) of the whole paper in px, from its own top left clockwise."""
        return self.labels.corners

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in px."""
        return self._warp.size

    def under(self, matrix: ArrayLike, size: tuple[int, int]) -> Labels:
        """The labels where a compositor puts them that draws the layer through a homography ``matrix`` (3, 3), px of
        the layer to px of its own image of ``size`` (width, height): visible where the layer shows them and that image
        holds them. Pixels' corners are whole numbers on both sides; OpenCV counts from their middles, see
        ``for_opencv`` and ``from_opencv``.

        They are sent from the paper at one go. Do not use ``labels.transform`` for it: boxes of traces need the pen's
        width in mm. WarpError for a matrix that is no homography.
        """
        return map_labels(self._seen_by_layer(), _Moved(self._warp, _homography(matrix), size))

    def _seen_by_layer(self) -> Labels:
        """The labels on the paper, with what is outside the layer's image not visible."""
        return self._on_paper.restrict(lambda points: self._holds(self._warp.forward(points)))

    def _holds(self, points: Points) -> BoolArray:
        with np.errstate(invalid="ignore"):
            return np.asarray(((points >= 0) & (points < self.size)).all(axis=1))


def for_opencv(matrix: ArrayLike) -> Float64Array:
    """The matrix (3, 3) that ``cv2.warpPerspective`` and its like need to draw what ``Layer.under(matrix)`` labels:
    they count from the middle of the first pixel, not from its corner."""
    found: Float64Array = np.linalg.inv(_HALF) @ _homography(matrix) @ _HALF
    return found


def from_opencv(matrix: ArrayLike) -> Float64Array:
    """What ``Layer.under`` needs to label what OpenCV drew through ``matrix`` (3, 3): the way back."""
    found: Float64Array = _HALF @ _homography(matrix) @ np.linalg.inv(_HALF)
    return found


def _homography(matrix: ArrayLike) -> Float64Array:
    found = np.asarray(matrix, dtype=np.float64)
    if found.shape != (3, 3) or not np.isfinite(found).all() or np.linalg.det(found) == 0:
        raise WarpError("this matrix is no homography: give 3 x 3 numbers whose determinant is not 0")
    return found


def _alpha(sheet: Sheet, view: View, dpi: float) -> Uint8Array:
    """How much of each pixel the paper covers, (H, W), 0 to 255."""
    if isinstance(view.warp, Flat):
        paper = as_path(shapely.box(0, 0, sheet.paper.width, sheet.paper.height))
        return cover(paper.transform(view.warp.forward), view.warp.size[::-1], MM_PER_INCH)  # 1 px is 1 px
    dpi = page_dpi(view.warp, dpi)
    width, height = pixel_size(sheet.paper.width, sheet.paper.height, dpi)
    left = None if view.remaining_paper is None else cover(as_path(view.remaining_paper), (height, width), dpi)
    black = np.zeros((height, width, 3), dtype=np.uint8)
    # Off the paper it is white: what is missing from white is the paper.
    return np.asarray(255 - resample(black, px_per_mm(dpi), view.warp, Dressing(cover=left))[..., 0])


def _unmixed(pixels: Uint8Array, alpha: Uint8Array) -> Uint8Array:
    """The paper's own colours (H, W, 3), of ``pixels`` that show it over white."""
    part = (alpha > 0) & (alpha < 255)
    found = pixels.copy()
    missing = (255.0 - pixels[part]) * 255.0 / alpha[part][:, None]
    found[part] = np.clip(np.rint(255.0 - missing), 0, 255)
    return found


def _bounds(alpha: Uint8Array) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of the pixels that show paper. WarpError where none does."""
    columns, rows = np.flatnonzero(alpha.any(axis=0)), np.flatnonzero(alpha.any(axis=1))
    if not len(columns):
        raise WarpError("the picture of this sheet shows nothing of its paper: draw it with another seed")
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
