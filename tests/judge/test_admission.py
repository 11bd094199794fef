from pathlib import Path

import numpy as np
import pytest

from atunner.core.errors import NotMeasured, UserError
from atunner.core.judge import judge
from atunner.core.measurement import Measurement
from atunner.core.program import Problem
from atunner.core.status import Status
from atunner.core.task import Task
from atunner.core.trial import Comparison
from atunner.domains.kernels.admission import Alike, admit, admit_timing, held_out
from atunner.domains.kernels.domain import Kernels
from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.selftest.problems import ROW_SUM, SWISH, RowSum
from atunner.knowledge_base.devices import device
from atunner.operators import Arrays

SHAPE = (13, 29)


class Constant(RowSum):
    def reference(self, problem: Problem, inputs: Arrays) -> Arrays:
        return {"y": np.full(problem.dims["rows"], 3.0)}


class Loose(RowSum):
    def tolerance(self, problem: Problem, inputs: Arrays, reference: Arrays) -> Arrays:
        return {"y": np.full(problem.dims["rows"], 1e3)}


class IgnoresWeights(RowSum):
    def reference(self, problem: Problem, inputs: Arrays) -> Arrays:
        return {"y": inputs["x"].astype(np.float64).sum(axis=1)}


class NotFinite(RowSum):
    def reference(self, problem: Problem, inputs: Arrays) -> Arrays:
        return {"y": np.full(problem.dims["rows"], np.nan)}


@pytest.mark.parametrize("operator", [ROW_SUM, SWISH], ids=lambda o: o.name)
def test_a_sound_task_is_admitted(operator: RowSum) -> None:
    assert all(c.passed for c in admit(Oracle(operator), operator.problem(SHAPE, {}, "float32")))


@pytest.mark.parametrize(
    ("operator", "reason"),
    [
        (Constant(), "hardly depends"),
        (Loose(), "hardly depends"),
        (IgnoresWeights(), "does not depend on w"),
        (NotFinite(), "not finite"),
    ],
)
def test_a_task_that_measures_nothing_is_refused_with_the_reason(operator: RowSum, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        admit(Oracle(operator), operator.problem(SHAPE, {}, "float32"))


def test_equal_kernels_that_differ_refuse_the_task() -> None:
    one = Measurement(unit="us", samples=(1.0,), source="test")
    bad = Comparison(ratio=1.2, low=1.1, high=1.3, minimum_gain=0.01, baseline=one, candidate=one)
    good = Comparison(ratio=1.0, low=0.99, high=1.01, minimum_gain=0.01, baseline=one, candidate=one)

    assert admit_timing(lambda: good).passed
    with pytest.raises(NotMeasured, match=r"against itself came out as 1\.2"):
        admit_timing(lambda: bad)


def test_equal_kernels_are_compared_once_for_a_task_and_environment(tmp_path: Path) -> None:
    one = Measurement(unit="us", samples=(1.0,), source="test")
    asked: list[int] = []

    def same() -> Comparison:
        asked.append(1)
        return Comparison(ratio=1.0, low=0.99, high=1.01, minimum_gain=0.01, baseline=one, candidate=one)

    first = Alike(tmp_path).check("task-environment", same)

    assert Alike(tmp_path).check("task-environment", same) == first
    assert len(asked) == 1
    Alike(tmp_path).check("task-another", same)
    assert len(asked) == 2


def test_a_refusal_is_not_kept(tmp_path: Path) -> None:
    one = Measurement(unit="us", samples=(1.0,), source="test")

    def differs() -> Comparison:
        return Comparison(ratio=1.2, low=1.1, high=1.3, minimum_gain=0.01, baseline=one, candidate=one)

    with pytest.raises(NotMeasured, match="use a larger problem or a quieter machine"):
        Alike(tmp_path).check("key", differs)
    assert list(tmp_path.iterdir()) == []


def test_a_run_asks_whether_equal_kernels_are_equal(cache: Path, tmp_path: Path) -> None:
    domain = Kernels({"cache": str(tmp_path), "device": device("host").model_dump(mode="json")})
    task = domain.admit(Task(name="softmax", target="host", spec={"operator": "softmax", "shape": [64, 128]}))
    trial = judge(domain, task, domain.baseline(task))

    assert trial.status is Status.OK, trial.feedback
    assert {"two clocks, after timing", "disturbed samples, after timing", "equal kernels are equal, after timing"} <= {
        c.name for c in trial.checks
    }
    assert len(list((tmp_path / "alike").iterdir())) == 1


def test_held_out_shapes_are_secret_and_of_the_same_kind() -> None:
    oracle = Oracle(ROW_SUM, secret=5)
    shapes = held_out(oracle, (500, 700), {}, "float32")

    assert len(shapes) == 2
    assert shapes == held_out(oracle, (500, 700), {}, "float32")
    assert shapes != held_out(Oracle(ROW_SUM, secret=6), (500, 700), {}, "float32")
    assert all(max(p.dims.values()) <= 48 for p in shapes)
