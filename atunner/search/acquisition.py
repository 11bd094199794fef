"""Which point of a pool to try next, from the mean and the deviation that a process predicts.

Expected improvement is asked first (Jones, Schonlau and Welch 1998). When the largest gain that it expects is not worth
having, it is a tail of the process where the process knows least, and to follow it is to roam through slow regions
while the neighbours of the best stay untried. Either the search is done or the process is wrong by more than it
thinks; so one point in four is then the one with the lowest mean, and two are the most promising within two values of
the best. Where the process was right after all, this costs up to four times as many evaluations from there on.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from atunner.search.gaussian import Matrix

WORTH = 1e-3
"""A gain worth having, in the process's unit: a thousandth of the best figure where figures are logarithms."""
HEDGE, NEAR = 4, 2
"""Where no gain is worth having, one point in HEDGE has the lowest mean, and one in NEAR is near the best."""


def choice(
    turn: int, free: NDArray[np.bool_], near: NDArray[np.bool_], best: float, mean: Matrix, deviation: Matrix
) -> int:
    """The place of the next point among those that are free, for ask number `turn`; at least one must be.

    near: the points that differ from the best in two values at most.
    """
    gain = np.where(free, improvement(best, mean, deviation), -np.inf)
    if float(gain.max()) < WORTH:
        if turn % HEDGE == 0:
            return int(np.argmin(np.where(free, mean, np.inf)))
        if turn % NEAR == 1 and (free & near).any():
            return int(np.argmax(np.where(near, gain, -np.inf)))
    return int(np.argmax(gain))


def improvement(best: float, mean: Matrix, deviation: Matrix) -> Matrix:
    """Expected improvement below `best`."""
    z = (best - mean) / deviation
    result: Matrix = (best - mean) * ndtr(z) + deviation * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    return result
