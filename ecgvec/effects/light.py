"""One soft lamp over the sheet. What bends catches its light or turns away from it."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ecgvec._typing import Float64Array
from ecgvec.components import registered
from ecgvec.effects.base import EFFECTS, Light, View
from ecgvec.warp.parts import Paper

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Place = Annotated[float, Field(ge=-1, le=2, allow_inf_nan=False)]  # in widths or heights of the paper
Angle = Annotated[float, Field(ge=-360, le=360, allow_inf_nan=False)]
Elevation = Annotated[float, Field(ge=5, le=90, allow_inf_nan=False)]
Kelvin = Annotated[float, Field(ge=1_900, le=40_000, allow_inf_nan=False)]

SHEEN_POWER = 12  # width of the gloss of coated paper (Blinn 1977, "Models of light reflection")
DARKEST = 0.25  # of the light is left in the deepest hollow


@registered(EFFECTS)
class Lamp(Light):
    """A lamp ``distance`` mm from the page's middle, from ``azimuth`` (degrees, 0 right, 90 above the upper edge) at
    ``elevation`` degrees over the desk.

    ``size`` mm across: the larger, the softer; ``ambient``: the share of light that comes from everywhere;
    ``exposure``: how light a flat page's middle is; ``split``: the lamp is warmer and the rest of the light cooler
    by that share; ``sheen``: gloss; ``hollows``: what a hollow of 1 mm takes of the light, with its dirt.
    """

    kind: Literal["lamp"] = "lamp"
    azimuth: Angle = 120.0
    elevation: Elevation = 40.0
    distance: Annotated[float, Field(ge=100, le=100_000, allow_inf_nan=False)] = 600.0
    size: Annotated[float, Field(ge=0, le=2_000, allow_inf_nan=False)] = 180.0
    ambient: Share = 0.48
    exposure: Annotated[float, Field(ge=0.05, le=2, allow_inf_nan=False)] = 0.75
    split: Annotated[float, Field(ge=0, le=0.3, allow_inf_nan=False)] = 0.05
    sheen: Share = 0.06
    hollows: Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)] = 0.04

    def place(self) -> Float64Array:
        """Where the lamp hangs, (3,) mm from the page's middle."""
        return self.distance * direction(self.azimuth, self.elevation)

    def towards(self, xyz: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Unit vectors (..., 3) from places to the lamp, and its strength there, 1 in the page's middle."""
        way = self.place() - xyz
        square = dot(way, way)
        return way / np.sqrt(square)[..., None], self.distance**2 / square

    def falling(self, cosine: Float64Array, strength: Float64Array) -> Float64Array:
        """Lamp light (...) where its rays meet the sheet's normal at that ``cosine``, 1 on a flat page's middle
        (Lambert's law, wrapped round by the lamp's size)."""
        wrap = min(0.5, self.size / 2 / self.distance)
        level = np.sin(np.radians(self.elevation)) + wrap
        return np.asarray(strength * np.maximum(0.0, cosine + wrap) / level)

    def on_paper(self, view: View) -> Float64Array:
        """Lamp, ambient light less what hollows swallow, and gloss."""
        xyz, normals = view.surface.xyz, view.surface.normals
        to_lamp, strength = self.towards(xyz)
        lamp = self.falling(dot(normals, to_lamp), strength)
        if self.sheen:
            lamp = lamp + self._gloss(to_lamp, strength, view.composed.camera.viewpoint() - xyz, normals)
        return self._mixed(lamp, np.maximum(DARKEST, 1 - self.hollows * view.hollows))

    def on_ground(self, view: View, ground: Float64Array) -> Float64Array:
        """A level desk."""
        to_lamp, strength = self.towards(ground)
        return self._mixed(self.falling(to_lamp[..., 2], strength), np.ones(ground.shape[:-1]))

    def _gloss(
        self, to_lamp: Float64Array, strength: Float64Array, to_eye: Float64Array, normals: Float64Array
    ) -> Float64Array:
        half = to_lamp + to_eye / np.sqrt(dot(to_eye, to_eye))[..., None]
        cosine = dot(normals, half) / np.sqrt(dot(half, half))
        return np.asarray(self.sheen * strength * np.maximum(0.0, cosine) ** SHEEN_POWER)

    def _mixed(self, lamp: Float64Array, open_sky: Float64Array) -> Float64Array:
        direct = self.exposure * (1 - self.ambient) * lamp * np.sqrt(open_sky)
        around = self.exposure * self.ambient * open_sky
        return np.stack([direct * (1 + tint) + around * (1 - tint) for tint in (self.split, 0.0, -self.split)], axis=-1)


def direction(azimuth: float, elevation: float) -> Float64Array:
    """Unit vector (3,) towards what stands at ``azimuth`` (degrees, 0 right, 90 above the upper edge) and at
    ``elevation`` degrees over the desk; x right, y down, z towards the viewer."""
    a, e = np.radians([azimuth, elevation])
    return np.array([np.cos(e) * np.cos(a), -np.cos(e) * np.sin(a), np.sin(e)])


def anchor(paper: Paper, x: float, y: float) -> Float64Array:
    """Mm (3,) from the page's middle of a place on a flat page, ``x`` widths right and ``y`` heights below its
    upper left corner."""
    return np.array([(x - 0.5) * paper.width, (y - 0.5) * paper.height, 0.0])


def dot(a: Float64Array, b: Float64Array) -> Float64Array:
    """Products of vectors (..., 3); three sums are faster than a reduction over so short an axis."""
    return np.asarray(a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2])
