"""The dashboard: the same jobs as pages, made on the server; they work without scripts."""

from importlib.resources import files
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from atunner.api import candidates, compare_page, job_pages, jobs, knowledge_pages, plots, submit_page, views
from atunner.api.context import Here
from atunner.api.site import error_page, shown
from atunner.core.job import JobFilter, JobState
from atunner.jobs import forms

__all__ = ["error_page", "router"]

router = APIRouter(include_in_schema=False)
PAGE = 50
States = Literal["", "waiting", "queued", "running", "done", "failed", "cancelled"]
Text = Annotated[str, Query(max_length=100, pattern=forms.TEXT)]


@router.get("/")
def index(
    here: Here,
    state: States = "",
    text: Text = "",
    target: Text = "",
    sort: jobs.Sort = "-created",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    part: Literal["", "live"] = "",
) -> Response:
    """The list of jobs."""
    states = frozenset([JobState(state)]) if state else frozenset()
    which = JobFilter(
        states=states, text=text.strip(), target=target.strip(), sort=sort, limit=PAGE, offset=(page - 1) * PAGE
    )
    found = here.jobs.list(which)
    return shown(
        "jobs_live.html.j2" if part else "jobs.html.j2",
        lines=views.lines(here, found.jobs),
        total=found.total,
        page=page,
        pages=max(1, -(-found.total // PAGE)),
        first=(page - 1) * PAGE + 1,
        asked={"state": state, "text": text, "target": target, "sort": sort},
        counts={s.value: n for s, n in here.jobs.counts().items()},
    )


@router.get("/favicon.ico")
def icon() -> Response:
    """The mark."""
    return Response((files("atunner.api") / "static" / "mark.svg").read_bytes(), media_type="image/svg+xml")


for room in (submit_page, candidates, plots, compare_page, knowledge_pages, job_pages):
    router.include_router(room.router)
