"""What the CPU check does around a kernel: compiles once, names what it cannot do, ends what does not end."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from cpu_check.cases import Case, cases
from support import need

from atunner.core.errors import CandidateError, Crashed, NotBuilt, NotVerified, TimedOut, ToolError, Wrong
from atunner.core.program import Buffer, Launch, Problem, Program
from atunner.domains.kernels.cpu_check import Checked, Instance, Mode, Order, build, compilers, run
from atunner.tools.process import Finished
from atunner.tools.process import run as run_program

SCALE = """
#ifndef FACTOR
#define FACTOR 2
#endif
extern "C" __global__ void scale(const float* x, float* y, int n) {
  __shared__ float kept[BLOCK];
  int i = blockIdx.x * BLOCK + threadIdx.x;
  if (i < n) kept[threadIdx.x] = x[i] * FACTOR;
  __syncthreads();
  if (i < n) y[i] = kept[threadIdx.x] + DIM_N;
}
"""
PROGRAM = Program(
    language="cuda",
    source="scale.cu",
    launches=(Launch(kernel="scale", grid=("cdiv(n, BLOCK)",), block=("BLOCK",), args=("x", "y", "int32:n")),),
)


def instance(n: int, block: int = 32) -> Instance:
    buffers = (Buffer(name="x", shape=(n,), role="input"), Buffer(name="y", shape=(n,), role="output"))
    return Instance(Problem(operator="scale", dims={"n": n}, buffers=buffers), {"BLOCK": block})


def checked_source(body: str, folder: Path, cache: Path, mode: Mode = Mode.CHECKED) -> Checked:
    source = f'extern "C" __global__ void scale(const float* x, float* y, int n) {{\n{body}\n}}\n'
    return build(source, PROGRAM, [instance(32)], mode, folder, cache)


def test_one_compile_serves_several_problems(tmp_path: Path, cache: Path) -> None:
    instances = [instance(1, 32), instance(97, 64), instance(1000, 256)]
    checked = build(SCALE, PROGRAM, instances, Mode.CHECKED, tmp_path, cache)

    for index, one in enumerate(instances):
        x = np.random.default_rng(index).standard_normal(one.problem.dims["n"]).astype(np.float32)
        y = run(checked, index, {"x": x}, Order.shuffled(index))["y"]
        np.testing.assert_allclose(y, 2 * x + np.float32(len(x)), rtol=1e-6)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('asm volatile("nop;");', "inline PTX"),
        ("float v = tex2D<float>(0, 1, 1);", "textures"),
        ("scale<<<1, 1>>>(x, y, n);", "a kernel launched by the source"),
        ("cooperative_groups::this_grid().sync();", "grid-wide"),
        ("unsigned m = __activemask();", "happen to be together"),
        ("auto g = cooperative_groups::coalesced_threads();", "happen to be together"),
        ("}\n#include <thrust/sort.h>\nvoid f() {", "thrust/sort.h"),
        ("}\n#define KEPT __shared__ float\nvoid f() {", "in a macro"),
    ],
)
def test_what_cannot_be_checked_is_named_with_its_line(body: str, named: str, tmp_path: Path, cache: Path) -> None:
    with pytest.raises(NotVerified, match=rf"cannot check: .*{re.escape(named)}.*scale\.cu:[23]"):
        checked_source(body, tmp_path, cache)


def test_what_only_looks_unsupported_is_checked(tmp_path: Path, cache: Path) -> None:
    body = '/* asm <<< */ const char* text = "asm this_grid"; (void)text; y[threadIdx.x] = x[threadIdx.x]; // tex2D'
    checked = checked_source(body, tmp_path, cache)

    assert run(checked, 0, {"x": np.ones(32, np.float32)})["y"].sum() == 32


def test_the_compiler_s_message_has_the_candidate_s_line(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(NotBuilt, match=r"scale\.cu:3:\d+: error: .*undeclared_name"):
        checked_source("\ny[0] = undeclared_name;", tmp_path, cache)


def test_an_unknown_kernel_is_not_built(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(NotBuilt, match="scale"):
        build("__global__ void other() {}", PROGRAM, [instance(32)], Mode.FAST, tmp_path, cache)


@pytest.mark.parametrize(("block", "grid"), [("2048", "1"), ("0", "1"), ("32", "0")])
def test_a_launch_that_no_gpu_takes_is_not_built(block: str, grid: str, tmp_path: Path, cache: Path) -> None:
    launch = Launch(kernel="scale", grid=(grid,), block=(block,), args=("x", "y", "int32:n"))
    with pytest.raises(NotBuilt, match="scale: "):
        build(SCALE, PROGRAM.model_copy(update={"launches": (launch,)}), [instance(32)], Mode.FAST, tmp_path, cache)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_kernel_that_never_ends_is_timed_out(mode: Mode, tmp_path: Path, cache: Path) -> None:
    checked = checked_source("while (x[0] >= 0.0f) y[threadIdx.x] = 1.0f;", tmp_path, cache, mode)

    with pytest.raises(TimedOut, match=r"within 0\.5 s"):
        run(checked, 0, {"x": np.ones(32, np.float32)}, timeout_s=0.5)


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ("y[threadIdx.x + 4096] = 1.0f;", Wrong, r"scale\.cu:2: out of bounds"),
        ("const_cast<float*>(x)[threadIdx.x] = 1.0f;", Wrong, r"scale\.cu:2: write to buffer 'x', which is an input"),
        ("y[int(threadIdx.x) - 1] = 1.0f;", Wrong, "out of bounds"),
        ("__trap();", Crashed, r"scale\.cu:2: __trap\(\)"),
        ("y[0] = *reinterpret_cast<volatile float*>(8);", Wrong, r"scale\.cu:2: access to address 0x8"),
        ("volatile float a[40000]; a[n] = 1; y[0] = a[n + 1];", Wrong, "local variables"),
    ],
)
def test_guards_work_in_the_fast_mode(
    body: str, error: type[CandidateError], message: str, tmp_path: Path, cache: Path
) -> None:
    checked = checked_source(body, tmp_path, cache, Mode.FAST)

    with pytest.raises(error, match=message):
        run(checked, 0, {"x": np.ones(32, np.float32)})


def test_a_candidate_that_leaves_early_gives_no_result(tmp_path: Path, cache: Path) -> None:
    source = SCALE.replace("__syncthreads();", "::exit(0);")
    checked = build(source, PROGRAM, [instance(32)], Mode.FAST, tmp_path, cache)

    with pytest.raises(Crashed, match="output y was not written"):
        run(checked, 0, {"x": np.ones(32, np.float32)})


def test_the_program_is_started_by_the_given_runner(tmp_path: Path, cache: Path) -> None:
    seen: list[tuple[str, ...]] = []

    def runner(*argv: str, cwd: Path, timeout_s: float, env: Mapping[str, str]) -> Finished:
        seen.append(argv)
        assert env == {}
        assert sorted(p.name for p in cwd.iterdir()) == ["in", "out"]
        return run_program(*argv, cwd=cwd, timeout_s=timeout_s, env=env)

    checked = build(SCALE, PROGRAM, [instance(32)], Mode.FAST, tmp_path, cache)
    run(checked, 0, {"x": np.ones(32, np.float32)}, Order.shuffled(5), runner=runner)

    assert [argv[1:] for argv in seen] == [("0", "2", "5")]
    assert not list(tmp_path.glob("run-*"))


def test_an_input_of_another_size_is_the_caller_s_fault(tmp_path: Path, cache: Path) -> None:
    checked = build(SCALE, PROGRAM, [instance(32)], Mode.FAST, tmp_path, cache)

    with pytest.raises(ToolError, match="31 elements where 32"):
        run(checked, 0, {"x": np.ones(31, np.float32)})


def test_two_launches_share_a_workspace(tmp_path: Path, cache: Path) -> None:
    case = next(c for c in cases("types.cu") if c.name == "last_block_finishes")
    program = case.program.model_copy(update={"launches": case.program.launches * 2})
    checked = build(case.source, program, [case.instance], Mode.CHECKED, tmp_path, cache)

    np.testing.assert_allclose(run(checked, 0, case.inputs)["y"], case.outputs()["y"].reshape(-1), rtol=1e-5)


@pytest.mark.parametrize(
    "name", ["missing_barrier", "static_shared_index", "workspace_is_not_zero", "uninitialised_local"]
)
def test_clang_finds_the_same(name: str, tmp_path: Path, cache: Path) -> None:
    need("clang++-19")
    chosen = next(c for c in compilers() if c.family == "clang")
    case: Case = next(c for c in cases("wrong.cu") if c.name == name)

    def judged() -> None:
        run(build(case.source, case.program, [case.instance], Mode.CHECKED, tmp_path, cache, chosen), 0, case.inputs)

    with pytest.raises(Wrong, match=case.expected) as caught:
        judged()
    assert int(str(caught.value).split(":")[1]) in case.lines("BUG")


def test_flags_of_the_program_are_kept(tmp_path: Path, cache: Path) -> None:
    body = "#if __cplusplus < 202002L\n#error old\n#endif\n  y[threadIdx.x] = x[threadIdx.x] * SCALED * TWICE;"
    source = f'extern "C" __global__ void scale(const float* x, float* y, int n) {{\n{body}\n}}\n'
    flags = ("--std=c++20", "-DSCALED=3", "-D", "TWICE=2", "-use_fast_math")
    program = PROGRAM.model_copy(update={"flags": flags})
    checked = build(source, program, [instance(32)], Mode.FAST, tmp_path, cache)

    assert run(checked, 0, {"x": np.ones(32, np.float32)})["y"].tolist() == [6.0] * 32
