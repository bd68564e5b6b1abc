"""What training brings down: the surprise at the next offset, at the pen, at the end, and the window's error."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ecgvec.handwriting.features import Batch
from ecgvec.handwriting.model import Network, Output

_PHASE_SCALE = 10.0  # a tenth of a character off weighs as much as half a nat
_END_WEIGHT = 2.0


@dataclass(frozen=True)
class Losses:
    """Means a point: ``offset``, ``pen``, ``end`` in nats, ``phase`` in its own measure; ``total`` is their sum."""

    total: Tensor
    offset: Tensor
    pen: Tensor
    end: Tensor
    phase: Tensor

    def figures(self) -> dict[str, float]:
        """The numbers by name."""
        return {name: float(value.detach()) for name, value in vars(self).items()}


def run(network: Network, batch: Batch, device: torch.device) -> Losses:
    """The losses of a batch."""
    inputs = (batch.characters, batch.style, batch.features, batch.phase)
    output = network(*(torch.from_numpy(array).to(device) for array in inputs))
    return losses(output, batch, device)


def losses(output: Output, batch: Batch, device: torch.device) -> Losses:
    """The losses of an output: offsets and pen over the points, end and window over the points and the end."""
    steps = torch.from_numpy(batch.steps).to(device)
    place = torch.arange(batch.pen.shape[1], device=device)
    point = (place < steps[:, None] - 1).float()  # a mask and no index: its gradient is cheaper
    counted = (place < steps[:, None]).float()
    over = counted - point
    offset, pen, phase = (torch.from_numpy(a).to(device) for a in (batch.offset, batch.pen, batch.next_phase))
    points = point.sum()
    surprise = (output.mixture.negative_log_likelihood(offset) * point).sum() / points
    pens = functional.cross_entropy(output.pen.movedim(-1, 1), pen, reduction="none")
    ends = functional.binary_cross_entropy_with_logits(output.end, over, reduction="none")
    off = functional.smooth_l1_loss(output.phase * _PHASE_SCALE, phase * _PHASE_SCALE, reduction="none")
    parts = surprise, (pens * point).sum() / points, (ends * counted).sum() / points, (off * counted).sum() / points
    return Losses(parts[0] + parts[1] + _END_WEIGHT * parts[2] + parts[3], *parts)
