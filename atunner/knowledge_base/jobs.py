"""The queue of jobs: accepted jobs are not lost, each is worked on by one worker at a time."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import JsonValue
from sqlalchemy import Connection, case, delete, func, or_, select, update
from sqlalchemy.sql import Select

from atunner.core.errors import UserError
from atunner.core.job import ENDED, Job, JobFilter, JobPage, JobRequest, JobState, Lease
from atunner.knowledge_base import fence, streams
from atunner.knowledge_base.candidates import AnyRow
from atunner.knowledge_base.database import Database
from atunner.knowledge_base.tables import JobLabelRow, JobRow

SORTS = {"created": JobRow.created, "priority": JobRow.priority, "state": JobRow.state, "name": JobRow.name}


class UnknownJob(UserError):
    """No job has that id."""


class TooManyJobs(UserError):
    """The owner has as many unfinished jobs as it may have."""


class JobStore:
    """`Jobs` of the ports over one database.

    lease_s: how long a worker may be silent. stalls: after this many attempts in a row without progress a job is
    poison and fails. now: seconds since the epoch; all workers on one database need clocks that agree within a few
    seconds.
    """

    def __init__(
        self,
        database: Database | str | Path,
        lease_s: float = 30.0,
        stalls: int = 3,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.database = database if isinstance(database, Database) else Database(database)
        self._lease_s, self._stalls, self._now = lease_s, stalls, now

    def close(self) -> None:
        """Give back all connections."""
        self.database.close()

    def submit(self, request: JobRequest, key: str | None = None, most_open: int = 0) -> Job:
        """Accept a job; with a key seen before, the job of that key. Committed with its first event when this returns.

        most_open: jobs of the owner that may be unfinished, 0 for any number.

        Raises:
            UserError: the key was used for another request. TooManyJobs: the owner has that many unfinished ones.
        """
        row = self._new(request, key)
        with self.database.write() as connection:
            if not self.database.add_one(connection, JobRow, row):
                return self._earlier(connection, request, str(key))
            if most_open and self._open(connection, request.owner) > most_open:
                raise TooManyJobs(
                    f"{request.owner} has {most_open} unfinished jobs, which is its limit. Wait for one, or cancel it."
                )
            labels = [{"job": row["id"], "name": n, "value": v} for n, v in request.labels.items()]
            self.database.add(connection, JobLabelRow, labels)
            streams.begin(connection, row["id"], "state", {"state": row["state"]}, key="submitted")
        return Job(id=row["id"], request=request, state=row["state"], run=request.run, created=row["created"])

    def _open(self, connection: Connection, owner: str) -> int:
        self.database.serialise(connection, f"open jobs of {owner}")
        unfinished = JobRow.state.not_in([state.value for state in ENDED])
        return int(connection.execute(select(func.count()).where(JobRow.owner == owner, unfinished)).scalar_one())

    def _new(self, request: JobRequest, key: str | None) -> dict[str, Any]:
        empty = {"reason": "", "worker": "", "token": 0, "attempts": 0, "stalled": 0, "progress": 0}
        return empty | {
            "id": secrets.token_hex(8),
            "idempotency_key": key,
            "domain": request.task.domain,
            "name": request.task.name,
            "target": request.task.target,
            "request": request.model_dump(mode="json"),
            "owner": request.owner,
            "parent": request.parent,
            "run": request.run,
            "state": (JobState.WAITING if request.approval else JobState.QUEUED).value,
            "priority": request.priority,
            "progress_at_claim": 0,
            "created": self._now(),
        }

    def _earlier(self, connection: Connection, request: JobRequest, key: str) -> Job:
        job = _job(connection.execute(select(JobRow.__table__).where(JobRow.idempotency_key == key)).one())
        if job.request != request:
            raise UserError(f"The idempotency key {key!r} was used for another request (job {job.id}). Use a new key.")
        return job

    def get(self, job: str) -> Job:
        """The job of that id. Raises UnknownJob."""
        with self.database.read() as connection:
            return _job(_row(connection, job))

    def list(self, which: JobFilter) -> JobPage:
        """A page of jobs.

        Raises:
            UserError: no such order.
        """
        query = _filtered(which)
        order = _order(which.sort)
        with self.database.read() as connection:
            total = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
            page = query.order_by(*order).limit(which.limit).offset(which.offset)
            return JobPage(jobs=tuple(_job(row) for row in connection.execute(page)), total=total)

    def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state."""
        query = select(JobRow.state, func.count()).group_by(JobRow.state)
        with self.database.read() as connection:
            found = {JobState(state): int(count) for state, count in connection.execute(query)}
        return {state: found.get(state, 0) for state in JobState}

    def claim(self, worker: str, targets: Sequence[str] = ()) -> Lease | None:
        """Lease the job that is next: queued, or running with an expired lease; by priority, then age.

        An expired job whose attempts made no progress too often fails here, with the reason.
        """
        with self.database.write() as connection:
            while (row := connection.execute(self._next(targets)).one_or_none()) is not None:
                stalled = self._stalled(row)
                if stalled < self._stalls:
                    return self._give(connection, row, worker, stalled)
                self._end(connection, row.id, JobState.FAILED, f"poison: {stalled} attempts without any progress")
        return None

    def _next(self, targets: Sequence[str]) -> Select[Any]:
        expired = (JobRow.state == JobState.RUNNING) & (JobRow.lease_until < self._now())
        query = select(JobRow.__table__).where(or_(JobRow.state == JobState.QUEUED, expired))
        if targets:
            query = query.where(JobRow.target.in_(targets))
        order = (JobRow.priority.desc(), JobRow.created, JobRow.id)
        return query.order_by(*order).limit(1).with_for_update(skip_locked=True)

    def _stalled(self, row: AnyRow) -> int:
        """Attempts in a row that died without progress; a job that was released died of nothing."""
        if row.state != JobState.RUNNING or row.progress > row.progress_at_claim:
            return 0
        return int(row.stalled) + 1

    def _give(self, connection: Connection, row: AnyRow, worker: str, stalled: int) -> Lease:
        until = self._now() + self._lease_s
        values = {
            "state": JobState.RUNNING.value,
            "worker": worker,
            "token": row.token + 1,
            "attempts": row.attempts + 1,
            "stalled": stalled,
            "progress_at_claim": row.progress,
            "lease_until": until,
            "started": row.started or self._now(),
        }
        connection.execute(update(JobRow).where(JobRow.id == row.id).values(values))
        return Lease(job=_job(_row(connection, row.id)), token=row.token + 1, worker=worker, until=until)

    @contextmanager
    def _held(self, lease: Lease) -> Iterator[Connection]:
        with self.database.write() as connection:
            fence.check(connection, lease)
            yield connection

    def heartbeat(self, lease: Lease, progress: int = 0) -> Lease:
        """Prolong the lease; progress never sinks. Raises LostLease."""
        until = self._now() + self._lease_s
        with self._held(lease) as connection:
            most = max(progress, int(_row(connection, lease.job.id).progress))
            change = update(JobRow).where(JobRow.id == lease.job.id)
            connection.execute(change.values(lease_until=until, progress=most))
        return lease.model_copy(update={"until": until})

    def tell(self, lease: Lease, kind: str, body: Mapping[str, JsonValue], progress: int = 0) -> Lease:
        """Append an event of the job at work, and prolong the lease as a heartbeat does. Raises LostLease."""
        until = self._now() + self._lease_s
        most = case((JobRow.progress < progress, progress), else_=JobRow.progress)
        with self._held(lease) as connection:
            streams.append(self.database, connection, lease.job.id, kind, body, None)
            change = update(JobRow).where(JobRow.id == lease.job.id)
            connection.execute(change.values(lease_until=until, progress=most))
        return lease.model_copy(update={"until": until})

    def attach(self, lease: Lease, run: str) -> None:
        """Say which run this job executes. Raises LostLease."""
        with self._held(lease) as connection:
            connection.execute(update(JobRow).where(JobRow.id == lease.job.id).values(run=run))

    def complete(self, lease: Lease, reason: str = "") -> Job:
        """Done. Raises LostLease."""
        with self._held(lease) as connection:
            return self._end(connection, lease.job.id, JobState.DONE, reason)

    def fail(self, lease: Lease, reason: str) -> Job:
        """Failed for good. Raises LostLease."""
        with self._held(lease) as connection:
            return self._end(connection, lease.job.id, JobState.FAILED, reason)

    def release(self, lease: Lease) -> Job:
        """Back to the queue, to go on later. Raises LostLease."""
        with self._held(lease) as connection:
            values = {"state": JobState.QUEUED.value, "worker": "", "lease_until": None, "token": lease.token + 1}
            connection.execute(update(JobRow).where(JobRow.id == lease.job.id).values(values))
            return _job(_row(connection, lease.job.id))

    def pause(self, lease: Lease, reason: str) -> Job:
        """Wait for a person's approval, with what was done so far. Raises LostLease."""
        with self._held(lease) as connection:
            values = {"state": JobState.WAITING.value, "worker": "", "lease_until": None, "token": lease.token + 1}
            change = update(JobRow).where(JobRow.id == lease.job.id)
            connection.execute(change.values(values | {"reason": reason}))
            return _job(_row(connection, lease.job.id))

    def requeue_expired(self) -> int:
        """Put jobs whose workers fell silent back into the queue, or fail those that are poison; how many."""
        expired = select(JobRow.__table__).where(JobRow.state == JobState.RUNNING, JobRow.lease_until < self._now())
        with self.database.write() as connection:
            rows = connection.execute(expired.with_for_update(skip_locked=True)).all()
            for row in rows:
                stalled = self._stalled(row)
                if stalled >= self._stalls:
                    self._end(connection, row.id, JobState.FAILED, f"poison: {stalled} attempts without any progress")
                    continue
                values = {"state": JobState.QUEUED.value, "worker": "", "lease_until": None, "stalled": stalled}
                change = update(JobRow).where(JobRow.id == row.id)
                connection.execute(change.values(values | {"token": row.token + 1}))
        return len(rows)

    def cancel(self, job: str, reason: str = "") -> Job:
        """End a job; its worker loses the lease. An ended job stays as it is. Raises UnknownJob."""
        with self.database.write() as connection:
            row = _row(connection, job, lock=True)
            if JobState(row.state) in ENDED:
                return _job(row)
            return self._end(connection, job, JobState.CANCELLED, reason)

    def approve(self, job: str) -> Job:
        """Let a waiting job into the queue; another state is left as it is. Raises UnknownJob."""
        with self.database.write() as connection:
            row = _row(connection, job, lock=True)
            if row.state == JobState.WAITING:
                change = update(JobRow).where(JobRow.id == job)
                connection.execute(change.values(state=JobState.QUEUED.value, reason=""))
            return _job(_row(connection, job))

    def delete(self, job: str) -> None:
        """Forget an ended job; its run stays.

        Raises:
            UnknownJob: there is none. UserError: it has not ended.
        """
        with self.database.write() as connection:
            row = _row(connection, job, lock=True)
            if JobState(row.state) not in ENDED:
                raise UserError(f"Job {job} is {row.state}. Cancel it first, then delete it.")
            connection.execute(delete(JobRow).where(JobRow.id == job))

    def _end(self, connection: Connection, job: str, state: JobState, reason: str) -> Job:
        values = {"state": state.value, "reason": reason, "lease_until": None, "finished": self._now()}
        connection.execute(update(JobRow).where(JobRow.id == job).values(values))
        return _job(_row(connection, job))


def _row(connection: Connection, job: str, lock: bool = False) -> AnyRow:
    query = select(JobRow.__table__).where(JobRow.id == job)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise UnknownJob(f"No job with the id {job!r}.")
    return row


def _job(row: AnyRow) -> Job:
    same = set(Job.model_fields) & set(row._fields)
    return Job.model_validate({name: getattr(row, name) for name in same})


def _filtered(which: JobFilter) -> Select[Any]:
    query: Select[Any] = select(JobRow.__table__)
    if which.states:
        query = query.where(JobRow.state.in_([state.value for state in which.states]))
    for column, wanted in ((JobRow.owner, which.owner), (JobRow.domain, which.domain), (JobRow.target, which.target)):
        if wanted:
            query = query.where(column == wanted)
    if which.text:
        query = query.where(JobRow.name.icontains(which.text, autoescape=True))
    for name, value in which.labels.items():
        labelled = select(JobLabelRow.job).where(JobLabelRow.name == name, JobLabelRow.value == value)
        query = query.where(JobRow.id.in_(labelled))
    return query


def _order(sort: str) -> tuple[Any, Any]:
    name = sort.removeprefix("-")
    if name not in SORTS:
        raise UserError(f"Cannot sort jobs by {name!r}. Known: {', '.join(sorted(SORTS))}; - in front reverses.")
    column = SORTS[name]
    return (column.desc(), JobRow.id.desc()) if sort.startswith("-") else (column.asc(), JobRow.id.asc())
