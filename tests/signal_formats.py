"""Samples in the signal formats of WFDB (https://wfdb.io/spec/signal-files.html), written from the specification."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

BITS = {8: 8, 16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 160: 16, 212: 12, 310: 10, 311: 10, 508: 8, 516: 16, 524: 24}
"""How many bits a sample has; in format 8 the difference of two."""
INVALID = {code: -(2 ** (bits - 1)) for code, bits in BITS.items()}
"""What stands for a sample that is unknown."""


def pack(samples: NDArray[np.int64], code: int) -> bytes:
    """Whole numbers (frames, samples a frame) as a binary format holds them."""
    if code == 8:  # one channel: each sample less the one before; the first stands in the header
        return np.diff(samples[:, 0], prepend=samples[0, 0]).astype("i1").tobytes()
    flat = samples.ravel()
    if code in _WHOLE_BYTES:
        size, order, middle = _WHOLE_BYTES[code]
        raw = (flat + middle).astype(f"{order}i8").view("u1").reshape(-1, 8)
        return (raw[:, :size] if order == "<" else raw[:, 8 - size :]).tobytes()
    return {212: _pack_212, 310: _pack_310, 311: _pack_311}[code](flat)


_WHOLE_BYTES = {
    16: (2, "<", 0), 24: (3, "<", 0), 32: (4, "<", 0), 61: (2, ">", 0), 80: (1, "<", 128), 160: (2, "<", 32768),
}  # fmt: skip
"""Bytes a sample, their order, and what is added to a sample."""


def _groups(flat: NDArray[np.int64], size: int, bits: int) -> NDArray[np.int64]:
    """``size`` samples a row, two's complement of so many bits, filled up with zeros."""
    filled = np.concatenate([flat, np.zeros(-len(flat) % size, dtype=np.int64)])
    return (filled & (2**bits - 1)).reshape(-1, size)


def _pack_212(flat: NDArray[np.int64]) -> bytes:
    first, second = _groups(flat, 2, 12).T
    raw = np.column_stack([first & 255, first >> 8 | second >> 8 << 4, second & 255])
    return raw.astype("u1").tobytes()[: -(-len(flat) * 3 // 2)]


def _pack_310(flat: NDArray[np.int64]) -> bytes:
    first, second, third = _groups(flat, 3, 10).T
    pairs = np.column_stack([first << 1 | (third & 31) << 11, second << 1 | third >> 5 << 11])
    return pairs.astype("<u2").tobytes()[: _needed(len(flat), (0, 2, 4))]


def _pack_311(flat: NDArray[np.int64]) -> bytes:
    first, second, third = _groups(flat, 3, 10).T
    return (first | second << 10 | third << 20).astype("<u4").tobytes()[: _needed(len(flat), (0, 2, 3))]


def _needed(count: int, rest: tuple[int, int, int]) -> int:
    """Bytes of so many samples, three of which take four bytes, and a rest of 0, 1 or 2 of them what ``rest`` says."""
    return count // 3 * 4 + rest[count % 3]


def write_flac(path: Path, channels: Sequence[NDArray[np.int64]], code: int) -> None:
    """Channels (frames, samples a frame) as a FLAC file, whose resolution is 8, 16 or 24 bits."""
    bits = BITS[code]
    kind, spare = (np.int16, 16 - bits) if bits <= 16 else (np.int32, 32 - bits)
    samples = np.column_stack([channel.ravel() for channel in channels]).astype(kind) << spare
    subtype = "PCM_S8" if bits == 8 else f"PCM_{bits}"
    soundfile.write(path, samples, 96000, subtype=subtype, format="FLAC")
