"""Figures for monitoring, counted in the database when they are asked for, so that every server tells the same."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select

from atunner.core.job import ENDED, JobState
from atunner.core.status import Provenance
from atunner.core.value import Value
from atunner.knowledge_base.candidates import AnyRow
from atunner.knowledge_base.database import Database
from atunner.knowledge_base.tables import JobRow, ModelCallRow, RunRow, StageTimeRow, TrialRow

WAITS = (1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0)
RATIOS = (1.0, 1.05, 1.2, 1.5, 2.0, 4.0, 8.0, 16.0)


class Histogram(Value):
    """How many values were at most each bound, all of them, and their sum."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    count: int
    total: float


class Calls(Value):
    """Calls of one model with one outcome."""

    model: str
    outcome: str
    count: int
    input_tokens: int
    output_tokens: int
    usd: float
    seconds: float


class StageTime(Value):
    """How often a stage was done, and how long in all."""

    stage: str
    count: int
    seconds: float


class Figures(Value):
    """One look at the database. waits: from submission to the first start; leases: jobs at work; both by target."""

    jobs: dict[JobState, int]
    waits: dict[str, Histogram]
    took: Histogram
    leases: dict[str, int]
    candidates: dict[str, int]
    ratios: Histogram
    calls: tuple[Calls, ...]
    stages: tuple[StageTime, ...]


def figures(database: Database) -> Figures:
    """All figures as of one moment."""
    with database.read() as connection:
        return Figures(
            jobs=_jobs(connection),
            waits=_waits(connection),
            took=_took(connection),
            leases=_leases(connection),
            candidates=_candidates(connection),
            ratios=_ratios(connection),
            calls=_calls(connection),
            stages=_stages(connection),
        )


def _jobs(connection: Connection) -> dict[JobState, int]:
    query = select(JobRow.state, func.count()).group_by(JobRow.state)
    found = {JobState(state): int(count) for state, count in connection.execute(query)}
    return {state: found.get(state, 0) for state in JobState}


def _waits(connection: Connection) -> dict[str, Histogram]:
    wait = JobRow.started - JobRow.created
    query = select(JobRow.target, *_columns(wait, WAITS)).where(JobRow.started.is_not(None)).group_by(JobRow.target)
    return {row.target: _histogram(row, WAITS) for row in connection.execute(query)}


def _took(connection: Connection) -> Histogram:
    ended = [state.value for state in ENDED]
    query = select(*_columns(JobRow.finished - JobRow.started, WAITS))
    return _histogram(
        connection.execute(query.where(JobRow.state.in_(ended), JobRow.started.is_not(None))).one(), WAITS
    )


def _ratios(connection: Connection) -> Histogram:
    measured = RunRow.provenance.expression == Provenance.MEASURED.value
    query = select(*_columns(RunRow.ratio.expression, RATIOS)).where(RunRow.ratio.is_not(None), measured)
    return _histogram(connection.execute(query).one(), RATIOS)


def _columns(value: ColumnElement[float | None], bounds: Sequence[float]) -> list[ColumnElement[Any]]:
    within: list[ColumnElement[Any]] = [
        func.sum(case((value <= bound, 1), else_=0)).label(f"le_{n}") for n, bound in enumerate(bounds)
    ]
    return [*within, func.count().label("all"), func.sum(value).label("total")]


def _histogram(row: AnyRow, bounds: Sequence[float]) -> Histogram:
    found: Mapping[str, float | None] = dict(row._mapping)
    counts = tuple(int(found[f"le_{n}"] or 0) for n in range(len(bounds)))
    return Histogram(
        bounds=tuple(bounds), counts=counts, count=int(found["all"] or 0), total=float(found["total"] or 0.0)
    )


def _leases(connection: Connection) -> dict[str, int]:
    running = select(JobRow.target, func.count()).where(JobRow.state == JobState.RUNNING).group_by(JobRow.target)
    return {target: int(count) for target, count in connection.execute(running)}


def _candidates(connection: Connection) -> dict[str, int]:
    query = select(TrialRow.status, func.count()).group_by(TrialRow.status)
    return {status: int(count) for status, count in connection.execute(query)}


def _calls(connection: Connection) -> tuple[Calls, ...]:
    call = ModelCallRow
    sums = (call.input_tokens, call.output_tokens, call.usd, call.seconds)
    query = select(
        call.model, call.outcome, func.count().label("count"), *(func.sum(column).label(column.key) for column in sums)
    ).group_by(call.model, call.outcome)
    return tuple(Calls.model_validate(dict(row._mapping)) for row in connection.execute(query))


def _stages(connection: Connection) -> tuple[StageTime, ...]:
    count, seconds = func.sum(StageTimeRow.count), func.sum(StageTimeRow.seconds)
    query = select(StageTimeRow.stage, count.label("count"), seconds.label("seconds")).group_by(StageTimeRow.stage)
    return tuple(StageTime.model_validate(dict(row._mapping)) for row in connection.execute(query))
