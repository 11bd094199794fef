"""Descriptions of kernels: T1, YAML, and the source alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atunner.core.errors import UserError
from atunner.core.space import Space
from atunner.operators.user import UserKernel, problem_of
from atunner.search import SearchSpace
from atunner.search.formats import read_kernel
from atunner.search.formats.lists import plain_constraint, size_of, value_list
from atunner.search.formats.source import functions, tunables

CUDA = """
extern "C" __global__ void filter(float *out, const float *in, const float *weights, int width) {
    int i = blockIdx.x * block_size_x * tile_size_x + threadIdx.x; // use_nothing_here
    for (int t = 0; t < tile_size_x; ++t) out[i + t * block_size_x] = in[i] * weights[0] + filter_width;
}
"""


def t1(**change: Any) -> dict[str, Any]:
    vector = {"Type": "float", "MemoryType": "Vector"}
    spec = {
        "Language": "CUDA",
        "CompilerOptions": ["-std=c++17"],
        "KernelName": "filter",
        "KernelFile": "filter.cu",
        "LocalSize": {"X": "block_size_x", "Y": "1", "Z": "1"},
        "GlobalSize": {"X": "1"},
        "ProblemSize": [4096],
        "GridDivX": ["block_size_x", "tile_size_x"],
        "Arguments": [
            {**vector, "Name": "out", "AccessType": "WriteOnly", "FillType": "Constant", "Size": 4096, "FillValue": 0},
            {**vector, "Name": "in", "AccessType": "ReadOnly", "Size": "ProblemSize[0]+max(filter_width)-1"},
            {**vector, "Name": "weights", "AccessType": "ReadOnly", "Size": 15, "FillType": "Random", "FillValue": 1.0},
            {"Name": "width", "Type": "int32", "MemoryType": "Scalar", "FillValue": 15},
        ],
    }
    parameters = [
        {"Name": "block_size_x", "Type": "int", "Values": "[32, 64, 128]", "Default": 64},
        {"Name": "tile_size_x", "Type": "int", "Values": "list(range(1, 5))"},
        {"Name": "filter_width", "Type": "int", "Values": "[15, 17]"},
    ]
    conditions = [{"Expression": "block_size_x * tile_size_x <= 256 && tile_size_x != 3", "Parameters": []}]
    return {
        "General": {"BenchmarkName": "filter"},
        "ConfigurationSpace": {"TuningParameters": parameters, "Conditions": conditions},
        "KernelSpecification": {**spec, **change},
    }


def described(folder: Path, content: dict[str, Any]) -> UserKernel:
    (folder / "filter.cu").write_text(CUDA)
    (folder / "filter.json").write_text(json.dumps(content))
    return read_kernel(folder / "filter.json")


def test_a_t1_file_is_a_kernel(tmp_path: Path) -> None:
    kernel = described(tmp_path, t1())
    program_grid = kernel.launch.grid[0]

    assert (kernel.name, kernel.language, kernel.flags) == ("filter", "cuda", ("-std=c++17",))
    assert [(a.name, a.role, a.fill) for a in kernel.arguments][:2] == [
        ("out", "output", "constant"),
        ("in", "input", "random"),
    ]
    assert [b.elements for b in problem_of(kernel, kernel.sizes).buffers] == [4096, 4112, 15]
    assert program_grid == "cdiv(problem_size_x, (block_size_x) * (tile_size_x))"
    assert kernel.starts[0] == {"block_size_x": 64, "tile_size_x": 1, "filter_width": 15}
    assert all(kernel.space.holds(p) for p in kernel.starts)


def test_a_t1_file_with_a_global_size_in_threads(tmp_path: Path) -> None:
    change = {"ProblemSize": None, "GlobalSizeType": "OpenCL", "GlobalSize": {"X": "4096 / tile_size_x"}}
    content = t1(**change)
    content["KernelSpecification"]["Arguments"][1]["Size"] = 4112

    assert described(tmp_path, content).launch.grid[0] == "cdiv(4096 / tile_size_x, block_size_x)"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Language": "Vulkan"}, "No language 'Vulkan'"),
        ({"KernelName": "filtre"}, "no kernel named 'filtre'. Found: filter"),
        ({"KernelFile": "gone.cu"}, "Cannot read the kernel"),
        (
            {"Arguments": [{"Name": "c", "Type": "float", "MemoryType": "Symbol"}]},
            "'c' of filter.json is in Symbol memory",
        ),
        ({"Arguments": [{"Name": "c", "Type": "custom", "MemoryType": "Vector"}]}, "type 'custom'"),
        ({"Arguments": [{"Name": "c", "Type": "float", "MemoryType": "Vector"}]}, "'Size' is missing"),
    ],
)
def test_what_a_t1_file_may_not_ask_is_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        described(tmp_path, t1(**change))

    assert "\n" not in str(caught.value)


def test_a_t1_file_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="version 2; version 1 is read"):
        described(tmp_path, t1() | {"General": {"FormatVersion": 2}})


def test_a_source_alone_declares_its_tunables(tmp_path: Path) -> None:
    path = tmp_path / "scale.c"
    path.write_text(
        "#ifndef TILE\n#define TILE 8 // tune: 4, 8, 16\n#endif\n// constraint: TILE * tile_size <= 32\n"
        "#pragma GCC unroll 4\n"
        "static int one(int a) { return a; }\n"
        "void scale(double *y, const double *x, int n) { for (int i = 0; i < n; ++i) y[i] = tile_size / TILE; }\n"
    )
    kernel = read_kernel(path, (512,))

    assert [p.name for p in kernel.space.parameters] == ["TILE", "tile_size"]
    assert kernel.starts[0] == {"TILE": 8, "tile_size": 1}
    assert [(a.name, a.dtype, a.role) for a in kernel.arguments] == [
        ("y", "float64", "inout"),
        ("x", "float64", "input"),
        ("n", "int32", "scalar"),
    ]


def test_a_tuned_macro_must_give_way_to_the_command_line() -> None:
    with pytest.raises(UserError, match="#ifndef TILE"):
        tunables("#define TILE 8 // tune: 4, 8\n")


def test_kernels_are_told_from_other_functions() -> None:
    assert list(functions(CUDA + "static void f(int a) { g(a); }\nint h(void) { return 1; }")) == ["filter"]
    assert list(functions("static int a(int x) { if (x) { return 1; } return 0; }\nvoid b(float *y) { a(1); }")) == [
        "b"
    ]


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ([1, 2, 4], (1, 2, 4)),
        ([True, False], (1, 0)),
        ("[2**i for i in range(4)]", (1, 2, 4, 8)),
        ("range(16, 65, 16)", (16, 32, 48, 64)),
        (3, (3,)),
        (["float", "float4"], ("float", "float4")),
    ],
)
def test_value_lists(given: object, values: tuple[object, ...]) -> None:
    assert value_list("p", given) == values


@pytest.mark.parametrize("given", [[], "open('x')", [[1]], "range(10**9)", None])
def test_a_bad_value_list_names_its_parameter(given: object) -> None:
    with pytest.raises(UserError, match="'p'"):
        value_list("p", given)


def test_conditions_of_c_are_read_as_python() -> None:
    space = Space(constraints=(plain_constraint("!(a == 1) && (b > 2 || a != 3)"),))

    assert "&&" not in space.constraints[0]
    assert size_of("ProblemSize[1] * 2", "Size", {"ProblemSize": (4, 8)}) == 16


def test_an_answer_of_another_shape_is_refused(tmp_path: Path) -> None:
    from atunner.operators.user.operator import stored

    np.save(tmp_path / "y.npy", np.zeros((3, 5)))
    (tmp_path / "filter.cu").write_text(CUDA)
    (tmp_path / "filter.json").write_text(json.dumps(t1()))
    kernel = read_kernel(tmp_path / "filter.json")
    out = problem_of(kernel, kernel.sizes).buffers[0]

    with pytest.raises(UserError, match=r"shape \(3, 5\); the answer has shape \(4096,\)"):
        stored(str(tmp_path / "y.npy"), "", out, "the answer")


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("{from: 8, to: 32, step: 8}", (8, 16, 24, 32)),
        ("{from: 8, to: 100, times: 3}", (8, 24, 72)),
        ("{from: 2, to: 4, default: 3}", (2, 3, 4)),
    ],
)
def test_a_range_is_written_by_its_ends(folder: Any, said: str, values: tuple[int, ...]) -> None:
    folder.change("scale.yaml", "sizes: {n: 4096}", f"sizes: {{n: 4096}}\nparameters: {{SKEW: {said}}}")

    kernel = read_kernel(folder.path / "scale.yaml")
    assert next(p.values for p in kernel.space.parameters if p.name == "SKEW") == values


@pytest.mark.parametrize(
    "said", ["{from: 8}", "{from: 8, to: 4}", "{from: 0, to: 8, times: 2}", "{from: 1, to: 8, times: 1}"]
)
def test_a_range_that_leads_nowhere_is_refused(folder: Any, said: str) -> None:
    folder.change("scale.yaml", "sizes: {n: 4096}", f"sizes: {{n: 4096}}\nparameters: {{SKEW: {said}}}")

    with pytest.raises(UserError, match="needs from, to and step or times"):
        read_kernel(folder.path / "scale.yaml")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("check: {n: some}", "scale.yaml: the size to check n must be a whole number above 0, got 'some'."),
        ("check: {n: 0}", "scale.yaml: the size to check n must be a whole number above 0, got 0."),
        ("grid: n", "scale.yaml: grid is for kernels of GPUs, and scale is c; leave it out."),
        ("shared_bytes: 64", "scale.yaml: shared_bytes is for kernels of GPUs, and scale is c; leave it out."),
        ("tolerance: {rtol: 1}", "scale.yaml: No tolerance named 'rtol'. Known: absolute, relative."),
    ],
)
def test_what_a_yaml_file_cannot_mean_is_one_line(folder: Any, said: str, line: str) -> None:
    folder.change("scale.yaml", "sizes: {n: 4096}", f"sizes: {{n: 4096}}\n{said}")

    with pytest.raises(UserError) as error:
        read_kernel(folder.path / "scale.yaml")
    assert str(error.value) == line


def test_a_conditional_parameter_counts_only_where_its_condition_holds(folder: Any) -> None:
    folder.change("scale.c", "SKEW 0 // tune: 0, 1", "SKEW 0 // tune: 0, 1 when UNROLL > 1")
    built = SearchSpace(read_kernel(folder.path / "scale.yaml").space)
    points = [built.params(i) for i in range(len(built))]

    assert {p["SKEW"] for p in points if p["UNROLL"] == 1} == {0}
    assert {p["SKEW"] for p in points if p["UNROLL"] == 2} == {0, 1}
    other = "SKEW: {values: [0, 1], when: UNROLL > 1}"
    folder.change("scale.c", " when UNROLL > 1", "")
    folder.change("scale.yaml", "sizes: {n: 4096}", f"sizes: {{n: 4096}}\nparameters: {{{other}}}")
    again = SearchSpace(read_kernel(folder.path / "scale.yaml").space)
    assert len(again) == len(built) == 5


def test_constraints_may_be_functions(folder: Any) -> None:
    def small(UNROLL: int) -> bool:
        return UNROLL > 2

    kernel = read_kernel(folder.path / "scale.yaml", rules=[small])
    assert {s["UNROLL"] for s in kernel.starts} == {4}
