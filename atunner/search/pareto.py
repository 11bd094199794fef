"""Several objectives: which configurations no other one beats, and how a search for one figure covers them all."""

import math
import sys
from collections.abc import Sequence

import numpy as np

Costs = tuple[float, ...]
"""One configuration's figures, all to be small."""

TILT = 0.05
"""How much the sum counts beside the worst (Knowles 2006), so that a point that is as bad and elsewhere better wins."""


def front(points: Sequence[Costs]) -> list[int]:
    """Places of the points that no other point equals or beats in all figures and beats in one, in order of the first.

    Of points with the same figures the first one stands for all.
    """
    kept: list[int] = []
    for place in sorted(range(len(points)), key=lambda p: (points[p], p)):
        # What could beat it comes before it.
        if not any(all(a <= b for a, b in zip(points[k], points[place], strict=True)) for k in kept):
            kept.append(place)
    return kept


def weights(number: int, count: int) -> Costs:
    """The weights of the `number`-th piece of a search for `count` figures: each figure alone first, then all between.

    Two figures take the sequence of van der Corput (1935), which fills the gaps between the weights that were; more
    take random ones that the number decides.
    """
    if number < count:
        return tuple(float(i == number) for i in range(count))
    if count == 2:
        share = _corput(number - 1)
        return (share, 1.0 - share)
    drawn = np.random.default_rng(number).dirichlet(np.ones(count))
    return tuple(float(w) for w in drawn)


def _corput(number: int) -> float:
    """The binary digits of `number` behind the point, backwards: 1/2, 1/4, 3/4, 1/8, ..."""
    found, digit = 0.0, 0.5
    while number:
        found, number, digit = found + digit * (number & 1), number >> 1, digit / 2
    return found


class Scale:
    """Figures as one cost: the logarithm of each between its least and its most, and the worst of them by its weight.

    A figure that is to be large comes as a negative number; one of both signs is taken as it is.
    """

    def __init__(self, points: Sequence[Costs], weighed: Costs) -> None:
        columns = list(zip(*points, strict=True)) or [() for _ in weighed]
        self._signs = [1 if min(c, default=0) > 0 else -1 if max(c, default=0) < 0 else 0 for c in columns]
        self._weighed = weighed
        sides = [[self._at(value, side) for value in column] for side, column in enumerate(columns)]
        self._low = [min(side, default=0.0) for side in sides]
        self._span = [max(side, default=0.0) - low or 1.0 for side, low in zip(sides, self._low, strict=True)]

    def cost(self, point: Costs) -> float:
        """A positive number, small where the point is good."""
        parts = [
            weight * (self._at(value, side) - self._low[side]) / self._span[side]
            for side, (value, weight) in enumerate(zip(point, self._weighed, strict=True))
        ]
        return math.exp(max(parts) + TILT * sum(parts))

    def _at(self, value: float, side: int) -> float:
        sign = self._signs[side]
        return sign * math.log(max(sign * value, sys.float_info.min)) if sign else value
