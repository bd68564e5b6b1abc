"""What effects are given, and what kinds there are. An effect never moves pixels and never touches labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import ClassVar

import cv2
import numpy as np
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Float64Array, Image
from ecgvec.components import Part, Registry
from ecgvec.errors import RecipeError
from ecgvec.warp.apply import Ground, Pattern
from ecgvec.warp.base import SRGB_POWER
from ecgvec.warp.compose import Composed
from ecgvec.warp.grid import Grid
from ecgvec.warp.parts import Bend, Paper
from ecgvec.warp.relief import Surface


@dataclass(frozen=True, eq=False)
class EffectContext:
    """The bent sheet as the image shows it, for effects that need to know where the paper is and how it lies.
    ``sheet``: what is left of the paper, in page mm (None: all of it); ``scale``: px/mm at which the page is drawn."""

    composed: Composed
    sheet: Polygon | None = None
    scale: float = 8.0

    @property
    def surface(self) -> Surface:
        """The sheet in space, at the nodes of the page's lattice."""
        return self.composed.surface

    @property
    def paper(self) -> Paper:
        """The whole sheet's size in mm."""
        return self.composed.surface.paper

    @cached_property
    def hollows(self) -> Float64Array:
        """How far below its surroundings each node of the surface lies, (rows, columns) mm: below the mean of some
        3 mm around it, and 40 % of that below the mean of some 9 mm."""
        height, step = self.surface.height, self.surface.step[0]
        near, far = (cv2.GaussianBlur(height, (0, 0), mm / step) for mm in (3.0, 9.0))
        return np.asarray(np.maximum(near - height, 0) + 0.4 * np.maximum(far - height, 0))

    def in_image(self, values: Float64Array) -> Float64Array:
        """Values (rows, columns, k) at the surface's nodes, looked up at the nodes of the image's lattice. Beyond the
        paper's edge the edge's own values go on."""
        nodes = self.composed.warp.nodes
        grid = Grid(np.ascontiguousarray(np.moveaxis(values, -1, 0)), (0.0, 0.0), self.surface.step, clamped=True)
        return grid.at(*nodes.reshape(-1, 2).T).T.reshape(*nodes.shape[:2], -1)


class Effect(Part, ABC):
    """Any effect. ``noisy``: all that it adds no reader of the picture can foresee."""

    noisy: ClassVar[bool] = False

    def predictable_part(self) -> Effect | None:
        """What of it a reader of the picture can foresee who knows how it was taken; None for nothing."""
        return None if self.noisy else self

    def occluded_region(self, view: EffectContext) -> BaseGeometry:
        """What it covers by its shape, so that nothing printed there can be seen, in page mm. What covers by its
        strength is measured: ``OnPaper.min_contrast``, ``Light.veil``."""
        return Polygon()


class OnPaper(Effect):
    """Changes the page's pixels before the paper is bent."""

    @abstractmethod
    def apply(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3) at ``scale`` px/mm, changed. ``bends`` are those of the warp, for wear along folds."""

    def min_contrast(self) -> float:
        """No more than this share of the contrast of ink to paper is sure to be left where it lies thickest on the
        print; 1 where it lays nothing over print. Where too little may be left of all effects together, it is measured
        what is, on what they paint."""
        return 1.0

    def missing(self, paper: Paper) -> BaseGeometry:
        """The paper that is gone (holes, torn off pieces), in page mm."""
        return Polygon()


class Light(Effect):
    """Light on the sheet and on what lies around it."""

    @abstractmethod
    def on_paper(self, view: EffectContext) -> Float64Array:
        """Factor (rows, columns, 3) of linear light at the surface's nodes."""

    @abstractmethod
    def on_ground(self, view: EffectContext, ground: Float64Array) -> Float64Array:
        """The same for the ground, at places ``ground`` (rows, columns, 3) mm from the page's middle."""

    def veil(self, view: EffectContext) -> Float64Array | None:
        """How much (rows, columns) of the paper at the surface's nodes is lost in light that it mirrors, 0 to 1; None
        where there is none."""
        return None


def gain_on_paper(view: EffectContext, lights: Sequence[Light]) -> Float64Array | None:
    """All lights' factor (rows, columns, 3) of the paper's sRGB at the image's nodes; None where there is none."""
    if not lights:
        return None
    linear = reduce(np.multiply, (light.on_paper(view) for light in lights))
    return view.in_image(linear ** (1 / SRGB_POWER))


def veil_on_paper(view: EffectContext, lights: Sequence[Light]) -> Float64Array | None:
    """``Light.veil`` of all lights together, (rows, columns, 1) at the image's nodes; None where there is none."""
    veils = [veil for veil in (light.veil(view) for light in lights) if veil is not None]
    if not veils:
        return None
    left = np.prod([1 - veil for veil in veils], axis=0)
    return np.clip(view.in_image((1 - left)[..., None]), 0, 1)


class Surroundings(Effect):
    """What the sheet lies on, or is shown on. A page has at most one."""

    @abstractmethod
    def ground(self, view: EffectContext, lights: tuple[Light, ...]) -> Ground:
        """The ground in its light."""

    def pattern(self, view: EffectContext) -> Pattern | None:
        """What it weaves into the picture of page and ground, by place; None for nothing."""
        return None


class Capture(Effect):
    """Changes the finished picture: what lens, sensor, scanner and file do to it."""

    @abstractmethod
    def capture(self, image: Image, scale: float) -> Image:
        """The picture (H, W, 3), changed; ``scale``: px a mm of paper."""


class Shading(Capture):
    """Multiplies linear light by a factor that changes little from one pixel to the next. Where nothing else has taken
    a bent page's picture before, the factor is part of the light in which the page is resampled, at no cost; elsewhere
    it is ``captured``."""

    @abstractmethod
    def factor(self, places: Float64Array, size: tuple[int, int]) -> Float64Array:
        """Factor (rows, columns, 3) or (rows, columns, 1) of linear light at ``places`` (rows, columns, 2) px in a
        picture of ``size`` px."""


EFFECTS: Registry[type[Effect]] = Registry("effect", RecipeError)
