"""Beats: read as wfdb reads them, put where the peaks are, and never at the cost of the record."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wfdb

import ecgvec
from ecgvec.record.beats import EXTENSIONS, MAX_BYTES
from ecgvec.record.model import Record
from ecgvec.record.read import read_record

BEATS = "NLRBAaJSVrFejnE/fQ?"
OTHERS = '~|sT*D"=p^t+u![]@x()'
FRAMES, FS = 5000, 250
END = b"\0\0"
NOT_WHOLE = "it is no whole annotation file of WFDB"


def made(folder: Path, name: str = "r", line: str = "16 200 16 0 0 0 0 II", per_frame: int = 1) -> Path:
    """A record of 20 s at 250 frames a second; its path without extension."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.hea").write_text(f"{name} 1 {FS} {FRAMES}\n{name}.dat {line}\n", encoding="utf-8")
    (folder / f"{name}.dat").write_bytes(np.arange(FRAMES * per_frame, dtype="<i2").tobytes())
    return folder / name


def word(code: int, value: int = 0) -> bytes:
    return struct.pack("<H", code << 10 | value)


def note(text: str) -> bytes:
    """A NOTE at the file's start."""
    raw = text.encode()
    return word(22) + word(63, len(raw)) + raw + b"\0" * (len(raw) % 2)


def annotate(record: Path, content: bytes, extension: str = "atr") -> Record:
    """The record with ``content`` as its annotation file."""
    Path(f"{record}.{extension}").write_bytes(content)
    return read_record(record)


def found(record: Record) -> list[tuple[float, str]]:
    return [] if record.beats is None else list(zip(record.beats.t.tolist(), record.beats.symbols, strict=True))


# ---------------------------------------------------------------- what is read


def test_a_long_record_has_the_beats_that_wfdb_reads(record_folder: Path) -> None:
    path = record_folder / "mitdb_2lead/100"
    record, expected = read_record(path), wfdb.rdann(str(path), "atr")
    beats = [(sample / 360, symbol) for sample, symbol in zip(expected.sample, expected.symbol, strict=True)
             if symbol in BEATS]  # fmt: skip
    assert found(record) == beats
    assert len(beats) > 1000
    assert {symbol for _, symbol in beats} == {"N", "A", "V"}
    assert record.beats is not None
    assert record.beats.source == "atr"
    assert record.messages == ()
    assert ecgvec.read_record(record_folder / "cpsc2021_2lead/data_8_4").beats is None


@pytest.mark.parametrize("window", [0, 7, 100])
def test_beats_lie_on_the_r_peaks(record_folder: Path, window: int) -> None:
    sheet = ecgvec.render(record_folder / "mitdb_2lead/100", "clean", window=window)
    trace = next(trace for trace in sheet.labels.traces if trace.lead == "II")
    labels = [label for label in sheet.labels.beats if trace.t[0] <= label.t <= trace.t[-1]]
    assert 10 <= len(labels) <= 16
    for label in labels:
        (point,) = next(place.point for place in label.places if place.trace == trace.id)
        near = trace.points[np.abs(trace.t - label.t) < 0.1]
        depth = float(near[:, 1].max() - near[:, 1].min())
        assert depth > 70  # px: there is a QRS complex, 1 mV being 79 px
        assert point[1] - near[:, 1].min() < 0.1 * depth
        assert trace.points[:, 0].min() <= point[0] <= trace.points[:, 0].max()
    assert {label.symbol for label in labels} <= set("NAV")


def test_every_kind_of_annotation_that_wfdb_writes(tmp_path: Path) -> None:
    record = made(tmp_path)
    symbols = [*BEATS, *OTHERS]
    samples = np.array([0, *np.cumsum(np.tile([1, 2, 1023, 1024, 3], 8))])[: len(symbols)]
    assert len(samples) == len(symbols)
    assert samples[-1] > FRAMES  # some of them lie beyond the end, though no beats
    count = len(symbols)
    wfdb.wrann("r", "atr", samples, symbols, subtype=np.arange(count) - 20, chan=np.arange(count),
               num=np.arange(count), aux_note=["", "odd", "even"] * (count // 3), write_dir=str(tmp_path))  # fmt: skip
    read = read_record(record)
    expected = [(sample / FS, symbol) for sample, symbol in zip(samples, symbols, strict=True) if symbol in BEATS]
    assert [beat for beat in expected if beat[0] < FRAMES / FS] == found(read)
    assert len(found(read)) > 10
    back = wfdb.rdann(str(record), "atr")
    assert found(read) == [(s / FS, a) for s, a in zip(back.sample, back.symbol, strict=True)
                           if a in BEATS and s < FRAMES]  # fmt: skip


def test_every_beat_symbol(tmp_path: Path) -> None:
    samples = np.arange(len(BEATS)) * 10 + 5
    made(tmp_path)
    wfdb.wrann("r", "qrs", samples, list(BEATS), write_dir=str(tmp_path))
    read = read_record(tmp_path / "r")
    assert "".join(symbol for _, symbol in found(read)) == BEATS
    assert read.beats is not None
    assert read.beats.source == "qrs"
    np.testing.assert_array_equal(read.beats.t, samples / FS)


def test_annotations_count_frames(tmp_path: Path) -> None:
    record = made(tmp_path, line="16x4 200 16 0 0 0 0 II", per_frame=4)
    read = annotate(record, word(1, 500) + END)
    assert read.fs == 4 * FS
    assert found(read) == [(2.0, "N")]


@pytest.mark.parametrize(("rate", "t"), [("1000", 0.5), ("62.5", 8.0), ("0", 2.0)])
def test_a_time_resolution_of_its_own(tmp_path: Path, rate: str, t: float) -> None:
    made(tmp_path)
    assert found(annotate(tmp_path / "r", note(f"## time resolution: {rate}") + word(5, 500) + END)) == [(t, "V")]
    if rate == "1000":  # wfdb writes and reads the same
        wfdb.wrann("r", "atr", np.array([500]), ["V"], fs=1000, write_dir=str(tmp_path))
        assert found(read_record(tmp_path / "r")) == [(0.5, "V")]


def test_a_note_that_wfdb_never_returns_from(tmp_path: Path) -> None:
    # wfdb.rdann 4.3.1 loops for ever at the first; nothing of a note may be kept either.
    made(tmp_path)
    for text in ("## Patient: Jagoda Zielinska", "Jagoda Zielinska", "## time resolution: of Jagoda"):
        read = annotate(tmp_path / "r", note(text) + word(1, 250) + END)
        assert found(read) == [(1.0, "N")]
        assert read.beats is not None
        assert "Jagoda" not in repr({**vars(read), **vars(read.beats)})
        assert read.messages == ()


def test_intervals_may_run_backwards(tmp_path: Path) -> None:
    back = word(59) + struct.pack("<hH", -1, (-200) % 65536)
    read = annotate(made(tmp_path), word(1, 500) + back + word(5) + word(8, 1) + END)
    assert found(read) == [(300 / FS, "V"), (301 / FS, "A"), (500 / FS, "N")]


def test_beats_outside_the_record_are_left_out_and_counted(tmp_path: Path) -> None:
    before = word(59) + struct.pack("<hH", -1, (-100) % 65536)
    far = word(59) + struct.pack("<hH", 0, FRAMES + 99)
    read = annotate(made(tmp_path), before + word(1) + word(1, 100) + far + word(1) + word(1, 1) + END)
    assert found(read) == [(0.0, "N")]
    assert read.messages == ("3 beats in 'r.atr' are left out: they lie outside the record.",)


# ---------------------------------------------------------------- where it is looked for


@pytest.mark.parametrize("name", ["a.b", "a b", "a.b c.d", "Łukasz"])
def test_names_that_wfdb_refuses(tmp_path: Path, name: str) -> None:
    assert found(annotate(made(tmp_path, name), word(1, 250) + END)) == [(1.0, "N")]


def test_the_first_file_with_beats_counts(tmp_path: Path) -> None:
    record = made(tmp_path)
    for number, extension in enumerate(reversed(EXTENSIONS), start=1):
        read = annotate(record, word(1, number) + END, extension)
        assert read.beats is not None
        assert (read.beats.source, found(read)) == (extension, [(number / FS, "N")])
    read = annotate(record, word(28, 3) + word(22, 3) + END)  # rhythm changes and notes alone
    assert read.beats is not None
    assert read.beats.source == EXTENSIONS[1]
    assert read.messages == ()


def test_a_damaged_file_gives_way_to_the_next(tmp_path: Path) -> None:
    record = made(tmp_path)
    annotate(record, word(1, 9) + END, "qrs")
    read = annotate(record, word(1, 9))
    assert found(read) == [(9 / FS, "N")]
    assert len(read.messages) == 1


def test_beats_lie_beside_the_signal_files(tmp_path: Path) -> None:
    record = made(tmp_path / "signals")
    annotate(record, word(1, 250) + END)
    (tmp_path / "elsewhere.hea").write_bytes(Path(f"{record}.hea").read_bytes())
    Path(f"{record}.hea").unlink()
    assert found(read_record(record, header=tmp_path / "elsewhere.hea")) == [(1.0, "N")]


def test_a_signal_file_is_no_annotation_file(tmp_path: Path) -> None:
    (tmp_path / "r.hea").write_text("r 1 250 3\nr.ecg 16 200 16 0 0 0 0 II\n")
    (tmp_path / "r.ecg").write_bytes(np.array([1025, 1025, 0], dtype="<i2").tobytes())
    read = read_record(tmp_path / "r")
    assert (read.beats, read.messages) == (None, ())


def test_links_and_folders_are_refused_unopened(tmp_path: Path) -> None:
    record = made(tmp_path / "in")
    (tmp_path / "secret").write_bytes(word(1, 250) + END)
    Path(f"{record}.atr").symlink_to(tmp_path / "secret")
    Path(f"{record}.ecg").mkdir()
    os.mkfifo(f"{record}.qrs")
    Path(f"{record}.ann").symlink_to(tmp_path / "nowhere")
    read = read_record(record)
    assert read.beats is None
    reason = "are left out: it is not a regular file in the record's own folder."
    assert read.messages == tuple(f"The beats in 'r.{e}' {reason}" for e in ("atr", "ecg", "ann", "qrs"))


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", NOT_WHOLE),
        (b"\0", NOT_WHOLE),
        (word(1, 9), NOT_WHOLE),
        (word(1, 9) + b"\0", NOT_WHOLE),
        (word(1, 9) + word(59) + b"\0\0", NOT_WHOLE),
        (word(1, 9) + word(63, 200) + b"abc\0", NOT_WHOLE),
        (word(1, 9) + word(55) + END, NOT_WHOLE),
        (word(1, 9) + END + word(1, 9) + END, NOT_WHOLE),
        (word(1, 9) + END + b"x", NOT_WHOLE),
        (b"sample,symbol\n12,N\n", NOT_WHOLE),
        (word(1, 9) * (MAX_BYTES // 2) + END, f"it is larger than {MAX_BYTES} bytes, and so no annotation file"),
    ],
)
def test_damage_costs_the_beats_alone(tmp_path: Path, content: bytes, reason: str) -> None:
    plain = read_record(made(tmp_path))
    read = annotate(tmp_path / "r", content)
    assert read.beats is None
    assert read.messages == (f"The beats in 'r.atr' are left out: {reason}.",)
    assert read.digest == plain.digest


def test_zeros_after_the_end_do_no_harm(tmp_path: Path) -> None:
    assert found(annotate(made(tmp_path), word(1, 250) + END + bytes(511))) == [(1.0, "N")]


def test_no_bytes_can_break_a_record(tmp_path: Path) -> None:
    record, rng = made(tmp_path), np.random.default_rng(7)
    sound = b"".join(word(int(code), int(value)) for code, value in zip(rng.integers(1, 42, 200),
                     rng.integers(0, 50, 200), strict=True))  # fmt: skip
    lengths = set()
    for _ in range(60):
        content = bytearray(sound + END)
        for place in rng.integers(0, len(content), 3):
            content[place] = rng.integers(256)
        read = annotate(record, bytes(content[: rng.integers(len(content)) if rng.random() < 0.3 else None]))
        t: Any = read.beats.t if read.beats else np.zeros(0)
        assert ((t >= 0) & (t < FRAMES / FS)).all()
        assert (np.diff(t) >= 0).all()
        assert {symbol for _, symbol in found(read)} <= set(BEATS)
        lengths.add(len(t))
    assert len(lengths) > 3  # not all were refused


def test_beats_survive_the_choice_of_leads(record_folder: Path) -> None:
    record = read_record(record_folder / "mitdb_2lead/100")
    assert record.with_leads(["V5"]).beats is record.beats
