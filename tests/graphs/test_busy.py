"""A machine at other work is waited for; what it keeps from being measured stops the run, which can go on later."""

from pathlib import Path
from typing import Any

import pytest
from fakes import ToyRun

from atunner.core.errors import NotMeasured, ToolError
from atunner.core.measurement import Measurement
from atunner.core.record import RunState
from atunner.core.status import Status
from atunner.core.task import Budget, Task
from atunner.core.trial import Comparison
from atunner.domains.toy import Toy
from atunner.executors.inline import InlineExecutor
from atunner.graphs.slice import PATIENCE
from atunner.tools.calm import calm, crowded

SPOILT = "A call takes 3 us: too short a call, or too loud a machine."


class Loud(Toy):
    """The toy on a machine that spoils the first measurements and the first comparisons that it is asked for."""

    def __init__(self, config: dict[str, Any] | None = None) -> None:
        super().__init__(config)
        self.measurements, self.comparisons = 0, 0

    def measure(self, task: Task, built: Any) -> Measurement:
        self.measurements -= 1
        if self.measurements >= 0:
            raise NotMeasured(SPOILT)
        return super().measure(task, built)

    def compare(self, task: Task, baseline: Any, candidate: Any) -> Comparison | None:
        self.comparisons -= 1
        if self.comparisons >= 0:
            raise NotMeasured(SPOILT)
        return super().compare(task, baseline, candidate)


class Busy(ToyRun):
    """A run on a loud machine; `rested` counts how often it was waited for."""

    def __init__(self, folder: Path, measurements: int = 0, comparisons: int = 0) -> None:
        super().__init__(folder, budget=Budget(trials=24))
        executor = InlineExecutor("graphs.test_busy:Loud", {})
        self.domain: Any = executor.domain
        self.domain.measurements, self.domain.comparisons = measurements, comparisons
        self.rested = 0
        self.change(domain=executor.domain, executor=executor, rest=self.rest)

    def rest(self) -> str:
        self.rested += 1
        return "9 tasks want its 2 cores"


@pytest.mark.parametrize("spoilt", [1, PATIENCE])
def test_a_baseline_that_was_disturbed_is_measured_again(tmp_path: Path, spoilt: int) -> None:
    run = Busy(tmp_path, measurements=spoilt)
    record = run.drive()

    assert record.state is RunState.DONE
    assert record.baseline is not None
    assert record.baseline.status is Status.OK
    assert run.rested == spoilt


def test_a_machine_that_stays_loud_stops_the_run_with_advice_and_the_run_goes_on_later(tmp_path: Path) -> None:
    run = Busy(tmp_path, measurements=PATIENCE + 1)
    with pytest.raises(ToolError) as caught:
        run.drive()

    said = str(caught.value)
    assert said.startswith(f"Not measurable here: {SPOILT} Judged {PATIENCE + 1} times.")
    assert "9 tasks want its 2 cores" in said
    assert said.endswith("atunner resume toy-run")
    assert "\n" not in said
    assert run.drive().state is RunState.DONE


def test_a_confirmation_that_was_disturbed_is_repeated(tmp_path: Path) -> None:
    run = Busy(tmp_path, comparisons=1)
    record = run.drive()

    assert record.confirmed is not None
    assert record.confirmed.better
    assert run.rested == 1


def test_a_crowd_is_more_tasks_than_cores(tmp_path: Path) -> None:
    file = tmp_path / "loadavg"
    asleep: list[float] = []
    file.write_text("0.5 0.5 0.5 9999/10000 7\n", encoding="ascii")

    assert crowded(file, asleep.append).startswith("9999 tasks want its ")
    file.write_text("90.5 0.5 0.5 1/10000 7\n", encoding="ascii")
    assert crowded(file, asleep.append) == ""
    assert crowded(tmp_path / "none", asleep.append) == ""


def test_a_machine_is_waited_for_within_the_limit() -> None:
    said, clock = iter(["busy", "busy", ""]), iter(range(100))

    assert calm(10.0, lambda: next(said), lambda: float(next(clock)), lambda _: None) == ""
    assert calm(10.0, lambda: "busy", lambda: float(next(clock)), lambda _: None) == "busy"
    assert next(clock) < 100
