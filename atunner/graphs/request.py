"""What a user asks for, and how it is kept so that a run can be resumed as it was asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from atunner.core.errors import UserError
from atunner.core.record import RunRecord
from atunner.core.task import Budget, Task
from atunner.graphs.deps import Options


@dataclass(frozen=True)
class Request:
    """What a user asks for: the task, its budget, and how to run it. model: "" for the configured one.

    remeasure: a replay takes only the answers from its source and measures afresh. prices: a file of model prices.
    output: the folder that the user named for the results, None for the usual one.
    rules: constraints on the parameters as functions; they are not kept, so such a run cannot be resumed.
    """

    task: Task
    budget: Budget
    options: Options = field(default_factory=Options)
    model: str = ""
    strategy: str = "expert"
    executor: str = "local"
    remeasure: bool = False
    prices: Path | None = None
    output: Path | None = None
    rules: tuple[Callable[..., object], ...] = ()


def request_values(request: Request, prices: Path | None = None) -> dict[str, JsonValue]:
    """What of a request is not in the run's record, as JSON, so that it can be resumed. prices: the configured file."""
    file = request.prices or prices
    options = {name: getattr(request.options, name) for name in request.options.__dataclass_fields__}
    how: dict[str, JsonValue] = {"remeasure": request.remeasure, "prices": str(file.resolve()) if file else None}
    how["output"] = str(request.output.resolve()) if request.output else None
    how["rules"] = [getattr(rule, "__name__", "a function") for rule in request.rules]
    return {"options": options, "strategy": request.strategy, "executor": request.executor, **how}


def request_from(record: RunRecord, values: dict[str, JsonValue]) -> Request:
    """The request that a run was started with. Raises UserError: its constraints were functions."""
    if rules := values.get("rules"):
        raise UserError(f"Run {record.run} has constraints that were functions ({rules}); start it anew from Python.")
    options = values.get("options")
    return Request(
        task=record.task,
        budget=record.budget,
        options=Options(**options) if isinstance(options, dict) else Options(),  # type: ignore[arg-type]
        model=record.model,
        strategy=str(values.get("strategy", "expert")),
        executor=str(values.get("executor", "local")),
        remeasure=bool(values.get("remeasure", False)),
        prices=Path(str(values["prices"])) if values.get("prices") else None,
        output=Path(str(values["output"])) if values.get("output") else None,
    )


def affordable(budget: Budget) -> None:
    """Raises UserError: the baseline alone would spend it."""
    if budget.trials == 1:
        raise UserError("A budget of 1 trial is what the baseline takes, so nothing would be tried; give 2 or more.")
