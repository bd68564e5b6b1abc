"""One step of writing: what the network says of the next point of each line, and the point drawn from it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ecgvec._typing import Float64Array, Int64Array, Points
from ecgvec.handwriting.features import LARGEST_CORRELATION, LARGEST_LOG_DEVIATION, SMALLEST_DEVIATION


class Step(NamedTuple):
    """The network's outputs for n lines: ``mixture`` (n, 6, m) of weights as logits, means x and y, logarithms of
    deviations x and y, and correlation before tanh; ``pen`` (n, 3) and ``end`` (n,) as logits; ``phase`` (n,): where
    the window stands now."""

    mixture: Float64Array
    pen: Float64Array
    end: Float64Array
    phase: Float64Array


def split(head: Float64Array, phase: Float64Array) -> Step:
    """The step of rows (n, 6 m + 4) of the network's last layer."""
    n, width = head.shape
    mixture = head[:, : width - 4].reshape(n, 6, (width - 4) // 6)
    return Step(mixture, head[:, width - 4 : width - 1], head[:, width - 1], phase)


def drawn(step: Step, draws: Float64Array, bias: Float64Array) -> tuple[Points, Int64Array]:
    """(offsets (n, 2) in STEPs, pen states (n,)); ``draws`` (n, 4): two uniform numbers and two normal ones.

    ``bias`` (n,): 0 writes as freely as the data, 1 and more neatly (Graves 2013, section 5.4).
    """
    rows = np.arange(len(draws))
    chosen = _choice(_softmax(step.mixture[:, 0] * (1 + bias)[:, None]), draws[:, 0])
    _, x, y, wide, high, turn = step.mixture[rows, :, chosen].T
    shrink = np.exp(-bias)
    wide, high = (SMALLEST_DEVIATION + np.exp(np.minimum(log, LARGEST_LOG_DEVIATION)) for log in (wide, high))
    turn = LARGEST_CORRELATION * np.tanh(turn)
    first, second = draws[:, 2], draws[:, 3]
    offset = np.column_stack(
        [x + wide * shrink * first, y + high * shrink * (turn * first + np.sqrt(1 - turn**2) * second)]
    )
    # The bias is not for the pen: it would lift too seldom, since it seldom lifts.
    return offset, _choice(_softmax(step.pen), draws[:, 1])


def _softmax(logits: Float64Array) -> Float64Array:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _choice(weights: Float64Array, uniform: Float64Array) -> Int64Array:
    """For each row of ``weights`` (n, m) the index that ``uniform`` (n,) falls on."""
    sums = np.cumsum(weights, axis=1)
    below = (sums < uniform[:, None] * sums[:, -1:]).sum(axis=1)
    return np.asarray(np.minimum(below, weights.shape[1] - 1), dtype=np.int64)
