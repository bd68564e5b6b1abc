"""Training of readers of single letters; and of the one that ships, which reads what the network wrote.

It learns from the very people and fonts that the network learns from. Those held out, by whom legibility is judged, it
never sees.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ecgvec._typing import Float32Array
from ecgvec.errors import SourceError
from ecgvec.handwriting.reader import CLASSES, FORMAT, MAPS, SIZE, Letter, class_of, ink_of, pick_letters, pictures
from ecgvec.handwriting.training.checkpoint import write_tensors
from ecgvec.handwriting.training.corpus import bend_letters, in_lines, isolated_letters
from ecgvec.handwriting.training.sources import is_held_out, load_hands

SMOOTHING = 0.05  # of the labels
NORM_EPS = 1e-5  # of the norms, against a variance of nothing
LINES = 60  # composed lines of each hand to learn from

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Lessons:
    """How a reader learns: ``steps`` of ``rows`` letters; and how many maps its layers have, and its ``dense`` one."""

    steps: int = 3_000
    rows: int = 128
    rate: float = 4e-3
    widths: tuple[int, int, int] = (16, 32, 64)
    dense: int = 128
    seed: int = 0


class ReaderNetwork(nn.Module):
    """A small convolutional network: (n, MAPS, SIZE, SIZE) -> (n, classes)."""

    def __init__(self, widths: tuple[int, int, int], dense: int) -> None:
        super().__init__()
        pairs = list(pairwise((MAPS, *widths)))
        self.looks = nn.ModuleList([nn.Conv2d(before, after, 3, 1, 1, bias=False) for before, after in pairs])
        self.norms = nn.ModuleList([nn.BatchNorm2d(after, NORM_EPS) for _, after in pairs])
        self.dense, self.norm = nn.Linear(widths[-1] * (SIZE // 8) ** 2, dense), nn.BatchNorm1d(dense, NORM_EPS)
        self.out, self.drop = nn.Linear(dense, len(CLASSES)), nn.Dropout(0.4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits."""
        for look, norm in zip(self.looks, self.norms, strict=True):
            x = functional.max_pool2d(functional.relu(norm(look(x))), 2)
        x = functional.relu(self.norm(self.dense(self.drop(x.flatten(1)))))
        logits: torch.Tensor = self.out(self.drop(x))
        return logits


def train_reader(letters: Sequence[Letter], lessons: Lessons, report: Report | None = None) -> ReaderNetwork:
    """A reader that has learnt these letters, each class as often as any other, and in it each character.

    Every class must be there. ``report`` is given step, loss and seconds now and then.
    """
    rng = np.random.default_rng(lessons.seed)
    drawings: dict[str, list[int]] = defaultdict(list)
    for number, letter in enumerate(letters):
        drawings[letter.character].append(number)
    members = [[drawings[c] for c in sorted(drawings) if class_of(c) == name] for name in CLASSES]
    ink, since = ink_of(letters), time.monotonic()
    with torch.random.fork_rng():  # the program's own random state stays as it was
        torch.manual_seed(lessons.seed)
        reader = ReaderNetwork(lessons.widths, lessons.dense).train()
        optimiser = torch.optim.AdamW(reader.parameters(), weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lessons.rate, lessons.steps)
        for step in range(lessons.steps):
            classes = rng.integers(len(CLASSES), size=lessons.rows)
            pools = [members[each][int(rng.integers(len(members[each])))] for each in classes]
            rows = np.array([pool[int(rng.integers(len(pool)))] for pool in pools])
            loss = functional.cross_entropy(
                reader(as_tensor(pictures(bend_letters(pick_letters(ink, rows), rng), rng))),
                torch.from_numpy(classes),
                label_smoothing=SMOOTHING,
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            if report is not None and (step + 1) % 100 == 0:
                seconds = time.monotonic() - since
                report({"step": step + 1, "total": float(loss.detach()), "seconds": seconds})
    return reader.eval()


def as_tensor(maps: Float32Array) -> torch.Tensor:
    """Maps of letters in the layout that is fastest here."""
    return torch.from_numpy(maps).contiguous(memory_format=torch.channels_last)


def train(data: Path, out: Path, lessons: Lessons = Lessons(), report: Report | None = None) -> Path:
    """Teach a reader with the pen data in ``data``, people held out left out; return the file ``out``."""
    out.parent.mkdir(parents=True, exist_ok=True)
    hands = [hand for hand in load_hands(data) if not is_held_out(hand.name)]
    letters = [*isolated_letters(hands), *in_lines(hands, LINES)]
    lacking = [name for name in CLASSES if not any(letter.character in name for letter in letters)]
    if lacking:
        raise SourceError(f"{data} has no drawing of '{lacking[0]}': a reader needs all letters and digits")
    reader = train_reader(letters, lessons, report)
    about = {"format": FORMAT, "classes": CLASSES, "people": [hand.name for hand in hands], "lessons": asdict(lessons)}
    write_tensors(out, fold_norms(reader), about)
    return out


def fold_norms(reader: ReaderNetwork) -> dict[str, torch.Tensor]:
    """Its layers as ``NAME.weight`` (out, in) and ``NAME.bias`` (out,), norms multiplied out."""
    state = reader.state_dict()
    found = {f"out.{part}": state[f"out.{part}"] for part in ("weight", "bias")}
    pairs = [(f"look{number}", f"looks.{number}", f"norms.{number}") for number in range(len(reader.looks))]
    for name, layer, norm in (*pairs, ("dense", "dense", "norm")):
        size = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + NORM_EPS)
        shift = state.get(f"{layer}.bias", 0.0) - state[f"{norm}.running_mean"]
        found[f"{name}.weight"] = state[f"{layer}.weight"].flatten(1) * size[:, None]
        found[f"{name}.bias"] = state[f"{norm}.bias"] + shift * size
    return found
