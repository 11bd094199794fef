"""The seed's tables: optimization_report.csv, metrics_log.json and ir_instr_log.json, written and read again."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError

from atunner.core.errors import UserError
from atunner.core.value import Value
from atunner.reports.ir import NOT_AVAILABLE, Kernel, Step

COLUMNS = (
    "kernel",
    "orig_cycles",
    "opt_cycles",
    "Δcycles(%)",
    "orig_instructions",
    "opt_instructions",
    "Δinstructions(%)",
    "orig_cache_misses",
    "opt_cache_misses",
    "Δcache_misses(%)",
    "orig_IR_lines",
    "opt_IR_lines",
    "ΔIR_lines(%)",
    "speedup",
    "ci_low",
    "ci_high",
    "check",
    "level",
    "portfolio_best",
    "evals",
    "seed",
)


class Row(Value):
    """One line of the report. before, after: figures by name (as in FIGURES), None for n/a."""

    kernel: str
    before: dict[str, float | None]
    after: dict[str, float | None]
    speedup: float | None = None
    low: float | None = None
    high: float | None = None

    def change(self, name: str) -> float | None:
        """After against before in percent."""
        return percent(self.before.get(name), self.after.get(name))


class Metric(Value):
    """One line of metrics_log.json; None is n/a."""

    kernel: str
    iteration: int
    candidate: str = ""
    origin: str = ""
    edit: str = ""
    verdict: str = ""
    feedback: str = ""
    cycles: float | None = None
    instructions: float | None = None
    cache_misses: float | None = None
    cpu_ms: float | None = None
    ir_lines: int | None = None
    ratio: float | None = None
    tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0


class Opcodes(Value):
    """One line of ir_instr_log.json. verdict: baseline, kept, or what became of the candidate."""

    kernel: str
    iteration: int
    verdict: str = ""
    opcodes: dict[str, int] = Field(default_factory=dict)


FIGURES = ("cycles", "instructions", "cache_misses", "IR_lines", "cpu_ms")
Line = TypeVar("Line", Metric, Opcodes)


def percent(before: float | None, after: float | None) -> float | None:
    """The change in percent of before; None where either is n/a or before is zero."""
    return 100.0 * (after - before) / before if before and after is not None else None


def row_of(kernel: Kernel) -> Row:
    """The report's line of a run."""
    pairs = zip(("before", "after"), (kernel.original, kernel.optimised), strict=True)
    sides: dict[str, dict[str, float | None]] = {
        side: {
            "cycles": build.cycles,
            "instructions": build.instructions,
            "cache_misses": build.cache_misses,
            "IR_lines": build.ir_lines,
            "cpu_ms": build.cpu_ms,
        }
        for side, build in pairs
    }
    return Row(
        kernel=kernel.name,
        before=sides["before"],
        after=sides["after"],
        speedup=kernel.ratio,
        low=kernel.low,
        high=kernel.high,
    )


def as_csv(kernels: Iterable[Kernel]) -> str:
    """optimization_report.csv: one line for each program; what was not counted is n/a."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for kernel in kernels:
        writer.writerow(_cells(kernel))
    return stream.getvalue()


def _cells(kernel: Kernel) -> list[str]:
    row = row_of(kernel)
    cells = [kernel.name]
    for name in ("cycles", "instructions", "cache_misses", "IR_lines"):
        before, after = row.before[name], row.after[name]
        cells += [_number(before, ".0f"), _number(after, ".0f"), _number(percent(before, after), "+.2f")]
    cells += [_number(value, ".4f") for value in (kernel.ratio, kernel.low, kernel.high)]
    cells += [kernel.check, kernel.level, _number(kernel.portfolio_best, ".4f"), str(kernel.evals)]
    return [*cells, NOT_AVAILABLE if kernel.seed is None else str(kernel.seed)]


def _number(value: float | None, form: str) -> str:
    return NOT_AVAILABLE if value is None else format(value, form)


def metrics(kernels: Iterable[Kernel]) -> tuple[Metric, ...]:
    """Every candidate's figures and verdict, in the order judged."""
    return tuple(_metric(kernel.name, step) for kernel in kernels for step in kernel.steps)


def _metric(name: str, step: Step) -> Metric:
    build = step.build.model_dump(exclude={"opcodes"})
    return Metric(kernel=name, **build, **step.model_dump(exclude={"build"}))


def opcodes(kernels: Iterable[Kernel]) -> tuple[Opcodes, ...]:
    """Opcode counts of every candidate that was verified."""
    return tuple(
        Opcodes(kernel=kernel.name, iteration=step.iteration, verdict=step.verdict, opcodes=step.build.opcodes)
        for kernel in kernels
        for step in kernel.steps
        if step.build.opcodes
    )


def as_json(lines: Sequence[Metric] | Sequence[Opcodes]) -> str:
    """A JSON list with one object a line, so that a diff of two logs reads well."""
    return "[\n" + ",\n".join(f" {json.dumps(line.model_dump(mode='json'))}" for line in lines) + "\n]\n"


def read_csv(path: Path) -> tuple[Row, ...]:
    """Read optimization_report.csv.

    Raises:
        UserError: it cannot be read, lacks a column, or has a cell that is neither a number nor n/a.
    """
    lines = list(csv.DictReader(io.StringIO(_text(path))))
    needed = [name for name in COLUMNS[:13] if lines and name not in lines[0]]
    if not lines or needed:
        missing = f"the column {needed[0]}" if needed else "lines"
        raise UserError(f"{path} lacks {missing}. Give an optimization_report.csv that `atunner tune ir` wrote.")
    return tuple(_row(path, number, line) for number, line in enumerate(lines, start=2))


def _row(path: Path, number: int, line: dict[str, str]) -> Row:
    names = ("cycles", "instructions", "cache_misses", "IR_lines")
    try:
        return Row(
            kernel=line["kernel"],
            before={n: _value(line[f"orig_{n}"]) for n in names},
            after={n: _value(line[f"opt_{n}"]) for n in names},
            speedup=_value(line.get("speedup")),
            low=_value(line.get("ci_low")),
            high=_value(line.get("ci_high")),
        )
    except ValueError as error:
        raise UserError(f"{path}, line {number}: {error}. Numbers or {NOT_AVAILABLE} are expected.") from error


def _value(cell: str | None) -> float | None:
    return None if cell in {None, "", NOT_AVAILABLE} else float(str(cell))


def read_metrics(path: Path) -> tuple[Metric, ...]:
    """Read metrics_log.json. Raises UserError."""
    return tuple(_each(path, Metric))


def read_opcodes(path: Path) -> tuple[Opcodes, ...]:
    """Read ir_instr_log.json. Raises UserError."""
    return tuple(_each(path, Opcodes))


def _each(path: Path, kind: type[Line]) -> list[Line]:
    try:
        found = json.loads(_text(path))
        return [kind.model_validate(line) for line in found]
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"{path} is not such a log: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} is not such a log: a JSON list of objects was expected.") from error


def with_user_time(rows: Sequence[Row], log: Sequence[Metric]) -> tuple[Row, ...]:
    """Rows with the processor time that the log has of the baseline and of what was kept."""
    found = []
    for row in rows:
        own = [line for line in log if line.kernel == row.kernel]
        before = next((line.cpu_ms for line in own if line.iteration == 0), None)
        after = next((line.cpu_ms for line in own if line.verdict == "kept"), before)
        sides = {"before": {**row.before, "cpu_ms": before}, "after": {**row.after, "cpu_ms": after}}
        found.append(row.model_copy(update=sides))
    return tuple(found)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UserError(f"Cannot read {path}: {reason}.") from error
