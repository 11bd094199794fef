"""Two to five jobs side by side: their curves in one plot, and every reason why figures must not be compared."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from atunner.api.context import Here, Service
from atunner.api.sight import Sight, begun
from atunner.api.site import shown
from atunner.core.job import JobFilter
from atunner.jobs import forms
from atunner.reports import compare as reports

router = APIRouter(include_in_schema=False)
CHOICES = 100
Ids = Annotated[list[Annotated[str, Query(pattern=forms.ID)]], Query(max_length=5)]


@router.get("/compare")
def compare(here: Here, job: Ids = []) -> Response:  # noqa: B006 - FastAPI copies it
    """The jobs that were chosen, and a list to choose from."""
    seen = [begun(here, one) for one in dict.fromkeys(job)]
    runs = list(dict.fromkeys(s.head.run for s in seen if s.head))
    found = _compared(here, seen) if reports.FEWEST <= len(runs) == len(seen) else None
    choices = [j for j in here.jobs.list(JobFilter(limit=CHOICES)).jobs if j.run]
    return shown(
        "compare.html.j2",
        seen=seen,
        wanted=[s.job.id for s in seen],
        same=len(runs) < len(seen),
        found=found,
        choices=choices,
        most=reports.MOST,
    )


def _compared(here: Service, seen: Sequence[Sight]) -> reports.Compared:
    found = [here.outline(one.job) for one in seen]
    counts = {one.head.run: one.digest.counts for one in seen if one.head and one.digest}
    return reports.compare(found, counts)
