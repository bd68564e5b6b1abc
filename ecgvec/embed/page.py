"""A page with ECGs and texts in it: a letter, a form, a scan of a book, as one SVG with all its labels in mm."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from itertools import count
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ecgvec import svg
from ecgvec._typing import Points
from ecgvec.embed.drawing import Drawing, slice_hulls
from ecgvec.embed.host import SVG, read
from ecgvec.embed.place import Inset, matrix, place, style_attribute
from ecgvec.errors import SourceError
from ecgvec.geometry.affine import Affine
from ecgvec.geometry.path import bounds, dense_ring, hull
from ecgvec.graphics.shapes import TextInfo, text_shape
from ecgvec.rendering.labels.derive import corners
from ecgvec.rendering.labels.model import TextLabel
from ecgvec.sheet import Sheet

HOST_TEXT = "host-text"
_NAME = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True, eq=False, repr=False)
class Page:
    """A host page: its text ``svg``, its ``name`` (which names files, and keys chance), and what on it has labels, in
    the order of painting: ECGs, and the host's texts with places in mm from its top left corner."""

    name: str
    svg: str
    labelled: tuple[Inset | TextLabel, ...]

    @cached_property
    def drawing(self) -> Drawing:
        """The page, ready to be drawn."""
        return Drawing(read(self.svg))

    @property
    def width(self) -> float:
        """mm."""
        return self.drawing.width

    @property
    def height(self) -> float:
        """mm."""
        return self.drawing.height

    def __repr__(self) -> str:
        return f"<Page {self.name}: {len(self.insets)} ECGs, {len(self.texts)} texts>"

    @property
    def insets(self) -> tuple[Inset, ...]:
        """Its ECGs."""
        return tuple(item for item in self.labelled if isinstance(item, Inset))

    @property
    def texts(self) -> tuple[TextLabel, ...]:
        """The host's texts, of role ``host-text``."""
        return tuple(item for item in self.labelled if isinstance(item, TextLabel))

    def with_ecg(
        self,
        sheet: Sheet,
        x_mm: float,
        y_mm: float,
        width_mm: float,
        rotate: float = 0.0,
        prefix: str | None = None,
        paper: bool = True,
    ) -> Page:
        """The page with an ECG in it, see ``place``."""
        placed = place(self.svg, sheet, x_mm, y_mm, width_mm, rotate, prefix, paper)
        return replace(self, svg=placed.svg, labelled=(*self.labelled, placed.inset))

    def with_text(
        self,
        text: str,
        at: tuple[float, float],
        size: float = 4.0,
        face: str = "serif",
        color: str = "#000000",
        align: Literal["left", "right", "middle"] = "left",
    ) -> Page:
        """The page with a line of text, its baseline starting, ending or centred ``at`` (x, y mm); ``size`` is the em
        in mm, ``face`` one of the shipped ones. It is drawn as outlines, so that every program shows the same. Nothing
        is added for a text of blanks."""
        return self.with_texts([text], at, 0.0, size, face, color, align)

    def with_texts(
        self,
        lines: Iterable[str],
        at: tuple[float, float],
        pitch: float,
        size: float = 4.0,
        face: str = "serif",
        color: str = "#000000",
        align: Literal["left", "right", "middle"] = "left",
    ) -> Page:
        """The same for lines ``pitch`` mm below one another."""
        host = read(self.svg)
        names = (name for name in (f"host-text-{number}" for number in count(1)) if name not in host.ids)
        elements: list[str] = []
        labels: list[TextLabel] = []
        for row, line in enumerate(lines):
            mark = text_shape("", HOST_TEXT, line, (at[0], at[1] + row * pitch), (face, size, color), align)
            if mark is None:
                continue
            assert isinstance(mark.info, TextInfo)
            name, order = next(names), len(self.texts) + len(labels)
            labels.append(_label(name, mark.info.text, order, mark.info.outline.points))
            look = style_attribute(svg.pen_attributes(mark.pen))
            words = escape(mark.info.text)
            elements.append(
                f'<path id="{name}" class="{HOST_TEXT}" role="img" aria-label="{words}" style="{look}" '
                f'd="{mark.path.svg_d()}"><title>{words}</title></path>'
            )
        if not labels:
            return self
        group = (
            f'<g xmlns="{SVG}" transform="{matrix(host.to_user)}" style="{style_attribute()}">{"".join(elements)}</g>'
        )
        return replace(self, svg=host.with_last(group), labelled=(*self.labelled, *labels))


def page(
    host_svg: str, name: str = "page", texts: Mapping[str, ArrayLike] | Sequence[tuple[str, ArrayLike]] | None = None
) -> Page:
    """A host page that has no ECG yet.

    The places of its texts are measured (``texts`` None): each ``<text>`` is drawn alone, and its ink's box found to
    0.05 mm. Or they are given, as (words, corners (4, 2) in mm, from the top left clockwise as read). Texts that are
    pixels, outlines, or lie in a ``foreignObject``, are nobody's labels unless they are given. SourceError where the
    host is no SVG, or has no size.
    """
    if not _NAME.fullmatch(name):
        raise SourceError(f"the page's name is '{name}', and files are named by it: write letters, digits, '-' and '_'")
    host = read(host_svg)
    drawing = Drawing(host)
    if texts is None:
        return Page(name, host_svg, tuple(_measured(drawing, host.ids)))
    given = texts.items() if isinstance(texts, Mapping) else texts
    labels = [_given(number, words, quad) for number, (words, quad) in enumerate(given)]
    return Page(name, host_svg, tuple(labels))


def _measured(drawing: Drawing, ids: Container[str]) -> Iterable[TextLabel]:
    free = (name for name in (f"text-{number}" for number in count(1)) if name not in ids)
    order = 0
    for number, (name, words) in enumerate(drawing.texts):
        measured = drawing.outline(number) if words else None
        if measured is not None:
            yield _label(name or next(free), words, order, *measured)
            order += 1


def _given(number: int, words: str, quad: ArrayLike) -> TextLabel:
    points = np.asarray(quad, dtype=np.float64)
    if points.shape != (4, 2) or not np.isfinite(points).all():
        raise SourceError(f"the place of the text '{words}' is no quad: give four corners x, y in mm")
    ring = dense_ring(points)
    return TextLabel(f"text-{number + 1}", HOST_TEXT, words, number, points, points, ring)


def _label(name: str, words: str, order: int, points: Points, angle: float = 0.0) -> TextLabel:
    """The label of a text with ink around ``points`` (n, 2) mm, turned clockwise by ``angle`` radians."""
    turned = Affine(np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle))
    quad = turned(corners(bounds(turned.inverse()(points))))
    return TextLabel(name, HOST_TEXT, words, order, quad, hull(points), slice_hulls(points))
