"""The handwriting network in NumPy, and its weights."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from ecgvec._typing import AnyArray, Float32Array, Float64Array, Int64Array
from ecgvec.errors import SourceError, one_line
from ecgvec.handwriting.charset import CHARACTERS, PAD, encode
from ecgvec.handwriting.features import FEATURES, FED_WIDTH
from ecgvec.handwriting.sample import Step, split_head

_TILES = (16, 64)  # columns; 16 give the same bits in every column on all kinds of CPU tried
_MOST = 256  # lines side by side
_BOTH = np.array([0, 1], dtype=np.float32)  # the window, and the one a character ahead
_REACH = np.arange(-4, 7)  # characters around the window: what a Gaussian reads beyond is less than 2e-7


@dataclass(frozen=True)
class Style:
    """One style of the model: the ``name`` of its hand, its ``kind`` and the ``characters`` that it was shown."""

    name: str
    kind: str
    characters: str


class NumpyLSTM:
    """The network's matrices made ready; `desk` opens a place to write several lines side by side."""

    def __init__(self, weights: Weights) -> None:
        t = {name: np.asarray(tensor, dtype=np.float64) for name, tensor in weights.tensors.items()}
        self.low, self.up = t["lower.weight_hh_l0"].shape[1], t["upper.weight_hh_l0"].shape[1]
        self.embedding = _float32(t["characters.weight"])
        self._fold(t)
        self.window, self.head = _float32(t["window.weight"]), _float32(t["head.weight"])
        self.window_bias, self.head_bias = (_float32(t[f"{name}.bias"])[:, None] for name in ("window", "head"))
        self._threads = ThreadpoolController()
        with self.running():
            self._tiles = [tile for tile in _TILES if tile == _TILES[0] or self._is_even(tile)]

    def _fold(self, t: dict[str, Float64Array]) -> None:
        """Both LSTMs with the linear layers before them; columns in the order of `Desk`'s buffer."""
        low_in, up_in = t["lower.weight_ih_l0"], t["upper.weight_ih_l0"]
        from_low, up_in = up_in[:, : self.low], up_in[:, self.low :]
        low_read, up_read = low_in @ t["lower_input.weight"], up_in @ t["upper_input.weight"]
        columns = [low_read[:, FEATURES:], low_read[:, :FEATURES], t["lower.weight_hh_l0"]]
        self.lower = _float32(_gates(np.hstack(columns)))
        columns = [up_read[:, :FEATURES], from_low, t["upper.weight_hh_l0"], up_read[:, FEATURES:]]
        self.upper = _float32(_gates(np.hstack(columns)))
        biases = []
        for name, inner in (("lower", low_in), ("upper", up_in)):
            style = t[f"{name}_input.bias"] + t[f"{name}_style.weight"]
            whole = inner @ style.T + (t[f"{name}.bias_ih_l0"] + t[f"{name}.bias_hh_l0"])[:, None]
            biases.append(_float32(_gates(whole).T))
        self.lower_bias, self.upper_bias = biases  # (styles, 4 * size) each

    @contextmanager
    def running(self) -> Iterator[None]:
        """Matrix products on one thread, and the number of threads as it was afterwards."""
        with self._threads.limit(limits=1, user_api="blas"):
            yield

    def _is_even(self, tile: int) -> bool:
        """Whether this many columns give the bits that the smallest tile gives, wherever the column stands."""
        rng = np.random.default_rng(0)
        for matrix in (self.lower, self.upper, self.window, self.head):
            column = rng.standard_normal((matrix.shape[1], 1)).astype(np.float32)
            small, wide = (matrix @ np.repeat(column, n, axis=1) for n in (_TILES[0], tile))
            if not (wide == small[:, :1]).all():
                return False
        return True

    def shape(self, lines: int) -> tuple[int, int]:
        """(tiles, columns of each) for so many lines to write."""
        lines = min(max(lines, 1), _MOST)
        tile = self._tiles[-1] if lines > 2 * _TILES[0] else _TILES[0]
        return -(-lines // tile), tile

    def new_state(self, lines: int, longest: int) -> DecoderState:
        """A desk for ``lines`` lines of up to ``longest`` characters, or for as many at a time as are worth while."""
        return DecoderState(self, self.shape(lines), longest)


class DecoderState:
    """Lines being written side by side, each in a slot: 0 to ``slots`` - 1."""

    def __init__(self, network: NumpyLSTM, shape: tuple[int, int], longest: int) -> None:
        self._network, self._shape = network, shape
        self.slots = shape[0] * shape[1]
        reads = 2 * network.embedding.shape[1]
        # Rows of a tile: what the lower window reads, features, state of the lower LSTM, of the upper one, what the
        # upper window reads. So the inputs of both LSTMs and of the head are neighbouring rows, and nothing is copied.
        sizes = (reads, FEATURES, network.low, network.up, reads)
        ends = np.cumsum([0, *sizes]).tolist()
        self._rows = [slice(a, b) for a, b in pairwise(ends)]
        self._buffer = self._new(ends[-1])
        self._low_cell, self._up_cell = self._new(network.low), self._new(network.up)
        self._low_bias, self._up_bias = self._new(4 * network.low), self._new(4 * network.up)
        self._codes = np.full((self.slots, longest + 1), PAD)
        self._lengths = np.zeros(self.slots, dtype=np.int64)

    def _new(self, size: int) -> Float32Array:
        tiles, columns = self._shape
        return np.zeros((tiles, size, columns), dtype=np.float32)

    def place(self, slot: int, text: str, style: int) -> None:
        """Begin a new line in a slot."""
        tile, column = divmod(slot, self._shape[1])
        for state in (self._buffer, self._low_cell, self._up_cell):
            state[tile, :, column] = 0.0
        self._low_bias[tile, :, column] = self._network.lower_bias[style]
        self._up_bias[tile, :, column] = self._network.upper_bias[style]
        codes = encode(text)
        self._codes[slot] = PAD
        self._codes[slot, : len(codes)] = codes
        self._lengths[slot] = len(text)

    def keep(self, slots: Int64Array) -> None:
        """Go on with these slots alone, in this order and in no more tiles than they need."""
        old, self._shape = self._shape, self._network.shape(len(slots))
        self.slots = self._shape[0] * self._shape[1]
        slots = np.resize(slots, self.slots)  # what fills up the last tile is not looked at
        tile, column = np.divmod(slots, old[1])
        for name in ("_buffer", "_low_cell", "_up_cell", "_low_bias", "_up_bias"):
            columns = getattr(self, name)[tile, :, column].reshape(*self._shape, -1)
            setattr(self, name, np.ascontiguousarray(columns.transpose(0, 2, 1)))
        self._codes, self._lengths = self._codes[slots], self._lengths[slots]

    def step(self, features: Float32Array, phase: Float64Array) -> Step:
        """One point of each line: ``features`` (slots, FEATURES), ``phase`` (slots,) -> what the network says."""
        network, buffer = self._network, self._buffer
        low_reads, feats, low, up, up_reads = self._rows
        at = phase.astype(np.float32)
        self._put(feats, features)
        self._put(low_reads, self._read(at, np.full((self.slots, 2), FED_WIDTH, dtype=np.float32)))
        _cell(network.lower @ buffer[:, : low.stop] + self._low_bias, self._low_cell, buffer[:, low])
        window = self._lines(network.window @ buffer[:, low] + network.window_bias)
        moved = np.logaddexp(window, np.float32(0.0))
        at = at + moved[:, 0]
        self._put(up_reads, self._read(at, 1 + moved[:, 1:]))
        _cell(network.upper @ buffer[:, feats.start :] + self._up_bias, self._up_cell, buffer[:, up])
        head = self._lines(network.head @ buffer[:, low.start : up.stop] + network.head_bias)
        return split_head(head.astype(np.float64), at.astype(np.float64))

    def _put(self, rows: slice, values: Float32Array) -> None:
        """Write values (slots, n) into rows of the buffer."""
        self._buffer[:, rows] = values.reshape(*self._shape, -1).transpose(0, 2, 1)

    def _lines(self, rows: Float32Array) -> Float32Array:
        """Rows (tiles, n, columns) as (slots, n)."""
        return np.ascontiguousarray(rows.transpose(0, 2, 1)).reshape(self.slots, -1)

    def _read(self, centre: Float32Array, widths: Float32Array) -> Float32Array:
        """What two Gaussian windows, at ``centre`` (slots,) and one character on, read of the texts: (slots, 2 e)."""
        place = np.floor(centre).astype(np.int64)[:, None] + _REACH
        real = (place >= 0) & (place <= self._lengths[:, None])
        away = place[:, None].astype(np.float32) - (centre[:, None] + _BOTH)[..., None]
        logits = np.where(real[:, None], -widths[..., None] * away * away, np.float32(-np.inf))
        weights = np.exp(logits - logits.max(axis=2, keepdims=True))
        weights /= weights.sum(axis=2, keepdims=True)
        codes = np.take_along_axis(self._codes, np.clip(place, 0, self._codes.shape[1] - 1), axis=1)
        read = weights @ self._network.embedding[codes]
        return np.asarray(read.reshape(self.slots, -1), dtype=np.float32)


def _float32(array: Float64Array) -> Float32Array:
    return np.ascontiguousarray(array, dtype=np.float32)


def _gates(rows: Float64Array) -> Float64Array:
    """Rows in PyTorch's order (input, forget, new, output) as (input, forget, output, new), all but the last halved.

    A sigmoid of x is 1/2 + tanh(x/2)/2: so one tanh serves all four.
    """
    i, f, g, o = np.split(rows, 4)
    return np.concatenate([i / 2, f / 2, o / 2, g])


def _cell(gates: Float32Array, cell: Float32Array, out: Float32Array) -> None:
    """The rest of an LSTM's step: ``gates`` (tiles, 4 n, columns) before tanh -> new ``cell`` and ``out`` in place."""
    size = cell.shape[1]
    np.tanh(gates, out=gates)
    opened = gates[:, : 3 * size]
    opened *= 0.5
    opened += 0.5
    cell *= gates[:, size : 2 * size]
    cell += gates[:, :size] * gates[:, 3 * size :]
    np.multiply(np.tanh(cell), gates[:, 2 * size : 3 * size], out=out)


FORMAT = "ecgvec-handwriting-1"
SHIPPED = Path(__file__).resolve().parent / "weights" / "best.safetensors"


@dataclass(frozen=True, eq=False)
class Weights:
    """The tensors of a network by name, the number of its ``mixtures``, its ``styles``, and what else its file says."""

    tensors: Mapping[str, Float32Array]
    mixtures: int
    styles: tuple[Style, ...]
    about: Mapping[str, Any]


def read_arrays(path: Path, kind: str = FORMAT) -> tuple[dict[str, AnyArray], dict[str, Any]]:
    """(arrays by name, about) of a file of weights of this format; SourceError where it is none."""
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
    except (OSError, SafetensorError, ValueError) as error:
        raise SourceError(f"{path} is no safetensors file ({one_line(error)}): train or fetch it anew") from error
    if about.get("format") != kind:
        raise SourceError(f"{path} has the format '{about.get('format')}', not '{kind}': train or fetch it anew")
    return arrays, about


def read_weights(path: Path) -> Weights:
    """The weights of a network to write with; SourceError where the file holds none for these characters."""
    arrays, about = read_arrays(path)
    try:
        if about["characters"] != CHARACTERS:
            raise ValueError("its characters are not those of this version")
        styles = tuple(Style(**style) for style in about["styles"])
        return Weights(arrays, int(about["sizes"]["mixtures"]), styles, about)
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(f"{path} holds no handwriting model ({one_line(error)}): train or fetch it anew") from error
