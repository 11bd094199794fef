"""softmax: what it computes, what it accepts, and what it says of a problem."""

import numpy as np
import pytest
from operators.kernel_build import worst

from atunner.core.program import Problem
from atunner.operators import operator

SOFTMAX = operator("softmax")


def the_problem(*shape: int) -> Problem:
    return SOFTMAX.problem(shape, {}, "float32")


def test_the_reference_is_the_definition() -> None:
    problem = the_problem(2, 3, 5)
    x = np.random.default_rng(1).standard_normal((2, 3, 5)).astype(np.float32)
    exponentials = np.exp(x.astype(np.float64))

    y = SOFTMAX.reference(problem, {"x": x})["y"]

    np.testing.assert_allclose(y, exponentials / exponentials.sum(axis=2, keepdims=True), rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_inputs_have_ties_masks_and_large_offsets_and_no_result_overflows(scale: float) -> None:
    problem = the_problem(8, 100)
    x = SOFTMAX.inputs(problem, 3, scale)["x"]
    y = SOFTMAX.reference(problem, {"x": x})["y"]

    assert (x[1] == x[1].max()).sum() > 30
    assert (x[2] == -1e4).sum() == 20
    assert x[3].min() > 900 * scale
    np.testing.assert_allclose(y.sum(axis=1), 1.0, rtol=1e-9)


def test_tolerance_takes_float32_and_no_missing_element() -> None:
    problem = the_problem(4, 1000)
    inputs = SOFTMAX.inputs(problem, 5, 1.0)
    x = inputs["x"].astype(np.float32)
    e = np.exp(x - x.max(axis=1, keepdims=True))
    short = np.exp(x.astype(np.float64) - x.max(axis=1, keepdims=True))

    assert worst(SOFTMAX, problem, inputs, {"y": e / e.sum(axis=1, keepdims=True)}) < 0.5
    assert worst(SOFTMAX, problem, inputs, {"y": short / short[:, 1:].sum(axis=1, keepdims=True)}) > 10


def test_facts_are_computed() -> None:
    facts = SOFTMAX.facts(the_problem(4, 8, 16), frozenset())

    assert facts.flops == 5 * 4 * 8 * 16
    assert facts.min_bytes == 2 * 4 * 4 * 8 * 16
    assert {e.name.split()[0] for e in facts.epilogues if not e.blocker} == {"scale", "mask", "pointwise"}
