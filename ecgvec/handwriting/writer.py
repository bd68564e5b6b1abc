"""The writer: texts to notes, each a matter of its text, style, bias and seed alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ecgvec._typing import Float64Array, Int64Array
from ecgvec.errors import RecipeError, nearest
from ecgvec.handwriting.charset import transliterate
from ecgvec.handwriting.compose import add_room, compose, pen_speed, stroke_rows
from ecgvec.handwriting.glyphs import Hand
from ecgvec.handwriting.reader import Letter, Reader, cut_letters
from ecgvec.handwriting.recurrent import SHIPPED, NumpyLSTM, Style, read_weights
from ecgvec.handwriting.sample import Engine, Job, Sample, sample
from ecgvec.handwriting.training.sources import read_font
from ecgvec.rng import stream

AGAIN = 3  # times that a note is written again that has a fault or is hard to read
# The mean log-probability of its letters that a note must have: 0.6 each. At 0.45 a tenth less is written again, and
# others read a hundredth less of it.
LEGIBLE = -0.5
LONGEST = 200  # characters
_FEW, _TILES, _MOST = 32, (16, 64), 256  # lines: up to so many in tiles of 16, then of 64; more are not side by side
_PLAIN = Path(__file__).resolve().parent / "plain.svg"


@dataclass(frozen=True, eq=False)
class Note:
    """A written text.

    ``text``: what is written, in printable ASCII; ``strokes``: (n, 3) each: x and y in mm, to a micrometre, y down,
    0 the start of the line and the baseline; and the pen's speed in mm/s. ``characters``: for each stroke (n,) the
    index in ``text`` that each point belongs to. ``style`` is the name of the hand; ``x_height`` in mm; ``attempts``
    how often it was written, ``faults`` how often of these the network lost its way; ``fallback``: whether it was set
    from plain letters in the end. ``messages`` are for people: what was changed or went wrong.
    """

    text: str
    strokes: tuple[Float64Array, ...]
    characters: tuple[Int64Array, ...]
    style: str
    x_height: float
    attempts: int = 1
    faults: int = 0
    fallback: bool = False
    messages: tuple[str, ...] = ()


@dataclass
class _Order:
    """A text on its way to a note."""

    text: str
    style: int
    seed: int
    bias: float
    x_height: float
    messages: list[str] = field(default_factory=list)
    attempts: int = 0
    faults: int = 0
    drafts: list[tuple[float, Sample]] = field(default_factory=list)  # without fault; how likely their letters are

    @property
    def is_done(self) -> bool:
        """Whether its last draft is legible, or it was written often enough."""
        return self.attempts > AGAIN or (bool(self.drafts) and self.drafts[-1][0] >= LEGIBLE)

    def best(self) -> Sample | None:
        """The draft whose letters are the likeliest; None without a draft."""
        return max(self.drafts, key=lambda draft: draft[0], default=(0.0, None))[1]


class Writer:
    """The network with its weights, ready to write. Making one takes a quarter of a second, without PyTorch.

    With ``verify`` each note's letters and digits are read: one that is hard to read is written again, at most AGAIN
    times, and the likeliest is kept. ``weights``: a safetensors file of `ecgvec train handwriting`, None for those that
    are shipped; ``device``: ``cpu``, where the same text, style, bias and seed give the same bits whatever else is
    written, or ``cuda``, which needs PyTorch and does not promise that.
    """

    def __init__(self, weights: Path | None = None, device: str = "cpu", verify: bool = True) -> None:
        path = SHIPPED if weights is None else Path(weights)
        self._weights = read_weights(path)
        self.styles: tuple[Style, ...] = self._weights.styles
        self._engine: Engine = NumpyLSTM(self._weights) if device == "cpu" else _on_device(path, device)
        self._reader = Reader() if verify else None

    def style_number(self, style: int | str) -> int:
        """The number of a style given by its name or number; RecipeError for one that is not there."""
        names = [known.name for known in self.styles]
        if isinstance(style, str) and not style.isdecimal():
            if style not in names:
                raise RecipeError(f"the handwriting style '{style}' is unknown{nearest(style, names)}")
            return names.index(style)
        if not 0 <= int(style) < len(names):
            raise RecipeError(f"the handwriting style {style} is unknown: give a number from 0 to {len(names) - 1}")
        return int(style)

    def able(self, text: str) -> list[int]:
        """The numbers of the styles that were shown all characters of ``text``."""
        wanted = set(transliterate(text)[0])
        return [number for number, style in enumerate(self.styles) if wanted <= set(style.characters)]

    def hands(self, texts: Iterable[str]) -> list[int]:
        """The numbers of the styles that were shown all characters of all ``texts``: people's, where there are any."""
        able = set.intersection(*(set(self.able(text)) for text in texts))
        people = sorted(number for number in able if self.styles[number].kind == "person")
        return people or sorted(able)

    def write(
        self,
        texts: Sequence[str],
        style: int | str | Sequence[int | str] = 0,
        bias: float | Sequence[float] = 0.7,
        seed: int | Sequence[int] = 0,
        x_height: float | Sequence[float] = 2.5,
    ) -> list[Note]:
        """A note for each of ``texts``, all in one pass. Of the rest give one for all, or one for each.

        ``bias`` from 0, free, to 3, neat; ``x_height`` in mm. RecipeError for a text that is empty or too long, for a
        style that is not there, and for numbers out of range.
        """
        each = {"styles": style, "seeds": seed, "biases": bias, "x-heights": x_height}
        columns = [_for_each(texts, value, name) for name, value in each.items()]
        orders = [self._order(*row) for row in zip(texts, *columns, strict=True)]
        while waiting := [order for order in orders if not order.is_done]:
            self._attempt(waiting)
        return [self._note(order) for order in orders]

    def _order(self, asked: str, style: int | str, seed: int, bias: float, x_height: float) -> _Order:
        if not 0 <= bias <= 3:
            raise RecipeError(f"the bias of handwriting is {bias}: give a number from 0 (free) to 3 (neat)")
        if not 0.2 <= x_height <= 50:
            raise RecipeError(f"the x-height of handwriting is {x_height} mm: give 0.2 to 50")
        text, messages = transliterate(asked)
        if not text:
            raise RecipeError(f"the note {asked!r} holds no character that can be written: give it some text")
        if len(text) > LONGEST:
            raise RecipeError(f"the note '{text[:20]}...' has {len(text)} characters: at most {LONGEST} are one line")
        number = self.style_number(style)
        lacking = "".join(sorted(set(text) - set(self.styles[number].characters)))
        if lacking:
            able = self.able(text)
            if not able:
                raise RecipeError(f"no handwriting style of these weights was shown all of '{text}'")
            other = able[number % len(able)]
            name = self.styles[number].name
            messages.append(f"style '{name}' was never shown '{lacking}': written in '{self.styles[other].name}'")
            number = other
        return _Order(text, number, seed, bias, x_height, messages)

    def _attempt(self, orders: list[_Order]) -> None:
        """Write all of these once more, and again and again as far as columns would be idle; take what is needed."""
        count = min(_columns(len(orders)), (1 + AGAIN) * len(orders)) if self._reader else len(orders)
        jobs = [_job(orders[number % len(orders)], number // len(orders)) for number in range(count)]
        samples = sample(self._engine, jobs)
        for first in range(0, count, len(orders)):
            pairs = zip(orders, samples[first : first + len(orders)], strict=False)  # the last time perhaps not all
            self._take([(order, written) for order, written in pairs if not order.is_done])

    def _take(self, written_orders: Sequence[tuple[_Order, Sample]]) -> None:
        """Read what was written without fault: a draft."""
        whole = []
        for order, written in written_orders:
            order.attempts += 1
            if written.fault:
                order.faults += 1
                order.messages.append(f"attempt {order.attempts} at '{order.text}': {written.fault}")
            else:
                whole.append((order, written))
        for (order, written), likely in zip(whole, self._likely([written for _, written in whole]), strict=True):
            order.drafts.append((likely, written))

    def _likely(self, samples: Sequence[Sample]) -> list[float]:
        """The mean log-probability of the letters of each; without a reader all are sure."""
        if self._reader is None:
            return [0.0] * len(samples)
        with self._engine.running():
            return self._reader.likely([_letters(one) for one in samples])

    def _note(self, order: _Order) -> Note:
        done = order.best()
        if done is not None:
            character = done.character
            points, pen = add_room(order.text, done.points, done.pen, character)
        else:
            line = compose(_plain(), order.text, stream(order.seed, order.text, 0, "handwriting/plain"))
            points, pen, character = line.points, line.pen, line.character
            order.messages.append(f"'{order.text}' is set from plain letters: the network could not write it")
        strokes, characters = [], []
        for rows in stroke_rows(pen):
            at = np.round(points[rows] * order.x_height, 3)
            strokes.append(np.column_stack([at, np.round(pen_speed(at, order.x_height), 2)]))
            characters.append(character[rows])
        return Note(
            order.text,
            tuple(strokes),
            tuple(characters),
            "plain" if done is None else self.styles[order.style].name,
            order.x_height,
            order.attempts,
            order.faults,
            done is None,
            tuple(order.messages),
        )


def _columns(lines: int) -> int:
    """How many lines can be written in the time that these take."""
    tile = _TILES[lines > _FEW]
    return -(-lines // tile) * tile if lines <= _MOST else lines


def _job(order: _Order, ahead: int) -> Job:
    """The next attempt at a text, or one that is so many ahead."""
    chance = stream(order.seed, order.text, order.attempts + ahead, "handwriting/write")
    return Job(order.text, order.style, chance, order.bias)


def _letters(written: Sample) -> list[Letter]:
    """The letters and digits of a written text."""
    return cut_letters(
        written.text, [(written.points[rows], written.character[rows]) for rows in stroke_rows(written.pen)]
    )


def _for_each(texts: Sequence[str], value: Any, name: str) -> list[Any]:
    """One value for each text, of one for all or of a sequence; RecipeError where there are not as many."""
    found = [value] * len(texts) if isinstance(value, (int, float, str)) else list(value)
    if len(found) != len(texts):
        raise RecipeError(f"{len(texts)} texts have {len(found)} {name}: give one for each, or one for all")
    return found


@cache
def _plain() -> Hand:
    """Letters of this project's own, all of printable ASCII."""
    return read_font(_PLAIN)


def _on_device(path: Path, device: str) -> Engine:
    """The network in PyTorch on another device."""
    try:
        from ecgvec.handwriting.model import TorchEngine, device_of
        from ecgvec.handwriting.training.checkpoint import read_network
    except ImportError as error:
        raise RecipeError(f"to write on {device}, install PyTorch: pip install 'ecgvec[train]'") from error
    network = read_network(path)[0]
    return TorchEngine(network.to(device_of(device)))
