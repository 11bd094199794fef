"""Results in the community's T4 JSON, version 1.0.0."""

from collections.abc import Sequence

from pydantic import Field, JsonValue

from atunner.core.candidate import Params
from atunner.core.status import Status
from atunner.core.value import Value

VERSION = "1.0.0"
INVALID = {
    Status.OK: "correct",
    Status.REJECTED: "constraints",
    Status.NOT_BUILT: "compile",
    Status.WRONG: "correctness",
    Status.CRASHED: "runtime",
    Status.TIMED_OUT: "timeout",
    Status.NOT_VERIFIED: "correctness",
    Status.NOT_MEASURED: "runtime",
}


class Result(Value):
    """One tried configuration. Times in ms; value in `unit`, None unless the status is OK. timestamp: ISO 8601, UTC.

    beside: what else was measured or computed, by name, as (figure, unit).
    """

    configuration: Params
    status: Status
    value: float | None = None
    unit: str = "ms"
    runtimes_ms: tuple[float, ...] = ()
    compilation_ms: float = 0.0
    benchmark_ms: float = 0.0
    validation_ms: float = 0.0
    search_ms: float = 0.0
    timestamp: str = ""
    beside: dict[str, tuple[float, str]] = Field(default_factory=dict)


def document(results: Sequence[Result], *objectives: str) -> dict[str, JsonValue]:
    """The T4 document of the results, in their order. objectives: the first names each result's value."""
    return {
        "results": [_entry(r, objectives or ("time",)) for r in results],
        "schema_version": VERSION,
        "metadata": {"timeunit": "milliseconds"},
    }


def _entry(result: Result, objectives: tuple[str, ...]) -> dict[str, JsonValue]:
    times: dict[str, JsonValue] = {
        "compilation": result.compilation_ms,
        "benchmark": result.benchmark_ms,
        "framework": 0.0,
        "search_algorithm": result.search_ms,
        "validation": result.validation_ms,
        "runtimes": list(result.runtimes_ms),
    }
    measured: list[JsonValue] = []
    if result.value is not None:
        first = {objectives[0]: (result.value, result.unit)}
        measured = [{"name": n, "value": v, "unit": u} for n, (v, u) in {**first, **result.beside}.items()]
    return {
        "timestamp": result.timestamp,
        "configuration": dict(result.configuration),
        "times": times,
        "invalidity": INVALID[result.status],
        "correctness": 0 if result.status is Status.WRONG else 1,
        "measurements": measured,
        "objectives": list(objectives),
    }
