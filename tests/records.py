"""Synthesised records in every form of WFDB, laid out as the real records of ``shared/records`` are.

The leads are those of the embedded record, cut into whole beats, repeated and stretched, so that no recording of a
person is needed to test how records are read. Folders, names, formats, lengths and what headers say are of the kind of
the real ones: a test that takes the folder as a fixture runs over both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import NDArray
from scipy.signal import find_peaks

from ecgvec.record.leads import STANDARD_12
from ecgvec.record.read import read_record
from ecgvec.resources import folder
from tests.signal_formats import BITS, INVALID, pack, write_flac

TWELVE = {
    "ptbxl_500hz": [f"HR0600{i}" for i in range(5)],
    "georgia": [f"E0750{i}" for i in range(6)],
    "chapman": ["JS00001", *(f"JS2000{i}" for i in range(6))],
    "ptbxl_100hz": ["00001_lr"],
}
"""The records of twelve leads, by folder."""
_FS = 500
_RHYTHM = "NNNNNNANNNNNNNNNVNN"
"""Symbols of the annotated beats, in turn."""
_CLINICAL = """
 age: 81
 sex: female
 ECG date: 01/10/1990
 Diagnose:
 Reason for admission: Myocardial infarction
 Acute infarction (localization): Infero-latera
 Catheterization date: 16-Oct-90
 Hemodynamics: blood pressure 140/80 mmHg, left coronary stenoses"""


@cache
def beats_of_demo() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A whole number of beats of the embedded record, (samples, 12) in mV, and the times of their R peaks in s."""
    signals = read_record(folder("demo") / "ecgvec-demo").signals
    peaks, _ = find_peaks(signals[:, 1], height=0.6, distance=_FS // 4)
    first, last = peaks[0] - _FS // 4, peaks[-1] - _FS // 4
    first = max(first, 0)
    return signals[first:last], (peaks[:-1] - first) / _FS


def synthesise(seconds: float, fs: float, stretch: float = 1.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Twelve leads (samples, 12) in mV, ``stretch`` times as slow as the embedded record, and the R peaks in s."""
    beats, peaks = beats_of_demo()
    period = len(beats) / _FS * stretch
    at = np.arange(round(seconds * fs)) / fs % period / stretch * _FS
    leads = [np.interp(at, np.arange(len(beats) + 1), np.append(lead, lead[0])) for lead in beats.T]
    times = (peaks * stretch + np.arange(0, seconds, period)[:, None]).ravel()
    return np.column_stack(leads), times[times < seconds - 0.1]


@dataclass
class File:
    """A signal file: its format, and its channels, whose values are in the unit of their calibration."""

    name: str
    code: int
    offset: int = 0
    lines: list[str] = field(default_factory=list)
    digital: list[NDArray[np.int64]] = field(default_factory=list)

    def add(
        self,
        name: str,
        values: NDArray[np.float64],
        gain: float = 1000,
        unit: str = "mV",
        per_frame: int = 1,
        zero: int = 0,
        written: str = "",
    ) -> File:
        """One more channel; its line says ``written`` of its calibration, or gain, value at 0 and unit."""  # fmt: skip
        top = 2 ** (BITS[self.code] - 1) - 1
        known = np.clip(np.rint(np.nan_to_num(values) * gain + zero), -top, top)
        digital = np.where(np.isnan(values), INVALID[self.code], known).astype(np.int64)
        layout = f"{self.code}{f'x{per_frame}' if per_frame > 1 else ''}{f'+{self.offset}' if self.offset else ''}"
        total = (int(digital.sum()) + 2**15) % 2**16 - 2**15
        calibration = written or f"{gain:g}({zero})/{unit}"
        self.lines.append(
            f"{self.name} {layout} {calibration} {BITS[self.code]} 0 {digital[0]} {total} 0 {name}".rstrip()
        )
        self.digital.append(digital.reshape(-1, per_frame))
        return self

    def write(self, place: Path) -> list[str]:
        """Write the file; the lines of its signals."""
        if self.code > 500:
            write_flac(place / self.name, self.digital, self.code)
            return self.lines
        content = pack(np.concatenate(self.digital, axis=1), self.code)
        start = matlab_header(len(self.digital), len(self.digital[0])) if self.offset else b""
        (place / self.name).write_bytes(start + content)
        return self.lines


def matlab_header(channels: int, frames: int) -> bytes:
    """The 24 bytes that begin a MATLAB v4 file with the 16-bit matrix ``val``, as the Challenge writes them."""
    return np.array([30, channels, frames, 0, 4], dtype="<i4").tobytes() + b"val\0"


def write_wfdb(place: Path, name: str, rate: str, files: Sequence[File], comments: str = "") -> None:
    """The record ``name`` in the folder ``place``: ``rate`` as it stands in the header, and all frames of the files."""
    place.mkdir(parents=True, exist_ok=True)
    lines = [line for file in files for line in file.write(place)]
    notes = [f"#{line}" for line in comments.strip("\n").splitlines()]
    frames = len(files[0].digital[0])
    (place / f"{name}.hea").write_text("\n".join([f"{name} {len(lines)} {rate} {frames}", *lines, *notes]) + "\n")


def make_records(top: Path) -> Path:
    """Write all records below ``top``, which is returned."""
    for number, (place, names) in enumerate(TWELVE.items()):
        for count, name in enumerate(names):
            make_twelve(top / place, name, number, count)
    make_fifteen(top / "ptb_15lead")
    make_annotated(top / "mitdb_2lead")
    for name, stretch in (("data_8_4", 0.8), ("data_92_12", 1.1)):
        leads = synthesise(20, 200, stretch)[0]
        file = File(f"{name}.dat", 16).add("I", leads[:, 0]).add("II", leads[:, 1])
        write_wfdb(top / "cpsc2021_2lead", name, "200", [file])
    make_formats(top / "formats")
    make_mixed(top / "formats")
    make_other_headers(top / "formats")
    make_segments(top / "formats/041s")
    return top


def make_twelve(place: Path, name: str, number: int, count: int) -> None:
    """A record of twelve leads and 10 s: .mat, but for the one of 100 Hz; each of its own rate and height of waves."""
    fs = 100 if place.name == "ptbxl_100hz" else _FS
    leads = synthesise(10, fs, 0.8 + 0.09 * count)[0] * (0.7 + 0.1 * ((count + 3 * number) % 7))
    plain = fs == 100
    file = File(f"{name}.dat", 16) if plain else File(f"{name}.mat", 16, offset=24)
    unit = "mv" if place.name == "ptbxl_500hz" else "mV"
    for lead, values in zip(STANDARD_12, leads.T, strict=True):
        file.add(lead, values, unit=unit)
    dx = "253352002,427084000" if name == "E07503" else "426783006"
    comments = f" Age: {77 - abs(count - 3)}\n Sex: {'Female' if count % 2 else 'Male'}\n Dx: {dx}\n Rx: Unknown"
    write_wfdb(place, name, str(fs), [file], "" if plain else comments)


def make_fifteen(place: Path) -> None:
    """Twelve leads in lower case in one file and the three of Frank in another, with comments that nobody may see."""
    leads = synthesise(38.4, 1000)[0]
    file, frank = File("s0010_re.dat", 16), File("s0010_re.xyz", 16)
    for lead, values in zip(STANDARD_12, leads.T, strict=True):
        file.add(lead.lower(), values, gain=2000, written="2000")
    for name, column, share in (("vx", 10, 0.9), ("vy", 5, 1.0), ("vz", 7, -0.6)):
        frank.add(name, leads[:, column] * share, gain=2000, written="2000")
    write_wfdb(place, "s0010_re", "1000", [file, frank], _CLINICAL)


def make_annotated(place: Path) -> None:
    """Eighteen minutes of two leads in format 212, and the beats in 100.atr."""
    leads, peaks = synthesise(1080, 360)
    file = File("100.dat", 212)
    for name, column in (("MLII", 1), ("V5", 10)):
        file.add(name, leads[:, column], gain=200, zero=1024, written="200(1024)/mV")
    write_wfdb(place, "100", "360", [file], " 69 M 1085 1629 x1\n Aldomet, Inderal")
    symbols = [_RHYTHM[i % len(_RHYTHM)] for i in range(len(peaks))]
    samples = np.concatenate([[18], np.rint(peaks * 360).astype(int)])
    wfdb.wrann("100", "atr", samples, ["+", *symbols], aux_note=["(N", *[""] * len(peaks)], write_dir=str(place))


def make_formats(place: Path) -> None:
    """``binformats``: a signal file of each binary format; ``flacformats``: of each FLAC format; 499 samples each."""
    leads = synthesise(499 / 200, 200)[0]
    codes = (8, 16, 61, 80, 160, 212, 310, 311, 24, 32)
    files = [
        File(f"binformats.d{i}", code).add(f"sig {i}, fmt {code}", leads[:, i], gain=50 if BITS[code] == 8 else 200)
        for i, code in enumerate(codes)
    ]
    write_wfdb(place, "binformats", "200", files)
    flac = [
        File(f"flacformats.d{i}", code).add(f"sig {i}, fmt {code}", leads[:, i], gain=50 if code == 508 else 200)
        for i, code in enumerate((508, 516, 524))
    ]
    write_wfdb(place, "flacformats", "200", flac)


def make_mixed(place: Path) -> None:
    """``mixedsignals``: FLAC, a rate that is no whole number, several samples a frame, gaps, and other channels.

    ``a103l``: a .mat with a channel that is no ECG.
    """
    frames, rate = 14400, 62.4725
    leads = synthesise(frames / rate, 4 * rate)[0][: 4 * frames, [1, 2, 6]]
    leads[40_000:40_321, 0] = leads[17_600:17_700] = np.nan
    wave = np.sin(np.arange(2 * frames) / 20)
    ecg, pressure, resp = (File(f"mixedsignals_{end}.dat", 516) for end in "epr")
    for name, values in zip(("II", "III", "V"), leads.T, strict=True):
        ecg.add(name, values, gain=200, zero=8192, per_frame=4, written="200(8192)/mV")
    pressure.add("ABP", 80 + 30 * wave, gain=16, zero=800, per_frame=2, unit="mmHg")
    pressure.add("Pleth", wave / 9, gain=4096, per_frame=2, unit="NU")
    resp.add("Resp", wave[:frames], gain=4093, zero=2, unit="Ohm")
    write_wfdb(place, "mixedsignals", "62.4725/999.56", [ecg, pressure, resp])
    other = File("a103l.mat", 16, offset=24)
    more = synthesise(60, 250, 1.2)[0]
    other.add("II", more[:, 1], gain=7247).add("V", more[:, 6], gain=10520)
    other.add("PLETH", np.sin(np.arange(len(more)) / 40), gain=12530, unit="NU")
    write_wfdb(place, "a103l", "250", [other], "Asystole\nFalse alarm")


def make_other_headers(place: Path) -> None:
    """One signal file under three headers: as it is, with a skew, and two samples a frame; an odd number of samples;
    a header whose signal file is missing."""
    leads = synthesise(8, _FS)[0][:, [0, 1, 6, 8]]
    whose = " <age>: 25  <sex>: M  <diagnoses>: (none)  <medications>: (none)"
    plain = File("test01_00s.dat", 16)
    for i, values in enumerate(leads.T):
        plain.add(f"ECG {i + 1}", values, gain=100)
    write_wfdb(place, "test01_00s", "500", [plain], whose)
    skewed = [line.replace(" ECG ", " ECG_") for line in plain.lines]
    skewed[1] = skewed[1].replace(" 16 ", " 16:3 ", 1)
    (place / "test01_00s_skew.hea").write_text("\n".join(["test01_00s_skew 4 500 4000", *skewed, f"#{whose}", ""]))
    joined = File("test01_00s.dat", 16).add("ECG_1", leads[:, 0], gain=100)
    joined.add("ECG_2", leads[:, 1:3].ravel(), gain=100, per_frame=2).add("ECG_3", leads[:, 3], gain=100)
    write_wfdb(place, "test01_00s_frame", "500", [joined], whose)
    odd = File("100_3chan.dat", 212)
    for name, values in zip(STANDARD_12[:3], synthesise(999 / 360, 360)[0].T, strict=False):
        odd.add(name, values, gain=200, zero=1024)
    write_wfdb(place, "100_3chan", "360.0", [odd])
    missing = (
        "100skew 2 360 650000\n100.dat 212 200 11 1024 995 -22131 0 MLII\n100.dat 212:3 200 11 1024 1011 20052 0 V5"
    )
    (place / "100skew.hea").write_text(missing + "\n")


def make_segments(place: Path) -> None:
    """``041s``: two segments of the same seven channels, three of them leads with four samples a frame."""
    leads = synthesise(16, _FS, 0.7)[0][:, [2, 0, 6]]
    wave = np.sin(np.arange(2000) / 20)
    for number in (0, 1):
        name, part = f"041s0{number + 1}", slice(1000 * number, 1000 * number + 1000)
        file = File(f"{name}.dat", 212)
        for lead, values in zip(("III", "I", "V"), leads.T, strict=True):
            file.add(lead, values[4 * part.start : 4 * part.stop], gain=800, per_frame=4, written="800")
        for kind, gain in (("ABP", 20), ("PAP", 80)):
            file.add(kind, (90 if gain == 20 else 25) + 10 * wave[part], gain=gain, zero=-1600, unit="mmHg")
        for kind in ("PLETH", "RESP"):
            file.add(kind, wave[part] / 2, gain=2000, written="2000")
        write_wfdb(place, name, "125", [file])
    (place / "041s.hea").write_text("041s/2 7 125 2000\n041s01 1000\n041s02 1000\n")


def make_variable_layout(place: Path) -> None:
    """``varying``: a layout of three leads, two segments that hold two of them each, and a gap between the two."""
    leads = synthesise(20, 250)[0]
    write_wfdb(place, "v1", "250", [File("v1.dat", 16).add("II", leads[:2000, 1]).add("V", leads[:2000, 6])])
    write_wfdb(place, "v2", "250", [File("v2.dat", 16).add("I", leads[2500:, 0]).add("II", leads[2500:, 1])])
    layout = [f"~ 0 1000(0)/mV 16 0 0 0 0 {name}" for name in ("I", "II", "V")]
    (place / "v_layout.hea").write_text("\n".join(["v_layout 3 250 0", *layout, ""]))
    (place / "varying.hea").write_text("varying/4 3 250 5000\nv_layout 0\nv1 2000\n~ 500\nv2 2500\n")
