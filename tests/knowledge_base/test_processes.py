"""Processes that share a database, and processes that die: nothing recorded is lost or doubled."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from records import MATMUL, ok, run_record

from atunner.core.job import JobFilter, JobRequest, JobState
from atunner.core.task import Budget
from atunner.knowledge_base import open_store
from atunner.knowledge_base.jobs import JobStore

TESTS = Path(__file__).parent.parent
# Says each trial on its output after it was recorded, so that the test knows what must be there.
WRITER = """
import sys
sys.path.insert(0, sys.argv[1])
from records import ok
from atunner.knowledge_base import open_store
store = open_store(sys.argv[2])
for number in range(int(sys.argv[3]), int(sys.argv[4])):
    store.record("run-1", ok(number))
    seq = store.event("run-1", "recorded", {"tile": number}, key=f"trial-{number}")
    print(number, flush=True)
"""
WORKER = """
import sys
sys.path.insert(0, sys.argv[1])
from records import ok
from atunner.core.job import LostLease
from atunner.knowledge_base import Store
from atunner.knowledge_base.jobs import JobStore
jobs = JobStore(sys.argv[2], lease_s=0.3, stalls=1000)
store = Store(jobs.database)
while (lease := jobs.claim(sys.argv[3])) is not None or jobs.counts()["running"]:
    if lease is None:
        continue
    print("claimed", flush=True)
    try:
        for number in range(5):
            store.under(lease).record(lease.job.request.run, ok(number))
            jobs.heartbeat(lease, progress=number + 1)
        jobs.complete(lease)
    except LostLease:
        pass
"""


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", program, str(TESTS), *arguments], stdout=subprocess.PIPE, text=True)


def ended(processes: Sequence[subprocess.Popen[str]]) -> list[str]:
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return outputs


def test_two_processes_write_one_run_without_loss(shared_url: str) -> None:
    with open_store(shared_url) as store:
        store.save_run(run_record())
        ended([start(WRITER, shared_url, "0", "60"), start(WRITER, shared_url, "30", "90")])

        assert sorted(int(str(t.candidate.params["tile"])) for t in store.trials("run-1")) == list(range(90))
        assert [e.seq for e in store.events("run-1")] == list(range(1, 91))


def test_many_processes_open_a_new_database_at_once(shared_url: str) -> None:
    opening = "import sys; from atunner.knowledge_base import open_store; print(len(open_store(sys.argv[2]).runs()))"

    assert ended([start(opening, shared_url) for _ in range(3)]) == ["0\n"] * 3


@pytest.mark.parametrize("seed", range(2))
def test_a_writer_killed_at_any_moment_loses_nothing_that_it_reported(shared_url: str, seed: int) -> None:
    chance = random.Random(seed)
    with open_store(shared_url) as store:
        store.save_run(run_record())
        reported: set[int] = set()
        for _ in range(3):
            writer = start(WRITER, shared_url, "0", "100000")
            assert writer.stdout is not None
            for _ in range(chance.randrange(1, 40)):
                reported.add(int(writer.stdout.readline()))
            time.sleep(chance.random() / 200)
            writer.send_signal(signal.SIGKILL)
            reported |= {int(line) for line in writer.communicate()[0].splitlines() if line}

        tiles = [int(str(t.candidate.params["tile"])) for t in store.trials("run-1")]
        assert reported <= set(tiles)
        assert len(tiles) == len(set(tiles)) <= max(reported) + 2
        assert [e.seq for e in store.events("run-1")] == list(range(1, len(store.events("run-1")) + 1))
        assert store.trial("run-1", ok(0).candidate.id) == ok(0)


def test_jobs_survive_workers_that_are_killed(shared_url: str) -> None:
    chance = random.Random(7)
    jobs = JobStore(shared_url)
    with open_store(shared_url) as store:
        for number in range(20):
            store.save_run(run_record(f"run-{number}"))
            jobs.submit(JobRequest(task=MATMUL, budget=Budget(trials=5), run=f"run-{number}"))
        for kill in range(3):
            worker = start(WORKER, shared_url, f"killed-{kill}")
            assert worker.stdout is not None
            for _ in range(chance.randrange(1, 4)):
                worker.stdout.readline()
            worker.kill()
            worker.communicate()
        ended([start(WORKER, shared_url, f"w{n}") for n in range(2)])

        page = jobs.list(JobFilter(limit=100))
        assert {job.state for job in page.jobs} == {JobState.DONE}
        assert [len(store.trials(f"run-{number}")) for number in range(20)] == [5] * 20
    jobs.close()
