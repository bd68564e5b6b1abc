"""Sampling the network: the steps of a pen, many notes at a time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from ecgvec._typing import Float32Array, Float64Array, Int64Array, Points
from ecgvec.handwriting.compose import BLANK, DOTS, STEP, UP, strokes_of
from ecgvec.handwriting.features import LARGEST_CORRELATION, LARGEST_LOG_DEVIATION, SMALLEST_DEVIATION, PenState

_POINTS_A_CHARACTER = 90  # more than the longest letters take: a text that needs more has run away
_STUCK = 150  # points on one character
_HIGHEST, _LOWEST = -6.0, 4.0  # x-heights: no hand reaches so far from its baseline
_SPARSE = 0.75  # a desk so empty is exchanged for a smaller one, once nothing waits
_NEAR, _PART = 10, 0.4  # points, and part of a character's points, that a limit between characters may be moved by
_CHUNK = 64  # random numbers drawn at a time for each text


class Job(NamedTuple):
    """A text to write: all characters known, in the style of this number, with the randomness of this generator, and as
    neatly as ``bias`` says: 0 as freely as the data."""

    text: str
    style: int
    chance: np.random.Generator
    bias: float


class DecoderState(Protocol):
    """Lines being written side by side, each in a slot."""

    @property
    def slots(self) -> int:
        """How many lines there is room for."""

    def place(self, slot: int, text: str, style: int) -> None:
        """Begin a new line in a slot."""

    def keep(self, slots: Int64Array) -> None:
        """Go on with these slots alone, in this order; what fills up the rest is not looked at."""

    def step(self, features: Float32Array, phase: Float64Array) -> Step:
        """One point of each line: ``features`` (slots, FEATURES), ``phase`` (slots,)."""


class Engine(Protocol):
    """A network that writes: in NumPy, or in PyTorch on some device."""

    def running(self) -> AbstractContextManager[None]:
        """What must hold while it writes."""

    def new_state(self, lines: int, longest: int) -> DecoderState:
        """A desk for ``lines`` lines of up to ``longest`` characters, or for as many at a time as are worth while."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A written text. ``points`` (n, 2) x-heights, y down, 0 the baseline; ``pen`` (n,) DRAW, UP or BLANK;
    ``character`` (n,) the index in ``text`` of each point, by the window; ``fault``: what went wrong, or nothing.
    """

    text: str
    points: Points
    pen: Int64Array
    character: Int64Array
    fault: str

    def strokes(self) -> list[Points]:
        """The ink: a list of (n, 2)."""
        return strokes_of(self.points, self.pen)


def sample(engine: Engine, jobs: Sequence[Job]) -> list[Sample]:
    """Write texts of at least one character. On the NumPy engine none depends, to the bit, on what else is written."""
    if not jobs:
        return []
    with engine.running():
        return _Session(engine, jobs).run()


class _Session:
    """The slots of a desk, filled anew as their lines end: long texts first, so that all end at about one time."""

    def __init__(self, engine: Engine, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._desk = engine.new_state(len(jobs), max(len(job.text) for job in jobs))
        self._waiting = sorted(range(len(jobs)), key=lambda i: len(jobs[i].text))
        n = self._desk.slots
        self._pens, self._phase = PenState(n), np.full(n, -0.5)
        self._job = np.full(n, -1)  # of each slot; -1: none
        self._steps, self._end = np.zeros(n, dtype=np.int64), np.ones(n)
        self._bias = np.zeros(n)
        self._draws = np.zeros((n, _CHUNK, 4))
        self._log = np.zeros((n, 512, 4))  # x, y, pen, phase of each slot's points
        self._done: dict[int, Sample] = {}

    def run(self) -> list[Sample]:
        """All texts, in their order."""
        self._fill(np.arange(self._desk.slots))
        while len(self._done) < len(self._jobs):
            ended = self._step()
            if len(ended):
                self._fill(ended)
                if not self._waiting:
                    self._close_up()
        return [self._done[i] for i in range(len(self._jobs))]

    def _fill(self, slots: Int64Array) -> None:
        """Begin waiting texts in free slots."""
        self._job[slots] = -1
        self._pens.restart(slots)
        self._phase[slots], self._steps[slots], self._end[slots] = -0.5, 0, 1
        for slot in slots[: len(self._waiting)].tolist():
            index = self._waiting.pop()
            job = self._jobs[index]
            self._desk.place(slot, job.text, job.style)
            self._job[slot], self._end[slot], self._bias[slot] = index, len(job.text), job.bias

    def _close_up(self) -> None:
        """Drop free slots where that saves time."""
        busy = np.flatnonzero(self._job >= 0)
        if 0 < len(busy) <= _SPARSE * self._desk.slots:
            self._desk.keep(busy)
            fill = np.resize(busy, self._desk.slots)
            self._pens.keep(fill)
            for name in ("_phase", "_job", "_steps", "_end", "_bias", "_draws", "_log"):
                setattr(self, name, getattr(self, name)[fill])
            self._job[len(busy) :] = -1

    def _step(self) -> Int64Array:
        """One point of each line; the slots whose lines have ended."""
        slots = np.arange(self._desk.slots)
        for slot in np.flatnonzero((self._steps % _CHUNK == 0) & (self._job >= 0)).tolist():
            chance = self._jobs[self._job[slot]].chance
            self._draws[slot] = np.hstack([chance.random((_CHUNK, 2)), chance.standard_normal((_CHUNK, 2))])
        step = self._desk.step(self._pens.features(self._phase), self._phase)
        busy = self._job >= 0
        self._phase = np.where(busy, step.phase, -0.5)
        far = self._phase > self._end - 0.2
        over = busy & ((step.end > 0) & (self._phase > self._end - 0.75) | far)
        late = busy & ~over & (self._steps >= self._end * _POINTS_A_CHARACTER)
        offset, pen = draw_step(step, self._draws[slots, self._steps % _CHUNK], self._bias)
        points = np.where(busy[:, None], self._pens.at + offset * STEP, 0.0)
        self._pens.move(points, pen)
        self._write(slots, np.column_stack([points, pen, self._phase]))
        for slot in np.flatnonzero(over | late).tolist():
            index = int(self._job[slot])
            rows = self._log[slot, : self._steps[slot]].copy()
            self._done[index] = _finished(self._jobs[index].text, rows, bool(over[slot]))
        self._steps[busy] += 1
        return np.flatnonzero(over | late)

    def _write(self, slots: Int64Array, rows: Float64Array) -> None:
        if self._steps.max() >= self._log.shape[1]:
            self._log = np.concatenate([self._log, np.zeros_like(self._log)], axis=1)
        self._log[slots, self._steps] = rows


def _finished(text: str, rows: Float64Array, ended: bool) -> Sample:
    points, pen, phase = rows[:, :2], rows[:, 2].astype(np.int64), rows[:, 3]
    character = np.clip(np.round(phase), 0, len(text) - 1).astype(np.int64)
    wrong = fault(text, points, pen, character, ended)
    # Ink drawn while the window was on a space belongs to the nearer neighbour.
    space = np.array([c == " " for c in text])[character] & (pen != BLANK)
    character[space] += np.where(phase[space] < character[space], -1, 1)
    character = np.clip(character, 0, len(text) - 1)
    return Sample(text, points, pen, snap_to_lifts(text, character, pen) if not wrong else character, wrong)


def snap_to_lifts(text: str, character: Int64Array, pen: Int64Array) -> Int64Array:
    """Characters (n,) with their limits moved to where the pen was lifted (n,), if that is near.

    The window is a few points early or late: without this the last points of a stroke go to the next character.
    """
    parts = np.array([1.0 if sign in DOTS else _PART for sign in text])  # a dot is less than what the window is off by
    character, lifts = character.copy(), np.flatnonzero(pen == UP)
    for limit in np.flatnonzero(np.diff(character) > 0).tolist():
        if len(lifts) == 0 or pen[limit] == BLANK or pen[limit + 1] == BLANK:
            continue
        lift = int(lifts[np.abs(lifts - limit).argmin()])
        moved = slice(limit + 1, lift + 1) if lift > limit else slice(lift + 1, limit + 1)
        loser, winner = character[limit + (lift > limit)], character[limit + (lift <= limit)]
        size, whole = moved.stop - moved.start, (character == loser).sum()
        is_part = 0 < size <= min(_NEAR, parts[loser] * whole) and size < whole
        if is_part and (character[moved] == loser).all():
            character[moved] = winner
    return character


def fault(text: str, points: Points, pen: Int64Array, character: Int64Array, ended: bool) -> str:
    """What is wrong: "" where the window visited each character once, in order, with ink, near the line."""
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
    if points[:, 1].min() < _HIGHEST or points[:, 1].max() > _LOWEST:
        return "left the line"
    return ""


class Step(NamedTuple):
    """The network's outputs for n lines: ``mixture`` (n, 6, m) of weights as logits, means x and y, logarithms of
    deviations x and y, and correlation before tanh; ``pen`` (n, 3) and ``end`` (n,) as logits; ``phase`` (n,): where
    the window stands now."""

    mixture: Float64Array
    pen: Float64Array
    end: Float64Array
    phase: Float64Array


def split_head(head: Float64Array, phase: Float64Array) -> Step:
    """The step of rows (n, 6 m + 4) of the network's last layer."""
    n, width = head.shape
    mixture = head[:, : width - 4].reshape(n, 6, (width - 4) // 6)
    return Step(mixture, head[:, width - 4 : width - 1], head[:, width - 1], phase)


def draw_step(step: Step, draws: Float64Array, bias: Float64Array) -> tuple[Points, Int64Array]:
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
