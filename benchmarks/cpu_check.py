"""How fast the CPU check is: a matmul of 256 x 256 x 256 with 32-wide tiles, unsanitised and fully checked.

Prints CPU seconds (user and system, of the child processes, median of the repetitions) and the figures to reach. With
--sketch DIR the prototype of that folder (cuda_on_cpu.h, to_cpu.py) runs the same kernel beside it. Exits 1 when a
figure is missed; the last line names it.
"""

import argparse
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from atunner.core.program import Buffer, Launch, Problem, Program
from atunner.domains.kernels.cpu_check import Instance, Mode, Order, build, compilers, run
from atunner.tools.process import run as run_program

SOURCE = """
extern "C" __global__ void matmul(const float* __restrict__ a, const float* __restrict__ b, float* c) {
  __shared__ float left[TILE][TILE], right[TILE][TILE];
  int x = blockIdx.x * TILE + threadIdx.x, y = blockIdx.y * TILE + threadIdx.y;
  float sum = 0;
  for (int k = 0; k < DIM_N; k += TILE) {
    left[threadIdx.y][threadIdx.x] = a[y * DIM_N + k + threadIdx.x];
    right[threadIdx.y][threadIdx.x] = b[(k + threadIdx.y) * DIM_N + x];
    __syncthreads();
    for (int i = 0; i < TILE; ++i) sum += left[threadIdx.y][i] * right[i][threadIdx.x];
    __syncthreads();
  }
  c[y * DIM_N + x] = sum;
}
"""
PROGRAM = Program(
    language="cuda",
    source="matmul.cu",
    launches=(Launch(kernel="matmul", grid=("n // TILE", "n // TILE"), block=("TILE", "TILE"), args=("a", "b", "c")),),
)
SKETCH = """
#include <cstdio>
int main() {
  const int n = DIM_N;
  std::vector<float> a(n * n, 1.0f), b(n * n, 2.0f), c(n * n);
  float *pa = a.data(), *pb = b.data(), *pc = c.data();
  matmul<<<dim3(n / TILE, n / TILE), dim3(TILE, TILE)>>>(pa, pb, pc);
  return c[n + 1] == 2.0f * n ? 0 : 1;
}
"""
LIMITS = {"fast run": 0.08, "checked run": 1.5, "fast compile": 2.0, "checked compile": 2.0}


def children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cpu_seconds(work: Callable[[], object], repeats: int) -> float:
    samples = []
    for _ in range(repeats):
        start = children()
        work()
        samples.append(children() - start)
    return statistics.median(samples)


def matmul() -> tuple[Instance, dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]]:
    roles = {"a": "input", "b": "input", "c": "output"}
    buffers = tuple(Buffer(name=name, shape=(256, 256), role=role) for name, role in roles.items())
    random = np.random.default_rng(1)
    inputs = {name: random.standard_normal((256, 256)).astype(np.float32) for name in ("a", "b")}
    return Instance(Problem(operator="matmul", dims={"n": 256}, buffers=buffers), {"TILE": 32}), inputs


def product(folder: Path, repeats: int) -> dict[str, float]:
    instance, inputs = matmul()
    found = {}
    for mode in Mode:
        build(SOURCE, PROGRAM, [instance], mode, folder / mode, folder / "cache")
        found[f"{mode} compile"] = cpu_seconds(
            lambda m=mode: build(SOURCE, PROGRAM, [instance], m, folder / m, folder / "cache"), repeats
        )
        checked = build(SOURCE, PROGRAM, [instance], mode, folder / mode, folder / "cache")
        for order in (Order(), Order("reverse"), Order.shuffled(3)):
            error = np.abs(run(checked, 0, inputs, order)["c"] - inputs["a"] @ inputs["b"]).max()
            if not error < 1e-3:
                sys.exit(f"wrong result in {mode} mode, {order}: error {error}")
        found[f"{mode} run"] = cpu_seconds(lambda c=checked: run(c, 0, inputs), repeats)
    return found


def sketch(source: Path, folder: Path, repeats: int) -> dict[str, float]:
    text = SOURCE.replace("TILE", "32").replace("DIM_N", "256").replace('extern "C" ', "")
    folder.mkdir()
    (folder / "sketch.cu").write_text(text + SKETCH.replace("TILE", "32").replace("DIM_N", "256"))
    converted = run_program(sys.executable, str(source / "to_cpu.py"), str(folder / "sketch.cu"), timeout_s=60).output
    (folder / "sketch.cpp").write_text(converted)
    found = {}
    for mode, flags in (("fast", ("-O2",)), ("checked", ("-O1", "-g", "-fsanitize=address,undefined"))):
        compiler = compilers()[0].path
        command = (compiler, "-std=c++20", "-w", *flags, f"-I{source}", "sketch.cpp", "-o", f"sketch-{mode}")
        found[f"{mode} compile"] = cpu_seconds(lambda c=command: run_program(*c, cwd=folder, timeout_s=300), 1)
        found[f"{mode} run"] = cpu_seconds(
            lambda m=mode: run_program(str(folder / f"sketch-{m}"), cwd=folder, timeout_s=300), repeats
        )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sketch", type=Path, help="folder of the prototype to run beside it")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        ours = product(Path(name), options.repeats)
        theirs = sketch(options.sketch.resolve(), Path(name) / "sketch", 3) if options.sketch else {}
    print(f"matmul 256 x 256 x 256, 32-wide tiles, {compilers()[0].version}; CPU seconds")
    print(f"{'':18}{'this':>8}{'limit':>8}{'sketch':>9}")
    for figure, limit in LIMITS.items():
        other = f"{theirs[figure]:9.3f}" if theirs else f"{'-':>9}"
        print(f"{figure:18}{ours[figure]:8.3f}{limit:8.2f}{other}")
    missed = [figure for figure, limit in LIMITS.items() if ours[figure] > limit]
    print(f"missed: {', '.join(missed)}" if missed else "every figure reached")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
