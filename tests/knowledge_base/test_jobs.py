"""The contract of the queue, on every database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from records import MATMUL, ok, run_record

from atunner.core.errors import UserError
from atunner.core.job import JobFilter, JobRequest, JobState, Lease, LostLease
from atunner.core.task import Budget
from atunner.knowledge_base import Store
from atunner.knowledge_base.jobs import JobStore, UnknownJob


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def jobs(url: str, clock: Hand) -> Iterator[JobStore]:
    store = JobStore(url, lease_s=30, now=clock)
    yield store
    store.close()


def request(**changes: object) -> JobRequest:
    return JobRequest(task=MATMUL, budget=Budget(trials=10)).model_copy(update=changes)


def claimed(jobs: JobStore, worker: str = "w1") -> Lease:
    lease = jobs.claim(worker)
    assert lease is not None
    return lease


def test_a_job_goes_from_queue_to_done(jobs: JobStore) -> None:
    job = jobs.submit(request(labels={"team": "a"}))
    lease = claimed(jobs)
    jobs.attach(lease, "run-1")
    jobs.heartbeat(lease, progress=3)
    jobs.complete(lease, "target reached")

    done = jobs.get(job.id)

    assert (done.state, done.run, done.progress, done.reason) == (JobState.DONE, "run-1", 3, "target reached")
    assert done.request.labels == {"team": "a"}
    assert jobs.claim("w2") is None


def test_one_key_is_one_job(jobs: JobStore) -> None:
    first, again = jobs.submit(request(), key="k"), jobs.submit(request(), key="k")

    assert first == again
    assert jobs.list(JobFilter()).total == 1
    with pytest.raises(UserError, match="used for another request"):
        jobs.submit(request(priority=5), key="k")


def test_one_key_from_many_clients_at_once_is_one_job(jobs: JobStore) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: jobs.submit(request(), key="same").id, range(50)))

    assert len(set(found)) == 1


def test_higher_priority_goes_first_then_age(jobs: JobStore, clock: Hand) -> None:
    submitted = []
    for priority in (0, 5, 0, 5):
        submitted.append(jobs.submit(request(priority=priority)).id)
        clock.time += 1

    order = [claimed(jobs).job.id for _ in range(4)]

    assert order == [submitted[n] for n in (1, 3, 0, 2)]


def test_a_worker_takes_only_its_targets(jobs: JobStore) -> None:
    jobs.submit(request())

    assert jobs.claim("w", targets=["A100"]) is None
    assert jobs.claim("w", targets=["A100", "host"]) is not None


def test_a_silent_worker_loses_its_job_and_may_not_write(jobs: JobStore, clock: Hand) -> None:
    jobs.submit(request())
    lost = claimed(jobs, "w1")
    clock.time += 31
    held = claimed(jobs, "w2")
    store = Store(jobs.database)
    store.save_run(run_record())

    for write in (
        lambda: jobs.heartbeat(lost),
        lambda: jobs.complete(lost),
        lambda: jobs.fail(lost, "x"),
        lambda: jobs.release(lost),
        lambda: jobs.attach(lost, "run-1"),
        lambda: store.under(lost).record("run-1", ok(1)),
    ):
        with pytest.raises(LostLease, match="given to worker w2"):
            write()
    store.under(held).record("run-1", ok(2))
    assert store.trials("run-1") == [ok(2)]
    assert held.job.attempts == 2


def test_a_heartbeat_keeps_the_job(jobs: JobStore, clock: Hand) -> None:
    jobs.submit(request())
    lease = claimed(jobs)
    for _ in range(5):
        clock.time += 20
        lease = jobs.heartbeat(lease)

    assert jobs.claim("w2") is None
    assert lease.until == clock.time + 30


def test_a_cancelled_job_stops_its_worker_and_stays_cancelled(jobs: JobStore) -> None:
    job = jobs.submit(request())
    lease = claimed(jobs)
    jobs.cancel(job.id, "by the user")
    jobs.cancel(job.id, "again")

    with pytest.raises(LostLease, match="is cancelled"):
        jobs.complete(lease)
    assert jobs.get(job.id).reason == "by the user"


def test_a_job_that_kills_its_workers_is_given_up(jobs: JobStore, clock: Hand) -> None:
    job = jobs.submit(request())
    for _ in range(3):
        claimed(jobs)
        clock.time += 31

    assert jobs.claim("w") is None
    assert jobs.get(job.id).state is JobState.FAILED
    assert "3 attempts without any progress" in jobs.get(job.id).reason


def test_progress_forgives_earlier_deaths(jobs: JobStore, clock: Hand) -> None:
    jobs.submit(request())
    for attempt in range(8):
        lease = claimed(jobs)
        if attempt % 2:
            jobs.heartbeat(lease, progress=attempt)
        clock.time += 31

    assert claimed(jobs).job.attempts == 9


def test_a_released_job_is_not_blamed(jobs: JobStore) -> None:
    jobs.submit(request())
    for _ in range(5):
        jobs.release(claimed(jobs))

    assert claimed(jobs).job.state is JobState.RUNNING


def test_expired_jobs_go_back_to_the_queue(jobs: JobStore, clock: Hand) -> None:
    job = jobs.submit(request())
    lease = claimed(jobs)
    assert jobs.requeue_expired() == 0
    clock.time += 31

    assert jobs.requeue_expired() == 1
    assert jobs.get(job.id).state is JobState.QUEUED
    with pytest.raises(LostLease):
        jobs.heartbeat(lease)


def test_a_job_that_needs_approval_waits_for_it(jobs: JobStore) -> None:
    job = jobs.submit(request(approval=True))
    assert jobs.claim("w") is None

    jobs.approve(job.id)

    assert claimed(jobs).job.id == job.id


def test_only_ended_jobs_are_deleted(jobs: JobStore) -> None:
    job = jobs.submit(request())
    with pytest.raises(UserError, match="Cancel it first"):
        jobs.delete(job.id)
    jobs.cancel(job.id)
    jobs.delete(job.id)

    with pytest.raises(UnknownJob):
        jobs.get(job.id)


def test_jobs_are_filtered_sorted_and_paged(jobs: JobStore, clock: Hand) -> None:
    for number in range(6):
        task = MATMUL.model_copy(update={"name": f"task_{number}%"})
        jobs.submit(request(task=task, owner=f"o{number % 2}", labels={"n": str(number)}))
        clock.time += 1

    def names(which: JobFilter) -> list[str]:
        return [job.request.task.name for job in jobs.list(which).jobs]

    assert names(JobFilter(limit=2, offset=1)) == ["task_4%", "task_3%"]
    assert names(JobFilter(sort="name", owner="o1")) == ["task_1%", "task_3%", "task_5%"]
    assert names(JobFilter(labels={"n": "2"})) == ["task_2%"]
    assert names(JobFilter(text="K_3%")) == ["task_3%"]
    assert jobs.list(JobFilter(states=frozenset({JobState.QUEUED}), limit=1)).total == 6
    assert jobs.counts()[JobState.QUEUED] == 6
    with pytest.raises(UserError, match="Cannot sort jobs by 'cost'"):
        jobs.list(JobFilter(sort="cost"))
