"""Both SNR rules, against hand-computed cases and a slow, literal implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.optimize import minimize_scalar
from scipy.signal import correlate2d

from ecgvec.verify.score import best_shift, challenge_snr, kaggle_powers, kaggle_ratio, kaggle_score, shift_signal

Floats = NDArray[np.float64]
FS = 100.0


def wave(n: int = 120, seed: int = 0) -> Floats:
    random = np.random.default_rng(seed)
    return np.convolve(random.normal(size=n + 8), np.hanning(9), mode="valid") * 0.3


def literal_shift(reference: Floats, estimate: Floats) -> tuple[int, float]:
    """Two real images, smoothed, correlated in two dimensions; the reference with itself says where 'no shift' is."""
    both = np.concatenate([reference, estimate])
    low, high = np.nanmin(both), np.nanmax(both)

    def image(signal: Floats) -> Floats:
        pixels = np.zeros((256 + 12, len(signal) + 12))  # room for the Gaussian to fade
        for i, value in enumerate(signal):
            if np.isfinite(value):
                pixels[6 + int(np.round((value - low) / (high - low) * 255)), 6 + i] = 1
        return gaussian_filter(pixels, 0.5, mode="constant")

    ours, own = image(reference), image(estimate)
    shape = (2 * ours.shape[0] - 1, 2 * ours.shape[1] - 1)
    peak, self_peak = (np.unravel_index(np.argmax(correlate2d(ours, other)), shape) for other in (own, ours))
    return int(peak[1] - self_peak[1]), float((peak[0] - self_peak[0]) * (high - low) / 255)


@pytest.mark.parametrize(("lag", "volts"), [(0, 0.0), (3, 0.0), (-4, 0.1), (0, -0.2)])
def test_best_shift_is_that_of_the_literal_images(lag: int, volts: float) -> None:
    reference = wave(32)
    estimate = shift_signal(reference, -lag) - volts + np.random.default_rng(1).normal(size=32) * 0.002
    ours, theirs = best_shift(reference, estimate), literal_shift(reference, estimate)
    assert ours[0] == theirs[0] == lag
    assert ours[1] == pytest.approx(theirs[1], abs=1e-9)
    assert ours[1] == pytest.approx(volts, abs=0.01)


def test_gaps_are_no_pixels() -> None:
    reference, estimate = wave(32), wave(32) + 0.01
    reference[10:14] = np.nan
    estimate[20:25] = np.nan
    assert best_shift(reference, estimate) == pytest.approx(literal_shift(reference, estimate))


def one_in_four_off() -> tuple[Floats, Floats]:
    """P_signal = (1 + 1 + 0.25 + 0.25) / 4 = 0.625; P_noise = 0.1^2 / 4, and no shift explains it."""
    reference = np.tile([1.0, -1.0, 0.5, -0.5], 50) * np.repeat([1.0, -1.0], 100)
    return reference, reference + np.tile([0.1, 0.0, 0.0, 0.0], 50)


def test_challenge_snr_of_a_known_noise() -> None:
    reference, estimate = one_in_four_off()
    assert challenge_snr(reference, estimate, FS) == pytest.approx(10 * math.log10(0.625 / 0.0025))


def test_half_a_lead_gives_half_the_decibels() -> None:
    reference, estimate = one_in_four_off()
    estimate[100:] = np.nan
    assert challenge_snr(reference, estimate, FS) == pytest.approx(10 * math.log10(0.625 / 0.0025) / 2)


def test_a_shift_is_taken_back_only_within_half_a_second_and_a_millivolt() -> None:
    reference = wave(400)
    assert challenge_snr(reference, shift_signal(reference, 10), FS) > 40
    assert challenge_snr(reference, shift_signal(reference, 60), FS) < 10
    spread = reference * 4
    assert challenge_snr(spread, spread + 0.9, FS) > 20
    assert challenge_snr(spread, spread + 1.2, FS) < 5


def test_leads_without_signal_and_estimates_without_samples() -> None:
    assert math.isnan(challenge_snr(np.zeros(50), wave(50), FS))
    assert math.isnan(challenge_snr(np.full(50, np.nan), wave(50), FS))
    assert challenge_snr(wave(50), np.full(50, np.nan), FS) == 0.0
    assert challenge_snr(wave(50), wave(50), FS) == math.inf


@given(st.integers(0, 10_000), st.integers(-20, 20), st.floats(-0.5, 0.5))
@settings(max_examples=25, deadline=None)
def test_kaggle_powers_are_those_of_a_search(seed: int, lag: int, volts: float) -> None:
    reference = wave(200, seed)
    random = np.random.default_rng(seed)
    estimate = np.nan_to_num(shift_signal(reference, lag)) + volts + random.normal(size=200) * 0.01
    signal, noise = kaggle_powers(reference, estimate, FS)
    x, y = reference - reference.mean(), estimate - estimate.mean()
    products = {k: float(np.nansum(x * shift_signal(y, k))) for k in range(-20, 21)}
    moved = shift_signal(estimate, max(products, key=lambda k: (products[k], -abs(k))))
    brent = minimize_scalar(lambda v: float(np.nansum((reference - moved - v) ** 2)), method="brent").x
    wanted = float(np.sum((reference - np.nan_to_num(moved + brent)) ** 2))
    assert signal == pytest.approx(float(np.sum(reference**2)))
    assert noise == pytest.approx(wanted, rel=1e-6)


def test_kaggle_ratio_and_score() -> None:
    assert kaggle_ratio([(3.0, 0.1), (1.0, 0.1)]) == pytest.approx(20.0)
    assert kaggle_ratio([(3.0, 0.0), (1.0, 1e-9)]) == 384.0
    assert kaggle_ratio([(0.0, 0.0)]) == 384.0
    assert kaggle_ratio([(0.0, 1.0)]) == 0.0
    # The mean of the ratios, not of the decibels.
    assert kaggle_score([384.0, 10.0]) == pytest.approx(10 * math.log10(197.0))
    assert kaggle_score([384.0]) == pytest.approx(25.84, abs=0.01)
    assert kaggle_score([0.0]) == -384.0
    assert kaggle_score([]) == -384.0
