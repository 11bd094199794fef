"""Starting and resuming runs through a session: who may, and what a stop leaves behind."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import TOY

from atunner.core.errors import Interrupted, UserError
from atunner.core.record import RunState
from atunner.core.task import Budget
from atunner.graphs.deps import Options
from atunner.graphs.events import Event
from atunner.graphs.request import Request
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
