"""Pixels through cairo: from a scene directly, or from any SVG through CairoSVG."""

from __future__ import annotations

from typing import Any, cast

import cairocffi
import cv2
import numpy as np

from ecgvec._typing import Float64Array, Image
from ecgvec.components import rgb
from ecgvec.errors import SourceError, one_line
from ecgvec.geometry.path import LINE, POINTS_PER_CODE, Path
from ecgvec.geometry.units import pixel_size, px_per_mm
from ecgvec.graphics.shapes import Scene, Shape

_CAPS = {"butt": cairocffi.LINE_CAP_BUTT, "round": cairocffi.LINE_CAP_ROUND, "square": cairocffi.LINE_CAP_SQUARE}
_JOINS = {"miter": cairocffi.LINE_JOIN_MITER, "round": cairocffi.LINE_JOIN_ROUND}
_CSS_DPI = 96.0  # an SVG's px is 1/96 inch
_MITER_LIMIT = 4.0  # SVG's default
LARGEST_PX = 30_000  # cairo's image surfaces end at 32,767 pixels a side


def draw(scene: Scene, dpi: float, frame: tuple[float, float, float, float] | None = None) -> Image:
    """The scene as pixels, (height, width, 3) uint8 sRGB, white where nothing is painted.

    ``frame`` (x0, y0, x1, y1) in mm is the part that is drawn (default: the page). The size is round(mm dpi / 25.4),
    the scale exactly dpi / 25.4. SourceError where cairo cannot hold the page.
    """
    x0, y0, x1, y1 = frame if frame is not None else (0.0, 0.0, scene.width, scene.height)
    width, height = pixel_size(x1 - x0, y1 - y0, dpi)
    if max(width, height) > LARGEST_PX:
        raise SourceError(
            f"a page of {scene.width:.0f} x {scene.height:.0f} mm has {width} x {height} pixels at {dpi:g} dpi, cairo "
            f"holds {LARGEST_PX}: lower --dpi or --seconds"
        )
    pixels = np.full((height, width, 4), 255, dtype=np.uint8)  # white at once: cairo would clear it, then paint it
    surface = cairocffi.ImageSurface.create_for_data(pixels.reshape(-1).data, cairocffi.FORMAT_RGB24, width, height)
    context = cairocffi.Context(surface)
    context.scale(px_per_mm(dpi), px_per_mm(dpi))
    if frame is not None:
        context.translate(-x0, -y0)
    if any(scene.leaves(shape) for shape in scene.shapes()):  # ink ends at the paper's edge, as SVG's viewBox has it
        context.rectangle(0, 0, scene.width, scene.height)
        context.clip()
    context.set_miter_limit(_MITER_LIMIT)
    for shape in scene.shapes():
        paint(context, shape, path_data(shape.path))
    return _pixels(surface, width, height)


def cover(path: Path, size: tuple[int, int], dpi: float) -> Image:
    """How much of each pixel the inside of ``path`` (mm, even-odd) covers: ``size`` (height, width), 0 to 255."""
    height, width = size
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_A8, width, height)
    context = cairocffi.Context(surface)
    context.scale(px_per_mm(dpi), px_per_mm(dpi))
    context.set_fill_rule(cairocffi.FILL_RULE_EVEN_ODD)
    append_path(context, path)
    context.fill()
    surface.flush()
    rows = np.frombuffer(surface.get_data(), dtype=np.uint8).reshape(height, surface.get_stride())
    return rows[:, :width].copy()  # the surface dies here, and its memory with it


def _pixels(surface: Any, width: int, height: int) -> Image:
    """The surface over white, RGB."""
    surface.flush()
    bytes_per_row = surface.get_stride()
    rows = np.frombuffer(surface.get_data(), dtype=np.uint8).reshape(height, bytes_per_row)
    bgrx = rows[:, : 4 * width].reshape(height, width, 4)  # cairo's order on little-endian machines
    rgb_pixels = cast(Image, cv2.cvtColor(bgrx, cv2.COLOR_BGRA2RGB))
    if surface.get_format() == cairocffi.FORMAT_ARGB32:  # colours are multiplied by alpha
        rgb_pixels += 255 - bgrx[:, :, 3:]
    return rgb_pixels


def paint(context: Any, shape: Shape, data: Float64Array) -> None:
    """Paint ``shape``, whose path is ``data``, as its pen does."""
    pen = shape.pen
    context.save()
    if shape.clip is not None:
        x0, y0, x1, y1 = shape.clip
        context.rectangle(x0, y0, x1 - x0, y1 - y0)
        context.clip()
    append_data(context, data)
    if pen.fill is not None:
        context.set_source_rgba(*(c / 255 for c in rgb(pen.fill)), pen.opacity)
        if pen.stroke is None:
            context.fill()
        else:
            context.fill_preserve()
    if pen.stroke is not None:
        context.set_line_width(pen.width)
        context.set_line_cap(_CAPS[pen.cap])
        context.set_line_join(_JOINS[pen.join])
        context.set_dash(pen.dash)
        context.set_source_rgba(*(c / 255 for c in rgb(pen.stroke)), pen.opacity)
        context.stroke()
    context.restore()


def append_path(context: Any, path: Path) -> None:
    """Hand a whole path to cairo at once: thirty times faster than one call of ``line_to`` for each point."""
    append_data(context, path_data(path))


def path_data(path: Path) -> Float64Array:
    """A path as cairo keeps it, an array of ``cairo_path_data_t``, (n, 2): a header, then the points, a command.

    A header is the command, by numbers that are ours as well (CAIRO_PATH_MOVE_TO is MOVE, and so on), and its length.
    """
    if not len(path.codes):
        return np.empty((0, 2))
    if path.codes.max() <= LINE:  # the longest ones: a header and a point each
        data = np.empty((2 * len(path.codes), 2))
        data[1::2] = path.points
        heads = data.view(np.int32)[::2]
        heads[:, 0], heads[:, 1] = path.codes, 2
        return data
    lengths = POINTS_PER_CODE[path.codes] + 1
    heads = (np.cumsum(lengths) - lengths).astype(np.intp)
    data = np.empty((int(lengths.sum()), 2), dtype=np.float64)
    is_point = np.ones(len(data), dtype=bool)
    is_point[heads] = False
    data[is_point] = path.points
    numbers = data.view(np.int32)
    numbers[heads, 0], numbers[heads, 1] = path.codes, lengths
    return data


def append_data(context: Any, data: Float64Array) -> None:
    """Hand a path of ``path_data`` to cairo."""
    if not len(data):
        return
    ffi = cairocffi.ffi
    block = ffi.new("cairo_path_t *")
    block.status, block.num_data = 0, len(data)
    block.data = ffi.cast("cairo_path_data_t *", data.ctypes.data)
    cairocffi.cairo.cairo_append_path(context._pointer, block)
    context._check_status()


def draw_svg(svg_text: str, dpi: float) -> Image:
    """Any SVG as pixels, (height, width, 3) uint8 sRGB on white, through CairoSVG.

    Same size and scale as ``draw``. External files and addresses named in the SVG are not opened. SourceError where
    CairoSVG cannot read it.
    """
    import cairosvg.parser
    import cairosvg.surface

    class Surface(cairosvg.surface.PNGSurface):  # type: ignore[misc]
        """CairoSVG's surface, its size rounded as ``draw`` rounds it."""

        def _create_surface(self, width: float, height: float) -> tuple[Any, int, int]:
            size = round(round(width, 6)), round(round(height, 6))  # 0 is CairoSVG's to refuse
            return cairocffi.ImageSurface(cairocffi.FORMAT_ARGB32, *size), *size

    try:
        tree = cairosvg.parser.Tree(bytestring=svg_text.encode("utf-8"))
        surface = Surface(tree, None, _CSS_DPI, scale=dpi / _CSS_DPI, background_color="white")
    except Exception as error:  # CairoSVG raises whatever its parsers raise
        raise SourceError(
            f"this SVG cannot be drawn ({one_line(error)}): check that it is a whole SVG document"
        ) from error
    return _pixels(surface.cairo, surface.width, surface.height)
