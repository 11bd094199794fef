"""Agents that only talk are not agents: each one's answer, altered in the state, changes what is done next."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fakes import ScriptedModel, ToyRun, device
from pydantic import JsonValue

from atunner.agents import codegen, evaluation
from atunner.agents.codegen import FamilyRecord, Proposal, Situation
from atunner.agents.evaluation import Decision, Standing
from atunner.agents.fusion import FusionView
from atunner.agents.hardware import HardwareView, Regime
from atunner.agents.operator import OperatorView, Trait
from atunner.agents.performance import Diagnosis
from atunner.core.consult import Toolbox
from atunner.core.diagnosis import Bottleneck
from atunner.core.record import RunRecord
from atunner.core.space import Family, Parameter, Space
from atunner.core.task import Budget, Spent

SPACE = Space(parameters=(Parameter(name="tile", values=tuple(range(1, 17))),))
TILED = Family(name="tiled", summary="", space=SPACE, techniques=("register_blocking",))
SPLIT = Family(name="split", summary="", space=SPACE, techniques=("split_k",))
SITUATION = Situation(
    operator=OperatorView(traits=(), summary="an operator"),
    hardware=HardwareView(
        regime=Regime.COMPUTE, bound_us=1, ridge=10, fits="DRAM", parallel_slots=64, present=True, summary="a device"
    ),
    diagnosis=Diagnosis(bottleneck=Bottleneck.COMPUTE, evidence=("seen",), summary="compute: seen"),
    fusion=FusionView(opportunities=(), keep_single_pass=False, summary="nothing"),
    records=(FamilyRecord(family=TILED), FamilyRecord(family=SPLIT)),
    round=0,
    points=100,
)


def proposed(situation: Situation) -> Proposal:
    return asyncio.run(codegen.propose(None, Toolbox(), situation)).answer


def points(situation: Situation) -> dict[str, int]:
    return {m.family: m.points for m in proposed(situation).moves}


def changed(**parts: Any) -> Situation:
    return SITUATION.model_copy(update=parts)


def test_the_operator_agents_traits_change_the_proposal() -> None:
    small = changed(operator=OperatorView(traits=(Trait.SMALL_PROBLEM,), summary=""))
    reuse = changed(operator=OperatorView(traits=(Trait.HIGH_REUSE,), summary=""))

    assert points(SITUATION) == {"tiled": 50, "split": 50}
    assert points(small)["split"] > points(small)["tiled"]
    assert points(reuse)["tiled"] > points(reuse)["split"]


def test_the_performance_agents_diagnosis_changes_the_proposal() -> None:
    launch = Diagnosis(bottleneck=Bottleneck.LAUNCH, evidence=("few blocks",), techniques=("split_k",), summary="")
    told = changed(diagnosis=launch)

    assert points(told)["split"] > points(SITUATION)["split"]
    assert "split_k treats launch" in proposed(told).summary


def test_the_fusion_agents_verdict_changes_the_proposal() -> None:
    told = changed(fusion=FusionView(opportunities=(), keep_single_pass=True, summary="fuse bias"))

    assert points(told)["split"] < points(SITUATION)["split"]


def test_the_hardware_agents_view_changes_the_fusion_verdict_and_so_the_proposal(tmp_path: Path) -> None:
    from atunner.agents import fusion
    from atunner.core.facts import Epilogue, OperatorFacts

    facts = OperatorFacts(
        operator="toy", dtype="float32", settings=(), tensors={"x": (1,)}, flops=4, min_bytes=8, reuse={"x": 1},
        epilogues=(Epilogue(name="bias", route="epilogue", saved_bytes=100_000, legality="always"),),
    )  # fmt: skip
    near, far = (fusion.rules(facts, device(), bound_us) for bound_us in (10.0, 1e6))

    assert (near.keep_single_pass, far.keep_single_pass) == (True, False)
    assert points(changed(fusion=near)) != points(changed(fusion=far))


def test_the_codegen_agents_proposal_changes_what_is_tried(tmp_path: Path) -> None:
    def run(allowed: list[JsonValue]) -> RunRecord:
        one = ToyRun(tmp_path / str(len(allowed)), budget=Budget(trials=12))
        move: JsonValue = {"family": "low", "points": 11, "allowed": {"x": allowed}, "reason": "told"}
        one.change(model=ScriptedModel({"codegen": {"moves": [move], "summary": "told"}}))
        return one.drive()

    for allowed in ([2, 3], [9]):
        tried = {t.candidate.params["x"] for t in run(list(allowed)).trials[1:]}
        assert tried == set(allowed)


def test_the_evaluation_agents_verdict_ends_the_run(tmp_path: Path) -> None:
    told, alone = (ToyRun(tmp_path / name, budget=Budget(trials=150)) for name in ("told", "alone"))
    told.change(model=ScriptedModel({"evaluation": {"decision": "confirm", "reason": "I am content"}}))
    ended, went_on = told.drive(), alone.drive()

    assert ended.stop_reason == "I am content"
    assert len(ended.trials) < len(went_on.trials)
    assert {n.by for n in ended.notes if n.agent == "evaluation"} == {"model:scripted"}


@pytest.mark.parametrize(("stale", "decided"), [(0, Decision.CONTINUE), (1, Decision.CONFIRM)])
def test_a_search_that_still_gains_is_not_ended_by_a_model(stale: int, decided: Decision) -> None:
    model = ScriptedModel({"evaluation": {"decision": "confirm", "reason": "I am bored"}})
    standing = Standing(round=1, budget=Budget(trials=10), spent=Spent(trials=4), gain=1.3, stale=stale)
    answer = asyncio.run(evaluation.decide(model, Toolbox(), standing)).answer

    assert answer.decision is decided
    assert "I am bored" in answer.reason


def test_hard_bounds_are_never_asked() -> None:
    model = ScriptedModel({"evaluation": {"decision": "continue", "reason": "more!"}})
    spent = Standing(round=3, budget=Budget(trials=10), spent=Spent(trials=10))
    for standing in (spent, spent.model_copy(update={"spent": Spent(), "exhausted": True})):
        spoken = asyncio.run(evaluation.decide(model, Toolbox(), standing))
        assert (spoken.answer.decision, spoken.by) == (Decision.CONFIRM, "rules")
    assert model.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        {"moves": [{"family": "no such family", "points": 5}], "summary": ""},
        {"moves": [], "summary": "nothing"},
        {"moves": "all of them", "summary": ""},
        None,
    ],
)
def test_an_invalid_proposal_falls_back_to_the_rules(answer: JsonValue) -> None:
    spoken = asyncio.run(codegen.propose(ScriptedModel({"codegen": answer}), Toolbox(), SITUATION))

    assert spoken.by == "rules"
    assert spoken.answer.moves == proposed(SITUATION).moves


def test_a_models_moves_are_cut_to_what_exists_and_to_the_points_of_the_round() -> None:
    moves: JsonValue = [
        {"family": "tiled", "points": 90, "allowed": {"tile": [4, 99], "warp": [1]}, "starts": [{"tile": 4}, {}]},
        {"family": "split", "points": 90, "allowed": {"tile": [99]}},
        {"family": "tiled", "points": 1},
    ]
    model = ScriptedModel({"codegen": {"moves": moves, "summary": "mine"}})
    first, second = asyncio.run(codegen.propose(model, Toolbox(), SITUATION)).answer.moves

    assert (first.points, second.points) == (90, 10)
    assert (first.allowed, second.allowed) == ({"tile": (4,)}, {})
    assert first.starts == ({"tile": 4},)


def test_a_family_that_shows_itself_slow_gets_fewer_points() -> None:
    fast = FamilyRecord(family=TILED, tried=10, best=1.0, best_params={"tile": 8})
    slow = FamilyRecord(family=SPLIT, tried=10, best=5.0, best_params={"tile": 2})
    told = points(changed(records=(fast, slow), round=1))

    assert told["tiled"] > 5 * told["split"]


def test_a_good_point_is_searched_around() -> None:
    fast = FamilyRecord(family=TILED, tried=10, best=1.0, best_params={"tile": 8})
    (move,) = proposed(changed(records=(fast,), round=1)).moves

    assert move.allowed == {"tile": (6, 7, 8, 9, 10)}


def test_an_exhausted_family_gets_nothing() -> None:
    done = FamilyRecord(family=TILED, tried=16, best=1.0, exhausted=True)

    assert points(changed(records=(done, FamilyRecord(family=SPLIT)))) == {"split": 100}
