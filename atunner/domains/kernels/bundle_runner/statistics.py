"""The few statistics of the timing protocol; all from raw samples, so that whoever reads them can do it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

RESAMPLES = 2000
LEAST_PAIRS = 10
LEAST_GAIN = 0.01
LAUNCHING_US = 100.0
"""What a host may take to queue a few launches and to see their end, through a framework too."""


@dataclass(frozen=True)
class Ratio:
    """Baseline over candidate: above 1 the candidate takes less. low, high: 95 % bootstrap interval."""

    ratio: float
    low: float
    high: float


def ratio(pairs: Sequence[tuple[float, float]]) -> Ratio:
    """Median of the ratios of interleaved (baseline, candidate) pairs with a paired bootstrap interval; seeded.

    Raises:
        ValueError: no pair, or a time that is not positive.
    """
    if not pairs or any(a <= 0 or b <= 0 for a, b in pairs):
        raise ValueError("ratio needs at least one pair of positive times")
    ratios = np.array([a / b for a, b in pairs])
    drawn = np.random.default_rng(0).integers(0, len(ratios), (RESAMPLES, len(ratios)))
    medians = np.median(ratios[drawn], axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    return Ratio(float(np.median(ratios)), float(low), float(high))


def relative_error(samples: Sequence[float]) -> float:
    """Standard error of the mean over the mean; infinite below two samples."""
    if len(samples) < 2:
        return float("inf")
    return float(np.std(samples, ddof=1) / np.sqrt(len(samples)) / np.mean(samples))


def enough(pairs: Sequence[tuple[float, float]], seconds: float, most_s: float) -> bool:
    """At least ten pairs and half a second, until both sides are known to 0.5 % or time is up."""
    if seconds >= most_s and len(pairs) >= 2:
        return True
    if len(pairs) < LEAST_PAIRS or seconds < 0.5:
        return False
    return all(relative_error([pair[side] for pair in pairs]) <= 0.005 for side in (0, 1))


def minimum_gain(same: Sequence[tuple[float, float]]) -> float:
    """What a gain must exceed: 1 %, or the noise that the baseline shows against itself."""
    found = ratio(same)
    return max(LEAST_GAIN, found.high - 1.0, 1.0 - found.low)


def hidden_work(device_us: Sequence[float], wall_us: Sequence[float]) -> bool:
    """Whether the host saw half as much time again as the device's clock, beyond what starting the work takes."""
    if not device_us or not wall_us:
        return False
    return median(wall_us) > 1.5 * median(device_us) + LAUNCHING_US
