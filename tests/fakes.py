"""Real parts put together small: a scripted model, a toy device, and one toy run on a database in memory."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from atunner.core.consult import Toolbox
from atunner.core.device import Device, Fact
from atunner.core.measurement import Measurement
from atunner.core.ports import Searcher
from atunner.core.record import RunRecord, RunState
from atunner.core.space import Space
from atunner.core.status import Provenance
from atunner.core.task import Budget, Objective, Task
from atunner.core.trial import Comparison
from atunner.domains.toy import Toy
from atunner.executors.inline import InlineExecutor
from atunner.graphs.deps import Deps, Options
from atunner.graphs.drive import drive
from atunner.graphs.state import TuningState
from atunner.graphs.strategies.expert import expert
from atunner.knowledge_base.store import Store
from atunner.knowledge_base.tools import toolbox
from atunner.search import SearchSpace, searcher

Answer = TypeVar("Answer", bound=BaseModel)
Script = Mapping[str, JsonValue | Callable[[str], JsonValue]]
TOY = Task(domain="toy", name="toy", spec={"floor": 1})


class ScriptedModel:
    """Answers each role with what was written down for it: JSON, or a function from prompt to JSON.

    Like a real model it gives None where its answer does not fit the type. asked: role and prompt of every call.
    """

    def __init__(self, answers: Script, name: str = "scripted") -> None:
        self.name = name
        self.answers = answers
        self.asked: list[tuple[str, str]] = []

    async def ask(self, role: str, prompt: str, answer: type[Answer]) -> Answer | None:
        self.asked.append((role, prompt))
        found = self.answers.get(role)
        try:
            return answer.model_validate(found(prompt) if callable(found) else found)
        except ValidationError:
            return None


class SteppingClock:
    """A clock that moves `step` seconds each time that somebody looks."""

    def __init__(self, step: float = 0.0) -> None:
        self._ticks, self._step = count(), step

    def now(self) -> float:
        return next(self._ticks) * self._step


class Rising(Toy):
    """The toy with a figure to maximise: 1000 over the bowl."""

    def measure(self, task: Task, built: Any) -> Measurement:
        bowl = super().measure(task, built)
        samples = tuple(1000 / s for s in bowl.samples)
        return Measurement(unit="GB/s", samples=samples, provenance=Provenance.SIMULATED, source="toy bowl")

    def compare(self, task: Task, baseline: Any, candidate: Any) -> Comparison | None:
        return super().compare(task, candidate, baseline)


class Measured(Toy):
    """The toy, whose microseconds count as measured, so that the roofline has something to say."""

    def provenance(self, task: Task) -> Provenance:
        return Provenance.MEASURED

    def measure(self, task: Task, built: Any) -> Measurement:
        return super().measure(task, built).model_copy(update={"provenance": Provenance.MEASURED})


RISING = TOY.model_copy(update={"objective": Objective(metric="bandwidth", unit="GB/s", minimise=False)})


def device(kind: str = "cpu", **facts: float) -> Device:
    """A processor with round figures: 100 GFLOP/s and 10 GB/s, unless `facts` says otherwise."""
    usual = {
        "fp32_tflops": 0.1,
        "dram_gbs": 10.0,
        "cores": 2.0,
        "simd_bits": 256.0,
        "fma_units": 2.0,
        "clock_mhz": 3000.0,
        "l1d_bytes": 32768.0,
        "l2_bytes": 1048576.0,
        "sm_count": 10.0,
        "max_threads_per_sm": 1024.0,
    }
    values = {name: Fact(value=v, unit="", source="test") for name, v in {**usual, **facts}.items()}
    return Device(name="round", vendor="none", kind=kind, arch="x86-64-v3", facts=values)


def _searcher(name: str, space: Space, seed: int) -> Searcher:
    return searcher(name, SearchSpace(space), seed)


class ToyRun:
    """One run of the toy, in this process: `deps` may be changed before `drive` is called."""

    def __init__(
        self, folder: Path, domain: str = "atunner.domains.toy:Toy", task: Task = TOY, budget: Budget | None = None
    ) -> None:
        self.folder, self.task = folder, task
        self.budget = budget or Budget(trials=60)
        self.store = Store("sqlite://")
        executor = InlineExecutor(domain, {})
        self.deps = Deps(
            run="toy-run",
            domain=executor.domain,
            device=device(),
            present=True,
            memory=self.store,
            executor=executor,
            searcher=_searcher,
            tools=lambda agent: self.tools(agent),
            clock=SteppingClock(),
            options=Options(search="local", slice=24, patience=3, ahead=4),
        )
        environment = self.deps.domain.environment(task)
        head = RunRecord(
            run=self.deps.run,
            task=task,
            state=RunState.RUNNING,
            budget=self.budget,
            environment=environment,
            provenance=self.deps.domain.provenance(task),
        )
        self.store.save_run(head)

    def tools(self, agent: str) -> Toolbox:
        return toolbox(agent, self.store, self.task)

    def change(self, **fields: Any) -> None:
        """Replace fields of Deps; those of Options go there."""
        options = {name: fields.pop(name) for name in list(fields) if name in Options.__dataclass_fields__}
        self.deps = replace(self.deps, options=replace(self.deps.options, **options), **fields)

    @property
    def start(self) -> TuningState:
        return TuningState(run=self.deps.run, task=self.task, budget=self.budget)

    def drive(self) -> RunRecord:
        """To its end, in an event loop of its own."""
        asyncio.run(drive(self.deps, self.start, expert(), self.folder))
        return self.store.load(self.deps.run)
