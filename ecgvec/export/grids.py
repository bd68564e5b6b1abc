"""The grid format: where the crossings of the 5 mm lines lie in the image, as arrays.

A page without a grid (``grid = "none"``, or ``grid_present = false``) has no such files: a lattice that nobody printed
would be a label of nothing. The 1 mm lattice is in the JSON, where it was asked for.
"""

from __future__ import annotations

import io

import numpy as np

from ecgvec._typing import AnyArray
from ecgvec.export.formats import FORMATS, Files, Format
from ecgvec.sheet import Sheet


def npy(array: AnyArray) -> bytes:
    """An array as the content of a ``.npy`` file (NumPy's format 1.0, C order, no pickle)."""
    plain = np.ascontiguousarray(array)
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(plain))
    return head.getvalue() + plain.reshape(-1).view(np.uint8).data  # np.save would copy the array twice


def lattice(sheet: Sheet, stem: str) -> Files:
    """``grid/STEM.npy``, (rows, columns, 2) float64: x and y of each crossing in image px, (0, 0) being the corner of
    the top-left pixel, rows from the page's top down, columns from its left. ``grid/STEM-visible.npy``, (rows, columns)
    bool: whether it lies in the image. Every crossing has its position, hidden or outside the image or not: NaN is
    nowhere."""
    grid = sheet.annotations.grid
    if grid is None:
        return {}
    crossings = grid.crossings.astype("<f8", copy=False)
    return {f"grid/{stem}.npy": npy(crossings), f"grid/{stem}-visible.npy": npy(grid.visible)}


FORMATS.add("grid", Format("the crossings of the 5 mm lines as arrays (.npy), in pixels", lattice))
