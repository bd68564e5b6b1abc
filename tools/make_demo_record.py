"""Synthesise the demo record: ten seconds of a normal 12-lead ECG that belongs to no person.

    python tools/make_demo_record.py [FOLDER]

writes `ecgvec-demo.hea` and `ecgvec-demo.dat` into FOLDER (default: `demo/` beside `tools/`). Nothing is read from any
database. The heart is a moving dipole, each of whose three components is a sum of Gaussian waves along the beat (after
McSharry, Clifford, Tarassenko and Smith, "A dynamical model for generating synthetic electrocardiogram signals", IEEE
Trans. Biomed. Eng. 50(3), 2003, carried over to three dimensions); fixed lead vectors project it onto I, II and V1-V6,
and a few small waves belong to one lead alone. III, aVR, aVL and aVF follow from I and II (Einthoven, Goldberger).
Muscle noise and baseline wander are drawn at the nine electrodes and reach the leads through the same laws.

The same bytes come out at every run: the one source of chance is a PCG64 generator with a fixed seed.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import wfdb
from numpy.typing import NDArray

Signal = NDArray[np.float64]
Counts = NDArray[np.int64]

NAME = "ecgvec-demo"
SEED = 20030301
RATE = 500
SECONDS = 10
GAIN = 1000
"""Counts per millivolt: one count is one microvolt."""
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
COMMENTS = (
    "synthesised by tools/make_demo_record.py: a model heart, not a recording",
    "This ECG belongs to no person and was copied from no database.",
)

HEART_RATE = 68.0
FIRST_R = -0.49
"""Seconds: the first beat lies before the record, so that the record begins in the middle of a rhythm."""
BREATHS = 0.25
"""Hz: respiration, which moves the heart rate, the size of the beats and the baseline."""
NOISE = 0.0042
"""RMS of the muscle and amplifier noise at one electrode in mV; a lead shows 4 to 6 microvolts."""
WANDER = 0.030
"""Greatest amplitude of the respiratory wander at one electrode in mV; no lead wanders by more than 0.04 mV."""

ELECTRODES = ("RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6")


class Wave(NamedTuple):
    """A Gaussian wave of the dipole: `at`, `rise` and `fall` (the two sigmas) in ms from the R wave, size in mV.

    `x` points to the patient's left, `y` to the feet, `z` to the front.
    """

    at: float
    rise: float
    fall: float
    x: float
    y: float
    z: float


class LeadWave(NamedTuple):
    """A Gaussian wave that one lead alone sees: what a single dipole cannot tell of the tissue under an electrode."""

    lead: str
    at: float
    rise: float
    fall: float
    size: float


WAVES = (
    Wave(-168, 15, 18, 0.060, 0.080, 0.045),  # P, right atrium: down and to the front
    Wave(-140, 17, 16, 0.105, 0.060, -0.055),  # P, left atrium: to the left and the back
    Wave(-24, 6.5, 6.5, -0.125, -0.070, 0.150),  # QRS, septum: to the right and the front
    Wave(-9, 8, 8, 0.180, 0.100, 0.250),  # QRS, apex and front wall
    Wave(0, 9, 9.5, 1.080, 0.700, 0.000),  # QRS, free wall of the left ventricle
    Wave(15, 10, 12, 0.250, 0.100, -0.900),  # QRS, wall at the back
    Wave(36, 9, 12, -0.120, -0.110, -0.160),  # QRS, base
    Wave(150, 66, 72, 0.020, 0.016, 0.040),  # ST, rising into T
    Wave(282, 57, 36, 0.270, 0.200, 0.250),  # T
    Wave(466, 42, 44, 0.006, 0.005, 0.013),  # U
)
LEAD_WAVES = (
    LeadWave("I", 13, 5, 6, 0.070),  # the slur behind R in I, and so the notch in III
    LeadWave("I", 280, 57, 37, 0.055),
    LeadWave("II", 22, 5, 5, 0.045),
    LeadWave("V1", 34, 7, 8, -0.060),
    LeadWave("V3", -14, 6, 6, -0.090),
    LeadWave("V5", 282, 57, 36, 0.030),
    LeadWave("V6", 282, 57, 36, 0.075),
)
LEAD_VECTORS = {
    "I": (0.63, -0.13, 0.00),
    "II": (0.28, 1.02, 0.02),
    "V1": (-0.40, 0.08, 0.78),
    "V2": (0.04, 0.10, 1.39),
    "V3": (0.53, 0.10, 1.18),
    "V4": (1.14, 0.13, 0.62),
    "V5": (1.05, 0.13, 0.10),
    "V6": (0.74, 0.08, -0.16),
}
"""What a lead sees of a dipole (x, y, z); of the kind that Dower's transform has (Dower et al., 1980)."""


def bump(ms: Signal, at: float, rise: float, fall: float) -> Signal:
    """A Gaussian of height 1 with its peak `at`, and one sigma before the peak and another after it."""
    sigma = np.where(ms < at, rise, fall)
    return np.asarray(np.exp(-0.5 * ((ms - at) / sigma) ** 2), dtype=np.float64)


def beat_times(rng: np.random.Generator) -> Signal:
    """The R peaks in seconds, from before the record to after it: respiratory arrhythmia and a little drift."""
    times = [FIRST_R]
    while times[-1] < SECONDS + 1:
        now = times[-1]
        sway = 0.032 * np.sin(2 * np.pi * BREATHS * now) + 0.010 * np.sin(2 * np.pi * 0.1 * now + 1.0)
        times.append(now + 60 / HEART_RATE * (1 + sway + 0.004 * rng.standard_normal()))
    return np.array(times)


def recovery(ms: Signal, interval: float) -> Signal:
    """Beat time with the part after the QRS stretched as repolarisation is by the RR `interval` before it (Bazett)."""
    stretch = np.sqrt(interval * HEART_RATE / 60)
    return np.where(ms > 60, 60 + (ms - 60) / stretch, ms)


def heart(rng: np.random.Generator, seconds: Signal, beats: Signal) -> dict[str, Signal]:
    """What I, II and V1-V6 see of the heart in mV, without noise."""
    leads = {name: np.zeros_like(seconds) for name in LEAD_VECTORS}
    intervals = np.diff(beats, prepend=beats[0] - 60 / HEART_RATE)
    for beat, interval in zip(beats, intervals, strict=True):
        ms = recovery((seconds - beat) * 1000, interval)
        breath = np.sin(2 * np.pi * BREATHS * beat + 0.6)
        sway = (1 + np.array([0.015, -0.035, 0.030]) * breath) * (1 + 0.012 * rng.standard_normal())
        for wave in WAVES:
            shape = bump(ms, wave.at, wave.rise, wave.fall)
            dipole = sway * (wave.x, wave.y, wave.z)
            for name, vector in LEAD_VECTORS.items():
                leads[name] += float(dipole @ np.array(vector)) * shape
        for own in LEAD_WAVES:
            leads[own.lead] += own.size * bump(ms, own.at, own.rise, own.fall)
    return leads


def noise(rng: np.random.Generator, count: int, low: float, high: float, tilt: float) -> Signal:
    """Gaussian noise of RMS 1 between `low` and `high` Hz, whose amplitude falls as frequency to the power `tilt`."""
    frequency = np.fft.rfftfreq(count, 1 / RATE)
    band = 1 / (1 + (frequency / high) ** 4) * (frequency >= low)
    shaped = np.fft.irfft(np.fft.rfft(rng.standard_normal(count)) * band / np.maximum(frequency, low) ** tilt, count)
    return np.asarray(shaped / shaped.std(), dtype=np.float64)


def muscle(rng: np.random.Generator, count: int) -> Signal:
    """Noise of one electrode in mV: muscle that swells and fades, within what an amplifier passes."""
    swelling = np.exp(0.25 * noise(rng, count, 0.1, 0.6, 0.0)) * noise(rng, count, 1.5, 90.0, 0.45)
    return np.asarray(NOISE * swelling / swelling.std(), dtype=np.float64)


def electrodes(rng: np.random.Generator, seconds: Signal) -> dict[str, Signal]:
    """Noise and baseline wander at each of the nine electrodes in mV."""
    disturbed = {}
    for name in ELECTRODES:
        size, phase, slow = rng.uniform(0.5, 1.0), rng.normal(0.0, 0.5), rng.uniform(0, 2 * np.pi)
        breath = np.sin(2 * np.pi * BREATHS * seconds + phase)
        drift = 0.5 * np.sin(2 * np.pi * 0.07 * seconds + slow)
        disturbed[name] = WANDER * size * (breath + drift) + muscle(rng, len(seconds))
    return disturbed


def counts(millivolts: Signal) -> Counts:
    """Millivolts as whole counts of the converter."""
    return np.asarray(np.rint(millivolts * GAIN), dtype=np.int64)


def record() -> Counts:
    """The twelve leads as columns of counts, in the order of LEADS."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    seconds = np.arange(SECONDS * RATE) / RATE
    seen = heart(rng, seconds, beat_times(rng))
    at = electrodes(rng, seconds)
    terminal = (at["RA"] + at["LA"] + at["LL"]) / 3
    one = counts(seen["I"] + at["LA"] - at["RA"])
    two = counts(seen["II"] + at["LL"] - at["RA"])
    limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    chest = [counts(seen[name] + at[name] - terminal) for name in LEADS[6:]]
    return np.rint(np.stack([*limb, *chest], axis=1)).astype(np.int64)


def write(folder: Path) -> None:
    """Write the record's two files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    wfdb.wrsamp(
        NAME,
        fs=RATE,
        units=["mV"] * len(LEADS),
        sig_name=list(LEADS),
        d_signal=record(),
        fmt=["16"] * len(LEADS),
        adc_gain=[GAIN] * len(LEADS),
        baseline=[0] * len(LEADS),
        comments=list(COMMENTS),
        write_dir=str(folder),
    )


def main(arguments: Sequence[str]) -> int:
    """Write the record into the folder that the command line names, or into `demo/`."""
    if len(arguments) > 1 or any(word.startswith("-") for word in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent / "demo"
    write(folder)
    print(folder / f"{NAME}.hea")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
