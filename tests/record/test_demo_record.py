"""The demo record: its script makes the committed bytes again, and what they hold reads as a normal 12-lead ECG."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import wfdb
from numpy.typing import NDArray
from scipy.signal import find_peaks

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "demo"
SCRIPT = ROOT / "tools" / "make_demo_record.py"
NAME = "ecgvec-demo"
LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
RATE = 500
ROUNDING = 0.002
"""Two microvolts in mV."""

Signals = dict[str, NDArray[np.float64]]


@pytest.fixture(scope="module")
def signals() -> Signals:
    """The committed record's leads in mV."""
    record = wfdb.rdrecord(str(DEMO / NAME))
    return {name: record.p_signal[:, column] for column, name in enumerate(record.sig_name)}


@pytest.fixture(scope="module")
def beats(signals: Signals) -> NDArray[np.int64]:
    """The R peaks in II, as sample numbers."""
    peaks, _ = find_peaks(signals["II"], height=0.6, distance=RATE // 4)
    return np.asarray(peaks, dtype=np.int64)


@pytest.fixture(scope="module")
def beat(signals: Signals, beats: NDArray[np.int64]) -> Signals:
    """The mean beat of each lead, from 250 ms before R to 450 ms after it, above the level of the PR segment."""
    inside = [peak for peak in beats if peak >= 125 and peak + 225 <= len(signals["II"])]
    means = {
        name: np.mean([lead[peak - 125 : peak + 225] for peak in inside], axis=0) for name, lead in signals.items()
    }
    return {name: mean - mean[99:105].mean() for name, mean in means.items()}


def span(lead: NDArray[np.float64], start: int, end: int) -> NDArray[np.float64]:
    """The part of a mean beat between two times in ms from R."""
    return lead[125 + start // 2 : 125 + end // 2]


def qrs(lead: NDArray[np.float64]) -> tuple[float, float]:
    """The greatest and the least value within the QRS."""
    part = span(lead, -46, 66)
    return float(part.max()), float(part.min())


def test_the_script_makes_the_committed_bytes_again(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(SCRIPT), str(tmp_path)], check=True, capture_output=True)
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == [f"{NAME}.dat", f"{NAME}.hea"]
    for name in made:
        assert (tmp_path / name).read_bytes() == (DEMO / name).read_bytes()


def test_twelve_leads_of_ten_seconds() -> None:
    header = wfdb.rdheader(str(DEMO / NAME))
    assert header.sig_name == LEADS
    assert (header.fs, header.sig_len) == (RATE, 5000)
    assert header.fmt == ["16"] * 12
    assert header.adc_gain == [1000.0] * 12
    assert header.units == ["mV"] * 12


def test_the_header_says_whose_it_is() -> None:
    comments = " ".join(wfdb.rdheader(str(DEMO / NAME)).comments)
    assert "synthesised by tools/make_demo_record.py" in comments
    assert "belongs to no person" in comments


def test_einthoven_and_goldberger(signals: Signals) -> None:
    one, two = signals["I"], signals["II"]
    derived = {"III": two - one, "aVR": -(one + two) / 2, "aVL": one - two / 2, "aVF": two - one / 2}
    for name, expected in derived.items():
        assert np.abs(signals[name] - expected).max() <= ROUNDING, name


def test_sinus_rhythm_that_breathes(beats: NDArray[np.int64]) -> None:
    intervals = np.diff(beats) / RATE
    assert 60 <= 60 / intervals.mean() <= 80
    assert 0.01 <= intervals.std() <= 0.06


def test_p_waves(beat: Signals) -> None:
    for name in ("I", "II", "aVF"):
        assert 0.04 <= span(beat[name], -220, -100).max() <= 0.2, name
    assert span(beat["aVR"], -220, -100).min() <= -0.05


def test_normal_axis(beat: Signals) -> None:
    area_one, area_foot = (span(beat[name], -46, 66).sum() for name in ("I", "aVF"))
    assert 40 <= np.degrees(np.arctan2(area_foot * 2 / np.sqrt(3), area_one)) <= 60


def test_r_grows_across_the_chest(beat: Signals) -> None:
    high = {name: qrs(beat[name])[0] for name in LEADS[6:]}
    low = {name: -qrs(beat[name])[1] for name in LEADS[6:]}
    assert high["V1"] < high["V2"] < high["V3"] < high["V4"]
    assert high["V4"] > high["V5"] > high["V6"]
    assert low["V2"] > low["V3"] > low["V4"] > low["V5"]
    assert all(high[name] < low[name] for name in ("V1", "V2"))
    assert 0.6 <= high["V3"] / low["V3"] <= 1.6
    assert all(high[name] > 3 * low[name] for name in ("V4", "V5", "V6"))


def test_septal_q_at_the_left(beat: Signals) -> None:
    for name in ("I", "V5", "V6"):
        assert -0.15 <= span(beat[name], -46, -8).min() <= -0.03, name


def test_t_waves(beat: Signals) -> None:
    for name in ("I", "II", "V2", "V3", "V4", "V5", "V6"):
        assert 0.1 <= span(beat[name], 200, 360).max() <= 0.6, name
    assert span(beat["aVR"], 200, 360).min() <= -0.1
    assert abs(span(beat["V1"], 200, 360)).max() <= 0.15


def test_it_looks_recorded(signals: Signals, beats: NDArray[np.int64]) -> None:
    """Between T and P there is a few microvolts of noise upon a baseline that strays by less than 0.05 mV."""
    steps = np.arange(60)
    for name, lead in signals.items():
        rests = [lead[peak - 175 : peak - 115] for peak in beats[1:]]
        residues = [rest - np.polyval(np.polyfit(steps, rest, 2), steps) for rest in rests]
        assert 0.002 <= np.std(residues) <= 0.008, name
        assert max(abs(rest.mean()) for rest in rests) <= 0.05, name
