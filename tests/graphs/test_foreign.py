"""A strategy of the user's own that fails at work: one line, what was judged is kept, and the run can be resumed."""

import asyncio
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import TOY
from langgraph.graph import START

from atunner.agents.codegen import Move, Proposal
from atunner.core.approval import Approved, Question
from atunner.core.errors import UserError
from atunner.core.record import RunState
from atunner.core.task import Budget
from atunner.graphs.approval import wait_for
from atunner.graphs.deps import Options
from atunner.graphs.request import Request
from atunner.graphs.state import TuningState
from atunner.graphs.strategies import strategy_graph
from atunner.graphs.strategies.expert import look
from atunner.settings import Settings
from atunner.wiring import Session

REQUEST = Request(
    TOY, Budget(trials=30), Options(search="random", patience=9, seed=5), strategy="theirs:made", executor="inline"
)
QUESTION = Question(kind=Approved.PLAN, round=1, title="Shall it go on?")


def proposed(state: TuningState, runtime: Any) -> dict[str, Any]:
    situation = look(runtime.context, state)
    family = next(r.family.name for r in situation.records if not r.exhausted)
    return {"proposal": Proposal(moves=(Move(family=family, points=5, reason="?"),), summary="five points")}


def strategy(fault: Callable[[Any], Any], waits: bool) -> Any:
    """Proposes well in round 0, then has the fault. waits: its node is a coroutine function."""

    def propose(state: TuningState, runtime: Any) -> Any:
        found = fault(runtime) if state.round > 0 else None
        return proposed(state, runtime) if found is None else found

    async def later(state: TuningState, runtime: Any) -> Any:
        await asyncio.sleep(0)
        return propose(state, runtime)

    graph = strategy_graph()
    graph.add_node("propose", later if waits else propose)
    graph.add_edge(START, "propose")
    return graph.compile()


@pytest.fixture
def theirs() -> Iterator[types.ModuleType]:
    """A module of a user's, for the strategy under test."""
    module = sys.modules["theirs"] = types.ModuleType("theirs")
    yield module
    del sys.modules["theirs"]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session(Settings(data=tmp_path, cache=tmp_path / "cache", database="", model="none")) as opened:
        yield opened


def divides(runtime: Any) -> float:
    return 1 / 0


FAULTS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "error": (divides, "raised ZeroDivisionError: division by zero."),
    "exit": (lambda _: sys.exit("two\nlines"), "raised SystemExit: two lines."),
    "no dictionary": (lambda _: [3], "raised InvalidUpdateError: Expected dict, got [3]"),
    "no proposal": (lambda _: {"proposal": "tile it"}, "proposed no good proposal: Input should be a valid"),
    "no family": (
        lambda _: {"proposal": Proposal(moves=(Move(family="fast", points=5, reason="?"),), summary="guessed")},
        "proposed no good move: 'fast' is no family of ",
    ),
}


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        ("error", False),
        ("exit", False),
        ("exit", True),
        ("no dictionary", True),
        ("no proposal", True),
        ("no family", False),
    ],
)
def test_a_fault_of_a_strategy_is_one_line_and_the_run_goes_on_once_it_is_mended(
    fault: str, waits: bool, theirs: types.ModuleType, session: Session
) -> None:
    raises, says = FAULTS[fault]
    theirs.__dict__["made"] = lambda: strategy(raises, waits)
    with pytest.raises(UserError) as told:
        session.start(REQUEST)
    (run,) = session.store.runs(limit=5)
    kept = {t.candidate.id for t in session.store.load(run.run).trials}

    assert f"The strategy 'theirs:made' {says}" in str(told.value)
    assert str(told.value).endswith(f"Mend it, then go on with: atunner resume {run.run}")
    assert "\n" not in str(told.value)
    assert (run.state, len(kept)) == (RunState.INTERRUPTED, 6)

    theirs.__dict__["made"] = lambda: strategy(lambda _: None, waits)
    done = session.resume(run.run)
    assert done.state is RunState.DONE
    assert kept < {t.candidate.id for t in done.trials}


def test_a_strategy_that_asks_a_person_is_no_fault(theirs: types.ModuleType, session: Session) -> None:
    theirs.__dict__["made"] = lambda: strategy(lambda runtime: wait_for(runtime.context, QUESTION) and None, True)
    run = session.start(replace(REQUEST, options=replace(REQUEST.options, approve="plan"))).run
    while session.store.head(run).state is RunState.WAITING:
        question = session.question(run)
        assert question is not None
        session.approve(run)
        session.resume(run)

    assert QUESTION.title in str([e.body for e in session.store.events(f"{run}:approvals")])
    assert session.store.head(run).state is RunState.DONE
