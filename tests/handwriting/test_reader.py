"""The reader of single letters: the same bits in any company, never taught by people held out; what it is for."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from ecgvec.cli.train import app
from ecgvec.errors import SourceError
from ecgvec.handwriting import Writer, recurrent
from ecgvec.handwriting import writer as writing
from ecgvec.handwriting.glyphs import Hand
from ecgvec.handwriting.reader import (
    ALPHABET,
    CLASSES,
    FORMAT,
    SHIPPED,
    Letter,
    Reader,
    class_of,
    cut_letters,
    ink_of,
    pick_letters,
    pictures,
)
from ecgvec.handwriting.training.checkpoint import write_tensors
from ecgvec.handwriting.training.corpus import bend_letters, cut_line, in_lines, isolated_letters
from ecgvec.handwriting.training.sources import is_held_out, load_hands
from ecgvec.handwriting.training.train_reader import Lessons, ReaderNetwork, fold_norms, train

HAND = "uji-05"
TINY = Lessons(steps=2, rows=16, widths=(4, 4, 4), dense=8)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.fixture(scope="module")
def letters() -> list[Letter]:
    """Of the plain letters, which no reader has learnt: those of lines, 40 in all."""
    rng = np.random.default_rng(2)
    return [letter for text in ("Q7mTx", "wave3", "LBBBd", "g9K2r") * 2 for letter in cut_line(plain(), text, rng)]


def plain() -> Hand:
    return writing._plain()


def test_a_letter_is_read_alike_in_any_company(reader: Reader, letters: list[Letter]) -> None:
    together = reader.opinions(letters)
    assert together.shape == (40, len(CLASSES))
    assert np.allclose(np.exp(together).sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(reader.opinions(letters[::-1])[::-1], together)
    assert np.array_equal(np.concatenate([reader.opinions([letter]) for letter in letters]), together)


def test_letters_never_seen_are_read(reader: Reader) -> None:
    letters = isolated_letters([plain()])
    told = reader.opinions(letters).argmax(axis=1)
    right = [CLASSES[number] == class_of(letter.character) for number, letter in zip(told, letters, strict=True)]
    assert len(right) == len(ALPHABET) and np.mean(right) > 0.7


def test_people_held_out_are_read(reader: Reader, shared: Path) -> None:
    hands = load_hands(shared / "handwriting")
    letters = isolated_letters([hand for hand in hands if is_held_out(hand.name) and hand.kind == "person"])
    told = reader.opinions(letters).argmax(axis=1)
    right = [CLASSES[number] == class_of(letter.character) for number, letter in zip(told, letters, strict=True)]
    assert len(right) > 300 and np.mean(right) > 0.7


def test_the_shipped_reader_never_saw_the_people_held_out(shared: Path) -> None:
    about = recurrent.read_arrays(SHIPPED, FORMAT)[1]
    hands = [hand.name for hand in load_hands(shared / "handwriting")]
    assert about["people"] == [name for name in hands if not is_held_out(name)] and len(about["people"]) == 93
    assert SHIPPED.stat().st_size < 2e6


def with_people(pen_data: Path, folder: Path, people: Sequence[str]) -> Path:
    """The pen data of the tests, written by other people as well."""
    shutil.copytree(pen_data, folder)
    with gzip.open(pen_data / "people.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    with gzip.open(folder / "more.jsonl.gz", "wt") as lines:
        lines.writelines(json.dumps({**row, "writer": person}) + "\n" for person in people for row in rows)
    return folder


def test_training_leaves_out_the_people_held_out(pen_data: Path, tmp_path: Path) -> None:
    data = with_people(pen_data, tmp_path / "data", ["ujiv1_w03", "ujiv1_w04"])
    assert [hand.name for hand in load_hands(data)] == ["uji-01", "uji-03", "uji-04"]
    before = torch.get_rng_state()
    for name in ("a", "b"):
        train(data, tmp_path / name, TINY)
    assert recurrent.read_arrays(tmp_path / "a", FORMAT)[1]["people"] == ["uji-01", "uji-04"]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert torch.equal(before, torch.get_rng_state())
    assert Reader(tmp_path / "a").opinions(isolated_letters([plain()])).shape == (62, len(CLASSES))


def test_the_command_writes_a_reader(pen_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "reader.safetensors"
    run = CliRunner().invoke(app, ["handwriting-reader", "--data", str(pen_data), "-o", str(out), "--steps", "2"])
    assert run.exit_code == 0, run.output
    assert str(out) in run.output.replace("\n", "") and Reader(out).opinions([]).shape == (0, len(CLASSES))


def test_a_letter_that_nobody_wrote_is_named(pen_data: Path, tmp_path: Path) -> None:
    with gzip.open(pen_data / "people.jsonl.gz", "rt") as lines:
        rows = [line for line in lines if json.loads(line)["text"] != "Q"]
    with gzip.open(tmp_path / "people.jsonl.gz", "wt") as lines:
        lines.writelines(rows)
    with pytest.raises(SourceError, match="no drawing of 'Q'"):
        train(tmp_path, tmp_path / "w", TINY)


def test_numpy_reads_what_pytorch_reads(letters: list[Letter], tmp_path: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = ReaderNetwork((6, 8, 10), 12)
        for _ in range(30):  # norms that do something
            network.train()(torch.from_numpy(pictures(ink_of(letters))))
    network.eval()
    write_tensors(tmp_path / "w", fold_norms(network), {"format": FORMAT, "classes": CLASSES})
    with torch.no_grad():
        wanted = network(torch.from_numpy(pictures(ink_of(letters, even=False)))).log_softmax(1).numpy()
    assert np.ptp(wanted, axis=0).max() > 0.05
    assert np.abs(Reader(tmp_path / "w").opinions(letters) - wanted).max() < 1e-5


def test_wrong_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"has the format 'ecgvec-handwriting-1', not '{FORMAT}'"):
        Reader(recurrent.SHIPPED)
    tensors = fold_norms(ReaderNetwork((4, 4, 4), 8))
    for about, change, told in (
        ({"classes": ["a"]}, {}, "its classes are not those"),
        ({}, {}, "classes"),
        ({"classes": CLASSES}, {"dense.weight": torch.zeros(8, 35)}, "'dense' has 35 inputs, not 36"),
        ({"classes": CLASSES}, {"dense.bias": torch.zeros(9)}, "reshape"),
        ({"classes": CLASSES}, {"out.weight": torch.zeros(3, 8), "out.bias": torch.zeros(3)}, "it tells 3 classes"),
    ):
        write_tensors(tmp_path / "w", {**tensors, **change}, {"format": FORMAT, **about})
        with pytest.raises(SourceError, match=f"holds no reader of letters .*{told}.*: train or fetch it anew"):
            Reader(tmp_path / "w")


def test_pictures_show_ink_and_its_directions() -> None:
    level, upright = (Letter("x", [np.array([[0.0, -0.5], end])], "") for end in ([1.0, -0.5], [0.0, -1.5]))
    dot = Letter("x", [np.array([[0.0, -0.5]])], "")
    maps = pictures(ink_of([level, upright, dot]))
    assert maps.shape == (3, 5, 24, 24) and maps.min() >= 0 and maps.max() <= 1
    sums = maps.sum(axis=(2, 3))
    assert sums[0, 1] == pytest.approx(sums[0, 0], rel=1e-3) and sums[0, 2:].max() < 1e-3
    assert sums[1, 3] == pytest.approx(sums[1, 0], rel=1e-3) and sums[1, [1, 2, 4]].max() < 1e-3
    assert 0 < sums[2, 1] < sums[2, 0] and sums[2, 1:] == pytest.approx(sums[2, 1])
    rows, columns = (maps[0, 0].sum(axis=axis) for axis in (1, 0))
    assert abs(np.average(np.arange(24), weights=rows) - 12.5) < 0.01, "half an x-height over the baseline"
    assert abs(np.average(np.arange(24), weights=columns) - 11.5) < 0.01, "in the middle"


def test_letters_are_cut_out_and_bent(hand: Hand) -> None:
    at = np.array([[0.0, 0.0], [0.5, -1.0], [1.0, 0.0], [2.0, 0.0]])
    found = cut_letters("a-b", [(at, np.array([0, 0, 1, 2])), (at[:1], np.array([0]))], "me")
    assert [(letter.character, [len(stroke) for stroke in letter.strokes]) for letter in found] == [
        ("a", [2, 1]),
        ("b", [1]),
    ]
    lines = in_lines([hand], 2)
    assert {letter.person for letter in lines} == {"zigzag"} and all(letter.character in ALPHABET for letter in lines)
    ink = pick_letters(ink_of(isolated_letters([hand])), np.array([3, 3, 5]))
    first, again = (bend_letters(ink, np.random.default_rng(4)) for _ in range(2))
    assert np.array_equal(first.at, again.at) and first.total == 3
    assert not np.allclose(first.at[first.letter == 0].mean(axis=0), first.at[first.letter == 1].mean(axis=0))


def test_notes_are_written_again_until_they_are_legible(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"LBBB": [-1.0, -0.1], "72": [-3.0, -1.0, -2.0, -1.5]}
    seen = dict.fromkeys(told, 0)

    def likely(_: Reader, texts: Sequence[Sequence[Letter]]) -> list[float]:
        found = []
        for text in ("".join(letter.character for letter in part) for part in texts):
            found.append(told[text][seen[text]])
            seen[text] += 1
        return found

    monkeypatch.setattr(Reader, "likely", likely)
    writer, texts = Writer(), list(told)
    notes = writer.write(texts, HAND, seed=4)
    assert [note.attempts for note in notes] == [2, 4] and seen == {"LBBB": 2, "72": 4}
    assert not any(note.faults or note.fallback or note.messages for note in notes)
    first = Writer(verify=False).write(texts, HAND, seed=4)
    assert seen == {"LBBB": 2, "72": 4}, "not read"
    for text, note, unread in zip(texts, notes, first, strict=True):
        assert unread.attempts == 1
        # The second drawing was kept, of one text as it is legible, of the other as the likeliest.
        told[text], seen[text] = [-9.0, 0.0], 0
        again = writer.write([text], HAND, seed=4)[0]
        assert len(again.strokes) == len(note.strokes)
        assert all(np.array_equal(a, b) for a, b in zip(again.strokes, note.strokes, strict=True))
        assert len(unread.strokes) != len(note.strokes) or not np.array_equal(unread.strokes[0], note.strokes[0])


def test_many_notes_are_written_again_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few are written several times at once, many one time after another: the same drawings are kept."""
    monkeypatch.setattr(writing, "LEGIBLE", -0.2)
    writer, texts = Writer(), ["LBBB", "72 bpm", "old MI"] * 7
    many = writer.write(texts, HAND, seed=list(range(21)))
    few = [writer.write([text], HAND, seed=seed)[0] for seed, text in enumerate(texts)]
    assert {note.attempts for note in many} >= {1, 4}
    assert [note.attempts for note in many] == [note.attempts for note in few]
    for one, other in zip(many, few, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one.strokes, other.strokes, strict=True))


def test_punctuation_is_not_judged(reader: Reader) -> None:
    assert reader.likely([[], []]) == [0.0, 0.0]
    notes = Writer().write(["?!", "(+) - @", "..."], HAND, seed=[1, 2, 3])
    assert all(note.attempts == 1 for note in notes)


def test_what_is_read_before_it_is_kept_is_read_better(reader: Reader) -> None:
    texts, seeds = ["LBBB", "72 bpm", "inf. MI", "QTc 480", "old", "RBBB"] * 3, list(range(18))
    found = []
    for verify in (False, True):
        notes = Writer(verify=verify).write(texts, "font-EMSElfin", seed=seeds)
        letters = [
            cut_letters(n.text, [(s[:, :2] / n.x_height, c) for s, c in zip(n.strokes, n.characters, strict=True)])
            for n in notes
        ]
        found.append(np.array(reader.likely(letters)))
    assert (found[1] >= found[0] - 1e-3).all() and found[1].mean() > found[0].mean() + 0.1
