"""One image on disk as a digitiser may know it: pixels, warp, panels, gain and pen, but none of the values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ecgvec._typing import Float64Array, Points
from ecgvec.errors import SourceError
from ecgvec.export.read import SavedPage, load
from ecgvec.geometry.units import pixel_size
from ecgvec.layout.place import Axes, Layout
from ecgvec.planning.model import Plan
from ecgvec.rendering.camera import View
from ecgvec.rendering.labels.model import TextLabel, TraceLabel
from ecgvec.warp.base import Flat, Warp, local_scale
from ecgvec.warp.lattice import Lattice


@dataclass(frozen=True)
class Strip:
    """Where one lead is drawn: a trace's label without its values. ``first`` is the record's sample at which it
    starts, ``count`` how many follow, ``clip`` what the ink is cut to, in page mm (None: it runs free)."""

    id: str
    lead: str
    rhythm: bool
    axes: Axes
    first: int
    count: int
    fs: float
    clip: tuple[float, float, float, float] | None

    @property
    def t(self) -> Float64Array:
        """Times (n,) of the samples in s from the record's start."""
        times: Float64Array = np.arange(self.first, self.first + self.count, dtype=np.float64) / self.fs
        return times

    def to_image(self, mv: Float64Array, warp: Warp) -> Points:
        """Image px (n, 2) of voltages (n,) in mV, one a sample."""
        return warp.forward(self.axes.to_page(self.t, mv))


@dataclass(frozen=True)
class Text:
    """A text of the page: its role, its string and the top-left corner of its ink, in page mm."""

    id: str
    role: str
    text: str
    corner: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Page:
    """An image as a digitiser may know it: what was ``saved``, how the page is seen, strips, texts, and the rings
    (n, 2) px of what was ``added`` to the print, marks and handwritten notes."""

    saved: SavedPage
    view: View
    size: tuple[int, int]
    strips: tuple[Strip, ...]
    names: tuple[Text, ...]
    added: tuple[Points, ...]

    @property
    def path(self) -> Path:
        """The image's JSON."""
        return self.saved.path

    @property
    def plan(self) -> Plan:
        """Everything that was drawn."""
        return self.saved.plan

    @property
    def layout(self) -> Layout:
        """The page in mm."""
        return self.saved.layout

    @property
    def files(self) -> Mapping[str, str]:
        """The image's other files, with their SHA-256."""
        return self.saved.files

    @property
    def warp(self) -> Flat | Lattice:
        """The map between page mm and image px."""
        return self.view.warp

    @property
    def pen(self) -> float:
        """Width of the trace's pen in px, where the first strip starts."""
        axes = self.strips[0].axes
        return float(self.pens(np.array([[axes.x0, axes.zero_y]]))[0])

    def pens(self, points: Points) -> Float64Array:
        """Width (n,) in px of the trace's pen at page points (n, 2) mm."""
        scales = local_scale(self.warp, points)
        return np.asarray(self.plan.page.style.trace_width * np.sqrt(scales[:, 0] * scales[:, 1]))

    def straight(self, dpi: float) -> Page:
        """The same page seen straight on at ``dpi``, all of the paper and no more."""
        width, height = self.layout.width, self.layout.height
        return replace(self, view=View(Flat((0.0, 0.0, width, height), dpi)), size=pixel_size(width, height, dpi))


def read_page(path: Path) -> Page:
    """The sidecar JSON ``path``. A flat page's map is the JSON's homography, a bent one's is built from the plan again.

    SourceError for a file that is no sidecar, or whose map is not that of its plan.
    """
    saved = load(path, samples=False)
    labels, warp = saved.labels, saved.warp
    strips = tuple(_strip(label, saved.layout, saved.plan) for label in labels.traces)
    if not strips:
        raise SourceError(f"{path} has no trace: there is nothing to verify")
    names = tuple(_name(label, warp) for label in labels.texts if label.role == "lead-name")
    added = [mark.ring for mark in labels.marks] + [text.hull for text in labels.texts if text.role == "note"]
    return Page(saved, saved.view, saved.size, strips, names, tuple(added))


def shift_page(page: Page, shift: tuple[float, float]) -> Page:
    """The same flat page where the image shows it ``shift`` (x, y) px further right and down; a bent one as it is."""
    warp = page.warp
    if not isinstance(warp, Flat) or shift == (0.0, 0.0):
        return page
    scale = warp.affine.a
    x0, y0, x1, y1 = warp.frame
    dx, dy = shift[0] / scale, shift[1] / scale
    return replace(page, view=View(Flat((x0 - dx, y0 - dy, x1 - dx, y1 - dy), warp.dpi)))


def _strip(label: TraceLabel, layout: Layout, plan: Plan) -> Strip:
    panels = [p for p in layout.panels if (p.row, p.column, p.rhythm) == (label.row, label.column, label.rhythm)]
    style, cut = plan.page.style, None
    if style.clip and panels:  # above and below only: the round ends of the line stay whole
        x0, y0, x1, y1 = panels[0].box
        cut = (x0 - style.trace_width, y0, x1 + style.trace_width, y1)
    return Strip(label.id, label.lead, label.rhythm, label.axes, label.first_sample, label.samples, label.fs, cut)


def _name(label: TextLabel, warp: Warp) -> Text:
    corner = warp.inverse(label.quad[:1])[0]
    return Text(label.id, label.role, label.text, (float(corner[0]), float(corner[1])))
