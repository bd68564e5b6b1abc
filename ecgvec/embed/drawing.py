"""A host page drawn by CairoSVG, the same at every resolution, and each of its texts alone.

Left to itself, cairo sets text anew for each resolution: it rounds each letter's advance to whole pixels, so a line may
end 2 mm further on at one resolution than at another, and it shifts letters to whole pixels. Here advances are those of
the font, and text is filled as outlines: boxes that were measured once stay true.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import cairocffi
import cairosvg.parser
import cairosvg.surface
import cv2
import numpy as np

from ecgvec._typing import BoolArray, Float64Array, Image, Points
from ecgvec.embed.host import Host
from ecgvec.errors import SourceError, one_line
from ecgvec.geometry.path import hull_corners
from ecgvec.geometry.units import MM_PER_INCH, pixel_size, px_per_mm
from ecgvec.graphics.raster import LARGEST_PX

MEASURED = 40.0  # px/mm at which a text's ink is measured
INKED = 0.25  # of a text's densest ink, from which a pixel counts as ink
SLICE_MM = 3.0  # of a text, whose hull stands for its ink
_CSS_DPI = 96.0  # an SVG's px is 1/96 inch
_TEXT = "text"
_SHAPES = frozenset(["path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "image", "use"])


class _Outlines(cairocffi.Context):  # type: ignore[misc]
    """A context that sets text by the font's own advances and fills it as outlines. CairoSVG adds the letters of a text
    to the path, and then shows them one by one: the first that it shows fills all. ``along``: the direction (x, y) in
    which the first letter was set."""

    _waiting = False
    along: tuple[float, float] | None = None

    def set_font_options(self, font_options: Any) -> None:
        font_options.set_hint_style(cairocffi.HINT_STYLE_NONE)
        font_options.set_hint_metrics(cairocffi.HINT_METRICS_OFF)
        super().set_font_options(font_options)

    def text_path(self, text: str) -> None:
        super().text_path(text)
        self._waiting = True

    def show_text(self, text: str) -> None:
        if self._waiting:
            self.fill_preserve()
            self._waiting = False
        if self.along is None:
            self.along = self.user_to_device_distance(1, 0)


class _Surface(cairosvg.surface.PNGSurface):  # type: ignore[misc]
    """What CairoSVG draws at ``dpi`` on ``target``. ``only``: the number of the one text that is painted, alone (None:
    the whole page)."""

    def __init__(self, tree: Any, dpi: float, target: Any, only: int | None) -> None:
        self.only, self._within, self._target = only, False, target
        self.texts: list[tuple[str, str]] = []
        super().__init__(tree, None, _CSS_DPI, scale=dpi / _CSS_DPI)

    def _create_surface(self, width: float, height: float) -> tuple[Any, float, float]:
        return self._target, width, height

    @property
    def context(self) -> Any:
        return self._context

    @context.setter
    def context(self, _: Any) -> None:
        self._context = _Outlines(self.cairo)
        self._context.set_font_options(cairocffi.FontOptions())

    def draw(self, node: Any) -> None:
        """CairoSVG's own, which sets caps, joins and dashes where a node has some, and never back."""
        own = self.stroke_and_fill and not self._within  # not of a clip path, a text, or what a use shows
        if own and node.tag == _TEXT:
            self.texts.append((node.get("id", ""), _words(node)))
        other = node.tag in _SHAPES or (node.tag == _TEXT and len(self.texts) - 1 != self.only)
        if own and other and self.only is not None:
            return
        self.context.set_line_cap(cairocffi.LINE_CAP_BUTT)
        self.context.set_line_join(cairocffi.LINE_JOIN_MITER)
        self.context.set_dash([])
        entered = own and node.tag in (_TEXT, "use")
        self._within = self._within or entered
        super().draw(node)
        self._within = self._within and not entered


def _words(node: Any) -> str:
    """What a text says, in one line."""
    said = [node.text or "", *(_words(child) for child in node.children)]
    return " ".join(" ".join(said).split())


class Drawing:
    """A host page, ready to be drawn at any resolution, and its own texts."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.width, self.height = host.width, host.height

    def _drawn(self, dpi: float, target: Any, only: int | None = None) -> _Surface:
        try:
            tree = cairosvg.parser.Tree(bytestring=self._host.svg.encode("utf-8"))
            return _Surface(tree, dpi, target, only)
        except Exception as error:  # CairoSVG raises whatever its parsers raise
            raise SourceError(
                f"the host page cannot be drawn ({one_line(error)}): check that it is a whole SVG document"
            ) from error

    @cached_property
    def texts(self) -> list[tuple[str, str]]:
        """The id ("" where it has none) and the words of each ``<text>`` that is painted, in the order of painting."""
        return self._drawn(_CSS_DPI, _unbounded()).texts

    def draw(self, dpi: float, frame: tuple[float, float, float, float] | None = None) -> Image:
        """The page as pixels, (height, width, 3) uint8 sRGB on white; ``frame`` as in ``raster.draw``."""
        x0, y0, x1, y1 = frame if frame is not None else (0.0, 0.0, self.width, self.height)
        width, height = pixel_size(x1 - x0, y1 - y0, dpi)
        if max(width, height) > LARGEST_PX:
            raise SourceError(
                f"a page of {self.width:.0f} x {self.height:.0f} mm has {width} x {height} pixels at {dpi:g} dpi, "
                f"cairo holds {LARGEST_PX}: lower dpi"
            )
        surface = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, width, height)
        surface.set_device_offset(-x0 * px_per_mm(dpi), -y0 * px_per_mm(dpi))
        context = cairocffi.Context(surface)
        context.set_source_rgb(1, 1, 1)
        context.paint()
        self._drawn(dpi, surface)
        surface.flush()
        rows = np.frombuffer(surface.get_data(), dtype=np.uint8).reshape(height, surface.get_stride())
        return np.asarray(cv2.cvtColor(rows[:, : 4 * width].reshape(height, width, 4), cv2.COLOR_BGRA2RGB))

    def outline(self, number: int) -> tuple[Points, float] | None:
        """Points (n, 2), mm, around the ink of text ``number``, by 3 mm slices, to 0.02 mm, for which it is drawn
        alone; and how far it is turned clockwise, in radians. None where it leaves no ink on the page."""
        record = _unbounded()
        along = self._drawn(MEASURED * MM_PER_INCH, record, number).context.along
        x, y, width, height = record.ink_extents()
        low = np.floor(np.maximum((x, y), 0))
        high = np.ceil(np.minimum((x + width, y + height), (self.width * MEASURED, self.height * MEASURED)))
        columns, rows = (int(side) for side in high - low)
        if columns <= 0 or rows <= 0:
            return None
        surface = cairocffi.ImageSurface(cairocffi.FORMAT_A8, columns, rows)
        context = cairocffi.Context(surface)
        context.set_source_surface(record, *(-low).tolist())  # shifted by whole pixels alone, which is exact
        context.paint()
        surface.flush()
        cover = np.frombuffer(surface.get_data(), dtype=np.uint8).reshape(rows, surface.get_stride())[:, :columns]
        points = _around((cover > 0) & (cover >= INKED * cover.max()), low)
        return None if points is None or along is None else (points, float(np.arctan2(along[1], along[0])))


def _unbounded() -> Any:
    """A surface of any size, which keeps what is drawn on it as vectors."""
    return cairocffi.RecordingSurface(cairocffi.CONTENT_COLOR_ALPHA, None)


def _around(ink: BoolArray, corner: Float64Array) -> Points | None:
    """Points, mm, around the inked pixels (rows, columns) of a picture whose corner lies at ``corner`` px."""
    columns = np.flatnonzero(ink.any(axis=0))
    if not len(columns):
        return None
    part = ink[:, columns]
    top, bottom = part.argmax(axis=0), len(ink) - part[::-1].argmax(axis=0)
    edges = [np.column_stack([columns + right, side]) for right in (0, 1) for side in (top, bottom)]
    return slice_hulls((np.stack(edges, axis=1).reshape(-1, 2) + corner) / MEASURED)


def slice_hulls(points: Points) -> Points:
    """The corners (m, 2) of the hulls of ``points`` (n, 2) in slices along x: their bounds are the points' own, however
    a warp bends them."""
    ordered = points[np.argsort(points[:, 0], kind="stable")]
    cuts = np.searchsorted(ordered[:, 0], np.arange(ordered[0, 0] + SLICE_MM, ordered[-1, 0], SLICE_MM))
    counts = np.diff(cuts, prepend=0, append=len(ordered))
    return hull_corners(ordered, counts[counts > 0])[0]
