"""How much of the signal an image still holds: SNR by the Challenge's and by Kaggle's rules."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.signal import butter, correlate, correlation_lags, sosfiltfilt

from ecgvec._typing import Float32Array, Float64Array, Int64Array
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


LEVELS = 256
SIGMA = 0.5  # of the Gaussian that smooths the two images, in samples and in levels
MOST_SECONDS, MOST_MV = 0.5, 1.0
KAGGLE_SECONDS = 0.2
KAGGLE_BEST, KAGGLE_WORST = 384.0, -384.0  # a ratio, and decibels


def challenge_snr(reference: Float64Array, estimate: Float64Array, fs: float) -> float:
    """SNR of one lead in dB by the Challenge's rule.

    The estimate is shifted in time and voltage as ``best_shift`` says, unless that is more than 0.5 s or 1.0 mV; then
    10 log10(mean x^2 / mean (x - y)^2) over samples finite in both, times their share of the reference's. 0 where the
    estimate has no finite sample; NaN for a reference that is empty or zero throughout; inf where nothing differs.
    """
    known = np.isfinite(reference)
    if not known.any() or not np.any(reference[known]):
        return math.nan
    if not np.isfinite(estimate).any():
        return 0.0
    lag, volts = best_shift(reference, estimate)
    if abs(lag) <= MOST_SECONDS * fs and abs(volts) <= MOST_MV:
        estimate = shift_signal(estimate, lag) + volts
    both = known & np.isfinite(estimate)
    if not both.any():
        return 0.0
    signal, noise = np.mean(reference[both] ** 2), np.mean((reference[both] - estimate[both]) ** 2)
    share = float(both.sum() / known.sum())
    if signal == 0.0:
        return math.nan
    return share * (10 * math.log10(signal / noise) if noise > 0 else math.inf)


def shift_signal(values: Float64Array, lag: int) -> Float64Array:
    """``values`` (n,) moved ``lag`` samples later, NaN where nothing comes from."""
    moved = np.full_like(values, np.nan)
    n = len(values)
    if abs(lag) < n:
        moved[max(0, lag) : n + min(0, lag)] = values[max(0, -lag) : n - max(0, lag)]
    return moved


def best_shift(reference: Float64Array, estimate: Float64Array) -> tuple[int, float]:
    """The shift, in samples and in mV, that lays the estimate best on the reference.

    Both as images of 256 levels over their common range with a pixel a sample, smoothed by a Gaussian of 0.5: the
    peak of their 2-D cross-correlation (the reference's with itself peaks at no shift). Such images hold one pixel a
    column, so their correlation is a count of level differences at each lag, and smoothing both is smoothing the
    count twice. Of equal peaks the least lag is taken, then the least voltage.
    """
    low = min(float(np.nanmin(reference)), float(np.nanmin(estimate)))
    high = max(float(np.nanmax(reference)), float(np.nanmax(estimate)))
    if high <= low:
        return 0, 0.0
    step = (high - low) / (LEVELS - 1)
    counts = _counts(*(_levels(signal, low, step) for signal in (reference, estimate)))
    smooth = _smooth(counts)
    lags, levels = np.nonzero(smooth >= smooth.max() * (1 - 1e-6))
    lags, levels = lags - len(estimate) + 1, levels - LEVELS
    best = np.lexsort((np.abs(levels), np.abs(lags)))[0]
    return int(lags[best]), float(levels[best] * step)


def _levels(signal: Float64Array, low: float, step: float) -> Int64Array:
    """The level of each sample, -1 where it is NaN."""
    known = np.isfinite(signal)
    return np.where(known, np.round((np.where(known, signal, low) - low) / step), -1).astype(np.int64)


def _counts(reference: Int64Array, estimate: Int64Array) -> Float32Array:
    """How many pairs (i + lag, i) of samples differ by each level: (lags, 2 LEVELS + 1), lag and difference 0 in the
    middle (row len(estimate) - 1, column LEVELS)."""
    n, m, width = len(reference), len(estimate), 2 * LEVELS + 1
    # A sample that is not there makes differences beyond the width, which are cut off.
    raised = np.where(reference < 0, 4 * LEVELS, reference) + LEVELS
    taken = np.where(estimate < 0, -4 * LEVELS, estimate)
    counts = np.empty((n + m - 1, width), dtype=np.float32)
    for lag in range(1 - m, n):
        first, stop = max(0, lag), min(n, m + lag)
        found = np.bincount(raised[first:stop] - taken[first - lag : stop - lag], minlength=width)
        counts[lag + m - 1] = found[:width]
    return counts


def _smooth(counts: Float32Array) -> Float32Array:
    """Counts smoothed by the Gaussian twice: once for each image."""
    x = np.arange(-2, 3)
    kernel = np.exp(-0.5 * (x / SIGMA) ** 2)
    twice = np.convolve(kernel / kernel.sum(), kernel / kernel.sum())
    return np.asarray(cv2.sepFilter2D(counts, -1, twice, twice, borderType=cv2.BORDER_CONSTANT), dtype=np.float32)


def kaggle_powers(reference: Float64Array, estimate: Float64Array, fs: float) -> tuple[float, float]:
    """Sums of x^2 and of (x - y)^2 of one lead by Kaggle's rule.

    The estimate is moved by the lag within int(0.2 fs) samples at which the mean-free signals correlate best (of equal
    ones the least), then by the voltage that makes the squared error least: the mean difference, to which Brent's
    search converges too. What is not finite counts as 0.
    """
    most = int(KAGGLE_SECONDS * fs)
    if np.isfinite(estimate).any() and np.isfinite(reference).any():
        products = correlate(_mean_free(reference), _mean_free(estimate), mode="full")
        lags = correlation_lags(len(reference), len(estimate), mode="full")
        products, lags = products[np.abs(lags) <= most], lags[np.abs(lags) <= most]
        ties = lags[products == products.max()]
        estimate = shift_signal(estimate, int(ties[np.argmin(np.abs(ties))]))
        difference = reference - estimate
        if np.isfinite(difference).any():
            estimate = estimate + np.nanmean(difference)
    x, y = np.nan_to_num(reference, nan=0.0), np.nan_to_num(estimate, nan=0.0)
    return float(np.sum(x**2)), float(np.sum((x - y) ** 2))


def _mean_free(signal: Float64Array) -> Float64Array:
    return np.nan_to_num(signal - np.nanmean(signal), nan=0.0)


def kaggle_ratio(powers: Iterable[tuple[float, float]]) -> float:
    """An image's ratio from the powers of its leads: sum of signals by sum of noises, 384 at most."""
    pairs = list(powers)
    signal, noise = sum(p[0] for p in pairs), sum(p[1] for p in pairs)
    return KAGGLE_BEST if noise == 0.0 else min(signal / noise, KAGGLE_BEST)


def kaggle_score(ratios: Sequence[float]) -> float:
    """A run's score in dB: of the mean of its images' ratios, not the mean of their decibels."""
    mean = float(np.mean(ratios)) if len(ratios) else 0.0
    return max(10 * math.log10(mean), KAGGLE_WORST) if mean > 0 else KAGGLE_WORST
