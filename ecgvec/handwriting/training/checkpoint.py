"""Checkpoints of a training run, and the loss that it lessens."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor
from torch.nn import functional

from ecgvec.errors import SourceError, one_line
from ecgvec.handwriting.charset import CHARACTERS
from ecgvec.handwriting.features import Batch
from ecgvec.handwriting.model import Network, Output, Sizes
from ecgvec.handwriting.recurrent import FORMAT, Style, read_arrays

# Styles that the network learns, and that are not offered to write in. The rule: a font of whose own letters composed
# lines, cut apart, are read less than 0.7 times as often as other people's letters (`--composed` of
# tools/handwriting_legibility.py). They stay in training, where they lend shapes and punctuation.
NOT_OFFERED = ("font-HersheyScript1", "font-EMSSwiss", "font-EMSAllure", "font-EMSFelix", "font-EMSQwandry")
_PER_STYLE = ("lower_style.weight", "upper_style.weight")  # one row a style


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a kill at any moment leaves the old one or the new one."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write tensors with ``about``, anything that JSON can hold."""
    held = {name: tensor.detach().to("cpu").contiguous() for name, tensor in tensors.items()}
    write_whole(path, save(held, {"about": json.dumps({"format": FORMAT, **about}, sort_keys=True)}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """(tensors, about) of a file of `write_tensors`; SourceError where it is none."""
    arrays, about = read_arrays(path)
    return {name: torch.from_numpy(np.asarray(array)) for name, array in arrays.items()}, about


def write_network(path: Path, network: Network, styles: Sequence[Style], about: Mapping[str, Any]) -> None:
    """Write a network with its sizes, its characters and its styles."""
    _write(path, network.state_dict(), asdict(network.sizes), styles, about)


def write_published(path: Path, network: Network, styles: Sequence[Style], about: Mapping[str, Any]) -> None:
    """The same without the styles NOT_OFFERED, for who writes; all of them where there are no others."""
    rows = [number for number, style in enumerate(styles) if style.name not in NOT_OFFERED] or list(range(len(styles)))
    tensors = {name: tensor[rows] if name in _PER_STYLE else tensor for name, tensor in network.state_dict().items()}
    sizes = {**asdict(network.sizes), "styles": len(rows)}
    _write(path, tensors, sizes, [styles[row] for row in rows], about)


def _write(
    path: Path,
    tensors: Mapping[str, Tensor],
    sizes: Mapping[str, int],
    styles: Sequence[Style],
    about: Mapping[str, Any],
) -> None:
    known = {"sizes": sizes, "characters": CHARACTERS, "styles": [asdict(style) for style in styles]}
    write_tensors(path, tensors, {**about, **known})


def read_network(path: Path) -> tuple[Network, tuple[Style, ...], dict[str, Any]]:
    """(network ready to write, its styles, what else the file says); SourceError where the file is none of these."""
    tensors, about = read_tensors(path)
    try:
        if about["characters"] != CHARACTERS:
            raise ValueError("its characters are not those of this version")
        with torch.device("meta"):
            network = Network(Sizes(**about["sizes"]))
        network.load_state_dict(tensors, assign=True)
        styles = tuple(Style(**style) for style in about["styles"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise SourceError(f"{path} holds no handwriting model ({one_line(error)}): train or fetch it anew") from error
    return network.eval().requires_grad_(False), styles, about


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
