"""What lies behind a result: files by the hash of their content, and what was said to models."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import PlainTextResponse

from atunner.api.context import Here, JobId, without_run
from atunner.api.problems import NoRun, Refused, documented
from atunner.api.strict import Strict
from atunner.core.call import ModelCall
from atunner.jobs import forms
from atunner.knowledge_base import leaders
from atunner.knowledge_base.candidates import Artefact
from atunner.reports import compare
from atunner.reports.compare import Compared
from atunner.reports.transcript import transcript

router = APIRouter(route_class=Strict, prefix="/api/v1", tags=["results"])
BINARY = {"type": "string", "format": "binary"}
Digest = Annotated[str, Path(pattern=forms.DIGEST, description="The SHA-256 of a file's content.")]
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=1_000_000_000)]
Compare = Annotated[
    list[Annotated[str, Query(pattern=forms.ID)]],
    Query(min_length=compare.FEWEST, max_length=compare.MOST, description="2 to 5 different jobs."),
]


@router.get("/jobs/{job}/artefacts", responses=documented(404, 409))
def artefacts(here: Here, job: JobId, limit: Limit = 100, offset: Offset = 0) -> list[Artefact]:
    """The files of a job's candidates, in the order judged: candidate, name, hash, size."""
    return here.store.artefacts(_run(here, job), limit, offset)


@router.get(
    "/artefacts/{digest}",
    response_class=Response,
    responses={
        **documented(404),
        200: {"description": "The content.", "content": {"application/octet-stream": {"schema": BINARY}}},
    },
)
def artefact(here: Here, digest: Digest) -> Response:
    """The content of a file by its hash; it never changes."""
    content = here.store.artefact(digest)
    if content is None:
        raise Refused(404, f"There is no artefact {digest}.")
    headers = {"content-disposition": f'attachment; filename="{digest[:16]}"', "etag": f'"{digest}"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.get("/jobs/{job}/transcript", responses=documented(404, 409))
def calls(here: Here, job: JobId, limit: Limit = 100, offset: Offset = 0) -> list[ModelCall]:
    """Every call of a model in the order made: prompt, answer, tokens, money, time."""
    return here.store.calls(_run(here, job), limit, offset)


@router.get("/jobs/{job}/transcript.txt", response_class=PlainTextResponse, responses=documented(404, 409))
def calls_as_text(here: Here, job: JobId, limit: Limit = 100, offset: Offset = 0) -> str:
    """The same for people."""
    return transcript(here.store.calls(_run(here, job), limit, offset))


@router.get("/compare", responses=documented(404, 409))
def compared(here: Here, job: Compare) -> Compared:
    """Jobs side by side, with every reason why their figures must not be compared."""
    seen = [here.outline(here.jobs.get(one)) for one in job]
    return compare.compare(seen, {one.run: leaders.counts(here.store.database, one.run) for one in seen})


def _run(here: Here, job: str) -> str:
    found = here.jobs.get(job)
    if found.run is None:
        raise NoRun(without_run(found))
    return found.run
