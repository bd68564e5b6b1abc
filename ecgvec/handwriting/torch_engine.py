"""The network in PyTorch as an engine to write with: on CUDA, or with weights that are still being trained.

The NumPy engine is the one that promises the same bits whatever else is written.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np
import torch

from ecgvec._typing import Float32Array, Float64Array, Int64Array
from ecgvec.errors import RecipeError
from ecgvec.handwriting.charset import PAD, encode
from ecgvec.handwriting.model import Network, State
from ecgvec.handwriting.steps import Step, split

_MOST = 1024  # lines side by side


def device_of(name: str) -> torch.device:
    """The device ``cuda`` or ``cuda:1``; RecipeError where PyTorch finds none."""
    kind, _, number = name.partition(":")
    if kind != "cuda" or not (number or "0").isdigit():
        raise RecipeError(f"the device {name} cannot write; use cpu or cuda")
    if int(number or 0) >= torch.cuda.device_count():
        raise RecipeError(f"PyTorch finds no device {name} here; use cpu")
    return torch.device(name)


class TorchEngine:
    """A network on its device."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def running(self) -> AbstractContextManager[None]:
        """No gradients."""
        return torch.inference_mode()

    def desk(self, lines: int, longest: int) -> TorchDesk:
        """A desk for ``lines`` lines of up to ``longest`` characters."""
        return TorchDesk(self.network, min(lines, _MOST), longest)


class TorchDesk:
    """Lines being written side by side, each in a slot."""

    def __init__(self, network: Network, slots: int, longest: int) -> None:
        self._network, self.slots = network, slots
        self._device = network.head.weight.device
        self._codes = torch.full((slots, longest + 1), PAD, device=self._device)
        self._codes[:, 0] = encode("")[0]
        self._style = torch.zeros(slots, dtype=torch.int64, device=self._device)
        self._state: State = network.first_state(slots)

    def place(self, slot: int, text: str, style: int) -> None:
        """Begin a new line in a slot."""
        codes = encode(text)
        self._codes[slot] = PAD
        self._codes[slot, : len(codes)] = torch.tensor(codes, device=self._device)
        self._style[slot] = style
        for pair in self._state:
            for tensor in pair:
                tensor[slot] = 0.0

    def keep(self, slots: Int64Array) -> None:
        """Go on with these slots alone, in this order."""
        rows = torch.from_numpy(slots).to(self._device)
        self.slots = len(slots)
        self._codes, self._style = self._codes[rows], self._style[rows]
        (a, b), (c, d) = self._state
        self._state = (a[rows], b[rows]), (c[rows], d[rows])

    def step(self, features: Float32Array, phase: Float64Array) -> Step:
        """One point of each line: ``features`` (slots, FEATURES), ``phase`` (slots,)."""
        inputs = (features[:, None], phase[:, None].astype(np.float32))
        seen, at = (torch.from_numpy(array).to(self._device) for array in inputs)
        head, ahead, self._state = self._network.step(self._codes, self._style, seen, at, self._state)
        return split(*(tensor.cpu().numpy().astype(np.float64) for tensor in (head, ahead)))
