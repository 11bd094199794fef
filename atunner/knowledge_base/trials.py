"""Trials and screenings as rows."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, insert, select

from atunner.core.trial import Screening, Trial
from atunner.knowledge_base import candidates
from atunner.knowledge_base.database import Database
from atunner.knowledge_base.tables import CandidateRow, MeasurementRow, ScreeningRow, TrialRow


def keep(database: Database, connection: Connection, run: str, trial: Trial) -> bool:
    """Store a trial unless the run has one of its candidate; whether it was new."""
    candidates.keep(database, connection, [trial.candidate])
    row = {
        "run": run,
        "candidate": trial.candidate.id,
        "status": trial.status.value,
        "family": trial.candidate.family,
        "origin": candidates.origin(trial.candidate),
        "body": trial.model_dump(mode="json", exclude={"candidate", "status", "measurement"}),
    }
    if not database.add_one(connection, TrialRow, row):
        return False
    if trial.measurement is not None:
        same = (TrialRow.run == run, TrialRow.candidate == trial.candidate.id)
        number = connection.execute(select(TrialRow.id).where(*same)).scalar_one()
        figure = trial.measurement.model_dump(mode="json") | {"trial": number, "value": trial.measurement.value}
        connection.execute(insert(MeasurementRow), [figure])
    return True


def find(connection: Connection, *conditions: ColumnElement[bool]) -> list[Trial]:
    """The trials under these conditions, in the order recorded."""
    rows = connection.execute(_query().where(*conditions).order_by(TrialRow.id)).all()
    contents = candidates.texts(connection, rows)
    return [_trial(row, contents) for row in rows]


def _query() -> Select[Any]:
    figure = (
        MeasurementRow.unit,
        MeasurementRow.samples,
        MeasurementRow.provenance,
        MeasurementRow.source,
        MeasurementRow.environment,
        MeasurementRow.error,
    )
    return (
        select(CandidateRow.files, CandidateRow.params, TrialRow.origin, TrialRow.status, TrialRow.body, *figure)
        .join(CandidateRow, CandidateRow.id == TrialRow.candidate)
        .outerjoin(MeasurementRow, MeasurementRow.trial == TrialRow.id)
    )


def _trial(row: candidates.AnyRow, contents: candidates.Texts) -> Trial:
    names = ("unit", "samples", "provenance", "source", "environment", "error")
    figure = None if row.unit is None else {name: getattr(row, name) for name in names}
    candidate = candidates.candidate(row, contents)
    return Trial.model_validate({**row.body, "candidate": candidate, "status": row.status, "measurement": figure})


def screen(database: Database, connection: Connection, run: str, screenings: Sequence[Screening]) -> None:
    """Store the screenings of candidates that the run has not screened yet."""
    candidates.keep(database, connection, (s.candidate for s in screenings))
    database.add(connection, ScreeningRow, _screening_rows(run, screenings))


def _screening_rows(run: str, screenings: Iterable[Screening]) -> Iterable[dict[str, Any]]:
    for screening in screenings:
        yield {
            "run": run,
            "candidate": screening.candidate.id,
            "score": screening.score,
            "origin": candidates.origin(screening.candidate),
            "body": screening.model_dump(mode="json", exclude={"candidate"}),
        }


def screenings(connection: Connection, run: str, between: tuple[int, int] | None = None) -> list[Screening]:
    """The screenings of a run in the order recorded. between: only rows above the first number and up to the second."""
    query = (
        select(CandidateRow.files, CandidateRow.params, ScreeningRow.origin, ScreeningRow.body)
        .join(CandidateRow, CandidateRow.id == ScreeningRow.candidate)
        .where(ScreeningRow.run == run)
        .order_by(ScreeningRow.id)
    )
    if between is not None:
        query = query.where(ScreeningRow.id > between[0], ScreeningRow.id <= between[1])
    rows = connection.execute(query).all()
    contents = candidates.texts(connection, rows)
    return [Screening.model_validate({**row.body, "candidate": candidates.candidate(row, contents)}) for row in rows]
