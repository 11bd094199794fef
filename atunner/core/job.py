"""A run that the service queues: what is asked, who works on it, and the port of the queue."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from pydantic import Field, JsonValue

from atunner.core.errors import ToolError
from atunner.core.task import Budget, Task
from atunner.core.value import Value


class JobState(StrEnum):
    """Where a job stands; done, failed and cancelled never change again. waiting: for approval."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})


class LostLease(ToolError):
    """Somebody else holds the job, or it was cancelled: stop the work and write nothing more."""


class JobRequest(Value):
    """What is asked for. options: further settings of the run, by name. owner: who asks.

    priority: higher goes first, then age. approval: hold it until somebody approves. parent: the job that this
    one repeats or continues. run: the run to continue, None for a new one.
    """

    task: Task
    budget: Budget
    options: dict[str, JsonValue] = Field(default_factory=dict)
    labels: dict[str, str] = Field(default_factory=dict)
    priority: int = Field(default=0, ge=-100, le=100)
    owner: str = ""
    approval: bool = False
    parent: str | None = None
    run: str | None = None


class Job(Value):
    """A request and what became of it. Times are seconds since the epoch, UTC.

    attempts: how often a worker took it. progress: units finished (trials), as told by heartbeats.
    """

    id: str
    request: JobRequest
    state: JobState
    reason: str = ""
    run: str | None = None
    worker: str = ""
    attempts: int = 0
    progress: int = 0
    lease_until: float | None = None
    created: float
    started: float | None = None
    finished: float | None = None


class Lease(Value):
    """The right to work on a job until `until`. token: raised when the job changes hands; checked in every write."""

    job: Job
    token: int
    worker: str
    until: float


class JobFilter(Value):
    """Which jobs to list; an empty field lets all pass. sort: created, priority, state, name; "-" in front reverses."""

    states: frozenset[JobState] = frozenset()
    owner: str = ""
    domain: str = ""
    target: str = ""
    text: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    sort: str = "-created"
    limit: int = Field(default=50, ge=1, le=1000)
    offset: int = Field(default=0, ge=0)


class JobPage(Value):
    """A page of jobs, and how many there are in all."""

    jobs: tuple[Job, ...]
    total: int


class Jobs(Protocol):
    """The queue: accepted jobs are not lost, and only the holder of the newest token may write."""

    def submit(self, request: JobRequest, key: str | None = None) -> Job:
        """Accept a job; with a key seen before, the job of that key. Committed when this returns."""
        ...

    def get(self, job: str) -> Job:
        """The job of that id. Raises UnknownJob."""
        ...

    def list(self, which: JobFilter) -> JobPage:
        """A page of jobs."""
        ...

    def claim(self, worker: str, targets: Sequence[str] = ()) -> Lease | None:
        """Lease the job that is next: queued, or running with an expired lease. None when there is none.

        targets: take only jobs for these; empty takes all.
        """
        ...

    def heartbeat(self, lease: Lease, progress: int = 0) -> Lease:
        """Prolong the lease. Raises LostLease."""
        ...

    def attach(self, lease: Lease, run: str) -> None:
        """Say which run this job executes. Raises LostLease."""
        ...

    def complete(self, lease: Lease, reason: str = "") -> Job:
        """Done. Raises LostLease."""
        ...

    def fail(self, lease: Lease, reason: str) -> Job:
        """Failed for good. Raises LostLease."""
        ...

    def release(self, lease: Lease) -> Job:
        """Back to the queue, to go on later (a worker that is told to stop). Raises LostLease."""
        ...

    def cancel(self, job: str, reason: str = "") -> Job:
        """End a job; its worker loses the lease. An ended job stays as it is."""
        ...

    def approve(self, job: str) -> Job:
        """Let a waiting job into the queue; another state is left as it is."""
        ...

    def delete(self, job: str) -> None:
        """Forget an ended job. Raises UserError while it has not ended."""
        ...
