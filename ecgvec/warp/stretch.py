"""Paper does not stretch: where it bends out of its plane it draws together within it.

Of all in-plane shifts w the one is found that makes the strain |sym grad w + E| least, E being what the heights alone
would stretch the sheet by (von Karman's plate: 1/2 grad h x grad h, less curvature times h on a rolled sheet). The
page is mirrored at its edges, so a Fourier series solves it at once.
"""

from __future__ import annotations

import numpy as np
from numpy import fft

from ecgvec.warp.parts import Floats


def drawn_together(strain: Floats, step: tuple[float, float]) -> Floats:
    """Shifts (rows, columns, 2) in mm that undo as much as can be of ``strain`` (rows, columns, 3): xx, yy, xy, at
    nodes ``step`` (x, y) mm apart."""
    rows, columns = strain.shape[:2]
    mean = strain.mean(axis=(0, 1))
    xx, yy, xy = (fft.rfft2(_mirrored(strain[:, :, i] - mean[i] * (i < 2), odd=i == 2)) for i in range(3))
    kx = 2 * np.pi * fft.rfftfreq(2 * columns - 2, step[0])[None, :]
    ky = 2 * np.pi * fft.fftfreq(2 * rows - 2, step[1])[:, None]
    square = kx**2 + ky**2
    square[0, 0] = 1.0
    bx, by = 2j * (xx * kx + xy * ky), 2j * (xy * kx + yy * ky)
    along = (bx * kx + by * ky) / (2 * square)
    shape = (2 * rows - 2, 2 * columns - 2)
    shifts = [fft.irfft2((b - k * along) / square, shape)[:rows, :columns] for b, k in ((bx, kx), (by, ky))]
    x = (np.arange(columns) - (columns - 1) / 2) * step[0]
    y = (np.arange(rows) - (rows - 1) / 2) * step[1]
    return np.stack([shifts[0] - mean[0] * x[None, :], shifts[1] - mean[1] * y[:, None]], axis=-1)


def _mirrored(values: Floats, odd: bool) -> Floats:
    """The page and its mirror images about its last column and row; ``odd`` ones change sign."""
    sign = -1.0 if odd else 1.0
    wide = np.concatenate([values, sign * values[:, -2:0:-1]], axis=1)
    return np.concatenate([wide, sign * wide[-2:0:-1]], axis=0)
