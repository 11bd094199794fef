"""layer_norm: what it computes, what eps may be, and what its tolerance refuses."""

import numpy as np
import pytest
from operators.kernel_build import worst

from atunner.core.errors import UserError
from atunner.core.program import Problem
from atunner.operators import operator

NORM = operator("layer_norm")


def the_problem(*shape: int, eps: str = "1e-5") -> Problem:
    return NORM.problem(shape, {"eps": eps}, "float32")


def test_the_reference_is_the_definition() -> None:
    problem = the_problem(2, 6, eps="0.25")
    inputs = NORM.inputs(problem, 1, 1.0)
    x, gamma, beta = (inputs[n].astype(np.float64) for n in ("x", "gamma", "beta"))
    expected = np.empty((2, 6))
    for i, j in np.ndindex(2, 6):
        mean = sum(x[i]) / 6
        variance = sum((x[i] - mean) ** 2) / 6
        expected[i, j] = (x[i, j] - mean) / (variance + 0.25) ** 0.5 * gamma[j] + beta[j]

    np.testing.assert_allclose(NORM.reference(problem, inputs)["y"], expected, rtol=1e-12, atol=1e-12)


def test_eps_reaches_the_kernel_as_a_whole_number_of_picos() -> None:
    assert the_problem(2, 3, eps="1e-12").macros({})["DIM_EPS_PICO"] == "1"
    assert NORM.problem((2, 3), {}, "float32").dims["eps_pico"] == 10_000_000
    assert {small.dims["eps_pico"] for small in NORM.derived(the_problem(9, 9, eps="0.001"))} == {10**9}


@pytest.mark.parametrize("eps", ["0", "-1e-5", "1e-13", "2", "tiny", "nan", "inf"])
def test_a_wrong_eps_is_told_in_one_line(eps: str) -> None:
    with pytest.raises(UserError, match="layer_norm: eps must be") as raised:
        the_problem(2, 3, eps=eps)

    assert "\n" not in str(raised.value)


def test_tolerance_takes_two_passes_and_no_cancellation() -> None:
    problem = the_problem(6, 512)
    inputs = NORM.inputs(problem, 5, 1.0)
    x, gamma, beta = (inputs[n].astype(np.float32) for n in ("x", "gamma", "beta"))
    x[1] += np.float32(4000.0)
    mean = x.mean(axis=1, keepdims=True, dtype=np.float32)
    careful = ((x - mean) ** 2).mean(axis=1, keepdims=True, dtype=np.float32)
    careless = (x**2).mean(axis=1, keepdims=True, dtype=np.float32) - mean**2
    inputs = inputs | {"x": x}

    good, bad = (((x - mean) / np.sqrt(np.abs(v) + np.float32(1e-5)) * gamma + beta) for v in (careful, careless))

    assert worst(NORM, problem, inputs, {"y": good}) < 0.5
    assert worst(NORM, problem, inputs, {"y": bad}) > 2


def test_facts_are_computed_and_an_assumed_eps_says_so() -> None:
    assumed = NORM.facts(the_problem(4, 16), frozenset()).settings[0]
    facts = NORM.facts(the_problem(4, 16, eps="0.001"), frozenset({"eps"}))

    assert (assumed.value, assumed.assumed, assumed.how) == ("0.00001", True, "--set eps=0.00001")
    assert (facts.settings[0].value, facts.settings[0].assumed) == ("0.001", False)
    assert facts.min_bytes == 4 * (2 * 64 + 2 * 16)
    assert facts.reuse["gamma"] == 4
    assert any(e.name.startswith("residual") and e.saved_bytes == 256 for e in facts.epilogues)
