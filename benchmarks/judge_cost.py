"""What judging costs beyond the candidate's compile and its own calls: C, 1 M elements, the oracle cached.

python benchmarks/judge_cost.py [TIMES]. Two kernels: one that reads a million elements and writes a thousand, and one
that changes a million in place. Prints a table; exits 1 when a median is not below 150 ms.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atunner.core.candidate import Candidate
from atunner.core.judge import judge
from atunner.core.measurement import Measurement
from atunner.core.profile import Profile
from atunner.core.statistics import median
from atunner.core.status import Status
from atunner.core.task import Task
from atunner.core.trial import Check
from atunner.domains.kernels.backends.c import CBackend, CBuilt, CSession
from atunner.domains.kernels.blocks import Block
from atunner.domains.kernels.feed import Feed
from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.selftest import Entry, corpus
from atunner.domains.kernels.selftest.problems import ROW_SUM, SWISH
from atunner.domains.kernels.stages import Ready, Stages, Terms
from atunner.domains.kernels.timing import TimingPlan

MOST_MS = 150.0
VERIFYING = 2 * 5
"""Calls with the whole problem in both verifications."""
TASK = Task(name="cost")


class Counting(CBackend):
    """The C backend, with the number of timed calls, the time they took, and the time spent waiting for the device."""

    calls = 0
    spent_us = 0.0
    waited_ms = 0.0

    @contextmanager
    def device(self) -> Iterator[None]:
        """The processor alone; another run that measures on it is no cost of judging."""
        started = time.perf_counter()
        with super().device():
            self.waited_ms += 1e3 * (time.perf_counter() - started)
            yield

    def session(self, built: CBuilt, feed: Feed, plan: TimingPlan) -> CSession:
        """A session whose blocks are counted."""
        made = super().session(built, feed, plan)
        plain = made.block

        def counted(calls: int, batch: int = 1) -> Block:
            block = plain(calls, batch)
            self.calls, self.spent_us = self.calls + calls, self.spent_us + block.total_us
            return block

        made.block = counted  # type: ignore[method-assign]  # a clock round it, nothing else
        return made


class Clocked:
    """The stages again, with the time that each took."""

    def __init__(self, stages: Stages[CBuilt]) -> None:
        self.stages = stages
        self.ms: dict[str, float] = {}

    def _add(self, name: str, started: float) -> None:
        self.ms[name] = self.ms.get(name, 0.0) + 1e3 * (time.perf_counter() - started)

    def check(self, task: Task, candidate: Candidate) -> tuple[Check, ...]:
        """As the judge calls it."""
        started = time.perf_counter()
        found = self.stages.check(task, candidate)
        self._add("check", started)
        return found

    def build(self, task: Task, candidate: Candidate) -> Ready[CBuilt]:
        """As the judge calls it."""
        return self.stages.build(task, candidate)

    def verify(self, task: Task, built: Ready[CBuilt]) -> tuple[Check, ...]:
        """As the judge calls it."""
        started = time.perf_counter()
        found = self.stages.verify(task, built)
        self._add("verify", started)
        return found

    def measure(self, task: Task, built: Ready[CBuilt]) -> Measurement:
        """As the judge calls it."""
        started = time.perf_counter()
        found = self.stages.measure(task, built)
        self._add("measure", started)
        return found

    def profile(self, task: Task, built: Ready[CBuilt]) -> Profile:
        """As the judge calls it."""
        return Profile(notes=("not part of this figure",))


class Costs:
    """What each judgement of one candidate cost, in milliseconds."""

    def __init__(self) -> None:
        self.totals: list[float] = []
        self.stages: list[dict[str, float]] = []
        self.own: list[float] = []
        self.calls: list[int] = []
        self.cpu: list[float] = []

    def row(self, name: str) -> str:
        """One line of the table."""
        stages = "".join(f"{median([s[part] for s in self.stages]):9.1f}" for part in ("check", "verify", "measure"))
        calls = f"{median(self.own):9.1f} ({median(self.calls):.0f})"
        return f"{name:16}{stages}{calls:>16}{median(self.cpu):11.1f}{median(self.totals):9.1f}{min(self.totals):9.1f}"


def costs(backend: Counting, stages: Stages[CBuilt], candidate: Candidate, times: int) -> Costs:
    """Judge `times` times; a judgement before them compiles and fills the oracle."""
    found = Costs()
    for index in range(times + 1):
        clocked = Clocked(stages)
        backend.calls, backend.spent_us, backend.waited_ms = 0, 0.0, 0.0
        cpu = time.process_time()
        trial = judge(clocked, TASK, candidate)
        cpu = 1e3 * (time.process_time() - cpu)
        if trial.status is not Status.OK or trial.measurement is None:
            print(f"{trial.status}: {trial.feedback}")
            continue
        if not index:
            continue
        calls = backend.calls + VERIFYING
        own = backend.spent_us / 1e3 + VERIFYING * trial.measurement.value / 1e3
        found.totals.append(sum(clocked.ms.values()) - own - backend.waited_ms)
        found.stages.append(clocked.ms)
        found.own.append(own)
        found.calls.append(calls)
        found.cpu.append(cpu)
    return found


def main(times: int, cache: Path) -> int:
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; medians of {times} judgements, in ms")
    print(
        f"{'kernel':16}{'check':>9}{'verify':>9}{'measure':>9}"
        f"{'its own calls':>16}{'judge CPU':>11}{'judging':>9}{'least':>9}"
    )
    missed = []
    for operator, name in ((ROW_SUM, "fast-math"), (SWISH, "in-place")):
        problem = operator.problem((1000, 1000), {}, "float32")
        backend = Counting(cache)
        stages = Stages(backend, Terms(Oracle(operator), problem))
        entry: Entry = next(e for e in corpus("honest") if e.name == name)
        found = costs(backend, stages, entry.candidate, times)
        print(found.row(operator.name), flush=True)
        if not found.totals or median(found.totals) >= MOST_MS:
            missed.append(operator.name)
    print(f"missed: median not below {MOST_MS:.0f} ms: {', '.join(missed)}" if missed else "all figures reached")
    return 1 if missed else 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 21, Path(folder)))
