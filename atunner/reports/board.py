"""The leaderboard of one run: what is verified, best first, and what failed, with stage and reason."""

from atunner.core.record import RunRecord
from atunner.core.status import Provenance, Status
from atunner.core.value import Value
from atunner.reports import rows, wording


class Failed(Value):
    """A candidate without a figure: at which stage it failed, and why."""

    candidate: str
    family: str
    status: Status
    reason: str


class Board(Value):
    """The leaderboard of one run; all figures are of one provenance. baseline has rank 0."""

    run: str
    state: str
    provenance: Provenance
    headline: str
    baseline: rows.Row | None
    rows: tuple[rows.Row, ...]
    failed: tuple[Failed, ...]
    total: int


def board(record: RunRecord, limit: int) -> Board:
    """The best `limit` rows, and as many failures, the newest first."""
    ranked = rows.leaderboard(record)
    bad = [t for t in reversed(record.trials) if t.status is not Status.OK]
    failed = (
        Failed(candidate=t.candidate.id, family=t.candidate.family, status=t.status, reason=rows.first_line(t.feedback))
        for t in bad[:limit]
    )
    return Board(
        run=record.run,
        state=record.state,
        provenance=record.provenance,
        headline=wording.headline(record),
        baseline=rows.baseline(record),
        rows=ranked[:limit],
        failed=tuple(failed),
        total=len(record.trials),
    )
