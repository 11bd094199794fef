"""What the board cannot tell apart meets in turn before the winner is confirmed."""

from pathlib import Path
from typing import Any

import pytest
from fakes import TOY, Measured, ToyRun

from atunner.core.errors import Crashed
from atunner.core.judge import judge
from atunner.core.task import Task
from atunner.core.trial import Comparison, Trial
from atunner.core.value import Value
from atunner.domains.toy import Toy
from atunner.graphs.finals import led

GOOD, BETTER = {"x": 5, "y": 5}, {"x": 4, "y": 5}


class Crashing(Measured):
    """Only single runs go well."""

    def compare(self, task: Task, baseline: Any, candidate: Any) -> Comparison | None:
        raise Crashed("it died beside another one")


class Brief(Measured):
    """A comparison for publishing is not what finals need."""

    def compare(self, task: Task, baseline: Any, candidate: Any) -> Comparison | None:
        raise AssertionError("compared at length")

    def meet(self, task: Task, leader: Any, rival: Any) -> Comparison | None:
        return super().compare(task, leader, rival)


class Close(Measured):
    """What two did in one session, with an interval round 1."""

    def __init__(self, ratio: float) -> None:
        super().__init__()
        self.ratio = ratio

    def meet(self, task: Task, leader: Any, rival: Any) -> Comparison | None:
        found = super().compare(task, leader, rival)
        return found and found.model_copy(update={"ratio": self.ratio, "low": 0.9, "high": 1.1})


class Final(Value):
    """A board, who leads after the finals, and what was noted of them."""

    board: list[Trial]
    leader: Trial
    notes: list[str]


def final(folder: Path, good: float, better: float, domain: Toy | None = None, seconds: float = 60.0) -> Final:
    """The board says so many microseconds of two candidates, whatever is true."""
    run = ToyRun(folder)
    run.change(domain=domain or Measured())
    head = run.store.head(run.deps.run)
    run.store.set_spent(run.deps.run, head.spent.model_copy(update={"seconds": seconds}))
    board = [_trial(run, GOOD, good), _trial(run, BETTER, better)]
    leader = led(run.deps, run.start, board)[0]
    notes = [n for n in run.store.load(run.deps.run).notes if n.agent == "finals"]
    return Final(board=board, leader=leader, notes=[line for n in notes for line in (n.summary, *n.points)])


def _trial(run: ToyRun, params: dict[str, Any], figure: float) -> Trial:
    found = judge(run.deps.domain, TOY, run.deps.domain.realise(TOY, "low", params))
    assert found.measurement is not None
    return found.model_copy(update={"measurement": found.measurement.model_copy(update={"samples": (figure,)})})


def test_who_is_faster_beside_the_leader_leads(tmp_path: Path) -> None:
    found = final(tmp_path, good=5.0, better=5.4)

    assert found.leader == found.board[1]
    assert "leads those that the board could not tell apart" in found.notes[0]
    assert "2.500 (95 % interval 2.500 to 2.500)" in found.notes[1]


def test_a_domain_that_can_meets_briefly(tmp_path: Path) -> None:
    found = final(tmp_path, good=5.0, better=5.4, domain=Brief())

    assert found.leader == found.board[1]


@pytest.mark.parametrize(("ratio", "leader"), [(1.02, 1), (0.98, 0)])
def test_one_session_says_more_than_two_even_where_it_is_not_sure(tmp_path: Path, ratio: float, leader: int) -> None:
    found = final(tmp_path, good=5.0, better=5.4, domain=Close(ratio))

    assert found.leader == found.board[leader]


def test_who_is_not_faster_beside_the_leader_stays_behind(tmp_path: Path) -> None:
    run = ToyRun(tmp_path, "fakes:Measured")
    run.store.set_spent(run.deps.run, run.store.head(run.deps.run).spent.model_copy(update={"seconds": 60.0}))
    board = [_trial(run, BETTER, 5.0), _trial(run, GOOD, 5.4)]

    assert led(run.deps, run.start, board) == board


@pytest.mark.parametrize(
    ("figure", "domain", "seconds"),
    [(6.5, Measured(), 60.0), (5.4, Toy(), 60.0), (5.4, Measured(), 3.0)],
    ids=["too far behind", "nothing is measured", "longer than the search"],
)
def test_the_board_stands_where_no_final_is_held(tmp_path: Path, figure: float, domain: Toy, seconds: float) -> None:
    found = final(tmp_path, 5.0, figure, domain, seconds)

    assert (found.leader, found.notes) == (found.board[0], [])


def test_a_rival_that_fails_beside_the_leader_is_told_and_stays_behind(tmp_path: Path) -> None:
    found = final(tmp_path, 5.0, 5.4, Crashing())

    assert found.leader == found.board[0]
    assert "crashed: it died beside another one" in found.notes[1]
