"""What samples say: medians with intervals, and "better" as a statement about them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from atunner.core.value import Value

CONFIDENCE = 0.95
RESAMPLES = 2000
MINIMUM_GAIN = 0.01
"""What "better" demands beyond 1: the ratio's lower bound must be above 1 + this."""

_MAD = 1.4826
_MEDIAN_EFFICIENCY = 1.2533


class Interval(Value):
    """An estimate with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def median(samples: Sequence[float] | NDArray[np.float64]) -> float:
    """The middle of the samples. Raises ValueError when there are none."""
    if len(samples) == 0:
        raise ValueError("no samples")
    return float(np.median(np.asarray(samples, np.float64)))


def relative_error(samples: Sequence[float] | NDArray[np.float64]) -> float:
    """Standard error of the median over the median, from the median absolute deviation (outliers count once).

    For a normal law se(median) = 1.2533 sigma / sqrt(n) and sigma = 1.4826 MAD. Infinite below 3 samples.
    """
    values = np.asarray(samples, np.float64)
    centre = float(np.median(values)) if values.size else 0.0
    if values.size < 3 or centre <= 0:
        return float("inf")
    spread = _MAD * float(np.median(np.abs(values - centre)))
    return _MEDIAN_EFFICIENCY * spread / float(np.sqrt(values.size)) / centre


def interval(samples: Sequence[float] | NDArray[np.float64], seed: int = 0, confidence: float = CONFIDENCE) -> Interval:
    """Median with its percentile bootstrap interval (B. Efron, 1979); equal seeds give equal answers."""
    values = np.asarray(samples, np.float64)
    centre = median(values)
    rng = np.random.default_rng(seed)
    drawn = np.median(values[rng.integers(0, values.size, (RESAMPLES, values.size))], axis=1)
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value=centre, low=float(low), high=float(high))


def paired_ratio(
    baseline: Sequence[float] | NDArray[np.float64], candidate: Sequence[float] | NDArray[np.float64], seed: int = 0
) -> Interval:
    """Speed-up of the candidate: median over pairs of baseline / candidate, with its bootstrap interval.

    baseline, candidate: figures to minimise, taken side by side: the i-th of one goes with the i-th of the other. Pairs
    are resampled as pairs and compared by their logarithms, so drift of the machine cancels and both directions weigh
    the same.

    Raises:
        ValueError: different lengths, none, or a figure that is not positive.
    """
    first, second = np.asarray(baseline, np.float64), np.asarray(candidate, np.float64)
    if first.shape != second.shape or first.size == 0:
        raise ValueError(f"pairs expected, got {first.size} and {second.size} figures")
    if not (np.all(first > 0) and np.all(second > 0)):
        raise ValueError("figures must be positive")
    logs = interval(np.log(first / second), seed)
    return Interval(value=float(np.exp(logs.value)), low=float(np.exp(logs.low)), high=float(np.exp(logs.high)))


def is_better(ratio: Interval, minimum_gain: float = MINIMUM_GAIN) -> bool:
    """Whether the lower bound of the speed-up is above 1 + minimum gain; equal within noise is not better."""
    return ratio.low > 1.0 + minimum_gain


def is_equal(ratio: Interval, minimum_gain: float = MINIMUM_GAIN) -> bool:
    """Whether nothing speaks for a difference in either direction beyond the minimum gain (the A/A test)."""
    return ratio.low <= 1.0 + minimum_gain and ratio.high >= 1.0 / (1.0 + minimum_gain)
