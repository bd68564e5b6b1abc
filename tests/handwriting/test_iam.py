"""IAM-OnDB's own layout is read: a form of two lines, written here as that database writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgvec.errors import SourceError
from ecgvec.handwriting.compose import BLANK, DRAW, compose
from ecgvec.handwriting.glyphs import Hand
from ecgvec.handwriting.training import corpus as corpus_module
from ecgvec.handwriting.training.corpus import open_corpus, words_of
from ecgvec.handwriting.training.sources import is_iam, read_iam

TEXTS = ("By Trevor Williams. A move", "to stop Mr. Gaitskell", "from nominating any more")


def write_form(folder: Path, hand: Hand, form: str = "a01-000u") -> None:
    """A form as IAM-OnDB lays it out."""
    rng = np.random.default_rng(0)
    strokes_folder, texts_folder = (folder / top / "a01" / "a01-000" for top in ("lineStrokes", "ascii"))
    for made in (strokes_folder, texts_folder):
        made.mkdir(parents=True, exist_ok=True)
    (texts_folder / f"{form}.txt").write_text("OCR:\n\nBy Trcvor\n\nCSR:\n\n" + "\n".join(TEXTS) + "\n")
    for number, text in enumerate(TEXTS, start=1):
        strokes = [np.round(s * 40 + [900, 1300]).astype(int) for s in compose(hand, text, rng).strokes()]
        points = ["".join(f'<Point x="{x}" y="{y}" time="0.1"/>' for x, y in stroke) for stroke in strokes]
        body = "".join(f'<Stroke colour="black" start_time="0" end_time="1">{p}</Stroke>' for p in points)
        xml = (
            '<?xml version="1.0" encoding="ISO-8859-1"?><WhiteboardCaptureSession><WhiteboardDescription>'
            '<SensorLocation corner="top_left"/></WhiteboardDescription>'
            f"<StrokeSet>{body}</StrokeSet></WhiteboardCaptureSession>"
        )
        (strokes_folder / f"{form}-{number:02d}.xml").write_text(xml)


def test_lines_and_texts_come_together(tmp_path: Path, hand: Hand) -> None:
    write_form(tmp_path, hand)
    assert is_iam(tmp_path)
    lines = read_iam(tmp_path)
    assert [line.text for _, line in lines] == list(TEXTS) and {name for name, _ in lines} == {"a01-000u"}
    for _, line in lines:
        assert np.unique(line.character).tolist() == list(range(len(line.text)))
        assert (np.diff(line.character) >= 0).all()
        spaces = [i for i, c in enumerate(line.text) if c == " "]
        assert set(line.character[line.pen == BLANK]) >= set(spaces)
        assert 0.6 < -np.quantile(line.points[:, 1], 0.2) < 2.0, "lengths are in x-heights"


def test_most_points_go_to_their_characters(tmp_path: Path, hand: Hand) -> None:
    write_form(tmp_path, hand)
    rng = np.random.default_rng(0)
    for text, (_, line) in zip(TEXTS, read_iam(tmp_path), strict=True):
        true = compose(hand, text, rng)
        middles = [[w.points[w.character == i, 0].mean() for i in range(len(text))] for w in (true, line)]
        first, second = (np.array(m) / np.ptp(w.points[:, 0]) for m, w in zip(middles, (true, line), strict=True))
        assert np.abs(first - second).max() < 0.08


def test_the_corpus_takes_it(tmp_path: Path, hand: Hand) -> None:
    write_form(tmp_path, hand)
    write_form(tmp_path, hand, form="a01-000w")
    corpus = open_corpus(tmp_path, seed=0)
    assert [style.name for style in corpus.styles] == ["a01-000u", "a01-000w"]
    assert {style for batch in corpus.block(0, 0, 4, 20) for _, style in batch} == {0, 1}


def test_long_lines_are_shown_in_parts(tmp_path: Path, hand: Hand) -> None:
    write_form(tmp_path, hand)
    rng = np.random.default_rng(2)
    for _, line in read_iam(tmp_path):
        for length in (1, 8, 20, 99):
            part = words_of(line, length, rng)
            assert part.text in line.text and part.text == part.text.strip()
            assert len(part.text) <= max(length, max(map(len, line.text.split())))
            assert np.unique(part.character).tolist() == list(range(len(part.text)))
            assert part.points[:, 0].min() == 0.0 and part.pen[-1] != DRAW


def test_lines_beyond_all_measure_are_refused(tmp_path: Path, hand: Hand) -> None:
    write_form(tmp_path, hand)
    corpus = open_corpus(tmp_path, seed=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus_module, "LONGEST", 3)
        with pytest.raises(SourceError, match="more than 3 points"):
            corpus.block(0, 0, 4, 20)


def test_faults_are_named(tmp_path: Path, hand: Hand) -> None:
    write_form(tmp_path, hand)
    (tmp_path / "lineStrokes/a01/a01-000/a01-000u-02.xml").write_text("<Stroke>")
    with pytest.raises(SourceError, match=r"a01-000u-02\.xml is no file of strokes"):
        read_iam(tmp_path)
    (tmp_path / "ascii/a01/a01-000/a01-000u.txt").write_text("nothing")
    with pytest.raises(SourceError, match="no heading 'CSR:'"):
        read_iam(tmp_path)
    (tmp_path / "ascii/a01/a01-000/a01-000u.txt").unlink()
    with pytest.raises(SourceError, match="no line with a text"):
        read_iam(tmp_path)
