"""What flows between nodes: small values only, because every step of it is kept as a checkpoint."""

from pydantic import BaseModel, Field, JsonValue

from atunner.agents.codegen import Proposal
from atunner.agents.evaluation import Verdict
from atunner.agents.fusion import FusionView
from atunner.agents.hardware import HardwareView
from atunner.agents.operator import OperatorView
from atunner.agents.performance import Diagnosis
from atunner.core.task import Budget, Spent, Task


class TuningState(BaseModel):
    """One run. Trials are in the database; here are ids, figures and the agents' latest answers.

    before: spent when the round began, so that a repeated node knows what of its slice is done. closed: families
    without an untried point.
    """

    run: str
    task: Task
    budget: Budget
    round: int = 0
    spent: Spent = Spent()
    before: Spent = Spent()
    baseline: str | None = None
    baseline_value: float | None = None
    best: str | None = None
    best_value: float | None = None
    gain: float = 1.0
    stale: int = 0
    exhausted: bool = False
    closed: tuple[str, ...] = ()
    blocked: bool = False
    operator: OperatorView | None = None
    hardware: HardwareView | None = None
    diagnosis: Diagnosis | None = None
    fusion: FusionView | None = None
    proposal: Proposal | None = None
    verdict: Verdict | None = None
    memo: dict[str, JsonValue] = Field(default_factory=dict)


class Proposed(BaseModel):
    """All that a strategy may hand back; judging and recording are the loop's alone."""

    proposal: Proposal
    memo: dict[str, JsonValue] = Field(default_factory=dict)
