"""What nodes need and checkpoints must not hold."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from atunner.agents.codegen import Recalled
from atunner.core.consult import Toolbox
from atunner.core.device import Device
from atunner.core.ports import Clock, Domain, Executor, Memory, Model, Searcher
from atunner.core.record import AgentNote, RunState
from atunner.core.space import Space
from atunner.core.task import Spent
from atunner.core.trial import Comparison
from atunner.graphs.events import Watch, ignore


class RunMemory(Memory, Protocol):
    """Memory, and what the loop itself keeps of a run. Every write may be repeated."""

    def note(self, run: str, note: AgentNote) -> None:
        """Keep what an agent said; one note for each round and agent."""
        ...

    def spend(self, run: str, spent: Spent) -> None:
        """Keep what the run has used so far."""
        ...

    def best(self, run: str, candidate: str) -> None:
        """Keep the id of the best candidate so far."""
        ...

    def confirmed(self, run: str, comparison: Comparison | None) -> None:
        """Keep the figure that may be published."""
        ...

    def finish(self, run: str, state: RunState, reason: str) -> None:
        """Move to a state; a terminal state never changes again."""
        ...


@dataclass(frozen=True)
class Options:
    """How a run is driven. slice: points a round; contenders: how many of them are judged when figures are predicted.

    ahead: how many candidates are built at once. seed: of every search of this run.
    """

    search: str = "auto"
    rounds: int = 12
    slice: int = 32
    contenders: int = 4
    patience: int = 2
    ahead: int = 4
    seed: int = 0
    target_ratio: float | None = None


@dataclass(frozen=True)
class Deps:
    """Live objects of one run."""

    run: str
    domain: Domain[Any]
    device: Device
    present: bool
    memory: RunMemory
    executor: Executor
    searcher: Callable[[str, Space, int], Searcher]
    tools: Callable[[str], Toolbox]
    clock: Clock
    model: Model | None = None
    recalled: tuple[Recalled, ...] = ()
    options: Options = field(default_factory=Options)
    watch: Watch = ignore
    stopped: Callable[[], bool] = field(default=lambda: False)
