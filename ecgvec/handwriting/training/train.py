"""Training: repeatable, resumable to the bit, and content with one slow core."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ecgvec.errors import SourceError
from ecgvec.handwriting.features import Batch, make_batch
from ecgvec.handwriting.model import Network, Sizes
from ecgvec.handwriting.training import checkpoint
from ecgvec.handwriting.training.checkpoint import (
    read_tensors,
    write_network,
    write_published,
    write_tensors,
    write_whole,
)
from ecgvec.handwriting.training.corpus import BLOCK, Corpus, Written, open_corpus
from ecgvec.rng import stream

STATE, LATEST, BEST, LOG = "state.safetensors", "latest.safetensors", "best.safetensors", "log.jsonl"

# Short lines first, and more of them: (from this step, up to so many characters, so many times the rows).
_CURRICULUM = ((0, 6, 2), (600, 12, 1), (1600, 20, 1))
_LARGEST_GRADIENT = 10.0
_HELD_OUT_LINES = 192

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Settings:
    """How to train: ``rows`` lines a step, ``rate`` the highest learning rate, ``average`` the decay of mean weights.

    Keep ``rows`` a multiple of 32: the kernels of many CPUs are twice as slow between.
    """

    steps: int = 8_000
    seed: int = 6
    rows: int = 64
    rate: float = 3e-3
    warm_up: int = 200
    average: float = 0.999
    every: int = 250  # steps from one held-out loss and checkpoint to the next
    lower: int = 256
    upper: int = 448


def train(
    data: Path,
    out: Path,
    settings: Settings = Settings(),
    device: str = "auto",
    report: Report | None = None,
) -> Path:
    """Train with the pen data in ``data``; return the best weights' path in ``out``.

    ``out`` gets ``best.safetensors`` (mean weights with the lowest held-out checkpoint, without the styles that are not
    offered), ``latest.safetensors`` with all styles, ``state.safetensors`` to go on from, and ``log.jsonl``. Where
    ``out`` has a state, training goes on from it as if it had never stopped. ``report`` is given each line of the log.
    """
    out.mkdir(parents=True, exist_ok=True)
    run = _Run(open_corpus(data, settings.seed), out, settings, _device(device))
    run.resume()
    while run.step < settings.steps:
        figures = run.one_step()
        if run.step % settings.every == 0 or run.step == settings.steps:
            figures |= run.held_out()
            run.save(figures["held_out"])
        if run.step % 50 == 0 or run.step == settings.steps:
            run.log(figures, report)
    return out / BEST


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or not (number or "0").isdigit():
        raise SourceError(f"--device {name}: no such device; use auto, cpu, cuda or cuda:1")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise SourceError(f"--device {name}: PyTorch finds no such CUDA device here; use --device cpu")
    return torch.device(name)


def precision(device: torch.device) -> AbstractContextManager[Any]:
    """bfloat16 for the large products where the machine multiplies it faster, else float32."""
    if device.type == "cuda" or _has_amx():
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


def _has_amx() -> bool:
    try:
        return " amx_bf16" in Path("/proc/cpuinfo").read_text(encoding="ascii")
    except OSError:  # not Linux: no way to know, and float32 is right everywhere
        return False


def learning_rate(step: int, settings: Settings) -> float:
    """The rate of a step: up in a line, then down along a cosine to a fiftieth of the highest."""
    if step < settings.warm_up:
        return settings.rate * (step + 1) / settings.warm_up
    part = (step - settings.warm_up) / max(1, settings.steps - settings.warm_up)
    return settings.rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(part, 1.0))))


def _new_network(sizes: Sizes, seed: int) -> Network:
    with torch.random.fork_rng():  # the program's own random state stays as it was
        torch.manual_seed(seed)
        return Network(sizes)


class _Run:
    """A training run: the network, its mean, the optimiser, and where it stands."""

    def __init__(self, corpus: Corpus, out: Path, settings: Settings, device: torch.device) -> None:
        self.step = 0
        self._best = math.inf
        self._seconds = 0.0
        self._since = time.monotonic()
        self._corpus, self._out, self._settings, self._device = corpus, out, settings, device
        sizes = Sizes(len(corpus.styles), settings.lower, settings.upper)
        self._network = _new_network(sizes, settings.seed).to(device)
        self._mean = _new_network(sizes, settings.seed).to(device).eval().requires_grad_(False)
        self._optimiser = torch.optim.Adam(self._network.parameters(), betas=(0.9, 0.99), fused=True)
        self._block: tuple[int, list[Written]] = (-1, [])
        self._test = make_batch(sorted(corpus.held_out(settings.seed, _HELD_OUT_LINES), key=_points), None)

    def one_step(self) -> dict[str, float]:
        """Train on the next batch; its losses, gradient norm and rate."""
        batch = self._batch()
        rate = learning_rate(self.step, self._settings)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        with precision(self._device):
            parts = checkpoint.run(self._network, batch, self._device)
        self._optimiser.zero_grad()
        parts.total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self._network.parameters(), _LARGEST_GRADIENT)
        self._optimiser.step()
        self.step += 1
        decay = min(self._settings.average, (1 + self.step) / (10 + self.step))
        for mean, new in zip(self._mean.parameters(), self._network.parameters(), strict=True):
            mean.lerp_(new.detach(), 1 - decay)
        return {**parts.figures(), "gradient": float(norm), "rate": rate}

    def _batch(self) -> Batch:
        """The batch of this step: a function of seed and step alone."""
        number, place = divmod(self.step, BLOCK)
        if self._block[0] != number:
            _, longest, times = max(phase for phase in _CURRICULUM if number * BLOCK >= phase[0])
            rows = self._settings.rows * times
            self._block = number, self._corpus.block(self._settings.seed, number, rows, longest)
        noise = stream(self._settings.seed, "handwriting", self.step, "corpus/noise")
        return make_batch(self._block[1][place], noise)

    @torch.no_grad()
    def held_out(self) -> dict[str, float]:
        """The losses of the mean weights on texts never shown, without noise."""
        with precision(self._device):
            figures = checkpoint.run(self._mean, self._test, self._device).figures()
        return {"held_out": figures.pop("total"), **{f"held_out_{name}": value for name, value in figures.items()}}

    def save(self, held_out: float) -> None:
        """Write the checkpoint, and the best weights where these are."""
        about = {"step": self.step, "held_out": held_out, "settings": asdict(self._settings)}
        if held_out < self._best:
            self._best = held_out
            write_published(self._out / BEST, self._mean, self._corpus.styles, about)
        write_network(self._out / LATEST, self._mean, self._corpus.styles, about)
        write_tensors(self._out / STATE, self._tensors(), {**about, "best": self._best, "seconds": self._clock()})

    def _tensors(self) -> dict[str, torch.Tensor]:
        tensors = {f"network.{name}": value for name, value in self._network.state_dict().items()}
        tensors |= {f"mean.{name}": value for name, value in self._mean.state_dict().items()}
        for name, parameter in self._network.named_parameters():
            for key, value in self._optimiser.state[parameter].items():
                tensors[f"adam.{key}.{name}"] = value
        return tensors

    def resume(self) -> None:
        """Go on from the state in the folder, if there is one; SourceError where it is of another run."""
        path = self._out / STATE
        if not path.exists():
            write_whole(self._out / LOG, b"")
            return
        tensors, about = read_tensors(path)
        self._check(about["settings"], path)
        try:
            for part, network in (("network.", self._network), ("mean.", self._mean)):
                network.load_state_dict({k.removeprefix(part): v for k, v in tensors.items() if k.startswith(part)})
            for name, parameter in self._network.named_parameters():
                keys = ("step", "exp_avg", "exp_avg_sq")
                values = {key: tensors[f"adam.{key}.{name}"].to(self._device) for key in keys}
                self._optimiser.state[parameter] = values
        except (KeyError, RuntimeError) as error:
            raise SourceError(f"{path} does not fit these pen data: train into a new folder") from error
        self.step, self._best, self._seconds = about["step"], about["best"], about["seconds"]
        lines = (self._out / LOG).read_text(encoding="utf-8").splitlines() if (self._out / LOG).exists() else []
        kept = [line for line in lines if json.loads(line)["step"] <= self.step]
        write_whole(self._out / LOG, "".join(f"{line}\n" for line in kept).encode())

    def _check(self, saved: dict[str, Any], path: Path) -> None:
        """Only the number of steps may differ from the run that is resumed."""
        for name, value in asdict(self._settings).items():
            if name != "steps" and saved.get(name) != value:
                raise SourceError(
                    f"{path} was trained with {name} = {saved.get(name)}, not {value}: "
                    f"give the same settings, or train into a new folder"
                )

    def _clock(self) -> float:
        return round(self._seconds + time.monotonic() - self._since, 1)

    def log(self, figures: dict[str, float], report: Report | None) -> None:
        """Add a line to the log."""
        line = {"step": self.step, "seconds": self._clock(), **{k: round(v, 5) for k, v in figures.items()}}
        with (self._out / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        if report is not None:
            report(line)


def _points(pair: tuple[Any, int]) -> int:
    return len(pair[0].points)
