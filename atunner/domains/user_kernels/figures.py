"""What a measured candidate is worth: its objective's figure, and all that the user wants to know beside it."""

from collections.abc import Sequence
from itertools import pairwise

from atunner.core.candidate import Params
from atunner.core.errors import NotMeasured, UnknownName, UserError
from atunner.core.expression import compiled
from atunner.core.measurement import Measurement
from atunner.core.metric import BUILT_IN, QUANTITIES, Metric, check_of, computable, goals, metrics_of, needs_energy
from atunner.core.statistics import median
from atunner.core.task import Task
from atunner.core.trial import Check, Comparison
from atunner.core.value import Value
from atunner.domains.user_kernels.objectives import flops_of
from atunner.operators.user import UserKernel

TIMES_US = tuple(10.0**exponent for exponent in range(-2, 9))
"""A metric of the time alone that is worse at each of these than at the one before is taken for one that always is."""


class Figures(Value):
    """Of one candidate. names: sizes and parameters. joules: of a call, empty where energy was not measured."""

    kernel: UserKernel
    metrics: tuple[Metric, ...]
    names: Params
    joules: tuple[float, ...] = ()

    def measured(self, us: float) -> dict[str, float]:
        """The quantities of a call that takes so long."""
        found = {"time": us / 1e3}
        if self.kernel.flops:
            found["gflops"] = flops_of(self.kernel) / us / 1e3
        if self.joules:
            found["energy"] = median(self.joules)
            found["power"] = found["energy"] / us * 1e6
        return found

    def check(self, timed: Measurement) -> Check:
        """All of them, as evidence. Raises NotMeasured."""
        return check_of(self.metrics, self.measured(timed.value), self.names)

    def value(self, name: str, us: float) -> float:
        """A quantity or a metric of a call that takes so long. Raises NotMeasured."""
        measured = self.measured(us)
        metric = next((m for m in self.metrics if m.name == name), None)
        if metric is None:
            return measured[name]
        try:
            return metric.value({**self.names, **measured})
        except UserError as error:
            raise NotMeasured(str(error)) from error

    def objective(self, task: Task, timed: Measurement) -> Measurement:
        """The figure that the run ranks by, in its unit. timed: the call's time in microseconds."""
        metric = task.objective.metric
        if metric == "time":
            return timed
        samples = self.joules if metric == "energy" else tuple(self.value(metric, us) for us in timed.samples)
        return timed.model_copy(update={"unit": task.objective.unit, "samples": samples})


def demand(task: Task, kernel: UserKernel) -> None:
    """Refuse what has no figure for this kernel, before anything is spent.

    Raises:
        UserError: no such objective, its operations were not given, or a metric cannot be computed.
    """
    metrics, wanted = metrics_of(task), [g.metric for g in goals(task)]
    known = [*BUILT_IN, *(m.name for m in metrics)]
    for name in wanted:
        if name not in known:
            raise UnknownName("objective", name, known)
    if "gflops" in wanted:
        flops_of(kernel)
    # Any value will do to see whether all names are there.
    measured = {name: 1.0 for name in QUANTITIES if name != "gflops" or kernel.flops}
    start = kernel.starts[0]
    told = ", ".join(f"{n}={v}" for n, v in start.items())
    computable(metrics, {**kernel.sizes, **start}, measured, f"the untuned kernel ({told})")


def by_time(task: Task, kernel: UserKernel) -> bool:
    """Whether the faster of two configurations is always the better one: then times say which to look at."""
    objective, metrics = task.objective, metrics_of(task)
    if len(goals(task)) > 1 or needs_energy(task):
        return False
    metric = next((m for m in metrics if m.name == objective.metric), None)
    if metric is None:
        return objective.metric in ("time", "gflops")
    if not compiled(metric.formula)[1] <= {*kernel.sizes, "time", "gflops"} - {p.name for p in kernel.space.parameters}:
        return False
    seen = Figures(kernel=kernel, metrics=metrics, names=dict(kernel.sizes))
    values = [seen.value(metric.name, us) for us in TIMES_US]
    return all(objective.better(fast, slow) for fast, slow in pairwise(values))


def figures(task: Task, kernel: UserKernel, params: Params, joules: Sequence[float]) -> Figures:
    """The figures of a candidate of this task."""
    return Figures(kernel=kernel, metrics=metrics_of(task), names={**kernel.sizes, **params}, joules=tuple(joules))


def compared(task: Task, found: Comparison, baseline: Figures, candidate: Figures) -> Comparison:
    """The comparison of two times as one of the objective's figure: at its ratio and at both ends of its interval.

    Each end is the candidate's time as the baseline's median and that ratio have it.
    """
    base_us, metric = found.baseline.value, task.objective.metric
    before = baseline.value(metric, base_us)

    def at(ratio: float) -> float:
        return task.objective.ratio(before, candidate.value(metric, base_us / ratio))

    low, high = sorted((at(found.low), at(found.high)))
    sides = {
        "baseline": baseline.objective(task, found.baseline),
        "candidate": candidate.objective(task, found.candidate),
    }
    return found.model_copy(update={"ratio": at(found.ratio), "low": low, "high": high, **sides})
