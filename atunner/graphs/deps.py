"""What nodes need and checkpoints must not hold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import JsonValue

from atunner.agents.codegen import Recalled
from atunner.core.consult import Toolbox
from atunner.core.device import Device
from atunner.core.errors import UserError
from atunner.core.ports import Clock, Domain, Executor, Memory, Model, Searcher
from atunner.core.record import AgentNote, RunRecord, RunState
from atunner.core.space import Space
from atunner.core.task import MOST_RATIO, MOST_SEED, Spent
from atunner.core.trial import Trial
from atunner.graphs.events import Watch, ignore
from atunner.tools.calm import calm


class Entry(Protocol):
    """One entry of a stream."""

    @property
    def kind(self) -> str:
        """What it is."""
        ...

    @property
    def body(self) -> JsonValue:
        """Its content."""
        ...


class RunMemory(Memory, Protocol):
    """Memory, and what the loop itself keeps of a run. Every write may be repeated."""

    def note(self, run: str, note: AgentNote) -> None:
        """Keep what an agent said; one note for each round and agent."""
        ...

    def head(self, run: str) -> RunRecord:
        """The run without its trials, screenings and notes."""
        ...

    def save_run(self, record: RunRecord) -> None:
        """Change the head of a run."""
        ...

    def set_baseline(self, run: str, trial: Trial) -> None:
        """Record a trial and make it the run's baseline."""
        ...

    def set_spent(self, run: str, spent: Spent) -> None:
        """Keep what the run has used so far."""
        ...

    def event(self, stream: str, kind: str, body: Mapping[str, JsonValue], key: str | None = None) -> int:
        """Append to a stream; with a key seen before, nothing changes."""
        ...

    def events(self, stream: str, after: int = 0, limit: int = 1000) -> Sequence[Entry]:
        """What was appended, in order."""
        ...

    def set_state(self, run: str, state: RunState, stop_reason: str = "") -> None:
        """Move to a state; a terminal state never changes again."""
        ...


@dataclass(frozen=True)
class Options:
    """How a run is driven. slice: points a round; contenders: how many of them are judged when figures are predicted.

    ahead: how many candidates are built at once. seed: of every search of this run. strategy: the
    strategy's own settings. approve: "plan" or "candidate", what a person is asked about; "" asks nobody.

    Raises:
        UserError: a seed or a ratio that is none.
    """

    search: str = "auto"
    rounds: int = 12
    slice: int = 32
    contenders: int = 4
    patience: int = 3
    ahead: int = 4
    seed: int = 0
    target_ratio: float | None = None
    strategy: dict[str, JsonValue] = field(default_factory=dict)
    approve: str = ""

    def __post_init__(self) -> None:
        seed, ratio = self.seed, self.target_ratio
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MOST_SEED:
            raise UserError(f"A seed is a whole number from 0 to {MOST_SEED}; got {seed!r}.")
        if ratio is not None and not 0 < ratio <= MOST_RATIO:
            raise UserError(f"The ratio to stop at is above 0 and at most {MOST_RATIO:,}; got {ratio!r}.")


def driven(options: object, otherwise: Options) -> Options:
    """The options that were given, or others where none were. Raises UserError: they are none."""
    if options is None:
        return otherwise
    if not isinstance(options, Options):
        raise UserError(f"options takes Options, as in Options(rounds=4, seed=1); got {options!r}.")
    return options


@dataclass(frozen=True)
class Deps:
    """Live objects of one run.

    began: the clock when this process took the run up. earlier_s: seconds that earlier processes spent on it.
    rest: waits, within a limit, until the machine can measure; says what it is busy with when it still is, else "".
    """

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
    began: float = 0.0
    earlier_s: float = 0.0
    rest: Callable[[], str] = calm

    def seconds(self) -> float:
        """Wall time that the run has used so far, in all processes."""
        return self.earlier_s + self.clock.now() - self.began
