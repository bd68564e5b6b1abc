"""Bent pages for digitisers that know pages seen straight on: the page's ink made straight again for a quick look, and
for the oracle what the camera makes of ink on the page, as a matrix."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.sparse import csr_array, dia_array

from ecgvec._typing import Float32Array, Float64Array
from ecgvec.geometry.units import MM_PER_INCH, px_per_mm
from ecgvec.render.camera import page_dpi
from ecgvec.verify.ink import OUTSIDE, Box, Ink, backdrops, contrast
from ecgvec.verify.page import Page
from ecgvec.warp.apply import Tile, flattened, taps
from ecgvec.warp.base import Flat

READ_SCALE = 1.0  # px of the straightened page for one of the image
HALF_SHOWN = 0.5
LEAST_TAKEN = 0.05  # of paper to ink on the page: below it, a pixel of the image cannot tell
RIM_STEP = 8  # px between places on a box's rim


def straightened(ink: Ink, page: Page) -> tuple[Ink, Page]:
    """The image's ink as it lies on the paper, and the page that shows it so; a flat page as it is."""
    if isinstance(page.warp, Flat):
        return ink, page
    scale = READ_SCALE * page.warp.scale()
    found = flattened(np.dstack([ink.cover, ink.weight, np.ones_like(ink.cover)]), page.warp, scale)
    # Float32Array itself, not what a pixel shows of it: averaged beside paper, a line on a grid line would lose ink.
    cover = np.where(found[..., 2] > HALF_SHOWN, np.clip(found[..., 0], -0.5, 1.5), np.float32(OUTSIDE))
    return Ink(cover, np.maximum(found[..., 1], 0)), page.straight(scale * MM_PER_INCH)


@dataclass(frozen=True, eq=False)
class Seen:
    """A part of an image: ``cover`` (n,) of its pixels and their ``weight`` (n,), and how ink on a part of the page
    gets there: ``matrix`` (n, pixels of the page's part), or None where they are the same."""

    cover: Float32Array
    weight: Float32Array
    matrix: csr_array | None = None

    def shown(self, drawn: Float32Array) -> Float64Array | Float32Array:
        """What the pixels (n,) show of ink ``drawn`` (rows, columns) on the page."""
        flat = drawn.ravel()
        return flat if self.matrix is None else np.asarray(self.matrix @ flat.astype(np.float64))

    def changes(self, jacobian: csr_array) -> csr_array:
        """Changes (n, k) of the pixels from changes (pixels of the page's part, k) of ink on the page."""
        return jacobian if self.matrix is None else csr_array(self.matrix @ jacobian)


class View:
    """An image's ink as ink on a page seen straight on: ``page`` is that page, at the resolution at which it was drawn
    before the one resampling."""

    def __init__(self, ink: Ink, page: Page) -> None:
        self._ink, self._bent = ink, page
        self.page, self._scale, self._reach = page, 1.0, np.empty((0, 0), dtype=np.float32)
        if not isinstance(page.warp, Flat):
            dpi = page_dpi(page.warp, page.plan.page.style.dpi)
            self.page, self._scale = page.straight(dpi), px_per_mm(dpi)
            empty, full = (cv2.transform(i.astype(np.float32), contrast(page)) for i in backdrops(self.page))
            self._reach = np.asarray(full - empty)

    def seen(self, box: Box) -> Seen:
        """What the image shows of ``box`` of the page, whole px of ``page``."""
        if isinstance(self._bent.warp, Flat):
            part = self._ink.crop(box)
            return Seen(part.cover.ravel(), part.weight.ravel())
        image = self._around(box)
        part = self._ink.crop(image)
        x0, y0, x1, y1 = box
        reach = self._reach[y0:y1, x0:x1].ravel().astype(np.float64)
        matrix = taps(self._bent.warp, self._scale, Tile(*image), Tile(*box))
        whole = np.asarray(matrix @ reach)
        told = np.abs(whole) > LEAST_TAKEN
        rows = np.divide(1.0, whole, out=np.zeros_like(whole), where=told)
        matrix = csr_array(dia_array((rows[None], 0), shape=(len(rows),) * 2) @ matrix)
        matrix = csr_array(matrix @ dia_array((reach[None], 0), shape=(len(reach),) * 2))
        return Seen(part.cover.ravel(), part.weight.ravel() * told, matrix)

    def _around(self, box: Box) -> Box:
        """Whole px of the image around a part of the page."""
        x0, y0, x1, y1 = box
        x, y = (np.append(np.arange(a, b, RIM_STEP), b).astype(np.float64) for a, b in ((x0, x1), (y0, y1)))
        rim = [np.column_stack([x, np.full_like(x, at)]) for at in (y0, y1)]
        rim += [np.column_stack([np.full_like(y, at), y]) for at in (x0, x1)]
        points = self._bent.warp.forward(self.page.warp.inverse(np.concatenate(rim)))
        low, high = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
        width, height = self._bent.size
        left, top = np.clip(low, 0, (width - 1, height - 1)).astype(int)
        right, bottom = np.clip(high, (left + 1, top + 1), (width, height)).astype(int)
        return int(left), int(top), int(right), int(bottom)
