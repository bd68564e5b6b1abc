"""Linear light and its tables: what lens and sensor do is linear in light, pictures hold sRGB bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgvec._typing import AnyArray, Complex64Array, Float64Array, Image, Uint16Array

T = TypeVar("T", bound=np.generic)
LEVELS16 = 65536
BAND_ROWS = 96  # of a picture that are worked on at a time: they stay in the cache


def to_linear(values: Float64Array) -> Float64Array:
    """Linear light of sRGB values, both 0 to 1 (IEC 61966-2-1)."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def to_srgb(light: Float64Array) -> Float64Array:
    """sRGB values of linear light, both 0 to 1; light beyond 1 is white (IEC 61966-2-1)."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def apply_lut(image: AnyArray, table: AnyArray, out: AnyArray | None = None) -> AnyArray:
    """Each value of a uint8 or uint16 picture replaced by its entry in ``table`` (256 or 65536,), or (256, 3) with a
    column for each channel; put into ``out`` where there is one."""
    if image.dtype == np.uint16 and not _looks_up_16_bits():
        return np.take(table, image, out=out)
    found: Any = cv2.LUT(image, table[None] if table.ndim == 2 else table, dst=out)
    return cast(AnyArray, found)


@lru_cache
def _looks_up_16_bits() -> bool:
    """Whether this OpenCV's LUT takes 16 bits, as late ones do: five times as fast as NumPy's indexing."""
    try:
        cv2.LUT(np.zeros((1, 1), dtype=np.uint16), np.zeros(LEVELS16, dtype=np.uint8))
    except cv2.error:
        return False
    return True


def freeze(values: NDArray[T]) -> NDArray[T]:
    """The same array, which nobody can change from now on: what a cache keeps."""
    values.setflags(write=False)
    return values


def bands(height: int) -> Iterator[slice]:
    """The rows of a picture in parts that stay in the cache; each begins at an even row."""
    return (slice(y, min(height, y + BAND_ROWS)) for y in range(0, height, BAND_ROWS))


def pad_rows(rows: slice, height: int, margin: int) -> tuple[slice, slice]:
    """``margin`` more rows above and below, as far as there are any, and where among them ``rows`` lie."""
    first = max(0, rows.start - margin)
    return slice(first, min(height, rows.stop + margin)), slice(rows.start - first, rows.stop - first)


def in_bands(image: Image, margin: int, change: Callable[[Image], Image]) -> Image:
    """``change`` done to the picture band by band, each with ``margin`` rows more above and below than are kept."""
    found = np.empty_like(image)
    for rows in bands(len(image)):
        seen, kept = pad_rows(rows, len(image), margin)
        found[rows] = change(image[seen])[kept]
    return found


def apply_curves(image: Image, *curves: Callable[[Float64Array], Float64Array]) -> Image:
    """The picture with its linear light, 0 to 1, put through ``curves``: one for all channels or one for each."""
    light = to_linear(np.arange(256) / 255)
    table = np.stack([np.rint(255 * to_srgb(curve(light))).astype(np.uint8) for curve in curves], axis=-1)
    return cast(Image, apply_lut(image, table if len(curves) > 1 else np.ascontiguousarray(table[:, 0])))


def grey(image: Image) -> Image:
    """Luma (H, W) of an RGB picture (ITU-R BT.601)."""
    found: Any = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return cast(Image, found)


@lru_cache
def _normal_quantiles() -> Float64Array:
    from scipy.special import ndtri

    return np.asarray(ndtri((np.arange(LEVELS16) + 0.5) / LEVELS16))


def normal_bits(rng: np.random.Generator, shape: tuple[int, ...]) -> Uint16Array:
    """Random uint16 for ``apply_lut`` in a table of ``quantiles``: a third of the time of drawing normal numbers."""
    count = 2 * int(np.prod(shape))
    if count % 8 == 0:  # whole words of the generator hold the very same bytes, and are had three times as fast
        bits = rng.bit_generator.random_raw(count // 8).astype("<u8", copy=False).view("<u2")
    else:
        bits = np.frombuffer(rng.bytes(count), dtype="<u2")
    return bits.astype(np.uint16, copy=False).reshape(shape)


def white_waves(rng: np.random.Generator, shape: tuple[int, ...]) -> Complex64Array:
    """Random waves of white noise: complex numbers whose real and imaginary parts are normal, of variance 1."""
    parts = apply_lut(normal_bits(rng, (*shape, 2)), quantiles(1).astype(np.float32))
    return parts.view(np.complex64)[..., 0]


def quantiles(sigma: float) -> Float64Array:
    """Table (65536,) of a normal distribution, mean 0; it ends at 4.3 standard deviations."""
    return sigma * _normal_quantiles()
