"""What judging costs beyond the candidate's compile and its own calls: C, 1 M elements, the oracle cached.

python benchmarks/judge_cost.py [TIMES]. Prints a table; exits 1 when the median is not below 150 ms.
"""

import sys
import tempfile
import time
from pathlib import Path

from atunner.core.candidate import Candidate
from atunner.core.judge import judge
from atunner.core.measurement import Measurement
from atunner.core.profile import Profile
from atunner.core.statistics import median
from atunner.core.status import Status
from atunner.core.task import Task
from atunner.core.trial import Check
from atunner.domains.kernels.backends.c import CBackend, CBuilt
from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.selftest import Entry, corpus
from atunner.domains.kernels.selftest.problems import ROW_SUM
from atunner.domains.kernels.stages import Ready, Stages, Terms

MOST_MS = 150.0
TASK = Task(name="cost")


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


def main(times: int, cache: Path) -> int:
    problem = ROW_SUM.problem((1000, 1000), {}, "float32")
    stages = Stages(CBackend(cache), Terms(Oracle(ROW_SUM), problem))
    entry: Entry = next(e for e in corpus("honest") if e.name == "fast-math")
    totals, parts, spent = [], [], []
    for index in range(times + 1):
        clocked = Clocked(stages)
        cpu = time.process_time()
        trial = judge(clocked, TASK, entry.candidate)
        cpu = 1e3 * (time.process_time() - cpu)
        if trial.status is not Status.OK or trial.measurement is None:
            print(f"{trial.status}: {trial.feedback}")
            continue
        calls = len(trial.measurement.samples) + 2 * 5
        own = calls * trial.measurement.value / 1e3
        if index:  # the first compiles and fills the oracle
            totals.append(sum(clocked.ms.values()) - own)
            parts.append((clocked.ms, own, calls))
            spent.append(cpu)
    for name in ("check", "verify", "measure"):
        print(f"{name:10} {median([ms[name] for ms, _, _ in parts]):8.1f} ms")
    middle, calling = median([n for _, _, n in parts]), median([own for _, own, _ in parts])
    print(f"{'own calls':10} {calling:8.1f} ms ({middle:.0f} calls)")
    print(f"{'judge CPU':10} {median(spent):8.1f} ms of the judge's own process")
    print(f"{'judging':10} {median(totals):8.1f} ms median of {len(totals)}, lowest {min(totals):.1f} ms")
    print("all figures reached" if median(totals) < MOST_MS else f"missed: median not below {MOST_MS:.0f} ms")
    return 0 if median(totals) < MOST_MS else 1


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 21, Path(folder)))
