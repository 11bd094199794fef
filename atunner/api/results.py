"""What a job found: leaderboard, failures, sources, diffs, notes, and its files. All from the record."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse

from atunner.api import exports
from atunner.api.context import CandidateId, Here, JobId, Service
from atunner.api.problems import Refused, documented
from atunner.api.strict import Strict
from atunner.core.candidate import Candidate
from atunner.core.record import AgentNote, RunRecord
from atunner.domains.kernels.bundle import write_bundle
from atunner.jobs import forms
from atunner.knowledge_base.leaders import leaders
from atunner.knowledge_base.watching import notes_of
from atunner.reports import difference, html
from atunner.reports.board import Board, board_of
from atunner.search.formats.run_results import as_t4

router = APIRouter(route_class=Strict, prefix="/api/v1/jobs", tags=["results"])
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"
IN_BUNDLE = 10
Limit = Annotated[int, Query(ge=1, le=5000)]


@router.get("/{job}/leaderboard", responses=documented(404, 409))
def leaderboard(here: Here, job: JobId, limit: Limit = 50) -> Board:
    """Verified candidates, best first; and those that failed, with stage and reason."""
    found = here.outline(here.jobs.get(job))
    first = leaders(here.store.database, found, limit)
    return board_of(found, first.best, first.failed, sum(first.counts.values()))


@router.get("/{job}/notes", responses=documented(404, 409))
def notes(here: Here, job: JobId) -> list[AgentNote]:
    """What each agent said in each round, with its evidence and tool calls."""
    return notes_of(here.store.database, here.head(here.jobs.get(job)).run)


@router.get("/{job}/candidates/{candidate}", responses=documented(404, 409))
def candidate(here: Here, job: JobId, candidate: CandidateId) -> Candidate:
    """A candidate with its files and parameters."""
    return _judged(here, here.head(here.jobs.get(job)), candidate)


def _judged(here: Service, head: RunRecord, identity: str) -> Candidate:
    """A judged candidate of a run.

    Raises:
        Refused: it has none of that id.
    """
    found = here.store.trial(head.run, identity)
    if found is None:
        raise Refused(404, f"Run {head.run} judged no candidate {identity}.")
    return found.candidate


@router.get("/{job}/diff", response_class=PlainTextResponse, responses=documented(404, 409))
def diff(
    here: Here,
    job: JobId,
    new: Annotated[str, Query(pattern=forms.ID)],
    old: Annotated[str | None, Query(pattern=forms.ID)] = None,
) -> str:
    """A unified diff of two candidates' sources; old: the baseline when left out."""
    head = here.head(here.jobs.get(job))
    if old is None and head.baseline is None:
        raise Refused(409, f"Run {head.run} has no baseline yet.")
    before = head.baseline.candidate if old is None and head.baseline else _judged(here, head, str(old))
    return difference.patch(before, _judged(here, head, new))


def _file(content: str | bytes | Iterator[str], media: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    if isinstance(content, str | bytes):
        return Response(content, media_type=media, headers=headers)
    return StreamingResponse(exports.in_chunks(content), media_type=media, headers=headers)


def _typed(media: str, schema: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": "The file.", "content": {media: {"schema": schema}}}}


TEXT, BINARY = {"type": "string"}, {"type": "string", "format": "binary"}


@router.get(
    "/{job}/report.html", response_class=HTMLResponse, responses={**documented(404, 409), **_typed("text/html", TEXT)}
)
def report(here: Here, job: JobId) -> HTMLResponse:
    """The report as one page without scripts."""
    with here.record(here.jobs.get(job)) as record:
        return HTMLResponse(html.page(record), headers={"content-security-policy": REPORT_POLICY})


@router.get(
    "/{job}/run.json",
    response_class=Response,
    responses={**documented(404, 409), **_typed("application/json", {"type": "object"})},
)
def run_json(here: Here, job: JobId) -> Response:
    """The whole record."""
    return _file(exports.as_json(here, here.head(here.jobs.get(job))), "application/json", f"{job}.json")


@router.get(
    "/{job}/trials.csv", response_class=Response, responses={**documented(404, 409), **_typed("text/csv", TEXT)}
)
def trials_csv(here: Here, job: JobId) -> Response:
    """One line for each trial."""
    return _file(exports.as_csv(here, here.head(here.jobs.get(job))), "text/csv", f"{job}.csv")


@router.get(
    "/{job}/results.t4.json",
    response_class=Response,
    responses={**documented(404, 409), **_typed("application/json", {"type": "object"})},
)
def results_t4(here: Here, job: JobId) -> Response:
    """The trials in the format that auto-tuners share (T4)."""
    with here.record(here.jobs.get(job)) as record:
        return _file(as_t4(record), "application/json", f"{job}.t4.json")


@router.get(
    "/{job}/bundle.tar",
    response_class=Response,
    responses={**documented(404, 409), **_typed("application/x-tar", BINARY)},
)
def bundle(here: Here, job: JobId) -> Response:
    """The bundle that measures on the GPU, as tar; only for runs whose target is a GPU."""
    record = here.leading(here.jobs.get(job), IN_BUNDLE)
    if not any(name.endswith(".cu") for t in record.ranked[:1] for name in t.candidate.files):
        raise Refused(409, f"Job {job} has no verified GPU kernel, so there is nothing to measure elsewhere.")
    with TemporaryDirectory(prefix="atunner-bundle-") as folder:
        write_bundle(record, Path(folder) / "bundle", IN_BUNDLE)
        return _file(_tar(Path(folder)), "application/x-tar", f"{job}-bundle.tar")


def _tar(folder: Path) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.add(folder / "bundle", "bundle")
    return stream.getvalue()
