"""Racing: a quick look that is safe, and the loop that judges contenders only."""

import json
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import numpy as np
import pytest

from atunner.core.ports import WorkItem
from atunner.core.task import Task
from atunner.domains import BUILT_IN
from atunner.domains.kernels.blocks import Block
from atunner.domains.user_kernels.racing import RacePlan, race
from atunner.executors.threads import ThreadExecutor


class Clock:
    """Moves on by what the calls took."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


class Runner:
    """A session whose calls take the given microseconds, one after the other, the last for ever."""

    source, threads, most = "fake", 1, 4

    def __init__(self, times: list[float]) -> None:
        self.times, self.calls, self.clock = times, 0, Clock()

    def block(self, calls: int, batch: int = 1) -> Block:
        took = [self.times[min(self.calls + i, len(self.times) - 1)] for i in range(calls)]
        self.calls += calls
        self.clock.s += sum(took) / 1e6
        return Block(samples_us=np.array(took), calls=calls, wall_us=sum(took))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return None


def raced(times: list[float], rival: float | None = None) -> tuple[float, int]:
    runner = Runner(times)
    return race(runner, RacePlan(), rival, runner.clock), runner.calls


def test_slow_first_calls_of_a_cold_clock_do_not_count() -> None:
    best, _ = raced([3000.0, 2500.0, 400.0, 100.0], rival=110.0)

    assert best == 100.0


def test_a_disturbed_call_does_not_lose_the_race() -> None:
    best, _ = raced([100.0] * 40 + [9000.0] + [100.0] * 40)

    assert best == 100.0


def test_who_is_far_behind_leaves_early() -> None:
    _, alone = raced([2000.0])
    _, behind = raced([2000.0], rival=100.0)

    assert behind < alone


def test_one_long_call_ends_in_its_time() -> None:
    best, calls = raced([400_000.0])

    assert (best, calls) == (400_000.0, 2)


@pytest.mark.parametrize("fastest", [20.0, 700.0])
def test_short_and_long_calls_get_enough_samples(fastest: float) -> None:
    best, calls = raced([fastest * 1.2] * 3 + [fastest])

    assert best == fastest
    assert calls >= RacePlan().least


def test_only_contenders_are_judged_and_the_rest_is_told_apart(
    folder: Any, tune: Any, compiler: None, capfd: pytest.CaptureFixture[str]
) -> None:
    folder.change("scale.c", "// tune: 0, 1\n", "// tune: 0\n")
    folder.change("scale.c", "1, 2, 4", "1, 2, 4, 8, 16, 32")
    folder.change("scale.yaml", "n: 4096", "n: 65536")  # long enough for two clocks also where the machine is busy
    assert tune(folder.path / "scale.yaml", "--budget", "6", "--json") == 0
    record = json.loads(capfd.readouterr().out)
    results = json.loads((folder.path / "out" / "results.t4.json").read_text())

    assert len(record["screenings"]) == 5
    assert all(s["score"] > 0 for s in record["screenings"])
    assert results["metadata"]["raced_out"] == 6 - len(record["trials"])
    told = {"ok": "correct", "not_measured": "runtime"}  # the latter where others had the machine
    assert [r["invalidity"] for r in results["results"]] == [told[t["status"]] for t in record["trials"]]
    assert "ok" in {t["status"] for t in record["trials"]}
    assert all(r["times"]["validation"] > 0 for r in results["results"] if r["invalidity"] == "correct")


def test_builds_in_threads_keep_their_order(tmp_path: Any) -> None:
    executor = ThreadExecutor(BUILT_IN["toy"], {}, workers=3)
    task = Task(domain="toy", name="toy")
    family = executor.domain.families(task)[0]
    names = family.space.parameters
    points: Iterator[dict[str, Any]] = ({p.name: p.values[i % len(p.values)] for p in names} for i in range(5))
    items = [
        WorkItem(action="screen", task=task, candidate=executor.domain.realise(task, family.name, p)) for p in points
    ]
    answers: list[Any] = [o.answer for o in executor.map(items)]
    executor.close()

    assert [a["candidate"]["params"] for a in answers] == [i.candidate.params for i in items]
