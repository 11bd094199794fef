"""Runs whose process is killed: what was recorded is kept, nothing is judged twice, and a resume goes on to the end."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import need

from atunner.knowledge_base.store import Store

DRIVER = Path(__file__).parent / "driver.py"


def drive(folder: Path, **config: Any) -> "subprocess.CompletedProcess[str]":
    asked = json.dumps({"folder": str(folder), **config})
    return subprocess.run([sys.executable, DRIVER, asked], capture_output=True, text=True, timeout=200)


def answer(done: "subprocess.CompletedProcess[str]") -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("first", [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 4))])
def test_a_run_killed_after_any_write_ends_as_if_undisturbed(tmp_path: Path, first: int) -> None:
    """Each write is a commit; four runs of every fourth one make all of them."""
    found = answer(drive(tmp_path, mode="each_write", trials=5, slice=3, first=first, step=4))

    assert len(found) > 6
    assert {(f["judged"], f["distinct"]) for f in found} == {(5, 5)}
    assert {tuple(f["result"][:3]) for f in found} == {("done", 5, 5)}


@pytest.mark.parametrize("first", [6, *(pytest.param(n, marks=pytest.mark.slow) for n in (3, 4, 5, 7, 8))])
def test_a_run_that_asks_is_killed_before_and_after_its_questions_and_goes_on(tmp_path: Path, first: int) -> None:
    """Questions and answers are writes like any other: none is lost, and nothing is judged twice for them."""
    found = answer(drive(tmp_path, mode="each_write", trials=5, slice=3, first=first, step=6, approve="plan"))

    assert len(found) > 4
    assert {(f["judged"], f["distinct"]) for f in found} == {(5, 5)}
    assert {tuple(f["result"][:3]) for f in found} == {("done", 5, 5)}


@pytest.mark.parametrize("seed", range(3))
def test_a_run_killed_at_random_times_repeats_at_most_what_was_in_flight(tmp_path: Path, seed: int) -> None:
    found = answer(drive(tmp_path, mode="random_times", seed=seed, trials=60, slice=20))

    assert found["kills"] > 0
    assert found["distinct"] == 60
    assert found["judged"] <= 60 + found["kills"]
    assert found["result"][:3] == ["done", 60, 60]


def test_a_killed_matmul_run_goes_on_with_its_measured_trials(tmp_path: Path) -> None:
    need("gcc")
    killed = drive(tmp_path, real=True, kill_at=12)
    with Store(tmp_path / "atunner.sqlite") as store:
        (run,) = store.runs()
        before = store.trials(run.run)
    assert (killed.returncode, run.state) == (-signal.SIGKILL, "running")
    assert 0 < len(before) < 6

    done = drive(tmp_path, real=True)
    assert done.returncode == 0, done.stderr
    with Store(tmp_path / "atunner.sqlite") as store:
        after = store.load(run.run)
    assert after.state == "done"
    assert after.trials[: len(before)] == tuple(before)
    assert len({t.candidate.id for t in after.trials} | {s.candidate.id for s in after.screenings}) == 6
