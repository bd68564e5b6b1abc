"""A small reader of single letters and digits, in NumPy: what the network wrote is read before it is kept.

Letters are read in tiles of a fixed number, so that all matrices have one shape, whatever is read beside: a letter's
opinion is the same bits in any company.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecgvec._typing import Float32Array
from ecgvec.errors import SourceError, one_line
from ecgvec.handwriting.letters import CLASSES, MAPS, SIZE, Letter, ink_of, pictures
from ecgvec.handwriting.weights import read_arrays

FORMAT = "ecgvec-handwriting-reader-1"
SHIPPED = Path(__file__).resolve().parent / "weights" / "reader.safetensors"

_TILE = 16  # letters; so many columns give the same bits in every column on all kinds of CPU tried
_LOOKS = ("look0", "look1", "look2")
_NUMBERS = {character: number for number, name in enumerate(CLASSES) for character in name}


class Reader:
    """The reader with its weights: a safetensors file of `ecgvec train handwriting-reader`; SourceError for another."""

    def __init__(self, path: Path = SHIPPED) -> None:
        arrays, about = read_arrays(path, FORMAT)
        try:
            if about["classes"] != CLASSES:
                raise ValueError("its classes are not those of this version")
            layers = {name: _layer(arrays, name) for name in (*_LOOKS, "dense", "out")}
            _check(layers)
        except (KeyError, ValueError) as error:
            raise SourceError(
                f"{path} holds no reader of letters ({one_line(error)}): train or fetch it anew"
            ) from error
        self._looks, self._dense, self._out = [layers[name] for name in _LOOKS], layers["dense"], layers["out"]

    def likely(self, texts: Sequence[Sequence[Letter]]) -> list[float]:
        """How likely the letters of each text are what they should be: their mean log-probability, 0 without any."""
        letters = [letter for text in texts for letter in text]
        found, start = [], 0
        opinions = self.opinions(letters)
        for text in texts:
            own = opinions[start : start + len(text)]
            start += len(text)
            wanted = np.array([_NUMBERS[letter.character] for letter in text], dtype=np.int64)
            found.append(float(own[np.arange(len(text)), wanted].mean()) if text else 0.0)
        return found

    def opinions(self, letters: Sequence[Letter]) -> Float32Array:
        """Log-probabilities (n, classes) of each letter. Let BLAS run on one thread meanwhile."""
        found = [np.zeros((0, len(CLASSES)), dtype=np.float32)]
        for first in range(0, len(letters), _TILE):
            some = letters[first : first + _TILE]
            maps = np.zeros((_TILE, MAPS, SIZE, SIZE), dtype=np.float32)
            maps[: len(some)] = pictures(ink_of(some, even=False))
            found.append(self._tile(maps)[: len(some)])
        return np.concatenate(found)

    def _tile(self, x: Float32Array) -> Float32Array:
        """Maps (_TILE, MAPS, SIZE, SIZE) to log-probabilities (_TILE, classes)."""
        for weight, bias in self._looks:
            x = _looked(x, weight, bias)
        columns = np.ascontiguousarray(x.reshape(_TILE, -1).T)
        for weight, bias in (self._dense, self._out):
            columns = weight @ np.maximum(columns, 0) + bias
        rows = np.ascontiguousarray(columns.T)
        rows -= rows.max(axis=1, keepdims=True)
        opinions: Float32Array = rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))
        return opinions


def _layer(arrays: dict[str, Float32Array], name: str) -> tuple[Float32Array, Float32Array]:
    """(weight (out, in), bias (out, 1))"""
    weight, bias = (np.ascontiguousarray(arrays[f"{name}.{part}"], dtype=np.float32) for part in ("weight", "bias"))
    return weight, bias.reshape(len(weight), 1)


def _check(layers: dict[str, tuple[Float32Array, Float32Array]]) -> None:
    """ValueError where the layers do not fit each other."""
    size, columns = MAPS, 9
    for name, (weight, _) in layers.items():
        if name == "dense":
            columns = (SIZE // 8) ** 2
        if weight.shape[1] != size * columns:
            raise ValueError(f"its layer '{name}' has {weight.shape[1]} inputs, not {size * columns}")
        size, columns = len(weight), 1 if name in ("dense", "out") else 9
    if size != len(CLASSES):
        raise ValueError(f"it tells {size} classes, not {len(CLASSES)}")


def _looked(x: Float32Array, weight: Float32Array, bias: Float32Array) -> Float32Array:
    """Maps (n, c, s, s) under 3 x 3 windows, the greatest of 2 x 2, and what is positive of it: (n, d, s/2, s/2)."""
    n, maps, size, _ = x.shape
    wide = np.zeros((n, maps, size + 2, size + 2), dtype=np.float32)
    wide[:, :, 1:-1, 1:-1] = x
    seen = np.empty((n, maps, 9, size, size), dtype=np.float32)
    for place in range(9):
        down, right = divmod(place, 3)
        seen[:, :, place] = wide[:, :, down : down + size, right : right + size]
    out = (weight @ seen.reshape(n, maps * 9, size * size)).reshape(n, -1, size // 2, 2, size)
    tall = np.maximum(out[:, :, :, 0], out[:, :, :, 1])
    pooled = np.maximum(tall[..., 0::2], tall[..., 1::2])
    positive: Float32Array = np.maximum(pooled + bias[:, :, None], np.float32(0.0))
    return positive
