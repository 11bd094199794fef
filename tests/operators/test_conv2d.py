"""conv2d: what it computes, what it refuses, and that every family computes it."""

from pathlib import Path

import numpy as np
import pytest
from operators.kernel_build import build_c, points, run_c, some_points, worst

from atunner.core.errors import UserError
from atunner.core.program import Problem
from atunner.operators import Arrays, KernelFamily, operator

CONV = operator("conv2d")
C_FAMILIES = CONV.kernels["c"].families
CUDA_FAMILIES = CONV.kernels["cuda"].families

# (n, c, h, w) and settings: primes, strides, dilation, no padding, wide padding, groups, depthwise, 1x1, 7x7.
ODD = (
    ((2, 3, 7, 11), {"out_channels": 5}),
    ((1, 5, 13, 37), {"out_channels": 19, "stride": 2}),
    ((1, 6, 11, 9), {"out_channels": 10, "groups": 2, "dilation": 2, "stride": 3, "padding": 2}),
    ((3, 7, 10, 17), {"out_channels": 7, "groups": 7, "padding": 0}),
    ((1, 33, 5, 7), {"out_channels": 33, "kernel": 1, "padding": 0}),
    ((1, 3, 15, 23), {"out_channels": 4, "kernel": 7, "stride": 2, "padding": 3}),
    ((1, 1, 1, 1), {"out_channels": 1}),
)


def the_problem(shape: tuple[int, ...] = (1, 3, 224, 224), **settings: int) -> Problem:
    return CONV.problem(shape, settings, "float32")


def test_the_reference_is_the_definition() -> None:
    problem = the_problem((2, 4, 6, 5), out_channels=6, groups=2, stride=2, dilation=2, padding=2)
    inputs = CONV.inputs(problem, seed=1, scale=1.0)
    x, weight = inputs["x"].astype(np.float64), inputs["weight"].astype(np.float64)
    expected = np.zeros((2, 6, problem.dims["p"], problem.dims["q"]))
    for n, k, p, q in np.ndindex(*expected.shape):
        for c, r, s in np.ndindex(2, 3, 3):
            row, column = p * 2 - 2 + r * 2, q * 2 - 2 + s * 2
            if 0 <= row < 6 and 0 <= column < 5:
                expected[n, k, p, q] += x[n, k // 3 * 2 + c, row, column] * weight[k, c, r, s]

    np.testing.assert_allclose(CONV.reference(problem, inputs)["y"].astype(float), expected, rtol=1e-12, atol=1e-12)


def test_a_missing_product_is_beyond_tolerance_and_float32_is_within() -> None:
    problem = the_problem((1, 16, 12, 12), out_channels=8)
    inputs = CONV.inputs(problem, seed=3, scale=100.0)
    exact = CONV.reference(problem, inputs)
    rounded: Arrays = {"y": exact["y"].astype(np.float32)}
    short = {name: a.copy() for name, a in inputs.items()}
    short["weight"][:, 7, 1, 1] = 0

    assert worst(CONV, problem, inputs, rounded) < 0.1
    assert worst(CONV, problem, inputs, CONV.reference(problem, short)) > 100


def test_inputs_follow_seed_and_scale() -> None:
    problem = the_problem((1, 3, 32, 32))
    one, same, other = (CONV.inputs(problem, seed, 1.0)["x"] for seed in (1, 1, 2))

    assert (one == same).all()
    assert not (one == other).any()
    assert 900 < np.std(CONV.inputs(problem, 1, 1000.0)["x"].astype(np.float64)) < 1100


@pytest.mark.parametrize(
    ("shape", "settings", "dtype", "expected"),
    [
        ((1, 3, 224), {}, "float32", "n,c,h,w"),
        ((1, 0, 8, 8), {}, "float32", "c must be at least 1, got 0"),
        ((-1, 3, 8, 8), {}, "float32", "n must be at least 1, got -1"),
        ((1, 3, 8, 8), {"groups": 2}, "float32", "groups must divide the 3 input channels"),
        ((1, 4, 8, 8), {"groups": 4, "out_channels": 6}, "float32", "groups must divide the 6 out_channels"),
        ((1, 3, 2, 8), {"kernel": 5, "padding": 1}, "float32", "at least 5, got 4"),
        ((1, 3, 8, 8), {"stride": 0}, "float32", "stride must be at least 1"),
        ((1, 3, 8, 8), {"padding": -1}, "float32", "padding must be at least 0"),
        ((1, 3, 8, 8), {"kernel": "three"}, "float32", "kernel must be an integer, got 'three'"),
        ((1, 3, 8, 8), {"strid": 2}, "float32", "no setting 'strid'"),
        ((1, 3, 8, 8), {}, "float65", "no dtype 'float65'"),
        ((64, 512, 1024, 1024), {}, "float32", "elements"),
    ],
)
def test_a_wrong_request_is_told_in_one_line(
    shape: tuple[int, ...], settings: dict[str, int | str], dtype: str, expected: str
) -> None:
    with pytest.raises(UserError, match=expected) as raised:
        CONV.problem(shape, settings, dtype)

    assert "\n" not in str(raised.value)


def test_facts_are_computed_and_assumed_settings_say_so() -> None:
    facts = CONV.facts(the_problem(out_channels=64), frozenset({"out_channels"}))

    assert facts.flops == 2 * 64 * 224 * 224 * 27
    assert facts.min_bytes == 4 * (3 * 224 * 224 + 64 * 27 + 64 * 224 * 224)
    assert facts.reuse["weight"] == 224 * 224
    assert {s.name: s.assumed for s in facts.settings}["out_channels"] is False
    assert all(s.how == f"--set {s.name}={s.value}" for s in facts.settings if s.assumed)
    assert {e.name: e.blocker == "" for e in facts.epilogues}["pad"] is True


def test_a_pad_of_nothing_cannot_be_merged() -> None:
    facts = CONV.facts(the_problem((1, 3, 8, 8), padding=0), frozenset())

    assert next(e for e in facts.epilogues if e.name == "pad").blocker


@pytest.mark.parametrize(("shape", "settings"), [*ODD, ((8, 256, 56, 56), {"groups": 256, "out_channels": 512})])
def test_derived_problems_are_small_and_of_the_same_kind(shape: tuple[int, ...], settings: dict[str, int]) -> None:
    problem = the_problem(shape, **settings)

    derived = CONV.derived(problem)

    assert 3 <= len(derived) <= 5
    for small in derived:
        assert small.buffers[2].elements <= 20_000
        assert CONV.facts(small, frozenset()).flops <= 2_000_000
        for name in ("r", "stride", "padding", "dilation"):
            assert small.dims[name] == problem.dims[name]
        assert (small.dims["groups"] > 1) == (problem.dims["groups"] > 1)


@pytest.mark.parametrize("family", [*C_FAMILIES, *CUDA_FAMILIES], ids=lambda f: f"{f.program.language}-{f.name}")
def test_a_typical_space_is_large_enough_to_search(family: KernelFamily) -> None:
    count = 0
    for _ in points(family.space(the_problem((4, 64, 56, 56), out_channels=128))):
        count += 1
        if count == 60:
            break

    assert count == 60


def test_winograd_has_no_point_where_it_does_not_apply() -> None:
    winograd = next(f for f in CUDA_FAMILIES if f.name == "winograd")

    assert some_points(winograd.space(the_problem((1, 8, 16, 16))), 1)
    for settings in ({"stride": 2}, {"kernel": 5}, {"dilation": 2}, {"groups": 2}):
        assert not list(points(winograd.space(the_problem((1, 8, 16, 16), **settings))))


@pytest.mark.parametrize("family", [CONV.kernels["c"].baseline, *C_FAMILIES], ids=lambda f: f.name)
@pytest.mark.parametrize(("shape", "settings"), ODD, ids=str)
def test_c_families_compute_the_convolution(
    family: KernelFamily, shape: tuple[int, ...], settings: dict[str, int], tmp_path: Path
) -> None:
    problem = the_problem(shape, **settings)
    # Points of a large problem must also serve small ones: that is how candidates are verified.
    roomy = the_problem((1, 64, 56, 56), out_channels=64)
    chosen = [*some_points(family.space(problem), 1), *some_points(family.space(roomy), 1, seed=len(str(settings)))]
    inputs = CONV.inputs(problem, seed=7, scale=1.0)
    for index, params in enumerate(chosen or [{}]):
        library = build_c(family, problem, params, tmp_path / str(index))

        outputs = run_c(library, family, problem, params, inputs)

        assert worst(CONV, problem, inputs, outputs) < 1, params
