"""The format ``wfdb``, read back by the wfdb package and by ecgvec itself."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wfdb
from numpy.typing import NDArray

import ecgvec
from ecgvec.errors import RecordError
from ecgvec.export.formats import FORMATS
from ecgvec.export.wfdb import digitise, mask_unplotted, record_name, window_signals
from ecgvec.planning.make import LARGEST_MV
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.leads import STANDARD_12
from ecgvec.record.model import Lead, Record
from ecgvec.record.read import read_record
from ecgvec.sheet import Sheet

HALF_MICROVOLT = 0.0005 + 1e-9


# Pixels and lead names are of no account here, and cost most of the time.
QUICK = {"page.dpi": 50, "page.lead_names": "none"}


def rendered(record: Record, masked: bool = False, window: int = 0, **overrides: Any) -> Sheet:
    keys = {key.replace("__", "."): value for key, value in overrides.items()}
    recipe = load_recipe("clean", {"output.mask_unplotted": masked, **QUICK, **keys})
    return ecgvec.render(record, recipe, window=window)


def written(sheet: Sheet, folder: Path) -> wfdb.Record:
    """The sheet's record, saved and read back, whose checksums and first values have been checked."""
    saved = sheet.save(folder, ["wfdb"])
    assert sorted(path.suffix for path in saved) == [".dat", ".hea"]
    path = str(saved[0].with_suffix(""))
    digital: Any = wfdb.rdrecord(path, physical=False)
    for column, checksum in enumerate(digital.checksum):
        assert (int(digital.d_signal[:, column].sum()) - checksum) % 65536 == 0
        assert -(2**15) <= checksum < 2**15
        assert digital.d_signal[0, column] == digital.init_value[column]
    return wfdb.rdrecord(path)


def made(signals: NDArray[np.float64], names: tuple[str, ...] = ("I", "II"), fs: float = 250.0) -> Record:
    return Record("r", fs, signals, tuple(Lead(name, name) for name in names))


def plotted(sheet: Sheet, lead: str) -> NDArray[np.bool_]:
    """Which samples of the window have a place on the page."""
    found = np.zeros(sheet.plan.window.count, dtype=bool)
    for trace in sheet.labels.traces:
        if trace.lead == lead:
            indices = np.round(trace.t * trace.fs).astype(int) - sheet.plan.window.first
            found[indices] = True
    return found


# ---------------------------------------------------------------- what is written


def test_the_whole_window(demo_record: Record, tmp_path: Path) -> None:
    sheet = rendered(demo_record)
    record = written(sheet, tmp_path)
    assert (record.fs, record.sig_len, record.n_sig) == (500, 5000, 12)
    assert tuple(record.sig_name) == STANDARD_12
    assert set(record.units) == {"mV"}
    assert set(record.fmt) == {"16"}
    np.testing.assert_allclose(record.p_signal, demo_record.signals, rtol=0, atol=HALF_MICROVOLT)
    assert (tmp_path / "wfdb/ecgvec-demo-0.hea").is_file()
    assert record.comments == ["Image: ecgvec-demo-0.png"]
    text = (tmp_path / "wfdb/ecgvec-demo-0.hea").read_text()
    assert text.splitlines()[13:] == ["# Image: ecgvec-demo-0.png"]


def test_what_is_plotted_and_nothing_else(demo_record: Record, tmp_path: Path) -> None:
    sheet = rendered(demo_record, masked=True)
    record = written(sheet, tmp_path)
    for column, lead in enumerate(STANDARD_12):
        values = record.p_signal[:, column]
        start, stop = (0, 5000) if lead == "II" else (1250 * (column // 3), 1250 * (column // 3) + 1250)
        assert np.flatnonzero(np.isfinite(values)).tolist() == list(range(start, stop))
        np.testing.assert_array_equal(np.isfinite(values), plotted(sheet, lead))
        np.testing.assert_allclose(
            values[start:stop], demo_record.signals[start:stop, column], rtol=0, atol=HALF_MICROVOLT
        )


@pytest.mark.parametrize(
    ("name", "window"),
    [
        ("chapman/JS00001", 0), ("georgia/E07500", 0), ("ptbxl_100hz/00001_lr", 0), ("ptb_15lead/s0010_re", 2),
        ("mitdb_2lead/100", 11), ("cpsc2021_2lead/data_8_4", 1), ("formats/a103l", 3), ("formats/test01_00s", 0),
        ("formats/test01_00s_skew", 0), ("formats/test01_00s_frame", 0), ("formats/mixedsignals", 3),
        ("formats/binformats", 0), ("formats/flacformats", 0), ("formats/100_3chan", 0), ("formats/041s/041s", 0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("masked", [False, True])
def test_any_source(record_folder: Path, tmp_path: Path, name: str, window: int, masked: bool) -> None:
    source = read_record(record_folder / name)
    peaks = zip(source.lead_names, np.nanmax(np.abs(source.signals), axis=0), strict=True)
    leads = tuple(lead for lead, peak in peaks if peak <= LARGEST_MV)
    sheet = rendered(source, masked, window, page__seconds=2, record__leads=leads)
    record = written(sheet, tmp_path)
    first, count = sheet.plan.window.first, sheet.plan.window.count
    assert record.fs == pytest.approx(source.fs, rel=1e-12)
    assert set(record.sig_name) == {panel.lead for panel in sheet.layout.panels}
    for lead, values in zip(record.sig_name, record.p_signal.T, strict=True):
        expected = source.signals[first : first + count, source.index(lead)].copy()
        if masked:
            expected[~plotted(sheet, lead)] = np.nan
        np.testing.assert_allclose(values, expected, rtol=0, atol=HALF_MICROVOLT)
        assert np.isfinite(values).any()


def test_a_lead_in_two_places_is_one_lead(demo_record: Record, tmp_path: Path) -> None:
    record = written(rendered(demo_record, masked=True, layout__rhythm="V1"), tmp_path)
    finite = dict(zip(record.sig_name, np.isfinite(record.p_signal).sum(axis=0).tolist(), strict=True))
    assert (finite["V1"], finite["II"], len(finite)) == (5000, 1250, 12)


def test_leads_that_are_not_on_the_page_stay_out(demo_record: Record, tmp_path: Path) -> None:
    record = written(rendered(demo_record, record__leads=("V2", "aVR", "I")), tmp_path)
    assert record.sig_name == ["V2", "aVR", "I"]
    np.testing.assert_allclose(record.p_signal[:, 1], demo_record.signals[:, 3], rtol=0, atol=HALF_MICROVOLT)


def test_an_inverted_lead_is_written_as_recorded(demo_record: Record, tmp_path: Path) -> None:
    record = written(rendered(demo_record, masked=True, page__cabrera=True), tmp_path)
    values = record.p_signal[:, record.sig_name.index("aVR")]
    seen = np.isfinite(values)
    assert seen.sum() == 1250
    np.testing.assert_allclose(values[seen], demo_record.signals[seen, 3], rtol=0, atol=HALF_MICROVOLT)


def test_a_crop_takes_nothing_off_the_truth(demo_record: Record) -> None:
    cropped, whole = rendered(demo_record, True, page__crop=0.2), rendered(demo_record, True)
    assert not all(trace.visible.all() for trace in cropped.labels.traces)
    np.testing.assert_array_equal(mask_unplotted(cropped)[0], mask_unplotted(whole)[0])


def test_gaps_are_no_values(tmp_path: Path) -> None:
    signals = np.random.default_rng(1).normal(size=(2500, 2))
    signals[100:200, 0] = np.nan
    signals[:, 1][:1] = np.nan
    record = written(rendered(made(signals)), tmp_path)
    np.testing.assert_array_equal(np.isnan(record.p_signal), np.isnan(signals))


def test_a_lead_without_a_value_and_a_page_without_one(tmp_path: Path) -> None:
    signals = np.ones((7500, 2))
    signals[2500:5000, 0] = np.nan
    signals[5000:] = np.nan
    record = written(rendered(made(signals), window=1), tmp_path)
    assert np.isnan(record.p_signal[:, 0]).all()
    assert (record.p_signal[:, 1] == 1).all()
    assert rendered(made(signals), window=2).save(tmp_path / "empty", ["wfdb"]) == []


@pytest.mark.parametrize("fs", [62.4725, 999.56, 360, 1e4 / 3, 8.192e2])
def test_any_rate(tmp_path: Path, fs: float) -> None:
    signals = np.resize(np.linspace(-1, 1, 100), (round(12 * fs), 1))
    assert written(rendered(made(signals, ("II",), fs)), tmp_path).fs == fs


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("low", "high", "code"),
    [(-3, 3, 16), (-32.767, 32.767, 16), (400, 460, 16), (-32.768, 32.768, 24), (-900, 900, 24), (-8000, 9000, 32)],
)
def test_the_narrowest_format_that_holds_all(tmp_path: Path, low: float, high: float, code: int) -> None:
    signals = np.random.default_rng(2).uniform(low, high, (1000, 2))
    signals[:2, 0], signals[5, 1] = (low, high), np.nan
    digits, baselines, chosen = digitise(signals)
    assert chosen == code
    back = (digits - np.array(baselines)) / 1000
    lowest = -(2 ** (chosen - 1))
    np.testing.assert_array_equal(digits == lowest, np.isnan(signals))
    finite = np.isfinite(signals)
    assert np.abs(back - signals)[finite].max() <= HALF_MICROVOLT
    assert digits.max() <= -lowest - 1
    if max(-low, high) <= 1000:  # what is drawn at all
        record = written(rendered(made(np.resize(signals, (2500, 2)))), tmp_path)
        assert set(record.fmt) == {str(code)}
        np.testing.assert_allclose(record.p_signal, np.resize(signals, (2500, 2)), rtol=0, atol=HALF_MICROVOLT)


def test_what_no_format_holds() -> None:
    with pytest.raises(RecordError, match=r"a lead reaches 3000000 mV, too much for WFDB's formats: mend its gain"):
        digitise(np.array([[-3e6], [3e6]]))


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("name", ["a.b", "a b", "Łukasz", "x#1", "r(2)", "a/b"])
def test_names_that_wfdb_refuses(demo_record: Record, tmp_path: Path, name: str) -> None:
    record = dataclasses.replace(demo_record, name=name.replace("/", "|"))
    read = written(rendered(record), tmp_path)
    np.testing.assert_allclose(read.p_signal, demo_record.signals, rtol=0, atol=HALF_MICROVOLT)
    (header,) = (tmp_path / "wfdb").glob("*.hea")
    assert header.read_text(encoding="utf-8").splitlines()[-1] == f"# Image: {name.replace('/', '|')}-0.png"


def test_names_stay_apart() -> None:
    names = ["a.b-0", "a b-0", "a_b-0", "a-b-0", "ä_b-0", "ö_b-0", "HR06000-0"]
    assert len({record_name(name) for name in names}) == len(names)
    assert record_name("a_b-0") == "a_b-0"
    assert record_name("HR06000-0") == "HR06000-0"
    assert all(record_name(name).isascii() for name in names)


def test_folders_are_kept_and_a_name_cannot_break_the_header(demo_record: Record) -> None:
    files = FORMATS.get("wfdb").files(rendered(demo_record), "ward 1.b/x\ny.z-0")
    assert {path.rsplit("/", 1)[0] for path in files} == {"wfdb/ward 1.b"}
    header = next(content for path, content in files.items() if path.endswith(".hea")).decode()
    assert header.splitlines()[-1] == "# Image: x_y.z-0.png"
    assert len(header.splitlines()) == 14


def test_lead_names_of_any_kind(tmp_path: Path) -> None:
    names = ("EKG é", "V1 (2)", "a#b", "Lead", "x\u2028y")
    signals = np.random.default_rng(1).normal(size=(2500, 5))
    record = written(rendered(made(signals, names)), tmp_path)
    assert record.sig_name == ["EKG _", "V1 (2)", "a_b", "Lead", "x_y"]


def test_ecgvec_reads_what_it_wrote(demo_record: Record, tmp_path: Path) -> None:
    (hea, *_) = (path for path in rendered(demo_record, True).save(tmp_path, ["wfdb"]) if path.suffix == ".hea")
    record = read_record(hea)
    assert record.lead_names == STANDARD_12
    expected, leads = mask_unplotted(rendered(demo_record, True))
    assert leads == window_signals(rendered(demo_record))[1]
    np.testing.assert_allclose(record.signals, expected, rtol=0, atol=HALF_MICROVOLT)
