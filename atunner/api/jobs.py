"""Jobs: submit, list, look, cancel, go on, again, approve, delete."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Header, Query, Response
from pydantic import Field

from atunner.api.context import Here, JobId, Owner, without_run
from atunner.api.problems import Refused, documented
from atunner.api.strict import Strict
from atunner.core.approval import MOST_COMMENT, MOST_STEPS, Asked, Question, told
from atunner.core.errors import UserError
from atunner.core.job import ENDED, Job, JobFilter, JobPage, JobRequest, JobState
from atunner.core.record import RunState
from atunner.core.value import Value
from atunner.graphs.approval import answer_to, decide, pending
from atunner.jobs import forms
from atunner.jobs.submission import Submission
from atunner.knowledge_base.jobs import TooManyJobs
from atunner.knowledge_base.runs import TERMINAL, RunEnded, UnknownRun

router = APIRouter(route_class=Strict, prefix="/api/v1/jobs", tags=["jobs"])
Sort = Literal["created", "-created", "priority", "-priority", "state", "-state", "name", "-name"]
Text = Annotated[str, Query(max_length=100, pattern=forms.TEXT)]
IdempotencyKey = Annotated[str | None, Header(pattern=forms.KEY)]


@router.post("", status_code=201, responses=documented(404, 409))
def submit(here: Here, owner: Owner, asked: Submission, idempotency_key: IdempotencyKey = None) -> Job:
    """Accept a job. It is committed when this answers; the same Idempotency-Key gives the same job."""
    return accept(here, asked, owner, idempotency_key)


def accept(here: Here, asked: Submission, owner: Owner, key: str | None = None) -> Job:
    """Check what can be checked before anything is spent, then queue it.

    Raises:
        UserError: something asked for does not exist. Refused: the key was used for another request, or the owner has
            too many unfinished jobs.
    """
    request = asked.request(owner.name)
    here.admission.check(request)
    return _queued(here, request, owner, key)


def _queued(here: Here, request: JobRequest, owner: Owner, key: str | None = None) -> Job:
    own = f"{owner.name}/{key}" if owner.name and key else key
    try:
        return here.jobs.submit(request, own, owner.open_jobs)
    except TooManyJobs as error:
        raise Refused(429, str(error)) from error
    except UserError as error:
        raise Refused(409, str(error)) from error


@router.get("", responses=documented())
def listed(  # noqa: PLR0913 - the query's parameters, by name
    here: Here,
    state: Annotated[list[JobState] | None, Query(max_length=6)] = None,
    text: Text = "",
    domain: Text = "",
    target: Text = "",
    label: Annotated[
        list[Annotated[str, Query(max_length=130, pattern=forms.LABELLED)]] | None, Query(max_length=8)
    ] = None,
    sort: Sort = "-created",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
) -> JobPage:
    """A page of jobs. label: NAME=VALUE, repeatable; all must fit."""
    labels = dict(one.split("=", 1) for one in label or [])
    which = JobFilter(
        states=frozenset(state or []),
        text=text,
        domain=domain,
        target=target,
        labels=labels,
        sort=sort,
        limit=limit,
        offset=offset,
    )
    return here.jobs.list(which)


@router.get("/{job}", responses=documented(404))
def get(here: Here, job: JobId) -> Job:
    """One job."""
    return here.jobs.get(job)


@router.post("/{job}/cancel", responses=documented(404))
def cancel(here: Here, job: JobId, owner: Owner) -> Job:
    """End a job; its processes are gone within seconds. A job that has ended stays as it is."""
    before = here.jobs.get(job)
    after = here.jobs.cancel(job, f"cancelled by {owner.name or 'the user'}")
    if before.state not in ENDED and after.state is JobState.CANCELLED:
        here.store.event(job, "state", {"state": "cancelled", "message": after.reason}, key="end")
        _interrupt(here, after)
    return after


def _interrupt(here: Here, job: Job) -> None:
    """The run of a cancelled job can be gone on with."""
    if job.run is None:
        return
    try:
        here.store.set_state(job.run, RunState.INTERRUPTED, job.reason)
    except (RunEnded, UnknownRun):
        return


class Verdict(Value):
    """A person's answer. comment: told to the planner or coder. steps: a plan to follow instead of the one shown.

    question: the id of the question that is answered; "" for a job that is held before it begins.
    """

    approved: bool
    question: Annotated[str, Field(pattern=forms.ID_OR_NONE)] = ""
    comment: Annotated[str, Field(max_length=MOST_COMMENT, pattern=forms.TEXT)] = ""
    steps: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=500, pattern=forms.TEXT)], ...],
        Field(max_length=MOST_STEPS),
    ] = ()


@router.post("/{job}/approve", responses=documented(404, 409))
def approve(here: Here, job: JobId, owner: Owner, said: Annotated[Verdict, Body()]) -> Job:
    """Answer what a job waits for, and let it into the queue again; one that does not wait refuses the answer.

    An answer names the question that it is to: where the job asks another one by now, it is refused with what is asked.
    A job that is held before it begins asks none; where it is not approved it is cancelled.
    """
    found = here.jobs.get(job)
    if found.state is not JobState.WAITING:
        raise Refused(409, f"Job {job} is {found.state} and asks nothing.")
    asked = asked_by(here, found)
    if asked is not None:
        _decide(here, str(found.run), said)
    elif said.question or found.attempts:
        _answered(here, found, said)
    elif not said.approved:
        return cancel(here, job, owner)
    after = here.jobs.approve(job)
    words = f"{'approved' if said.approved else 'refused'} by {owner.name or 'the user'} {said.comment}".strip()
    here.store.event(job, "state", {"state": after.state.value, "message": words}, key=f"approved-{found.attempts}")
    return after


def _decide(here: Here, run: str, said: Verdict) -> None:
    try:
        decide(here.store, run, said.approved, said.comment, said.steps, said.question)
    except UserError as error:
        raise Refused(409, str(error)) from error


def _answered(here: Here, job: Job, said: Verdict) -> None:
    """An answer may be repeated: a server that died between answer and queue leaves the job waiting."""
    if job.run is None or answer_to(here.store, job.run, said.question) is None:
        told = (
            "asks nothing more" if job.attempts else "is held before it begins and asks no question; leave question out"
        )
        raise Refused(409, f"Job {job.id} {told}.")


def asked_by(here: Here, job: Job) -> Question | None:
    """What a job asks a person now; None for one that is only held, or does not wait."""
    return pending(here.store, job.run) if job.run and job.state is JobState.WAITING else None


@router.get("/{job}/question", responses=documented(404, 409))
def question(here: Here, job: JobId) -> Asked:
    """What a waiting job asks a person: a plan, or a candidate with its source. The answer has to name its id."""
    found = here.jobs.get(job)
    asked = asked_by(here, found)
    if asked is None:
        raise Refused(409, f"Job {job} is {found.state} and asks nothing.")
    return told(asked)


@router.post("/{job}/resume", status_code=201, responses=documented(404, 409))
def resume(here: Here, job: JobId, owner: Owner) -> Job:
    """Go on with an ended job's unfinished run, as a new job; no recorded trial is judged again."""
    old = _ended(here, job)
    if old.run is None:
        raise Refused(409, f"Job {job} never began, so there is nothing to go on with. Use retry.")
    try:
        state = here.store.head(old.run).state
    except UnknownRun as error:
        raise Refused(409, f"{without_run(old)} Use retry.") from error
    if state in TERMINAL:
        raise Refused(409, f"The run of job {job} is {state}; nothing is left to do. Use retry for a new run.")
    return _again(here, owner, old, old.run)


@router.post("/{job}/retry", status_code=201, responses=documented(404, 409))
def retry(here: Here, job: JobId, owner: Owner) -> Job:
    """The same request as a new job with a new run."""
    return _again(here, owner, _ended(here, job), None)


def _again(here: Here, owner: Owner, old: Job, run: str | None) -> Job:
    return _queued(here, old.request.model_copy(update={"parent": old.id, "run": run, "owner": owner.name}), owner)


def _ended(here: Here, job: str) -> Job:
    found = here.jobs.get(job)
    if found.state not in ENDED:
        first = "Approve it" if found.state is JobState.WAITING else "Wait for its end"
        raise Refused(409, f"Job {job} is {found.state}. {first}, or cancel it first.")
    return found


@router.delete("/{job}", status_code=204, responses=documented(404, 409))
def delete(here: Here, job: JobId) -> Response:
    """Forget an ended job; its run stays."""
    _ended(here, job)
    here.jobs.delete(job)
    return Response(status_code=204)
