"""Geometry as NumPy files: the 5 mm lattice, and the map between page and image."""

from __future__ import annotations

import io

import numpy as np

from ecgvec._typing import AnyArray
from ecgvec.export.formats import FORMATS, Files, Format
from ecgvec.sheet import Sheet
from ecgvec.warp.lattice import Lattice, lattice_pixels


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
    grid = sheet.labels.grid
    if grid is None:
        return {}
    crossings = grid.crossings.astype("<f8", copy=False)
    return {f"grid/{stem}.npy": npy(crossings), f"grid/{stem}-visible.npy": npy(grid.visible)}


FORMATS.add("grid", Format("the crossings of the 5 mm lines as arrays (.npy), in pixels", lattice))


FLAT_STEP = 64  # px between nodes of a page seen straight on, whose map is linear


def page_map(sheet: Sheet) -> bytes:
    """NPZ of a lattice of image px and page mm: ``px`` (rows, columns, 2), ``mm`` (rows, columns, 2), ``step`` px,
    ``size`` (width, height) px, ``homography`` (3, 3). Bilinear between its nodes, ``mm`` is the map itself; three
    rings of nodes lie outside the image."""
    warp = sheet.warp
    step = warp.step if isinstance(warp, Lattice) else FLAT_STEP
    pixels, shape = lattice_pixels(warp.size, step)
    px = pixels.T.reshape(*shape, 2)
    mm = warp.nodes if isinstance(warp, Lattice) else warp.inverse(pixels.T).reshape(px.shape)
    buffer = io.BytesIO()
    np.savez(buffer, px=px, mm=mm, step=step, size=warp.size, homography=sheet.homography)
    return buffer.getvalue()


def _files(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}-map.npz": page_map(sheet)}


FORMATS.add("map", Format("the map between image px and page mm, as NPZ", _files))
