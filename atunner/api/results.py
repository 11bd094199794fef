"""What a job found: leaderboard, failures, sources, diffs, notes, and its files. All from the record."""

import io
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from atunner.api.context import CandidateId, Here, JobId
from atunner.api.problems import Refused, documented
from atunner.api.strict import Strict
from atunner.core.candidate import Candidate
from atunner.core.record import AgentNote, RunRecord
from atunner.domains.kernels.bundle import write_bundle
from atunner.jobs import forms
from atunner.reports import difference, export, html
from atunner.reports.board import Board, board
from atunner.search.formats.run_results import as_t4

router = APIRouter(route_class=Strict, prefix="/api/v1/jobs", tags=["results"])
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"
Limit = Annotated[int, Query(ge=1, le=5000)]


@router.get("/{job}/leaderboard", responses=documented(404, 409))
def leaderboard(here: Here, job: JobId, limit: Limit = 50) -> Board:
    """Verified candidates, best first; and those that failed, with stage and reason."""
    return board(here.record(here.jobs.get(job)), limit)


@router.get("/{job}/notes", responses=documented(404, 409))
def notes(here: Here, job: JobId) -> list[AgentNote]:
    """What each agent said in each round, with its evidence and tool calls."""
    return list(here.record(here.jobs.get(job)).notes)


@router.get("/{job}/candidates/{candidate}", responses=documented(404, 409))
def candidate(here: Here, job: JobId, candidate: CandidateId) -> Candidate:
    """A candidate with its files and parameters."""
    return candidate_of(here.record(here.jobs.get(job)), candidate)


def candidate_of(record: RunRecord, identity: str) -> Candidate:
    """A judged candidate of a run.

    Raises:
        Refused: it has none of that id.
    """
    found = next((t.candidate for t in record.trials if t.candidate.id == identity), None)
    if found is None:
        raise Refused(404, f"Run {record.run} judged no candidate {identity}.")
    return found


@router.get("/{job}/diff", response_class=PlainTextResponse, responses=documented(404, 409))
def diff(
    here: Here,
    job: JobId,
    new: Annotated[str, Query(pattern=forms.ID)],
    old: Annotated[str | None, Query(pattern=forms.ID)] = None,
) -> str:
    """A unified diff of two candidates' sources; old: the baseline when left out."""
    record = here.record(here.jobs.get(job))
    return difference.patch(old_of(record, old), candidate_of(record, new))


def old_of(record: RunRecord, identity: str | None) -> Candidate:
    """The candidate of that id, or the baseline.

    Raises:
        Refused: there is none.
    """
    if identity is not None:
        return candidate_of(record, identity)
    if record.baseline is None:
        raise Refused(409, f"Run {record.run} has no baseline yet.")
    return record.baseline.candidate


def _file(content: str | bytes, media: str, name: str) -> Response:
    return Response(content, media_type=media, headers={"content-disposition": f'attachment; filename="{name}"'})


def _typed(media: str, schema: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": "The file.", "content": {media: {"schema": schema}}}}


TEXT, BINARY = {"type": "string"}, {"type": "string", "format": "binary"}


@router.get(
    "/{job}/report.html", response_class=HTMLResponse, responses={**documented(404, 409), **_typed("text/html", TEXT)}
)
def report(here: Here, job: JobId) -> HTMLResponse:
    """The report as one page without scripts."""
    record = here.record(here.jobs.get(job))
    return HTMLResponse(html.page(record), headers={"content-security-policy": REPORT_POLICY})


@router.get(
    "/{job}/run.json",
    response_class=Response,
    responses={**documented(404, 409), **_typed("application/json", {"type": "object"})},
)
def run_json(here: Here, job: JobId) -> Response:
    """The whole record."""
    return _file(export.as_json(here.record(here.jobs.get(job))), "application/json", f"{job}.json")


@router.get(
    "/{job}/trials.csv", response_class=Response, responses={**documented(404, 409), **_typed("text/csv", TEXT)}
)
def trials_csv(here: Here, job: JobId) -> Response:
    """One line for each trial."""
    return _file(export.as_csv(here.record(here.jobs.get(job))), "text/csv", f"{job}.csv")


@router.get(
    "/{job}/results.t4.json",
    response_class=Response,
    responses={**documented(404, 409), **_typed("application/json", {"type": "object"})},
)
def results_t4(here: Here, job: JobId) -> Response:
    """The trials in the format that auto-tuners share (T4)."""
    return _file(as_t4(here.record(here.jobs.get(job))), "application/json", f"{job}.t4.json")


@router.get(
    "/{job}/bundle.tar",
    response_class=Response,
    responses={**documented(404, 409), **_typed("application/x-tar", BINARY)},
)
def bundle(here: Here, job: JobId) -> Response:
    """The bundle that measures on the GPU, as tar; only for runs whose target is a GPU."""
    record = here.record(here.jobs.get(job))
    if not any(name.endswith(".cu") for t in record.ranked[:1] for name in t.candidate.files):
        raise Refused(409, f"Job {job} has no verified GPU kernel, so there is nothing to measure elsewhere.")
    with TemporaryDirectory(prefix="atunner-bundle-") as folder:
        write_bundle(record, Path(folder) / "bundle")
        return _file(_tar(Path(folder)), "application/x-tar", f"{job}-bundle.tar")


def _tar(folder: Path) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.add(folder / "bundle", "bundle")
    return stream.getvalue()
