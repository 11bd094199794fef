"""Machine code is read exactly: loops are counted, spills told from local arrays, resources agree with the dumper."""

import random
import re
import time
from functools import lru_cache

import cuda_kernels
import pytest
from support import need

from atunner.core.candidate import Params
from atunner.core.expression import evaluate
from atunner.core.profile import StaticFacts
from atunner.core.program import Problem
from atunner.domains.kernels.cubin import kernels
from atunner.domains.kernels.static_facts import LaunchShape, inspect, inspect_all
from atunner.operators import KernelFamily, operator
from atunner.tools import cuobjdump, nvrtc

ARCHITECTURES = ["sm_75", "sm_80", "sm_90", "sm_100", "sm_120"]


@pytest.fixture(autouse=True)
def _toolchain() -> None:
    need("cuda-toolchain", nvrtc.available() and cuobjdump.available(), "the cuda extra is not installed")


@lru_cache
def facts(source: str, arch: str, block: tuple[int, int, int], grid: tuple[int, int, int] = (8, 8, 1)) -> StaticFacts:
    compiled = nvrtc.compile_here(nvrtc.CompileJob(source=source, arch=arch, defines={"N": "1024"}))
    name = kernels(compiled.cubin, arch)[0].name
    return inspect(compiled, {name: LaunchShape(block, grid)})[0]


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_nested_loops_are_counted(arch: str) -> None:
    found = facts(cuda_kernels.MATMUL, arch, (32, 32, 1))

    assert found.unknown_loops == 0
    assert found.mix["ffma"] == 1024
    assert found.mix["bar"] == 2 * 32
    assert found.flops == 2 * 1024
    assert found.traffic["shared_load"] == 1024 * 4
    assert found.traffic["global_load"] == (1024 + 32) * 4
    assert found.static_shared == 32 * 33 * 4


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_loop_that_starts_at_the_threads_index_is_counted(arch: str) -> None:
    found = facts(cuda_kernels.STRIDED_SUM, arch, (256, 1, 1))

    assert found.unknown_loops == 0
    assert found.traffic["global_load"] == 1024 / 256 * 4
    assert found.mix["shfl"] == 5
    assert found.mix["atomic"] == 1


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_bounds_check_does_not_hide_the_loop(arch: str) -> None:
    assert facts(cuda_kernels.GUARDED, arch, (16, 16, 1), (64, 64, 1)).mix["ffma"] == 1024


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_loop_that_halves_is_counted_by_running_it(arch: str) -> None:
    assert facts(cuda_kernels.HALVING, arch, (32, 1, 1)).mix["ffma"] == 11


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_tensor_cores_do_the_tiles_arithmetic(arch: str) -> None:
    assert facts(cuda_kernels.WMMA, arch, (32, 1, 1)).tensor_flops == 2 * 16 * 16 * 1024 / 32


def test_a_loop_over_an_argument_is_not_guessed() -> None:
    found = facts(cuda_kernels.COPY, "sm_80", (256, 1, 1))

    assert found.unknown_loops == 1
    assert any("counted once" in note for note in found.notes)
    assert found.widths == {"128": 2}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_spills_are_told_apart_from_local_arrays(arch: str) -> None:
    spilled = facts(cuda_kernels.SPILLS, arch, (1024, 1, 1))
    indexed = facts(cuda_kernels.LOCAL_ARRAY, arch, (32, 1, 1))

    assert spilled.spill_bytes > 0
    assert spilled.local_array_bytes == 0
    assert indexed.spill_bytes == 0
    assert indexed.local_array_bytes == 64


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_resources_agree_with_the_vendors_dumper(arch: str) -> None:
    source = cuda_kernels.MATMUL + cuda_kernels.SPILLS + cuda_kernels.LOCAL_ARRAY + cuda_kernels.COPY
    compiled = nvrtc.compile_here(nvrtc.CompileJob(source=source, arch=arch, defines={"N": "1024"}))
    reserved = 1024 if arch in ("sm_90", "sm_100", "sm_120") else 0
    said = re.findall(r"Function (\w+):\s+REG:(\d+) STACK:(\d+) SHARED:(\d+)", cuobjdump.resource_usage(compiled.cubin))
    assembler = set(re.findall(r"(\d+) bytes smem", compiled.log))

    ours = {(k.name, k.registers, k.stack, k.shared) for k in kernels(compiled.cubin, arch)}

    assert ours == {(name, int(reg), int(stack), max(0, int(shared) - reserved)) for name, reg, stack, shared in said}
    assert assembler == {str(shared) for _, _, _, shared in ours if shared}
    assert len(ours) == 4


def test_many_cubins_are_read_in_one_go_and_in_order() -> None:
    jobs = [
        nvrtc.CompileJob(source=cuda_kernels.GUARDED, arch=arch, defines={"N": str(64 * n)})
        for n in range(1, 9)
        for arch in ("sm_80", "sm_90")
    ]
    compiled = [nvrtc.compile_here(job) for job in jobs]
    shapes = [{"guarded": LaunchShape((16, 16, 1), (4, 4, 1))} for _ in jobs]
    before = time.process_time()

    found = inspect_all(compiled, shapes)

    assert [f[0].mix["ffma"] for f in found] == [64.0 * n for n in range(1, 9) for _ in range(2)]
    assert [f[0].arch for f in found] == [job.arch for job in jobs]
    assert time.process_time() - before < 0.06 * len(jobs)


def first_point(family: KernelFamily, problem: Problem) -> Params:
    """A valid point of the family's space, found from a fixed seed."""
    draw = random.Random(3)
    space = family.space(problem)
    while True:
        point: Params = {p.name: draw.choice(p.values) for p in space.parameters}
        if all(evaluate(constraint, point) for constraint in space.constraints):
            return point


@pytest.mark.parametrize("arch", ["sm_80", "sm_90", "sm_120"])
def test_every_shipped_matmul_executes_the_problems_arithmetic(arch: str) -> None:
    matmul = operator("matmul")
    problem = matmul.problem((1024, 1024, 1024), {}, "float32")
    flops = matmul.facts(problem, frozenset()).flops
    families = [matmul.kernels["cuda"].baseline, *matmul.kernels["cuda"].families]
    points = [first_point(family, problem) for family in families]
    jobs = [
        nvrtc.CompileJob(source=family.text(), arch=arch, defines=problem.macros(point))
        for family, point in zip(families, points, strict=True)
    ]
    shapes = [
        {
            g.kernel: LaunchShape(g.block, g.grid, g.shared_bytes)
            for g in family.program.geometry({**problem.dims, **point})
        }
        for family, point in zip(families, points, strict=True)
    ]

    found = inspect_all([nvrtc.compile_here(job) for job in jobs], shapes)

    for family, kernels_found in zip(families, found, strict=True):
        done = sum(k.flops * k.threads_per_block * k.blocks for k in kernels_found)
        assert sum(k.unknown_loops for k in kernels_found) == 0, family.name
        assert 1.0 <= done / flops < 1.1, family.name
