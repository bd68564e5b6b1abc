"""The map between image and page as an array, for those who undo it with tools of their own."""

from __future__ import annotations

import io

import numpy as np

from ecgvec.export.formats import FORMATS, Files, Format
from ecgvec.sheet import Sheet
from ecgvec.warp.lattice import Lattice, lattice_pixels

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
