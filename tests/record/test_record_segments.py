"""Records of several segments, of fixed and of variable layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecgvec.errors import RecordError
from ecgvec.record.read import read_record
from tests.records import make_variable_layout

NAN = np.nan


def made(folder: Path, main: str, **segments: str) -> Path:
    """A record 'm' of segments, each a header whose signals share NAME.dat, with the samples 0, 1, 2, ..."""
    (folder / "m.hea").write_text(main)
    for name, lines in segments.items():
        (folder / f"{name}.hea").write_text(lines)
        (folder / f"{name}.dat").write_bytes(np.arange(100, dtype="<i2").tobytes())
    return folder / "m"


FIRST = "a 2 100 3\na.dat 16 1 16 0 0 0 0 II\na.dat 16 1 16 0 0 0 0 V"
SECOND = "b 2 100 2\nb.dat 16 0.001/uV 16 0 0 0 0 V\nb.dat 16 1 16 0 0 0 0 I"


def test_channels_are_matched_by_name_and_nan_where_they_lack(tmp_path: Path) -> None:
    record = read_record(made(tmp_path, "m/3 2 100 6\na 3\n~ 1\nb 2\n", a=FIRST, b=SECOND))
    assert record.lead_names == ("II", "V", "I")
    expected = [[0, 1, NAN], [2, 3, NAN], [4, 5, NAN], [NAN] * 3, [NAN, 0, 1], [NAN, 2, 3]]
    np.testing.assert_allclose(record.signals, expected)
    assert (record.name, record.fs) == ("m", 100)


def test_a_layout_gives_the_order_and_leads_that_no_segment_has(tmp_path: Path) -> None:
    layout = "\n".join(["l 4 100 0", *(f"~ 0 1/mV 0 0 0 0 0 {name}" for name in ("I", "V6", "V", "II"))])
    record = read_record(made(tmp_path, "m/3 4 100\nl 0\nb 2\na 3\n", l=layout, a=FIRST, b=SECOND))
    assert record.lead_names == ("I", "V6", "V", "II")
    assert record.empty_leads == ("V6",)
    np.testing.assert_allclose(record.signals[:, 0], [1, 3, NAN, NAN, NAN])


def test_a_variable_layout_is_read_as_wfdb_reads_it(tmp_path: Path) -> None:
    make_variable_layout(tmp_path)
    record, expected = read_record(tmp_path / "varying"), wfdb.rdrecord(str(tmp_path / "varying"))
    assert record.lead_names == tuple(expected.sig_name) == ("I", "II", "V")
    np.testing.assert_array_equal(record.signals, expected.p_signal)
    assert np.isnan(record.signals).mean(axis=0) == pytest.approx([0.5, 0.1, 0.6])


def test_a_layout_opens_no_signal_file(tmp_path: Path) -> None:
    layout = "l 1 100 0\nmissing.dat 16 1 0 0 0 0 0 V"
    record = read_record(made(tmp_path, "m/2 2 100\nl 0\na 3\n", l=layout, a=FIRST))
    assert record.lead_names == ("V", "II")


def test_a_null_segment_may_come_first(tmp_path: Path) -> None:
    record = read_record(made(tmp_path, "m/2 2 100 5\n~ 2\na 3\n", a=FIRST))
    np.testing.assert_array_equal(record.signals[:, 0], [NAN, NAN, 0, 2, 4])


def test_a_segment_may_leave_its_length_to_the_record(tmp_path: Path) -> None:
    record = read_record(made(tmp_path, "m/1 2 100\na 3\n", a=FIRST.replace("100 3", "100")))
    np.testing.assert_array_equal(record.signals[:, 0], [0, 2, 4])


def test_segments_at_several_samples_a_frame(tmp_path: Path) -> None:
    first = "a 2 100 2\na.dat 16x2 1 16 0 0 0 0 II\na.dat 16 1 16 0 0 0 0 V"
    record = read_record(made(tmp_path, "m/2 2 100\na 2\n~ 1\n", a=first))
    assert record.fs == 200
    np.testing.assert_array_equal(record.signals, [[0, 2], [1, 3.5], [3, 5], [4, NAN], [NAN, NAN], [NAN, NAN]])


def test_channels_of_one_name_are_matched_in_order(tmp_path: Path) -> None:
    twice = "{0} 2 100 1\n{0}.dat 16 1 16 0 0 0 0 ECG\n{0}.dat 16 1 16 0 0 0 0 ECG"
    record = read_record(made(tmp_path, "m/2 2 100\na 1\nb 1\n", a=twice.format("a"), b=twice.format("b")))
    assert record.lead_names == ("ECG", "ECG (2)")
    np.testing.assert_array_equal(record.signals, [[0, 1], [0, 1]])


def test_names_of_segments_with_blanks_and_dots(tmp_path: Path) -> None:
    path = made(tmp_path, "m/1 2 100\na v1.0 3\n", a=FIRST)
    (tmp_path / "a.hea").rename(tmp_path / "a v1.0.hea")
    assert len(read_record(path).signals) == 3


def test_the_subject_may_stand_in_a_segment(tmp_path: Path) -> None:
    subject = read_record(made(tmp_path, "m/1 2 100\na 3\n# Sex: F", a=FIRST + "\n# Age: 50\n# Sex: M")).subject
    assert (subject.age, subject.sex) == (50, "female")


BAD = {
    "m/1 2 100\nc 3\n": r"c\.hea, which .*m\.hea names, is missing; put it there",
    "m/1 2 100\na 4\n": r"a\.hea has 3 samples a signal, but .*m\.hea 4 in this segment; correct the wrong one",
    "m/1 2 200\na 3\n": r"a\.hea has 100 frames a second, but .*m\.hea 200; correct the wrong one",
    "m/1 2 100\nm 3\n": r"m\.hea names the segment m, which has segments itself; name those instead",
    "m/2 2 100\na 3\nf 3\n": r"m\.hea: 'II' has 1 and 2 samples a frame in different segments; read",
    "m/2 2 100\n~ 3\n~ 4\n": r"m\.hea holds no ECG channel \(no channel at all\)",
    "m/1 2 100\na 0\n": r"m\.hea holds no samples",
    "m/2 1 100\nl 0\n~ 999999999\n": r"m\.hea describes 3999999996 values",
    "m/2 2 100\n~ 99999999999\na 3\n": r"m\.hea describes 100000000002 values, and \d+ is the limit",
}


@pytest.mark.parametrize(("main", "message"), BAD.items())
def test_what_is_wrong_with_segments_is_said(tmp_path: Path, main: str, message: str) -> None:
    layout = "l 4 100\n" + "~ 0\n" * 4
    faster = "f 1 100 3\nf.dat 16x2 1 16 0 0 0 0 II"
    with pytest.raises(RecordError, match=message):
        read_record(made(tmp_path, main, a=FIRST, f=faster, l=layout))
