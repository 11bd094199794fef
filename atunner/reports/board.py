"""The leaderboard of one run: what is verified, best first, and what failed, with stage and reason."""

from collections.abc import Sequence

from atunner.core.record import RunRecord
from atunner.core.status import Provenance, Status
from atunner.core.trial import Trial
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
    bad = [t for t in reversed(record.trials) if t.status is not Status.OK]
    return board_of(record, record.ranked[:limit], bad[:limit], len(record.trials))


def board_of(record: RunRecord, best: Sequence[Trial], bad: Sequence[Trial], total: int) -> Board:
    """The leaderboard of a run of which no other trials were read. record: it has at least the winner among its trials.

    best: from the first place on; bad: the newest first; total: of all trials.
    """
    ranked = (rows.row(record, trial, place) for place, trial in enumerate(best, start=1))
    failed = (
        Failed(candidate=t.candidate.id, family=t.candidate.family, status=t.status, reason=rows.first_line(t.feedback))
        for t in bad
    )
    return Board(
        run=record.run,
        state=record.state,
        provenance=record.provenance,
        headline=wording.headline(record),
        baseline=rows.baseline(record),
        rows=tuple(row for row in ranked if row is not None),
        failed=tuple(failed),
        total=total,
    )
