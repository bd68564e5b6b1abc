"""How legible the handwriting model writes: a classifier that has seen neither the model nor its people reads it.

python tools/handwriting_legibility.py DATA [--weights FILE] [--notes 500] [--seed 0] [--styles PREFIX ...]
    [--composed] [--unread]

The people of the pen data who never reach the model are split again: readers (`handwriting_reader`) learn the letters
and digits of some of them, in three turns, and read those of the others, and the letters and digits that the writer
wrote, cut apart by its own attention. Look-alikes are one class. The ratio of both accuracies, each character counting
the same, is to be at least 0.85. It takes four minutes of one core; the table of characters is ready for a model card.

With --composed the letters come from lines composed of the very characters that the model was trained with, cut apart
where they are known to begin: what a perfect model would reach. With --unread the writer keeps what it wrote first,
without reading it. --styles keeps the styles whose names begin so.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from handwriting_reader import read, taught

from ecgvec.handwriting import Writer
from ecgvec.handwriting.glyphs import Hand
from ecgvec.handwriting.grammar import figures, random_string
from ecgvec.handwriting.grammar import note as random_note
from ecgvec.handwriting.reader import ALPHABET, Letter, class_of, cut_letters
from ecgvec.handwriting.recurrent import Style
from ecgvec.handwriting.training.corpus import cut_line, in_lines, isolated_letters
from ecgvec.handwriting.training.sources import is_held_out, load_hands
from ecgvec.rng import stream

TURNS = 3
LINES = 60  # composed lines of each person to learn from
LONGEST = 16  # characters of a note
ABREAST = 4  # characters in a row of the table

Readings = list[tuple[str, bool]]  # (character, whether it was read right)


def texts_for(styles: Sequence[Style], notes: int, seed: int) -> list[tuple[str, Style, str]]:
    """(text, style, kind of text): all styles in turn, each with notes and with random strings in turn."""
    rng = stream(seed, "legibility", 0, "texts")
    found = []
    for number in range(notes):
        turn, style = number // len(styles), styles[number % len(styles)]
        known = style.characters
        kind = "notes" if turn % 2 == 0 else "strings"
        text = random_string(rng, 8, "".join(c for c in ALPHABET if c in known))
        while kind == "notes":
            text = random_note(rng) if "a" in known else figures(rng)
            if set(text) <= set(known) and len(text) <= LONGEST:
                break
        found.append((text, style, kind))
    return found


Written = tuple[list[tuple[Letter, str]], dict[str, float]]


def written(writer: Writer, styles: Sequence[Style], notes: int, bias: float, seed: int) -> Written:
    """Letters, with their kind of text, of so many notes in these styles; and how the writing went."""
    orders, seeds = texts_for(styles, notes, seed), [notes * seed + number for number in range(notes)]
    made = writer.write([o[0] for o in orders], [o[1].name for o in orders], bias, seeds)
    found = []
    for note, (text, style, kind) in zip(made, orders, strict=True):
        strokes = [(s[:, :2] / note.x_height, c) for s, c in zip(note.strokes, note.characters, strict=True)]
        if not note.fallback:
            found += [(letter, kind) for letter in cut_letters(text, strokes, style.name)]
    return found, {
        "notes": notes,
        "without_fault": sum(note.faults == 0 for note in made) / notes,
        "fallback": sum(note.fallback for note in made) / notes,
        "again": sum(note.attempts > 1 for note in made) / notes,
        "draws": sum(note.attempts for note in made) / notes,
    }


def composed(hands: Sequence[Hand], styles: Sequence[Style], notes: int, seed: int) -> Written:
    """The same of lines composed of the characters of ``hands``, of which each style is one."""
    by_name = {hand.name: hand for hand in hands}
    rng = stream(seed, "legibility", 0, "composed")
    parts = [(cut_line(by_name[style.name], text, rng), kind) for text, style, kind in texts_for(styles, notes, seed)]
    return [(letter, kind) for letters, kind in parts for letter in letters], {"notes": notes}


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
        self.styles: dict[str, Readings] = defaultdict(list)
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
            groups = (self.groups[kinds[letter.person]], self.groups[text_kind])
            for readings in (self.made, self.styles[letter.person], *groups):
                readings.append((letter.character, good))
            if not good:
                self.taken_for[letter.character][name] += 1

    def figures(self) -> dict[str, Any]:
        """Accuracies, their ratios, and the table of characters: (others, writer, the writer's drawings)."""
        table: dict[str, list[float | None]] = {}
        for character in ALPHABET:
            shares = [[good for c, good in rows if c == character] for rows in (self.real, self.made)]
            table[character] = [round(float(np.mean(share)), 3) if share else None for share in shares]
            table[character].append(len(shares[1]) // TURNS)
        return {
            **{name: balanced(getattr(self, name)) for name in ("real", "lines", "made")},
            "ratio": self.ratio(self.made),
            "ratios": {name: self.ratio(readings) for name, readings in sorted(self.groups.items())},
            "styles": {name: self.ratio(readings) for name, readings in sorted(self.styles.items())},
            "characters": table,
        }

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
        if "draws" in figures:
            shares = ", ".join(f"{name} {figures[name]:.3f}" for name in ("without_fault", "fallback", "again"))
            print(f"{figures['notes']} notes: {shares}, {figures['draws']:.2f} draws a note")
        worst = sorted((ratio, name) for name, ratio in figures["styles"].items())
        print("ratios of styles, worst first:", ", ".join(f"{name} {ratio:.2f}" for ratio, name in worst))
        for character in (c for c in ALPHABET if self.taken_for[c]):
            wrong = ", ".join(f"{told} {n}" for told, n in self.taken_for[character].most_common(3))
            print(f"  {character} taken for {wrong}")
        print("\n" + "\n".join(table_of(figures["characters"])))


def table_of(characters: dict[str, list[float | None]]) -> list[str]:
    """The lines of a Markdown table: character, others and writer, ABREAST times in a row, in columns downwards."""
    cells = [
        " | ".join([c, *("" if share is None else f"{share:.2f}" for share in row[:2])])
        for c, row in characters.items()
    ]
    height = -(-len(cells) // ABREAST)
    cells += [" | | "] * (height * ABREAST - len(cells))
    rows = [" | ".join(cells[start::height]) for start in range(height)]
    header = " | ".join(["character | others | writer"] * ABREAST)
    return [f"| {line} |" for line in (header, " | ".join(["---"] * 3 * ABREAST), *rows)]


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder of the pen data")
    parser.add_argument("--weights", type=Path, help="those of another model than the one shipped")
    parser.add_argument("--notes", type=int, default=500, help="how many are read (%(default)s)")
    parser.add_argument("--bias", type=float, default=0.7, help="0 free to 3 neat (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the texts and their writing (%(default)s)")
    parser.add_argument("--styles", nargs="+", default=[""], metavar="PREFIX", help="only styles whose names begin so")
    parser.add_argument("--composed", action="store_true", help="read composed lines instead: a perfect model")
    parser.add_argument("--unread", action="store_true", help="keep what was written first, without reading it")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    options = arguments()
    writer, hands = Writer(options.weights, verify=not options.unread), load_hands(options.data)
    styles = [style for style in writer.styles if style.name.startswith(tuple(options.styles))]
    if not styles:
        known = ", ".join(sorted({style.name.split("-")[0] for style in writer.styles}))
        raise SystemExit(f"no style begins with {' or '.join(options.styles)}: there are {known}")
    held_out = [hand for hand in hands if is_held_out(hand.name)]
    if options.composed:
        made, went = composed([hand for hand in hands if hand not in held_out], styles, options.notes, options.seed)
    else:
        made, went = written(writer, styles, options.notes, options.bias, options.seed)
    letters, tally = [letter for letter, _ in made], Tally()
    kinds = {style.name: style.kind for style in styles}
    for turn, (learn, others) in enumerate(turns(held_out)):
        readers = taught([*isolated_letters(learn), *in_lines(learn, LINES)], turn)
        for people, lined in ((isolated_letters(others), False), (in_lines(others, LINES // 2), True)):
            tally.add_real(people, read(readers, people), lined)
        tally.add_made(made, kinds, read(readers, letters))
    figures = {**went, **tally.figures()}
    tally.show(figures)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
