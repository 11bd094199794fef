"""What earlier runs learned that is worth trying again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from atunner.core.candidate import Params
from atunner.core.errors import UnknownName
from atunner.core.status import Provenance, Status
from atunner.core.task import Objective, Task
from atunner.core.trial import Trial
from atunner.core.value import Value
from atunner.knowledge_base import devices, trials
from atunner.knowledge_base.candidates import AnyRow
from atunner.knowledge_base.runs import subject
from atunner.knowledge_base.similar import Features, distance, features, mismatches
from atunner.knowledge_base.tables import CandidateRow, MeasurementRow, RunRow, TrialRow

STRENGTH = (Provenance.MEASURED, Provenance.PREDICTED, Provenance.SIMULATED)
EACH = 3
"""How many of one run's best are recalled before those of the next nearest run."""


class Past(Value):
    """A point tried before. relative: 1 for the best of its run, 2 for half as good.

    apart: how far its task is (see `Nearness`); spec: that task's numbers.
    """

    run: str
    family: str
    params: Params
    relative: float
    provenance: Provenance
    device: str
    arch: str
    spec: dict[str, Any]
    same_device: bool
    distance: float


@dataclass(frozen=True, order=True)
class Nearness:
    """Sorts runs: other device, other architecture, words that differ, then the distance of sizes."""

    other_device: bool
    other_arch: bool
    words: int
    sizes: float


@dataclass(frozen=True)
class Place:
    """Where a task is to run."""

    name: str
    arch: str
    kind: str


def best(connection: Connection, task: Task, limit: int, provenance: Provenance | None) -> list[Trial]:
    """The best OK trials of similar tasks, at most EACH of a run, nearest first; one provenance only."""
    chosen: dict[str, Trial] = {}
    for row, _ in _near(connection, task, provenance):
        for number in _best_of(connection, row.id, row.wanted, task.objective):
            if len(chosen) == limit:
                return list(chosen.values())
            (trial,) = trials.find(connection, TrialRow.id == number)
            chosen.setdefault(trial.candidate.id, trial)
    return list(chosen.values())


def _best_of(connection: Connection, run: str, provenance: str, objective: Objective) -> list[int]:
    order = MeasurementRow.value.asc() if objective.minimise else MeasurementRow.value.desc()
    query = (
        select(TrialRow.id)
        .join(MeasurementRow, MeasurementRow.trial == TrialRow.id)
        .join(RunRow, RunRow.id == TrialRow.run)
        .where(TrialRow.run == run, TrialRow.status == Status.OK, MeasurementRow.provenance == provenance)
        .where(RunRow.baseline.is_(None) | (RunRow.baseline != TrialRow.candidate))
        .order_by(order, TrialRow.id)
        .limit(EACH)
    )
    return list(connection.execute(query).scalars())


def history(connection: Connection, task: Task, limit: int, provenance: Provenance | None) -> list[Past]:
    """Points of similar tasks with figures relative to the best of their run; one provenance only."""
    found: list[Past] = []
    for row, near in _near(connection, task, provenance):
        found += _points(connection, row, near, task.objective)
        if len(found) >= limit:
            break
    return found[:limit]


def _points(connection: Connection, run: AnyRow, near: Nearness, objective: Objective) -> Iterator[Past]:
    query = (
        select(TrialRow.family, CandidateRow.params, MeasurementRow.value)
        .join(CandidateRow, CandidateRow.id == TrialRow.candidate)
        .join(MeasurementRow, MeasurementRow.trial == TrialRow.id)
        .where(TrialRow.run == run.id, TrialRow.status == Status.OK, MeasurementRow.provenance == run.wanted)
        .order_by(TrialRow.id)
    )
    points = [point for point in connection.execute(query) if point.value > 0]
    if not points:
        return
    top = min(p.value for p in points) if objective.minimise else max(p.value for p in points)
    for point in points:
        yield Past(
            run=run.id,
            family=point.family,
            params=point.params,
            relative=point.value / top if objective.minimise else top / point.value,
            provenance=Provenance(run.wanted),
            device=run.device_name,
            arch=run.arch,
            spec=run.task["spec"],
            same_device=not near.other_device,
            distance=near.sizes,
        )


def _near(connection: Connection, task: Task, provenance: Provenance | None) -> list[tuple[AnyRow, Nearness]]:
    """Runs of the same domain, subject and objective with figures of one provenance, nearest first."""
    rows = _runs(connection, task)
    present = {row.wanted for row in rows}
    wanted = provenance or next((p for p in STRENGTH if p in present), None)
    place, asked = _place(task.target), features(task)
    ranked = [(row, _nearness(row, place, asked)) for row in rows if row.wanted == wanted and _usable(row, place)]
    # Equally near runs: the newest first, as the query gave them.
    return sorted(ranked, key=lambda pair: pair[1])


def _runs(connection: Connection, task: Task) -> list[AnyRow]:
    query = (
        select(
            RunRow.id,
            RunRow.task,
            RunRow.device,
            RunRow.device_name,
            RunRow.arch,
            RunRow.created,
            MeasurementRow.provenance.label("wanted"),
        )
        .join(TrialRow, TrialRow.run == RunRow.id)
        .join(MeasurementRow, MeasurementRow.trial == TrialRow.id)
        .where(RunRow.domain == task.domain, RunRow.subject == subject(task), TrialRow.status == Status.OK)
        .distinct()
        .order_by(RunRow.created.desc())
    )
    objective = task.objective.model_dump(mode="json")
    return [row for row in connection.execute(query) if row.task["objective"] == objective]


def _place(target: str) -> Place:
    try:
        device = devices.named(target)
    except UnknownName:
        return Place(name=target, arch="", kind="")
    return Place(name=device.name, arch=device.arch, kind=device.kind)


def _usable(row: AnyRow, place: Place) -> bool:
    """Code for another kind of processor teaches nothing here."""
    kind = (row.device or {}).get("kind", "")
    return kind == place.kind or not (kind and place.kind)


def _nearness(row: AnyRow, place: Place, asked: Features) -> Nearness:
    other = features(Task.model_validate(row.task))
    return Nearness(
        other_device=row.device_name not in (place.name, "host" if place.kind == "cpu" else place.name),
        other_arch=row.arch != place.arch,
        words=mismatches(asked, other),
        sizes=distance(asked, other),
    )
