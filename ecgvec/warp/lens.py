"""Lens distortion after Brown (1966), "Decentering distortion of lenses", and Conrady (1919)."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ecgvec._typing import Points
from ecgvec.components import registered
from ecgvec.errors import WarpError
from ecgvec.warp.parts import WARPS, Canvas, Planar

Coefficient = Annotated[float, Field(ge=-0.5, le=0.5, allow_inf_nan=False)]
EDGE = 1.6  # half diagonals from the middle up to which the map must not turn back


@registered(WARPS)
class Lens(Planar):
    """Radial coefficients ``k1``, ``k2`` and tangential ``p1``, ``p2``, for distances from the picture's middle in
    units of half its longer side: k1 < 0 is a barrel, k1 > 0 a cushion."""

    kind: Literal["lens"] = "lens"
    k1: Coefficient = 0.0
    k2: Coefficient = 0.0
    p1: Coefficient = 0.0
    p2: Coefficient = 0.0

    def moved(self, points: Points, canvas: Canvas) -> Points:
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
