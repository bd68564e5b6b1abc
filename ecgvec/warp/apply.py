"""The one place that resamples. Pixels go through ``inverse`` of the composed warp once, and light falls on them while
they are at hand; no other module may call a resampling function (the linter sees to it)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import cv2
import numpy as np

from ecgvec._typing import BoolArray, Float32Array, Float64Array, Image, IntpArray
from ecgvec.geometry.units import MM_PER_INCH, pixel_size
from ecgvec.warp.base import apply_gain, blend_over, four, in_bytes, three
from ecgvec.warp.lattice import RINGS, Lattice
from ecgvec.warp.parts import Paper

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Values = TypeVar("Values", Float32Array, Image)

TILE_NODES = 16  # the image is made in tiles of so many lattice cells a side, which stay in the cache
FLAT_STEP = 6  # px between the places that are looked up to see a page straight on again
SAME_SIZE = 1.08  # squared px of the page an image px, up to which taps need no softening
SMALLEST = 16.0  # the same, beyond which they are softened no more: only towards a horizon, off the paper
EDGE_PX = 1.5  # a tile is wholly on the paper when its map keeps so far from the paper's edge


@dataclass(frozen=True, eq=False)
class Ground:
    """What the paper lies on: a ``texture`` (H, W, 3) uint8 RGB that repeats, where each lattice node lies in it
    (``places`` (rows, columns, 2) in texture px, NaN where it is not seen), and the light on it (``gain`` (rows,
    columns, 3), of sRGB)."""

    texture: Image
    places: Float64Array
    gain: Float64Array


class Pattern(Protocol):
    """Factor (h, w, 3) of sRGB at page mm (h, w, 2), sampled in the middle of each pixel."""

    def __call__(self, where: Float64Array) -> Float32Array: ...


@dataclass(frozen=True, eq=False)
class Dressing:
    """What a page's pixels meet on their way into the image.

    ``gain`` (rows, columns, 3) at the lattice's nodes multiplies the paper's sRGB (see warp.blend); ``veil`` (rows,
    columns, 1) there is the share that drowns in white; ``cover`` (H, W) uint8, of the page's size, is 0 where the
    paper is gone; ``ground`` is what shows there and off the paper (None: white); ``pattern`` is woven into all.
    ``shade`` (rows, columns, 3) is that part of ``gain`` and of the ground's which white has as well (None: 1).
    """

    gain: Float64Array | None = None
    veil: Float64Array | None = None
    cover: Image | None = None
    ground: Ground | None = None
    pattern: Pattern | None = None
    shade: Float64Array | None = None


BARE = Dressing()


@dataclass(frozen=True)
class Tile:
    """Pixels ``x0`` to ``x1`` and ``y0`` to ``y1`` of the image, the last ones left out."""

    x0: int
    y0: int
    x1: int
    y1: int


def tiles(warp: Lattice) -> Iterator[Tile]:
    """All tiles of the image, row by row."""
    side = TILE_NODES * warp.step
    width, height = warp.size
    for y in range(0, height, side):
        for x in range(0, width, side):
            yield Tile(x, y, min(x + side, width), min(y + side, height))


def _cells(warp: Lattice, tile: Tile) -> tuple[slice, slice]:
    """The lattice's rows and columns that a tile lies between."""
    return (
        slice(tile.y0 // warp.step + RINGS - 1, -(-tile.y1 // warp.step) + RINGS + 1),
        slice(tile.x0 // warp.step + RINGS - 1, -(-tile.x1 // warp.step) + RINGS + 1),
    )


def spread(values: Values, warp: Lattice, tile: Tile) -> Values:
    """Values at the lattice's nodes (rows, columns, k) as (tile height, tile width, k), bilinear in between.

    Linear resize puts node i at (i + 1/2) step, which is where the lattice has it: this is the interpolant itself.
    """
    return _spread(values[_cells(warp, tile)], warp.step, tile)


def _spread(part: Values, step: int, tile: Tile) -> Values:
    """The same for the nodes of the tile's own cells."""
    size = part.shape[1] * step, part.shape[0] * step
    wide: Any = cv2.resize(np.ascontiguousarray(part), size, interpolation=cv2.INTER_LINEAR)
    found: Values = wide[step : step + tile.y1 - tile.y0, step : step + tile.x1 - tile.x0]
    return found


def dense_map(warp: Lattice, tile: Tile) -> Float64Array:
    """Page mm (tile height, tile width, 2) of the centres of a tile's pixels."""
    nodes = warp.nodes[_cells(warp, tile)]
    corner = nodes[0, 0]  # single precision is for the rest, which is small
    return np.asarray(_spread((nodes - corner).astype(np.float32), warp.step, tile) + corner)


def resample(
    page: Image,
    scale: float,
    warp: Lattice,
    dressing: Dressing = BARE,
) -> Image:
    """The image (H, W, 3) uint8 that ``warp`` makes of the page's pixels, ``scale`` px/mm."""
    width, height = warp.size
    image = np.empty((height, width, 3), dtype=np.uint8)
    sources = (warp.nodes * scale - 0.5).astype(np.float32)  # OpenCV's 0 is the middle of the first pixel
    light, one = (None, 1.0) if dressing.gain is None else in_bytes(dressing.gain)
    left = None if dressing.veil is None else np.rint(255 * (1 - dressing.veil)).astype(np.uint8)
    on_paper = _within(sources, page)
    texture = None if dressing.ground is None else four(dressing.ground.texture)
    for tile in tiles(warp):
        cells, out = _cells(warp, tile), image[tile.y0 : tile.y1, tile.x0 : tile.x1]
        whole = bool(on_paper[cells].all())
        if not whole and _beside(sources[cells], page):
            out[...] = _floor(dressing, texture, warp, tile)
            _weave(out, dressing.pattern, warp, tile)
            continue
        pixels = _sampled(page, sources[cells], warp.step, tile)
        if light is None:
            out[...] = pixels
        else:
            apply_gain(pixels, spread(light, warp, tile), one, out)
        seen_through = None if left is None else spread(left, warp, tile)
        if seen_through is not None and seen_through.min() < 255:
            out[...] = blend_over(out, seen_through, _white(dressing.shade, warp, tile))
        torn = dressing.cover is not None and not _full(dressing.cover, sources[cells])
        if torn or not whole:
            cover = _cover(spread(sources, warp, tile), warp.paper, scale, dressing.cover if torn else None)
            out[...] = blend_over(out, cover, _floor(dressing, texture, warp, tile))
        _weave(out, dressing.pattern, warp, tile)
    return image


def _beside(sources: Float32Array, page: Image) -> bool:
    """Whether all of a tile lies on the same side of the page, and off it."""
    low, high = sources.min(axis=(0, 1)), sources.max(axis=(0, 1))
    return bool((high < -EDGE_PX).any() or (low > np.array(page.shape[1::-1]) + EDGE_PX).any())


def _full(cover: Image, sources: Float32Array) -> bool:
    """Whether nothing of the page is gone where a tile with these nodes lies."""
    low, high = sources.min(axis=(0, 1)), sources.max(axis=(0, 1))
    (x0, y0), (x1, y1) = np.maximum(np.floor(low).astype(int) - 1, 0), np.maximum(np.ceil(high).astype(int) + 2, 1)
    part = cover[min(y0, len(cover) - 1) : y1, min(x0, cover.shape[1] - 1) : x1]
    return bool(part.min() == 255)


def _weave(out: Image, pattern: Pattern | None, warp: Lattice, tile: Tile) -> None:
    """Weave a pattern into the pixels of a tile, in place."""
    if pattern is not None:
        out[...] = np.rint(np.minimum(out * pattern(dense_map(warp, tile)), 255))


def _sampled(page: Image, nodes: Float32Array, step: int, tile: Tile) -> Image:
    """Bilinear taps (h, w, 3) of the page for a tile whose ``nodes`` (rows, columns, 2) lie at these px of it, softened
    first where the image shows it smaller. What they fall on is taken out of the page: it stays in the cache."""
    height, width = page.shape[:2]
    low = np.clip(np.floor(nodes.min(axis=(0, 1))).astype(int) - 4, 0, (width - 1, height - 1))
    high = np.clip(np.ceil(nodes.max(axis=(0, 1))).astype(int) + 5, low + 1, (width, height))
    part, blur = four(page[low[1] : high[1], low[0] : high[0]]), _softening(nodes, step)
    if blur is not None:
        part = cast(Image, cv2.sepFilter2D(part, -1, blur[0], blur[1], borderType=cv2.BORDER_REPLICATE))
    return three(_remap(part, _spread(nodes - low.astype(np.float32), step, tile), cv2.BORDER_REPLICATE))


def _remap(pixels: Image, where: Float32Array, border: int) -> Image:
    nothing: Any = None  # the second map, which OpenCV's types ask for and one of two channels makes needless
    found: Any = cv2.remap(pixels, where, nothing, cv2.INTER_LINEAR, borderMode=border)
    return cast(Image, found)


def _softening(nodes: Float32Array, step: int) -> tuple[Float32Array, Float32Array] | None:
    """Kernels along the page's x and y that do for one tap what a whole image pixel would gather; None where the page
    is not shown smaller.

    A pixel that spans s px of the page gathers with a variance of s^2 / 12 there, a tap with that of one px. The
    factors were fitted to 4 x 4 taps a pixel at scales from 0.25 to 1 (tests/warp/test_apply.py).
    """
    rows, columns = nodes.shape[:2]
    corners = nodes[:: rows - 1, :: columns - 1].astype(np.float64)
    squares = []
    for (a, b), (c, d) in corners.transpose(2, 0, 1).tolist():  # too few numbers for NumPy's calls
        across, down = (b - a + d - c) / (2 * step * (columns - 1)), (c - a + d - b) / (2 * step * (rows - 1))
        squares.append(across**2 + down**2)
    if max(squares) < SAME_SIZE:
        return None
    x, y = (_kernel(0.025 + 1.4 * (min(max(square, 1.0), SMALLEST) - 1) / 12) for square in squares)
    return x, y


def _kernel(variance: float) -> Float32Array:
    """A small symmetric kernel of that variance in px^2."""
    reach = 1 if variance < 0.45 else int(np.ceil(3 * np.sqrt(variance)))
    if reach == 1:
        return np.array([variance / 2, 1 - variance, variance / 2], dtype=np.float32)
    taps = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * variance))
    kernel: Float32Array = (taps / taps.sum()).astype(np.float32)
    return kernel


def _within(sources: Float32Array, page: Image) -> BoolArray:
    """Which nodes (rows, columns) lie so far inside the page that no pixel near them meets its edge."""
    height, width = page.shape[:2]
    x, y = sources[..., 0], sources[..., 1]
    within = (x > EDGE_PX) & (y > EDGE_PX) & (x < width - 1 - EDGE_PX) & (y < height - 1 - EDGE_PX)
    return np.asarray(within)


def _cover(where: Float32Array, paper: Paper, scale: float, left: Image | None) -> Image:
    """How much (h, w) of each pixel the paper covers, 0 to 255: its distance from the paper's edge, half in at 0, and
    what is ``left`` of the paper there."""
    x, y = where[..., 0] + np.float32(0.5), where[..., 1] + np.float32(0.5)
    width, height = np.float32(paper.width * scale), np.float32(paper.height * scale)
    inward = np.minimum(np.minimum(x, width - x), np.minimum(y, height - y))
    cover: Any = cv2.convertScaleAbs(np.maximum(inward + np.float32(0.5), 0), alpha=255)
    if left is not None:
        cover = cv2.multiply(cover, _remap(left, where, cv2.BORDER_REPLICATE), scale=1 / 255)
    return cast(Image, cover)


def _white(shade: Float64Array | None, warp: Lattice, tile: Tile) -> Image:
    """A tile of white."""
    white = np.full((tile.y1 - tile.y0, tile.x1 - tile.x0, 3), 255, dtype=np.uint8)
    if shade is not None:
        gain, one = in_bytes(shade[_cells(warp, tile)])
        apply_gain(white, _spread(gain, warp.step, tile), one, white)
    return white


def _floor(dressing: Dressing, texture: Image | None, warp: Lattice, tile: Tile) -> Image:
    """What of the ground a tile shows, its ``texture`` in ``four`` channels; white where there is none."""
    ground = dressing.ground
    if ground is None or texture is None:
        return _white(dressing.shade, warp, tile)
    # Whole textures are taken off at the nodes, where they are few; what is left repeats at the texture's edge.
    cells, size = _cells(warp, tile), texture.shape[1::-1]
    places = ground.places[cells]
    nearest = np.nan_to_num(np.fmin.reduce(places.reshape(-1, 2)))
    places = np.where(np.isnan(places), nearest, places) - np.floor(nearest / size) * size
    pixels = three(_remap(texture, _spread(places.astype(np.float32), warp.step, tile), cv2.BORDER_WRAP))
    gain, one = in_bytes(ground.gain[cells])
    apply_gain(pixels, _spread(gain, warp.step, tile), one, pixels)
    return pixels


def flatten_page(values: Float32Array, warp: Lattice, scale: float) -> Float32Array:
    """The page seen straight on again, as far as its image shows it: (rows, columns, k) at ``scale`` px/mm of what the
    image holds, (H, W, k); 0 where it shows nothing. Exact to some hundredths of a px: a thing to read from."""
    width, height = pixel_size(warp.paper.width, warp.paper.height, scale * MM_PER_INCH)
    columns, rows = -(-width // FLAT_STEP), -(-height // FLAT_STEP)
    x, y = ((np.arange(n) + 0.5) * FLAT_STEP / scale for n in (columns, rows))
    seen = warp.forward(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)) - 0.5
    nodes = seen.reshape(rows, columns, 2).astype(np.float32)
    where: Any = cv2.resize(nodes, (columns * FLAT_STEP, rows * FLAT_STEP), interpolation=cv2.INTER_LINEAR)
    nothing: Any = None
    found: Any = cv2.remap(values, where[:height, :width], nothing, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
    return cast(Float32Array, found)


def taps(warp: Lattice, scale: float, seen: Tile, drawn: Tile) -> csr_array:
    """``resample`` as a matrix, (pixels of ``seen``, pixels of ``drawn``), each row by row: what a pixel of the image
    takes of the pixels of the page at ``scale`` px/mm. Nothing in pixels that would take more than ``drawn`` holds."""
    from scipy.sparse import coo_array, csr_array  # which making pages need not pay for

    sources = (warp.nodes * scale - 0.5).astype(np.float32)
    corner, size = np.array([drawn.x0, drawn.y0]), np.array([drawn.x1 - drawn.x0, drawn.y1 - drawn.y0])
    width, entries = seen.x1 - seen.x0, []
    for tile in tiles(warp):
        x0, y0, x1, y1 = max(tile.x0, seen.x0), max(tile.y0, seen.y0), min(tile.x1, seen.x1), min(tile.y1, seen.y1)
        if x1 <= x0 or y1 <= y0:
            continue
        where = spread(sources, warp, tile)[y0 - tile.y0 : y1 - tile.y0, x0 - tile.x0 : x1 - tile.x0]
        pixel = (np.arange(y0, y1)[:, None] - seen.y0) * width + np.arange(x0, x1) - seen.x0
        one = np.ones(1, dtype=np.float32)
        kernels = _softening(sources[_cells(warp, tile)], warp.step) or (one, one)
        first, shares = _shares(where.reshape(-1, 2) - corner.astype(np.float32), kernels)
        counts = np.array([len(shares[0]), len(shares[1])])
        held = ((first >= 0) & (first + counts <= size)).all(axis=1)
        for i, j in np.ndindex(*counts):
            source = (first[held, 1] + j) * size[0] + first[held, 0] + i
            entries.append((shares[0][i][held] * shares[1][j][held], pixel.ravel()[held], source))
    weights, rows, columns = (np.concatenate(part) for part in zip(*entries, strict=True))
    shape = (width * (seen.y1 - seen.y0), int(size.prod()))
    return csr_array(coo_array((weights.astype(np.float64), (rows, columns)), shape))


def _shares(
    where: Float32Array, kernels: tuple[Float32Array, Float32Array]
) -> tuple[IntpArray, tuple[list[Float32Array], list[Float32Array]]]:
    """The first page pixel (n, 2) that places (n, 2) take from after softening by ``kernels``, and along x and along y
    what (n,) they take of it and of each next one."""
    whole = np.floor(where)
    rest = np.asarray(where - whole)
    first: IntpArray = whole.astype(np.intp) - np.array([len(kernel) // 2 for kernel in kernels])
    x, y = (
        [np.asarray(before * rest[:, i] + now * (1 - rest[:, i])) for before, now in pairwise([0.0, *kernel, 0.0])]
        for i, kernel in enumerate(kernels)
    )
    return first, (x, y)
