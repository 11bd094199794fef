"""Starting and resuming runs through a session: who may, and what a stop leaves behind."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import TOY

from atunner.core.errors import Interrupted, UserError
from atunner.core.record import RunState
from atunner.core.task import Budget
from atunner.graphs.deps import Options
from atunner.graphs.events import Event
from atunner.graphs.request import Request
from atunner.graphs.strategies import ASKING
from atunner.settings import Settings
from atunner.wiring import Session

REQUEST = Request(
    TOY.model_copy(update={"spec": {"floor": 2}}),
    Budget(trials=40),
    Options(search="random", slice=10, patience=9, seed=5),
    executor="inline",
)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session(Settings(data=tmp_path, cache=tmp_path / "cache", database="", model="none")) as opened:
        yield opened


class StopAt:
    """A watch that asks the run to stop after some trials."""

    def __init__(self, trials: int) -> None:
        self.trials, self.stop = trials, threading.Event()
        self.run = ""

    def __call__(self, event: Event) -> None:
        self.run = event.run
        if event.done >= self.trials:
            self.stop.set()


def stopped(session: Session, trials: int = 15) -> str:
    watch = StopAt(trials)
    with pytest.raises(Interrupted):
        session.start(REQUEST, watch, watch.stop)
    return watch.run


def test_a_stopped_run_keeps_its_best_so_far_and_says_how_to_go_on(session: Session) -> None:
    run = stopped(session)
    record = session.store.load(run)

    assert record.state is RunState.INTERRUPTED
    assert f"atunner resume {run}" in record.stop_reason
    assert record.winner == record.ranked[0]
    assert 0 < record.spent.trials < 40


def test_a_stopped_run_is_resumed_as_it_was_asked_for(session: Session) -> None:
    run = stopped(session)
    seen: list[int | None] = []
    record = session.resume(run, lambda e: seen.append(e.budget))

    assert record.state is RunState.DONE
    assert (record.spent.trials, record.task.spec) == (40, {"floor": 2})
    assert record.stop_reason == "the budget of trials is spent"
    assert 40 in seen


def test_a_run_remembers_where_its_results_were_to_go(session: Session, tmp_path: Path) -> None:
    watch = StopAt(15)
    with pytest.raises(Interrupted):
        session.start(replace(REQUEST, output=tmp_path / "there"), watch, watch.stop)

    session.resume(watch.run)
    assert session.output_of(watch.run) == tmp_path / "there"
    assert session.output_of(session.start(REQUEST).run) is None


def test_a_budget_of_the_baseline_alone_is_refused_before_anything_is_kept(session: Session) -> None:
    with pytest.raises(UserError, match="A budget of 1 trial is what the baseline takes"):
        session.start(replace(REQUEST, budget=Budget(trials=1)))

    assert session.store.runs() == []


@pytest.mark.parametrize("name", sorted(ASKING))
def test_a_strategy_that_lives_on_a_model_says_that_it_has_none(session: Session, name: str) -> None:
    told: list[str] = []
    record = session.start(replace(REQUEST, strategy=name), lambda e: told.append(e.message))

    said = [n.summary for n in record.notes if n.agent == "strategy"]
    assert said == [f"{name} asks a model and none is named (--model): the built-in expert proposes instead"]
    assert said[0] in told


def test_the_expert_needs_no_model(session: Session) -> None:
    assert not [n for n in session.start(REQUEST).notes if n.agent == "strategy"]


def test_a_replay_ends_where_the_record_of_a_stopped_run_ends(session: Session) -> None:
    run = stopped(session)
    then = session.store.load(run)
    replay = session.start(replace(REQUEST, model=f"replay:{run}"))

    assert [t.candidate.id for t in replay.trials] == [t.candidate.id for t in then.trials]
    assert (replay.state, replay.best) == (RunState.DONE, then.best)
    assert replay.stop_reason == f"The record of {run} ends here: it is interrupted."
    assert "are those of" in replay.notes[-1].summary


def test_a_finished_run_cannot_be_resumed(session: Session) -> None:
    run = session.start(REQUEST).run

    with pytest.raises(UserError, match=f"Run {run} is done; nothing to resume"):
        session.resume(run)


def test_a_run_that_is_at_work_is_refused(session: Session) -> None:
    refused: list[str] = []

    def watch(event: Event) -> None:
        if event.kind == "trial" and not refused:
            with Session(session.settings) as other, pytest.raises(UserError) as error:
                other.resume(event.run)
            refused.append(str(error.value))

    record = session.start(REQUEST, watch)

    assert refused == [f"Run {record.run} is at work in another process; wait for it, or stop that one first."]
    assert record.state is RunState.DONE


def test_a_second_run_starts_from_what_the_first_learned_and_says_so(session: Session) -> None:
    first = session.start(REQUEST)
    second = session.start(REQUEST)
    moves = next(n for n in second.notes if n.agent == "codegen" and n.round == 0)

    assert f"of {first.run}" in moves.summary
    assert first.winner is not None
    assert second.trials[1].candidate.id == first.winner.candidate.id


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("strategy", "exprt", "No strategy named 'exprt'. Did you mean expert"),
        ("executor", "lokal", "No executor named 'lokal'. Did you mean local"),
        ("model", "gpt", "got 'gpt'"),
        ("task", TOY.model_copy(update={"domain": "toi"}), "No domain named 'toi'. Did you mean toy?"),
        ("task", TOY.model_copy(update={"spec": {"floor": -1}}), "floor"),
        ("task", TOY.model_copy(update={"target": "A1000"}), "No device named 'A1000'"),
    ],
)
def test_a_wrong_request_is_refused_before_a_run_exists(
    session: Session, field: str, value: object, words: str
) -> None:
    wrong = Request(**{**REQUEST.__dict__, field: value})

    with pytest.raises(UserError) as error:
        session.start(wrong)
    assert words in str(error.value)
    assert session.store.runs() == []
