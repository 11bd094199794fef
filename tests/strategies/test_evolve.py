"""Evolution: islands that breed, kernels that must be new, and models that must be worth what they cost."""

import json
from pathlib import Path
from typing import Any, TypeVar

import pytest
from fakes import ScriptedModel, ToyRun
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, JsonValue

from atunner.agents.novelty import likeness, twin
from atunner.core.candidate import Candidate
from atunner.core.measurement import Measurement
from atunner.core.ports import Voice
from atunner.core.record import RunRecord
from atunner.core.status import Status
from atunner.core.task import Budget
from atunner.core.trial import Trial
from atunner.graphs.drive import drive
from atunner.graphs.strategies.arms import Arm, choose, worth
from atunner.graphs.strategies.evolve import evolve
from atunner.graphs.strategies.islands import Islands, draw, pick

Answer = TypeVar("Answer", bound=BaseModel)
LOOPS = {"i": "for (int i = 0; i < M; ++i)", "j": "for (int j = 0; j < N; ++j)", "k": "for (int k = 0; k < 64; ++k)"}
IJK, IKJ = (" ".join(LOOPS[x] for x in order) + " c[i*N+j] += a[i*K+k]*b[k*N+j];" for order in ("ijk", "ikj"))


@pytest.mark.parametrize(
    "same",
    [IJK.replace("64", "128"), IJK.replace(" i", " row").replace("[i", "[row").replace("+i", "+row"), f"// new\n{IJK}"],
)
def test_other_names_numbers_and_comments_are_nothing_new(same: str) -> None:
    assert likeness(IJK, same) == 1.0


def test_another_order_of_loops_is_new() -> None:
    assert likeness(IJK, IKJ) < 0.95


@given(st.text(max_size=80), st.text(max_size=80))
def test_likeness_is_symmetric_and_a_share(one: str, other: str) -> None:
    assert 0.0 <= likeness(one, other) == likeness(other, one) <= 1.0
    assert likeness(one, one) == 1.0


def test_the_nearest_known_source_is_named() -> None:
    found = twin(IJK.replace("64", "32"), {"ikj": IKJ, "ijk": IJK})
    assert found is not None
    assert (found.name, found.likeness) == ("ijk", 1.0)
    assert twin(IJK, {}) is None


CHEAP, DEAR, UNKNOWN = Voice(name="cheap", usd=0.01), Voice(name="dear", usd=1.0), Voice(name="unknown")


def names(arms: dict[str, Arm], power: float = 1.0) -> list[str]:
    return [v.name for v in choose([UNKNOWN, DEAR, CHEAP], arms, power)]


def test_untried_models_are_asked_first_and_the_cheapest_of_them_before_the_others() -> None:
    assert names({})[0] == "cheap"
    assert names({"cheap": Arm(asked=1, reward=1)})[0] in ("dear", "unknown")


def test_a_dear_model_is_asked_when_it_brings_more_than_it_costs() -> None:
    equal = {n: Arm(asked=50, reward=10) for n in ("cheap", "dear", "unknown")}
    useless = {**equal, "cheap": Arm(asked=500, reward=0), "unknown": Arm(asked=500, reward=0)}

    assert names(equal)[0] == "cheap"
    assert names(useless, 0.0)[0] == "dear"


def test_a_kernel_that_is_right_is_worth_something_and_a_faster_one_more() -> None:
    assert 0 < worth(0.5) == worth(1.0) < worth(1.1) < worth(1.5) < worth(2.0) == worth(9.0) == 1.0


def trial(family: str, value: float) -> Trial:
    measurement = Measurement(unit="us", samples=(value,), source="test")
    return Trial(candidate=Candidate(family=family), status=Status.OK, measurement=measurement)


def test_the_best_of_each_island_moves_on_and_stays() -> None:
    best = [trial(n, v) for v, n in enumerate("abcd", 1)]
    islands = Islands(count=2).settled(["a", "b", "c", "d"])
    moved = islands.migrated(best)

    assert [t.candidate.family for t in islands.population(1, best, 6)] == ["b", "d"]
    assert [t.candidate.family for t in moved.population(1, best, 6)] == ["a", "b", "d"]
    assert [t.candidate.family for t in moved.population(0, best, 6)][:2] == ["a", "b"] or moved.homes["a"] == (0, 1)


def test_the_best_breeds_most_and_chance_can_be_repeated() -> None:
    population = [trial(n, v) for v, n in enumerate("abc", 1)]
    picked = [pick(population, draw(7, n)).candidate.family for n in range(300)]

    assert picked.count("a") > picked.count("b") > picked.count("c") > 0
    assert picked == [pick(population, draw(7, n)).candidate.family for n in range(300)]


class Several:
    """Several scripted models behind one port, with their prices."""

    def __init__(self, models: dict[str, ScriptedModel], usd: dict[str, float]) -> None:
        self.name, self.models, self.usd = "several", models, usd

    def voices(self, role: str) -> tuple[Voice, ...]:
        return tuple(Voice(name=name, usd=self.usd[name]) for name in self.models)

    def only(self, voice: str) -> ScriptedModel:
        return self.models[voice]

    async def ask(self, role: str, prompt: str, answer: type[Answer]) -> Answer | None:
        return await next(iter(self.models.values())).ask(role, prompt, answer)


def play(run: ToyRun) -> RunRecord:
    import asyncio

    asyncio.run(drive(run.deps, run.start, evolve(), run.folder))
    return run.store.load(run.deps.run)


def written(words: str) -> JsonValue:
    return {"name": words, "source": f"{words} x y", "parameters": {"x": [1, 2], "y": [4, 5]}}


class Inventor:
    """Writes another kernel each time."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, prompt: str) -> JsonValue:
        """Marks, since other names alone are nothing new."""
        self.count += 1
        return written("".join(draw(self.count).choices("+-*/<>()=", k=30)))


def test_what_is_known_is_asked_for_once_more_and_never_built(tmp_path: Path) -> None:
    run = ToyRun(tmp_path, budget=Budget(trials=60))
    model = ScriptedModel({"coder": written("always the same")})
    run.change(model=model, rounds=4, patience=9, slice=10)
    record = play(run)
    asked = [p for role, p in model.asked if role == "coder"]

    assert len({t.candidate.family for t in record.trials if t.candidate.origin.startswith("model:")}) == 1
    assert sum("alike to" in p for p in asked) == len(asked) // 2
    assert "another kernel" not in asked[0]


def test_a_second_kernel_is_shown_and_parents_come_from_the_islands(tmp_path: Path) -> None:
    run = ToyRun(tmp_path, budget=Budget(trials=200))
    model = ScriptedModel({"coder": Inventor()})
    run.change(model=model, rounds=12, patience=12, slice=10, strategy={"islands": 3, "children": 2})
    record = play(run)
    asked = [p for role, p in model.asked if role == "coder"]
    parents = {t.candidate.parent for t in record.trials if t.candidate.parent}

    assert any("## Another kernel of this task" in p for p in asked)
    assert any("another algorithm or data layout" in p for p in asked)
    assert len(parents) > 2


@pytest.mark.parametrize(
    ("usd", "favoured"), [({"good": 0.02, "bad": 0.01}, "good"), ({"good": 0.01, "bad": 0.01}, "good")]
)
def test_the_model_that_brings_something_is_asked_more_often(
    usd: dict[str, float], favoured: str, tmp_path: Path
) -> None:
    run = ToyRun(tmp_path, budget=Budget(trials=400))
    models = {
        "bad": ScriptedModel({"coder": {"nonsense": 1}}, "bad"),
        "good": ScriptedModel({"coder": Inventor()}, "good"),
    }
    several: Any = Several(models, usd)
    run.change(model=several, rounds=16, patience=16, slice=12)
    record = play(run)
    asked = {name: sum(role == "coder" for role, _ in model.asked) for name, model in models.items()}

    assert max(asked, key=lambda name: asked[name]) == favoured
    assert {t.candidate.origin for t in record.trials if t.candidate.origin.startswith("model:")} == {"model:good"}


def test_a_generation_that_is_repeated_after_a_crash_is_the_same(tmp_path: Path) -> None:
    records = []
    for part in ("one", "two"):
        (tmp_path / part).mkdir()
        run = ToyRun(tmp_path / part, budget=Budget(trials=80))
        run.change(model=ScriptedModel({"coder": Inventor()}), rounds=5, patience=9, slice=12)
        records.append(play(run))
    first, second = ([t.candidate.id for t in r.trials] for r in records)

    assert first == second
    assert json.dumps([n.summary for n in records[0].notes]) == json.dumps([n.summary for n in records[1].notes])
