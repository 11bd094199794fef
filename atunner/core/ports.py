"""What the loop needs from outside: small protocols, no base classes behind them."""

from collections.abc import Sequence
from concurrent.futures import Future
from enum import StrEnum
from typing import Any, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, JsonValue

from atunner.core.candidate import Candidate, Params
from atunner.core.device import Device
from atunner.core.facts import OperatorFacts
from atunner.core.measurement import Environment, Measurement
from atunner.core.profile import Profile
from atunner.core.space import Family
from atunner.core.status import Provenance
from atunner.core.task import Task
from atunner.core.trial import Check, Comparison, Screening, Trial
from atunner.core.value import Value

Answer = TypeVar("Answer", bound=BaseModel)
Built = TypeVar("Built")


class Domain(Protocol[Built]):
    """Knows how to brief, check, build, verify and measure one kind of task."""

    def admit(self, task: Task) -> Task:
        """The task with every default filled in. Raises UserError before anything is spent."""
        ...

    def unreachable(self, task: Task) -> str:
        """Why no candidate can be made for the target, so that it is only analysed; "" when one can."""
        ...

    def provenance(self, task: Task) -> Provenance:
        """Whether figures of this task will be measured here, predicted or simulated."""
        ...

    def facts(self, task: Task) -> OperatorFacts:
        """What is computed, in numbers."""
        ...

    def families(self, task: Task) -> tuple[Family, ...]:
        """The algorithms that can be tuned for this task, each with its space."""
        ...

    def baseline(self, task: Task) -> Candidate:
        """The naive, correct starting point."""
        ...

    def realise(self, task: Task, family: str, params: Params) -> Candidate:
        """The candidate at one point of a family's space."""
        ...

    def check(self, task: Task, candidate: Candidate) -> tuple[Check, ...]:
        """The static gate. Raises Rejected."""
        ...

    def build(self, task: Task, candidate: Candidate) -> Built:
        """Compile. Raises NotBuilt."""
        ...

    def verify(self, task: Task, built: Built) -> tuple[Check, ...]:
        """Compare with the reference. Raises Wrong, Crashed, TimedOut, NotVerified."""
        ...

    def measure(self, task: Task, built: Built) -> Measurement:
        """The objective's figure, measured here or predicted for the target. Raises NotMeasured and those of verify."""
        ...

    def profile(self, task: Task, built: Built) -> Profile:
        """What limits this candidate."""
        ...

    def compare(self, task: Task, baseline: Built, candidate: Built) -> Comparison | None:
        """Both interleaved in one session with new inputs; None where nothing can be measured."""
        ...

    def yardstick(self, task: Task, candidate: Built) -> Comparison | None:
        """The field's usual library in the baseline's place, interleaved; None where it is not here."""
        ...

    def evidence(self, task: Task, trial: Trial, comparison: Comparison | None, baseline: Candidate) -> JsonValue:
        """What it takes to check a result again from scratch, as JSON; None where there is no such form."""
        ...

    def screen(self, task: Task, candidates: Sequence[Candidate]) -> list[Screening]:
        """A cheap look at many (gate, parallel compiles, resources, ranking model), in the order given."""
        ...

    def environment(self, task: Task) -> Environment:
        """Where this domain's figures come from on this machine."""
        ...


@runtime_checkable
class Racing(Protocol):
    """What a measured domain may offer beside `Domain`: a quick, unverified look; only contenders are judged."""

    def races(self, task: Task) -> bool:
        """Whether this task's candidates can be raced."""
        ...

    def race(self, task: Task, candidate: Candidate, rival: float | None) -> Screening:
        """A figure in the task's unit as the score, or the reason why there is none. rival: the best one so far."""
        ...

    def prove(self, task: Task, candidate: Candidate) -> Screening:
        """Whether it gives right results, without timing it: the reason says what is wrong, "" that nothing is."""
        ...


@runtime_checkable
class Meeting(Protocol):
    """What a domain may offer beside `Domain` where a comparison for publishing takes long."""

    def meet(self, task: Task, leader: Any, rival: Any) -> Comparison | None:
        """Two that were built and verified, interleaved in one short session; None where nothing can be measured."""
        ...


class Searcher(Protocol):
    """Ask/tell over one space; seeded, and its state is a value.

    at_once: how many of its points may be pending; None where that does not matter.
    """

    at_once: int | None

    def ask(self, count: int) -> list[Params]:
        """Up to `count` points not asked before; fewer when the space runs out."""
        ...

    def tell(self, params: Params, value: float | None) -> None:
        """The figure of a point (lower is better), None when it failed."""
        ...

    def state(self) -> JsonValue:
        """Everything needed to go on after a restart."""
        ...


class Model(Protocol):
    """A language model that answers with a typed value."""

    name: str

    async def ask(self, role: str, prompt: str, answer: type[Answer]) -> Answer | None:
        """The answer, or None when none could be had (refused, malformed, budget spent); both are recorded."""
        ...


class Voice(Value):
    """One of several models. usd: what a usual call costs by its list price, None when that is unknown."""

    name: str
    usd: float | None = None


class Room(Value):
    """How many tokens a prompt may have beside the shortest good answer. model: which one holds `context` in all."""

    model: str
    tokens: int
    context: int


@runtime_checkable
class Holding(Protocol):
    """A model that may know how much it holds."""

    def room(self, role: str, answer: type[Answer]) -> Room | None:
        """The room in that role, the least of several models'; None where nobody knows."""
        ...


@runtime_checkable
class Panel(Protocol):
    """Several models behind one port, to choose among."""

    def voices(self, role: str) -> tuple[Voice, ...]:
        """Who can play the role, in the order asked."""
        ...

    def only(self, voice: str) -> Model:
        """The model of that name alone."""
        ...


class Tool(Protocol):
    """Something an agent may call: typed arguments in, text facts out; each call is recorded."""

    name: str
    description: str

    def __call__(self, /, **arguments: JsonValue) -> JsonValue:
        """Run it; expected failures are part of the answer."""
        ...


class Knowledge(Protocol):
    """Facts with sources, and what earlier runs learned."""

    def device(self, name: str) -> Device:
        """Raises UnknownName with the nearest names."""
        ...

    def recall(self, task: Task, limit: int) -> list[Trial]:
        """The best OK trials of similar tasks, nearest first; never of another provenance than asked."""
        ...


class Memory(Protocol):
    """Where runs are recorded: idempotent, so that repeating a node repeats nothing."""

    def record(self, run: str, trial: Trial) -> None:
        """Keep a trial; a second trial of the same run and candidate changes nothing."""
        ...

    def trial(self, run: str, candidate: str) -> Trial | None:
        """The recorded trial of a candidate id."""
        ...

    def trials(self, run: str) -> list[Trial]:
        """All trials of a run, in the order recorded."""
        ...

    def screened(self, run: str, screenings: Sequence[Screening]) -> None:
        """Keep screenings; idempotent by candidate."""
        ...

    def screenings(self, run: str) -> list[Screening]:
        """All screenings of a run."""
        ...


class WorkItem(Value):
    """A piece of build or run work, by names and values only; resolved inside the worker.

    action: "screen", "race" (against a rival's figure), "prove" or "judge".
    """

    action: str
    task: Task
    candidate: Candidate
    rival: float | None = None


class Fault(StrEnum):
    """What kept a work item from giving an answer."""

    NONE = ""
    DIED = "died"
    TIMED_OUT = "timed_out"
    FAILED = "failed"


class Outcome(Value):
    """What came of a work item: a Screening or Trial as JSON, or the fault with its message."""

    answer: JsonValue = None
    fault: Fault = Fault.NONE
    message: str = ""


class Executor(Protocol):
    """Where build and run work happens."""

    def map(self, items: Sequence[WorkItem]) -> list[Outcome]:
        """One outcome for each item, in order. A dead worker, a time-out and an item's own error are three faults."""
        ...

    def close(self) -> None:
        """End all workers."""
        ...


@runtime_checkable
class Ahead(Protocol):
    """What an executor may offer beside `map`: work that goes on while its caller does something else."""

    def start(self, item: WorkItem) -> Future[Outcome]:
        """Begin; the future has the outcome, faults included."""
        ...


class Clock(Protocol):
    """Time, so that tests need no sleeping."""

    def now(self) -> float:
        """Seconds since an arbitrary start, monotonic."""
        ...
