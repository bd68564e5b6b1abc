"""QR codes as vectors."""

from __future__ import annotations

import numpy as np

from ecgvec.geometry.affine import Affine
from ecgvec.geometry.path import rectangles
from ecgvec.graphics.nodes import Group, Mark, Pen
from ecgvec.graphics.text import printable
from ecgvec.layout.place import Box

QUIET_MODULES = 2


def qr_code(text: str, box: Box) -> Group:
    """``text`` as a QR code (error correction M) that fills ``box``, quiet zone included, on white."""
    import segno

    matrix = np.array([list(row) for row in segno.make(text, error="m", micro=False).matrix], dtype=bool)
    size = len(matrix) + 2 * QUIET_MODULES
    runs = []
    for y, row in enumerate(matrix):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]]).astype(np.int8)))
        runs += [(x0, y, x1, y + 1) for x0, x1 in edges.reshape(-1, 2)]
    module = (box.x1 - box.x0) / size
    to_page = Affine(module, 0.0, 0.0, module, box.x0 + QUIET_MODULES * module, box.y0 + QUIET_MODULES * module)
    code = rectangles(runs).mapped(to_page).rounded()
    data = {"text": printable(text), "modules": str(len(matrix))}
    back = Mark("qr-back", "qr-back", rectangles([box]).rounded(), Pen(fill="#FFFFFF"))
    return Group("qr", "qr", (back, Mark("qr-code", "qr-code", code, Pen(fill="#000000"), data)))
