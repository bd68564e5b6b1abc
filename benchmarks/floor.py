"""The floor under a page's cost: bare calls of cairo and OpenCV that no way of drawing it can do without.

Cairo strokes and fills the page's paths, handed over as ready arrays; where the page bends, one ``cv2.remap`` with a
ready map; where the recipe adds Gaussian noise, the making of it; one encode of the finished pixels, by the encoder and
with the settings that are used.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cairocffi
import cv2
import numpy as np

from ecgvec.effects.sensor import GaussianNoise
from ecgvec.effects.tones import apply_lut, normal_bits, quantiles
from ecgvec.export.images import JPEG_QUALITY, png_settings
from ecgvec.geometry.units import pixel_size, px_per_mm
from ecgvec.graphics import raster
from ecgvec.graphics.shapes import Scene
from ecgvec.rendering.camera import page_dpi
from ecgvec.sheet import Sheet
from ecgvec.warp.lattice import Lattice
from ecgvec.warp.parts import generator


def milliseconds(work: Callable[[], object], rounds: int = 1) -> float:
    """CPU time of this thread, the least of some rounds."""
    spent = []
    for _ in range(rounds):
        begun = time.thread_time()
        work()
        spent.append(time.thread_time() - begun)
    return 1e3 * min(spent)


@dataclass
class Floor:
    """What cannot be saved, in ms by step."""

    steps: dict[str, float] = field(default_factory=dict)

    @property
    def whole(self) -> float:
        """All steps together."""
        return sum(self.steps.values())


def floor_of(sheet: Sheet, encoder: str = "png", rounds: int = 1) -> Floor:
    """The floor of one page; ``encoder``: ``png`` or ``jpg``."""
    found = Floor()
    bent = isinstance(sheet.warp, Lattice)
    dpi = sheet.plan.page.style.dpi
    drawn_at = page_dpi(sheet.warp, dpi) if isinstance(sheet.warp, Lattice) else dpi
    found.steps["strokes"] = milliseconds(strokes(sheet.scene, drawn_at), rounds)
    if bent:
        found.steps["remap"] = milliseconds(remap(sheet), rounds)
    for effect in sheet.plan.effects:
        if isinstance(effect, GaussianNoise):
            found.steps["noise"] = milliseconds(noise(sheet, effect), rounds)
    found.steps[encoder] = milliseconds(encode(sheet, encoder), rounds)
    return found


def strokes(scene: Scene, dpi: float) -> Callable[[], object]:
    """All paths of a page painted on white by cairo, from ready arrays."""
    width, height = pixel_size(scene.width, scene.height, dpi)
    marks = [(mark, raster.path_data(mark.path)) for mark in scene.shapes() if len(mark.path.codes)]

    def paint() -> object:
        surface = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, width, height)
        context = cairocffi.Context(surface)
        context.set_source_rgb(1, 1, 1)
        context.paint()
        context.scale(px_per_mm(dpi), px_per_mm(dpi))
        for mark, data in marks:
            raster.paint(context, mark, data)
        surface.flush()
        return surface

    return paint


def remap(sheet: Sheet) -> Callable[[], object]:
    """One bilinear remap of the page into an image of the sheet's size, with a ready map that turns and bends it."""
    height, width = sheet.image.shape[:2]
    page = np.ascontiguousarray(sheet.image)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    where = np.stack([x + 9 * np.sin(y / 300), y + 7 * np.sin(x / 400)], axis=-1).astype(np.float32)
    nothing: Any = None
    return lambda: cv2.remap(page, where, nothing, cv2.INTER_LINEAR)


def noise(sheet: Sheet, effect: GaussianNoise) -> Callable[[], object]:
    """So many normal numbers, in 8-bit levels."""
    table = np.rint(quantiles(effect.sigma)).astype(np.int16)
    return lambda: apply_lut(normal_bits(generator(effect.seed), sheet.image.shape), table)


def encode(sheet: Sheet, encoder: str) -> Callable[[], object]:
    """One encode of the image, its channels in OpenCV's order."""
    pixels = np.ascontiguousarray(sheet.image[:, :, ::-1])
    if encoder == "jpg":
        return lambda: cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return lambda: cv2.imencode(".png", pixels, png_settings())
