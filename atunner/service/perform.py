"""One leased job: from its request to a run, and back to how it ended."""

import shutil
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

from pydantic import JsonValue

from atunner.core.errors import ATunnerError, Interrupted, UserError
from atunner.core.job import Job, Lease, LostLease
from atunner.core.record import RunRecord, RunState
from atunner.graphs.deps import Options
from atunner.graphs.events import Event
from atunner.graphs.request import Request
from atunner.knowledge_base.database import Database, DatabaseLost
from atunner.knowledge_base.jobs import JobStore
from atunner.knowledge_base.runs import TERMINAL, UnknownRun
from atunner.knowledge_base.store import Store
from atunner.knowledge_base.streams import Spell
from atunner.service.check import policy
from atunner.settings import Settings
from atunner.tools.lock import held
from atunner.wiring import Session, new_run

FLUSH_S = 5.0


def perform(settings: Settings, lease: Lease, stop: threading.Event, lease_s: float = 30.0) -> Job:
    """Run a leased job to its end and record how it ended.

    Raises:
        LostLease: the job is somebody else's now; nothing more was written. DatabaseLost: try again later.
    """
    database = Database(settings.database_url)
    jobs, store = JobStore(database, lease_s), Store(database, lease)
    try:
        return _performed(settings, lease, stop, jobs, store, lease_s)
    finally:
        database.close()


def _performed(
    settings: Settings, lease: Lease, stop: threading.Event, jobs: JobStore, store: Store, lease_s: float
) -> Job:
    run = lease.job.run or new_run(lease.job.request.task)
    jobs.attach(lease, run)
    say(store, lease.job.id, "state", {"state": "running", "run": run, "attempt": lease.job.attempts})
    try:
        record = _run(settings, lease, run, stop, jobs, store, lease_s)
    except (LostLease, DatabaseLost):
        raise
    except Interrupted as error:
        say(
            store,
            lease.job.id,
            "state",
            {"state": "queued", "message": "the worker was told to stop" if stop.is_set() else str(error)},
        )
        return jobs.release(lease)
    except ATunnerError as error:
        say(store, lease.job.id, "state", {"state": "failed", "message": str(error)}, key="end")
        return jobs.fail(lease, str(error))
    if record.state is RunState.WAITING:
        say(store, lease.job.id, "state", {"state": "waiting", "message": record.stop_reason})
        return jobs.pause(lease, record.stop_reason)
    ended = "done" if record.state is RunState.DONE else "failed"
    say(store, lease.job.id, "state", {"state": ended, "message": record.stop_reason}, key="end")
    jobs.heartbeat(lease, progress=len(record.trials))
    end = jobs.complete if record.state is RunState.DONE else jobs.fail
    ended_job = end(lease, record.stop_reason)
    if record.state in TERMINAL:
        shutil.rmtree(settings.data / "work" / run, ignore_errors=True)  # its checkpoints: nothing is left to resume
    return ended_job


def say(store: Store, job: str, kind: str, body: dict[str, JsonValue], key: str | None = None) -> None:
    """Append to a job's events."""
    store.event(job, kind, body, key)


def _run(
    settings: Settings, lease: Lease, run: str, stop: threading.Event, jobs: JobStore, store: Store, lease_s: float
) -> RunRecord:
    watch = Narrator(jobs, store, lease, stop)
    own = settings.model_copy(
        update={
            "database": settings.database_url,
            "data": _folder(settings, run),
            "locks": settings.data / "locks",
            "sandbox": policy(settings, lease.job.request),
        }
    )
    _wait_for(settings.data / "locks" / f"{run}.lock", stop, lease_s)
    with Session(own, store) as session, closing(watch):
        try:
            state = store.head(run).state
        except UnknownRun:
            return session.start(request_of(lease.job), watch, stop, run)
        if state in TERMINAL:
            return store.load(run)
        asked = session.question(run)
        if asked is not None:  # two answers to one question crossed: the job goes on waiting for the next one
            store.set_state(run, RunState.WAITING, f"waits for approval: {asked.title}")
            return store.load(run)
        return session.resume(run, watch, stop)


def _folder(settings: Settings, run: str) -> Path:
    """Where the run's checkpoints lie: a file for each run, so that jobs side by side do not wait for each other.

    A run that the command line began keeps the place it has.
    """
    own = settings.data / "work" / run
    if not own.exists() and settings.lock_of(run).exists():
        return settings.data
    own.mkdir(parents=True, exist_ok=True)
    return own


def _wait_for(lock: Path, stop: threading.Event, at_most_s: float) -> None:
    """A worker that lost this job may not have ended yet, or the command line may be at work on its run.

    Raises:
        Interrupted: still so after a while; the job goes back to the queue.
    """
    until = time.monotonic() + at_most_s
    while True:
        with held(lock) as free:
            if free:
                return
        if stop.wait(0.2) or time.monotonic() > until:
            raise Interrupted("another process is at work on this run")


def request_of(job: Job) -> Request:
    """The run's request, as the queue kept it.

    Raises:
        UserError: an option of that name does not exist.
    """
    asked, options = job.request.options, job.request.options.get("options") or {}
    known = set(Options.__dataclass_fields__)
    if not isinstance(options, dict) or set(options) - known:
        raise UserError(f"A job's options are {', '.join(sorted(known))}; got {options}.")
    return Request(
        task=job.request.task,
        budget=job.request.budget,
        options=Options(**options),  # type: ignore[arg-type]
        model=str(asked.get("model") or ""),
        strategy=str(asked.get("strategy") or "expert"),
        executor=str(asked.get("executor") or "local"),
    )


class Narrator:
    """Watches a run: keeps each event under the job, counts trials as progress, sums the time of stages.

    Stops the run of a lost job. Close it at the end: times are written every few seconds only.
    """

    def __init__(self, jobs: JobStore, store: Store, lease: Lease, stop: threading.Event) -> None:
        self._jobs, self._store, self._lease, self._stop = jobs, store, lease, stop
        self._run, self._times = "", dict[str, Spell]()
        self._last = self._flushed = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Store one event."""
        now = time.monotonic()
        self._run = event.run
        self._times[event.stage] = self._times.get(event.stage, Spell()).plus(now - self._last)
        self._last = now
        body = event.model_dump(mode="json", exclude={"kind"}, exclude_none=True)
        try:
            self._jobs.tell(self._lease, event.kind, body, event.done)
        except (LostLease, DatabaseLost):
            self._stop.set()
        if now - self._flushed > FLUSH_S:
            self.close()

    def close(self) -> None:
        """Write the times of stages; they serve monitoring, so a database that is away costs nothing but them."""
        times, self._times, self._flushed = self._times, {}, time.monotonic()
        if times:
            with suppress(LostLease, DatabaseLost):
                self._store.stage_times(self._run, times)
