"""What reconstructed strips are worth: SNR by lead and image, by both rules."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfiltfilt

from ecgvec._typing import Float64Array
from ecgvec.verify.metrics import challenge_snr, kaggle_powers, kaggle_ratio, kaggle_score
from ecgvec.verify.page import Page, Strip
from ecgvec.warp.base import local_scale

BAND = (
    0.4  # of the image's px a second, in Hz: what a column of pixels can tell of a signal, with room to Nyquist's 0.5
)
_ORDER = 6


@dataclass(frozen=True)
class Score:
    """SNR of an image in dB: ``leads`` by the Challenge's rule (NaN: zero throughout), ``low`` the same of what lies
    below 0.4 x px/s (empty where not asked for), and ``ratio`` by Kaggle's rule, whose decibels are ``kaggle``."""

    leads: Mapping[str, float]
    low: Mapping[str, float]
    ratio: float

    @property
    def challenge(self) -> float:
        """Mean over leads, NaN left out."""
        known = [v for v in self.leads.values() if not math.isnan(v)]
        return float(np.mean(known)) if known else math.nan

    @property
    def kaggle(self) -> float:
        """The image's own score by Kaggle's rule."""
        return kaggle_score([self.ratio])


def score(page: Page, truth: Mapping[str, Float64Array], found: Mapping[str, Float64Array], low: bool = False) -> Score:
    """Hold reconstructed strips against the true ones, (n,) mV by strip id.

    Pieces of one lead are one signal; where a rhythm strip shows it too, the strip counts.
    """
    leads, lows, powers = {}, {}, []
    for lead in dict.fromkeys(strip.lead for strip in page.strips):
        strips = sorted((s for s in page.strips if s.lead == lead), key=lambda s: s.count)
        fs = strips[0].fs
        x, y = (_joined(strips, values) for values in (truth, found))
        leads[lead] = challenge_snr(x, y, fs)
        powers.append(kaggle_powers(x, y, fs))
        if low and not math.isnan(leads[lead]):
            cut = BAND * px_per_second(page, strips[0])
            lows[lead] = challenge_snr(low_pass(x, cut, fs), low_pass(y, cut, fs), fs)
    return Score(leads, lows, kaggle_ratio(powers))


def _joined(strips: Sequence[Strip], values: Mapping[str, Float64Array]) -> Float64Array:
    """The strips of a lead as one signal, the longest one on top."""
    first = min(s.first for s in strips)
    whole = np.full(max(s.first + s.count for s in strips) - first, np.nan)
    for s in strips:
        whole[s.first - first : s.first - first + s.count] = values[s.id]
    return whole


def px_per_second(page: Page, strip: Strip) -> float:
    """Pixels of the image a second of the signal takes."""
    zero = np.array([[strip.axes.x0, strip.axes.zero_y]])
    return float(local_scale(page.warp, zero)[0, 0] * strip.axes.speed)


def low_pass(signal: Float64Array, cut: float, fs: float) -> Float64Array:
    """``signal`` (n,) without what lies above ``cut`` Hz (Butterworth, forwards and backwards); gaps stay gaps."""
    known = np.isfinite(signal)
    if cut >= 0.49 * fs or known.sum() < 2:
        return signal
    at = np.arange(len(signal))
    filled = np.interp(at, at[known], signal[known])
    sections = butter(_ORDER, cut, fs=fs, output="sos")
    smooth = sosfiltfilt(sections, filled, padlen=min(len(signal) - 1, 3 * (2 * len(sections) + 1)))
    return np.where(known, smooth, np.nan)
