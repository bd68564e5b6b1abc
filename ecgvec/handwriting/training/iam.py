"""IAM-OnDB in its own layout, for those who hold a licence: lines of text written on a whiteboard.

    lineStrokes/a01/a01-000/a01-000u-01.xml    the strokes of line 1 of a form
    ascii/a01/a01-000/a01-000u.txt             its text, a line a line, under the heading "CSR:"

The data say which text a line has, not which point belongs to which character: that is estimated here, from the width
that each character is wont to have and from the widest gaps in the ink.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from ecgvec._typing import Float64Array, Int64Array, Points
from ecgvec.errors import SourceError, one_line
from ecgvec.handwriting.charset import CHARACTERS, UPPER
from ecgvec.handwriting.compose import Line, resampled
from ecgvec.handwriting.glyphs import make_glyph

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
    return resampled(
        text, np.insert(points, at, middle, axis=0), np.cumsum(changes), np.insert(owner, at, missing), blank
    )
