"""What is read from a kernel by itself, and what is asked for because it cannot be."""

from pathlib import Path
from typing import Any

import pytest
from transform_kernels import AXPY, MATMUL, ROWS

from atunner import LLMKernelTransformer
from atunner.core.errors import UserError
from atunner.transform.reading import Said, read

STENCIL = """
static float weight(int i) { return i ? 0.25f : 0.5f; }
void smooth(float *out, const float *in, const int rows, const int columns) {
    for (int y = 1; y < rows - 1; y++)
        for (int x = 1; x < columns - 1; x++) {
            const int at = y * columns + x;
            out[at] = weight(0) * in[at] + weight(1) * (in[at - 1] + in[at + 1] + in[at + columns]);
        }
}
"""
GPU = """
__device__ float twice(float x) { return 2 * x; }
__global__ void scale(float *y, const float *x, int n) {
    const int first = (blockIdx.x * block_size_x + threadIdx.x) * WORK;
    for (int w = 0; w < WORK; ++w) {
        const int i = first + w;
        if (i < n) y[i] = twice(x[i]);
    }
}
"""
PLANE = """
__kernel void add(__global float *c, __global const float *a, const uint width, const uint height) {
    size_t col = get_global_id(0), row = get_global_id(1);
    if (row >= height || col >= width) return;
    atomic_add(&c[0], 1);
    c[row * width + col] = a[row * width + col];
}
"""
HISTOGRAM = "void count(int *bins, const unsigned char *x, int n) { for (int i = 0; i < n; ++i) bins[x[i]]++; }"


def arguments(source: str, language: str = "c", **said: object) -> dict[str, str]:
    return read(source, Said(**said), language, "it").arguments  # type: ignore[arg-type]  # as the test says


def test_sizes_follow_from_loops_and_indices() -> None:
    assert arguments(MATMUL) == {
        "c": "float32[m * n] output",
        "a": "float32[k * m] input",
        "b": "float32[k * n] input",
        "m": "int32 = m",
        "n": "int32 = n",
        "k": "int32 = k",
    }


def test_what_is_set_and_then_added_to_is_taken_for_both() -> None:
    assert arguments(ROWS, parameters={"STEP": [1, 2]})["c"] == "float32[m * n] inout"


def test_a_loop_that_is_unrolled_by_a_parameter_ends_where_the_data_end() -> None:
    assert arguments(AXPY)["x"] == "float32[n] input"


def test_neighbours_and_inner_variables_are_followed() -> None:
    found = read(STENCIL, Said(), "c", "it")
    assert found.name == "smooth"
    assert found.arguments["in"] == "float32[columns * rows] input"


def test_the_launch_of_a_gpu_kernel_follows_from_its_index() -> None:
    found = read(GPU, Said(parameters={"WORK": [1, 2]}), "cuda", "it")
    assert (found.grid, found.block) == (("cdiv(n, WORK * block_size_x)",), ("block_size_x",))
    assert found.arguments["y"] == "float32[n] output"
    assert found.gaps == ()


TILED = """
#define TILE 16
__global__ void matmul(const float *A, const float *B, float *C, int m, int n, int k) {
    __shared__ float As[TILE][TILE], Bs[TILE][TILE];
    int row = blockIdx.y * TILE + threadIdx.y, col = blockIdx.x * TILE + threadIdx.x;
    float acc = 0.0f;
    for (int t = 0; t < k; t += TILE) {
        As[threadIdx.y][threadIdx.x] = A[row * k + t + threadIdx.x];
        Bs[threadIdx.y][threadIdx.x] = B[(t + threadIdx.y) * n + col];
        __syncthreads();
        for (int i = 0; i < TILE; ++i) acc += As[threadIdx.y][i] * Bs[i][threadIdx.x];
        __syncthreads();
    }
    if (row < m && col < n) C[row * n + col] = acc;
}
"""


def test_a_block_that_the_source_fixes_stays_as_it_is() -> None:
    found = read(TILED, Said(), "cuda", "it")
    assert (found.grid, found.block) == (("cdiv(n, 16)", "cdiv(m, 16)"), ("16", "16"))
    assert found.parameters == {}
    assert found.arguments["A"] == "float32[k * m] input"
    assert found.arguments["B"] == "float32[k * n] input"


def test_work_groups_of_two_axes_get_sizes_to_try() -> None:
    found = read(PLANE, Said(), "opencl", "it")
    assert found.grid == ("cdiv(width, block_size_x)", "cdiv(height, block_size_y)")
    assert set(found.parameters) == {"block_size_x", "block_size_y"}
    assert found.arguments["c"] == "float32[max(1, height * width)] inout"


@pytest.mark.parametrize(
    ("source", "said", "line"),
    [
        (HISTOGRAM, {}, "The size of 'bins' is not clear: its index has 'x[i]' in it"),
        (HISTOGRAM, {}, "Give arguments={'bins': 'float32[n]'}"),
        ("int main", {}, "Cannot read the kernel int main"),
        ("void f(float *x, int n) { for (int i = 0; i < n; i++) { x[i] = 0; }", {}, "does not end"),
        ("struct {int a;};", {}, "has 0 kernels (none)"),
        ("void f(float *x, int n { x[0] = n; }", {}, "it does not parse: 1 '(' and 0 ')'"),
        (MATMUL + "void other(float *x, int n) { x[0] = n; }", {}, "has 2 kernels (matmul, other)"),
        (MATMUL, {"nmae": "matmul"}, "takes no 'nmae'"),
        (MATMUL, {"outputs": ["d"]}, "outputs names 'd', which matmul does not take"),
        (MATMUL, {"sizes": {"m": 4, "n": 4}}, "How large is 'k' of matmul? Give sizes={'k': NUMBER}"),
        (MATMUL, {"sizes": {"m": 4, "n": 4, "k": 4}}, "has nothing to tune without a model"),
        (AXPY, {"sizes": {"n": 0}}, "must be a whole number above 0"),
        (AXPY, {"language": "cobol"}, "No language 'cobol'"),
        (AXPY, {"model": "gpt"}, "Expected none, openai:NAME"),
        (AXPY, {"model": object()}, "or a chat model of LangChain"),
        (AXPY, {"device": "H1000"}, "H1000"),
        (AXPY, {"device": "A100"}, "is C and runs on this machine"),
        (GPU, {}, "is for a GPU: give device='A100'"),
        (3, {}, "Expected a kernel's source or its file"),
        ("  \n", {}, "The kernel is empty"),
        ("int x = 3;", {}, "has 0 kernels (none)"),
        (AXPY, {"file": "axpy.c"}, "Give the kernel once, as kernel_string=SOURCE or file=PATH; got 2 of them"),
        (None, {}, "file=PATH; got 0 of them"),
        (None, {"file": "no such file.c"}, "Cannot read the kernel no such file.c"),
        (AXPY, {"sizes": {"n": 64, "m": 3}}, "sizes names 'm', which is no size of axpy. Its sizes: n."),
        (AXPY, {"sizes": {"n": 64, "x": 3}}, "sizes names 'x', which is no size of axpy. Its sizes: n."),
        (AXPY, {"outputs": ["a"]}, "outputs names 'a', which is one number. Outputs are among y, x."),
        (
            AXPY,
            {"sizes": {"n": 64}, "arguments": {"x": "float64[n] input"}},
            "the argument x is float32 in the source, not float64.",
        ),
        (
            AXPY,
            {"sizes": {"n": 64}, "arguments": {"x": "float32 = 2"}},
            "the argument x is a pointer in the source, and not one number; write float32[n].",
        ),
        (
            AXPY,
            {"sizes": {"n": 64}, "arguments": {"a": "float32[n] input"}},
            "the argument a is one number in the source, and no array; write float32 = EXPRESSION.",
        ),
        (AXPY, {"grid": ["n"]}, "grid is for kernels of GPUs, and axpy is c; leave it out."),
        (AXPY, {"block": ["32"]}, "block is for kernels of GPUs, and axpy is c; leave it out."),
        (GPU, {"device": "A100", "problem_size": ["m"]}, "problem_size takes whole numbers above 0, got 'm'."),
        (GPU, {"device": "A100", "problem_size": [1, 2, 3, 4]}, "at most 3 extents, x, y and z; got 4."),
        (
            AXPY,
            {"sizes": {"n": 64}, "tolerance": {"rtol": 1e-3}},
            "No tolerance named 'rtol'. Known: absolute, relative.",
        ),
        (AXPY, {"sizes": 5}, "sizes takes {NAME: VALUE}, got 5"),
        (AXPY, {"outputs": "y"}, "outputs takes a list, got 'y'"),
        (AXPY, {"sizes": {"n": 64}, "constraints": ["UNROLL > 8"]}, "'UNROLL > 8' cannot be met"),
        (
            AXPY.replace("x[i + u];", "x[i + u] + ;"),
            {"sizes": {"n": 64}, "model": "none"},
            "expected expression before",
        ),
        (AXPY, {"tuning_strategy": "autonomus"}, "Did you mean autonomous?"),
        (AXPY, {"testing_strategy": 3}, "has a method tests(kernel)"),
        ("void f(widget_t *x, int n) { for (int i = 0; i < n; i++) x[i] = 0; }", {}, "type of the argument 'x'"),
    ],
)
def test_what_is_wrong_or_not_clear_is_one_line(source: str, said: dict[str, object], line: str, home: object) -> None:
    with pytest.raises(UserError) as error:
        LLMKernelTransformer(source, **said).prepare()  # type: ignore[arg-type]  # as the test says
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_a_size_may_be_one_that_a_shape_or_a_macro_speaks_of(home: object) -> None:
    said: dict[str, Any] = {"arguments": {"x": "float32[m] input", "y": "int8[m] inout"}, "sizes": {"m": 8, "N": 2}}
    source = "void f(char *y, const float *x) { for (int i = 0; i < N; i++) y[i] += x[i]; }"

    assert set(LLMKernelTransformer(source, **said).reading.sizes) == {"m", "N"}
    with pytest.raises(UserError, match="Its sizes: none by itself"):
        LLMKernelTransformer(source, **{**said, "sizes": {"k": 2}})


def test_the_kernel_may_be_given_by_keyword(tmp_path: Path) -> None:
    file = tmp_path / "axpy.c"
    file.write_text(AXPY)
    found = [LLMKernelTransformer(kernel_string=AXPY), LLMKernelTransformer(file=str(file)), LLMKernelTransformer(file)]

    assert [one.reading.name for one in found] == ["axpy"] * 3
    assert {one.reading.source for one in found} == {AXPY}


def test_what_was_understood_can_be_read() -> None:
    told = LLMKernelTransformer(AXPY).understood
    assert "kernel: axpy (c)" in told
    assert "a = 0.75, since nothing says otherwise" in told
