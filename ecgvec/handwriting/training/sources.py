"""Pen data as it is published: UJI, pendigits, single-line fonts, and IAM-OnDB."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from fontTools.pens.recordingPen import RecordingPen
from fontTools.svgLib.path import parse_path

from ecgvec._typing import Float64Array, Int64Array, Points
from ecgvec.errors import SourceError, one_line
from ecgvec.geometry.path import CURVE, LINE, MOVE
from ecgvec.geometry.path import Path as Outline
from ecgvec.handwriting.charset import CHARACTERS, DIGITS, PUNCTUATION, UPPER
from ecgvec.handwriting.compose import Line, resample
from ecgvec.handwriting.glyphs import (
    Glyph,
    Hand,
    RawGlyphs,
    Strokes,
    digit_height,
    extent,
    make_glyph,
    settle,
    x_height_and_baseline,
)

DIGIT_TO_X_HEIGHT = 1.55  # median of the UJI writers, for people whose letters are not known
HELD_OUT_EVERY = 4  # every fourth person of a database never reaches the model
_UJI_LETTER_WRITERS = 11
_OPERATORS = "+-/"

Raw = dict[str, RawGlyphs]


def load_hands(folder: Path) -> list[Hand]:
    """All hands of a folder of pen data, sorted by name, people who are held out included.

    The folder holds ``*.jsonl.gz`` and ``fonts/*.svg``. SourceError where it has neither, or a file is not of its kind.
    """
    fonts = [read_font(path) for path in sorted((folder / "fonts").glob("*.svg"))]
    people: Raw = {}
    for path in sorted(folder.glob("*.jsonl.gz")):
        for person, character, strokes in read_characters(path):
            people.setdefault(person, {}).setdefault(character, []).append(strokes)
    if not fonts and not people:
        raise SourceError(f"{folder} holds neither *.jsonl.gz nor fonts/*.svg: name the folder of the pen data")
    hands = [_person(name, raw) for name, raw in sorted(people.items())]
    return sorted([*_with_punctuation(hands, fonts), *fonts], key=lambda hand: hand.name)


def person_of(writer: str) -> str:
    """One name for one person: the first 11 writers of UJIpenchars2 are the 11 of UJIpenchars."""
    if match := re.fullmatch(r"ujiv1_w(\d+)", writer):
        return f"uji-{int(match[1]):02d}"
    if match := re.fullmatch(r"ujiv2_(\d+)", writer):
        return f"uji-{int(match[1]) + 1:02d}"
    if match := re.fullmatch(r"pend_(tra|tes)_(\d+)", writer):
        # 30 people wrote the training part of Pen Digits and 14 others its test part.
        return f"pendigits-{int(match[2]) + (30 if match[1] == 'tes' else 0):02d}"
    return writer


def is_held_out(person: str) -> bool:
    """Whether the model must never see this person: every fourth of UJI and of Pen Digits."""
    match = re.fullmatch(r"(?:uji|pendigits)-(\d+)", person)
    return match is not None and int(match[1]) % HELD_OUT_EVERY == HELD_OUT_EVERY - 1


def read_characters(path: Path) -> Iterator[tuple[str, str, list[Points]]]:
    """(person, character, strokes (n, 2) in tablet units, y down) of each line of a ``.jsonl.gz`` file."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                yield _character(json.loads(line), f"{path}, line {number}")
    except (OSError, EOFError, ValueError) as error:
        raise SourceError(
            f"{path} is not gzipped JSON lines of pen strokes ({one_line(error)}): fetch it anew"
        ) from error


def _character(row: dict[str, Any], where: str) -> tuple[str, str, list[Points]]:
    try:
        strokes = [np.asarray(stroke, dtype=np.float64).reshape(-1, 2) for stroke in row["strokes"] if stroke]
        writer, text = str(row["writer"]), str(row["text"])
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(
            f"{where}: no writer, text and strokes of [x, y] ({one_line(error)}): fetch it anew"
        ) from error
    if text not in CHARACTERS or len(text) != 1 or not strokes:
        raise SourceError(f"{where}: the text '{text}' with {len(strokes)} strokes is not one ASCII character")
    return person_of(writer), text, strokes


def _person(name: str, raw: RawGlyphs) -> Hand:
    if "x" in raw and "a" in raw:
        x_height, baseline = x_height_and_baseline(raw)
        return Hand(name, "person", settle(raw, x_height, baseline))
    digits = {c: samples for c, samples in raw.items() if c in DIGITS}
    x_height = digit_height(digits) / DIGIT_TO_X_HEIGHT
    glyphs = settle(digits, x_height, None)
    for sign in [c for c in _OPERATORS if c in raw]:
        glyphs[sign] = tuple(_operator(sign, strokes, x_height) for strokes in raw[sign])
    return Hand(name, "digits", glyphs)


def _operator(character: str, strokes: Strokes, x_height: float) -> Glyph:
    """``+ - /`` have no line of their own in the data: the middle of a digit's height is theirs."""
    middle = -DIGIT_TO_X_HEIGHT / 2
    top, bottom = extent(strokes)
    size = 1.0 if character == "/" else 0.7  # written large where it stands alone
    return make_glyph([(stroke - [0.0, (top + bottom) / 2]) / x_height * size + [0.0, middle] for stroke in strokes])


def _with_punctuation(people: list[Hand], fonts: list[Hand]) -> list[Hand]:
    """Each person with the punctuation that he did not write: ``+ - /`` of a person who did, the rest of a font.

    Which font, goes by the place of the person in the list, so that people differ in this too.
    """
    if not fonts:
        return people
    operators = next((h.glyphs for h in people if all(c in h.glyphs for c in _OPERATORS)), {})
    whole = []
    for number, hand in enumerate(people):
        lender = fonts[number % len(fonts)].glyphs
        wanted = PUNCTUATION if hand.kind == "person" else "+-/.,:()%<>="
        missing = [c for c in wanted if c not in hand.glyphs]
        lent = {c: operators[c] if c in operators else lender[c] for c in missing if c in operators or c in lender}
        whole.append(Hand(hand.name, hand.kind, hand.glyphs | lent, "".join(sorted(lent))))
    return whole


def read_font(path: Path) -> Hand:
    """A single-stroke SVG font as a hand; its own ``x`` is measured, because the x-height it states is often wrong."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise SourceError(f"{path} is not an SVG font ({one_line(error)}): fetch it anew") from error
    raw: dict[str, list[Points]] = {}
    for element in root.iter():
        character, d = element.get("unicode", ""), element.get("d", "")
        if element.tag.endswith("glyph") and len(character) == 1 and character in CHARACTERS and d.strip():
            raw[character] = _font_strokes(d)
    if "x" not in raw:
        raise SourceError(f"{path} has no glyph 'x' to measure: give a single-stroke SVG font of Latin letters")
    top, bottom = extent(raw["x"])
    baseline, x_height = bottom, bottom - top
    glyphs: dict[str, tuple[Glyph, ...]] = {
        c: (make_glyph([(s - [0.0, baseline]) / x_height for s in strokes]),) for c, strokes in raw.items()
    }
    return Hand(f"font-{path.stem}", "font", glyphs)


def _font_strokes(d: str) -> list[Points]:
    """The strokes of an SVG font's path, y turned down; strokes that begin where the last one ended are one."""
    pen = RecordingPen()
    parse_path(d, pen)
    strokes: list[list[Points]] = []
    for command, arguments in pen.value:
        points = np.array([p for p in arguments if p is not None], dtype=np.float64).reshape(-1, 2) * [1.0, -1.0]
        if command == "moveTo":
            if not strokes or np.hypot(*(points[0] - strokes[-1][-1][-1])) > 5.0:
                strokes.append([points])
        elif command == "lineTo":
            strokes[-1].append(points)
        elif command in ("curveTo", "qCurveTo"):
            strokes[-1].append(_curve(strokes[-1][-1][-1], points))
        elif command == "closePath":
            strokes[-1].append(strokes[-1][0][:1])
    return [np.concatenate(stroke) for stroke in strokes]


def _curve(start: Points, points: Points) -> Points:
    """A Bezier curve from ``start`` (2,) over control points (2 or 3, 2), as eight lines."""
    if len(points) == 2:  # a quadratic one, raised
        points = np.array([start + (points[0] - start) * 2 / 3, points[1] + (points[0] - points[1]) * 2 / 3, points[1]])
    codes = np.array([MOVE, CURVE], dtype=np.uint8)
    flat = Outline(codes, np.vstack([start, points])).flatten()
    lines: Points = flat.points[flat.codes == LINE]
    return lines


_NARROW, _WIDE = "fijlrt1I.,:;'!|()[]", "mwMW@%"


def is_iam(folder: Path) -> bool:
    """Whether a folder is laid out as IAM-OnDB is."""
    return (folder / "lineStrokes").is_dir() and (folder / "ascii").is_dir()


def read_iam(folder: Path) -> list[tuple[str, Line]]:
    """(form, line) of all lines of IAM-OnDB, sorted; the form stands for its writer, whom the lines do not name.

    Lines with characters outside of ASCII, and lines whose text is missing, are left out. SourceError where a file
    cannot be read or nothing is left.
    """
    lines = []
    texts: dict[Path, list[str]] = {}
    for path in sorted((folder / "lineStrokes").glob("**/*.xml")):
        form, _, number = path.stem.rpartition("-")
        source = folder / "ascii" / path.parent.relative_to(folder / "lineStrokes") / f"{form}.txt"
        if source not in texts:
            texts[source] = _texts(source) if source.exists() else []
        at = int(number) - 1 if number.isdigit() else -1
        text = texts[source][at] if 0 <= at < len(texts[source]) else ""
        if text and all(c in CHARACTERS for c in text):
            lines.append((form, _line(text, _strokes(path))))
    if not lines:
        raise SourceError(
            f"{folder} holds no line with a text: lineStrokes/**/*.xml and ascii/**/*.txt must both be there"
        )
    return lines


def _texts(path: Path) -> list[str]:
    """The lines under "CSR:" of a file of texts."""
    _, found, after = path.read_text(encoding="utf-8", errors="replace").partition("CSR:")
    if not found:
        raise SourceError(f"{path} has no heading 'CSR:' as IAM-OnDB's texts have: fetch it anew")
    return [" ".join(line.split()) for line in after.strip().splitlines()]


def _strokes(path: Path) -> list[Points]:
    """The strokes of a file of IAM-OnDB, each (n, 2) in the units of the board, y down."""
    try:
        strokes = [
            np.array([[float(point.attrib["x"]), float(point.attrib["y"])] for point in stroke.iter("Point")])
            for stroke in ElementTree.parse(path).getroot().iter("Stroke")
        ]
    except (OSError, ElementTree.ParseError, KeyError, ValueError) as error:
        raise SourceError(f"{path} is no file of strokes of IAM-OnDB ({one_line(error)}): fetch it anew") from error
    strokes = [stroke for stroke in strokes if len(stroke)]
    if not strokes:
        raise SourceError(f"{path} has no stroke with a point: fetch it anew")
    return strokes


def _line(text: str, strokes: Sequence[Points]) -> Line:
    """A line in x-heights, level, each point with the character that it most likely belongs to."""
    points = np.concatenate(strokes)
    slope = float(np.polyfit(points[:, 0], points[:, 1], 1)[0]) if np.ptp(points[:, 0]) > 0 else 0.0
    level = [stroke - np.column_stack([np.zeros(len(stroke)), slope * stroke[:, 0]]) for stroke in strokes]
    top, baseline = _x_band(np.concatenate(level)[:, 1])
    glyph = make_glyph([(stroke - [0.0, baseline]) / (baseline - top) for stroke in level])
    owner = _owners(text, glyph.points, glyph.stroke)
    return _with_blanks(text, glyph.points, glyph.stroke, owner)


def _x_band(ys: Float64Array) -> tuple[float, float]:
    """(top of the x-height, baseline): the band that holds most of the ink's points."""
    low, high = np.quantile(ys, [0.2, 0.85])
    return float(low), float(max(high, low + 1e-6))


def _widths(text: str) -> Float64Array:
    """The width that each character is wont to have, in x-heights, its gap included."""
    widths = [
        0.6 if c in _NARROW else 1.5 if c in _WIDE else 1.25 if c in UPPER else 0.7 if c == " " else 1.0 for c in text
    ]
    return np.array(widths)


def _owners(text: str, points: Points, stroke: Int64Array) -> Int64Array:
    """The character of each point (n,): words part at the widest gaps, characters within a word by their widths.

    A stroke that comes late, the bar of a t or the dot of an i, counts as written with what it follows: the window
    never goes back.
    """
    words = text.split(" ")
    order = np.unique(stroke)
    right = np.maximum.accumulate([points[stroke == s, 0].max() for s in order])
    left = np.array([points[stroke == s, 0].min() for s in order])
    gaps = left[1:] - right[:-1]
    parts = min(len(words) - 1, len(gaps))
    # The widest gap, less what it is away from where the text would put it.
    edges = np.cumsum(_widths(text))[[i for i, c in enumerate(text) if c == " "]] / _widths(text).sum()
    across = (right[:-1] - points[:, 0].min()) / max(float(np.ptp(points[:, 0])), 1e-6)
    breaks: list[int] = []
    for edge in edges[:parts]:
        first, last = (breaks[-1] + 1 if breaks else 0), len(gaps) - (parts - len(breaks)) + 1
        breaks.append(first + int(np.argmax(gaps[first:last] - 12.0 * np.abs(across[first:last] - edge))))
    word = np.searchsorted(np.array(breaks, dtype=np.int64), stroke, side="left")
    return _within_words(text, words, points, word, parts)


def _within_words(text: str, words: Sequence[str], points: Points, word: Int64Array, parts: int) -> Int64Array:
    """Characters within each word by their share of its width; words that found no gap go with the last one."""
    starts = np.cumsum([0, *(len(w) + 1 for w in words)])
    owner = np.zeros(len(points), dtype=np.int64)
    for number in range(parts + 1):
        end = starts[number + 1] - 1 if number < parts else len(text)
        inside = np.flatnonzero(word == number)
        letters = np.array([i for i in range(starts[number], end) if text[i] != " "])
        x = np.maximum.accumulate(points[inside, 0])
        share = np.cumsum(_widths("".join(text[i] for i in letters)))
        place = (x - x[0]) / max(float(x[-1] - x[0]), 1e-6) * share[-1]
        owner[inside] = letters[np.minimum(np.searchsorted(share, place, side="left"), len(letters) - 1)]
    return owner


def _with_blanks(text: str, points: Points, stroke: Int64Array, owner: Int64Array) -> Line:
    """The line with a blank point for every character that has none: each space, and letters too short to be found."""
    points = points - [points[:, 0].min(), 0.0]
    cuts = np.searchsorted(owner, np.arange(len(text) + 1))
    missing = [i for i in range(len(text)) if cuts[i] == cuts[i + 1]]
    at = cuts[missing]
    before, after = points[np.maximum(at - 1, 0)], points[np.minimum(at, len(points) - 1)]
    middle = np.column_stack([(before[:, 0] + after[:, 0]) / 2, np.full(len(missing), -0.5)])
    blank = np.insert(np.zeros(len(points), dtype=bool), at, True)
    number = np.insert(stroke.astype(np.float64), at, np.nan)
    changes = np.concatenate([[False], (np.diff(number) != 0)])  # NaN differs from all: a blank is a stroke of its own
    return resample(
        text, np.insert(points, at, middle, axis=0), np.cumsum(changes), np.insert(owner, at, missing), blank
    )
