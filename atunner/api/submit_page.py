"""The form to submit a job: checked while it is filled in, and taken when it is sent."""

from asyncio import to_thread

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from atunner.api import jobs
from atunner.api.context import Here, Owner, Service
from atunner.api.fields import fields
from atunner.api.form import FIELDS, Mistake, fresh_key, kinds, mistake, submission
from atunner.api.knowledge import operators_known
from atunner.api.site import shown
from atunner.core.errors import UserError
from atunner.core.job import JobRequest
from atunner.graphs.strategies import ASKING
from atunner.graphs.strategies import BUILT_IN as STRATEGIES
from atunner.search import BUILT_IN as SEARCHERS
from atunner.service.check import policy

router = APIRouter(include_in_schema=False)


@router.get("/submit")
def form(here: Here, kind: str = "operator", operator: str = "") -> Response:
    """The form; kind and operator are filled in from the address."""
    known = {o.name for o in operators_known()}
    filled = {"key": fresh_key(), "kind": kind if kind in kinds() else "operator"}
    filled |= {"operator": operator} if operator in known else {}
    return _form(here, {**FIELDS, **filled}, None)


def _form(here: Service, values: dict[str, str], wrong: Mistake | None) -> Response:
    return shown(
        "submit.html.j2",
        422 if wrong else 200,
        values=values,
        wrong=wrong,
        kinds=kinds(),
        operators=operators_known(),
        devices=[d for d in here.store.devices() if d.kind != "cpu"],
        strategies=sorted(STRATEGIES),
        searchers=sorted(SEARCHERS),
        server_model=here.settings.model,
    )


@router.post("/submit/check")
async def check(request: Request, here: Here, owner: Owner) -> Response:
    """What the form as it is would do, or what is wrong with it; nothing is accepted."""
    values = await fields(request, FIELDS)
    return await to_thread(_checked, here, owner.name, values)


def _checked(here: Service, owner: str, values: dict[str, str]) -> Response:
    try:
        asked: JobRequest = submission(values).request(owner)
        here.admission.check(asked)
    except (ValidationError, UserError) as error:
        return shown("check.html.j2", wrong=mistake(error), asked=None, level="", model="")
    return shown(
        "check.html.j2",
        wrong=None,
        asked=asked,
        asking=ASKING,
        level=policy(here.settings, asked),
        model=str(asked.options.get("model") or here.settings.model),
    )


@router.post("/submit")
async def submit(request: Request, here: Here, owner: Owner) -> Response:
    """Take the form; on a mistake it comes back as it was filled in, with what is wrong."""
    values = await fields(request, FIELDS)

    def taken() -> Response:
        try:
            job = jobs.accept(here, submission(values), owner, values["key"] or None)
        except (ValidationError, UserError) as error:
            return _form(here, values, mistake(error))
        return RedirectResponse(f"/jobs/{job.id}", 303)

    return await to_thread(taken)
