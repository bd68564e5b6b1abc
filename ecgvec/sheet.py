"""A Sheet: what flows from the rasteriser to the exporters. Pixels, labels, and the map between page and image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgvec import svg
from ecgvec.annotations.model import Annotations
from ecgvec.layout.place import Layout
from ecgvec.plan.model import Plan
from ecgvec.raster import draw
from ecgvec.scene.nodes import Scene
from ecgvec.warp.base import Flat


@dataclass(frozen=True, eq=False, repr=False)
class Sheet:
    """One image with all that is known of it.

    ``image`` is (H, W, 3) uint8 RGB; ``annotations`` are in image pixels; ``warp`` maps page mm to image px and back;
    ``plan`` is everything that was drawn; ``scene`` and ``layout`` are the page in mm, before the warp. ``signals`` is
    the window of the record that the page was made from, (samples, leads) mV, its columns named by ``signal_leads``.
    """

    plan: Plan
    layout: Layout
    scene: Scene
    warp: Flat
    image: NDArray[np.uint8]
    annotations: Annotations
    signals: NDArray[np.float64]
    signal_leads: tuple[str, ...]

    @cached_property
    def svg(self) -> str:
        """The vector page, before the warp, in real millimetres."""
        return svg.write(self.scene)

    @property
    def truth(self) -> Scene:
        """The same page with its traces alone: no grid, no text, no artefact."""
        return self.scene.only({"trace"})

    @cached_property
    def truth_image(self) -> NDArray[np.uint8]:
        """``truth`` as pixels, (H, W, 3) uint8 RGB on white."""
        return draw(self.truth, self.warp.dpi, self.warp.frame)

    def save(self, folder: str | Path, formats: Iterable[str] | None = None) -> list[Path]:
        """Write the sheet into ``folder`` (made if absent) in these formats; returns the files.

        ExportError for an unknown format, or where the folder cannot be written; then none of the files is left.
        """
        from ecgvec.export.write import write_sheets

        return write_sheets([self], Path(folder), formats)

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        return f"<Sheet {self.plan.stem}: {width} x {height} px, {len(self.annotations.traces)} traces>"
