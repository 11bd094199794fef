"""What each agent answers by rules, which numbers no model can change, and the prompts, read in review."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import ScriptedModel, ToyRun, device
from pydantic import JsonValue

from atunner.agents import fusion, hardware, operator, performance
from atunner.agents.hardware import Regime
from atunner.agents.operator import Trait
from atunner.core.consult import Toolbox
from atunner.core.diagnosis import Bottleneck
from atunner.core.facts import OperatorFacts
from atunner.core.measurement import Measurement
from atunner.core.profile import Counters, Profile
from atunner.core.status import Status
from atunner.core.task import Budget
from atunner.core.trial import Trial
from atunner.domains.toy import Toy
from atunner.operators import operator as named


def facts(name: str, shape: tuple[int, ...], **settings: int) -> OperatorFacts:
    entry = named(name)
    return entry.facts(entry.problem(shape, settings, "float32"), frozenset())


MATMUL = facts("matmul", (512, 512, 512))


@pytest.mark.parametrize(
    ("given", "trait"),
    [
        (MATMUL, Trait.HIGH_REUSE),
        (facts("matmul", (8, 8, 4096)), Trait.LONG_REDUCTION),
        (facts("matmul", (4, 4, 4)), Trait.SMALL_PROBLEM),
        (facts("conv2d", (1, 3, 32, 32)), Trait.FEW_INPUT_CHANNELS),
        (facts("conv2d", (1, 64, 32, 32), kernel=1, padding=0), Trait.POINTWISE_FILTER),
        (facts("conv2d", (1, 64, 32, 32), stride=2), Trait.STRIDED),
        (facts("conv2d", (1, 64, 32, 32), groups=2), Trait.GROUPED),
        (facts("softmax", (4, 4096)), Trait.FEW_ROWS),
        (facts("softmax", (4096, 64)), Trait.SHORT_ROWS),
        (facts("reduce_sum", (4096, 4096)), Trait.STREAMING),
    ],
)
def test_the_operator_agent_reads_traits_off_the_numbers(given: OperatorFacts, trait: Trait) -> None:
    assert trait in operator.rules(given).traits


def test_the_hardware_agent_names_the_roof() -> None:
    compute = hardware.rules(device(), MATMUL, True)
    memory = hardware.rules(device(), facts("reduce_sum", (4096, 4096)), True)

    assert (compute.regime, memory.regime) == (Regime.COMPUTE, Regime.MEMORY)
    assert compute.bound_us == pytest.approx(2 * 512**3 / 0.1e12 * 1e6)
    assert memory.bound_us == pytest.approx(facts("reduce_sum", (4096, 4096)).min_bytes / 10e9 * 1e6)
    assert compute.ridge == pytest.approx(10.0)


def test_a_model_may_move_the_roof_but_no_number() -> None:
    view = hardware.rules(device(), MATMUL, True)
    said = view.model_copy(update={"regime": Regime.MEMORY, "bound_us": 1e-9, "ridge": 7.0, "summary": "caches"})
    model = ScriptedModel({"hardware": said.model_dump(mode="json")})
    spoken = asyncio.run(hardware.examine(model, Toolbox(), device(), MATMUL, True))

    assert spoken.by == "model:scripted"
    assert spoken.answer == view.model_copy(update={"regime": Regime.MEMORY, "summary": "caches"})


def test_a_model_may_weigh_a_fusion_but_not_its_bytes() -> None:
    view = fusion.rules(MATMUL, device(), 100.0)
    cheat: list[JsonValue] = [o.model_copy(update={"saved_bytes": 10**12}).model_dump() for o in view.opportunities]
    said: JsonValue = {"opportunities": cheat, "keep_single_pass": not view.keep_single_pass, "summary": "mine"}
    spoken = asyncio.run(fusion.examine(ScriptedModel({"fusion": said}), Toolbox(), MATMUL, device(), 100.0))

    assert spoken.answer.opportunities == view.opportunities
    assert spoken.answer.keep_single_pass is not view.keep_single_pass


def judged(time_us: float, **counters: float) -> Trial:
    return Trial(
        candidate=named("matmul").kernels["c"].baseline.realise({}),
        status=Status.OK,
        measurement=Measurement(unit="us", samples=(time_us,), source="cpu"),
        profile=Profile(counters=Counters(source="perf", values=counters)),
    )


@pytest.mark.parametrize(
    ("trial", "found"),
    [
        (judged(2700.0), Bottleneck.AT_LIMIT),
        (judged(9000.0), Bottleneck.COMPUTE),
        (judged(9000.0, cycles=1e6, instructions=5e5), Bottleneck.LATENCY),
        (judged(9000.0, cycles=1e6, instructions=2e6, cache_misses=1e5), Bottleneck.MEMORY),
    ],
)
def test_the_performance_agent_names_one_bottleneck_with_its_evidence(trial: Trial, found: Bottleneck) -> None:
    spoken = asyncio.run(performance.diagnose(None, Toolbox(), trial, MATMUL, device()))

    assert spoken.answer.bottleneck is found
    assert spoken.answer.evidence


def test_no_model_ends_a_run_by_calling_it_perfect_or_changes_evidence() -> None:
    said: dict[str, JsonValue] = {
        "bottleneck": "at_limit",
        "evidence": ["trust me"],
        "headroom": 1.0,
        "techniques": [],
        "summary": "done",
    }
    model = ScriptedModel({"performance": said})
    spoken = asyncio.run(performance.diagnose(model, Toolbox(), judged(9000.0), MATMUL, device()))
    said["bottleneck"] = "memory"
    other = asyncio.run(performance.diagnose(model, Toolbox(), judged(9000.0), MATMUL, device()))

    assert spoken.answer.bottleneck is Bottleneck.COMPUTE
    assert other.answer.bottleneck is Bottleneck.MEMORY
    assert other.answer.headroom == pytest.approx(9000 / (2 * 512**3 / 0.1e12 * 1e6))
    assert "trust me" not in other.answer.evidence


def test_the_prompts_are_what_was_read_in_review(tmp_path: Path, golden: Callable[[str, str], str]) -> None:
    run = ToyRun(tmp_path, budget=Budget(trials=60))
    model = ScriptedModel({})
    run.change(model=model)
    run.drive()
    first = dict(reversed(model.asked))

    assert set(first) == {"operator", "hardware", "performance", "fusion", "codegen", "evaluation"}
    for role, prompt in sorted(first.items()):
        assert prompt == golden(f"{role}.txt", prompt)


def test_the_toys_facts_are_those_that_the_prompts_tell(tmp_path: Path) -> None:
    run = ToyRun(tmp_path, budget=Budget(trials=5))
    model = ScriptedModel({})
    run.change(model=model)
    run.drive()

    told = dict(model.asked)["operator"]
    facts = Toy().facts(run.task)
    assert f"{facts.flops:.4g} FLOP, at least {facts.min_bytes:.4g} bytes" in told
