"""Maps of the image plane: turn, crop, pad, resize, and the bending of a lens."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ecgvec._typing import Points
from ecgvec.components import key, register
from ecgvec.errors import WarpError
from ecgvec.warp.parts import WARPS, Canvas, Planar

Share = Annotated[float, Field(ge=0, le=0.45, allow_inf_nan=False)]
Border = Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False, json_schema_extra={"unit": "mm"})]
Factor = Annotated[float, Field(ge=0.1, le=8, allow_inf_nan=False)]


@register(WARPS)
class Rotate(Planar):
    """Turns the picture about its middle; its size stays."""

    kind: Literal["rotate"] = "rotate"
    angle: float = key(0.0, "Angle, clockwise.", "degrees", ge=-360, le=360)

    def move(self, points: Points, canvas: Canvas) -> Points:
        """Clockwise as seen, y pointing down."""
        c, s = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        return np.asarray((np.array([[c, -s], [s, c]]) @ (points - canvas.centre).T).T + canvas.centre)


@register(WARPS)
class Crop(Planar):
    """Cuts shares of the picture off."""

    kind: Literal["crop"] = "crop"
    amount: Share = key(0.0, "Share off every side.")
    left: Share = key(0.0, "Further share off the left.")
    top: Share = key(0.0, "Further share off the top.")
    right: Share = key(0.0, "Further share off the right.")
    bottom: Share = key(0.0, "Further share off the bottom.")

    def canvas(self, canvas: Canvas) -> Canvas:
        """What is left."""
        width = canvas.width * (1 - min(0.99, 2 * self.amount + self.left + self.right))
        return canvas.resize(width, canvas.height * (1 - min(0.99, 2 * self.amount + self.top + self.bottom)))

    def move(self, points: Points, canvas: Canvas) -> Points:
        """The new corner is the origin."""
        corner = round((self.amount + self.left) * canvas.width), round((self.amount + self.top) * canvas.height)
        return np.asarray(points - np.array(corner))


@register(WARPS)
class Pad(Planar):
    """Adds a border on every side."""

    kind: Literal["pad"] = "pad"
    border: Border = key(0.0, "Width, at the picture's nominal scale.")

    def canvas(self, canvas: Canvas) -> Canvas:
        """Wider by two borders."""
        more = 2 * round(self.border * canvas.scale)
        return canvas.resize(canvas.width + more, canvas.height + more)

    def move(self, points: Points, canvas: Canvas) -> Points:
        """Away from the new corner."""
        return points + round(self.border * canvas.scale)


@register(WARPS)
class Resize(Planar):
    """Scales the picture."""

    kind: Literal["resize"] = "resize"
    factor: Factor = key(1.0, "Factor.")

    def canvas(self, canvas: Canvas) -> Canvas:
        """In whole pixels."""
        return canvas.resize(canvas.width * self.factor, canvas.height * self.factor)

    def move(self, points: Points, canvas: Canvas) -> Points:
        """The corners go to the corners."""
        after = self.canvas(canvas)
        return np.asarray(points * np.array([after.width / canvas.width, after.height / canvas.height]))


Coefficient = Annotated[float, Field(ge=-0.5, le=0.5, allow_inf_nan=False)]
EDGE = 1.6  # half diagonals from the middle up to which the map must not turn back


@register(WARPS)
class Lens(Planar):
    """A lens's distortion (Brown-Conrady), for distances from the middle in units of half the longer side."""

    kind: Literal["lens"] = "lens"
    k1: Coefficient = key(0.0, "Radial; below 0 a barrel, above 0 a cushion.")
    k2: Coefficient = key(0.0, "Radial, of the fourth power.")
    p1: Coefficient = key(0.0, "Tangential, along y.")
    p2: Coefficient = key(0.0, "Tangential, along x.")

    def move(self, points: Points, canvas: Canvas) -> Points:
        """x' = x (1 + k1 r^2 + k2 r^4) + 2 p1 x y + p2 (r^2 + 2 x^2), and likewise y. WarpError where the radius
        would turn back inside the picture."""
        unit = max(canvas.width, canvas.height) / 2
        r2 = np.linspace(0, EDGE, 50) ** 2
        if (1 + 3 * self.k1 * r2 + 5 * self.k2 * r2**2).min() <= 0:
            raise WarpError(f"a lens of k1 = {self.k1:g}, k2 = {self.k2:g} folds the picture's rim: lessen them")
        x, y = ((points - canvas.centre) / unit).T
        r2 = np.minimum(x * x + y * y, EDGE**2)  # far outside the picture it is scaled as at its rim
        radial = 1 + self.k1 * r2 + self.k2 * r2**2
        moved = np.stack(
            [
                x * radial + 2 * self.p1 * x * y + self.p2 * (r2 + 2 * x * x),
                y * radial + self.p1 * (r2 + 2 * y * y) + 2 * self.p2 * x * y,
            ]
        )
        return np.asarray(moved.T * unit + canvas.centre)
