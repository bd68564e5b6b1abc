"""The parser of WFDB headers: what it takes, and what it says of what it does not take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgvec.errors import RecordError
from ecgvec.record.header import Header, Segment, Signal, decode_text, load_header, parse_header

PATH = Path("some.hea")
LINE = "r.dat 16 200(5)/uV 12 3 4 0 0 II"


def parse(text: str) -> Header:
    return parse_header(text, PATH)


def signal(line: str) -> Signal:
    return parse(f"r 1 250 10\n{line}\n").signals[0]


def test_all_fields_of_a_signal_line() -> None:
    assert signal("r.dat 212x4:7+24 -1.5e3(-20)/\u00b5V 12 1024 995 -22131 0 Lead II, chest") == Signal(
        file="r.dat", format=212, per_frame=4, skew=7, offset=24, gain=-1500, baseline=-20, unit="\u00b5V",
        zero=1024, initial=995, name="Lead II, chest",
    )  # fmt: skip


def test_defaults_of_a_signal_line() -> None:
    found = signal("r.dat 16")
    assert (found.gain, found.baseline, found.unit, found.name) == (200, 0, "", "")
    assert (found.per_frame, found.skew, found.offset, found.initial) == (1, 0, 0, 0)


def test_baseline_and_initial_value_default_to_the_adc_zero() -> None:
    found = signal("r.dat 212 200 11 1024")
    assert (found.baseline, found.zero, found.initial) == (1024, 1024, 1024)


@pytest.mark.parametrize(
    ("line", "file", "code"),
    [
        ("a.b c.dat 16 200 12 0 0 0 0 II", "a.b c.dat", 16),
        ("~ 0 200 12 0 0 0 0 II", "~", 0),
        ("\tr.dat   16+24\t1000/mV  16 0 1 2 0  II  ", "r.dat", 16),
    ],
)
def test_names_of_signal_files(line: str, file: str, code: int) -> None:
    assert (signal(line).file, signal(line).format, signal(line).name) == (file, code, "II")


def test_a_signal_name_may_begin_with_a_bracket_and_a_unit_may_lack() -> None:
    found = signal("r.dat 16 1000/ 16 0 0 0 0 (chest) V1")
    assert (found.unit, found.name) == ("", "(chest) V1")


def test_names_and_units_lose_what_cannot_be_printed() -> None:
    found = signal("r.dat 16 200/m\x1bV 12 0 0 0 0 I\u202eI\x07")
    assert (found.unit, found.name) == ("mV", "II")


@pytest.mark.parametrize(
    ("line", "fs", "frames"),
    [
        ("r 1", 250, None),
        ("r 1 360", 360, None),
        ("r 1 360 0", 360, None),
        ("r 1 360 650000", 360, 650000),
        ("r 1 62.4725/999.56 14400", 62.4725, 14400),
        ("r 1 1e3/500(-2.5) 7", 1000, 7),
        ("r 1 125 1000 8:26:04.5 26/10/1994", 125, 1000),
        ("r 1 125 1000 half past eight, 1994-10-26", 125, 1000),
        ("r 1 125 1000 30", 125, 1000),
        ("my rec 1 500 5000 some time", 500, 5000),
        ("my rec 12 1 500 5000 10:00:00 1/1/1990", 500, 5000),
        ("rec 7 7 7 1 500 5000", 500, 5000),
        ("a.b/c 1 500 5000", 500, 5000),
    ],
)
def test_record_lines(line: str, fs: float, frames: int | None) -> None:
    header = parse(f"{line}\n{LINE}\n")
    assert (header.fs, header.frames, len(header.signals)) == (fs, frames, 1)


def test_segments() -> None:
    header = parse("r/3 7 125 2500 8:26:04 26/10/1994\nr layout 0\n~ 500\nr01 2000\n")
    assert header.segments == (Segment("r layout", 0), Segment("~", 500), Segment("r01", 2000))
    assert header.signals == ()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n", "\n \t\n"])
def test_comments_and_blank_lines_may_stand_anywhere(end: str) -> None:
    text = end.join(["# first", "", "r 2 250 10", " # second", LINE, "#Age: 7", LINE, "", "# last\x85 \u00b5", "\x1a"])
    header = parse(text)
    assert len(header.signals) == 2
    assert header.comments == ("first", "second", "Age: 7", "last \u00b5")


def test_comments_stay_out_of_the_repr() -> None:
    assert "Doe" not in repr(parse(f"r 1 250 10\n{LINE}\n# Jane Doe"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_encodings(encoding: str) -> None:
    text = "# d\u00e9but\nr 1 250 10\nr.dat 16 200/\u00b5V 12 0 0 0 0 d\u00e9riv\u00e9e"
    found = parse(decode_text(text.encode(encoding))).signals[0]
    assert (found.unit, found.name) == ("\u00b5V", "d\u00e9riv\u00e9e")


BAD_HEADERS = {
    "": "some.hea is empty: write its record line",
    "# only a comment\n\n": "some.hea is empty: write its record line",
    "Dear colleague, thank you for the tracings.": r"some.hea is not a WFDB header: line 1 \(43 characters\)",
    "\n\u0007\u00ff\u00fe": r"some.hea is not a WFDB header: line 2 .* write 'name signals rate samples'",
    f"r 1 fast 10\n{LINE}": "some.hea is not a WFDB header: line 1",
    f"r 2 250 10\n{LINE}": "some.hea promises 2 signals but has 1 signal lines; correct the number",
    f"r 1 250 10\n{LINE}\n{LINE}": "some.hea promises 1 signals but has 2 signal lines",
    "r/2 1 250 10\nr1 10": "some.hea promises 2 segments but has 1 segment lines",
    "r 0 250 10": "some.hea has 0 signals in its record line",
    "r -1 250 10": "some.hea has -1 signals in its record line",
    "r/0 1 250 10": "some.hea has 0 segments in its record line",
    f"r 1 0 10\n{LINE}": "some.hea gives a sampling rate of 0; write the true rate",
    f"r 1 -360 10\n{LINE}": "some.hea gives a sampling rate of -360; write",
    f"r 1 NaN 10\n{LINE}": "some.hea gives a sampling rate of NaN; write",
    f"r 1 inf 10\n{LINE}": "some.hea gives a sampling rate of inf; write",
    f"r 1 250 -10\n{LINE}": "some.hea promises -10 samples a signal; write",
    "r 1 250 10\nr.dat 17 200 12 0 0 0 0 II": "some.hea, line 2: signal format 17 is unknown; convert .* 8, 16, 24",
    "r 1 250 10\n\nr.dat 162x4 200 12 0 0 0 0 II": "some.hea, line 3: signal format 162 is unknown",
    "r 1 250 10\nr.dat 16x0 200": "some.hea, line 2: 0 samples a frame in '16x0'; write their true number",
    "r 1 250 10\nr.dat": "some.hea, line 2 .* is no signal line; write 'file format gain",
    "r 1 250 10\nr.dat 0 200 12 0 0 0 0 II": "some.hea, line 2: signal format 0 is unknown",
    "r 2 1 1\nr.dat 16": "some.hea promises 2 signals but has 1 signal lines",
    "r 1 250 10\nr.dat 16 1000 /uV 16 0 0 0 0 II": "some.hea, line 2 .* is no signal line",
    "r 1 250 10\nr.dat 16 1000 (5)/uV 16 0 0 0 0 II": "some.hea, line 2 .* is no signal line",
    "r 1 250 10\nr.dat 16 nan(0)/mV 16 0 0 0 0 II": "some.hea, line 2: a gain of nan; write the gain",
    "r/1 1 250 10\nr1": "some.hea, line 2 .* is no segment line; write 'name samples'",
}


@pytest.mark.parametrize(("text", "message"), BAD_HEADERS.items())
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(RecordError) as raised:
        parse(text)
    assert re.match(message, str(raised.value))
    assert "\n" not in str(raised.value)


def test_a_line_that_is_not_understood_is_not_quoted() -> None:
    with pytest.raises(RecordError) as raised:
        parse("Patient: Jane Doe, born 1 May 1950")
    assert "Doe" not in str(raised.value)


@pytest.mark.parametrize("content", [b"r 1 250\0", bytes(range(256)), "r 1 250 10".encode("utf-16")])
def test_a_binary_file_is_no_header(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.hea"
    path.write_bytes(content)
    with pytest.raises(
        RecordError, match=rf"r\.hea \({len(content)} bytes\) is not text; a WFDB header is a text file"
    ):
        load_header(path)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "r.hea"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(RecordError, match=r"r\.hea \(1099511627776 bytes\) is not text"):
        load_header(path)


@pytest.mark.parametrize("name", ["missing.hea", "", "x" * 300 + ".hea"])
def test_a_missing_header(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordError, match=r"is missing or not a file|cannot be read"):
        load_header(tmp_path / name)


@pytest.mark.parametrize(
    "text", ["x" + " 1" * 200_000 + " /", "r 1 250 10\nx" + " 16 1 /" * 100_000, " " * 10**6 + "x"]
)
def test_long_lines_take_no_time(text: str) -> None:
    with pytest.raises(RecordError):
        parse(text)


WORDS = "r r/2 r.dat ~ 1 2 -1 0 250 1e3 1e999 16 212x2:3+4 17 200(0)/mV /mV (5) II nan 99999999999999999999 # 10:00:00"
TOKENS = st.sampled_from([*WORDS.split(), "1/1/1990", "\u0661", "\x00"])
TEXTS = st.lists(st.lists(TOKENS, max_size=9).map(" ".join), max_size=4).map("\n".join)


@given(st.one_of(st.text(), TEXTS))
def test_any_text_is_a_header_or_an_error(text: str) -> None:
    try:
        header = parse(text)
    except RecordError as error:
        assert str(error).startswith("some.hea")
    else:
        assert header.fs > 0
        assert bool(header.signals) != bool(header.segments)
