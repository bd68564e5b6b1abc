"""A small hand without any data: each character a drawing of its own, so that few tests need the corpus."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from ecgvec.handwriting.charset import CHARACTERS
from ecgvec.handwriting.glyphs import Glyph, Hand, make_glyph


def _drawing(character: str) -> Glyph:
    rng = np.random.default_rng(ord(character))
    top = -1.7 if character.isupper() or character.isdigit() else -1.0
    corners = np.column_stack([rng.uniform(0.0, 0.8, 4), np.linspace(0.0, top, 4)])
    strokes = [corners]
    if character in "ij!?:;":
        strokes.append(np.array([[0.4, top - 0.4]]))
    return make_glyph(strokes)


@pytest.fixture(scope="session")
def hand() -> Hand:
    """All of ASCII in zigzags."""
    return Hand("zigzag", "person", {c: (_drawing(c),) for c in CHARACTERS if c != " "})


@pytest.fixture(scope="session")
def pen_data(tmp_path_factory: pytest.TempPathFactory, hand: Hand) -> Path:
    """A folder of pen data: the letters and digits of one person, twice."""
    folder = tmp_path_factory.mktemp("pen")
    rows = []
    for character, samples in hand.glyphs.items():
        glyph = samples[0]
        parts = np.split(glyph.points, np.flatnonzero(np.diff(glyph.stroke)) + 1)
        strokes = [np.round(part * 400 + [0, 1270]).astype(int).tolist() for part in parts]
        if character.isalnum():
            rows += [{"src": "test", "writer": "ujiv1_w01", "text": character, "strokes": strokes}] * 2
    with gzip.open(folder / "people.jsonl.gz", "wt") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)
    return folder
