"""softmax, layer_norm and reduce_sum: every family computes its operator, in C here and in CUDA on the CPU."""

from pathlib import Path

import numpy as np
import pytest
from operators.kernel_build import build_c, compile_cuda, instruction_mix, points, run_c, some_points, worst

from atunner.core.candidate import Params
from atunner.core.expression import evaluate
from atunner.core.program import Problem
from atunner.domains.kernels.cpu_check import Instance, Mode, build, run
from atunner.operators import KernelFamily, Operator, operator

NAMES = ("softmax", "layer_norm", "reduce_sum")
ODD = ((1, 1), (2, 3, 37), (7,), (70, 8), (3, 1999), (2, 8192), (1, 100_003), (1000, 3))
C = [(n, f) for n in NAMES for f in (operator(n).kernels["c"].baseline, *operator(n).kernels["c"].families)]
CUDA = [(n, f) for n in NAMES for f in (operator(n).kernels["cuda"].baseline, *operator(n).kernels["cuda"].families)]


def named(value: object) -> str:
    return getattr(value, "name", str(value))


def the_problem(name: str, *shape: int) -> Problem:
    return operator(name).problem(shape, {}, "float32")


def chosen(family: KernelFamily, problem: Problem, count: int, seed: int) -> list[Params]:
    return some_points(family.space(problem), count, seed)


@pytest.mark.parametrize(("name", "family"), C, ids=named)
def test_c_families_are_right_at_odd_shapes(name: str, family: KernelFamily, tmp_path: Path) -> None:
    for index, shape in enumerate(ODD):
        problem = the_problem(name, *shape)
        # Points of a large problem must also serve small ones: that is how candidates are verified.
        large = the_problem(name, 16, 1024 if index % 2 else 999_983)
        (params,) = chosen(family, problem if index % 3 else large, 1, index)
        library = build_c(family, problem, params, tmp_path / str(index))
        for scale in (1e-2, 100.0):
            inputs = operator(name).inputs(problem, index, scale)

            outputs = run_c(library, family, problem, params, inputs)

            assert worst(operator(name), problem, inputs, outputs) < 1, (shape, params, scale)


@pytest.mark.parametrize("name", NAMES)
def test_split_rows_repeat_bit_by_bit(name: str, tmp_path: Path) -> None:
    family = next(f for f in operator(name).kernels["c"].families if f.name == "split_rows")
    problem = the_problem(name, 2, 50_021)
    (params,) = chosen(family, problem, 1, 4)
    inputs = operator(name).inputs(problem, 1, 1.0)
    library = build_c(family, problem, params, tmp_path)

    one, two = (run_c(library, family, problem, params, inputs)["y"] for _ in range(2))

    assert one.tobytes() == two.tobytes()


def stages(family: KernelFamily, problem: Problem) -> list[Params]:
    """One point of each staging that the family has here, else one point."""
    space = family.space(problem)
    staging = next((p.values for p in space.parameters if p.name == "STAGE"), None)
    if staging is None:
        return some_points(space, 1, seed=2)
    return [p for s in staging for p in some_points(space.narrowed({"STAGE": (s,)}), 1, seed=3)]


@pytest.mark.parametrize(("name", "family"), CUDA, ids=named)
def test_cuda_families_are_right_on_the_cpu(name: str, family: KernelFamily, tmp_path: Path) -> None:
    for number, shape in enumerate(((4096, 1024), (5, 1999))):
        problem = the_problem(name, *shape)
        for place, params in enumerate(stages(family, problem)):
            instances = [Instance(small, params) for small in operator(name).derived(problem)]
            folder = tmp_path / f"{number}-{place}"
            checked = build(family.text(), family.program, instances, Mode.CHECKED, folder, tmp_path.parent / "cache")
            for index, instance in enumerate(instances):
                inputs = operator(name).inputs(instance.problem, index, 10.0)

                outputs = run(checked, index, inputs)

                assert worst(operator(name), instance.problem, inputs, outputs) < 1, (shape, params, index)


@pytest.mark.parametrize("arch", ["sm_80", "sm_90"])
@pytest.mark.parametrize(("name", "family"), CUDA, ids=named)
def test_cuda_families_compile(name: str, family: KernelFamily, arch: str) -> None:
    for index, shape in enumerate(((4096, 1024), (3, 37), (2, 1_000_003))):
        problem = the_problem(name, *shape)
        (params,) = chosen(family, problem, 1, index)

        assert compile_cuda(family, problem, params, arch)[:4] == b"\x7fELF"


@pytest.mark.parametrize("name", NAMES)
def test_families_differ_in_their_instructions(name: str, tmp_path: Path) -> None:
    problem = the_problem(name, 4096, 1024)
    mixes = {
        family.name: instruction_mix(compile_cuda(family, problem, chosen(family, problem, 1, 3)[0], "sm_80"), tmp_path)
        for of, family in CUDA
        if of == name
    }

    assert mixes["naive"]["BAR"] == mixes["warp_per_row"]["BAR"] == 0
    assert mixes["split_rows"]["BAR"] > 0
    assert len({tuple(mix.values()) for mix in mixes.values()}) == len(mixes)


def test_only_the_atomic_family_may_differ_between_runs_and_it_clears_its_result() -> None:
    for _, family in (*C, *CUDA):
        assert family.program.deterministic == ("atomicAdd" not in family.text()), family.name

    atomic = next(f for _, f in CUDA if f.name == "atomic")
    assert [launch.kernel for launch in atomic.program.launches] == ["reduce_sum_clear", "reduce_sum_add"]


def count(of: Operator, language: str, shape: tuple[int, ...]) -> dict[str, int]:
    problem = of.problem(shape, {}, "float32")
    return {f.name: sum(1 for _ in points(f.space(problem))) for f in of.kernels[language].families}


@pytest.mark.parametrize("name", NAMES)
def test_spaces_are_large_enough_to_search_and_small_where_little_applies(name: str) -> None:
    typical, tiny = (count(operator(name), "cuda", shape) for shape in ((4096, 1024), (3, 3)))

    assert all(20 <= size <= 500 for size in typical.values()), typical
    assert all(size < typical[family] for family, size in tiny.items())


@pytest.mark.parametrize("name", NAMES)
def test_a_row_waits_in_shared_memory_or_registers_only_where_it_fits(name: str) -> None:
    for _, family in (c for c in CUDA if c[0] == name):
        for shape in ((4, 1024), (2, 1_000_003)):
            problem = the_problem(name, *shape)
            for params in some_points(family.space(problem), 40):
                for geometry in family.program.geometry(problem.dims | params):
                    assert geometry.shared_bytes <= 48 * 1024
                if params.get("STAGE") == 1:
                    assert (
                        problem.dims["cols"] / evaluate("max(LANES, THREADS)", {"LANES": 1, "THREADS": 1} | params)
                        <= 64
                    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [*ODD, (4096, 1024), (2, 10**6), (10**6, 2)])
def test_derived_problems_are_small(name: str, shape: tuple[int, ...]) -> None:
    derived = operator(name).derived(the_problem(name, *shape))

    assert 3 <= len(derived) <= 5
    for small in derived:
        assert small.buffers[0].elements <= 20_000
        assert np.gcd(small.dims["cols"], 4) in {1, 2, 4}
    if shape[-1] % 4 == 0:
        assert any(small.dims["cols"] % 4 == 0 for small in derived)
