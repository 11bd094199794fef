"""What routes need: the queue, the record and the settings of this server."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Path, Request

from atunner.api.digest import Digests
from atunner.api.keys import NOBODY, Asker
from atunner.api.problems import NoRun, Refused
from atunner.core.job import ENDED, Job
from atunner.core.record import RunRecord
from atunner.jobs import forms
from atunner.knowledge_base import leaders
from atunner.knowledge_base.jobs import JobStore
from atunner.knowledge_base.runs import UnknownRun
from atunner.knowledge_base.store import Store
from atunner.service.check import Admission
from atunner.settings import Settings

MOST_TRIALS, PATIENCE_S = 20_000, 30.0


@dataclass
class Service:
    """One open database, as queue and as record. streams: event streams open now. answered: requests by status.

    digests: the trials of the runs that pages looked at last. reading: held by whoever has a whole run in memory.
    """

    settings: Settings
    jobs: JobStore
    store: Store
    embedded: bool
    admission: Admission
    streams: int = field(default=0)
    answered: Counter[int] = field(default_factory=Counter)
    digests: Digests = field(default_factory=Digests)
    reading: threading.Lock = field(default_factory=threading.Lock)

    def head(self, job: Job) -> RunRecord:
        """The run of a job without its trials, screenings and notes: cheap.

        Raises:
            NoRun: it has not begun.
        """
        if job.run is None:
            raise NoRun(without_run(job))
        try:
            return self.store.head(job.run)
        except UnknownRun as error:
            raise NoRun(without_run(job)) from error

    def outline(self, job: Job) -> RunRecord:
        """The same with its winner as the only trial; the leader stands in for it while that is not said yet.

        Raises:
            NoRun: it has not begun.
        """
        head = self.head(job)
        if head.best is None:
            first = leaders.leaders(self.store.database, head, 1).best
            return head.model_copy(update={"trials": first, "best": first[0].candidate.id if first else None})
        return head.model_copy(update={"trials": leaders.in_order(self.store.database, head.run, [head.best])})

    def leading(self, job: Job, most: int) -> RunRecord:
        """The run of a job with the best of its trials only.

        Raises:
            NoRun: it has not begun.
        """
        head = self.head(job)
        return head.model_copy(update={"trials": leaders.leaders(self.store.database, head, most).best})

    @contextmanager
    def record(self, job: Job) -> Iterator[RunRecord]:
        """The whole run of a job; one at a time is in memory, whoever else asks waits.

        Raises:
            NoRun: it has not begun. Refused: it is too long to be read whole, or too many wait.
        """
        head = self.head(job)
        if head.spent.trials > MOST_TRIALS:
            raise Refused(
                409,
                f"Run {head.run} has {head.spent.trials} trials, and this file is made of {MOST_TRIALS} at most. "
                "Take run.json or trials.csv, which are written as they are read.",
            )
        if not self.reading.acquire(timeout=PATIENCE_S):
            raise Refused(503, "Other long runs are being read; ask again in a minute.")
        try:
            yield self.store.load(head.run)
        finally:
            self.reading.release()


def without_run(job: Job) -> str:
    """Why there is nothing to show of a job, and whether there will be."""
    if job.state in ENDED:
        return f"Job {job.id} is {job.state} and recorded nothing{f': {job.reason}' if job.reason else ''}."
    return f"Job {job.id} is {job.state} and has no run yet. Ask again when it is running."


async def service(request: Request) -> Service:
    """The server's service."""
    found: Service = request.app.state.service
    return found


async def owner(request: Request) -> Asker:
    """Who asks, as the guards found out."""
    found: Asker = request.scope.get("atunner_asker", NOBODY)
    return found


Here = Annotated[Service, Depends(service)]
Owner = Annotated[Asker, Depends(owner)]
JobId = Annotated[str, Path(pattern=forms.ID, description="A job's id: 16 hex digits.")]
CandidateId = Annotated[str, Path(pattern=forms.ID, description="A candidate's id: the hash of its content.")]
