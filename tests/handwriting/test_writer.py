"""The writer: the same bits whatever else is written, faults written again, plain letters in the end."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from ecgvec._typing import Points
from ecgvec.errors import RecipeError, SourceError
from ecgvec.handwriting import Note, Writer
from ecgvec.handwriting import sample as sampling
from ecgvec.handwriting import writer as writing
from ecgvec.handwriting.charset import CHARACTERS, transliterate
from ecgvec.handwriting.compose import DOT_ROOM, DRAW, FASTEST, ROOM, SLOWEST, UP, add_room, pen_speed
from ecgvec.handwriting.recurrent import SHIPPED, NumpyLSTM, read_arrays, read_weights

ROOT = Path(__file__).resolve().parents[2]
HAND, OTHER = "uji-05", "font-EMSBird"
TEXTS = ["LBBB", "72 bpm", "QTc 480 ms", "x", "ST elev V1-V4", "(+) @ 3/4?", "no acute ischemia", "V6"]


@pytest.fixture(scope="module")
def writer() -> Writer:
    return Writer()


def digest(note: Note) -> str:
    """All bits of a note."""
    held = hashlib.sha256(note.text.encode())
    for stroke, character in zip(note.strokes, note.characters, strict=True):
        held.update(stroke.tobytes() + character.tobytes())
    return held.hexdigest()


def with_letters(writer: Writer) -> list[int]:
    """The styles that write all of ASCII."""
    return [number for number, style in enumerate(writer.styles) if style.characters == CHARACTERS]


def test_a_note_is_the_same_alone_and_among_others(writer: Writer) -> None:
    hands = with_letters(writer)
    texts = [TEXTS[i % len(TEXTS)] for i in range(41)]
    styles, seeds = [hands[i % len(hands)] for i in range(41)], list(range(41))
    together = writer.write(texts, styles, seed=seeds)
    backwards = writer.write(texts[::-1], styles[::-1], seed=seeds[::-1])[::-1]
    assert [digest(n) for n in together] == [digest(n) for n in backwards]
    for i in (0, 17, 40):
        assert digest(writer.write(texts[i : i + 1], styles[i], seed=i)[0]) == digest(together[i])


def test_one_slot_after_another_gives_the_same(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more texts than slots a slot is used again, and the desk is closed up while texts are being written."""
    wide = [digest(n) for n in writer.write(TEXTS * 5, HAND, seed=list(range(40)))]
    monkeypatch.setattr("ecgvec.handwriting.recurrent._MOST", 16)
    assert [digest(n) for n in writer.write(TEXTS * 5, HAND, seed=list(range(40)))] == wide


def test_threads_change_no_bit(writer: Writer) -> None:
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append([digest(note) for note in writer.write(TEXTS, HAND, seed=3)])
    assert found[0] == found[1]


def test_another_process_writes_the_same(writer: Writer) -> None:
    program = (
        "import sys; from ecgvec.handwriting import Writer; from tests.handwriting.test_writer import digest, TEXTS\n"
        "notes = Writer().write(TEXTS[:3], 'uji-05', seed=3); print(*map(digest, notes))"
    )
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "7"}
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [digest(note) for note in writer.write(TEXTS[:3], HAND, seed=3)]


def test_seed_style_and_bias_make_a_difference(writer: Writer) -> None:
    kinds = [(HAND, 0, 0.7), (HAND, 1, 0.7), (OTHER, 0, 0.7), (HAND, 0, 0.2)]
    notes = [writer.write(["72 bpm"], style, bias, seed)[0] for style, seed, bias in kinds]
    assert len({digest(note) for note in notes}) == 4
    number = writer.style_number(HAND)
    assert digest(writer.write(["72 bpm"], number, seed=0)[0]) == digest(notes[0]) and notes[0].style == HAND


def test_repeated_words_differ(writer: Writer) -> None:
    note = writer.write(["mm mm"], HAND, seed=2)[0]
    points, owner = np.concatenate(note.strokes)[:, :2], np.concatenate(note.characters)
    first, second = (points[(owner >= a) & (owner < a + 2)] for a in (0, 3))
    n = min(len(first), len(second))
    assert len(first) != len(second) or np.abs((first - first[0])[:n] - (second - second[0])[:n]).max() > 0.05


def test_characters_come_in_order_and_all(writer: Writer) -> None:
    for note in writer.write(TEXTS, with_letters(writer)[3:11], seed=1):
        assert [len(s) for s in note.strokes] == [len(c) for c in note.characters]
        owner = np.concatenate(note.characters)
        assert (np.diff(owner) >= 0).all()
        assert set(owner.tolist()) == {i for i, c in enumerate(note.text) if c != " "}
        assert all(stroke.shape[1] == 3 and np.isfinite(stroke).all() for stroke in note.strokes)


def test_limits_between_characters_go_to_where_the_pen_was_lifted() -> None:
    character = np.repeat([0, 1, 2], 12)
    pen = np.zeros(36, dtype=np.int64)
    pen[[14, 20, 35]] = UP  # 3 points late; 3 early, where the window was not sure; the end
    assert sampling.snap_to_lifts("abc", character, pen).tolist() == [0] * 15 + [1] * 6 + [2] * 15
    pen[[14, 20]] = DRAW
    pen[18] = UP  # too far from either: joined letters
    assert sampling.snap_to_lifts("abc", character, pen).tolist() == character.tolist()


def test_the_end_of_a_digit_is_not_a_second_dot() -> None:
    character, pen = np.repeat([0, 1, 2], [20, 6, 20]), np.zeros(46, dtype=np.int64)
    pen[[23, 25, 45]] = UP  # four of the dot's six points are the digit's last ones
    assert sampling.snap_to_lifts("0.1", character, pen).tolist() == [0] * 24 + [1] * 2 + [2] * 20
    assert sampling.snap_to_lifts("0x1", character, pen).tolist() == character.tolist()


def test_spaces_have_no_ink(writer: Writer) -> None:
    for note in writer.write(["a b c", "1 2 3 4"] * 4, with_letters(writer)[:8], seed=9):
        owners = {note.text[i] for character in note.characters for i in character.tolist()}
        assert " " not in owners


def test_size_is_in_millimetres(writer: Writer) -> None:
    heights = []
    for x_height in (2.0, 4.0):
        note = writer.write(["xxxx"], HAND, seed=4, x_height=x_height)[0]
        heights.append(float(np.ptp(np.concatenate(note.strokes)[:, 1])))
    assert 1.4 < heights[0] < 3.2 and heights[1] == pytest.approx(2 * heights[0], abs=0.01)


def test_notes_with_a_fault_are_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Writer(verify=False)  # what is read wrongly is another matter
    true, seen = sampling.fault, []

    def twice_wrong(text: str, *rest: object) -> str:
        seen.append(text)
        return "stuck" if text == "72 bpm" and seen.count(text) <= 2 else true(text, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(sampling, "fault", twice_wrong)
    again, once = writer.write(["72 bpm", "LBBB"], HAND, seed=6)
    assert again.attempts == 3 and again.faults == 2 and not again.fallback and len(again.messages) == 2
    assert once.attempts == 1 and not once.messages and seen.count("LBBB") == 1
    monkeypatch.undo()
    first = writer.write(["72 bpm", "LBBB"], HAND, seed=6)
    assert digest(first[0]) != digest(again) and digest(first[1]) == digest(once)


def leaping(advance: float) -> Writer:
    """A writer whose window moves on by so much more, before softplus."""
    weights = read_weights(SHIPPED)
    bias = weights.tensors["window.bias"].copy()
    bias[0] += advance
    broken = Writer()
    broken._engine = NumpyLSTM(replace(weights, tensors={**weights.tensors, "window.bias": bias}))
    return broken


def test_what_cannot_be_written_is_set_from_plain_letters() -> None:
    broken = leaping(5.0)
    note, same, other = (broken.write(["V1 up?"], HAND, seed=seed)[0] for seed in (1, 1, 2))
    assert note.fallback and note.style == "plain" and note.attempts == note.faults == 4
    assert sum("skipped character" in message for message in note.messages) == 4
    assert "set from plain letters" in note.messages[-1]
    assert set(np.concatenate(note.characters).tolist()) == {0, 1, 3, 4, 5}
    assert digest(note) == digest(same) != digest(other)


def test_a_text_that_never_ends_is_ended() -> None:
    note = leaping(-20.0).write(["i"], HAND)[0]
    assert note.fallback and sum("ran away" in message for message in note.messages) == 4


def test_plain_letters_are_all_there() -> None:
    hand = writing._plain()
    assert hand.characters == CHARACTERS
    heights = {c: glyphs[0].box for c, glyphs in hand.glyphs.items()}
    assert all(-1.1 < heights[c][1] < -0.9 for c in "acemnorsuvwxz")
    assert all(-1.9 < heights[c][1] < -1.5 for c in "ABDHKLT0123456789")
    assert all(heights[c][3] > 0.3 for c in "gpqy")


@pytest.mark.parametrize(
    ("asked", "text", "messages"),
    [
        ("résumé", "resume", 1),
        ("2 mm ± 1, 38°C", "2 mm +/- 1, 38 deg C", 2),
        ("≥ 5 µV – “ok”", '>= 5 uV - "ok"', 5),
        ("a\tb\n c", "a b c", 0),
        ("ﬁb ½ ☃!", "fib 1/2 !", 3),
        ("Ω‘’", "Ohm''", 3),
        ("e\u0301", "e", 1),
    ],
)
def test_other_characters_are_transliterated(asked: str, text: str, messages: int) -> None:
    written, told = transliterate(asked)
    assert written == text and len(told) == messages


def test_messages_reach_the_note(writer: Writer) -> None:
    note = writer.write(["µ ☃"], HAND)[0]
    assert note.text == "u" and note.messages == ("'µ' is written 'u'", "'☃' cannot be written and is left out")


def test_people_of_digits_write_no_letters(writer: Writer) -> None:
    digits = next(i for i, style in enumerate(writer.styles) if style.kind == "digits")
    figures, words = writer.write(["120", "LBBB"], digits, seed=1)
    assert figures.style == writer.styles[digits].name and not figures.messages
    assert words.style != figures.style and "was never shown 'BL'" in words.messages[0]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda w: w.write([""]), "give it some text"),
        (lambda w: w.write(["☃"]), "give it some text"),
        (lambda w: w.write(["x" * 201]), "at most 200"),
        (lambda w: w.write(["x"], style=999), "give a number from 0 to"),
        (lambda w: w.write(["x"], style="uji-0"), "did you mean 'uji-"),
        (lambda w: w.write(["x"], bias=-1), "give a number from 0"),
        (lambda w: w.write(["x"], bias=float("nan")), "give a number from 0"),
        (lambda w: w.write(["x"], x_height=0), "give 0.2 to 50"),
        (lambda w: w.write(["x", "y"], seed=[1]), "give one for each"),
        (lambda w: Writer(device="cuda:99"), "use cpu"),
        (lambda w: Writer(device="tpu"), "use cpu or cuda"),
    ],
)
def test_bad_orders_are_named(writer: Writer, call: Callable[[Writer], object], told: str) -> None:
    with pytest.raises(RecipeError, match=re.escape(told)):
        call(writer)


def test_no_texts_no_notes(writer: Writer) -> None:
    assert writer.write([]) == []


def test_the_weights_are_tensors_to_write_with_and_nothing_else(tmp_path: Path) -> None:
    assert SHIPPED.stat().st_size < 20e6
    arrays, about = read_arrays(SHIPPED)
    assert {name.split(".")[0] for name in arrays} == {
        *("characters", "lower_style", "upper_style", "lower_input", "upper_input", "lower", "upper", "window", "head")
    }
    assert all(array.dtype == np.float32 for array in arrays.values()) and about["characters"] == CHARACTERS
    for source in (ROOT / "ecgvec" / "handwriting").glob("*.py"):
        assert not re.search(r"\bpickle\b|torch\.load|allow_pickle", source.read_text(encoding="utf-8")), source
    (tmp_path / "weights").write_bytes(b"\x80\x04cos\nsystem\n")
    with pytest.raises(SourceError, match="no safetensors file"):
        Writer(tmp_path / "weights")


def test_torch_is_never_imported_to_write() -> None:
    program = (
        "import sys, ecgvec, ecgvec.handwriting\n"
        "assert not [m for m in sys.modules if m.startswith('ecgvec.handwriting.')]\n"
        "ecgvec.handwriting.Writer().write(['72'])\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_global_random_state_is_left_alone(writer: Writer) -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[index, union-attr]  # noqa: NPY002
    writer.write(["72"], HAND)
    assert np.array_equal(before, np.random.get_state()[1])  # type: ignore[index]  # noqa: NPY002


def arc(radius: float, length: float, x_height: float = 2.5) -> Points:
    """A bow of ``radius`` mm with points as far apart as in a note."""
    angle = np.arange(0.0, length / radius, x_height / 8 / radius)
    return radius * np.column_stack([np.sin(angle), 1 - np.cos(angle)])


def test_speed_follows_the_two_thirds_power_law() -> None:
    slow, fast = (np.median(pen_speed(arc(radius, 12.0), 2.5)) for radius in (1.0, 4.0))
    assert fast / slow == pytest.approx(4 ** (1 / 3), rel=0.02)
    line = np.column_stack([np.linspace(0, 12, 40), np.zeros(40)])
    straight = pen_speed(line, 2.5)
    assert straight.max() > fast and straight[0] < 0.75 * straight[20] > straight[-1]


def test_speed_slows_in_the_bow_of_a_hook() -> None:
    line = np.column_stack([np.linspace(-9, 0, 30), np.zeros(30)])
    hook = np.vstack([line, arc(0.8, 2.5)[1:], [0, 1.6] - (line[::-1] - line[-1])[1:] * [-1, 0]])
    speed = pen_speed(hook, 2.5)
    assert speed[30:37].min() < 0.7 * speed[12] and speed.min() >= SLOWEST and speed.max() <= FASTEST


def test_written_speeds_are_plausible(writer: Writer) -> None:
    note = writer.write(["no acute ischemia"], HAND, seed=1)[0]
    speed = np.concatenate(note.strokes)[:, 2]
    assert 25 < np.median(speed) < 80 and speed.min() >= SLOWEST and speed.max() <= FASTEST and np.std(speed) > 3


def test_dots_get_room() -> None:
    at = np.array([[0.0, 0.0], [0.5, 0.0], [0.6, 0.0], [0.65, 0.0], [0.7, 0.0], [1.2, -1.0]])
    pen, owner = np.array([0, 0, 0, 0, 0, 1]), np.array([0, 0, 1, 1, 2, 2])
    points, lifted = add_room("1.4", at, pen, owner)
    gaps = points[2, 0] - points[1, 0], points[4, 0] - points[3, 0]
    assert gaps == pytest.approx((DOT_ROOM, DOT_ROOM))
    assert lifted.tolist() == [0, 1, 0, 1, 0, 1], "the pen is lifted before and after"
    assert (points[:, 1] == at[:, 1]).all()
    assert np.diff(points, axis=0)[[0, 2, 4]] == pytest.approx(np.diff(at, axis=0)[[0, 2, 4]])


def test_neighbours_that_are_not_joined_do_not_touch() -> None:
    at = np.array([[0.0, 0.0], [0.5, 0.0], [0.52, 0.0], [1.0, -1.0]])
    joined, apart = np.array([0, 0, 0, 1]), np.array([0, 1, 0, 1])
    points, pen = add_room("ab", at, apart, np.array([0, 0, 1, 1]))
    assert points[2, 0] - points[1, 0] == pytest.approx(ROOM) and (pen == apart).all()
    assert (add_room("ab", at, joined, np.array([0, 0, 1, 1]))[0] == at).all()
    crossing = np.array([[0.0, 0.0], [1.1, 0.0], [0.52, 0.0], [1.0, -1.0]])  # the bar of a t over its neighbour
    assert (add_room("to", crossing, apart, np.array([0, 0, 1, 1]))[0] == crossing).all()


def test_written_neighbours_do_not_touch(writer: Writer) -> None:
    digits = [number for number, style in enumerate(writer.styles) if style.kind == "digits"][:20]
    touching = 0
    for note in writer.write(["138 135"] * len(digits), digits, seed=list(range(len(digits)))):
        own = [(index, stroke) for stroke, owner in zip(note.strokes, note.characters, strict=True)
               for index in np.unique(owner) if len(np.unique(owner)) == 1]  # fmt: skip
        for (i, one), (j, other) in pairwise(own):
            near = np.abs(one[:, None, :2] - other[None, :, :2]) / note.x_height
            touching += i != j and bool((near.max(axis=2) < 0.05).any())
    assert touching <= 1
