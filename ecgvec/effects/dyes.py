"""Dyes in paper, by Lambert and Beer's law: what is under a dye is seen through it."""

from __future__ import annotations

import cv2
import numpy as np

from ecgvec._typing import Float32Array, Image, Uint8Array

Dye = tuple[float, float, float]  # absorbance (base e) of red, green and blue where the dye is at its full density


def dye_levels(density: Float32Array) -> Uint8Array:
    """A dye's density (h, w), 0 to 1, in bytes."""
    # uint8 all the way: floats take five times as long, and their fractions would be rounded off anyway
    return np.asarray(cv2.convertScaleAbs(np.clip(density, 0, 1), alpha=255), dtype=np.uint8)


def dye_tables(absorbs: Dye) -> Uint8Array:
    """Tables (3, 256): what of red, green and blue, 255 for all, passes a dye of a density of 0 to 255."""
    return np.asarray(np.rint(np.exp(-np.outer(absorbs, np.arange(256) / 255)) * 255), dtype=np.uint8)


def dyed(seen: Image, levels: Uint8Array, tables: Uint8Array) -> None:
    """Dyes some of the page (h, w, 3) to ``levels`` (h, w), in place."""
    seen[:] = cv2.multiply(seen, cv2.merge([cv2.LUT(levels, table) for table in tables]), scale=1 / 255)
