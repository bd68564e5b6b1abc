"""An ECG's vector page inside another SVG, and its labels there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from itertools import count
from types import MappingProxyType
from xml.etree import ElementTree

import numpy as np
from shapely import Polygon

from ecgvec import svg
from ecgvec._typing import Points
from ecgvec.embed.host import SVG, Host, after, read
from ecgvec.errors import SourceError
from ecgvec.geometry.affine import Affine
from ecgvec.graphics.shapes import AddedInfo, Scene, Shape
from ecgvec.record.beats import Beats
from ecgvec.rendering.labels.derive import derive
from ecgvec.rendering.labels.model import Labels
from ecgvec.rendering.labels.occlusion import occlude
from ecgvec.sheet import Sheet

# Said of every element by name, so that neither what it inherits from the host nor a rule of the host's own for all
# paths, or for a class, changes its look: what an SVG document starts with.
_FRESH = {
    "display": "inline",
    "visibility": "visible",
    "opacity": "1",
    "clip-path": "none",
    "mask": "none",
    "filter": "none",
    "fill": "#000000",
    "fill-opacity": "1",
    "fill-rule": "nonzero",
    "clip-rule": "nonzero",
    "stroke": "none",
    "stroke-width": "1",
    "stroke-opacity": "1",
    "stroke-linecap": "butt",
    "stroke-linejoin": "miter",
    "stroke-miterlimit": "4",
    "stroke-dasharray": "none",
    "stroke-dashoffset": "0",
}
_PAINTED = ("g", "path", "rect")
_PAPER = "paper"  # the role of the group that is the sheet itself
_PREFIX = re.compile(r"[A-Za-z_][\w.-]*")


@dataclass(frozen=True, eq=False)
class Inset:
    """An ECG in a page: its ``sheet``, all ids of which begin with ``prefix``, the map ``to_host`` from mm of its own
    paper to mm of the host's, and its labels ``on_paper``, in mm of its own paper. ``opaque``: nothing of the host
    shows through."""

    prefix: str
    sheet: Sheet
    to_host: Affine
    on_paper: Labels
    opaque: bool

    @cached_property
    def labels(self) -> Labels:
        """The labels in mm of the host's page, the pens' widths too. A trace's ``axes`` and ``clip`` stay in mm of the
        ECG's own paper: ``to_host(axes.to_page(t, mv))`` is where a sample lies."""
        moved = self.on_paper.transform(self.to_host)
        scale = float(np.hypot(self.to_host.a, self.to_host.b))
        traces = tuple(replace(trace, pen=scale * trace.pen) for trace in moved.traces)
        return replace(moved, traces=traces, ink_width=scale * moved.ink_width)

    @property
    def quad(self) -> Points:
        """The corners (4, 2) of its paper in mm of the host's page, from its own top left clockwise."""
        return self.to_host(self.on_paper.corners)


@dataclass(frozen=True, eq=False)
class Placed:
    """A host page with one more ECG in it: its text ``svg``, and the ECG as an ``inset``."""

    svg: str
    inset: Inset

    @property
    def labels(self) -> Labels:
        """The ECG's labels in mm from the top left corner of the host's page, see ``Inset.labels``."""
        return self.inset.labels


def place(
    page_svg: str,
    sheet: Sheet,
    x_mm: float,
    y_mm: float,
    width_mm: float,
    rotate: float = 0.0,
    prefix: str | None = None,
    paper: bool = True,
) -> Placed:
    """Put the vector page of ``sheet`` into the host ``page_svg``, above all that is there.

    Its top left corner is put ``x_mm``, ``y_mm`` from the host page's own, it is made ``width_mm`` wide, and then
    turned ``rotate`` degrees clockwise about its middle. It is cut at its paper's edge. Every id begins with ``prefix``
    (None: the first of ``ecg1-``, ``ecg2-`` ... that no id of the host begins with). Without ``paper`` its sheet and
    tinted ground are left out, and the host shows through. Of a bent or worn sheet, the page that it was made from is
    placed.

    SourceError where the host is no SVG, or has no size, and for a prefix that clashes.
    """
    host = read(page_svg)
    numbers = (x_mm, y_mm, width_mm, rotate)
    if not (np.isfinite(numbers).all() and width_mm > 0):
        raise SourceError(
            f"an ECG cannot be placed at x, y, width, rotate of {numbers}: give numbers, and a width above 0"
        )
    prefix = _free(host) if prefix is None else _checked(host, prefix)
    scene = prefix_ids(sheet.scene, prefix)
    groups = tuple(group for group in scene.groups if paper or group.role != _PAPER)
    own = replace(sheet, scene=replace(scene, groups=groups))
    to_host = _to_host(own.scene, x_mm, y_mm, width_mm, rotate)
    inset = Inset(prefix, own, to_host, page_labels(own), paper)
    return Placed(host.with_last(_fragment(inset, after(host.to_user, to_host))), inset)


def page_labels(sheet: Sheet) -> Labels:
    """The labels of a sheet's page in mm, before any warp: what its own marks hide is occluded, and nothing else."""
    known = sheet.labels
    beats = Beats(np.array([beat.t for beat in known.beats]), tuple(beat.symbol for beat in known.beats), "")
    labels = derive(sheet.scene, sheet.layout, beats, known.minor is not None)
    return occlude(labels, None, Polygon())


def prefix_ids(scene: Scene, prefix: str) -> Scene:
    """The scene with ``prefix`` before every id, and before what refers to one."""

    def mark(old: Shape) -> Shape:
        data, info = dict(old.data), old.info
        if "trace" in data:
            data["trace"] = prefix + data["trace"]
        if isinstance(info, AddedInfo) and info.trace is not None:
            info = replace(info, trace=prefix + info.trace)
        return replace(old, id=prefix + old.id, data=data, info=info)

    groups = (replace(g, id=prefix + g.id, shapes=tuple(map(mark, g.shapes))) for g in scene.groups)
    return replace(scene, groups=tuple(groups))


def _free(host: Host) -> str:
    names = (f"ecg{number}-" for number in count(1))
    return next(name for name in names if not any(known.startswith(name) for known in host.ids))


def _checked(host: Host, prefix: str) -> str:
    if not _PREFIX.fullmatch(prefix):
        raise SourceError(
            f"prefix is '{prefix}': begin it with a letter, and write letters, digits, '-', '.' and '_' alone"
        )
    clash = min((known for known in host.ids if known.startswith(prefix)), default=None)
    if clash is not None:
        raise SourceError(f"prefix is '{prefix}', with which the host's id '{clash}' begins: choose another, or None")
    return prefix


def _to_host(scene: Scene, x: float, y: float, width: float, rotate: float) -> Affine:
    """mm of the ECG's paper -> mm of the host's page."""
    scale, angle = width / scene.width, np.radians(rotate)
    c, s = float(np.cos(angle)), float(np.sin(angle))
    half_w, half_h = width / 2, scale * scene.height / 2
    e, f = x + half_w - (c * half_w - s * half_h), y + half_h - (s * half_w + c * half_h)
    return Affine(scale * c, scale * s, -scale * s, scale * c, e, f)


def _fragment(inset: Inset, to_user: Affine) -> str:
    """The page as a group: nothing of its look is left to the host's styles, which beat attributes but not
    ``style``."""
    scene, prefix = inset.sheet.scene, inset.prefix
    page = ElementTree.fromstring(svg.write(scene).encode("utf-8"))
    for element in page.iter():
        element.tag = element.tag.rpartition("}")[2]
        if element.tag in _PAINTED:
            look = {key: element.attrib.pop(key) for key in _FRESH if key in element.attrib}
            element.set("style", style_attribute(look))
    group = ElementTree.Element("g", {"xmlns": SVG, "id": f"{prefix}embedded", "class": "ecgvec-page"})
    group.attrib |= {"transform": matrix(to_user), "style": style_attribute()}
    size = {"x": "0", "y": "0", "width": f"{scene.width:.10g}", "height": f"{scene.height:.10g}"}
    edge = ElementTree.SubElement(ElementTree.SubElement(group, "defs"), "clipPath", {"id": f"{prefix}embedded-edge"})
    ElementTree.SubElement(edge, "rect", size | {"style": style_attribute()})
    cut = ElementTree.SubElement(group, "g", {"style": style_attribute({"clip-path": f"url(#{prefix}embedded-edge)"})})
    cut.extend(list(page))
    return ElementTree.tostring(group, encoding="unicode")


def matrix(affine: Affine) -> str:
    """A map as SVG's ``transform``."""
    return f"matrix({' '.join(f'{value:.12g}' for value in astuple(affine))})"


def style_attribute(look: Mapping[str, str] = MappingProxyType({})) -> str:
    """``look``, presentation properties, as the attribute ``style`` of an element, which a host's rules do not beat."""
    return ";".join(f"{key}:{value}" for key, value in {**_FRESH, **look}.items())
