"""The heads of runs: created, changed, ended once."""

from datetime import UTC, datetime
from typing import Any

from pydantic import Field
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.sql import Select

from atunner.core.errors import UserError
from atunner.core.measurement import Environment
from atunner.core.record import RunRecord, RunState
from atunner.core.status import Provenance, Status
from atunner.core.task import Spent, Task
from atunner.core.value import Value
from atunner.knowledge_base.candidates import AnyRow
from atunner.knowledge_base.database import Database
from atunner.knowledge_base.schema import product_version
from atunner.knowledge_base.tables import EnvironmentRow, MeasurementRow, RunRow, TrialRow

TERMINAL = frozenset({RunState.DONE, RunState.FAILED, RunState.CANCELLED})


class UnknownRun(UserError):
    """No run has that id."""


class RunEnded(UserError):
    """The run is done, failed or cancelled, and stays so."""


class RunSummary(Value):
    """One line of a list of runs. best: the figure of the best candidate, None while there is none."""

    run: str
    name: str
    domain: str
    target: str
    state: RunState
    stop_reason: str
    provenance: Provenance
    model: str
    trials: int
    ok: int
    best: float | None
    unit: str
    spent: Spent
    created: str
    finished: str


class RunFilter(Value):
    """Which runs to list; an empty field lets all pass. subject: the operator, else the task's name."""

    states: frozenset[RunState] = frozenset()
    domain: str = ""
    subject: str = ""
    target: str = ""
    text: str = ""
    limit: int = Field(default=50, ge=1, le=1000)
    offset: int = Field(default=0, ge=0)


def now() -> str:
    """The time in UTC as ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def subject(task: Task) -> str:
    """What runs are similar in: the operator where the task has one, else its name."""
    operator = task.spec.get("operator")
    return operator if isinstance(operator, str) else task.name


def state(connection: Connection, run: str) -> RunState:
    """Where a run stands. Raises UnknownRun."""
    found = connection.execute(select(RunRow.state).where(RunRow.id == run)).scalar()
    if found is None:
        raise _unknown(connection, run)
    return RunState(found)


def _unknown(connection: Connection, run: str) -> UnknownRun:
    latest = connection.execute(select(RunRow.id).order_by(RunRow.created.desc()).limit(5)).scalars().all()
    return UnknownRun(f"No run named {run!r}. Latest: {', '.join(latest) or 'none'}. `atunner list` shows all.")


def keep_environment(database: Database, connection: Connection, environment: Environment) -> str:
    """Store an environment once; its id."""
    row = {"id": environment.id, "device": environment.device, "body": environment.model_dump(mode="json")}
    database.add(connection, EnvironmentRow, [row])
    return environment.id


def keep(database: Database, connection: Connection, record: RunRecord) -> None:
    """Create or change the head of a run; what was spent never sinks.

    Raises:
        RunEnded: the stored run ended in another state. In the same state nothing is changed.
    """
    current = connection.execute(select(RunRow.state, RunRow.spent).where(RunRow.id == record.run)).one_or_none()
    if current is not None and RunState(current.state) in TERMINAL:
        _stays(record.run, RunState(current.state), record.state)
        return
    if record.environment is not None:
        keep_environment(database, connection, record.environment)
    row = _row(record)
    if current is None:
        connection.execute(insert(RunRow), [row])
        return
    row["spent"] = _most(Spent.model_validate(current.spent), record.spent).model_dump()
    del row["id"], row["created"]
    connection.execute(update(RunRow).where(RunRow.id == record.run).values(row))


def _stays(run: str, stored: RunState, wanted: RunState) -> None:
    if stored is not wanted:
        raise RunEnded(f"Run {run} is {stored.value}, and stays so; it cannot become {wanted.value}. Start a new run.")


def _most(one: Spent, other: Spent) -> Spent:
    return Spent.model_validate({name: max(getattr(one, name), getattr(other, name)) for name in Spent.model_fields})


def _row(record: RunRecord) -> dict[str, Any]:
    plain = record.model_dump(
        mode="json",
        include={"task", "facts", "device", "budget", "spent", "confirmed", "model", "best", "stop_reason"},
    )
    device = record.device
    return plain | {
        "id": record.run,
        "task_id": record.task.id,
        "domain": record.task.domain,
        "name": record.task.name,
        "subject": subject(record.task),
        "target": record.task.target,
        "device_name": device.name if device else record.task.target,
        "arch": device.arch if device else "",
        "state": record.state.value,
        "provenance": record.provenance.value,
        "environment": record.environment.id if record.environment else None,
        "baseline": record.baseline.candidate.id if record.baseline else None,
        "ratio": record.confirmed.ratio if record.confirmed else None,
        "created": record.created or now(),
        "finished": record.finished or (now() if record.state in TERMINAL else ""),
        "version": record.version or product_version(),
        "schema_version": record.schema_version,
    }


def change_state(connection: Connection, run: str, wanted: RunState, stop_reason: str) -> None:
    """Move a run to another state.

    Raises:
        UnknownRun: there is none. RunEnded: it ended otherwise.
    """
    current = state(connection, run)
    if current in TERMINAL:
        _stays(run, current, wanted)
        return
    finished = now() if wanted in TERMINAL else ""
    values = {"state": wanted.value, "stop_reason": stop_reason, "finished": finished}
    connection.execute(update(RunRow).where(RunRow.id == run).values(values))


def spend(connection: Connection, run: str, spent: Spent) -> None:
    """Note what a run has used so far, in all; a smaller figure than the stored one changes nothing."""
    stored = connection.execute(select(RunRow.spent).where(RunRow.id == run)).scalar()
    if stored is None:
        raise _unknown(connection, run)
    most = _most(Spent.model_validate(stored), spent)
    connection.execute(update(RunRow).where(RunRow.id == run).values(spent=most.model_dump()))


def head(connection: Connection, run: str) -> tuple[RunRecord, str | None]:
    """The run without trials, screenings and notes, and the candidate id of its baseline."""
    query = select(RunRow.__table__, EnvironmentRow.body.label("taken_in")).outerjoin(
        EnvironmentRow, EnvironmentRow.id == RunRow.environment
    )
    row = connection.execute(query.where(RunRow.id == run)).one_or_none()
    if row is None:
        raise _unknown(connection, run)
    same = set(RunRecord.model_fields) & set(row._fields) - {"environment", "baseline"}
    fields = {name: getattr(row, name) for name in same} | {"run": row.id, "environment": row.taken_in}
    return RunRecord.model_validate(fields), row.baseline


def summaries(connection: Connection, which: RunFilter) -> list[RunSummary]:
    """Runs, newest first; counted and joined for this page only."""
    query = _filtered(which).order_by(RunRow.created.desc(), RunRow.id.desc()).limit(which.limit).offset(which.offset)
    heads = connection.execute(query).all()
    ids = [row.id for row in heads]
    counted = (
        select(
            TrialRow.run, func.count().label("trials"), func.count().filter(TrialRow.status == Status.OK).label("ok")
        )
        .where(TrialRow.run.in_(ids))
        .group_by(TrialRow.run)
    )
    counts = {row.run: row for row in connection.execute(counted)}
    best = (
        select(RunRow.id, MeasurementRow.value, MeasurementRow.unit)
        .join(TrialRow, (TrialRow.run == RunRow.id) & (TrialRow.candidate == RunRow.best))
        .join(MeasurementRow, MeasurementRow.trial == TrialRow.id)
        .where(RunRow.id.in_(ids))
    )
    figures = {row.id: row for row in connection.execute(best)}
    return [_summary(row, counts.get(row.id), figures.get(row.id)) for row in heads]


def _filtered(which: RunFilter) -> Select[Any]:
    query: Select[Any] = select(RunRow.__table__)
    if which.states:
        query = query.where(RunRow.state.in_([s.value for s in which.states]))
    wanted = ((RunRow.domain, which.domain), (RunRow.subject, which.subject), (RunRow.target, which.target))
    for column, value in wanted:
        query = query.where(column == value) if value else query
    return query.where(RunRow.name.icontains(which.text, autoescape=True)) if which.text else query


def _summary(row: AnyRow, counts: AnyRow | None, figure: AnyRow | None) -> RunSummary:
    same = set(RunSummary.model_fields) & set(row._fields) - {"best"}
    fields = {name: getattr(row, name) for name in same}
    return RunSummary.model_validate(
        fields
        | {
            "run": row.id,
            "best": figure.value if figure else None,
            "unit": figure.unit if figure else row.task["objective"]["unit"],
            "trials": counts.trials if counts else 0,
            "ok": counts.ok if counts else 0,
        }
    )
