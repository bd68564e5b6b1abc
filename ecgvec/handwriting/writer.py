"""The writer: texts to notes, each a matter of its text, style, bias and seed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgvec.errors import RecipeError, nearest
from ecgvec.handwriting.compose import BLANK, DRAW, compose
from ecgvec.handwriting.corpus import Style
from ecgvec.handwriting.glyphs import Hand
from ecgvec.handwriting.recurrent import Recurrent
from ecgvec.handwriting.room import with_room
from ecgvec.handwriting.sample import Engine, Job, Sample, sample
from ecgvec.handwriting.sources import read_font
from ecgvec.handwriting.speed import pen_speed
from ecgvec.handwriting.transliterate import transliterated
from ecgvec.handwriting.weights import SHIPPED, read_weights
from ecgvec.streams import stream

AGAIN = 3  # times that a note with a fault is written again
LONGEST = 200  # characters
_PLAIN = Path(__file__).resolve().parent / "plain.svg"

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Note:
    """A written text.

    ``text``: what is written, in printable ASCII; ``strokes``: (n, 3) each: x and y in mm, to a micrometre, y down,
    0 the start of the line and the baseline; and the pen's speed in mm/s. ``characters``: for each stroke (n,) the
    index in ``text`` that each point belongs to. ``style`` is the name of the hand; ``x_height`` in mm; ``attempts``
    how often it was written; ``fallback``: whether it was set from plain letters in the end. ``messages`` are for
    people: what was changed or went wrong.
    """

    text: str
    strokes: tuple[Floats, ...]
    characters: tuple[Ints, ...]
    style: str
    x_height: float
    attempts: int = 1
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
    done: Sample | None = None


class Writer:
    """The network with its weights, ready to write. Making one takes a quarter of a second, without PyTorch.

    ``weights``: a safetensors file of `ecgvec train handwriting`, None for those that are shipped; ``device``: ``cpu``,
    where the same text, style, bias and seed give the same bits whatever else is written, or ``cuda``, which needs
    PyTorch and does not promise that.
    """

    def __init__(self, weights: Path | None = None, device: str = "cpu") -> None:
        path = SHIPPED if weights is None else Path(weights)
        self._weights = read_weights(path)
        self.styles: tuple[Style, ...] = self._weights.styles
        self._engine: Engine = Recurrent(self._weights) if device == "cpu" else _on_device(path, device)

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
        wanted = set(transliterated(text)[0])
        return [number for number, style in enumerate(self.styles) if wanted <= set(style.characters)]

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
        for attempt in range(1 + AGAIN):
            self._attempt([order for order in orders if order.done is None], attempt)
        return [self._note(order) for order in orders]

    def _order(self, asked: str, style: int | str, seed: int, bias: float, x_height: float) -> _Order:
        if not 0 <= bias <= 3:
            raise RecipeError(f"the bias of handwriting is {bias}: give a number from 0 (free) to 3 (neat)")
        if not 0.2 <= x_height <= 50:
            raise RecipeError(f"the x-height of handwriting is {x_height} mm: give 0.2 to 50")
        text, messages = transliterated(asked)
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

    def _attempt(self, orders: list[_Order], attempt: int) -> None:
        """Write all of these; those without fault are done."""
        jobs = [Job(o.text, o.style, stream(o.seed, o.text, attempt, "handwriting/write"), o.bias) for o in orders]
        for order, written in zip(orders, sample(self._engine, jobs), strict=True):
            order.attempts += 1
            if written.fault:
                order.messages.append(f"attempt {order.attempts} at '{order.text}': {written.fault}")
            else:
                order.done = written

    def _note(self, order: _Order) -> Note:
        fallback = order.done is None
        if order.done is not None:
            pen, character = order.done.pen, order.done.character
            points, pen = with_room(order.text, order.done.points, pen, character)
        else:
            line = compose(_plain(), order.text, stream(order.seed, order.text, 0, "handwriting/plain"))
            points, pen, character = line.points, line.pen, line.character
            order.messages.append(f"'{order.text}' is set from plain letters: the network could not write it")
        strokes, characters = [], []
        for part in np.split(np.arange(len(points)), np.flatnonzero(pen != DRAW) + 1):
            inked = part[pen[part] != BLANK]
            if len(inked):
                at = np.round(points[inked] * order.x_height, 3)
                strokes.append(np.column_stack([at, np.round(pen_speed(at, order.x_height), 2)]))
                characters.append(character[inked])
        name = "plain" if fallback else self.styles[order.style].name
        said = tuple(order.messages)
        return Note(order.text, tuple(strokes), tuple(characters), name, order.x_height, order.attempts, fallback, said)


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
        from ecgvec.handwriting.checkpoint import read_network
        from ecgvec.handwriting.torch_engine import TorchEngine, device_of
    except ImportError as error:
        raise RecipeError(f"to write on {device}, install PyTorch: pip install 'ecgvec[train]'") from error
    network = read_network(path)[0]
    return TorchEngine(network.to(device_of(device)))
