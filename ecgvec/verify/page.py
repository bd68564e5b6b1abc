"""One image on disk as a digitiser may know it: pixels, warp, panels, gain and pen, but none of the values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ecgvec._typing import Float64Array, Image, Points
from ecgvec.errors import SourceError, one_line
from ecgvec.export.native import read_sidecar
from ecgvec.geometry.units import MM_PER_INCH, pixel_size
from ecgvec.layout.place import Axes, Layout, place
from ecgvec.planning.model import Plan
from ecgvec.rendering.camera import View, compute_view
from ecgvec.warp.base import Flat, Warp, local_scale
from ecgvec.warp.lattice import Lattice
from ecgvec.warp.parts import Paper


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
    """An image's sidecar: plan, layout, how the page is seen, strips, texts, the rings (n, 2) px of what was
    ``added`` to the print, marks and handwritten notes, files with their SHA-256."""

    path: Path
    plan: Plan
    layout: Layout
    view: View
    size: tuple[int, int]
    strips: tuple[Strip, ...]
    names: tuple[Text, ...]
    added: tuple[Points, ...]
    files: Mapping[str, str]

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

    def file(self, suffix: str) -> Path | None:
        """The image's file of that suffix ('.png', '.npz') beside the JSON, or None where the JSON lists none."""
        name = self.path.stem + suffix
        return self.path.parent / name if name in self.files else None


def read_page(path: Path) -> Page:
    """The sidecar JSON ``path``. A flat page's map is the JSON's homography, a bent one's is built from the plan again.

    SourceError for a file that is no sidecar, or whose map is not that of its plan.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read ({one_line(error)}): give the JSON beside an image") from None
    plan, files = read_sidecar(text, str(path))
    document = json.loads(text)
    try:
        image, labels, layout = document["image"], document["labels"], place(plan.page)
        size = (int(image["width"]), int(image["height"]))
        view = _view_of(image, size, plan, layout, str(path))
        strips = tuple(_strip(label, layout, plan) for label in labels["traces"])
        names = tuple(_name(label, view.warp) for label in labels["texts"] if label["role"] == "lead-name")
        rings = [label["ring"] for label in labels["marks"]]
        rings += [label["hull"] for label in labels["texts"] if label["role"] == "note"]
        added = tuple(np.array(ring, dtype=np.float64) for ring in rings)
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(f"{path} is not a whole sidecar JSON ({error}): render the image anew") from None
    if not strips:
        raise SourceError(f"{path} has no trace: there is nothing to verify")
    return Page(path, plan, layout, view, size, strips, names, added, files)


def _view_of(image: Mapping[str, Any], size: tuple[int, int], plan: Plan, layout: Layout, name: str) -> View:
    """How the image shows the page. SourceError where the JSON says otherwise than its plan."""
    if image["flat"]:
        return View(flat_warp(image["homography"], size, name))
    view = compute_view(plan, Paper(layout.width, layout.height))
    if not isinstance(view.warp, Lattice) or view.warp.size != size:
        raise SourceError(f"{name}: the plan gives another page than the JSON says: render the image anew")
    return view


def flat_warp(homography: list[list[float]], size: tuple[int, int], name: str) -> Flat:
    """The map of a page seen straight on, from its 3 x 3 homography (page mm -> image px). SourceError for another."""
    (a, c, e), (b, d, f), last = homography
    if [b, c, *last] != [0.0, 0.0, 0.0, 0.0, 1.0] or a != d or a <= 0:
        raise SourceError(f"{name}: the JSON calls a page flat that its homography bends or turns: render it anew")
    return Flat((-e / a, -f / a, (size[0] - e) / a, (size[1] - f) / a), a * MM_PER_INCH)


def shift_page(page: Page, shift: tuple[float, float]) -> Page:
    """The same flat page where the image shows it ``shift`` (x, y) px further right and down; a bent one as it is."""
    warp = page.warp
    if not isinstance(warp, Flat) or shift == (0.0, 0.0):
        return page
    scale = warp.affine.a
    x0, y0, x1, y1 = warp.frame
    dx, dy = shift[0] / scale, shift[1] / scale
    return replace(page, view=View(Flat((x0 - dx, y0 - dy, x1 - dx, y1 - dy), warp.dpi)))


def _strip(label: Mapping[str, Any], layout: Layout, plan: Plan) -> Strip:
    panels = [p for p in layout.panels if (p.row, p.column, p.rhythm) == tuple(label[k] for k in _PANEL_KEYS)]
    style, cut = plan.page.style, None
    if style.clip and panels:  # above and below only: the round ends of the line stay whole
        x0, y0, x1, y1 = panels[0].box
        cut = (x0 - style.trace_width, y0, x1 + style.trace_width, y1)
    return Strip(
        id=label["id"],
        lead=label["lead"],
        rhythm=label["rhythm"],
        axes=Axes(**label["axes"]),
        first=label["first_sample"],
        count=label["samples"],
        fs=label["fs"],
        clip=cut,
    )


_PANEL_KEYS = ("row", "column", "rhythm")


def _name(label: Mapping[str, Any], warp: Warp) -> Text:
    corner = warp.inverse(np.array([label["quad"][0]], dtype=np.float64))[0]
    return Text(label["id"], label["role"], label["text"], (float(corner[0]), float(corner[1])))


def read_image(path: Path, size: tuple[int, int]) -> Image:
    """An image as (H, W, 3) uint8 RGB. SourceError where it cannot be read, or has not the ``size`` of its JSON."""
    data = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if data is None:
        raise SourceError(f"{path} cannot be read as an image: render it anew")
    height, width = data.shape[:2]
    if (width, height) != size:
        raise SourceError(f"{path} has {width} x {height} px, its JSON says {size[0]} x {size[1]}: render it anew")
    return np.ascontiguousarray(data[:, :, ::-1]).astype(np.uint8, copy=False)
