"""From lines to what the network is fed and asked for: the same features in training and in writing.

The network is shown its own pen: the last offset, and where the pen stands against the baseline, against the start of
the stroke and against the right edge of the ink. A sum of hundreds of offsets is hard to learn and easy to compute.

Where the window stands on the text is known in training, because the corpus is composed: the phase runs from i - 1/2
to i + 1/2 while character i is written. Pen and phase are given with slow noise, and the targets lead back from it: a
writer that errs has then seen how to go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecgvec._typing import Float32Array, Float64Array, Int64Array, Points
from ecgvec.handwriting.charset import pad_texts
from ecgvec.handwriting.compose import BLANK, STEP, UP, Line

FEATURES = 10
# What the network's outputs mean, wherever it runs.
FED_WIDTH = 8.0  # of the window that is fed back
SMALLEST_DEVIATION = 0.08  # STEPs: even spacing makes lengths nearly certain, and certainty would rule the loss
LARGEST_LOG_DEVIATION = 4.0
LARGEST_CORRELATION = 0.95
_END_PHASE = -0.5 + 1 / 16  # where on END the window stands when the text is over
_PEN_NOISE, _PEN_DECAY = 0.012, 0.85  # x-heights a step; how much of an error is left a step later
_PHASE_NOISE, _PHASE_DECAY = 0.03, 0.9  # characters a step


@dataclass(frozen=True, eq=False)
class Batch:
    """A batch of n lines, T steps (one a point, and one for the end), as arrays.

    ``characters`` (n, L) numbers; ``style`` (n,); ``features`` (n, T, FEATURES) and ``phase`` (n, T): the state before
    each step; ``offset`` (n, T, 2) in STEPs, ``pen`` (n, T), ``next_phase`` (n, T): what the step should give;
    ``steps`` (n,): how many steps of each line count, the last of which ends the text.
    """

    characters: Int64Array
    style: Int64Array
    features: Float32Array
    phase: Float32Array
    offset: Float32Array
    pen: Int64Array
    next_phase: Float32Array
    steps: Int64Array


def phases(line: Line) -> Float64Array:
    """Where the window stands at each point (n,), in characters: it goes evenly over the points of a character."""
    counts = np.bincount(line.character, minlength=len(line.text))
    first = np.cumsum(counts) - counts
    place = np.arange(len(line.points)) - first[line.character]
    return np.asarray(line.character + (place + 0.5) / counts[line.character] - 0.5, dtype=np.float64)


def make_batch(lines: Sequence[tuple[Line, int]], rng: np.random.Generator | None) -> Batch:
    """The arrays of lines with their styles; ``rng`` draws the noise, None leaves it out."""
    steps = np.array([len(line.points) + 1 for line, _ in lines])
    n, longest = len(lines), int(steps.max())
    points, phase = np.zeros((n, longest, 2)), np.zeros((n, longest))
    pen = np.zeros((n, longest), dtype=np.int64)
    for row, (line, _) in enumerate(lines):
        end = len(line.points)
        points[row, :end], points[row, end:] = line.points, line.points[-1]
        pen[row, :end] = line.pen
        phase[row, :end], phase[row, end:] = phases(line), len(line.text) + _END_PHASE
    pen_noise = _drift(rng, (n, longest, 2), _PEN_NOISE, _PEN_DECAY)
    phase_noise = _drift(rng, (n, longest), _PHASE_NOISE, _PHASE_DECAY)
    seen, seen_phase = points + pen_noise, phase + phase_noise
    before = np.concatenate([np.zeros((n, 1, 2)), seen[:, :-1]], axis=1)
    phase_before = np.concatenate([np.full((n, 1), -0.5), seen_phase[:, :-1]], axis=1)
    target = points + _PEN_DECAY * _later(pen_noise)
    return Batch(
        characters=np.array(pad_texts([line.text for line, _ in lines])),
        style=np.array([style for _, style in lines]),
        features=_features(seen, pen, phase_before),
        phase=phase_before.astype(np.float32),
        offset=((target - before) / STEP).astype(np.float32),
        pen=pen,
        next_phase=(phase + _PHASE_DECAY * _later(phase_noise)).astype(np.float32),
        steps=steps,
    )


def _later(noise: Float64Array) -> Float64Array:
    """The noise (n, T, ...) one step later, 0 at the first."""
    return np.concatenate([np.zeros_like(noise[:, :1]), noise[:, :-1]], axis=1)


def _drift(rng: np.random.Generator | None, shape: tuple[int, ...], size: float, decay: float) -> Float64Array:
    """Noise that keeps ``decay`` of itself from step to step (axis 1), with fresh noise of deviation ``size``.

    A third of the lines get none: the writer also has to know what going right looks like.
    """
    noise = np.zeros(shape)
    if rng is None:
        return noise
    fresh = rng.normal(0.0, size, shape) * (rng.random(shape[0]) > 1 / 3).reshape(-1, *[1] * (len(shape) - 1))
    for step in range(1, shape[1]):
        noise[:, step] = decay * noise[:, step - 1] + fresh[:, step]
    return noise


def _features(points: Float64Array, pen: Int64Array, phase_before: Float64Array) -> Float32Array:
    """The features (n, T, FEATURES) before each step, of points (n, T, 2) in x-heights."""
    n, steps = pen.shape
    state = PenState(n)
    features = np.empty((n, steps, FEATURES), dtype=np.float32)
    for step in range(steps):
        features[:, step] = state.features(phase_before[:, step])
        state.move(points[:, step], pen[:, step])
    return features


class PenState:
    """Where ``n`` pens are: moved point by point, asked for the features."""

    def __init__(self, n: int) -> None:
        self.at = np.zeros((n, 2))
        self._offset = np.zeros((n, 2))
        self._start = np.zeros((n, 2))
        self._right = np.zeros(n)
        self._pen = np.full(n, UP)

    def move(self, points: Points, pen: Int64Array) -> None:
        """Move each pen to its point (n, 2), with its state (n,) after it."""
        self._offset = points - self.at
        self._start = np.where((self._pen != 0)[:, None], points, self._start)
        self._right = np.maximum(self._right, points[:, 0])
        self.at, self._pen = points, pen

    def restart(self, rows: Int64Array) -> None:
        """Begin new lines with the pens of these ``rows``."""
        for array in (self.at, self._offset, self._start, self._right):
            array[rows] = 0.0
        self._pen[rows] = UP

    def keep(self, rows: Int64Array) -> None:
        """Go on with the pens of these ``rows`` alone, in this order."""
        self.at, self._offset, self._start = self.at[rows], self._offset[rows], self._start[rows]
        self._right, self._pen = self._right[rows], self._pen[rows]

    def features(self, phase: Float64Array) -> Float32Array:
        """The features (n, FEATURES) before the next step, with the window at ``phase`` (n,)."""
        return np.column_stack(
            [
                np.arcsinh(self._offset / STEP),  # a jump between strokes is a tenfold step: kept in bounds
                self._pen == UP,
                self._pen == BLANK,
                self.at[:, 1],
                self.at - self._start,
                self.at[:, 0] - self._right,
                np.sin(2 * np.pi * phase),  # how far through its character: round and round, never a leap
                np.cos(2 * np.pi * phase),
            ]
        ).astype(np.float32)
