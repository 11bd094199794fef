"""One contract for every executor, and what the local one does when workers die, hang or lose their parent."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import TOY

from atunner.core.candidate import Candidate
from atunner.core.errors import ToolError
from atunner.core.plugins import load
from atunner.core.ports import Executor, Fault, WorkItem
from atunner.core.status import Status
from atunner.core.task import Task
from atunner.core.trial import Check, Trial
from atunner.domains.toy import Toy
from atunner.executors import BUILT_IN
from atunner.executors.local import LocalExecutor

FOLDERS = os.pathsep.join([str(Path(__file__).parent.parent), str(Path(__file__).parent)])


class Moody(Toy):
    """The toy; x = 1 kills its worker, x = 2 never answers, x = 4 finds a tool missing."""

    def check(self, task: Task, candidate: Candidate) -> tuple[Check, ...]:
        x = candidate.params["x"]
        if x == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if x == 2:
            signal.pause()
        if x == 4:
            raise ToolError("nvcc is not on this machine")
        return super().check(task, candidate)


def item(x: int, action: str = "judge") -> WorkItem:
    return WorkItem(action=action, task=TOY, candidate=Toy().realise(TOY, "low", {"x": x, "y": 5}))


@pytest.fixture(scope="module", params=sorted(BUILT_IN))
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    made = load("executors", request.param, BUILT_IN)("atunner.domains.toy:Toy", {}, 2)
    yield made
    made.close()


def test_outcomes_come_in_the_order_of_the_items(executor: Executor) -> None:
    trials = [Trial.model_validate(o.answer) for o in executor.map([item(x) for x in range(8)])]

    assert [t.candidate.params["x"] for t in trials] == list(range(8))
    assert [t.status for t in trials] == [Status.OK] * 7 + [Status.WRONG]
    assert trials[3].measurement is not None
    assert trials[3].measurement.value == 1.0


def test_a_screening_is_an_answer_too_and_nothing_gives_nothing(executor: Executor) -> None:
    (outcome,) = executor.map([item(3, "screen")])

    assert isinstance(outcome.answer, dict)
    assert outcome.answer["reason"] == ""
    assert executor.map([]) == []


@pytest.fixture
def moody(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalExecutor]:
    """Its parameter is the limit in seconds: one that a worker on a busy machine does not need, or one that it may."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    made = LocalExecutor("test_executors:Moody", {}, 2, limit_s=request.param)
    yield made
    made.close()


@pytest.mark.parametrize("moody", [30.0], indirect=True)
def test_death_silence_and_a_missing_tool_are_three_faults_and_the_others_are_answered(moody: LocalExecutor) -> None:
    outcomes = moody.map([item(x) for x in (3, 1, 4, 5)])

    assert [o.fault for o in outcomes] == [Fault.NONE, Fault.DIED, Fault.FAILED, Fault.NONE]
    assert outcomes[2].message == "nvcc is not on this machine"
    (hung,) = moody.map([item(2)])
    assert (hung.fault, hung.message) == (Fault.TIMED_OUT, "no answer within 30 s")
    assert moody.map([item(3)])[0].fault is Fault.NONE


@pytest.mark.parametrize("moody", [3.0], indirect=True)
def test_those_that_wait_behind_silence_are_asked_again(moody: LocalExecutor) -> None:
    hung, *waiting = moody.map([item(x) for x in (2, 2, 3, 3, 3, 3)])

    assert (hung.fault, waiting[0].fault) == (Fault.TIMED_OUT, Fault.TIMED_OUT)
    assert {o.fault for o in waiting[1:]} <= {Fault.NONE, Fault.TIMED_OUT}, "they are as slow as the machine, no more"


PARENT = """
from atunner.executors.local import LocalExecutor
from test_executors import item
if __name__ == "__main__":
    executor = LocalExecutor("test_executors:Moody", {}, 2)
    executor.map([item(3), item(5)])
    print(*executor._pool._processes, flush=True)
    executor.map([item(2), item(2)])
"""


def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    where = {**os.environ, "PYTHONPATH": FOLDERS}
    with subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE, text=True, env=where) as p:
        assert p.stdout is not None
        workers = p.stdout.readline().split()
        p.kill()
        # The workers hold this pipe too: it ends when the last of them has.
        rest, _ = p.communicate(timeout=120)
    assert (len(workers), rest, p.returncode) == (2, "", -signal.SIGKILL)
