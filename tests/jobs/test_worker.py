"""Workers that end, are told to end, and are killed: each job ends once, and nothing recorded is done again."""

import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from service_jobs import WAIT_S, all_jobs, end, settings_at, toy, until, worker

from atunner.core.job import ENDED, JobState
from atunner.core.record import RunState
from atunner.knowledge_base.jobs import JobStore
from atunner.knowledge_base.store import Store
from atunner.tools.tree import descendants, gone

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[JobStore]:
    store = JobStore(settings_at(tmp_path).database_url)
    yield store
    store.close()


def test_a_job_runs_to_its_end_and_tells_its_story(tmp_path: Path, jobs: JobStore) -> None:
    job = jobs.submit(toy())
    process = worker(tmp_path)
    try:
        until(lambda: jobs.get(job.id).state in ENDED)
    finally:
        end(process)
    done, store = jobs.get(job.id), Store(jobs.database)
    record = store.load(str(done.run))
    told = store.events(job.id)

    assert done.state is JobState.DONE, done.reason
    assert (record.state, done.progress) == (RunState.DONE, len(record.trials))
    assert record.winner is not None
    assert [e.seq for e in told] == list(range(1, len(told) + 1))
    assert told[0].kind == "state"
    assert {"trial", "note", "end"} <= {e.kind for e in told}


def test_a_wrong_request_fails_with_its_reason(tmp_path: Path, jobs: JobStore) -> None:
    request = toy().model_copy(update={"task": toy().task.model_copy(update={"spec": {"floor": -1}})})
    job = jobs.submit(request)
    process = worker(tmp_path)
    try:
        until(lambda: jobs.get(job.id).state in ENDED)
    finally:
        end(process)

    assert jobs.get(job.id).state is JobState.FAILED
    assert "floor=INTEGER" in jobs.get(job.id).reason


def test_a_cancelled_job_ends_with_all_its_processes(tmp_path: Path, jobs: JobStore) -> None:
    request = toy(trials=1_000_000, rounds=1_000_000, patience=1_000_000, search="random")
    job = jobs.submit(request.model_copy(update={"options": {**request.options, "executor": "local"}}))
    process = worker(tmp_path)
    try:
        until(lambda: jobs.get(job.id).progress > 2)
        before = descendants(process.pid)
        jobs.cancel(job.id, "asked for")
        until(lambda: not _at_work(before, process.pid))  # how soon is a figure of benchmarks/service.py
        assert jobs.get(job.id).state is JobState.CANCELLED
    finally:
        end(process)


def _at_work(before: set[int], pid: int) -> set[int]:
    """Processes of the job that are left: the server that forks jobs and its tracker stay, and have no children."""
    return {p for p in descendants(pid) & before if _parent_of(p) != pid and not gone({p}, 0)}


def test_a_worker_told_to_stop_gives_its_job_back_and_another_goes_on(tmp_path: Path, jobs: JobStore) -> None:
    job = jobs.submit(toy(trials=60, patience=100, rounds=100))
    first = worker(tmp_path)
    try:
        until(lambda: jobs.get(job.id).progress > 5)
        first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=WAIT_S) == 0
        given_back = jobs.get(job.id)
        assert given_back.state is JobState.QUEUED
    finally:
        end(first)
    second = worker(tmp_path)
    try:
        until(lambda: jobs.get(job.id).state in ENDED)
    finally:
        end(second)
    done = jobs.get(job.id)
    judged = [t.candidate.id for t in Store(jobs.database).trials(str(done.run))]

    assert (done.state, done.run, done.attempts) == (JobState.DONE, given_back.run, 2)
    assert len(judged) == len(set(judged)) >= given_back.progress


def test_a_job_that_kills_its_process_each_time_is_poison(tmp_path: Path, jobs: JobStore) -> None:
    job = jobs.submit(toy(trials=10_000, patience=1000, rounds=1000))
    process = worker(tmp_path, slots=1, lease_s=0.5, stalls=3, preloaded=("deadly_toy",))
    try:
        until(lambda: jobs.get(job.id).state in ENDED)
    finally:
        end(process)

    found = jobs.get(job.id)
    assert found.state is JobState.FAILED
    assert "poison" in found.reason
    assert found.attempts == 3


def _parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return -1


@pytest.mark.parametrize(
    ("seed", "kills", "count"),
    [
        pytest.param(11, 10, 20, marks=pytest.mark.timeout(1800)),
        pytest.param(12, 100, 300, marks=[pytest.mark.slow, pytest.mark.timeout(1800)]),
    ],
)
def test_workers_killed_at_random_lose_and_repeat_nothing(
    tmp_path: Path, jobs: JobStore, seed: int, kills: int, count: int
) -> None:
    chance = random.Random(seed)
    ids = [jobs.submit(toy(n, trials=24), key=f"job-{n}").id for n in range(1, count + 1)]
    running = [worker(tmp_path, slots=1), worker(tmp_path, slots=1)]
    try:
        for _ in range(kills):
            moved = _progress(jobs) + chance.randrange(1, 30)
            until(lambda m=moved: _progress(jobs) >= m or _finished(jobs) == count)  # type: ignore[misc]
            process = running.pop(chance.randrange(2))
            process.kill()
            process.communicate(timeout=WAIT_S)
            running.append(worker(tmp_path, slots=1))
        until(lambda: _finished(jobs) == count, WAIT_S + count)
    finally:
        for process in running:
            end(process)

    _nothing_lost(jobs, ids, seed)
    assert sum(j.attempts for j in all_jobs(jobs)) > count, "no kill hit a job at work"


def _finished(jobs: JobStore) -> int:
    counts = jobs.counts()
    return sum(counts[state] for state in ENDED)


def _progress(jobs: JobStore) -> int:
    return sum(j.progress for j in all_jobs(jobs))


def _nothing_lost(jobs: JobStore, ids: list[str], seed: int) -> None:
    found, store, count = all_jobs(jobs), Store(jobs.database), len(ids)
    print(f"seed {seed}: attempts {sorted(Counter(j.attempts for j in found).items())}")  # noqa: T201 - the seed, to repeat it
    assert sorted(j.id for j in found) == sorted(ids)
    assert {j.state for j in found} == {JobState.DONE}, [j.reason for j in found if j.state is not JobState.DONE]
    assert len({j.run for j in found}) == count
    for job in found:
        judged = [t.candidate.id for t in store.trials(str(job.run))]
        assert len(judged) == len(set(judged))
        events = store.events(job.id, limit=5000)
        assert [e.seq for e in events] == list(range(1, len(events) + 1))
        said = Counter(str(e.body["message"]).split(":")[0] for e in events if e.kind == "trial")  # type: ignore[index,call-overload]
        assert not {name: n for name, n in said.items() if n > 1}, "a recorded trial was judged again"
