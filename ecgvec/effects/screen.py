"""The page shown on a laptop's screen and photographed from it."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ecgvec._typing import Float64Array
from ecgvec.components import Seed, registered
from ecgvec.effects.base import EFFECTS, Light, Surroundings, View
from ecgvec.effects.colour import planckian
from ecgvec.effects.laptop import PX_PER_MM, Size, Theme, pictured, sized
from ecgvec.effects.light import Kelvin, Share
from ecgvec.effects.moire import Shine
from ecgvec.warp.apply import Ground
from ecgvec.warp.blend import SRGB_POWER
from ecgvec.warp.parts import Paper


@registered(EFFECTS)
class Laptop(Surroundings):
    """A laptop that shows the flat page in a viewer; it has a screen of 16 to 10.

    The page takes ``fill`` of the viewer's room, its lines run ``angle`` degrees off the screen's, counter-clockwise.
    The screen's pixels are ``pitch`` mm of paper apart; ``strength`` is how much of their stripes the camera sees, 1
    for all that optics leave, and ``blur`` px of the picture is the lens's own, a standard deviation. The moire is
    widest where the camera has about two pixels for each of the screen's. ``exposure``: how light the screen's white
    is, ``kelvin`` its colour for a camera balanced for 6500; ``falloff``: what its upper edge loses, which is seen
    aslant. ``room``: how light all else is. ``theme``: the viewer's. ``seed``: of the room behind.
    """

    kind: Literal["laptop"] = "laptop"
    pitch: Annotated[float, Field(ge=0.03, le=2, allow_inf_nan=False)] = 0.24
    strength: Share = 0.35
    blur: Annotated[float, Field(ge=0, le=3, allow_inf_nan=False)] = 0.4
    angle: Annotated[float, Field(ge=-15, le=15, allow_inf_nan=False)] = 0.0
    fill: Annotated[float, Field(ge=0.3, le=1, allow_inf_nan=False)] = 0.92
    exposure: Annotated[float, Field(ge=0.05, le=1, allow_inf_nan=False)] = 0.85
    kelvin: Kelvin = 7_000.0
    falloff: Share = 0.16
    room: Share = 0.2
    theme: Theme = "dark"
    scroll_bar: bool = True
    seed: Seed = 0

    def ground(self, view: View, lights: tuple[Light, ...]) -> Ground:
        """The viewer about the page, the laptop and the room behind it."""
        size = sized(view.paper, self.fill)
        texture, corner = pictured(size, self.theme, self.scroll_bar, self.room, self.seed)
        nodes = view.composed.warp.nodes
        at = (nodes - view.paper.centre) @ self._turn().T
        height, width = texture.shape[:2]
        places = np.clip((at - corner) * PX_PER_MM - 0.5, 1.0, (width - 2.0, height - 2.0))
        xyz = np.dstack([nodes - view.paper.centre, np.zeros(nodes.shape[:2])])
        light = np.ones((*nodes.shape[:2], 3))
        for one in lights:
            light *= one.on_ground(view, xyz)
        return Ground(texture, places, light ** (1 / SRGB_POWER))

    def pattern(self, view: View) -> Shine:
        """The screen's own light, with what the camera sees of its pixels."""
        tint = np.array(planckian(self.kelvin)) / np.array(planckian(6_500.0))
        light = self.exposure * tint / tint.max()
        box = self._box(view.paper)
        return Shine(view.paper.centre, self._turn(), box, self.pitch, self.strength, self.blur, light, self.falloff)

    def _box(self, paper: Paper) -> tuple[float, float, float, float]:
        size: Size = sized(paper, self.fill)
        return size.left, size.top, size.left + size.width, size.top + size.height

    def _turn(self) -> Float64Array:
        """(2, 2): page mm from the page's middle to screen mm from there."""
        c, s = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        return np.array([[c, s], [-s, c]])
