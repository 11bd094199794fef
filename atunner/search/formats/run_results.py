"""A run's trials as T4 results."""

import json

from pydantic import JsonValue

from atunner.core.metric import goals, quantities, unit_of
from atunner.core.record import RunRecord
from atunner.core.status import Provenance, Status
from atunner.core.trial import Screening, Trial
from atunner.search.formats.t4 import Result, document

MILLISECONDS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3}


def as_t4(record: RunRecord) -> str:
    """The trials of a run, and the configurations that failed before they were judged, as a T4 file.

    A predicted figure that is no time is called predicted_cost; the file's metadata names provenance and device.
    """
    judged = {t.candidate.id for t in record.trials}
    failed = [s for s in record.screenings if s.reason and s.candidate.id not in judged]
    results = [*(_result(t, record) for t in record.trials), *(_unbuilt(s, record) for s in failed)]
    units = {t.measurement.unit for t in record.trials if t.measurement is not None}
    predicted = record.provenance is Provenance.PREDICTED and not units <= MILLISECONDS.keys()
    made = document(results, *(["predicted_cost"] if predicted else [g.metric for g in goals(record.task)]))
    told = made["metadata"]
    made["metadata"] = {**(told if isinstance(told, dict) else {}), **_metadata(record)}
    return json.dumps(made, indent=1) + "\n"


def _metadata(record: RunRecord) -> dict[str, JsonValue]:
    return {
        "tool": f"ATunner {record.version}",
        "run": record.run,
        "kernel": record.task.name,
        "device": record.environment.device if record.environment else record.task.target,
        "provenance": record.provenance.value,
        "raced_out": _raced_out(record),
    }


def _raced_out(record: RunRecord) -> int:
    """Configurations that a quick race left behind: not verified, so that they are not among the results."""
    judged = {t.candidate.id for t in record.trials}
    measured = record.provenance is Provenance.MEASURED
    return sum(measured and s.score is not None and s.candidate.id not in judged for s in record.screenings)


def _result(trial: Trial, record: RunRecord) -> Result:
    found = trial.measurement
    told = next((c.figures for c in trial.checks if c.name.startswith("stages")), {})
    spent = {name: float(value) for name, value in told.items() if isinstance(value, int | float)}
    scale = MILLISECONDS.get(found.unit) if found else None
    return Result(
        configuration=trial.candidate.params,
        status=trial.status,
        value=found.value * (scale or 1.0) if found else None,
        unit="ms" if scale else found.unit if found else "",
        runtimes_ms=tuple(s * scale for s in found.samples) if found and scale else (),
        compilation_ms=spent.get("build_ms", 0.0),
        validation_ms=spent.get("verify_ms", 0.0),
        benchmark_ms=spent.get("measure_ms", trial.cost.seconds * 1e3),
        timestamp=record.finished or record.created,
        beside=_beside(trial, record) if found else {},
    )


def _beside(trial: Trial, record: RunRecord) -> dict[str, tuple[float, str]]:
    told = quantities(trial).items()
    return {n: (v, unit_of(n)) for n, v in told if n != record.task.objective.metric}


def _unbuilt(screening: Screening, record: RunRecord) -> Result:
    known = {s.value: s for s in Status}
    status = known.get(screening.reason.partition(":")[0], Status.NOT_BUILT)
    return _result(Trial(candidate=screening.candidate, status=status, feedback=screening.reason), record)
