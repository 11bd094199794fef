"""Runs of two programs side by side on one core: processor time, by turns, so that the machine's drift cancels."""

import os
import time
from collections.abc import Callable
from statistics import median

from atunner.core.measurement import Measurement
from atunner.core.statistics import MINIMUM_GAIN, paired_ratio
from atunner.core.trial import Comparison
from atunner.core.value import Value

UNIT = "ms"
LEAST_PAIRS, MOST_PAIRS = 3, 9
LOOK_S = 1.5
BEATEN = 1.2
"""Who is so many times slower than the yardstick after few pairs does not win after more."""
CONFIRMING = 15
SETTLED = 0.02
SOURCE = "processor time of a run, by turns with the leader, at first the -O3 build, whose drift is taken out"

Run = Callable[[], float]


class Pairs(Value):
    """Milliseconds of both, pair by pair."""

    baseline: tuple[float, ...]
    candidate: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How many times the baseline takes what the candidate takes."""
        return median(b / c for b, c in zip(self.baseline, self.candidate, strict=True))


def taken(baseline: Run, candidate: Run, count: int) -> Pairs:
    """That many pairs; which of the two goes first changes from pair to pair."""
    first, second = list[float](), list[float]()
    for number in range(count):
        if number % 2:
            second.append(candidate())
            first.append(baseline())
        else:
            first.append(baseline())
            second.append(candidate())
    return Pairs(baseline=tuple(first), candidate=tuple(second))


def look(yardstick: Run, candidate: Run) -> Pairs:
    """Few pairs for what is clearly slower, more for what may win, within LOOK_S seconds.

    yardstick: the fastest so far. It needs what the candidate needs of the machine, and so drifts with it, while the
    -O3 build may wait for memory where both compute.
    """
    began = time.monotonic()
    found = taken(yardstick, candidate, LEAST_PAIRS)
    while len(found.baseline) < MOST_PAIRS and found.ratio > 1 / BEATEN and time.monotonic() - began < LOOK_S:
        more = taken(yardstick, candidate, 2)
        found = Pairs(baseline=found.baseline + more.baseline, candidate=found.candidate + more.candidate)
    return found


def corrected(found: Pairs, steady_ms: float, source: str = SOURCE) -> Measurement:
    """The candidate's samples as they would be had the yardstick taken `steady_ms` each time."""
    samples = tuple(c * steady_ms / b for b, c in zip(found.baseline, found.candidate, strict=True))
    return Measurement(unit=UNIT, samples=samples, source=source)


def confirmed(baseline: Run, candidate: Run) -> Comparison:
    """At least CONFIRMING pairs, twice as many on a machine with more work than cores; with a bootstrap interval."""
    busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    source = "processor time of a run, by turns, fresh builds"
    return _compared(baseline, candidate, CONFIRMING * (2 if busy else 1), (f"{source}: clang -O3", source))


def met(leader: Run, rival: Run) -> Comparison:
    """Two candidates by turns, CONFIRMING pairs, with a bootstrap interval; nothing is published from it."""
    source = "processor time of a run, by turns"
    return _compared(leader, rival, CONFIRMING, (source, source))


def _compared(first: Run, second: Run, count: int, sources: tuple[str, str]) -> Comparison:
    """After a run of each that does not count."""
    first(), second()
    found = taken(first, second, count)
    ratio = paired_ratio(found.baseline, found.candidate)
    return Comparison(
        ratio=ratio.value,
        low=ratio.low,
        high=ratio.high,
        minimum_gain=MINIMUM_GAIN,
        baseline=Measurement(unit=UNIT, samples=found.baseline, source=sources[0]),
        candidate=Measurement(unit=UNIT, samples=found.candidate, source=sources[1]),
    )
