"""Builds that run ahead, and the races between them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from atunner.core.candidate import Candidate, Params
from atunner.core.ports import Fault, Outcome, WorkItem
from atunner.core.status import Status
from atunner.core.task import Task
from atunner.core.trial import Screening, Trial
from atunner.domains.kernels.backends.c_compile import LONGEST_S, SHORTEST_S, CompileLimit
from atunner.graphs.builds import Builds
from atunner.graphs.races import AGAIN, Races
from atunner.tools.ceilings import PROBES, remembered
from atunner.tools.process import end, start
from atunner.tools.yielding import Yielding

TASK = Task(domain="toy", name="toy")


def made(number: int) -> Candidate:
    return Candidate(files={"kernel.c": str(number)}, params={"n": number}, family="toy")


class Machine:
    """An executor whose races take what `times` says, in turn; builds end when they are asked for."""

    def __init__(self, times: dict[int, list[float]], wrong: Sequence[int] = (), broken: Sequence[int] = ()) -> None:
        self.times, self.wrong, self.broken = times, wrong, broken
        self.done: list[tuple[str, int]] = []

    def map(self, items: Sequence[WorkItem]) -> list[Outcome]:
        return [self._do(item) for item in items]

    def start(self, item: WorkItem) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        future.set_result(self._do(item))
        return future

    def close(self) -> None:
        return None

    def _do(self, item: WorkItem) -> Outcome:
        number = int(str(item.candidate.params["n"]))
        self.done.append((item.action, number))
        if item.action == "screen" and number in self.broken:
            return Outcome(fault=Fault.TIMED_OUT, message="no answer")
        reason = "wrong" if item.action == "prove" and number in self.wrong else ""
        found = Screening(candidate=item.candidate, reason=reason)
        if item.action == "race":
            times = self.times.get(number, [float(number)])
            found = Screening(candidate=item.candidate, score=times.pop(0) if len(times) > 1 else times[0])
        return Outcome(answer=found.model_dump(mode="json"))


class Told:
    """A searcher that asks for 1, 2, 3, ... and remembers what it was told."""

    def __init__(self) -> None:
        self.figures: dict[int, float | None] = {}
        self.asked = 0

    def ask(self, count: int) -> list[Params]:
        first, self.asked = self.asked + 1, self.asked + count
        return [{"n": number} for number in range(first, first + count)]

    def tell(self, params: Params, value: float | None) -> None:
        self.figures[int(str(params["n"]))] = value

    def state(self) -> None:
        return None


class Book:
    """The part of a slice that races need, in memory."""

    def __init__(self, wrong: Sequence[int] = ()) -> None:
        self.task, self.wrong = TASK, wrong
        self.trials: dict[str, Trial] = {}
        self.screened: dict[str, Screening] = {}
        self.said: list[str] = []

    def keep(self, found: Sequence[Screening]) -> None:
        self.screened |= {s.candidate.id: s for s in found}

    def judge(self, candidate: Candidate) -> Trial:
        status = Status.WRONG if candidate.params["n"] in self.wrong else Status.OK
        self.trials[candidate.id] = Trial(
            candidate=candidate, status=status, feedback="" if status is Status.OK else "no"
        )
        return self.trials[candidate.id]

    def room(self, target: int) -> int:
        return max(0, target - len(self.screened))

    def late(self) -> bool:
        return False

    def say(self, message: str, kind: str = "stage") -> None:
        self.said.append(f"{kind} {message}")


def searched(machine: Machine, book: Book, count: int, ahead: int = 3) -> tuple[Told, Races]:
    told, races = Told(), Races(book, machine)
    more = races.search(told, lambda n: [made(int(str(p["n"]))) for p in told.ask(n)], count, ahead)
    assert more
    return told, races


def test_builds_are_started_ahead_and_each_is_raced_once() -> None:
    machine = Machine({})
    told, _ = searched(machine, Book(), 6)

    assert [n for action, n in machine.done if action == "screen"] == [1, 2, 3, 4, 5, 6]
    assert machine.done.index(("screen", 3)) < machine.done.index(("race", 1))
    assert told.figures == {n: float(n) for n in range(1, 7)}


def test_only_who_leads_is_verified() -> None:
    machine, book = Machine({1: [5.0], 2: [7.0], 3: [4.0], 4: [6.0]}), Book()
    searched(machine, book, 4)

    assert [n for action, n in machine.done if action == "prove"] == [1, 3]
    assert len(book.said) == 2


def test_a_leader_that_is_wrong_is_judged_and_does_not_lead() -> None:
    machine, book = Machine({1: [5.0], 2: [1.0], 3: [4.0]}, wrong=[2]), Book(wrong=[2])
    told, _ = searched(machine, book, 3)

    assert book.trials[made(2).id].status is Status.WRONG
    assert told.figures[2] is None
    assert [n for action, n in machine.done if action == "prove"] == [1, 2, 3]


def test_a_build_that_hangs_has_no_figure_and_says_why() -> None:
    machine, book = Machine({}, broken=[2]), Book()
    told, _ = searched(machine, book, 3)

    assert told.figures[2] is None
    assert "timed_out" in book.screened[made(2).id].reason


def test_a_leader_whose_figure_was_lucky_is_raced_again_and_overtaken() -> None:
    times = {1: [1.0, 9.0], 2: [5.0]} | {n: [50.0] for n in range(3, 20)}
    machine = Machine(times)
    searched(machine, Book(), AGAIN + 2)

    assert [n for action, n in machine.done if action == "prove"] == [1, 2]
    assert machine.done.count(("race", 1)) == 2


def test_when_the_search_ends_the_border_is_raced_again_and_the_best_are_judged() -> None:
    machine, book = Machine({1: [5.0], 2: [5.5, 4.0], 3: [50.0]}), Book()
    _, races = searched(machine, book, 3)
    races.revisit()

    assert {t.candidate.params["n"] for t in book.trials.values()} == {1, 2}


def test_what_an_executor_without_foresight_is_given_is_built_at_once() -> None:
    class Plain:
        def map(self, items: Sequence[WorkItem]) -> list[Outcome]:
            return [Outcome(answer=Screening(candidate=i.candidate).model_dump(mode="json")) for i in items]

        def close(self) -> None:
            return None

    builds = Builds(Plain(), TASK, 3)
    builds.start([made(1), made(2), made(1)])

    assert (len(builds), builds.room) == (2, 1)
    assert builds.next().candidate == made(1)


def stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def becomes(pid: int, still: bool) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if stopped(pid) is still:
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def sleeper() -> "subprocess.Popen[bytes]":
    return start(sys.executable, "-c", "import time; time.sleep(600)")


def test_who_gives_way_stands_still_while_something_is_timed(sleeper: "subprocess.Popen[bytes]") -> None:
    yielding = Yielding()
    try:
        with yielding.joined(sleeper.pid):
            with yielding.still(), yielding.still():
                assert becomes(sleeper.pid, still=True)
            assert becomes(sleeper.pid, still=False)
        with yielding.still():
            assert not stopped(sleeper.pid)
    finally:
        end(sleeper)


def test_who_joins_while_something_is_timed_waits_too(sleeper: "subprocess.Popen[bytes]") -> None:
    yielding = Yielding()
    try:
        with yielding.still(), yielding.joined(sleeper.pid):
            assert becomes(sleeper.pid, still=True)
        os.killpg(sleeper.pid, signal.SIGCONT)
    finally:
        end(sleeper)


def test_a_compile_may_take_many_times_what_the_others_took() -> None:
    limit = CompileLimit()
    before = limit.seconds
    limit.took_s.extend([1.0] * 9 + [40.0])

    assert before == LONGEST_S
    assert SHORTEST_S < limit.seconds < LONGEST_S


def test_the_machine_is_probed_a_few_times_and_the_best_is_kept(tmp_path: Path) -> None:
    found = [remembered(tmp_path, "this one", 1).dram_gbs for _ in range(PROBES + 1)]

    assert found[-1] == found[-2] == max(found)
    assert remembered(tmp_path / "other", "this one", 1).dram_gbs > 0
