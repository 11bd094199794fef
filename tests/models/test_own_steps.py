"""A list of one's own steps is walked to its end by another process, and no answered step is asked for again."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from server import said, serving

from atunner import ExplicitTuningStrategy, TuningStep
from atunner.core.errors import Interrupted
from atunner.core.record import RunState
from atunner.core.task import Budget, Task
from atunner.graphs.deps import Options
from atunner.graphs.events import Event
from atunner.graphs.request import Request
from atunner.settings import Settings
from atunner.wiring import Session

KERNELS: dict[str, dict[str, Any]] = {
    "FIRST": {"name": "first", "source": "first x y +", "parameters": {"x": [5], "y": [6]}},
    "SECOND": {"name": "second", "source": "second x y +", "parameters": {"x": [4], "y": [5]}},
    "THIRD": {"name": "third", "source": "third x y +", "parameters": {"x": [3], "y": [5]}},
}
OWN = ExplicitTuningStrategy(
    [
        TuningStep("one", "Do FIRST to {kernel_string}."),
        TuningStep("two", "Do SECOND to {kernel_string}; parameters: {tune_params}.", depends_on=["one"]),
        TuningStep("three", "Do THIRD to {kernel_string}.", depends_on=["two"]),
    ]
)


def ordered(body: dict[str, Any]) -> str:
    """Which step a request is about."""
    now = str(body["messages"][-1]["content"]).rpartition("## Now")[2]
    return next((mark for mark in KERNELS if f"Do {mark}" in now), "")


@pytest.mark.parametrize("stopped_in", ["one", "two", "three"])
def test_own_steps_are_walked_on_after_a_stop(tmp_path: Path, stopped_in: str) -> None:
    stop, settings = threading.Event(), Settings(data=tmp_path / "data", cache=tmp_path / "cache", workers=1)

    def watch(event: Event) -> None:
        if event.stage == "codegen" and event.message.startswith(f"step {stopped_in}"):
            stop.set()

    with serving(lambda body: said(json.dumps(KERNELS.get(ordered(body), {"no": "answer"})))) as server:
        task = Task(domain="toy", name="toy", spec={"floor": 1})
        options = Options(search="random", slice=2, rounds=8, strategy=OWN.settings())
        request = Request(task, Budget(trials=40), options, f"coder={server.url}#m", "explicit", "inline")
        with Session(settings) as session, pytest.raises(Interrupted):
            session.start(request, watch, stop, "own-steps")
        before = [ordered(body) for body in server.asked]
        with Session(settings) as session:
            record = session.resume("own-steps")
        after = [ordered(body) for body in server.asked[len(before) :]]
    walked = [
        n.summary.partition(";")[0] for n in record.notes if n.agent == "codegen" and n.summary.startswith("step")
    ]

    assert record.state is RunState.DONE
    assert walked == ["step one", "step two", "step three"]
    assert record.winner is not None
    assert record.winner.candidate.files["family.txt"] == "third x y +"
    assert set(before) | set(after) == set(KERNELS)
    assert not set(before) & set(after)
