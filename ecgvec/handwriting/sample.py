"""The first sampler: the network writes, and its window says whether each character was written, once and in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ecgvec.handwriting.charset import padded
from ecgvec.handwriting.compose import BLANK, STEP, strokes_of
from ecgvec.handwriting.features import PenState
from ecgvec.handwriting.glyphs import Points
from ecgvec.handwriting.model import Network, Output

_POINTS_A_CHARACTER = 90  # more than the longest letters take: a text that needs more has run away
_STUCK = 150  # points on one character
_CHUNK = 64  # random numbers drawn at a time for each text


@dataclass(frozen=True, eq=False)
class Sample:
    """A written text. ``points`` (n, 2) x-heights, y down, 0 the baseline; ``pen`` (n,) DRAW, UP or BLANK;
    ``character`` (n,) the index in ``text`` of each point, by the window; ``fault``: what went wrong, or nothing.
    """

    text: str
    points: Points
    pen: NDArray[np.int64]
    character: NDArray[np.int64]
    fault: str

    def strokes(self) -> list[Points]:
        """The ink: a list of (n, 2)."""
        return strokes_of(self.points, self.pen)


@torch.no_grad()
def sample(
    network: Network, texts: Sequence[str], styles: Sequence[int], bias: float, seeds: Sequence[int]
) -> list[Sample]:
    """Write ``texts`` in ``styles``, each with the randomness of its own seed.

    ``bias`` 0 writes as freely as the data, 1 and more neatly (Graves 2013, section 5.4).
    """
    n = len(texts)
    characters, style = torch.tensor(padded(texts)), torch.tensor(list(styles))
    ends = np.array([len(text) for text in texts])
    draws = _Draws(seeds)
    pens, phase, state = PenState(n), np.full(n, -0.5), network.first_state(n)
    written: list[tuple[Points, NDArray[np.int64], NDArray[np.float64]]] = []
    stopped = np.full(n, -1)
    for step in range(int(ends.max(initial=1)) * _POINTS_A_CHARACTER):
        features = torch.from_numpy(pens.features(phase)[:, None])
        position = torch.from_numpy(phase[:, None].astype(np.float32))
        output, state = network.step(characters, style, features, position, state)
        phase = output.phase[:, 0].numpy().astype(np.float64)
        over = (output.end[:, 0].numpy() > 0) & (phase > ends - 0.75) | (phase > ends - 0.2)
        stopped = np.where((stopped < 0) & over, step, stopped)
        if (stopped >= 0).all():
            break
        offset, pen = _drawn(output, draws.next(), bias)
        points = pens.at + offset * STEP
        pens.move(points, pen)
        written.append((points, pen, phase))
    return [_finished(text, row, int(stopped[row]), written) for row, text in enumerate(texts)]


class _Draws:
    """Four uniform and two normal numbers a step for each text, from a generator of its own."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._generators = [np.random.default_rng(seed) for seed in seeds]
        self._left: list[NDArray[np.float64]] = []

    def next(self) -> NDArray[np.float64]:
        """(n, 4): two uniform, two normal."""
        if not self._left:
            uniform = np.stack([g.random((_CHUNK, 2)) for g in self._generators], axis=1)
            normal = np.stack([g.standard_normal((_CHUNK, 2)) for g in self._generators], axis=1)
            self._left = list(np.concatenate([uniform, normal], axis=2))[::-1]
        return self._left.pop()


def _drawn(output: Output, draws: NDArray[np.float64], bias: float) -> tuple[Points, NDArray[np.int64]]:
    """(offsets (n, 2) in STEPs, pen states (n,)) drawn from the output of one step."""
    m = output.mixture
    weights = torch.softmax(m.weights[:, 0] * (1 + bias), -1).numpy().astype(np.float64)
    chosen = _choice(weights, draws[:, 0])
    rows = np.arange(len(chosen))
    x, y, wide, high, turn = (
        part[:, 0].numpy().astype(np.float64)[rows, chosen]
        for part in (m.x, m.y, m.deviation_x, m.deviation_y, m.correlation)
    )
    shrink = np.exp(-bias)
    first, second = draws[:, 2], draws[:, 3]
    offset = np.column_stack(
        [x + wide * shrink * first, y + high * shrink * (turn * first + np.sqrt(1 - turn**2) * second)]
    )
    # The bias is not for the pen: it would lift too seldom, since it seldom lifts.
    pens = torch.softmax(output.pen[:, 0], -1).numpy().astype(np.float64)
    return offset, _choice(pens, draws[:, 1])


def _choice(weights: NDArray[np.float64], uniform: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each row of ``weights`` (n, m) the index that ``uniform`` (n,) falls on."""
    sums = np.cumsum(weights, axis=1)
    below = (sums < uniform[:, None] * sums[:, -1:]).sum(axis=1)
    return np.asarray(np.minimum(below, weights.shape[1] - 1), dtype=np.int64)


def _finished(
    text: str, row: int, stopped: int, written: list[tuple[Points, NDArray[np.int64], NDArray[np.float64]]]
) -> Sample:
    end = stopped if stopped >= 0 else len(written)
    points = np.array([w[0][row] for w in written[:end]]).reshape(-1, 2)
    pen = np.array([w[1][row] for w in written[:end]], dtype=np.int64)
    phase = np.array([w[2][row] for w in written[:end]])
    character = np.clip(np.round(phase), 0, max(0, len(text) - 1)).astype(np.int64)
    return Sample(text, points, pen, character, fault(text, pen, character, stopped >= 0))


def fault(text: str, pen: NDArray[np.int64], character: NDArray[np.int64], ended: bool) -> str:
    """What the window shows to be wrong: "" where each character was visited once, in order, and got ink."""
    if not ended:
        return "ran away"
    counts = np.bincount(character[pen != BLANK], minlength=len(text))
    ink = np.array([c != " " for c in text])
    if (counts[ink] == 0).any():
        return f"skipped character {int(np.flatnonzero(ink & (counts == 0))[0])}"
    if (np.bincount(character, minlength=len(text)) > _STUCK).any():
        return "stuck"
    if (np.diff(character) < 0).any():
        return "went back"
    return ""
