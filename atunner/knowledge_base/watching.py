"""What a page reads that watches runs: only what is new since it last looked, and the lines of a list at once."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, case, func, select

from atunner.core.candidate import Params
from atunner.core.record import AgentNote, RunState
from atunner.core.status import Provenance, Status
from atunner.core.task import Objective, Spent, Task
from atunner.core.trial import Comparison, Trial
from atunner.core.value import Value
from atunner.knowledge_base import streams, trials
from atunner.knowledge_base.candidates import AnyRow
from atunner.knowledge_base.database import Database
from atunner.knowledge_base.streams import Event
from atunner.knowledge_base.tables import CandidateRow, EventRow, MeasurementRow, RunRow, ScreeningRow, TrialRow


class NewTrials(Value):
    """Trials recorded since a mark, in order; `mark` is where to go on."""

    trials: tuple[Trial, ...]
    mark: int


class Screened(Value):
    """A screening without the candidate's files and its profile. score: None where it could not be built or used."""

    candidate: str
    family: str
    params: Params
    score: float | None
    reason: str


class NewScreenings(Value):
    """Screenings recorded since a mark, in order."""

    screenings: tuple[Screened, ...]
    mark: int


class RunStanding(Value):
    """What a list says of a run. best: the best figure of its provenance, the baseline apart; None while none."""

    run: str
    state: RunState
    device: str
    provenance: Provenance
    model: str
    objective: Objective
    confirmed: Comparison | None
    spent: Spent
    trials: int
    ok: int
    screened: int
    baseline: float | None
    best: float | None

    @property
    def gain(self) -> float | None:
        """How many times better than the baseline: as confirmed, else as the trials say so far."""
        if self.confirmed is not None:
            return self.confirmed.ratio
        if self.baseline is None or self.best is None:
            return None
        return self.objective.ratio(self.baseline, self.best)


def trials_after(database: Database, run: str, mark: int) -> NewTrials:
    """The trials of a run that were recorded after the mark; 0 for all."""
    with database.read() as connection:
        last = connection.execute(select(func.max(TrialRow.id)).where(TrialRow.run == run)).scalar() or mark
        if last <= mark:
            return NewTrials(trials=(), mark=mark)
        found = trials.find(connection, TrialRow.run == run, TrialRow.id > mark, TrialRow.id <= last)
    return NewTrials(trials=tuple(found), mark=last)


def trials_of(database: Database, run: str, wanted: Sequence[str]) -> dict[str, Trial]:
    """The trials of these candidates, by candidate."""
    with database.read() as connection:
        found = trials.find(connection, TrialRow.run == run, TrialRow.candidate.in_(list(wanted)))
    return {trial.candidate.id: trial for trial in found}


def screenings_after(database: Database, run: str, mark: int) -> NewScreenings:
    """The screenings of a run that were recorded after the mark."""
    query = (
        select(ScreeningRow.id, ScreeningRow.candidate, ScreeningRow.score, ScreeningRow.origin, ScreeningRow.body)
        .add_columns(CandidateRow.params)
        .join(CandidateRow, CandidateRow.id == ScreeningRow.candidate)
        .where(ScreeningRow.run == run, ScreeningRow.id > mark)
        .order_by(ScreeningRow.id)
    )
    with database.read() as connection:
        rows = connection.execute(query).all()
    found = tuple(
        Screened(
            candidate=row.candidate,
            family=row.origin.get("family", ""),
            params=row.params,
            score=row.score,
            reason=row.body.get("reason", ""),
        )
        for row in rows
    )
    return NewScreenings(screenings=found, mark=rows[-1].id if rows else mark)


def last_events(database: Database, stream: str, limit: int, kinds: Sequence[str] = ()) -> list[Event]:
    """The newest events of a stream, in order; of these kinds only where some are named."""
    query = select(EventRow.seq, EventRow.kind, EventRow.body, EventRow.created).where(EventRow.stream == stream)
    if kinds:
        query = query.where(EventRow.kind.in_(list(kinds)))
    with database.read() as connection:
        rows = connection.execute(query.order_by(EventRow.seq.desc()).limit(limit)).all()
    return [Event(stream=stream, **row._mapping) for row in reversed(rows)]


def events_after(database: Database, stream: str, seq: int, kind: str, limit: int) -> list[Event]:
    """The events of one kind numbered above `seq`, in order."""
    query = select(EventRow.seq, EventRow.kind, EventRow.body, EventRow.created).where(
        EventRow.stream == stream, EventRow.seq > seq, EventRow.kind == kind
    )
    with database.read() as connection:
        rows = connection.execute(query.order_by(EventRow.seq).limit(limit)).all()
    return [Event(stream=stream, **row._mapping) for row in rows]


def notes_of(database: Database, run: str) -> list[AgentNote]:
    """What the agents said in a run, in the order recorded."""
    with database.read() as connection:
        return streams.notes(connection, run)


def standings(database: Database, runs: Sequence[str]) -> dict[str, RunStanding]:
    """How these runs stand, by run; those that do not exist are left out."""
    if not runs:
        return {}
    with database.read() as connection:
        rows = connection.execute(_standings(runs)).all()
    return {row.id: _standing(row) for row in rows}


def _standings(runs: Sequence[str]) -> Select[Any]:
    ranked = (
        (TrialRow.status == Status.OK)
        & (MeasurementRow.provenance == RunRow.provenance)
        & (func.coalesce(RunRow.baseline, "") != TrialRow.candidate)
    )
    figures = (
        select(
            TrialRow.run.label("run"),
            func.count().label("trials"),
            func.count().filter(TrialRow.status == Status.OK).label("ok"),
            func.min(case((ranked, MeasurementRow.value))).label("least"),
            func.max(case((ranked, MeasurementRow.value))).label("most"),
            func.max(case((RunRow.baseline == TrialRow.candidate, MeasurementRow.value))).label("base"),
        )
        .join(RunRow, RunRow.id == TrialRow.run)
        .outerjoin(MeasurementRow, MeasurementRow.trial == TrialRow.id)
        .where(TrialRow.run.in_(list(runs)))
        .group_by(TrialRow.run)
        .subquery()
    )
    seen = (
        select(ScreeningRow.run.label("run"), func.count().label("screened"))
        .where(ScreeningRow.run.in_(list(runs)))
        .group_by(ScreeningRow.run)
        .subquery()
    )
    named = (RunRow.id, RunRow.task, RunRow.state, RunRow.device_name, RunRow.provenance, RunRow.model)
    told = (figures.c.trials, figures.c.ok, figures.c.least, figures.c.most, figures.c.base, seen.c.screened)
    return (
        select(*named, RunRow.confirmed, RunRow.spent, *told)
        .outerjoin(figures, figures.c.run == RunRow.id)
        .outerjoin(seen, seen.c.run == RunRow.id)
        .where(RunRow.id.in_(list(runs)))
    )


def _standing(row: AnyRow) -> RunStanding:
    objective = Task.model_validate(row.task).objective
    return RunStanding(
        run=row.id,
        state=row.state,
        device=row.device_name,
        provenance=row.provenance,
        model=row.model,
        objective=objective,
        confirmed=row.confirmed,
        spent=row.spent,
        trials=row.trials or 0,
        ok=row.ok or 0,
        screened=row.screened or 0,
        baseline=row.base,
        best=row.least if objective.minimise else row.most,
    )
