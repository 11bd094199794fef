"""What is wanted of a long run without reading all of it: its best trials, its failures, and how many there are."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, func, select

from atunner.core.record import RunRecord
from atunner.core.status import Status
from atunner.core.trial import Screening, Trial
from atunner.core.value import Value
from atunner.knowledge_base import trials
from atunner.knowledge_base.database import Database
from atunner.knowledge_base.tables import MeasurementRow, ScreeningRow, TrialRow

BATCH = 200


class Leaders(Value):
    """best: the first of the leaderboard; failed: the newest without a figure; counts: all trials by status."""

    best: tuple[Trial, ...]
    failed: tuple[Trial, ...]
    counts: dict[Status, int]


def leaders(database: Database, head: RunRecord, limit: int) -> Leaders:
    """The best `limit` trials of a run, and as many that failed."""
    bad = select(TrialRow.candidate).where(TrialRow.run == head.run, TrialRow.status != Status.OK)
    with database.read() as connection:
        best = connection.execute(_ranking(head).limit(limit)).scalars().all()
        newest = connection.execute(bad.order_by(TrialRow.id.desc()).limit(limit)).scalars().all()
    return Leaders(
        best=in_order(database, head.run, best),
        failed=in_order(database, head.run, newest),
        counts=counts(database, head.run),
    )


def counts(database: Database, run: str) -> dict[Status, int]:
    """How many trials of a run ended in each status."""
    query = select(TrialRow.status, func.count()).where(TrialRow.run == run).group_by(TrialRow.status)
    with database.read() as connection:
        return {Status(status): int(count) for status, count in connection.execute(query)}


def ranks(database: Database, head: RunRecord) -> dict[str, int]:
    """The place of each candidate on the leaderboard, from 1."""
    with database.read() as connection:
        found = connection.execute(_ranking(head)).scalars().all()
    return {candidate: place for place, candidate in enumerate(found, start=1)}


def _ranking(head: RunRecord) -> Select[Any]:
    """Candidates with a figure of the run's provenance, best first, the baseline apart: as `RunRecord.ranked`."""
    value = MeasurementRow.value.expression
    return (
        select(TrialRow.candidate)
        .join(MeasurementRow, MeasurementRow.trial == TrialRow.id)
        .where(
            TrialRow.run == head.run,
            TrialRow.status == Status.OK,
            MeasurementRow.provenance == head.provenance,
            TrialRow.candidate != (head.baseline.candidate.id if head.baseline else ""),
        )
        .order_by(value.asc() if head.task.objective.minimise else value.desc(), TrialRow.id)
    )


def in_order(database: Database, run: str, wanted: Sequence[str]) -> tuple[Trial, ...]:
    """The trials of these candidates, in this order; those that there are."""
    found: dict[str, Trial] = {}
    for start in range(0, len(wanted), BATCH):
        some = list(wanted[start : start + BATCH])
        with database.read() as connection:
            read = trials.find(connection, TrialRow.run == run, TrialRow.candidate.in_(some))
        found |= {trial.candidate.id: trial for trial in read}
    return tuple(found[candidate] for candidate in wanted if candidate in found)


def every_trial(database: Database, run: str) -> Iterator[Trial]:
    """All trials of a run in the order judged, a batch in memory at a time."""
    with database.read() as connection:
        query = select(TrialRow.id).where(TrialRow.run == run).order_by(TrialRow.id)
        ids = connection.execute(query).scalars().all()
    for start in range(0, len(ids), BATCH):
        with database.read() as connection:
            read = trials.find(connection, TrialRow.id.in_(ids[start : start + BATCH]))
        yield from read


def every_screening(database: Database, run: str) -> Iterator[Screening]:
    """All screenings of a run in the order recorded, a batch in memory at a time."""
    mark = 0
    while True:
        with database.read() as connection:
            query = select(ScreeningRow.id).where(ScreeningRow.run == run, ScreeningRow.id > mark)
            ids = connection.execute(query.order_by(ScreeningRow.id).limit(BATCH)).scalars().all()
            read = trials.screenings(connection, run, (mark, ids[-1])) if ids else []
        yield from read
        if not ids:
            return
        mark = ids[-1]
