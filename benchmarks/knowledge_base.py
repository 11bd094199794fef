"""How long the knowledge base takes: recording a trial, loading a run, recalling, submitting and claiming jobs.

Usage: python benchmarks/knowledge_base.py [URL]
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from atunner.core.candidate import Candidate
from atunner.core.job import JobRequest
from atunner.core.measurement import Measurement
from atunner.core.record import RunRecord, RunState
from atunner.core.status import Status
from atunner.core.task import Budget, Task
from atunner.core.trial import Check, Trial
from atunner.knowledge_base import Store
from atunner.knowledge_base.jobs import JobStore

TASK = Task(name="matmul", spec={"operator": "matmul", "shape": [512, 512, 512]})
TRIALS = 500
# Median milliseconds; recording is on the path of every trial, the others are not.
LIMITS = {"record a trial": 2.0, "record it again": 2.0, "submit a job": 5.0, "claim and complete": 10.0}


def trial(number: int) -> Trial:
    """A trial of the usual size: 8 KB of source, 30 samples, six checks."""
    checks = tuple(Check(name=f"shape {n}", passed=True, figures={"worst": 1e-6 * n}) for n in range(6))
    samples = tuple(10.0 + number / 7 + n / 100 for n in range(30))
    return Trial(
        candidate=Candidate(files={"kernel.cu": "x" * 8000}, params={"tile": number}, family="tiled"),
        status=Status.OK,
        measurement=Measurement(unit="us", samples=samples, source="cpu"),
        checks=checks,
    )


def timed(action: Callable[[int], object], times: int) -> list[float]:
    """Milliseconds of each call."""
    taken = []
    for number in range(times):
        start = time.perf_counter()
        action(number)
        taken.append((time.perf_counter() - start) * 1e3)
    return taken


def figures(store: Store) -> dict[str, list[float]]:
    """Milliseconds of each kind of access."""
    store.save_run(RunRecord(run="run", task=TASK, state=RunState.RUNNING, budget=Budget(trials=TRIALS)))
    jobs = JobStore(store.database)
    request = JobRequest(task=TASK, budget=Budget(trials=5))

    def work(_: int) -> None:
        lease = jobs.claim("worker")
        if lease is not None:
            jobs.complete(lease)

    return {
        "record a trial": timed(lambda n: store.record("run", trial(n)), TRIALS),
        "record it again": timed(lambda n: store.record("run", trial(n)), TRIALS),
        f"load a run of {TRIALS}": timed(lambda _: store.load("run"), 5),
        "recall 6 trials": timed(lambda _: store.recall(TASK, 6), 5),
        f"history of {TRIALS}": timed(lambda _: store.history(TASK), 5),
        "submit a job": timed(lambda n: jobs.submit(request, key=f"job {n}"), 300),
        "claim and complete": timed(work, 300),
    }


def main() -> int:
    """Print the table; 1 when a limit is missed."""
    with tempfile.TemporaryDirectory() as folder, Store([*sys.argv, Path(folder) / "kb.sqlite"][1]) as store:
        found = figures(store)
    missed = []
    for name, taken in found.items():
        limit = LIMITS.get(name)
        over = limit is not None and median(taken) > limit
        missed += [f"{name}: {median(taken):.2f} ms, limit {limit} ms"] * over
        print(f"{name:24} median {median(taken):8.3f} ms   worst {max(taken):8.3f} ms   limit {limit or '-'}")
    print("missed: " + "; ".join(missed) if missed else "all limits held")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
