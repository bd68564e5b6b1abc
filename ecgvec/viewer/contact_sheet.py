"""Contact sheets: what a recipe makes of one record, under several seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cairocffi
import numpy as np

from ecgvec._typing import Image
from ecgvec.errors import ExportError
from ecgvec.export.files import write_file
from ecgvec.export.images import encode_png
from ecgvec.geometry.affine import Affine
from ecgvec.geometry.outlines import text_path
from ecgvec.graphics.raster import append_path
from ecgvec.recipe.recipe import Recipe
from ecgvec.recipe.toml import override
from ecgvec.record.model import Record
from ecgvec.sheet import Sheet

DPI = 110.0  # of the pages: their details are finer than a thumbnail shows
WIDTH, HEIGHT, GAP, CAPTION = 480, 380, 10, 24  # px of a thumbnail, between them, and under each
LETTERS = 15.0  # px
SEEDS = tuple(range(12))


def preview(
    render: Callable[..., Sheet],
    record: Record,
    recipe: Recipe,
    seeds: Sequence[int] = SEEDS,
    columns: int = 4,
    width: int = WIDTH,
) -> Image:
    """The record's first window under ``seeds``, thumbnails of ``width`` px at most in ``columns``, each with its seed
    under it: (H, W, 3) uint8 RGB. ``render`` is ``ecgvec.render``. EcgvecError where the recipe cannot draw the record.
    """
    small = override(recipe, {"page.dpi": DPI}, f"recipe '{recipe.title}'")
    pictures = ((f"seed {seed}", render(record, small, seed=seed).image) for seed in seeds)
    return contact_sheet([(caption, thumbnail(image, width)) for caption, image in pictures], columns, width)


def write_preview(image: Image, path: Path) -> None:
    """Write a contact sheet as PNG; ExportError for another kind of file, or where it cannot be written."""
    if path.suffix.lower() != ".png":
        raise ExportError(f"{path} is no name of a PNG: let it end in .png")
    write_file(path, encode_png(image, DPI))


def thumbnail(image: Image, width: int = WIDTH) -> Image:
    """The picture at most ``width`` px wide and in proportion high, averaged down, never up. It carries no labels."""
    height = round(width * HEIGHT / WIDTH)
    share = min(1.0, width / image.shape[1], height / image.shape[0])
    size = max(1, round(image.shape[1] * share)), max(1, round(image.shape[0] * share))
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, *size)
    context = cairocffi.Context(surface)
    context.scale(size[0] / image.shape[1], size[1] / image.shape[0])
    pattern = cairocffi.SurfacePattern(_as_surface(image))
    pattern.set_filter(cairocffi.FILTER_GOOD)  # which averages over all pixels that a smaller one covers
    pattern.set_extend(cairocffi.EXTEND_PAD)
    context.set_source(pattern)
    context.paint()
    return _as_image(surface)


def contact_sheet(pictures: Sequence[tuple[str, Image]], columns: int, width: int = WIDTH) -> Image:
    """Captions and thumbnails, row by row on white; each row is as high as its highest picture."""
    columns = min(columns, len(pictures))
    rows = [pictures[at : at + columns] for at in range(0, len(pictures), columns)]
    heights = [max(image.shape[0] for _, image in row) + CAPTION for row in rows]
    total = sum(heights) + GAP * (len(rows) + 1), columns * width + GAP * (columns + 1)
    sheet = np.full((*total, 3), 255, dtype=np.uint8)
    captions, top = [], GAP
    for row, height in zip(rows, heights, strict=True):
        for column, (caption, image) in enumerate(row):
            left = GAP + column * (width + GAP)
            x, y = left + (width - image.shape[1]) // 2, top + height - CAPTION - image.shape[0]
            sheet[y : y + image.shape[0], x : x + image.shape[1]] = image
            captions.append((caption, left + width / 2, top + height - CAPTION / 3))
        top += height + GAP
    return _written(sheet, captions)


def _written(image: Image, captions: Sequence[tuple[str, float, float]]) -> Image:
    """The picture with captions (text, middle and baseline in px) in outlines of our own face."""
    surface = _as_surface(image)
    context = cairocffi.Context(surface)
    context.set_source_rgb(0.2, 0.2, 0.2)
    for text, middle, baseline in captions:
        path, advance = text_path(text, "sans", LETTERS)
        append_path(context, path.transform(Affine.translate(middle - advance / 2, baseline)))
        context.fill()
    return _as_image(surface)


def _as_surface(image: Image) -> cairocffi.ImageSurface:
    """A cairo surface with the picture (H, W, 3) RGB on it."""
    height, width = image.shape[:2]
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, width, height)
    _pixels(surface)[:, :, :3] = image[:, :, ::-1]
    surface.mark_dirty()
    return surface


def _as_image(surface: cairocffi.ImageSurface) -> Image:
    surface.flush()
    return np.ascontiguousarray(_pixels(surface)[:, :, 2::-1])


def _pixels(surface: cairocffi.ImageSurface) -> Image:
    """The surface's own memory (H, W, 4), BGRX: cairo's order on little-endian machines."""
    height, width = surface.get_height(), surface.get_width()
    rows = np.frombuffer(surface.get_data(), dtype=np.uint8).reshape(height, surface.get_stride())
    return rows[:, : 4 * width].reshape(height, width, 4)
