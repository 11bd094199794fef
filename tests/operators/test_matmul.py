"""matmul: what it computes, what it refuses, and that every family computes it."""

from pathlib import Path

import numpy as np
import pytest
from operators.kernel_build import build_c, points, run_c, some_points, worst

from atunner.core.errors import UserError
from atunner.core.program import Problem
from atunner.operators import Arrays, KernelFamily, operator

MATMUL = operator("matmul")
C_FAMILIES = MATMUL.kernels["c"].families
CUDA_FAMILIES = MATMUL.kernels["cuda"].families
ODD = ((1, 1, 1), (37, 53, 19), (65, 33, 129), (1, 101, 7), (103, 1, 9), (3, 17, 1), (16, 64, 32))


def the_problem(m: int = 512, n: int = 512, k: int = 512) -> Problem:
    return MATMUL.problem((m, n, k), {}, "float32")


def test_the_reference_is_the_definition() -> None:
    problem = the_problem(5, 7, 3)
    inputs = MATMUL.inputs(problem, seed=1, scale=1.0)
    a, b = inputs["a"].astype(np.float64), inputs["b"].astype(np.float64)
    expected = [[sum(a[i, k] * b[k, j] for k in range(3)) for j in range(7)] for i in range(5)]

    np.testing.assert_allclose(MATMUL.reference(problem, inputs)["c"].astype(float), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_tolerance_takes_rounding_and_no_lost_product(scale: float) -> None:
    problem = the_problem(16, 16, 512)
    inputs = MATMUL.inputs(problem, seed=3, scale=scale)
    a, b = inputs["a"].astype(np.float32), inputs["b"].astype(np.float32)
    in_order = np.zeros((16, 16), np.float32)
    for k in range(512):
        in_order += np.outer(a[:, k], b[k])
    short: Arrays = {"a": a, "b": b.copy()}
    short["b"][300] = 0

    assert worst(MATMUL, problem, inputs, {"c": in_order}) < 0.5
    assert worst(MATMUL, problem, inputs, MATMUL.reference(problem, short)) > 10


def test_inputs_in_half_precision_are_beyond_tolerance() -> None:
    problem = the_problem(16, 16, 64)
    inputs = MATMUL.inputs(problem, seed=3, scale=1.0)
    halved: Arrays = {name: a.astype(np.float16).astype(np.float32) for name, a in inputs.items()}

    assert worst(MATMUL, problem, inputs, MATMUL.reference(problem, halved)) > 10


@pytest.mark.parametrize(
    ("shape", "settings", "dtype", "expected"),
    [
        ((4, 4), {}, "float32", "m,n,k"),
        ((4, 0, 4), {}, "float32", "n must be at least 1, got 0"),
        ((4, 4, 4), {"alpha": 2}, "float32", "no setting 'alpha'"),
        ((4, 4, 4), {}, "int4", "Known: float32"),
        ((100_000, 100_000, 4), {}, "float32", "tensor c"),
    ],
)
def test_a_wrong_request_is_told_in_one_line(
    shape: tuple[int, ...], settings: dict[str, int | str], dtype: str, expected: str
) -> None:
    with pytest.raises(UserError, match=expected) as raised:
        MATMUL.problem(shape, settings, dtype)

    assert "\n" not in str(raised.value)


def test_facts_are_computed() -> None:
    facts = MATMUL.facts(the_problem(8, 16, 32), frozenset())

    assert facts.flops == 2 * 8 * 16 * 32
    assert facts.min_bytes == 4 * (8 * 32 + 32 * 16 + 8 * 16)
    assert facts.reuse == {"a": 16, "b": 8, "c": 32}
    assert any("matrix-vector" in note for note in MATMUL.facts(the_problem(m=1), frozenset()).notes)


@pytest.mark.parametrize("shape", [*ODD, (4096, 4096, 4096)])
def test_derived_problems_are_small(shape: tuple[int, int, int]) -> None:
    derived = MATMUL.derived(the_problem(*shape))

    assert 3 <= len(derived) <= 5
    for small in derived:
        assert small.buffers[2].elements <= 20_000
        assert MATMUL.facts(small, frozenset()).flops <= 2_000_000
        assert (small.dims["m"] == 1) >= (shape[0] == 1)


@pytest.mark.parametrize("family", [*C_FAMILIES, *CUDA_FAMILIES], ids=lambda f: f"{f.program.language}-{f.name}")
def test_a_typical_space_is_large_enough_to_search(family: KernelFamily) -> None:
    found = [params for params, _ in zip(points(family.space(the_problem())), range(100), strict=False)]

    assert len(found) == 100


@pytest.mark.parametrize("family", [MATMUL.kernels["c"].baseline, *C_FAMILIES], ids=lambda f: f.name)
@pytest.mark.parametrize("shape", ODD, ids=str)
def test_c_families_compute_the_product(family: KernelFamily, shape: tuple[int, int, int], tmp_path: Path) -> None:
    problem = the_problem(*shape)
    # Points of a large problem must also serve small ones: that is how candidates are verified.
    chosen = [
        *some_points(family.space(problem), 1),
        *some_points(family.space(the_problem()), 1, seed=sum(shape)),
    ]
    inputs = MATMUL.inputs(problem, seed=7, scale=1.0)
    for index, params in enumerate(chosen or [{}]):
        library = build_c(family, problem, params, tmp_path / str(index))

        outputs = run_c(library, family, problem, params, inputs)

        assert worst(MATMUL, problem, inputs, outputs) < 1, params
