"""Paper does not stretch: where it bends out of its plane it draws together within it.

Of all in-plane shifts w the one is found that makes the strain |sym grad w + E| least, E being what the heights alone
would stretch the sheet by (von Karman's plate: 1/2 grad h x grad h, less curvature times h on a rolled sheet). The
page is mirrored at its edges, so a Fourier series solves it at once.
"""

from __future__ import annotations

import numpy as np
from numpy import fft

from ecgvec._typing import Complex128Array, Float64Array


def drawn_together(strain: Float64Array, step: tuple[float, float]) -> Float64Array:
    """Shifts (2, rows, columns) in mm that undo as much as can be of ``strain`` (3, rows, columns): xx, yy, xy, at
    nodes ``step`` (x, y) mm apart."""
    rows, columns = strain.shape[1:]
    mean = strain.mean(axis=(1, 2))
    xx, yy, xy = (_spectrum(strain[i] - mean[i] * (i < 2), odd=i == 2) for i in range(3))
    kx = 2 * np.pi * fft.rfftfreq(2 * columns - 2, step[0])[None, :]
    ky = 2 * np.pi * fft.fftfreq(2 * rows - 2, step[1])[:, None]
    square = kx**2 + ky**2
    square[0, 0] = 1.0
    inverse = 1 / square  # complex numbers are multiplied far faster than divided
    bx, by = 2j * (xx * kx + xy * ky), 2j * (xy * kx + yy * ky)
    along = (bx * kx + by * ky) * (inverse / 2)
    halfway = (fft.ifft((b - k * along) * inverse, axis=0)[:rows] for b, k in ((bx, kx), (by, ky)))
    shifts = [fft.irfft(some, 2 * columns - 2)[:, :columns] for some in halfway]
    x = (np.arange(columns) - (columns - 1) / 2) * step[0]
    y = (np.arange(rows) - (rows - 1) / 2) * step[1]
    return np.stack([shifts[0] - mean[0] * x[None, :], shifts[1] - mean[1] * y[:, None]])


def _spectrum(values: Float64Array, odd: bool) -> Complex128Array:
    """The Fourier series (2 rows - 2, columns) of the page (rows, columns) and its mirror images about its last column
    and row; ``odd`` ones change sign. Mirrored rows have the mirrored series, so half of them are enough."""
    sign = -1.0 if odd else 1.0
    half = fft.rfft(np.concatenate([values, sign * values[:, -2:0:-1]], axis=1))
    return fft.fft(np.concatenate([half, sign * half[-2:0:-1]]), axis=0)
