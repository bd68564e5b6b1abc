"""Cameras: a phone held over the paper, and a flat-bed scanner."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ecgvec._typing import Float64Array, Points
from ecgvec.components import Degrees, key, register
from ecgvec.errors import WarpError
from ecgvec.warp.parts import WARPS, Camera, Canvas

FULL_FRAME_MM = 36.0  # width of the film to which 35 mm equivalent focal lengths refer
NEAREST = 0.15  # of the distance: what comes closer to the lens is not in the picture
SCANNER_HEIGHT = 1e6  # mm: an orthographic camera looks from infinitely far away

Tilt = Annotated[float, Field(ge=-60, le=60, allow_inf_nan=False, json_schema_extra={"unit": "degrees"})]
Angle = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False, json_schema_extra={"unit": "degrees"})]
Shift = Annotated[float, Field(ge=-0.5, le=0.5, allow_inf_nan=False)]


@register(WARPS)
class Phone(Camera):
    """A pinhole camera. The page fills a share of the frame, or what the lens of a focal length makes of it."""

    kind: Literal["phone"] = "phone"
    distance: float = key(400.0, "From the page's middle.", "mm", ge=60, le=10_000)
    tilt: Tilt = key(0.0, "Above 0 the page's top is further away.")
    pan: Tilt = key(0.0, "Above 0 the page's right side is further away.")
    roll: Angle = key(0.0, "Turn of the picture, clockwise.")
    fill: float = key(1.0, "Share of the frame that the page fills.", ge=0.1, le=5)
    focal: Annotated[float, Field(ge=8, le=400, allow_inf_nan=False)] | None = key(
        None, "Focal length, 35 mm equivalent; it replaces `fill`.", "mm"
    )
    shift_x: Shift = key(0.0, "From the picture's middle to the page's, as a share of its width.")
    shift_y: Shift = key(0.0, "From the picture's middle to the page's, as a share of its height.")

    def rotation(self) -> Float64Array:
        """(3, 3): page axes (x right, y down, z towards the viewer) to the camera's."""
        (ct, cp, cr), (st, sp, sr) = (f(np.radians([self.tilt, self.pan, self.roll])) for f in (np.cos, np.sin))
        pan = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
        tilt = np.array([[1, 0, 0], [0, ct, -st], [0, st, ct]])
        roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        return np.asarray(roll @ tilt @ pan)

    def project(self, xyz: Float64Array, canvas: Canvas) -> Points:
        """Similar triangles: px = focal length x / depth."""
        focal = self.fill * canvas.scale * self.distance
        if self.focal is not None:
            focal = self.focal / FULL_FRAME_MM * max(canvas.width, canvas.height)
        seen = self.rotation() @ xyz.T
        depth = self.distance - seen[2]
        if depth.min() < NEAREST * self.distance:
            raise WarpError(
                f"the sheet comes within {depth.min():.0f} mm of a camera {self.distance:g} mm away: move the camera "
                "back, or lessen its tilt and pan"
            )
        middle = canvas.centre + np.array([self.shift_x * canvas.width, self.shift_y * canvas.height])
        return np.asarray(middle + (focal * seen[:2] / depth).T)

    def viewpoint(self) -> Float64Array:
        """The lens."""
        return np.asarray(self.rotation().T @ np.array([0.0, 0.0, self.distance]))


@register(WARPS)
class Scanner(Camera):
    """A flat-bed scanner: an orthographic camera whose glass the page lies on a little askew."""

    kind: Literal["scanner"] = "scanner"
    skew: float = key(0.0, "How askew.", "degrees", ge=-45, le=45)
    shift_x: float = key(0.0, "Shift to the right.", "mm", ge=-200, le=200)
    shift_y: float = key(0.0, "Shift downwards.", "mm", ge=-200, le=200)
    speed_error: float = key(0.0, "Error of the carriage's speed, as a share.", ge=-0.05, le=0.05)
    wobble: float = key(0.0, "Wobble of the carriage, to and fro.", "mm", ge=0, le=1)
    wobble_length: float = key(80.0, "From one wobble to the next.", "mm", ge=10, le=1_000)
    phase: Degrees = key(0.0, "Phase of the wobble.")

    def project(self, xyz: Float64Array, canvas: Canvas) -> Points:
        """Turned, shifted, and along the carriage's way a little uneven."""
        c, s = np.cos(np.radians(self.skew)), np.sin(np.radians(self.skew))
        x = c * xyz[:, 0] - s * xyz[:, 1] + self.shift_x
        y = (s * xyz[:, 0] + c * xyz[:, 1]) * (1 + self.speed_error) + self.shift_y
        y = y + self.wobble * np.sin(2 * np.pi * y / self.wobble_length + np.radians(self.phase))
        return canvas.centre + canvas.scale * np.column_stack([x, y])

    def viewpoint(self) -> Float64Array:
        """Straight above."""
        return np.array([0.0, 0.0, SCANNER_HEIGHT])
