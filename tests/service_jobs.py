"""Toy jobs on a queue in a file, and worker processes to work on them and to be killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from atunner.core.job import Job, JobFilter, JobRequest
from atunner.core.task import Budget, Task
from atunner.knowledge_base.jobs import JobStore
from atunner.settings import Settings
from atunner.tools.tree import descendants, kill_tree

LEASE_S = 1.5
WAIT_S = 240.0
"""How long something may take that only has to happen: for a machine ten times slower and busy."""

WORKER = """
import sys, threading, signal
if __name__ == "__main__":
    from atunner.tools import scratch
    scratch.begin()
from pathlib import Path
from atunner.service import processes
from atunner.jobs.worker import Pace
from atunner.settings import Settings
if __name__ == "__main__":
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = Settings(data=Path(sys.argv[1]), cache=Path(sys.argv[1]), database="", model="none")
    print("ready", flush=True)
    processes.PRELOADED += sys.argv[5:]
    pace = Pace(slots=int(sys.argv[2]), beat_s=0.3, grace_s=60)
    processes.make_worker(settings, pace, float(sys.argv[3]), int(sys.argv[4])).run(stop)
"""
PATIENT = 1000
"""Attempts without progress that are no poison: on a busy machine a short lease runs out before a job has begun."""


def settings_at(folder: Path) -> Settings:
    return Settings(data=folder, cache=folder, database="", model="none")


def toy(floor: int = 1, trials: int = 40, **options: object) -> JobRequest:
    run = {"search": "local", "slice": 8, "seed": floor, **options}
    return JobRequest(
        task=Task(domain="toy", name="toy", spec={"floor": floor}),
        budget=Budget(trials=trials),
        options={"executor": "inline", "options": run},
    )


def worker(
    folder: Path, slots: int = 2, lease_s: float = LEASE_S, stalls: int = PATIENT, preloaded: tuple[str, ...] = ()
) -> "subprocess.Popen[str]":
    """A worker process with a main file, as its own forks need one to come back to. preloaded: modules for its jobs."""
    script = folder / "worker.py"
    script.write_text(WORKER)
    argv = [sys.executable, str(script), str(folder), str(slots), str(lease_s), str(stalls), *preloaded]
    beside = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.Popen(argv, env=beside, stdout=subprocess.PIPE, text=True, start_new_session=True)


def end(process: "subprocess.Popen[str]") -> None:
    """Whatever became of the test, nothing stays behind."""
    below = descendants(process.pid)
    if process.poll() is None:
        kill_tree(process.pid)
    for pid in below:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.communicate(timeout=WAIT_S)


def until(what: Callable[[], bool], timeout_s: float = WAIT_S) -> None:
    """Wait for something to become true, or fail."""
    limit = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.1)


def all_jobs(jobs: JobStore) -> tuple[Job, ...]:
    return jobs.list(JobFilter(limit=1000)).jobs
