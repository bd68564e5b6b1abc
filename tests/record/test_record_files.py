"""The files of a record: how they are found, which are refused unopened, and what is said of damaged ones."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from ecgvec.errors import RecordError
from ecgvec.record.files import count_frames
from ecgvec.record.header import Signal, parse_header
from ecgvec.record.read import read_record

SAMPLES = np.arange(10, dtype="<i2")


def made(
    folder: Path, name: str = "r", file: str = "r.dat", line: str = "16 200 16 0 0 0 0 II", frames: int = 10
) -> Path:
    """A record of one lead, 0 to 9 in steps of 1/200 mV, in ``folder``; returns the path of its signal file."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.hea").write_text(f"{name} 1 250 {frames}\n{file} {line}\n", encoding="utf-8")
    (folder / "r.dat").write_bytes(SAMPLES.tobytes())
    return folder / "r.dat"


@pytest.mark.parametrize("given", ["a.b", "a.b.hea", "a.b.dat", "a.b.xyz"])
def test_a_record_is_found_by_any_of_its_files(tmp_path: Path, given: str) -> None:
    (tmp_path / "a.b.hea").write_text("a.b 2 250 10\na.b.dat 16 200\na.b.xyz 16 200")
    (tmp_path / "a.hea").write_text("a 1 250 10\na.dat 16 200")
    for suffix in ("dat", "xyz"):
        (tmp_path / f"a.b.{suffix}").write_bytes(SAMPLES.tobytes())
    record = read_record(tmp_path / given)
    assert (record.name, len(record.leads)) == ("a.b", 2)
    assert read_record(str(tmp_path / given)).digest == record.digest


def test_a_record_is_found_by_a_file_of_another_name(record_folder: Path) -> None:
    formats = record_folder / "formats"
    assert read_record(formats / "mixedsignals_e.dat").name == "mixedsignals"
    assert read_record(formats / "flacformats.d1").name == "flacformats"
    assert read_record(formats / "041s/041s02.dat").name == "041s02"


def test_a_file_of_several_records_is_refused(tmp_path: Path) -> None:
    signal_file = made(tmp_path, "one")
    made(tmp_path, "two")
    with pytest.raises(RecordError, match=r"r\.dat belongs to several records \(one\.hea, two\.hea\); give the header"):
        read_record(signal_file)
    assert read_record(tmp_path / "two").name == "two"


@pytest.mark.parametrize("given", ["r2", "r.2", "r.atr", "missing/r", "r" * 300])
def test_a_record_that_is_not_there(tmp_path: Path, given: str) -> None:
    made(tmp_path)
    (tmp_path / "r.atr").touch()
    with pytest.raises(
        RecordError, match=rf"{given} (is no record: there is no {given.split('/')[-1]}\.hea|cannot be)"
    ):
        read_record(tmp_path / given)


def test_a_header_that_is_not_there_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"r\.hea is missing or not a file; give the path of a WFDB record"):
        read_record(tmp_path / "r.hea")
    with pytest.raises(RecordError, match="is a folder; give the path of one record in it"):
        read_record(tmp_path)


def test_a_header_that_lies_elsewhere(tmp_path: Path) -> None:
    signal_file = made(tmp_path / "signals")
    header = shutil.move(tmp_path / "signals/r.hea", tmp_path / "elsewhere.hea")
    for given in (signal_file, tmp_path / "signals/r"):
        record = read_record(given, header=header)
        assert (record.name, len(record.signals)) == ("r", 10)
    with pytest.raises(RecordError, match=r"r\.dat, which .*elsewhere\.hea names, is missing"):
        read_record(tmp_path / "r", header=header)


@pytest.mark.parametrize("file", ["my record.dat", "12.5 kHz v1.2.dat", "r.dat"])
@pytest.mark.parametrize("name", ["my record", "a.b.c", "rec 7"])
def test_names_with_blanks_and_dots(tmp_path: Path, name: str, file: str) -> None:
    made(tmp_path, name, file).rename(tmp_path / file)
    record = read_record(tmp_path / name)
    assert record.name == name
    np.testing.assert_array_equal(record.signals[:, 0], SAMPLES / 200)


OUTSIDE = ["../outside/r.dat", "{}/outside/r.dat", "..", ".", "sub/r.dat", "./r.dat", "..\\outside\\r.dat"]


@pytest.mark.parametrize(
    "name", [*OUTSIDE, "file://{}/outside/r.dat", "https://example.org/r.dat", "r\x01.dat", "\x9b2J"]
)
@pytest.mark.parametrize("kind", ["signal", "unneeded signal", "segment"])
def test_a_name_may_not_lead_out_of_the_folder(tmp_path: Path, name: str, kind: str) -> None:
    made(tmp_path / "outside")
    made(tmp_path / "inside")
    name = name.format(tmp_path)
    text = {
        "signal": f"r 1 250 10\n{name} 16 200\n",
        "unneeded signal": f"r 2 250 10\nr.dat 16 200\n{name} 16 1/mmHg\n",
        "segment": f"r/1 1 250 10\n{name} 10\n",
    }[kind]
    (tmp_path / "inside/r.hea").write_text(text)
    with pytest.raises(
        RecordError, match=r"inside/r\.hea, line [23] names the file .*; a record may name only files in its"
    ):
        read_record(tmp_path / "inside/r")


@pytest.mark.parametrize("kind", ["signal", "segment"])
@pytest.mark.parametrize("target", ["../outside/pipe", "/dev/zero", "../outside/missing", ".."])
def test_a_link_may_not_lead_out_of_the_folder(tmp_path: Path, target: str, kind: str) -> None:
    made(tmp_path / "inside")
    (tmp_path / "outside").mkdir()
    os.mkfifo(tmp_path / "outside/pipe")  # whoever opens it waits for ever
    if kind == "segment":
        (tmp_path / "inside/r.hea").write_text("r/1 1 250 10\nx 10\n")
    link = tmp_path / "inside" / {"signal": "r.dat", "segment": "x.hea"}[kind]
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    with pytest.raises(
        RecordError, match=rf"r\.hea names the file '{link.name}', a link out of the record's folder; put"
    ):
        read_record(tmp_path / "inside/r")


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    signal_file = made(tmp_path)
    signal_file.unlink()
    os.mkfifo(signal_file)
    with pytest.raises(RecordError, match=r"r\.dat, which .*r\.hea names, is not a regular file; put"):
        read_record(tmp_path / "r")
    (tmp_path / "pipe.hea").unlink(missing_ok=True)
    os.mkfifo(tmp_path / "pipe.hea")
    with pytest.raises(RecordError, match=r"pipe\.hea is missing or not a file"):
        read_record(tmp_path / "pipe.hea")


@pytest.mark.parametrize("name", ["gone.dat", "x" * 300])
def test_a_file_that_cannot_be_there(tmp_path: Path, name: str) -> None:
    made(tmp_path, file=name)
    with pytest.raises(
        RecordError, match=rf"{name}, which .*r\.hea names, is missing; put it there or correct the header"
    ):
        read_record(tmp_path / "r")


def test_links_in_a_circle(tmp_path: Path) -> None:
    signal_file = made(tmp_path)
    signal_file.unlink()
    signal_file.symlink_to("r.dat")
    with pytest.raises(RecordError, match=r"r\.dat, which .*r\.hea names, is missing"):
        read_record(tmp_path / "r")


def test_a_header_and_its_files_may_be_linked_together(tmp_path: Path) -> None:
    made(tmp_path / "data")
    (tmp_path / "chosen").mkdir()
    for name in ("r.hea", "r.dat"):
        (tmp_path / "chosen" / name).symlink_to(tmp_path / "data" / name)
    assert read_record(tmp_path / "chosen/r").digest == read_record(tmp_path / "data/r").digest


def test_where_links_cannot_be_made_files_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path)
    expected = read_record(tmp_path / "r").digest

    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    assert read_record(tmp_path / "r").digest == expected


def group(code: int, *per_frame: int, offset: int = 0) -> list[Signal]:
    lines = "\n".join(f"r.dat {code}x{each}+{offset}" for each in per_frame)
    return list(parse_header(f"r {len(per_frame)} 250 1\n{lines}", Path("r.hea")).signals)


@pytest.mark.parametrize(
    ("code", "size", "frames"),
    [
        (8, 7, 7), (80, 7, 7), (16, 7, 3), (61, 8, 4), (160, 9, 4), (24, 8, 2), (32, 11, 2), (212, 2, 1), (212, 3, 2),
        (212, 4, 2), (212, 5, 3), (310, 2, 1), (310, 3, 1), (310, 4, 3), (310, 6, 4), (310, 7, 4), (310, 8, 6),
        (311, 2, 1), (311, 3, 2), (311, 4, 3), (311, 6, 4), (311, 7, 5),
    ],
)  # fmt: skip
def test_how_much_a_file_holds(tmp_path: Path, code: int, size: int, frames: int) -> None:
    path = tmp_path / "r.dat"
    path.write_bytes(bytes(size))
    assert count_frames(path, group(code, 1)) == frames


@pytest.mark.parametrize(
    ("per_frame", "offset", "frames"), [((1, 1), 0, 10), ((4, 1), 0, 4), ((3,), 10, 5), ((1,), 99, 0)]
)
def test_frames_and_offset_count(tmp_path: Path, per_frame: tuple[int, ...], offset: int, frames: int) -> None:
    path = tmp_path / "r.dat"
    path.write_bytes(bytes(40))
    assert count_frames(path, group(16, *per_frame, offset=offset)) == frames


CODES = {"d0": 8, "d1": 16, "d2": 61, "d3": 80, "d4": 160, "d5": 212, "d6": 310, "d7": 311, "d8": 24, "d9": 32}


@pytest.mark.parametrize("suffix", CODES)
def test_a_file_that_is_too_short_in_every_format(record_folder: Path, tmp_path: Path, suffix: str) -> None:
    content = (record_folder / f"formats/binformats.{suffix}").read_bytes()
    (tmp_path / "r.hea").write_text(f"r 1 200 499\nr.{suffix} {CODES[suffix]}\n")
    (tmp_path / f"r.{suffix}").write_bytes(content)
    assert len(read_record(tmp_path / "r").signals) == 499
    (tmp_path / f"r.{suffix}").write_bytes(content[:-1])
    message = (
        rf"r\.{suffix} holds 498 samples a signal of the 499 that .*r\.hea promises; get the whole file or correct"
    )
    with pytest.raises(RecordError, match=message):
        read_record(tmp_path / "r")


def test_the_shortest_file_ends_a_record_of_open_length(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "r.hea").write_text("r 2 250\nr.dat 16\ns.dat 16\n")
    (tmp_path / "s.dat").write_bytes(bytes(6))
    assert read_record(tmp_path / "r").signals.shape == (3, 2)


def test_two_formats_in_one_file_and_a_file_in_two_places(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "r.hea").write_text("r 2 250 5\nr.dat 16\nr.dat 212\n")
    with pytest.raises(RecordError, match=r"r\.hea gives r\.dat the formats 16 and 212; a file has one: correct"):
        read_record(tmp_path / "r")
    (tmp_path / "r.hea").write_text("r 3 250 5\nr.dat 16\ns.dat 16\nr.dat 16\n")
    with pytest.raises(RecordError, match=r"r\.hea lists the signals of r\.dat in two places; put its lines together"):
        read_record(tmp_path / "r")


@pytest.fixture
def flac(record_folder: Path, tmp_path: Path) -> Path:
    """A copy of flacformats, whose three files have 499 samples each."""
    for path in (record_folder / "formats").glob("flacformats.*"):
        shutil.copyfile(path, tmp_path / path.name)
    return tmp_path / "flacformats"


def edit(flac: Path, old: str, new: str) -> None:
    header = flac.with_suffix(".hea")
    header.write_text(header.read_text().replace(old, new))


def test_flac_without_a_length(flac: Path) -> None:
    expected = read_record(flac)
    edit(flac, "200 499", "200")
    assert read_record(flac).digest == expected.digest


def test_flac_with_several_samples_a_frame(record_folder: Path, tmp_path: Path) -> None:
    for path in (record_folder / "formats").glob("mixedsignals*"):
        shutil.copyfile(path, tmp_path / path.name)
    expected = read_record(tmp_path / "mixedsignals")
    edit(tmp_path / "mixedsignals", " 14400", "")
    assert read_record(tmp_path / "mixedsignals").digest == expected.digest


def test_flac_with_a_skew(flac: Path) -> None:
    expected = read_record(flac).signals
    edit(flac, "d1 516", "d1 516:9")
    signals = read_record(flac).signals
    np.testing.assert_array_equal(signals[:-9, 1], expected[9:, 1])
    assert np.isnan(signals[-9:, 1]).all()


def test_flac_with_an_offset(flac: Path) -> None:
    expected = read_record(flac).signals
    edit(flac, "200 499", "200")
    for code in (508, 516, 524):
        edit(flac, f" {code} ", f" {code}+99 ")
    np.testing.assert_array_equal(read_record(flac).signals, expected[99:])


def test_flac_that_is_too_short(flac: Path) -> None:
    edit(flac, "200 499", "200 500")
    with pytest.raises(RecordError, match=r"flacformats\.d0 holds 499 samples a signal of the 500 that"):
        read_record(flac)


def test_what_is_no_flac(flac: Path) -> None:
    flac.with_suffix(".d1").write_bytes(b"RIFF" + bytes(2000))
    with pytest.raises(
        RecordError, match=r"flacformats\.d1 is not a FLAC file, which format 516 is; correct the format"
    ):
        read_record(flac)


@pytest.mark.parametrize("keep", [60, 200])
def test_a_damaged_flac_is_told_by_its_own_name(flac: Path, keep: int) -> None:
    path = flac.with_suffix(".d1")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(
        RecordError, match=r"flacformats\.hea: cannot decode flacformats\.d0, .*; get the files anew"
    ) as got:
        read_record(flac)
    assert "ecgvec-" not in str(got.value)
    assert "\n" not in str(got.value)
    assert got.value.__cause__ is not None


def test_flac_files_of_other_channels_or_resolution(flac: Path) -> None:
    edit(flac, "flacformats.d2 524", "flacformats.d2 516")
    with pytest.raises(
        RecordError, match=r"cannot decode .* \(wrong resolution in flacformats\.d2 \(24, expected <= 16\)\)"
    ):
        read_record(flac)
