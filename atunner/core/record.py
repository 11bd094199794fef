"""One run, whole: all that a report, an export or a comparison may read."""

from enum import StrEnum

from pydantic import JsonValue

from atunner.core.device import Device
from atunner.core.facts import OperatorFacts
from atunner.core.measurement import Environment
from atunner.core.status import Provenance, Status
from atunner.core.task import Budget, Spent, Task
from atunner.core.trial import Comparison, Screening, Trial
from atunner.core.value import Value

SCHEMA = 1


class RunState(StrEnum):
    """Where a run stands; done, failed and cancelled never change again. waiting: for a person's approval."""

    RUNNING = "running"
    WAITING = "waiting"
    INTERRUPTED = "interrupted"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class AgentNote(Value):
    """What one agent said in one round. by: "rules" or "model:NAME". points: its evidence, one line each.

    answer: the agent's typed answer as JSON. tools: the tool calls it made, in words.
    """

    round: int
    agent: str
    by: str
    summary: str
    points: tuple[str, ...] = ()
    answer: JsonValue = None
    tools: tuple[str, ...] = ()


class RunRecord(Value):
    """Everything recorded of a run. Times are ISO 8601 in UTC. best: candidate id, None while nothing is verified.

    confirmed: the winner, rebuilt and measured again beside the baseline in a new process; None when the
    target is not present, so that nothing can be measured.
    """

    schema_version: int = SCHEMA
    run: str
    task: Task
    state: RunState
    stop_reason: str = ""
    facts: OperatorFacts | None = None
    device: Device | None = None
    provenance: Provenance = Provenance.MEASURED
    environment: Environment | None = None
    budget: Budget
    spent: Spent = Spent()
    model: str = "none"
    baseline: Trial | None = None
    trials: tuple[Trial, ...] = ()
    screenings: tuple[Screening, ...] = ()
    notes: tuple[AgentNote, ...] = ()
    confirmed: Comparison | None = None
    best: str | None = None
    created: str = ""
    finished: str = ""
    version: str = ""

    @property
    def ranked(self) -> tuple[Trial, ...]:
        """The leaderboard: OK trials of this run's provenance, best first; the baseline is not among them."""
        base = self.baseline.candidate.id if self.baseline else ""
        good = [
            (t.measurement.value, t)
            for t in self.trials
            if t.status is Status.OK
            and t.measurement is not None
            and t.measurement.provenance is self.provenance
            and t.candidate.id != base
        ]
        good.sort(key=lambda pair: pair[0], reverse=not self.task.objective.minimise)
        return tuple(t for _, t in good)

    @property
    def winner(self) -> Trial | None:
        """The trial of the best candidate."""
        return next((t for t in self.trials if t.candidate.id == self.best), None)
