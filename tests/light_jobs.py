"""A worker whose jobs are light: a few measurements each, through the queue, the fence and the record as in real runs.

A file witnesses each measurement, begun and recorded. Run as a program: URL WITNESS UNITS LEASE_S.
"""

import os
import signal
import sys
import threading
from multiprocessing import get_context

from records import ok, run_record

from atunner.core.job import Lease, LostLease
from atunner.jobs.worker import Pace, Worker
from atunner.knowledge_base.database import Database, DatabaseLost
from atunner.knowledge_base.jobs import JobStore
from atunner.knowledge_base.runs import UnknownRun
from atunner.knowledge_base.store import Store
from atunner.service.child import TRY_LATER
from atunner.service.processes import JobProcess
from atunner.tools.lifeline import die_with_parent
from atunner.tools.scratch import Folder


def ready() -> None:
    """Nothing: once it ended, the server that forks jobs is up."""


def begin(lease: str, url: str, witness: str, units: int, lease_s: float) -> None:
    """The process of one job."""
    die_with_parent()
    try:
        work(Lease.model_validate_json(lease), Database(url), witness, units, lease_s)
    except (LostLease, DatabaseLost):
        sys.exit(TRY_LATER)


def work(lease: Lease, database: Database, witness: str, units: int, lease_s: float) -> None:
    """Take what is not recorded yet, as a run that is resumed does."""
    jobs, store = JobStore(database, lease_s), Store(database, lease)
    run = lease.job.run or f"run-{lease.job.id}"
    jobs.attach(lease, run)
    try:
        store.head(run)
    except UnknownRun:
        store.save_run(run_record(run))
    for number in range(units):
        trial = ok(number)
        if store.trial(run, trial.candidate.id) is None:
            say(witness, f"begun {run} {number}")
            store.record(run, trial)
            say(witness, f"recorded {run} {number}")
        jobs.tell(lease, "trial", {"number": number}, number + 1)
    store.event(lease.job.id, "state", {"state": "done"}, key="end")
    jobs.complete(lease)


def say(witness: str, line: str) -> None:
    """Append a line, whole."""
    descriptor = os.open(witness, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


def main(url: str, witness: str, units: int, lease_s: float) -> None:
    """Work until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    context = get_context("forkserver")
    context.set_forkserver_preload(["light_jobs"])
    warm = context.Process(target=ready)
    warm.start()
    warm.join()

    def start(lease: Lease) -> JobProcess:
        process = context.Process(target=begin, args=(lease.model_dump_json(), url, witness, units, lease_s))
        process.start()
        return JobProcess(process, Folder())

    Worker(JobStore(url, lease_s, stalls=1000), start, Pace(slots=2, beat_s=0.4)).run(stop)


if __name__ == "__main__":
    from light_jobs import main as of_the_module  # so that what is pickled lies in a module, not in __main__

    of_the_module(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
