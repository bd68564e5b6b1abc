"""The handwriting network in PyTorch, for training and for writing on CUDA."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgvec._typing import Float32Array, Float64Array, Int64Array
from ecgvec.errors import RecipeError
from ecgvec.handwriting.charset import PAD, SIZE, encode
from ecgvec.handwriting.features import (
    FEATURES,
    FED_WIDTH,
    LARGEST_CORRELATION,
    LARGEST_LOG_DEVIATION,
    SMALLEST_DEVIATION,
)
from ecgvec.handwriting.sample import Step, split_head

_POINTS_PER_CHARACTER = 28  # on the average
_PENS = 3  # DRAW, UP, BLANK


@dataclass(frozen=True)
class Sizes:
    """The sizes of the network; ``styles`` is the number of hands."""

    styles: int
    lower: int = 256
    upper: int = 448
    inputs: int = 96
    character: int = 48
    mixtures: int = 16


@dataclass(frozen=True)
class Mixture:
    """Densities of the next offset, in STEPs: each (..., m), deviations > 0, |correlation| < 1; weights as logits."""

    weights: Tensor
    x: Tensor
    y: Tensor
    deviation_x: Tensor
    deviation_y: Tensor
    correlation: Tensor

    def negative_log_likelihood(self, offset: Tensor) -> Tensor:
        """-log density (...) in nats of offsets (..., 2); Graves 2013, equations 24 to 26."""
        zx = (offset[..., :1] - self.x) / self.deviation_x
        zy = (offset[..., 1:] - self.y) / self.deviation_y
        rest = 1 - self.correlation**2
        z = zx**2 + zy**2 - 2 * self.correlation * zx * zy
        norm = torch.log(self.deviation_x * self.deviation_y) + 0.5 * torch.log(rest) + math.log(2 * math.pi)
        return -torch.logsumexp(functional.log_softmax(self.weights, -1) - norm - z / (2 * rest), -1)


@dataclass(frozen=True)
class Output:
    """What the network says of each step: offset, logits (..., 3) of the pen, logit (...) of the end, phase (...)."""

    mixture: Mixture
    pen: Tensor
    end: Tensor
    phase: Tensor


State = tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]


class Network(nn.Module):
    """The network; `forward` runs whole lines for training, `step` one point of each line."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.characters = nn.Embedding(SIZE, sizes.character, padding_idx=PAD)
        self.lower_style = nn.Embedding(sizes.styles, sizes.inputs)
        self.upper_style = nn.Embedding(sizes.styles, sizes.inputs)
        self.lower_input = nn.Linear(FEATURES + 2 * sizes.character, sizes.inputs)
        self.upper_input = nn.Linear(FEATURES + 2 * sizes.character, sizes.inputs)
        self.lower = nn.LSTM(sizes.inputs, sizes.lower, batch_first=True)
        self.upper = nn.LSTM(sizes.inputs + sizes.lower, sizes.upper, batch_first=True)
        self.window = nn.Linear(sizes.lower, 3)  # advance, width of the window, width of the one ahead
        self.head = nn.Linear(sizes.lower + sizes.upper, 6 * sizes.mixtures + _PENS + 1)
        self._begin()

    @torch.no_grad()
    def _begin(self) -> None:
        """Begin with a window that moves at the mean pace, and with offsets that point all ways and some far."""
        for lstm in (self.lower, self.upper):
            size = lstm.hidden_size
            lstm.get_parameter("bias_ih_l0")[size : 2 * size] = 1.0  # remember, until taught to forget
        for table in (self.lower_style, self.upper_style):
            table.weight *= 0.3
        self.characters.weight *= 0.5
        self.window.weight *= 0.1
        self.window.bias.copy_(torch.tensor([math.log(math.expm1(1 / _POINTS_PER_CHARACTER)), 4.0, 4.0]))
        far = max(2, self.sizes.mixtures // 4)
        angles = torch.arange(self.sizes.mixtures - far) * (2 * math.pi / (self.sizes.mixtures - far))
        jumps = torch.stack([torch.linspace(1.0, 5.0, far), torch.linspace(-9.0, 7.0, far)])
        self.head.weight *= 0.3
        bias = torch.zeros(6, self.sizes.mixtures)
        bias[1:3] = torch.cat([torch.stack([angles.cos(), angles.sin()]), jumps], dim=1)
        bias[3:5] = torch.cat([torch.full((len(angles),), math.log(0.5)), torch.full((far,), math.log(3.0))])
        self.head.bias.copy_(torch.cat([bias.flatten(), torch.tensor([3.0, 0.0, -1.0, -4.0])]))

    def forward(self, characters: Tensor, style: Tensor, features: Tensor, phase: Tensor) -> Output:
        """Whole lines: (n, L), (n,), (n, T, FEATURES) and (n, T) as in `features.Batch` -> each step's output."""
        text = self.characters(characters), characters != PAD
        lower, _ = self.lower(self._lower_input(text, style, features, phase))
        ahead, widths = self._advance(lower, phase)
        upper, _ = self.upper(torch.cat([lower, self._upper_input(text, style, features, ahead, widths)], -1))
        return self._output(lower, upper, ahead)

    def step(
        self, characters: Tensor, style: Tensor, features: Tensor, phase: Tensor, state: State
    ) -> tuple[Tensor, Tensor, State]:
        """One step of each line, in writing: as `forward` with T = 1; what the head says (n, 6 m + 4), as
        `steps.split` takes it apart, where the window stands (n,), and the state to go on from."""
        text = self.characters(characters), characters != PAD
        low = _cell(self.lower, self._lower_input(text, style, features, phase)[:, 0], state[0])
        ahead, widths = self._advance(low[0][:, None], phase)
        inputs = self._upper_input(text, style, features, ahead, widths)[:, 0]
        up = _cell(self.upper, torch.cat([low[0], inputs], -1), state[1])
        return self.head(torch.cat([low[0], up[0]], -1)), ahead[:, 0], (low, up)

    def first_state(self, n: int) -> State:
        """The state before the first point of ``n`` lines."""
        new = self.head.weight.new_zeros
        sizes = self.sizes.lower, self.sizes.upper
        low, up = ((new(n, size), new(n, size)) for size in sizes)
        return low, up

    def _lower_input(self, text: tuple[Tensor, Tensor], style: Tensor, features: Tensor, phase: Tensor) -> Tensor:
        width = torch.full_like(phase, FED_WIDTH)
        read = [_window(text, phase, width), _window(text, phase + 1, width)]
        return self.lower_input(torch.cat([features, *read], -1)) + self.lower_style(style)[:, None]  # type: ignore[no-any-return]

    def _advance(self, lower: Tensor, phase: Tensor) -> tuple[Tensor, Tensor]:
        """Where the windows stand in this step (n, T), and their widths (n, T, 2)."""
        raw = self.window(lower).float()
        return phase + functional.softplus(raw[..., 0]), 1.0 + functional.softplus(raw[..., 1:])

    def _upper_input(
        self, text: tuple[Tensor, Tensor], style: Tensor, features: Tensor, phase: Tensor, widths: Tensor
    ) -> Tensor:
        read = [_window(text, phase, widths[..., 0]), _window(text, phase + 1, widths[..., 1])]
        return self.upper_input(torch.cat([features, *read], -1)) + self.upper_style(style)[:, None]  # type: ignore[no-any-return]

    def _output(self, lower: Tensor, upper: Tensor, phase: Tensor) -> Output:
        raw = self.head(torch.cat([lower, upper], -1)).float()
        m = self.sizes.mixtures
        weights, x, y, wide, high, turn = raw[..., : 6 * m].unflatten(-1, (6, m)).unbind(-2)
        deviations = [SMALLEST_DEVIATION + torch.exp(log.clamp(max=LARGEST_LOG_DEVIATION)) for log in (wide, high)]
        mixture = Mixture(weights, x, y, deviations[0], deviations[1], LARGEST_CORRELATION * torch.tanh(turn))
        return Output(mixture, raw[..., 6 * m : 6 * m + _PENS], raw[..., -1], phase)


def _window(text: tuple[Tensor, Tensor], centre: Tensor, width: Tensor) -> Tensor:
    """What a Gaussian window at ``centre`` (n, T) reads of the text's embeddings (n, L, e): (n, T, e).

    Its weights sum to 1 over the text and END, so that between two characters it reads half of each.
    """
    embedded, real = text
    return torch.bmm(window_weights(real, centre, width), embedded)


def window_weights(real: Tensor, centre: Tensor, width: Tensor) -> Tensor:
    """The weights (n, T, L) of a Gaussian window; ``real`` (n, L) tells characters and END from padding."""
    away = centre[..., None] - torch.arange(real.shape[1], device=centre.device)
    logits = -width[..., None] * away**2
    return torch.softmax(logits.masked_fill(~real[:, None], -torch.inf), -1)


def _cell(lstm: nn.LSTM, inputs: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    weight_in, weight, bias_in, bias = (lstm.get_parameter(name) for name in names)
    return torch.lstm_cell(inputs, state, weight_in, weight, bias_in, bias)


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

    def new_state(self, lines: int, longest: int) -> TorchDecoderState:
        """A desk for ``lines`` lines of up to ``longest`` characters."""
        return TorchDecoderState(self.network, min(lines, _MOST), longest)


class TorchDecoderState:
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
        return split_head(*(tensor.cpu().numpy().astype(np.float64) for tensor in (head, ahead)))
