"""reduce_sum: what it computes, and how close a sum must come."""

import numpy as np
import pytest
from operators.kernel_build import worst

from atunner.core.program import Problem
from atunner.operators import operator

SUM = operator("reduce_sum")


def the_problem(*shape: int) -> Problem:
    return SUM.problem(shape, {}, "float32")


@pytest.mark.parametrize(("shape", "result"), [((2, 3, 5), (2, 3)), ((7,), ()), ((4, 1), (4,))])
def test_the_result_has_one_axis_less(shape: tuple[int, ...], result: tuple[int, ...]) -> None:
    problem = the_problem(*shape)
    inputs = SUM.inputs(problem, 1, 1.0)
    y = SUM.reference(problem, inputs)["y"]

    assert problem.buffers[1].shape == y.shape == result
    for index in np.ndindex(*result):
        assert y[index] == pytest.approx(sum(float(v) for v in inputs["x"][index]), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("length", [1, 31, 4096, 1_000_000])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_tolerance_takes_a_sum_in_order(length: int, scale: float) -> None:
    problem = the_problem(3, length)
    inputs = SUM.inputs(problem, 3, scale)
    in_order = np.cumsum(inputs["x"], axis=1, dtype=np.float32)[:, -1]

    assert worst(SUM, problem, inputs, {"y": in_order}) < 0.8


def test_tolerance_takes_no_sum_that_lacks_an_element() -> None:
    for shape in ((4, 37), (2, 8192)):
        problem = the_problem(*shape)
        inputs = SUM.inputs(problem, 3, 1.0)
        short = {"y": inputs["x"][:, :-1].astype(np.float64).sum(axis=1)}

        assert worst(SUM, problem, inputs, short) > 10


def test_facts_are_computed() -> None:
    facts = SUM.facts(the_problem(4, 16), frozenset())

    assert facts.flops == 4 * 15
    assert facts.min_bytes == 4 * (64 + 4)
    assert facts.intensity < 0.25
    assert SUM.facts(the_problem(1), frozenset()).flops == 1
