"""Daylight from a window at one side, the page's other side in the room's own light; and the sun in it, with the
shadow of glazing bars or of a blind."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ecgvec._typing import Float64Array
from ecgvec.components import registered
from ecgvec.effects.base import EFFECTS, Light, View
from ecgvec.effects.colour import planckian
from ecgvec.effects.light import Angle, Elevation, Kelvin, Place, anchor, direction, dot

ACROSS, UP = 4, 3  # places on the window that stand for all of it
PANES = (3, 2)  # in a patch of sunlight: beside one another and one above the other
BAR_SHARE = 0.14  # of a pane's width that a glazing bar takes
SLATS = 14  # of a blind that are seen
OPEN = 0.56  # share of a blind's pitch that lets the sun through
SLAT_LENGTH = 22.0  # pitches
LEAN = 0.2  # how far upright bars lean, for the sun stands at one side of the window


@registered(EFFECTS)
class Window(Light):
    """A window ``width`` x ``height`` mm whose middle is ``distance`` mm from the page's middle, at ``azimuth``
    (degrees, 0 right, 90 above the upper edge) and ``elevation`` degrees over the desk.

    Its light has ``kelvin``, the rest of the room's ``room_kelvin``, of which the share ``ambient`` meets the page's
    middle; the camera is balanced for what both make there. ``exposure``: how light a flat page's middle is.

    ``bars``: the sun shines in too, past glazing bars or the slats of a blind; where they shade it the share ``sun``
    of the light is gone. The sunlit patch's middle lies at ``x``, ``y`` in widths and heights of the paper; its bars
    are ``pitch`` mm apart and turned by ``angle`` degrees, their edges ``penumbra`` mm wide.
    """

    kind: Literal["window"] = "window"
    azimuth: Angle = 165.0
    elevation: Elevation = 28.0
    distance: Annotated[float, Field(ge=100, le=20_000, allow_inf_nan=False)] = 750.0
    width: Annotated[float, Field(ge=50, le=10_000, allow_inf_nan=False)] = 700.0
    height: Annotated[float, Field(ge=50, le=10_000, allow_inf_nan=False)] = 900.0
    ambient: Annotated[float, Field(ge=0.05, le=1, allow_inf_nan=False)] = 0.3  # print in its shade can be told
    exposure: Annotated[float, Field(ge=0.05, le=2, allow_inf_nan=False)] = 0.85
    kelvin: Kelvin = 7_500.0
    room_kelvin: Kelvin = 4_300.0
    bars: Literal["none", "panes", "blind"] = "none"
    sun: Annotated[float, Field(ge=0, le=0.95, allow_inf_nan=False)] = 0.4  # and in that of its bars
    pitch: Annotated[float, Field(ge=5, le=500, allow_inf_nan=False)] = 34.0
    penumbra: Annotated[float, Field(ge=0.5, le=200, allow_inf_nan=False)] = 9.0
    angle: Angle = 24.0
    x: Place = 0.5
    y: Place = 0.5

    def on_paper(self, view: View) -> Float64Array:
        """The window's light by the sheet's normals, the room's from everywhere."""
        return self._light(view, view.surface.xyz, view.surface.normals)

    def on_ground(self, view: View, ground: Float64Array) -> Float64Array:
        """The same on a level desk."""
        return self._light(view, ground, np.array([0.0, 0.0, 1.0]))

    def _light(self, view: View, places: Float64Array, normals: Float64Array) -> Float64Array:
        up = np.array([0.0, 0.0, 1.0])
        level = self._daylight(places, normals) / self._daylight(np.zeros(3), up)
        day, room = (np.array(planckian(k)) for k in (self.kelvin, self.room_kelvin))
        day, room = (1 - self.ambient) * day / day[1], self.ambient * room / room[1]
        light = self.exposure * (level[..., None] * day + room) / (day + room)
        return np.asarray(light * (1 - self.sun * self._shade(view, places))[..., None])

    def _daylight(self, places: Float64Array, normals: Float64Array) -> Float64Array:
        """Light (...) from all over the window, which faces the page's middle: cosines at both ends over the square
        of the way."""
        way = direction(self.azimuth, self.elevation)
        level = direction(self.azimuth + 90, 0)
        rising = np.cross(way, level)
        total = np.zeros(places.shape[:-1])
        for i in (np.arange(ACROSS) + 0.5) / ACROSS - 0.5:
            for j in (np.arange(UP) + 0.5) / UP - 0.5:
                spot = self.distance * way + i * self.width * level + j * self.height * rising
                ray = spot - places
                square = dot(ray, ray)
                leaving = np.maximum(0.0, dot(ray, np.broadcast_to(way, ray.shape)))
                total += np.maximum(0.0, dot(ray, np.broadcast_to(normals, ray.shape))) * leaving / square**2
        return total

    def _shade(self, view: View, places: Float64Array) -> Float64Array:
        """How much (...) of the sun is shaded, 0 to 1. What is lifted meets its rays earlier."""
        if self.bars == "none":
            return np.zeros(places.shape[:-1])
        way = direction(self.azimuth, self.elevation)
        at = places - anchor(view.paper, self.x, self.y)
        x, y = (at[..., k] - at[..., 2] * way[k] / way[2] for k in (0, 1))
        c, s = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        along, across = c * x - s * y, s * x + c * y
        along = along + LEAN * across
        if self.bars == "blind":
            sun = self._open(across, OPEN * self.pitch) * self._box(along, SLAT_LENGTH * self.pitch)
            return np.asarray(1 - sun * self._box(across, SLATS * self.pitch))
        clear = (1 - BAR_SHARE) * self.pitch
        sun = self._open(along + self.pitch / 2, clear) * self._box(along, PANES[0] * self.pitch)  # one in the middle
        return np.asarray(1 - sun * self._open(across, clear) * self._box(across, PANES[1] * self.pitch))

    def _box(self, t: Float64Array, wide: float) -> Float64Array:
        """1 where places ``t`` mm lie within a band ``wide`` mm about 0, its edges as wide as the penumbra."""
        from scipy.special import erf  # which other lights need not pay for

        soft = self.penumbra / 2.4 * np.sqrt(2)
        return np.asarray((erf((t + wide / 2) / soft) - erf((t - wide / 2) / soft)) / 2)

    def _open(self, t: Float64Array, clear: float) -> Float64Array:
        """Bands of light ``clear`` mm wide at every pitch, at places ``t`` mm: the nearest ones, as ``_box`` has
        them."""
        nearest = np.mod(t, self.pitch) - self.pitch / 2
        reach = int(np.ceil(self.penumbra / self.pitch)) + 1
        return np.asarray(sum(self._box(nearest + k * self.pitch, clear) for k in range(-reach, reach + 1)))
