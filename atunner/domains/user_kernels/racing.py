"""A race: a few unverified calls that say whether a configuration is worth judging. Its figure is never published.

Warmed up by time, not by count, since clocks settle in time; decided on the minimum, since others on the machine only
ever add. The race ends as soon as the minimum has stood for long enough, and early when it is far behind the rival's.
"""

import time
from collections.abc import Callable

import numpy as np

from atunner.core.program import Problem
from atunner.core.value import Value
from atunner.domains.kernels.feed import Fed
from atunner.domains.kernels.oracle import Draw, Oracle
from atunner.domains.kernels.timing import Session
from atunner.operators import Arrays

FIRST_NUMBER = 5000
"""Draws of races are numbered from here, so that none is one of verification's or of the timed calls'."""


SETTLED = 0.97
"""A block whose least time is above this share of the least before it: the clocks have stopped rising."""


class RacePlan(Value):
    """How long to race. warmup_s: calls that do not count. least, least_s: calls and time a figure needs.

    hopeless: a minimum this many times the rival's that no longer falls ends the race. most_s: it ends in any case.
    """

    warmup_s: float = 0.002
    least: int = 5
    least_s: float = 0.006
    most_s: float = 0.25
    hopeless: float = 1.5
    block_us: float = 1000.0


class Unanswered:
    """Contents that no call of this process has seen, with no answers: a race checks nothing."""

    def __init__(self, oracle: Oracle, problem: Problem, seed: int) -> None:
        self._base: Arrays = oracle.base(problem, Draw(number=FIRST_NUMBER))
        self._random = np.random.default_rng(seed)
        self._elements = max(b.elements for b in problem.buffers)

    def next(self) -> Fed:
        """Inputs for one more call."""
        return Fed(self._base, int(self._random.integers(1, max(2, self._elements))), None)

    def hold(self, fed: Fed, outputs: Arrays) -> None:
        """Nothing is held against an answer here."""


def race(
    session: Session, plan: RacePlan, rival_us: float | None = None, clock: Callable[[], float] = time.perf_counter
) -> float:
    """The least time of a call in microseconds.

    Raises:
        Wrong, Crashed, TimedOut: as the calls say.
    """
    started, calls, best, counted = clock(), 1, float("inf"), 0
    raced = None
    while True:
        block = session.block(calls)
        least = float(block.samples_us.min())
        now = clock()
        if raced is None and now - started >= plan.warmup_s:
            raced = now
        elif raced is not None:
            settled = least > SETTLED * best
            best, counted = min(best, least), counted + calls
            enough = counted >= plan.least and now - raced >= plan.least_s
            behind = rival_us is not None and settled and best > plan.hopeless * rival_us
            if enough or behind or now - raced >= plan.most_s:
                return best
        elif rival_us is not None and now - started >= plan.most_s:
            return least
        calls = max(1, min(session.most, int(plan.block_us / max(least, 0.05))))
