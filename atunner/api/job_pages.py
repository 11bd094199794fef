"""The pages of one job. Each is whole without scripts; part=live is what changes while the job runs."""

from asyncio import to_thread
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from atunner.api import curve, jobs, views
from atunner.api.candidates import Asked, table
from atunner.api.context import Here, JobId, Owner, Service
from atunner.api.fields import fields
from atunner.api.lineage import tree
from atunner.api.parameters import parameters
from atunner.api.plots import progress_of
from atunner.api.problems import Refused
from atunner.api.sight import Sight, board, headline, sight
from atunner.api.site import shown
from atunner.api.trace import trace
from atunner.core.approval import MOST_COMMENT
from atunner.knowledge_base import watching
from atunner.reports.roof import roofline

router = APIRouter(include_in_schema=False)
ANSWER = {"verdict": "approve", "question": "", "comment": ""}
TOP, EVENTS, LOG = 10, 60, 400
TABS = {
    "overview": "Overview",
    "candidates": "Candidates",
    "analysis": "Analysis",
    "lineage": "Lineage",
    "agents": "Agents",
    "log": "Log",
}
Tab = Literal["candidates", "analysis", "lineage", "agents", "log"]
Part = Literal["", "live"]


@router.get("/jobs/{job}")
def overview(here: Here, job: JobId, part: Part = "") -> Response:
    """The job at a glance."""
    seen = sight(here, job)
    told = {
        "curve": curve.drawn(progress_of(seen)),
        "top": board(here, seen, seen.ranked[:TOP]),
        "base": board(here, seen, [seen.base] if seen.base else []),
        "failures": views.failures(seen.digest.tried) if seen.digest else (),
    }
    return _page(here, seen, "overview", part, told)


@router.get("/jobs/{job}/tab/{tab}")
def tab_page(
    here: Here, job: JobId, tab: Tab, asked: Annotated[Asked, Query()], part: Part = "", family: str = ""
) -> Response:
    """One of the other pages of a job."""
    seen = sight(here, job)
    makers: dict[str, Callable[[], dict[str, Any]]] = {
        "candidates": lambda: {"found": table(here, seen, asked)},
        "analysis": lambda: {
            "roof": roofline(seen.head) if seen.head else None,
            "parameters": parameters(seen, family),
        },
        "lineage": lambda: {"tree": tree(seen)},
        "agents": lambda: {"trace": trace(here, seen) if seen.head else None},
        "log": lambda: {"log": watching.last_events(here.store.database, job, LOG)},
    }
    return _page(here, seen, tab, part, makers[tab]())


def _page(here: Service, seen: Sight, tab: str, part: str, told: dict[str, Any]) -> Response:
    events = watching.last_events(here.store.database, seen.job.id, EVENTS)
    ranked = seen.ranked
    return shown(
        "job_live.html.j2" if part else "job.html.j2",
        tab=tab,
        tabs=TABS,
        seen=seen,
        job=seen.job,
        head=seen.head,
        best=ranked[0] if ranked else None,
        verified=sum(n for s, n in seen.digest.counts.items() if s == "ok") if seen.digest else 0,
        judged=len(seen.digest.tried) if seen.digest else 0,
        screened=len(seen.digest.screened) if seen.digest else 0,
        headline=headline(here, seen),
        events=events,
        last=events[-1].seq if events else 0,
        asked=jobs.asked_by(here, seen.job),
        standing=views.standing(here, seen, events),
        sandbox=views.sandbox_level(seen.head.environment if seen.head else None),
        **told,
    )


@router.post("/jobs/{job}/approve")
async def answer(request: Request, here: Here, owner: Owner, job: JobId) -> Response:
    """Answer the question that the page showed and show the job; refused where another one is asked by now."""
    told = await fields(request, ANSWER)
    said = {"approved": told["verdict"] == "approve", "question": told["question"], "comment": told["comment"]}
    try:
        verdict = jobs.Verdict.model_validate(said)
    except ValidationError as error:
        raise Refused(
            422, f"An answer takes the id of a question and a comment of at most {MOST_COMMENT} characters."
        ) from error
    await to_thread(jobs.approve, here, job, owner, verdict)
    return RedirectResponse(f"/jobs/{job}", 303)


@router.post("/jobs/{job}/cancel")
def cancel(here: Here, owner: Owner, job: JobId) -> Response:
    """Stop the job and show it."""
    return RedirectResponse(f"/jobs/{jobs.cancel(here, job, owner).id}", 303)


@router.post("/jobs/{job}/resume")
def resume(here: Here, owner: Owner, job: JobId) -> Response:
    """Go on with its run and show the new job."""
    return RedirectResponse(f"/jobs/{jobs.resume(here, job, owner).id}", 303)


@router.post("/jobs/{job}/retry")
def retry(here: Here, owner: Owner, job: JobId) -> Response:
    """Do it again and show the new job."""
    return RedirectResponse(f"/jobs/{jobs.retry(here, job, owner).id}", 303)


@router.post("/jobs/{job}/delete")
def delete(here: Here, job: JobId) -> Response:
    """Forget the job and show the others."""
    jobs.delete(here, job)
    return RedirectResponse("/", 303)
