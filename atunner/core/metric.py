"""What a task is to improve, when that is more than one figure or one that the user computes from what is measured."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from atunner.core.errors import NotMeasured, UserError
from atunner.core.expression import compiled, evaluate
from atunner.core.task import Objective, Task
from atunner.core.trial import Check, Trial
from atunner.core.value import Value

QUANTITIES = {"time": "ms", "energy": "J", "power": "W", "gflops": "GFLOP/s"}
"""What can be measured of a call, in the units of Kernel Tuner, in which metrics are written."""
BUILT_IN = {
    "time": Objective(),
    "gflops": Objective(metric="gflops", unit="GFLOP/s", minimise=False),
    "energy": Objective(metric="energy", unit="J"),
    "power": Objective(metric="power", unit="W"),
}
FROM_ENERGY = frozenset({"energy", "power"})
CHECK = "quantities"
METRICS, OBJECTIVES = "metrics", "objectives"
RATES = ("/s", "/W", "/J")
"""A metric whose name ends so is to be large, unless the user says otherwise."""
_DIRECTIONS = {"max": False, "maximise": False, "maximize": False, "min": True, "minimise": True, "minimize": True}


class Metric(Value):
    """A figure that the user computes: an expression over quantities, sizes and parameters, e.g. `2*m*n*k/time`."""

    name: str
    formula: str

    @property
    def from_energy(self) -> bool:
        """Whether it takes a measurement of energy."""
        return bool(compiled(self.formula)[1] & FROM_ENERGY)

    def value(self, names: Mapping[str, Any]) -> float:
        """The figure where these names are known.

        Raises:
            UserError: a name is unknown, the arithmetic fails, or what comes out is no number.
        """
        found = evaluate(self.formula, names)
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            raise UserError(f"The metric {self.name} = {self.formula} gives {found!r}; a number is needed.")
        return float(found)


def computable(metrics: Sequence[Metric], names: Mapping[str, Any], measured: Mapping[str, Any], where: str) -> None:
    """Refuse metrics that have no value from these names, sizes and parameters, and these figures.

    where: the configuration that they are of, in words.

    Raises:
        UserError: a metric hides one of the names, needs an unknown one, or its arithmetic fails.
    """
    for metric in metrics:
        if metric.name in names:
            raise UserError(f"The metric {metric.name!r} is taken: it is a size or a parameter. Give another name.")
        try:
            evaluate(metric.formula, {**names, **measured})
        except UserError as error:
            unknown = compiled(metric.formula)[1] - names.keys() - measured.keys()
            raise (
                error if unknown else UserError(f"The metric {metric.name} has no value at {where}: {error}")
            ) from error


_METRICS = TypeAdapter(tuple[Metric, ...])
_OBJECTIVES = TypeAdapter(tuple[Objective, ...])


def parse_metrics(texts: Iterable[str]) -> tuple[Metric, ...]:
    """`NAME=FORMULA` texts as metrics.

    Raises:
        UserError: another form, a name that is taken, or no expression.
    """
    found: dict[str, Metric] = {}
    for text in texts:
        name, equals, formula = (part.strip() for part in text.partition("="))
        if not (equals and name and formula):
            raise UserError(f"--metric takes NAME=FORMULA, as in 'GFLOP/s=2*n/time/1e6'; got {text!r}.")
        if name in QUANTITIES or name in found:
            raise UserError(f"The metric {name!r} is taken: give another name than {', '.join([*QUANTITIES, *found])}.")
        compiled(formula)
        found[name] = Metric(name=name, formula=formula)
    return tuple(found.values())


def parse_objectives(texts: Iterable[str], known: Mapping[str, Objective], others: Iterable[str]) -> list[Objective]:
    """Names of objectives, each with `max:` or `min:` before it where the direction does not follow from the name.

    known: those whose unit and direction are given. others: metrics, and what else was recorded.

    Raises:
        UserError: an unknown name or direction, a direction that is wrong or missing, or a name given twice.
    """
    found, named = dict[str, Objective](), frozenset(others)
    for text in [name.strip() for given in texts for name in given.split(",")]:
        objective = _objective(text, known, named)
        if objective.metric in found:
            raise UserError(f"The objective {objective.metric!r} was given twice.")
        found[objective.metric] = objective
    return list(found.values())


def _objective(text: str, known: Mapping[str, Objective], others: frozenset[str]) -> Objective:
    direction, colon, name = text.partition(":")
    name = name if colon else text
    if colon and direction not in _DIRECTIONS:
        raise UserError(f"An objective is NAME, max:NAME or min:NAME; got {text!r}.")
    if name in known:
        if colon and _DIRECTIONS[direction] is not known[name].minimise:
            raise UserError(f"{name} is {'minimised' if known[name].minimise else 'maximised'} here; got {text!r}.")
        return known[name]
    if name not in others:
        names = ", ".join(sorted({*known, *others}))
        raise UserError(f"No objective named {name!r}. Known: {names}; --metric NAME=FORMULA adds one.")
    if not colon and not name.endswith(RATES):
        raise UserError(f"Is a large {name} good? Say --objective max:{name} or min:{name}.")
    return Objective(metric=name, unit="", minimise=_DIRECTIONS[direction] if colon else False)


def aimed(task: Task, objectives: Iterable[str], metrics: Iterable[str], recorded: Iterable[str] = ()) -> Task:
    """The task with what is to be improved. recorded: what a recording has beside the time.

    Raises:
        UserError: as `parse_metrics` and `parse_objectives`.
    """
    computed = parse_metrics(metrics)
    known = {**BUILT_IN, "time": task.objective}
    return with_goals(task, parse_objectives(objectives, known, [*(m.name for m in computed), *recorded]), computed)


def with_goals(task: Task, objectives: Sequence[Objective], metrics: Sequence[Metric]) -> Task:
    """The task that improves the first of the objectives, and keeps the front of all of them.

    The spec has nothing more where there is one objective and no metric, so that the task is the one it always was.
    """
    spec = dict(task.spec)
    if metrics:
        spec[METRICS] = [m.model_dump(mode="json") for m in metrics]
    if len(objectives) > 1:
        spec[OBJECTIVES] = [o.model_dump(mode="json") for o in objectives]
    return task.model_copy(update={"spec": spec, "objective": objectives[0]})


def metrics_of(task: Task) -> tuple[Metric, ...]:
    """The user's metrics, in their order."""
    return _METRICS.validate_python(task.spec.get(METRICS, ()))


def goals(task: Task) -> tuple[Objective, ...]:
    """All objectives, the one that ranks first."""
    return _OBJECTIVES.validate_python(task.spec.get(OBJECTIVES, ())) or (task.objective,)


def only_time(task: Task) -> bool:
    """Whether nothing but the time of a call is asked for."""
    return [g.metric for g in goals(task)] == ["time"] and not metrics_of(task)


def needs_energy(task: Task) -> bool:
    """Whether an objective or a metric takes a measurement of energy."""
    return any(g.metric in FROM_ENERGY for g in goals(task)) or any(m.from_energy for m in metrics_of(task))


def check_of(metrics: Sequence[Metric], measured: Mapping[str, float], names: Mapping[str, Any]) -> Check:
    """What was measured and the metrics of it, as evidence of a trial.

    Raises:
        NotMeasured: a metric has no value here.
    """
    figures: dict[str, Any] = dict(measured)
    for metric in metrics:
        try:
            figures[metric.name] = metric.value({**names, **measured})
        except UserError as error:
            raise NotMeasured(str(error)) from error
    detail = ", ".join(f"{n} {v:.6g} {QUANTITIES.get(n, '')}".rstrip() for n, v in figures.items())
    return Check(name=CHECK, passed=True, detail=detail, figures=figures)


def quantities(trial: Trial) -> dict[str, float]:
    """What was measured of a trial and the metrics of it, by name; empty where only the objective was."""
    found = next((c.figures for c in trial.checks if c.name.startswith(CHECK)), {})
    return {n: float(v) for n, v in found.items() if isinstance(v, int | float)}


def unit_of(name: str) -> str:
    """The unit of a quantity; a metric carries its unit in its name."""
    return QUANTITIES.get(name, "")
