"""Aid of the operator tests: points of a space, C kernels called in this process, CUDA kernels compiled by NVRTC."""

import ctypes
import itertools
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from support import need

from atunner.core.candidate import Params
from atunner.core.expression import evaluate
from atunner.core.program import Problem
from atunner.core.space import Space
from atunner.operators import Arrays, KernelFamily, Operator
from atunner.tools.process import run


def points(space: Space) -> Iterator[Params]:
    """Every valid point, in the order of the declared values."""
    names = [p.name for p in space.parameters]
    for values in itertools.product(*(p.values for p in space.parameters)):
        params = dict(zip(names, values, strict=True))
        if all(evaluate(c, params) for c in space.constraints):
            yield params


def some_points(space: Space, count: int, seed: int = 0) -> list[Params]:
    """Up to `count` valid points, drawn with a seed; each value of each parameter is equally likely to appear."""
    generator = random.Random(seed)
    found: list[Params] = []
    for _ in range(400 * count):
        params = {p.name: generator.choice(p.values) for p in space.parameters if p.values}
        complete = len(params) == len(space.parameters)
        if complete and params not in found and all(evaluate(c, params) for c in space.constraints):
            found.append(params)
        if len(found) == count:
            break
    return found


def build_c(family: KernelFamily, problem: Problem, params: Params, folder: Path, compiler: str = "gcc") -> Path:
    """The shared library of one candidate."""
    need(compiler)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kernel.c").write_text(family.text(), encoding="utf-8")
    macros = [f"-D{name}={value}" for name, value in problem.macros(params).items()]
    flags = ["-O3", "-march=native", "-fopenmp", "-shared", "-fPIC", "-Wall", "-Werror", "-Wno-unknown-pragmas"]
    done = run(compiler, *flags, *macros, "kernel.c", "-o", "kernel.so", "-lm", cwd=folder, timeout_s=60)
    assert done.code == 0, done.output
    return folder / "kernel.so"


def run_c(library: Path, family: KernelFamily, problem: Problem, params: Params, inputs: Arrays) -> Arrays:
    """The outputs of one call; outputs and workspaces start as NaN, guards behind each array must survive."""
    names = problem.dims | params
    arrays = {b.name: np.full(b.elements, np.nan, b.dtype) for b in problem.buffers if b.role == "output"}
    arrays |= {name: np.ascontiguousarray(value).ravel() for name, value in inputs.items()}
    for space in family.program.workspaces:
        arrays[space.name] = np.full(int(evaluate(space.elements, names)), np.nan, space.dtype)
    guarded = {name: np.concatenate([a, np.full(64, 12345.0, a.dtype)]) for name, a in arrays.items()}
    loaded = ctypes.CDLL(str(library))
    for launch in family.program.launches:
        getattr(loaded, launch.kernel)(*(ctypes.c_void_p(guarded[a].ctypes.data) for a in launch.args))
    for name, array in guarded.items():
        assert (array[-64:] == 12345.0).all(), f"{family.name} wrote behind {name}"
    return {b.name: guarded[b.name][:-64].reshape(b.shape) for b in problem.buffers if b.role == "output"}


def worst(operator: Operator, problem: Problem, inputs: Arrays, outputs: Arrays) -> float:
    """The largest error of any element in units of its tolerance; NaN counts as infinite."""
    reference = operator.reference(problem, inputs)
    tolerance = operator.tolerance(problem, inputs, reference)
    ratios = [np.abs(outputs[n].astype(float) - reference[n].astype(float)) / tolerance[n] for n in reference]
    return max(float(np.nan_to_num(r, nan=np.inf).max()) for r in ratios)


def compile_cuda(family: KernelFamily, problem: Problem, params: Params, arch: str) -> bytes:
    """The cubin of one candidate; fails the test with the compiler's words."""
    try:
        from cuda.core import Program, ProgramOptions
    except ImportError:
        need("nvrtc", present=False, reason="the cuda extra is not installed")
    options = ProgramOptions(
        arch=arch, std="c++17", define_macro=list(problem.macros(params).items()), ptxas_options=["-v"]
    )
    compiled = Program(family.text(), "c++", options=options).compile("cubin")
    return bytes(compiled.code)


def instruction_mix(cubin: bytes, folder: Path) -> dict[str, float]:
    """Share of each instruction class in the machine code of all kernels of one candidate."""
    from cuda.pathfinder import find_nvidia_binary_utility

    program = find_nvidia_binary_utility("nvdisasm")
    need("nvdisasm", present=program is not None)
    (folder / "kernel.cubin").write_bytes(cubin)
    done = run(str(program), "-c", "kernel.cubin", cwd=folder, timeout_s=60)
    assert done.code == 0, done.output
    found = Counter(_kind(opcode) for opcode in _OPCODE.findall(done.output))
    return {kind: found[kind] / found.total() for kind in _KINDS}


_OPCODE = re.compile(r"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9]*)")
_KINDS = ("FFMA", "FADD", "LDG", "STG", "LDS", "STS", "BAR", "integer")


def _kind(opcode: str) -> str:
    return opcode if opcode in _KINDS else "integer"
