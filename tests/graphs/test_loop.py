"""The loop on a domain with a known answer."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes import RISING, ScriptedModel, SteppingClock, ToyRun, device

from atunner.core.errors import Interrupted, ToolError
from atunner.core.ports import Outcome, WorkItem
from atunner.core.record import RunRecord, RunState
from atunner.core.status import Status
from atunner.core.task import Budget
from atunner.executors.inline import InlineExecutor


def found(record: RunRecord) -> tuple[str, object]:
    assert record.winner is not None
    return record.winner.candidate.family, record.winner.candidate.params


def test_the_optimum_is_found_and_confirmed(tmp_path: Path) -> None:
    record = ToyRun(tmp_path, budget=Budget(trials=400)).drive()

    assert record.state is RunState.DONE
    assert found(record) == ("low", {"x": 3, "y": 5})
    assert record.confirmed is not None
    assert record.confirmed.ratio == pytest.approx(255.0)
    assert record.baseline is not None
    assert record.baseline.candidate.origin == "baseline"


def test_a_figure_to_maximise_is_maximised(tmp_path: Path) -> None:
    run = ToyRun(tmp_path, "fakes:Rising", RISING, Budget(trials=400))
    run.change(target_ratio=254.0)
    record = run.drive()

    assert found(record) == ("low", {"x": 3, "y": 5})
    assert record.ranked[0].measurement is not None
    assert record.ranked[0].measurement.value == max(t.measurement.value for t in record.ranked if t.measurement)
    assert record.confirmed is not None
    assert record.confirmed.ratio == pytest.approx(255.0)
    assert record.stop_reason == "the target ratio 254 is reached"


def test_wrong_candidates_are_recorded_and_never_ranked(tmp_path: Path) -> None:
    run = ToyRun(tmp_path, budget=Budget(trials=120))
    run.change(search="random")
    record = run.drive()
    wrong = [t for t in record.trials if t.candidate.params["x"] == 7]

    assert {(t.status, t.measurement) for t in wrong} == {(Status.WRONG, None)}
    assert not {t.candidate.id for t in wrong} & {t.candidate.id for t in record.ranked}


@pytest.mark.parametrize("trials", [1, 2, 23, 24, 25, 61])
def test_the_budget_of_trials_is_spent_exactly(tmp_path: Path, trials: int) -> None:
    run = ToyRun(tmp_path, budget=Budget(trials=trials))
    run.change(patience=100)
    record = run.drive()

    assert record.stop_reason == "the budget of trials is spent"
    assert (len(record.trials), record.spent.trials) == (trials, trials)


def test_the_budget_of_seconds_stops_within_one_candidate(tmp_path: Path) -> None:
    run = ToyRun(tmp_path, budget=Budget(seconds=20.0))
    run.change(patience=100, clock=SteppingClock(0.1))
    record = run.drive()

    assert record.stop_reason == "the budget of seconds is spent"
    assert 20.0 <= record.spent.seconds < 22.0
    assert len(record.trials) > 5


def test_a_reached_target_stops_the_run(tmp_path: Path) -> None:
    run = ToyRun(tmp_path, budget=Budget(trials=400))
    run.change(target_ratio=2.0)
    record = run.drive()

    assert record.stop_reason == "the target ratio 2 is reached"
    assert len(record.trials) < 60


def test_rounds_without_progress_stop_the_run(tmp_path: Path) -> None:
    run = ToyRun(tmp_path, budget=Budget(trials=400))
    run.change(patience=2)
    record = run.drive()

    assert record.stop_reason == "no progress in 2 rounds"
    assert len(record.trials) < 400


def test_an_exhausted_space_stops_the_run(tmp_path: Path) -> None:
    run = ToyRun(tmp_path, budget=Budget(trials=10_000))
    run.change(patience=100, rounds=40, slice=64, search="exhaustive")
    record = run.drive()

    assert record.stop_reason == "nothing is left to try: every family's space is exhausted"
    assert len({t.candidate.id for t in record.trials}) == len(record.trials) == 2 * 15 * 16


def test_the_last_round_is_named(tmp_path: Path) -> None:
    run = ToyRun(tmp_path, budget=Budget(trials=10_000))
    run.change(patience=100, rounds=2)

    assert run.drive().stop_reason == "all 2 rounds are done"


def test_a_best_at_the_roofline_stops_the_run(tmp_path: Path) -> None:
    run = ToyRun(tmp_path, "fakes:Measured", budget=Budget(trials=10_000))
    run.change(patience=100, rounds=40, slice=64, search="exhaustive", device=device(dram_gbs=0.008))
    record = run.drive()

    assert record.stop_reason == "nothing is left to gain: the roofline says so"
    assert found(record) == ("low", {"x": 3, "y": 5})


def test_the_record_has_all_six_agents_and_their_tools(tmp_path: Path) -> None:
    record = ToyRun(tmp_path).drive()

    agents = {"operator", "hardware", "performance", "fusion", "codegen", "evaluation"}
    assert {n.agent for n in record.notes} == agents | {"confirm"}
    assert {n.by for n in record.notes} == {"rules"}
    assert any(n.tools == ("techniques(bottleneck=memory)",) for n in record.notes if n.agent == "codegen")


class Fragile(InlineExecutor):
    """Judges until its calls run out, then fails like a lost machine, before or after the work was done."""

    def __init__(self, calls: int) -> None:
        super().__init__("atunner.domains.toy:Toy", {})
        self.calls, self.judged = calls, list[str]()

    def map(self, items: Sequence[WorkItem]) -> list[Outcome]:
        if self.calls == 0:
            raise ToolError("the machine is gone")
        self.calls -= 1
        self.judged += [item.candidate.id for item in items if item.action == "judge"]
        return super().map(items)


@pytest.mark.parametrize("calls", [0, 1, 2, 3, 40])
def test_a_repeated_node_judges_nothing_twice(tmp_path: Path, calls: int) -> None:
    whole, run = ToyRun(tmp_path / "whole", budget=Budget(trials=120)), ToyRun(tmp_path, budget=Budget(trials=120))
    executor = Fragile(calls)
    run.change(executor=executor)
    with pytest.raises(ToolError):
        run.drive()
    executor.calls = 10_000
    record, undisturbed = run.drive(), whole.drive()

    assert len(executor.judged) == len(set(executor.judged)) == len(record.trials) == record.spent.trials
    assert found(record) == found(undisturbed)


def test_a_finished_graph_driven_again_changes_nothing(tmp_path: Path) -> None:
    run = ToyRun(tmp_path)
    first = run.drive()

    assert run.drive() == first


def test_a_stop_keeps_what_was_judged_and_the_next_drive_goes_on(tmp_path: Path) -> None:
    run, stop = ToyRun(tmp_path), threading.Event()
    run.change(stopped=stop.is_set, watch=lambda e: stop.set() if e.done >= 30 else None)
    with pytest.raises(Interrupted, match="atunner resume toy-run"):
        run.drive()
    kept = [t.candidate.id for t in run.store.trials("toy-run")]
    run.change(stopped=lambda: False)
    record = run.drive()

    assert 25 < len(kept) < 60
    assert [t.candidate.id for t in record.trials][: len(kept)] == kept
    assert record.spent.trials == 60


def test_seconds_of_earlier_processes_count(tmp_path: Path) -> None:
    run = ToyRun(tmp_path, budget=Budget(seconds=20.0))
    run.change(patience=100, clock=SteppingClock(0.1), earlier_s=19.0)

    assert len(run.drive().trials) < 12


def test_what_a_model_says_is_marked_as_its_words(tmp_path: Path) -> None:
    run = ToyRun(tmp_path)
    run.change(model=ScriptedModel({"operator": {"traits": ["streaming"], "summary": "it streams"}}))
    notes = run.drive().notes

    assert {n.by for n in notes if n.agent == "operator"} == {"model:scripted"}
    assert {n.by for n in notes if n.agent == "hardware"} == {"rules"}
