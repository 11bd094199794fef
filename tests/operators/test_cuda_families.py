"""The CUDA families of conv2d and matmul compile for every target here, and are different algorithms."""

from itertools import combinations
from pathlib import Path

import pytest
from operators.kernel_build import compile_cuda, instruction_mix, points, some_points

from atunner.core.program import Problem
from atunner.domains.kernels.static_facts import LaunchShape, inspect
from atunner.operators import KernelFamily, operator
from atunner.tools.nvrtc import Compiled

CONV, MATMUL = operator("conv2d"), operator("matmul")
TYPICAL = {
    "conv2d": CONV.problem((1, 64, 56, 56), {}, "float32"),
    "matmul": MATMUL.problem((512, 512, 512), {}, "float32"),
}
ODD = {
    "conv2d": CONV.problem((2, 7, 13, 11), {"out_channels": 5, "stride": 2, "padding": 2}, "float32"),
    "matmul": MATMUL.problem((37, 53, 19), {}, "float32"),
}
CASES = [(name, f) for name in TYPICAL for f in operator(name).kernels["cuda"].families]


@pytest.mark.parametrize("arch", ["sm_80", "sm_90"])
@pytest.mark.parametrize(("name", "family"), CASES, ids=lambda v: getattr(v, "name", v))
def test_families_compile_for_typical_and_odd_shapes(name: str, family: KernelFamily, arch: str) -> None:
    params = some_points(family.space(TYPICAL[name]), 1, seed=5)[0]

    # Winograd's space is empty for the odd convolution, whose stride is 2.
    problems = [TYPICAL[name]] + ([ODD[name]] if some_points(family.space(ODD[name]), 1) else [])
    for problem in problems:
        assert compile_cuda(family, problem, params, arch)[:4] == b"\x7fELF"


@pytest.mark.parametrize(("name", "family"), CASES, ids=lambda v: getattr(v, "name", v))
def test_every_point_is_a_legal_launch(name: str, family: KernelFamily) -> None:
    problem = TYPICAL[name]
    for params in some_points(family.space(problem), 60):
        for geometry in family.program.geometry({**problem.dims, **params}):
            assert 32 <= geometry.threads <= 1024
            assert 1 <= geometry.grid[0] < 2**31
            assert geometry.grid[1:] == (1, 1)


@pytest.mark.parametrize("name", TYPICAL)
def test_families_differ_in_their_instructions(name: str, tmp_path: Path) -> None:
    kernels = operator(name).kernels["cuda"]
    mixes = {}
    for family in (kernels.baseline, *kernels.families):
        params = (some_points(family.space(TYPICAL[name]), 1, seed=3) or [{}])[0]
        mixes[family.name] = instruction_mix(compile_cuda(family, TYPICAL[name], params, "sm_80"), tmp_path)

    for one, other in combinations(mixes, 2):
        distance = sum(abs(mixes[one][kind] - mixes[other][kind]) for kind in mixes[one])
        assert distance > 0.05, (one, other, mixes[one], mixes[other])
    assert mixes["naive"]["LDS"] == 0


def executed(family: KernelFamily, problem: Problem, kind: str) -> float:
    """Instructions of one kind that all threads of all launches execute, from machine code for sm_80."""
    params = (some_points(family.space(problem), 1, seed=9) or [{}])[0]
    compiled = Compiled(arch="sm_80", cubin=compile_cuda(family, problem, params, "sm_80"))
    launches = {g.kernel: g for g in family.program.geometry({**problem.dims, **params})}
    facts = inspect(compiled, {n: LaunchShape(block=g.block, grid=g.grid) for n, g in launches.items()})
    return sum(f.mix.get(kind, 0) * launches[f.kernel].blocks * launches[f.kernel].threads for f in facts)


def test_families_differ_in_what_they_execute() -> None:
    problem = TYPICAL["conv2d"]
    products = CONV.facts(problem, frozenset()).flops / 2
    kernels = CONV.kernels["cuda"]
    families = {f.name: f for f in (kernels.baseline, *kernels.families)}

    assert executed(families["naive"], problem, "ffma") == pytest.approx(products, rel=0.02)
    assert executed(families["winograd"], problem, "ffma") < 0.75 * products
    assert executed(families["naive"], problem, "ldg") == pytest.approx(2 * products, rel=0.02)
    for name in ("direct_tile", "register_block", "implicit_gemm"):
        assert executed(families[name], problem, "ldg") < products, name
        assert executed(families[name], problem, "ffma") >= 0.98 * products, name


@pytest.mark.parametrize(("name", "split"), [("conv2d", "split_depth"), ("matmul", "split_k")])
def test_split_sums_move_more_bytes_and_repeat_bit_by_bit(name: str, split: str) -> None:
    family = next(f for f in operator(name).kernels["cuda"].families if f.name == split)

    assert family.program.deterministic
    assert "atomic" not in family.text()
    assert [launch.kernel for launch in family.program.launches][-1] == "add_parts"
    assert family.program.workspaces[0].elements.startswith("SPLITS * ")


@pytest.mark.parametrize("language", ["cuda", "c"])
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("conv2d", (1, 1, 1, 1)),
        ("conv2d", (1, 3, 1, 7)),
        ("conv2d", (1, 5, 9, 1)),
        ("matmul", (1, 1, 1)),
        ("matmul", (1, 3, 97)),
        ("matmul", (97, 1, 2)),
    ],
)
def test_every_family_that_applies_has_points_for_tiny_shapes(name: str, shape: tuple[int, ...], language: str) -> None:
    problem = operator(name).problem(shape, {}, "float32")
    spaces = {f.name: f.space(problem) for f in operator(name).kernels[language].families}
    applicable = {n: s for n, s in spaces.items() if all(p.values for p in s.parameters)}

    assert len(applicable) >= 3
    for family, space in applicable.items():
        assert next(points(space), None) is not None, family
