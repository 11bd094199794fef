"""What disturbs a measurement on a processor: others on its cores, a hypervisor that takes them, a clock held down."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

SPINS = 20_000
"""Dependent steps of one look at the clock: some 30 us."""
LOOK_S = 0.01
"""Blocks that follow one another within this time share a look."""
SLOW = 1.10
"""A core whose clock takes this much longer than at its best for the same steps is held down."""
DISTURBED = 0.02
TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")
STAT = Path("/proc/stat")
STEAL = 8


@dataclass(frozen=True)
class Seen:
    """What was seen around one block. stolen_us: by the hypervisor, in ticks of 10 ms. pace: 1 at the best clock."""

    stolen_us: float = 0.0
    pace: float = 1.0


UNDISTURBED = Seen()


class Watch:
    """Looks at the cores that candidates are pinned to; kept as long as the backend, so that it knows their best.

    spin: does that many dependent steps. stat: the kernel's account of each core's time.
    """

    def __init__(self, cpus: Sequence[int], spin: Callable[[int], None], stat: Path = STAT) -> None:
        self._cpus, self._spin, self._stat = tuple(cpus), spin, stat
        self._best = float("inf")
        self._pace, self._looked = 1.0, -float("inf")

    def stolen_us(self) -> float:
        """Time that a hypervisor has taken from the cores so far; 0 where the kernel does not say."""
        try:
            lines = self._stat.read_text(encoding="ascii").splitlines()
        except OSError:
            return 0.0
        names = {f"cpu{number}" for number in self._cpus}
        fields = [line.split() for line in lines]
        return sum(TICK_US * int(f[STEAL]) for f in fields if f and f[0] in names and len(f) > STEAL)

    def pace(self, now: Callable[[], float] = time.perf_counter) -> float:
        """How much longer the same steps take on the first of the cores than they took at best."""
        if now() - self._looked > LOOK_S:
            took = self._timed()
            self._best = min(self._best, took)
            self._pace, self._looked = took / self._best, now()
        return self._pace

    def _timed(self) -> float:
        """CPU time of the steps on that core, the better of two: one interrupt must not look like a slow clock."""
        ours = os.sched_getaffinity(0)
        try:
            os.sched_setaffinity(0, {self._cpus[0]})
            return min(self._once(), self._once())
        finally:
            os.sched_setaffinity(0, ours)

    def _once(self) -> float:
        started = time.clock_gettime_ns(time.CLOCK_THREAD_CPUTIME_ID)
        self._spin(SPINS)
        return float(time.clock_gettime_ns(time.CLOCK_THREAD_CPUTIME_ID) - started)


def disturbance(wall_us: float, waited_us: float, seen: Seen) -> str:
    """What disturbed a block of `wall_us`, in one word or two; "" when nothing did."""
    if waited_us > DISTURBED * wall_us:
        return "preempted"
    if seen.stolen_us > 0:
        return "stolen"
    return "slow clock" if seen.pace > SLOW else ""
