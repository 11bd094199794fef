"""The CUDA families of conv2d and matmul compute what they should: run on the CPU, every access watched."""

from pathlib import Path

import pytest
from operators.kernel_build import some_points, worst
from support import need

from atunner.core.program import Problem
from atunner.domains.kernels.cpu_check import Instance, Mode, Order, build, compilers, run
from atunner.operators import KernelFamily, operator

PROBLEMS: dict[str, tuple[tuple[tuple[int, ...], dict[str, int]], ...]] = {
    "conv2d": (
        ((1, 64, 56, 56), {}),
        ((1, 6, 31, 30), {"groups": 2, "stride": 2, "dilation": 2, "out_channels": 10}),
        ((2, 16, 28, 28), {"groups": 16, "out_channels": 32}),
        ((1, 3, 64, 64), {"kernel": 7, "stride": 2, "padding": 3}),
        ((1, 64, 14, 15), {"kernel": 1, "padding": 0}),
        ((1, 16, 30, 31), {"padding": 2}),
    ),
    "matmul": (((512, 512, 512), {}), ((1, 512, 500), {}), ((512, 1, 333), {}), ((300, 2, 1000), {})),
}
CASES = [
    (name, family, shape, settings)
    for name, problems in PROBLEMS.items()
    for family in (operator(name).kernels["cuda"].baseline, *operator(name).kernels["cuda"].families)
    for shape, settings in problems
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("a C++ compiler", present=bool(compilers()))
    return tmp_path_factory.mktemp("checker")


def label(value: object) -> str:
    return value.name if isinstance(value, KernelFamily) else str(value)


@pytest.mark.parametrize(("name", "family", "shape", "settings"), CASES, ids=label)
def test_results_on_derived_problems(
    name: str, family: KernelFamily, shape: tuple[int, ...], settings: dict[str, int], cache: Path, tmp_path: Path
) -> None:
    computed = operator(name)
    problem: Problem = computed.problem(shape, settings, "float32")
    space = family.space(problem)
    points = some_points(space, 1, seed=len(label(shape))) if space.parameters else [{}]
    for params in points:
        instances = [Instance(small, params) for small in computed.derived(problem)]
        checked = build(family.text(), family.program, instances, Mode.CHECKED, tmp_path, cache)
        for index, instance in enumerate(instances):
            inputs = computed.inputs(instance.problem, seed=3, scale=1.0)

            outputs = run(checked, index, inputs, Order.shuffled(index))

            assert worst(computed, instance.problem, inputs, outputs) < 1, (params, instance.problem.dims)
