"""read_record: records of every format, and made ones for every corner of units, time bases and segments."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wfdb

from ecgvec.errors import RecordError
from ecgvec.record.leads import STANDARD_12
from ecgvec.record.model import Record, Subject
from ecgvec.record.read import read_record

FOLDERS = {
    "ptbxl_500hz": "HR06000 HR06001 HR06002 HR06003 HR06004",
    "georgia": "E07500 E07501 E07502 E07503 E07504 E07505",
    "chapman": "JS00001 JS20000 JS20001 JS20002 JS20003 JS20004 JS20005",
    "ptbxl_100hz": "00001_lr",
    "ptb_15lead": "s0010_re",
    "mitdb_2lead": "100",
    "cpsc2021_2lead": "data_8_4 data_92_12",
    "formats": "a103l mixedsignals test01_00s test01_00s_skew test01_00s_frame 100_3chan binformats flacformats",
    "formats/041s": "041s 041s01 041s02",
}
NAMES = [f"{folder}/{name}" for folder, names in FOLDERS.items() for name in names.split()]
UNREADABLE = "formats/100skew"


def test_no_record_is_forgotten(record_folder: Path) -> None:
    found = {str(path.relative_to(record_folder).with_suffix("")) for path in record_folder.rglob("*.hea")}
    assert found == {*NAMES, UNREADABLE}


@pytest.mark.parametrize("name", NAMES)
def test_samples_are_those_that_wfdb_reads(record_folder: Path, name: str) -> None:
    path = record_folder / name
    record, expected = read_record(path), wfdb.rdrecord(str(path), smooth_frames=False)
    assert record.name == path.name
    steps_of_all = set()
    for column, lead in enumerate(record.leads):
        channel = expected.sig_name.index(lead.original)
        steps, rest = divmod(len(record.signals), len(expected.e_p_signal[channel]))
        assert rest == 0
        assert expected.units[channel].lower() == "mv"
        np.testing.assert_array_equal(record.signals[::steps, column], expected.e_p_signal[channel])
        assert record.fs == pytest.approx(expected.fs * expected.samps_per_frame[channel] * steps, rel=1e-12)
        steps_of_all.add(steps)
    assert min(steps_of_all) == 1


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("041s")])
def test_samples_agree_with_the_checksums_of_the_header(record_folder: Path, name: str) -> None:
    path = record_folder / name
    record, header = read_record(path), wfdb.rdheader(str(path))
    for column, lead in enumerate(record.leads):
        channel = header.sig_name.index(lead.original)
        values = record.signals[:, column]
        if header.samps_per_frame[channel] * header.sig_len != len(values) or np.isnan(values).any():
            continue  # interpolated, or with invalid samples, whose codes are in the sum
        digital = np.rint(values * header.adc_gain[channel] + header.baseline[channel]).astype(np.int64)
        assert (int(digital.sum()) - header.checksum[channel]) % 65536 == 0
        assert digital[0] == header.init_value[channel]


def test_the_ten_binary_formats(record_folder: Path) -> None:
    record = read_record(record_folder / "formats/binformats")
    assert record.signals.shape == (499, 10)
    assert " ".join(name.split()[-1] for name in record.lead_names) == "8 16 61 80 160 212 310 311 24 32"
    assert not record.empty_leads


def test_names_and_subjects(record_folder: Path) -> None:
    twelve = read_record(record_folder / "georgia/E07503")
    assert twelve.lead_names == STANDARD_12
    assert twelve.subject == Subject(77, "female", ("253352002", "427084000"))
    assert (twelve.fs, twelve.duration, twelve.messages) == (500, 10, ())
    fifteen = read_record(record_folder / "ptb_15lead/s0010_re")
    assert fifteen.lead_names == (*STANDARD_12, "X", "Y", "Z")
    assert [lead.original for lead in fifteen.leads][3:6] == ["avr", "avl", "avf"]
    assert fifteen.subject == Subject(81, "female")
    assert read_record(record_folder / "mitdb_2lead/100").lead_names == ("II", "V5")


def test_what_is_left_out_is_said(record_folder: Path) -> None:
    record = read_record(record_folder / "formats/041s/041s")
    assert record.lead_names == ("III", "I", "V")
    assert (record.fs, record.duration) == (500, 16)
    assert record.messages == (
        "Channel 'ABP' is left out: its unit 'mmHg' is not a voltage.",
        "Channel 'PAP' is left out: its unit 'mmHg' is not a voltage.",
        "Channel 'PLETH' is left out: its name is that of another kind of signal.",
        "Channel 'RESP' is left out: its name is that of another kind of signal.",
    )


def test_skew_moves_a_lead_to_the_left(record_folder: Path) -> None:
    plain = read_record(record_folder / "formats/test01_00s").signals
    skewed = read_record(record_folder / "formats/test01_00s_skew").signals
    np.testing.assert_array_equal(skewed[:-3, 1], plain[3:, 1])
    assert np.isnan(skewed[-3:, 1]).all()
    np.testing.assert_array_equal(skewed[:, [0, 2, 3]], plain[:, [0, 2, 3]])


def test_a_missing_signal_file_is_named(record_folder: Path) -> None:
    with pytest.raises(RecordError, match=r"100\.dat, which .*100skew\.hea names, is missing; put it there or"):
        read_record(record_folder / UNREADABLE)


PERSONAL = ("1990", "Oct", "Myocardial", "Infarction", "mmHg", "140/80", "coronary", "s0010_re.xyz")


def test_nothing_personal_is_left(record_folder: Path) -> None:
    record = read_record(record_folder / "ptb_15lead/s0010_re")
    fields = {field.name: getattr(record, field.name) for field in dataclasses.fields(Record)}
    text = repr(record) + repr({**fields, **vars(record)})
    assert not [word for word in PERSONAL if word.lower() in text.lower()]
    assert set(fields) == {"name", "fs", "signals", "leads", "subject", "messages", "beats"}


def made(folder: Path, lines: str, **files: Any) -> Path:
    """A record 'r' of a header (record line first) and signal files of format 16: name without .dat = samples."""
    (folder / "r.hea").write_text(lines, encoding="utf-8")
    for name, samples in files.items():
        (folder / f"{name}.dat").write_bytes(np.asarray(samples, dtype="<i2").tobytes())
    return folder / "r"


@pytest.mark.parametrize(
    ("calibration", "millivolts"),
    [
        ("200/mV", [0.5, -1]), ("200", [0.5, -1]), ("200/mv", [0.5, -1]), ("0.2/uV", [0.5, -1]), ("2e5/V", [0.5, -1]),
        ("0.2/\u00b5V", [0.5, -1]), ("-200/mV", [-0.5, 1]), ("200(-100)/mV", [1, -0.5]), ("1e-320/mV", [np.nan] * 2),
    ],
)  # fmt: skip
def test_gain_baseline_and_unit(tmp_path: Path, calibration: str, millivolts: list[float]) -> None:
    record = read_record(made(tmp_path, f"r 1 250 2\nr.dat 16 {calibration} 16 0 0 0 0 II", r=[100, -200]))
    np.testing.assert_allclose(record.signals[:, 0], millivolts, rtol=1e-15)


def test_a_gap_is_nan_and_an_empty_lead_no_error(tmp_path: Path) -> None:
    lines = "r 3 250 3\nr.dat 16 100 16 0 0 0 0 I\nr.dat 16 100 16 0 0 0 0 II\n~ 0 100 16 0 0 0 0 V1"
    record = read_record(made(tmp_path, lines, r=[1, -32768, -32768, -32768, 3, -32768]))
    nan = np.nan
    np.testing.assert_array_equal(record.signals, [[0.01, nan, nan], [nan, nan, nan], [0.03, nan, nan]])
    assert record.empty_leads == ("II", "V1")


def test_leads_that_wfdb_wrote_come_back(tmp_path: Path) -> None:
    signals = np.random.default_rng(3).normal(size=(1000, 2))
    signals[100:200, 0] = np.nan
    wfdb.wrsamp("w", fs=500, units=["mV", "uV"], sig_name=["I", "aVR"], p_signal=signals * [1, 1000], fmt=["24", "32"],
                write_dir=str(tmp_path), base_date=None)  # fmt: skip
    np.testing.assert_allclose(read_record(tmp_path / "w").signals, signals, rtol=0, atol=1e-6)


def test_two_leads_of_one_name(tmp_path: Path) -> None:
    names = ["II", "MLII", "II", "ECG", "ECG", "", ""]
    lines = [f"r.dat 16 200 16 0 0 0 0 {name}" for name in names]
    record = read_record(made(tmp_path, "\n".join([f"r {len(names)} 250 1", *lines]), r=range(len(names))))
    assert record.lead_names == ("II", "MLII", "II (2)", "ECG", "ECG (2)", "signal 6", "signal 7")
    assert [lead.original for lead in record.leads][:5] == names[:5]
    np.testing.assert_array_equal(record.signals[0] * 200, range(len(names)))
    assert record.messages == (
        "A lead II comes before channel 'MLII', which goes by 'MLII'.",
        "A lead II comes before channel 'II', which goes by 'II (2)'.",
        "A lead ECG comes before channel 'ECG', which goes by 'ECG (2)'.",
    )


def test_a_slower_lead_is_drawn_between_its_samples(tmp_path: Path) -> None:
    # Frames of three samples of I, two of II and one of a channel that is no ECG, which sets no time base.
    lines = "r 3 100 4\nr.dat 16x3 100 16 0 0 0 0 I\nr.dat 16x2 100 16 0 0 0 0 II\nr.dat 16 1/% 16 0 0 0 0 SpO2"
    gap = -32768
    frames = [[1, 2, 3, 0, 300, 9], [4, 5, 6, gap, 600, 9], [7, 8, 9, 0, 300, 9], [1, 2, 3, 0, 3, 9]]
    record = read_record(made(tmp_path, lines, r=frames))
    nan = np.nan
    assert (record.fs, record.duration) == (600, 0.04)
    second = [0, 1, 2, 3, nan, nan, nan, nan, nan, 6, 4, 2, 0, 1, 2, 3, 2, 1, 0, 0.01, 0.02, 0.03, nan, nan]
    np.testing.assert_allclose(record.signals[:, 1], second, rtol=0, atol=1e-15)
    first = [0.01, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04, 0.045, 0.05]
    np.testing.assert_allclose(record.signals[:9, 0], first, rtol=0, atol=1e-15)
    assert record.messages == (
        "Channel 'SpO2' is left out: its unit '%' is not a voltage.",
        "Lead I has 3 of every 6 samples; the others are interpolated linearly.",
        "Lead II has 2 of every 6 samples; the others are interpolated linearly.",
    )


def test_skew_counts_frames(tmp_path: Path) -> None:
    lines = "r 2 100 3\nr.dat 16x2:1 1 16 0 0 0 0 I\nr.dat 16x2 1 16 0 0 0 0 II"
    record = read_record(made(tmp_path, lines, r=range(12)))
    np.testing.assert_array_equal(record.signals[:, 0], [4, 5, 8, 9, np.nan, np.nan])
    np.testing.assert_array_equal(record.signals[:, 1], [2, 3, 6, 7, 10, 11])


@pytest.mark.parametrize("frames", ["", " 0"])
def test_a_length_that_is_left_to_the_file(tmp_path: Path, frames: str) -> None:
    lines = f"r 2 250{frames}\nr.dat 16+2 1 16 0 0 0 0 I\nr.dat 16+2 1 16 0 0 0 0 II"
    record = read_record(made(tmp_path, lines, r=[77, 1, 2, 3, 4, 5]))
    np.testing.assert_array_equal(record.signals, [[1, 2], [3, 4]])


def test_a_record_without_ecg_lists_what_it_has(tmp_path: Path) -> None:
    path = made(tmp_path, "r 2 250 1\nr.dat 16 1/mmHg 16 0 0 0 0 ABP\nr.dat 16 1 16 0 0 0 0 RESP", r=[1, 2])
    with pytest.raises(RecordError) as raised:
        read_record(path)
    assert str(raised.value) == (
        f"{path}.hea holds no ECG channel (ABP: its unit 'mmHg' is not a voltage; RESP: its name is that of another "
        "kind of signal); correct its units or give another record"
    )


def test_an_uncalibrated_lead_is_refused_and_another_channel_does_no_harm(tmp_path: Path) -> None:
    lines = "r 2 250 1\nr.dat 16 {}/mV 16 0 0 0 0 I\nr.dat 16 {}/NU 16 0 0 0 0 Pleth"
    path = made(tmp_path, lines.format(0, 1), r=[1, 2])
    with pytest.raises(
        RecordError, match=r"r\.hea: signal 'I' is uncalibrated \(its gain is 0\); write its gain .* 200"
    ):
        read_record(path)
    assert read_record(made(tmp_path, lines.format(1, 0), r=[1, 2])).signals[0, 0] == 1


@pytest.mark.parametrize("frames", ["", " 0"])
def test_a_record_of_no_samples(tmp_path: Path, frames: str) -> None:
    path = made(tmp_path, f"r 1 250{frames}\nr.dat 16 200 16 0 0 0 0 I", r=[])
    with pytest.raises(RecordError, match=r"r\.hea holds no samples; get its signal files anew"):
        read_record(path)


@pytest.mark.parametrize("line", ["~ 0 200 16 0 0 0 0 I", "r.dat 16x999983 1\nr.dat 16x999979 1"])
def test_a_size_beyond_reason_is_refused_before_memory_is_taken(tmp_path: Path, line: str) -> None:
    count, frames = (1, 10**12) if line.startswith("~") else (2, 2)
    path = made(tmp_path, f"r {count} 250 {frames}\n{line}", r=np.zeros(4 * 10**6))
    with pytest.raises(RecordError, match=r"r\.hea describes \d+ values, and 1073741824 is the limit; cut the record"):
        read_record(path)


def test_a_lead_that_is_called_upside_down_is_not_mistaken_for_one_drawn_so(tmp_path: Path) -> None:
    lines = "r 2 100 20\ns.dat 16 1000/mV 16 0 0 0 0 aVR\ns.dat 16 1000/mV 16 0 0 0 0 -aVR\n"
    record = read_record(made(tmp_path, lines, s=range(40)))
    assert record.lead_names == ("aVR", "\N{MINUS SIGN}aVR")
