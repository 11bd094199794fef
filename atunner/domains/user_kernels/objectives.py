"""Objectives besides time: GFLOP/s from the user's count of operations, and energy where a counter can be read."""

import time
from pathlib import Path

from atunner.core.errors import UserError
from atunner.core.expression import evaluate
from atunner.core.measurement import Measurement
from atunner.core.task import Objective
from atunner.core.trial import Comparison
from atunner.domains.kernels.timing import Session
from atunner.operators.user import UserKernel

OBJECTIVES = {
    "time": Objective(),
    "gflops": Objective(metric="gflops", unit="GFLOP/s", minimise=False),
    "energy": Objective(metric="energy", unit="uJ"),
}
POWERCAP = Path("/sys/class/powercap")
LEAST_S = 0.5
"""A counter of energy moves about a thousand times a second; so long it must be watched for one part in 500."""


def flops_of(kernel: UserKernel) -> float:
    """The kernel's operations. Raises UserError: they were not given."""
    if not kernel.flops:
        raise UserError(f"GFLOP/s of {kernel.name} need its operations; give flops: EXPRESSION over its sizes in YAML.")
    return float(evaluate(kernel.flops, kernel.sizes))


def as_gflops(found: Measurement, flops: float) -> Measurement:
    """Times in microseconds as operations a second."""
    return found.model_copy(update={"unit": "GFLOP/s", "samples": tuple(flops / us / 1e3 for us in found.samples)})


def compared_in_gflops(found: Comparison, flops: float) -> Comparison:
    """The same comparison: its ratio is that of the times, which is the inverse of the other's."""
    sides = {"baseline": as_gflops(found.baseline, flops), "candidate": as_gflops(found.candidate, flops)}
    return found.model_copy(update=sides)


class Counter:
    """The processor's own counter of energy (RAPL), one package or more.

    Raises:
        UserError: there is none that can be read.
    """

    def __init__(self, root: Path = POWERCAP) -> None:
        self.files = tuple(sorted(root.glob("intel-rapl:[0-9]*/energy_uj")))
        try:
            self.uj()
        except OSError as error:
            raise UserError(f"Energy cannot be read: {error.filename} needs more rights ({error.strerror}).") from error
        if not self.files:
            raise UserError(f"Energy cannot be read here: there is no RAPL counter in {root}; tune for time or gflops.")
        self._most = sum(int((f.parent / "max_energy_range_uj").read_text()) for f in self.files)

    def uj(self) -> int:
        """Microjoules since some start."""
        return sum(int(f.read_text()) for f in self.files)

    def since(self, before: int) -> int:
        """Microjoules since a reading; the counters start again at their end."""
        spent = self.uj() - before
        return spent if spent >= 0 else spent + self._most


def energy(session: Session, counter: Counter, blocks: int = 5) -> tuple[float, ...]:
    """Microjoules of a call, idle cores included: one sample for each stretch of at least LEAST_S."""
    session.block(session.most)
    found = []
    for _ in range(blocks):
        before, started, calls = counter.uj(), time.perf_counter(), 0
        while time.perf_counter() - started < LEAST_S:
            session.block(session.most)
            calls += session.most
        found.append(counter.since(before) / calls)
    return tuple(found)
