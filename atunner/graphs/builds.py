"""Candidates that are being built while the loop does something else."""

from collections.abc import Sequence
from concurrent.futures import Future

from atunner.core.candidate import Candidate
from atunner.core.errors import ToolError
from atunner.core.ports import Ahead, Executor, Fault, Outcome, WorkItem
from atunner.core.task import Task
from atunner.core.trial import Screening


class Builds:
    """Up to `ahead` candidates in the making, taken in the order started, so that a replay goes the same way.

    Where an executor cannot work ahead, what is started together is built at once.
    """

    def __init__(self, executor: Executor, task: Task, ahead: int) -> None:
        self._executor, self._task, self._ahead = executor, task, ahead
        self._running: dict[Future[Outcome], Candidate] = {}

    def __len__(self) -> int:
        return len(self._running)

    @property
    def room(self) -> int:
        """How many more may be started now."""
        return self._ahead - len(self._running)

    def start(self, candidates: Sequence[Candidate]) -> None:
        """Begin to build these, but for those in the making."""
        known = {c.id for c in self._running.values()}
        fresh = {c.id: c for c in candidates if c.id not in known}
        items = [WorkItem(action="screen", task=self._task, candidate=c) for c in fresh.values()]
        if isinstance(self._executor, Ahead):
            futures = [self._executor.start(item) for item in items]
        else:
            futures = [_ready(outcome) for outcome in self._executor.map(items)]
        self._running.update(zip(futures, fresh.values(), strict=True))

    def next(self) -> Screening:
        """The one that was started first, when it is built."""
        first = next(iter(self._running))
        return as_screening(self._running.pop(first), first.result())


def as_screening(candidate: Candidate, outcome: Outcome) -> Screening:
    """What came of a candidate's build or race. Raises ToolError: the world's fault."""
    if outcome.fault is Fault.FAILED:
        raise ToolError(outcome.message)
    if outcome.fault is not Fault.NONE:
        return Screening(candidate=candidate, reason=f"its build {outcome.fault}: {outcome.message}")
    return Screening.model_validate(outcome.answer)


def _ready(outcome: Outcome) -> Future[Outcome]:
    future: Future[Outcome] = Future()
    future.set_result(outcome)
    return future
