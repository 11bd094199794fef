"""The record as CSV and JSON, and back."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from atunner.core.errors import UserError
from atunner.core.record import SCHEMA, RunRecord
from atunner.core.trial import Trial
from atunner.reports import rows, wording

COLUMNS = (
    "rank",
    "candidate",
    "family",
    "origin",
    "parent",
    "status",
    "provenance",
    "source",
    "environment",
    "value",
    "unit",
    "relative_to_naive",
    "ratio",
    "ratio_low",
    "ratio_high",
    "better",
    "inputs_checked",
    "kernels",
    "registers",
    "static_shared_bytes",
    "dynamic_shared_bytes",
    "spill_bytes",
    "occupancy",
    "limiter",
    "bound_us",
    "params",
    "feedback",
)


def as_csv(record: RunRecord) -> str:
    """One line for the baseline (rank 0), then one for each trial in the order judged; unranked ones have no rank."""
    ranks = {t.candidate.id: place for place, t in enumerate(record.ranked, start=1)}
    return "".join(csv_lines(record, ranks, record.trials))


def csv_lines(head: RunRecord, ranks: Mapping[str, int], trials: Iterable[Trial]) -> Iterator[str]:
    """The lines of `as_csv` one by one, for runs whose trials are read while they are written."""
    yield _line(COLUMNS)
    base = head.baseline.candidate.id if head.baseline else ""
    if head.baseline is not None:
        yield _line(_cells(head, head.baseline, 0))
    for trial in trials:
        if trial.candidate.id != base:  # the baseline has its line already
            yield _line(_cells(head, trial, ranks.get(trial.candidate.id)))


def _line(cells: Sequence[str]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(cells)
    return stream.getvalue()


def _cells(record: RunRecord, trial: Trial, rank: int | None) -> list[str]:
    row = rows.row(record, trial, rank or 0)
    taken = rows.resources(trial.profile)
    occupancy = taken.occupancy if taken else None
    measured, against = trial.measurement, row.comparison if row else None
    cells = (
        rank,
        trial.candidate.id,
        trial.candidate.family,
        trial.candidate.origin,
        trial.candidate.parent,
        trial.status.value,
        measured.provenance.value if measured else None,
        measured.source if measured else None,
        measured.environment if measured else None,
        measured.value if measured else None,
        measured.unit if measured else None,
        row.relative if row else None,
        against.ratio if against else None,
        against.low if against else None,
        against.high if against else None,
        str(against.better).lower() if against else None,
        row.checked if row else None,
        taken.kernels if taken else None,
        taken.registers if taken else None,
        taken.static_shared if taken else None,
        taken.dynamic_shared if taken else None,
        taken.spill_bytes if taken else None,
        occupancy.fraction if occupancy else None,
        occupancy.limiter if occupancy else None,
        row.bound_us if row else None,
        wording.parameters(trial.candidate.params),
        trial.feedback,
    )
    return [_cell(cell) for cell in cells]


def _cell(value: float | str | None) -> str:
    """Text that a spreadsheet does not take for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in {"=", "+", "-", "@"} else text


def as_json(record: RunRecord) -> str:
    """The whole record; `read_json` gives an equal one."""
    return record.model_dump_json(indent=1)


def read_json(path: Path) -> RunRecord:
    """The record that `as_json` wrote.

    Raises:
        UserError: no such file, no record of a run, or one of a newer version.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}. Give the run.json of a run.") from error
    try:
        version = json.loads(text).get("schema_version", 0)
    except (ValueError, AttributeError) as error:
        raise UserError(f"{path} is not a run's record: expected a JSON object. Give the run.json of a run.") from error
    if not isinstance(version, int) or version > SCHEMA:
        raise UserError(f"{path} has version {version!r}, this ATunner reads up to {SCHEMA}. Update ATunner.")
    try:
        return RunRecord.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path} is not a run's record: {where}: {first['msg']}.") from error
