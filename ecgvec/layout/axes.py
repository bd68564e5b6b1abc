"""Where time and voltage lie on a page: one small map a trace, by which it is drawn and read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecgvec._typing import Float64Array, Points


@dataclass(frozen=True)
class Axes:
    """x = ``x0`` + (t - ``t0``) ``speed``, y = ``zero_y`` - ``polarity`` ``gain`` mV.

    x and y are page mm, t seconds from the record's start, ``speed`` mm/s, ``gain`` mm/mV.
    """

    x0: float
    t0: float
    zero_y: float
    speed: float
    gain: float
    polarity: int = 1

    def to_page(self, t: Float64Array, mv: Float64Array) -> Points:
        """Page points (n, 2) in mm of times (n,) and voltages (n,)."""
        return np.column_stack([self.x0 + (t - self.t0) * self.speed, self.zero_y - self.polarity * self.gain * mv])

    def to_signal(self, points: Points) -> tuple[Float64Array, Float64Array]:
        """Times (n,) in seconds and voltages (n,) in mV of page points (n, 2) in mm."""
        t = self.t0 + (points[:, 0] - self.x0) / self.speed
        return t, (self.zero_y - points[:, 1]) / (self.polarity * self.gain)
