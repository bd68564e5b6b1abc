"""What lies on a page: dyes, paint and shade, kept apart from the page, so that the same layers can be laid on it and,
to measure what they hide, on bare paper and on ink."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np

from ecgvec._typing import BoolArray, Float32Array, Float64Array, Image, Uint8Array
from ecgvec.effects.base import OnPaper
from ecgvec.effects.dyes import Dye, dye_levels, dye_tables, dyed
from ecgvec.effects.texture import Patch
from ecgvec.effects.tones import bands
from ecgvec.warp.parts import Bend, Paper


@dataclass(frozen=True, eq=False)
class Dyed:
    """A dye's density ``levels`` (h, w) on a patch, and its ``tables`` (3, 256)."""

    patch: Patch
    levels: Uint8Array
    tables: Uint8Array

    def on(self, page: Image) -> None:
        """Dyes the page (H, W, 3), in place."""
        seen = page[self.patch.rows, self.patch.columns]
        for rows in bands(len(seen)):
            dyed(seen[rows], self.levels[rows], self.tables)


@dataclass(frozen=True, eq=False)
class Painted:
    """Paint on those n pixels of a patch that are ``where`` (h, w): its ``share`` (n, 1), and its ``colour`` (n, 3) or
    (1, 3) in sRGB."""

    patch: Patch
    where: BoolArray
    share: Float32Array
    colour: Float32Array

    def on(self, page: Image) -> None:
        """Mixes the paint into the page (H, W, 3), in place."""
        seen = page[self.patch.rows, self.patch.columns]
        old = seen[self.where].astype(np.float32)
        new = old + self.share * (self.colour - old) + np.float32(0.5)
        seen[self.where] = np.clip(new, 0, 255).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Shaded:
    """Shade on a patch: of the sRGB there ``levels`` (h, w) of 255 are left."""

    patch: Patch
    levels: Uint8Array

    def on(self, page: Image) -> None:
        """Shades the page (H, W, 3), in place."""
        seen = page[self.patch.rows, self.patch.columns]
        seen[:] = cv2.multiply(seen, cv2.merge([self.levels] * 3), scale=1 / 255)


@dataclass(eq=False)
class Layers:
    """Layers for a page of that ``shape`` (H, W), the first one lowest."""

    shape: tuple[int, int]
    found: list[Dyed | Painted | Shaded] = field(default_factory=list)

    def dye(self, patch: Patch, density: Float32Array, absorbs: Dye) -> None:
        """Dyes a patch of the page to a ``density`` (h, w) of 0 to 1, by Lambert and Beer's law: what is under a dye is
        seen through it."""
        self.dye_by(patch, lambda rows: density[rows], absorbs)

    def dye_by(self, patch: Patch, density: Callable[[slice], Float32Array], absorbs: Dye) -> None:
        """The same, with ``density`` of some of the patch's rows at a time."""
        levels = np.empty((len(patch.y), len(patch.x)), dtype=np.uint8)
        for rows in bands(len(levels)):
            levels[rows] = dye_levels(density(rows))
        self.found.append(Dyed(patch, levels, dye_tables(absorbs)))

    def paint(self, patch: Patch, share: Float32Array | Float64Array, colour: Float32Array | Float64Array) -> None:
        """Mixes ``colour`` (h, w, 3) or (3,), sRGB 0 to 255, into a patch of the page: ``share`` (h, w) of it."""
        where = share > 0
        new = colour[where] if colour.ndim == 3 else colour[None]
        self.found.append(Painted(patch, where, share[where][:, None].astype(np.float32), new.astype(np.float32)))

    def shade(self, patch: Patch, gain: Float32Array | Float64Array) -> None:
        """Multiplies the sRGB of a patch of the page by ``gain`` (h, w), 0 to 1."""
        self.found.append(Shaded(patch, np.rint(np.clip(gain, 0, 1) * 255).astype(np.uint8)))

    def on(self, page: Image) -> None:
        """Lays all of them on the page (H, W, 3), in place."""
        for layer in self.found:
            layer.on(page)


class Covering(OnPaper):
    """An effect that lays something on the page, whatever is printed there."""

    @abstractmethod
    def lay(self, layers: Layers, scale: float, paper: Paper) -> None:
        """Adds its layers to those for a page at ``scale`` px/mm."""

    def applied(self, page: Image, scale: float, paper: Paper, bends: tuple[Bend, ...]) -> Image:
        """The page (H, W, 3) with its layers; the very same array where it has none."""
        layers = laid((page.shape[0], page.shape[1]), self, scale, paper)
        if not layers.found:
            return page
        changed = page.copy()
        layers.on(changed)
        return changed


@lru_cache(maxsize=4)  # of a page: they are wanted when it is measured what they hide, and again when it is drawn
def laid(shape: tuple[int, int], effect: Covering, scale: float, paper: Paper) -> Layers:
    """What an effect lays on a page of that ``shape``."""
    layers = Layers(shape)
    effect.lay(layers, scale, paper)
    return layers
