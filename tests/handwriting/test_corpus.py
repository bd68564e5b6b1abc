"""The corpus: even spacing, every character in order, kerning, no line that was held out, no person twice."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ecgvec.errors import SourceError
from ecgvec.handwriting import grammar
from ecgvec.handwriting.charset import CHARACTERS, END, PAD, pad_texts
from ecgvec.handwriting.compose import BLANK, LETTER_GAP, STEP, UP, WORD_GAP, compose
from ecgvec.handwriting.features import FEATURES, PenState, make_batch, phases
from ecgvec.handwriting.glyphs import Glyph, Hand, make_glyph
from ecgvec.handwriting.training import corpus as corpus_module
from ecgvec.handwriting.training.corpus import BLOCK, of_hands, open_corpus
from ecgvec.handwriting.training.sources import is_held_out, load_hands, person_of, read_characters, read_font


@pytest.fixture(scope="module")
def hands(shared: Path) -> list[Hand]:
    return load_hands(shared / "handwriting")


def test_every_ascii_character_has_a_number() -> None:
    assert len(CHARACTERS) == 95
    rows = pad_texts(["a~", " "])
    assert rows[0][-1] == END and rows[1] == [1, END, PAD]


def test_lines_are_evenly_spaced_and_in_order(hand: Hand) -> None:
    rng = np.random.default_rng(0)
    for text in ("LBBB", "no acute ischemia", "a", "i!?:;", "x y z", "3/4 @ 14:30"):
        line = compose(hand, text, rng)
        assert np.unique(line.character).tolist() == list(range(len(text)))
        assert (np.diff(line.character) >= 0).all()
        assert [text[i] == " " for i in line.character] == (line.pen == BLANK).tolist()
        assert line.pen[-1] == UP
        steps = np.hypot(*np.diff(line.points, axis=0).T)[line.pen[:-1] == 0]
        # A chord over a corner is shorter than its arc, and a stroke's length is no multiple of the step.
        assert steps.max() < 1.35 * STEP and np.median(steps) == pytest.approx(STEP, rel=0.1)


def test_gaps_are_those_of_the_corpus() -> None:
    rng = np.random.default_rng(1)
    bars = Hand("bars", "digits", {"1": (_bar(),)})
    for _ in range(20):
        line = compose(bars, "11 1", rng)
        edges = [line.points[line.character == i, 0] for i in (0, 1, 3)]
        assert LETTER_GAP[0] - 0.25 < edges[1].min() - edges[0].max() < LETTER_GAP[1] + 0.05
        assert WORD_GAP[0] - 0.25 < edges[2].min() - edges[1].max() < WORD_GAP[1] + 0.25


def _bar() -> Glyph:
    return make_glyph([np.array([[0.0, -1.5], [0.0, 0.0]])])


def test_the_same_glyph_is_never_drawn_twice_alike(hand: Hand) -> None:
    rng = np.random.default_rng(2)
    first, second = (compose(hand, "m", rng).points for _ in range(2))
    assert len(first) != len(second) or np.abs(first - second).max() > 1e-3


def test_lower_case_is_joined_on_some_lines_only(hands: list[Hand]) -> None:
    writer = next(h for h in hands if h.name == "uji-01")
    rng = np.random.default_rng(3)
    strokes = [len(compose(writer, "minimum", rng).strokes()) for _ in range(40)]
    assert min(strokes) <= 5 and max(strokes) == 7, "uji-01 writes no dots"


def test_phases_run_evenly_through_each_character(hand: Hand) -> None:
    line = compose(hand, "ab c", np.random.default_rng(4))
    phase = phases(line)
    assert (np.diff(phase) > 0).all() and phase[0] > -0.5 and phase[-1] < 3.5
    assert np.array_equal(np.round(phase), line.character)


def test_a_batch_without_noise_holds_the_lines(hand: Hand) -> None:
    rng = np.random.default_rng(5)
    lines = [(compose(hand, text, rng), style) for style, text in enumerate(("ab", "QRS 0.12"))]
    batch = make_batch(lines, None)
    for row, (line, _) in enumerate(lines):
        end = len(line.points)
        assert batch.steps[row] == end + 1
        drawn = np.cumsum(batch.offset[row, :end] * STEP, axis=0)
        assert np.allclose(drawn, line.points, atol=1e-5)
        assert np.array_equal(batch.pen[row, :end], line.pen)
        assert np.allclose(batch.next_phase[row, :end], phases(line), atol=1e-6)
        state = PenState(1)
        for step in range(end):
            features = state.features(batch.phase[row, step : step + 1].astype(np.float64))
            assert features.shape == (1, FEATURES)
            assert np.allclose(features[0], batch.features[row, step], atol=1e-5)
            state.move(line.points[step : step + 1], line.pen[step : step + 1])


def test_noise_leads_back_to_the_line(hand: Hand) -> None:
    line = compose(hand, "mmm", np.random.default_rng(6))
    batch = make_batch([(line, 0)] * 6, np.random.default_rng(7))
    seen = batch.features[:, :, 4]  # height over the baseline, as the network sees it
    wrong = np.abs(seen[:, 1:] - line.points[:, 1]).max(axis=1)
    assert wrong.max() > 0.02 and (wrong < 0.2).all()


def test_batches_go_by_the_step_alone(hand: Hand) -> None:
    corpus, again = (of_hands([hand], seed=3) for _ in range(2))
    again.block(3, 0, 4, 6)
    block, other = corpus.block(3, 5, 4, 6), again.block(3, 5, 4, 6)
    assert [len(batch) for batch in block] == [4] * BLOCK
    for first, second in zip(block, other, strict=True):
        assert all(np.array_equal(a.points, b.points) for (a, _), (b, _) in zip(first, second, strict=True))
    assert [line.text for line, _ in block[0]] != [line.text for line, _ in corpus.block(3, 6, 4, 6)[0]]


def test_held_out_texts_are_never_trained_on(hand: Hand) -> None:
    corpus = of_hands([hand], seed=3)
    shown = {line.text for batch in corpus.block(3, 0, 16, 12) for line, _ in batch}
    held = {line.text for line, _ in corpus.held_out(3, 16)}
    assert not shown & held
    assert all(map(grammar.is_held_out_text, held)) and not any(map(grammar.is_held_out_text, shown))


def test_texts_are_writable_and_balanced() -> None:
    rng = np.random.default_rng(8)
    notes = [grammar.note(rng) for _ in range(2000)]
    assert all(c in CHARACTERS for text in notes for c in text) and len(set(notes)) > 700
    strings = "".join(grammar.random_string(rng, 12, CHARACTERS) for _ in range(3000))
    counts = {c: strings.count(c) for c in CHARACTERS}
    assert min(counts.values()) > 60, "each character comes often enough to be learnt"


def test_people_of_two_databases_are_one() -> None:
    assert person_of("ujiv1_w01") == person_of("ujiv2_00") == "uji-01"
    assert person_of("ujiv1_w11") == person_of("ujiv2_10") == "uji-11"
    assert person_of("ujiv2_11") == "uji-12"
    names = {person_of(f"pend_{part}_{n}") for part, most in (("tra", 30), ("tes", 14)) for n in range(1, most + 1)}
    assert len(names) == 44


def test_the_model_never_sees_who_is_held_out(
    tmp_path: Path, hands: list[Hand], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_module, "load_hands", lambda _: hands)  # reading them again takes seconds
    corpus = open_corpus(tmp_path, seed=0)
    shown = {style.name for style in corpus.styles}
    held = {hand.name for hand in hands if is_held_out(hand.name)}
    assert shown | held == {hand.name for hand in hands} and not shown & held
    letters = {hand.name for hand in hands if hand.kind == "person"}
    assert len(letters & held) == 3 and len(letters & shown) == 8
    assert len([name for name in held if name.startswith("pendigits")]) == 11


def test_what_is_borrowed_is_not_from_people_held_out(hands: list[Hand]) -> None:
    held = {id(g) for h in hands if is_held_out(h.name) for c, s in h.glyphs.items() if c not in h.borrowed for g in s}
    for writer in hands:
        if not is_held_out(writer.name):
            assert not held & {id(glyph) for samples in writer.glyphs.values() for glyph in samples}


def test_people_and_fonts_write_all_of_ascii(hands: list[Hand]) -> None:
    for writer in hands:
        if writer.kind != "digits":
            assert writer.characters == CHARACTERS, writer.name
            x = writer.glyphs["x"][0].box
            assert -1.5 < x[1] < -0.6 and -0.3 < x[3] < 0.35, writer.name
            top = writer.glyphs["H"][0].box[1]
            assert -3.6 < top < -1.0, writer.name


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"nothing"),
        lambda path: path.write_bytes(gzip.compress(b"{}\n")),
        lambda path: path.write_bytes(gzip.compress(b'{"writer":"a","text":"ab","strokes":[[[0,0]]]}\n')),
        lambda path: path.write_bytes(gzip.compress(b'{"writer":"a","text":"a","strokes":[[[0]]]}\n')),
        lambda path: path.write_bytes(gzip.compress(b"[1]\n")),
    ],
)
def test_bad_pen_data_are_named(tmp_path: Path, spoil: Callable[[Path], int]) -> None:
    path = tmp_path / "bad.jsonl.gz"
    spoil(path)
    with pytest.raises(SourceError, match=r"bad\.jsonl\.gz"):
        list(read_characters(path))


def test_bad_folders_and_fonts_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds neither"):
        open_corpus(tmp_path, 0)
    with pytest.raises(SourceError, match="is no folder"):
        open_corpus(tmp_path / "missing", 0)
    (tmp_path / "font.svg").write_text("<svg>")
    with pytest.raises(SourceError, match="SVG font"):
        read_font(tmp_path / "font.svg")
    (tmp_path / "font.svg").write_text('<svg><glyph unicode="a" d="M 0 0 L 1 1"/></svg>')
    with pytest.raises(SourceError, match="no glyph 'x'"):
        read_font(tmp_path / "font.svg")
