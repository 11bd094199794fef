"""The dashboard: the same jobs as pages, made on the server; they work without scripts."""

from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Query, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from atunner.api import curve, jobs, views
from atunner.api.context import CandidateId, Here, JobId, Owner
from atunner.api.form import FIELDS, fresh_key, submission
from atunner.api.knowledge import operators_known
from atunner.api.results import board, candidate_of, old_of
from atunner.core.errors import UserError
from atunner.core.job import JobFilter, JobState
from atunner.reports import difference, wording

router = APIRouter(include_in_schema=False)
PAGE = 50
BOARD = 20
VERBS = {"cancel": jobs.cancel, "approve": jobs.approve, "resume": jobs.resume, "retry": jobs.retry}


@lru_cache
def _templates() -> Environment:
    loader = PackageLoader("atunner.api", "templates")
    found = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    found.filters |= {"ago": views.ago, "took": views.took, "figure": wording.duration, "params": wording.parameters}
    found.filters |= {"number": wording.number}
    found.globals["states"] = [state.value for state in JobState]
    return found


def shown(name: str, status: int = 200, **told: Any) -> HTMLResponse:
    """A page from its template."""
    return HTMLResponse(_templates().get_template(name).render(**told), status)


def error_page(status: int, title: str, detail: str) -> Response:
    """A problem for people."""
    return shown("error.html.j2", status, number=status, title=title, detail=detail)


@router.get("/")
def index(
    here: Here,
    state: Annotated[Literal["", "waiting", "queued", "running", "done", "failed", "cancelled"], Query()] = "",
    text: Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")] = "",
    sort: jobs.Sort = "-created",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """The list of jobs."""
    states = frozenset([JobState(state)]) if state else frozenset()
    found = here.jobs.list(JobFilter(states=states, text=text, sort=sort, limit=PAGE, offset=(page - 1) * PAGE))
    told = [views.line(here, job) for job in found.jobs]
    asked = {"state": state, "text": text, "sort": sort}
    counts = {s.value: n for s, n in here.jobs.counts().items()}
    return shown("jobs.html.j2", jobs=told, total=found.total, page=page, size=PAGE, asked=asked, counts=counts)


@router.get("/submit")
def form(here: Here) -> Response:
    """The form to submit a job."""
    return _form(here, {**FIELDS, "key": fresh_key()}, "")


def _form(here: Here, values: dict[str, str], error: str) -> Response:
    return shown(
        "submit.html.j2",
        422 if error else 200,
        values=values,
        error=error,
        operators=operators_known(),
        devices=[d for d in here.store.devices() if d.kind != "cpu"],
    )


@router.post("/submit")
async def submit(request: Request, here: Here, owner: Owner) -> Response:
    """Take the form; on a mistake it comes back as it was filled in, with what is wrong."""
    text = (await request.body()).decode(errors="replace")
    values = {**FIELDS, **{k: v for k, v in parse_qsl(text, keep_blank_values=True, max_num_fields=50) if k in FIELDS}}
    try:
        job = jobs.accept(here, submission(values), owner, values["key"] or None)
    except ValidationError as error:
        first = error.errors()[0]
        return _form(here, values, f"{'.'.join(str(p) for p in first['loc'])}: {first['msg']}")
    except UserError as error:
        return _form(here, values, str(error))
    return RedirectResponse(f"/jobs/{job.id}", 303)


@router.get("/jobs/{job}")
def job_page(here: Here, job: JobId, part: Literal["", "live"] = "") -> Response:
    """One job; part=live is what changes while it runs."""
    found = here.jobs.get(job)
    record = views.record(here, found)
    events = views.latest(here, job)
    return shown(
        "live.html.j2" if part else "job.html.j2",
        job=found,
        record=record,
        board=board(record, BOARD) if record else None,
        curve=curve.drawn(record) if record else None,
        rounds=views.rounds(record) if record else (),
        events=events,
        last=events[-1].seq if events else 0,
        standing=views.standing(found, events),
        resumable=views.resumable(found, record),
        cuda=record is not None and any(n.endswith(".cu") for t in record.ranked[:1] for n in t.candidate.files),
    )


@router.get("/jobs/{job}/diff")
def diff_page(
    here: Here,
    job: JobId,
    new: Annotated[str, Query(pattern=r"^[0-9a-f]{16}$")],
    old: Annotated[str | None, Query(pattern=r"^([0-9a-f]{16})?$")] = None,
) -> Response:
    """Two candidates' sources, line by line."""
    record = here.record(here.jobs.get(job))
    after, before = candidate_of(record, new), old_of(record, old or None)
    lines = difference.lines(difference.source(before)[1], difference.source(after)[1])
    others = [t.candidate for t in record.ranked[:BOARD]]
    return shown("diff.html.j2", job=job, before=before, after=after, lines=lines, others=others)


@router.get("/jobs/{job}/candidates/{candidate}")
def candidate_page(here: Here, job: JobId, candidate: CandidateId) -> Response:
    """One candidate: its verdict, its checks and its source."""
    record = here.record(here.jobs.get(job))
    found = candidate_of(record, candidate)
    trial = next(t for t in record.trials if t.candidate.id == found.id)
    return shown("candidate.html.j2", job=job, trial=trial, source=difference.source(found))


@router.post("/jobs/{job}/{verb}")
def change(
    here: Here, owner: Owner, job: JobId, verb: Literal["cancel", "approve", "resume", "retry", "delete"]
) -> Response:
    """Do it and show the job."""
    if verb == "delete":
        jobs.delete(here, job)
        return RedirectResponse("/", 303)
    return RedirectResponse(f"/jobs/{VERBS[verb](here, job, owner).id}", 303)


@router.get("/knowledge")
def knowledge(here: Here) -> Response:
    """Devices, operators and techniques."""
    return shown(
        "knowledge.html.j2",
        devices=here.store.devices(),
        operators=operators_known(),
        techniques=here.store.techniques(),
    )


@router.get("/favicon.ico")
def icon() -> Response:
    """The mark."""
    return Response((files("atunner.api") / "static" / "mark.svg").read_bytes(), media_type="image/svg+xml")
