"""A Sheet: what flows from the rasteriser to the exporters. Pixels, labels, and the map between page and image."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from shapely.geometry.base import BaseGeometry

from ecgvec import svg
from ecgvec._typing import Float64Array, Uint8Array
from ecgvec.errors import brief
from ecgvec.graphics.shapes import Scene
from ecgvec.layout.place import Layout
from ecgvec.planning.model import Plan
from ecgvec.rendering import warped_svg
from ecgvec.rendering.camera import View, render_pixels
from ecgvec.rendering.labels.model import Labels
from ecgvec.warp.base import Flat
from ecgvec.warp.lattice import Lattice
from ecgvec.warp.parts import Paper


@dataclass(frozen=True)
class Views:
    """What a sheet can be turned into. Whoever makes a sheet hands them in, so that a sheet knows no format: ``save``
    takes (sheets, folder, formats) and gives the files, ``png`` and ``html`` give what notebooks show."""

    save: Callable[[Iterable[Sheet], Path, Iterable[str] | None], list[Path]]
    png: Callable[[Sheet], bytes]
    html: Callable[[Sheet], str]


@dataclass(frozen=True, eq=False, repr=False)
class Sheet:
    """One image with all that is known of it.

    ``image`` is (H, W, 3) uint8 RGB; ``labels`` are in image pixels; ``view`` is how the page is seen,
    ``warp`` its map from page mm to image px and back; ``plan`` is everything that was drawn; ``scene`` and
    ``layout`` are the page in mm, before the warp; ``covered`` is what effects cover of it, in page mm. ``signals``
    is the window of the record that the page was made from, (samples, leads) mV, its columns named by
    ``signal_leads``.
    """

    plan: Plan
    layout: Layout
    scene: Scene
    view: View
    image: Uint8Array
    labels: Labels
    covered: BaseGeometry
    signals: Float64Array
    signal_leads: tuple[str, ...]
    views: Views

    @property
    def warp(self) -> Flat | Lattice:
        """The map from page mm to image px and back."""
        return self.view.warp

    @property
    def paper(self) -> Paper:
        """The page's size in mm."""
        return Paper(self.scene.width, self.scene.height)

    @property
    def homography(self) -> Float64Array:
        """The map (3, 3) from page mm to image px; of a bent page, that of the flat page which comes nearest."""
        if isinstance(self.warp, Lattice):
            return np.asarray(self.warp.homography / self.warp.homography[2, 2])
        m = self.warp.affine
        return np.array([[m.a, m.c, m.e], [m.b, m.d, m.f], [0.0, 0.0, 1.0]])

    @cached_property
    def svg(self) -> str:
        """The vector page, before the warp, in real millimetres."""
        return svg.write(self.scene)

    @cached_property
    def warped_svg(self) -> str:
        """The vector page as the image shows it, bent, in image px; no effect touches it."""
        return warped_svg.write(self.scene, self.warp)

    @property
    def trace_scene(self) -> Scene:
        """The same page with its traces alone, whole: no grid, no text, no artefact."""
        scene = self.scene.only({"trace"})
        groups = [
            replace(g, shapes=tuple(replace(m, pen=replace(m.pen, dash=())) for m in g.shapes)) for g in scene.groups
        ]
        return replace(scene, groups=tuple(groups))

    @cached_property
    def trace_image(self) -> Uint8Array:
        """``trace_scene`` as pixels, (H, W, 3) uint8 RGB on white, bent as the image is; no effect touches it."""
        return render_pixels(self.trace_scene, self.view, self.plan.page.style.dpi)

    def save(self, folder: str | Path, formats: Iterable[str] | None = None) -> list[Path]:
        """Write the sheet into ``folder`` (made if absent) in these formats; returns the files.

        ExportError for an unknown format, or where the folder cannot be written; then none of the files is left.
        """
        return self.views.save([self], Path(folder), formats)

    def _repr_png_(self) -> bytes:
        """What notebooks show: the image, at the most 1600 px wide."""
        return self.views.png(self)

    def _repr_html_(self) -> str:
        """What notebooks show: the image with its labels over it, in layers that can be switched on and off."""
        return self.views.html(self)

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        return f"<Sheet {brief(self.plan.stem, 60)}: {width} x {height} px, {len(self.labels.traces)} traces>"
