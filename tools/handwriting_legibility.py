"""How legible the handwriting model writes: a classifier that has seen neither the model nor its people reads it.

python tools/handwriting_legibility.py DATA [--weights FILE] [--notes 500] [--json OUT] [--composed]

The people of the pen data who never reach the model are split again: a small network learns to read the letters and
digits of some of them, in three turns, and reads those of the others, and the letters and digits that the writer
wrote, cut apart by its own attention. Look-alikes are one class. The ratio of both accuracies, each character counting
the same, is to be at least 0.85.

With --composed the letters come from lines composed of the very characters that the model was trained with, cut apart
where they are known to begin: what a perfect model would reach.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from ecgvec.handwriting import Writer
from ecgvec.handwriting.charset import DIGITS, LOWER, UPPER
from ecgvec.handwriting.compose import compose
from ecgvec.handwriting.glyphs import Hand
from ecgvec.handwriting.grammar import figures, random_string
from ecgvec.handwriting.grammar import note as random_note
from ecgvec.handwriting.sources import is_held_out, load_hands
from ecgvec.streams import stream

SIZE = 40  # pixels a side
SCALE = 10.0  # pixels an x-height
BASELINE = 27.0  # pixels from the top: room for 2.7 x-heights above and 1.3 below
LOOK_ALIKES = ("0Oo", "1Il", "Cc", "Kk", "Pp", "Ss", "Uu", "Vv", "Ww", "Xx", "Zz", "9gq")
TURNS = 3
STEPS, ROWS = 1000, 96

LINES = 60  # composed lines of each person to learn from
LONGEST = 16  # characters of a note

ALPHABET = DIGITS + UPPER + LOWER
Strokes = list[NDArray[np.float64]]
Readings = list[tuple[str, bool]]  # (character, whether it was read right)


class Letter(NamedTuple):
    """One drawing of one character, strokes (n, 2) in x-heights over the baseline, and who drew it."""

    character: str
    strokes: Strokes
    person: str


def class_of(character: str) -> str:
    """The class that a character is read as."""
    return next((group for group in LOOK_ALIKES if character in group), character)


CLASSES = sorted({class_of(c) for c in ALPHABET})


def picture(strokes: Strokes, rng: np.random.Generator | None) -> NDArray[np.float32]:
    """A letter as a picture (SIZE, SIZE), its ink in the middle across; ``rng`` bends and shifts it."""
    moved = [stroke.copy() for stroke in strokes]
    if rng is not None:
        slant, width, height = rng.normal(0.1, 0.22), np.exp(rng.normal(0, 0.2)), np.exp(rng.normal(0, 0.12))
        lift, turn = rng.normal(0, 0.1), rng.normal(0, 0.08)
        waves, phases, sizes = rng.normal(0, 2.0, (2, 3)), rng.uniform(0, 6.3, 3), rng.normal(0, 0.06, (3, 2))
        for stroke in moved:
            stroke += np.sin(stroke @ waves + phases) @ sizes
            stroke[:] = stroke @ np.array([[width, turn], [-slant * width, height]]) + [0.0, lift]
    everything = np.concatenate(moved)
    middle = (everything[:, 0].min() + everything[:, 0].max()) / 2
    canvas = np.zeros((SIZE, SIZE), dtype=np.uint8)
    shift = 0.0 if rng is None else rng.normal(0, 1.0)
    thick = 2 if rng is None else int(rng.integers(1, 4))
    for stroke in moved:
        at = np.round(((stroke - [middle, 0.0]) * SCALE + [SIZE / 2 + shift, BASELINE]) * 16).astype(np.int32)
        cv2.polylines(canvas, [at if len(at) > 1 else np.repeat(at, 2, axis=0)], False, 255, thick, cv2.LINE_AA, 4)
    return canvas.astype(np.float32) / 255


class Reader(nn.Module):
    """A small convolutional network: (n, 1, SIZE, SIZE) -> (n, classes)."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.three = (
            nn.Conv2d(1, 24, 5, 2, 2),
            nn.Conv2d(24, 48, 3, 2, 1),
            nn.Conv2d(48, 96, 3, 2, 1),
        )
        self.dense, self.out = nn.Linear(96 * 25, 128), nn.Linear(128, len(CLASSES))
        self.drop = nn.Dropout(0.3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits."""
        for layer in (self.one, self.two, self.three):
            x = functional.relu(layer(x))
        return self.out(self.drop(functional.relu(self.dense(self.drop(x.flatten(1))))))


def taught(letters: Sequence[Letter], seed: int) -> Reader:
    """A reader that has learnt these letters, each class as often as any other."""
    rng = np.random.default_rng(seed)
    by_class: dict[str, list[Letter]] = defaultdict(list)
    for letter in letters:
        by_class[class_of(letter.character)].append(letter)
    torch.manual_seed(seed)
    reader = Reader()
    optimiser = torch.optim.AdamW(reader.parameters(), 2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, STEPS)
    for _ in range(STEPS):
        drawn = rng.integers(len(CLASSES), size=ROWS).tolist()
        rows = [by_class[CLASSES[i]] for i in drawn]
        images = np.stack([picture(row[int(rng.integers(len(row)))].strokes, rng) for row in rows])
        loss = functional.cross_entropy(reader(torch.from_numpy(images)[:, None]), torch.tensor(drawn))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return reader.eval()


@torch.no_grad()
def read(reader: Reader, letters: Sequence[Letter]) -> list[str]:
    """The class that each letter is read as."""
    images = torch.from_numpy(np.stack([picture(letter.strokes, None) for letter in letters]))
    told = torch.cat([reader(part).argmax(1) for part in images[:, None].split(512)])
    return [CLASSES[i] for i in told.tolist()]


def isolated(hands: Sequence[Hand]) -> list[Letter]:
    """The letters and digits of people, as they wrote them."""
    found = []
    for hand in hands:
        for character in (c for c in ALPHABET if c in hand.glyphs and c not in hand.borrowed):
            for glyph in hand.glyphs[character][:20]:
                strokes = np.split(glyph.points, np.flatnonzero(np.diff(glyph.stroke)) + 1)
                found.append(Letter(character, strokes, hand.name))
    return found


def in_lines(hands: Sequence[Hand], lines: int) -> list[Letter]:
    """The same, set side by side, joined and slanted: ``lines`` lines of each hand."""
    found = []
    for hand in hands:
        rng = stream(0, hand.name, 0, "legibility/lines")
        own = "".join(c for c in ALPHABET if c in hand.glyphs and c not in hand.borrowed)
        for _ in range(lines):
            found += cut_line(hand, random_string(rng, 8, own), rng)
    return found


def cut_line(hand: Hand, text: str, rng: np.random.Generator) -> list[Letter]:
    """The letters and digits of a line composed of a hand's characters, cut apart where they begin."""
    line = compose(hand, text, rng)
    strokes, owners = line.strokes(), np.split(line.character, np.flatnonzero(line.pen != 0) + 1)
    owners = [owner for owner in owners if len(owner) and text[owner[0]] != " "]
    return cut(text, list(zip(strokes, owners, strict=True)), hand.name)


def cut(text: str, strokes: Sequence[tuple[NDArray[np.float64], NDArray[np.int64]]], person: str) -> list[Letter]:
    """The letters and digits of a text; ``strokes``: points (n, 2) in x-heights, and the character of each (n,)."""
    found = []
    for index, character in enumerate(text):
        parts = [part for points, owner in strokes if len(part := points[owner == index])]
        if character in ALPHABET and parts:
            found.append(Letter(character, parts, person))
    return found


def texts_for(characters: Sequence[str], notes: int) -> list[tuple[str, int, str]]:
    """(text, style, kind of text): all styles in turn, each with notes and with random strings in turn."""
    rng = stream(0, "legibility", 0, "texts")
    found = []
    for number in range(notes):
        turn, style = divmod(number, len(characters))
        known = characters[style]
        plain = "".join(c for c in ALPHABET if c in known)
        kind = "notes" if turn % 2 == 0 else "strings"
        text = random_string(rng, 8, plain)
        while kind == "notes":
            text = random_note(rng) if "a" in known else figures(rng)
            if set(text) <= set(known) and len(text) <= LONGEST:
                break
        found.append((text, style, kind))
    return found


def written(
    writer: Writer, hands: Sequence[Hand] | None, notes: int, bias: float
) -> tuple[list[tuple[Letter, str]], dict[str, float]]:
    """Letters, with their kind of text, of so many notes in all styles; and how the writing went.

    With ``hands`` the notes are composed of their characters instead.
    """
    orders = texts_for([style.characters for style in writer.styles], notes)
    names = [style.name for style in writer.styles]
    if hands is not None:
        by_name = {hand.name: hand for hand in hands}
        rng = stream(0, "legibility", 0, "composed")
        parts = [(cut_line(by_name[names[style]], text, rng), kind) for text, style, kind in orders]
        return [(letter, kind) for letters, kind in parts for letter in letters], {"notes": notes}
    made = writer.write([o[0] for o in orders], [o[1] for o in orders], bias, list(range(notes)))
    found = []
    for note, (text, style, kind) in zip(made, orders, strict=True):
        strokes = [(s[:, :2] / note.x_height, c) for s, c in zip(note.strokes, note.characters, strict=True)]
        if not note.fallback:
            found += [(letter, kind) for letter in cut(text, strokes, names[style])]
    first = sum(note.attempts == 1 for note in made) / notes
    return found, {"notes": notes, "first_draw": first, "fallback": sum(note.fallback for note in made) / notes}


def balanced(right: Readings) -> float:
    """The mean over characters of the share of right readings."""
    by: dict[str, list[bool]] = defaultdict(list)
    for character, good in right:
        by[character].append(good)
    return float(np.mean([np.mean(values) for values in by.values()]))


def turns(hands: Sequence[Hand]) -> list[tuple[list[Hand], list[Hand]]]:
    """(to learn from, to read) three times: each person is read once, each time one of those with letters."""
    ordered = sorted(hands, key=lambda hand: (hand.kind != "person", hand.name))
    parts = [ordered[turn::TURNS] for turn in range(TURNS)]
    return [([hand for hand in ordered if hand not in part], part) for part in parts]


class Tally:
    """What was read: of other people's letters, and of the writer's."""

    def __init__(self) -> None:
        self.real: Readings = []
        self.lines: Readings = []
        self.made: Readings = []
        self.groups: dict[str, Readings] = defaultdict(list)
        self.styles: dict[str, list[bool]] = defaultdict(list)
        self.taken_for: dict[str, Counter[str]] = defaultdict(Counter)

    def add_real(self, letters: Sequence[Letter], told: Sequence[str], in_lines: bool) -> None:
        """Add readings of people's letters, as they wrote them or set in lines."""
        pairs = zip(letters, told, strict=True)
        readings = self.lines if in_lines else self.real
        readings += [(letter.character, name == class_of(letter.character)) for letter, name in pairs]

    def add_made(self, letters: Sequence[tuple[Letter, str]], kinds: dict[str, str], told: Sequence[str]) -> None:
        """Add readings of the writer's letters; ``kinds``: of each style."""
        for (letter, text_kind), name in zip(letters, told, strict=True):
            good = name == class_of(letter.character)
            for readings in (self.made, self.groups[kinds[letter.person]], self.groups[text_kind]):
                readings.append((letter.character, good))
            self.styles[letter.person].append(good)
            if not good:
                self.taken_for[letter.character][name] += 1

    def figures(self) -> dict[str, Any]:
        """Accuracies, their ratios and the table of characters."""
        table = {}
        for character in ALPHABET:
            shares = [[good for c, good in rows if c == character] for rows in (self.real, self.made)]
            table[character] = [round(float(np.mean(share)), 3) if share else None for share in shares]
        ratios = {name: self.ratio(readings) for name, readings in sorted(self.groups.items())}
        means = {name: balanced(getattr(self, name)) for name in ("real", "lines", "made")}
        return {**means, "ratio": self.ratio(self.made), "ratios": ratios, "characters": table}

    def ratio(self, made: Readings) -> float:
        """How well these are read against other people's same characters."""
        known = {c for c, _ in made}
        return balanced(made) / balanced([(c, good) for c, good in self.real if c in known])

    def show(self, figures: dict[str, Any]) -> None:
        """Print all of it."""
        real, lines, made = (figures[name] for name in ("real", "lines", "made"))
        print(f"read right: other people's {real:.3f}, the same set in lines {lines:.3f}, the writer's {made:.3f}")
        print(f"ratio {figures['ratio']:.3f} (to be at least 0.85)")
        print("ratios:", ", ".join(f"{name} {ratio:.3f}" for name, ratio in figures["ratios"].items()))
        if "first_draw" in figures:
            share, fallback = figures["first_draw"], figures["fallback"]
            print(f"{figures['notes']} notes, right at the first draw {share:.3f}, fallback {fallback:.3f}")
        for character, (real, made) in figures["characters"].items():
            wrong = ", ".join(f"{told} {n}" for told, n in self.taken_for[character].most_common(3))
            print(f"  {character}  others {real}  writer {made}  {'taken for ' + wrong if wrong else ''}")
        worst = sorted((float(np.mean(right)), name) for name, right in self.styles.items())
        print("styles, worst first:", ", ".join(f"{name} {share:.2f}" for share, name in worst[:25]))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--notes", type=int, default=500)
    parser.add_argument("--bias", type=float, default=0.7)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--composed", action="store_true")
    options = parser.parse_args()
    writer, hands = Writer(options.weights), load_hands(options.data)
    seen = [hand for hand in hands if not is_held_out(hand.name)] if options.composed else None
    made, went = written(writer, seen, options.notes, options.bias)
    letters, tally = [letter for letter, _ in made], Tally()
    kinds = {style.name: style.kind for style in writer.styles}
    for turn, (learn, others) in enumerate(turns([hand for hand in hands if is_held_out(hand.name)])):
        reader = taught([*isolated(learn), *in_lines(learn, LINES)], turn)
        for people, lined in ((isolated(others), False), (in_lines(others, LINES // 2), True)):
            tally.add_real(people, read(reader, people), lined)
        tally.add_made(made, kinds, read(reader, letters))
    figures = {**went, **tally.figures()}
    tally.show(figures)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
