"""A model that brings nothing takes nothing: the same candidates are judged as without it, in the same order."""

import asyncio
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from fakes import ScriptedModel, ToyRun
from pydantic import JsonValue

from atunner.core.candidate import Candidate
from atunner.core.errors import NotBuilt
from atunner.core.measurement import Measurement
from atunner.core.space import Family, Parameter, Space
from atunner.core.task import Budget, Task
from atunner.core.trial import Screening
from atunner.core.value import content_id
from atunner.domains.toy import Toy
from atunner.graphs.drive import drive
from atunner.graphs.strategies.autonomous import autonomous
from atunner.graphs.strategies.evolve import evolve
from atunner.graphs.strategies.expert import expert
from atunner.graphs.strategies.explicit import TuningStep, explicit
from atunner.graphs.strategies.one_prompt import one_prompt

SHIPPED = ("low", "high", "wide", "deep")
VALUES: dict[str, JsonValue] = {"x": list(range(16)), "y": list(range(16))}


class Strict(Toy):
    """The toy that builds its own families alone."""

    def screen(self, task: Task, candidates: Any) -> list[Screening]:
        found = super().screen(task, candidates)
        return [s if self._ours(s.candidate) else s.model_copy(update={"reason": "NOT_BUILT: strange"}) for s in found]

    def build(self, task: Task, candidate: Candidate) -> Candidate:
        if not self._ours(candidate):
            raise NotBuilt("strange")
        return candidate

    def _ours(self, candidate: Candidate) -> bool:
        return candidate.files["family.txt"] in SHIPPED


class Scripted(Strict):
    """Four families whose figures are written down: rough, with no two alike, the same in every run."""

    def families(self, task: Task) -> tuple[Family, ...]:
        tall = Space(parameters=(Parameter(name="x", values=tuple(range(16))), Parameter(name="y", values=(1, 5, 9))))
        more = (
            Family(name="wide", summary="few values", space=tall, techniques=("vectorization", "register_blocking")),
            Family(name="deep", summary="few values", space=tall, techniques=("split_k",)),
        )
        return (*super().families(task), *more)

    def measure(self, task: Task, built: Candidate) -> Measurement:
        found = super().measure(task, built)
        noise = int(content_id([built.family, dict(built.params)]), 16) % 1000 / 100
        return found.model_copy(update={"samples": tuple(s + noise for s in found.samples)})


class Raced(Scripted):
    """The same, searched by races."""

    def races(self, task: Task) -> bool:
        return True

    def race(self, task: Task, candidate: Candidate, rival: float | None) -> Screening:
        return Screening(candidate=candidate, score=self.measure(task, candidate).value)

    def prove(self, task: Task, candidate: Candidate) -> Screening:
        return Screening(candidate=candidate, reason="wrong" if candidate.params["x"] == 7 else "")


STEPS = (TuningStep(id="one", prompt_template="Do it to {kernel_string}", skip_evaluation=True),)
STRATEGIES: dict[str, Callable[[], Any]] = {
    "one_prompt": one_prompt,
    "autonomous": autonomous,
    "explicit": lambda: explicit(STEPS),
    "evolve": evolve,
}


def in_turn(*answers: JsonValue) -> Callable[[str], JsonValue]:
    """One of these answers after the other, whatever is asked."""
    found = cycle(answers)
    return lambda _: next(found)


def planner(asked: str) -> JsonValue:
    """Always a plan, and every step is one."""
    return {"steps": ["make it fast"]} if "Plan at most" in asked else {"is_tuning": True}


ROLES = ("operator", "hardware", "performance", "fusion", "codegen", "evaluation", "coder", "critic")
TALK: tuple[JsonValue, ...] = ("I would profile it first.", {"advice": "buy a faster computer"}, {"source": ""}, None)
WRITTEN: tuple[JsonValue, ...] = (
    {"name": "Strange", "source": "strange x y", "parameters": VALUES},
    {"name": "Same", "source": "high", "parameters": {}},
    {"name": "No values", "source": "strange x", "parameters": {"z": []}},
)
USELESS: dict[str, Callable[[], dict[str, Any]]] = {
    "talks": lambda: dict.fromkeys(ROLES, in_turn(*TALK)) | {"planner": planner},
    "writes": lambda: {"coder": in_turn(*WRITTEN), "planner": planner},
}


def searched(folder: Path, domain: type[Toy], made: Any, answers: dict[str, Any] | None, seed: int) -> list[str]:
    """Every candidate of a run in the order in which it was taken up, and the one that won."""
    folder.mkdir()
    run = ToyRun(folder, f"{__name__}:{domain.__name__}", budget=Budget(trials=24))
    run.change(model=None if answers is None else ScriptedModel(answers), rounds=5, patience=5, slice=6, seed=seed)
    asyncio.run(drive(run.deps, run.start, made, folder))
    record = run.store.load(run.deps.run)
    taken = [*run.store.screenings(run.deps.run), *record.trials]
    return [*(one.candidate.id for one in taken), str(record.best)]


@pytest.fixture(scope="module", params=[Scripted, Raced])
def alone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[type[Toy], list[str]]:
    """A domain, and what the expert takes up there."""
    return request.param, searched(tmp_path_factory.mktemp("runs") / "alone", request.param, expert(), None, 3)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_model_that_brings_nothing_changes_no_candidate(
    name: str, alone: tuple[type[Toy], list[str]], tmp_path: Path
) -> None:
    domain, taken = alone
    others = {how: searched(tmp_path / how, domain, STRATEGIES[name](), told(), 3) for how, told in USELESS.items()}

    assert [how for how, found in others.items() if found != taken] == []


def test_another_seed_takes_other_candidates(alone: tuple[type[Toy], list[str]], tmp_path: Path) -> None:
    domain, taken = alone

    assert len(set(taken)) >= 24
    assert taken != searched(tmp_path / "other", domain, expert(), None, 4)
