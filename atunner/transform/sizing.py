"""Sizes that nobody gave: grown until one call of the original takes a time within a window."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atunner.core.errors import UserError
from atunner.core.status import Provenance
from atunner.core.task import Task
from atunner.domains import BUILT_IN as DOMAINS
from atunner.executors.work import resolve
from atunner.operators.user import UserKernel, problem_of
from atunner.operators.user.task import kernel_task
from atunner.reports.wording import duration
from atunner.settings import Settings
from atunner.wiring import domain_config

MOST_ELEMENTS = 1 << 26
UNTIMED = 1 << 18
"""Elements of all tensors where nothing can be timed: what the check on the CPU takes whole."""
MOST_TRIES = 14
FIRST = {1: 4096, 2: 128}
POWER = 3.0
"""How the time is taken to grow with the sizes until two were timed; too high only means smaller steps."""


@dataclass(frozen=True)
class Sized:
    """Sizes, and in words how they were chosen."""

    sizes: dict[str, int]
    note: str


def fitting(
    made: Callable[[Mapping[str, int]], UserKernel],
    given: Mapping[str, int],
    missing: Sequence[str],
    window_s: tuple[float, float],
    call_s: Callable[[UserKernel], float | None],
) -> Sized:
    """The missing sizes, all equal and powers of two, at which a call takes a time within the window.

    call_s: seconds of one call, None where nothing can be timed.

    Raises:
        UserError: no size fits: says what the nearest one took.
    """
    size, power = FIRST.get(len(missing), 64), POWER
    target = math.sqrt(window_s[0] * window_s[1])
    timed: dict[int, float] = {}
    while size not in timed and len(timed) < MOST_TRIES:
        kernel = made({**given, **dict.fromkeys(missing, size)})
        if sum(b.elements for b in problem_of(kernel, kernel.sizes).buffers) > MOST_ELEMENTS:
            break
        took = call_s(kernel)
        if took is None:
            return _untimed(made, given, missing)
        if window_s[0] <= took <= window_s[1]:
            return Sized({**given, **dict.fromkeys(missing, size)}, _said(missing, size, took, window_s))
        if timed:
            near = min(timed, key=lambda s: abs(math.log(s / size)))
            power = min(4.0, max(0.7, math.log(took / timed[near]) / math.log(size / near)))
        timed[size] = took
        step = round(math.log2(target / took) / power)
        bounded = max(-4, min(4, step or (1 if took < target else -1)))
        size = max(1, int(size * 2.0**bounded))
    nearest = min(timed, key=lambda s: abs(math.log(timed[s] / target)), default=size)
    told = f"{', '.join(missing)} = {nearest} takes {duration(timed[nearest], 's')}" if timed else "all are too large"
    low, high = (duration(w, "s") for w in window_s)
    raise UserError(f"No size was found at which one call takes {low} to {high}; {told}. Give sizes or another window.")


def _untimed(
    made: Callable[[Mapping[str, int]], UserKernel], given: Mapping[str, int], missing: Sequence[str]
) -> Sized:
    """The largest power of two whose tensors are checked whole on the CPU."""
    size = 16
    while True:
        kernel = made({**given, **dict.fromkeys(missing, size * 2)})
        if sum(b.elements for b in problem_of(kernel, kernel.sizes).buffers) > UNTIMED or size >= UNTIMED:
            break
        size *= 2
    note = f"{' = '.join(missing)} = {size}, by the number of elements: nothing is timed for this device here"
    return Sized({**given, **dict.fromkeys(missing, size)}, note)


def _said(missing: Sequence[str], size: int, took: float, window_s: tuple[float, float]) -> str:
    low, high = (duration(w, "s") for w in window_s)
    took_text = duration(took, "s")
    return f"{' = '.join(missing)} = {size}: one call of the original takes {took_text} (window {low} to {high})"


class Stopwatch:
    """Seconds that one call of a kernel takes on the target, the least of a few."""

    def __init__(self, settings: Settings, target: str) -> None:
        self._target = target
        self._domain: Any = resolve(DOMAINS["user_kernels"], domain_config(settings, self.task_of(None)))

    def task_of(self, kernel: UserKernel | None) -> Task:
        """The task of a kernel, or one that names the target alone."""
        return kernel_task(kernel, self._target) if kernel else Task(name="sizing", target=self._target)

    def __call__(self, kernel: UserKernel) -> float | None:
        """None where the target cannot be timed here. Raises UserError: the kernel does not build or is wrong."""
        domain = self._domain
        task = domain.admit(self.task_of(kernel))
        if domain.unreachable(task) or domain.provenance(task) is not Provenance.MEASURED or not domain.races(task):
            return None
        found = domain.race(task, domain.baseline(task), None)
        if found.score is None:
            raise UserError(f"{kernel.name} could not be timed: {found.reason.splitlines()[0][:200]}")
        return float(found.score) * 1e-6
