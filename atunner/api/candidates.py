"""The candidates of a job as a table: filtered, sorted and paged; and one of them, or two beside each other."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from atunner.api import highlight, sidebyside
from atunner.api.context import CandidateId, Here, JobId, Service
from atunner.api.digest import Tried
from atunner.api.problems import Refused
from atunner.api.sight import Sight, begun, board, trial_of
from atunner.api.site import shown
from atunner.core.trial import Trial
from atunner.core.value import Value
from atunner.jobs import forms
from atunner.reports import difference, wording
from atunner.reports.rows import Row

router = APIRouter(include_in_schema=False)
PAGE = 50
CHOICES = 60


class Asked(BaseModel):
    """What the table shall show. text: part of a family, a parameter (UNROLL=8), an id or a reason."""

    show: Literal["verified", "failed", "all"] = "verified"
    text: str = Field(default="", max_length=100, pattern=forms.TEXT)
    sort: Literal["best", "newest", "oldest"] = "best"
    page: int = Field(default=1, ge=1, le=1_000_000)


class Table(Value):
    """One page of candidates: each in short, with its whole row where it has a figure."""

    asked: dict[str, str]
    rows: tuple[tuple[Tried, Row | None], ...]
    page: int
    pages: int
    total: int
    counts: dict[str, int]


def table(here: Service, seen: Sight, asked: Asked) -> Table:
    """The page that was asked for."""
    tried = seen.digest.tried if seen.digest else []
    shown_ = {
        "verified": [t for t in tried if t.value is not None],
        "failed": [t for t in tried if t.value is None],
        "all": tried,
    }
    found = [t for t in shown_[asked.show] if _fits(t, asked.text)]
    ordered = sorted(found, key=lambda t: t.number, reverse=asked.sort == "newest")
    if asked.sort == "best":
        sign = 1 if seen.objective.minimise else -1
        ordered.sort(key=lambda t: (t.value is None, sign * (t.value or 0.0)))
    pages = max(1, -(-len(ordered) // PAGE))
    page = min(asked.page, pages)
    here_now = ordered[(page - 1) * PAGE : page * PAGE]
    whole = {one.candidate: row for one, row in board(here, seen, here_now)}
    return Table(
        asked=asked.model_dump(exclude={"page"}),
        rows=tuple((one, whole.get(one.candidate)) for one in here_now),
        page=page,
        pages=pages,
        total=len(ordered),
        counts={name: len(some) for name, some in shown_.items()},
    )


def _fits(one: Tried, text: str) -> bool:
    if not text:
        return True
    told = f"{one.family} {wording.parameters(one.params)} {one.candidate} {one.status} {one.reason} {one.origin}"
    return all(word in told.lower().split() or word in told.lower() for word in text.lower().split())


@router.get("/jobs/{job}/candidates/{candidate}")
def candidate_page(here: Here, job: JobId, candidate: CandidateId) -> Response:
    """One candidate: its verdict, its checks and its source."""
    seen = begun(here, job)
    trial = _trial(here, seen, candidate)
    name, text = difference.source(trial.candidate)
    one = seen.digest.by_id.get(candidate) if seen.digest else None
    found = board(here, seen, [one]) if one else []
    children = [t for t in seen.digest.tried if t.parent == candidate] if seen.digest else []
    return shown(
        "candidate.html.j2",
        job=seen.job,
        seen=seen,
        trial=trial,
        one=one,
        row=found[0][1] if found else None,
        file=name,
        lines=[highlight.html(line) for line in highlight.pieces(name, text)],
        others={n: t for n, t in trial.candidate.files.items() if n != name},
        children=children[:CHOICES],
    )


@router.get("/jobs/{job}/diff")
def diff_page(
    here: Here,
    job: JobId,
    new: Annotated[str, Query(pattern=forms.ID)],
    old: Annotated[str, Query(pattern=forms.ID_OR_NONE)] = "",
) -> Response:
    """Two candidates, parameters and source, side by side; old: the baseline when left out."""
    seen = begun(here, job)
    assert seen.digest is not None
    before, after = _trial(here, seen, old or seen.digest.base), _trial(here, seen, new)
    wanted = [t for t in (before, after) if t.candidate.id in seen.digest.by_id]
    known = [seen.digest.by_id[t.candidate.id] for t in wanted]
    choices = {t.candidate: t for t in [*([seen.base] if seen.base else []), *seen.ranked[:CHOICES], *known]}
    return shown(
        "diff.html.j2",
        job=seen.job,
        seen=seen,
        before=before,
        after=after,
        pairs=sidebyside.pairs(before.candidate, after.candidate),
        changes=sidebyside.changes(before.candidate, after.candidate),
        choices=list(choices.values()),
        ratio=_ratio(seen, before, after),
    )


def _ratio(seen: Sight, before: Trial, after: Trial) -> float | None:
    one, other = before.measurement, after.measurement
    if one is None or other is None or (one.provenance, one.unit) != (other.provenance, other.unit):
        return None
    return seen.objective.ratio(one.value, other.value)


def _trial(here: Service, seen: Sight, candidate: str) -> Trial:
    found = trial_of(here, seen, candidate)
    if found is None:
        raise Refused(404, f"The run of job {seen.job.id} judged no candidate {candidate or 'as its baseline yet'}.")
    return found
