"""The live comparison's other side: a kernel as Kernel Tuner takes it, and when its best so far was near the best."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from live_truth import Truth

from atunner.core.program import Problem
from atunner.core.value import canonical
from atunner.domains.user_kernels.python_answer import PythonAnswer
from atunner.operators.user import UserKernel, UserOperator, problem_of

FLAGS = ["-O3", "-march=native"]
TIMED = """
#include <time.h>
float timed_{name}({declared}) {{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    {name}({passed});
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (to.tv_sec - from.tv_sec) * 1e3f + (to.tv_nsec - from.tv_nsec) * 1e-6f;
}}
"""


def peer_job(truth: Truth, folder: Path) -> dict[str, Any]:
    """The kernel with its space, and inputs and answers from our description of it."""
    kernel = truth.kernel
    problem = problem_of(kernel, kernel.sizes)
    operator = UserOperator(kernel, PythonAnswer(kernel, truth.cache))
    inputs = operator.inputs(problem, 1, 1.0)
    right = operator.reference(problem, inputs)
    tolerance = operator.tolerance(problem, inputs, right)
    made = {b.name: inputs.get(b.name, np.zeros(b.shape, b.dtype)) for b in problem.buffers}
    np.savez(folder / "arguments.npz", **made)  # type: ignore[arg-type]  # numpy's stubs name its own options
    np.savez(folder / "answer.npz", **{n: v.astype(np.float32) for n, v in right.items()})  # type: ignore[arg-type]
    return {
        "parameters": {p.name: list(p.values) for p in kernel.space.parameters},
        "constraints": list(kernel.space.constraints),
        "order": [(a.name, a.dtype, 0 if a.name in made else problem.dims[a.value]) for a in kernel.arguments],
        "arguments": str(folder / "arguments.npz"),
        "answer": str(folder / "answer.npz"),
        "atol": float(max(np.max(v) for v in tolerance.values())),
        **(_in_c(kernel, problem) if kernel.language == "c" else _in_opencl(kernel)),
    }


def _in_c(kernel: UserKernel, problem: Problem) -> dict[str, Any]:
    """A function that says what the call took, as Kernel Tuner wants it."""
    tensors = {b.name for b in problem.buffers}
    declared = ", ".join(f"{'float *' if a.name in tensors else 'int '}{a.name}" for a in kernel.arguments)
    passed = ", ".join(a.name for a in kernel.arguments)
    timed = TIMED.format(name=kernel.name, declared=declared, passed=passed)
    source = kernel.source + timed
    return {"name": f"timed_{kernel.name}", "source": source, "language": "C", "flags": FLAGS, "size": 1, "grid": {}}


def _in_opencl(kernel: UserKernel) -> dict[str, Any]:
    size = [value for name, value in kernel.sizes.items() if name.startswith("problem_size")]
    grid = {f"grid_div_{axis}": [f"block_size_{axis}", f"tile_size_{axis}"] for axis in "xy"}
    common = {"name": kernel.name, "source": kernel.source, "language": "OpenCL", "flags": []}
    return {**common, "size": size, "grid": grid}


def reached(folder: Path, cache: Path, names: Sequence[str], near: set[str]) -> dict[str, Any] | None:
    """Seconds, evaluations and configuration when its best so far was near the true best, from its own cache file."""
    if not cache.exists() or not (folder / "started").exists():
        return None
    text = cache.read_text().rstrip().rstrip(",")
    entries = next((e for closing in ("", "}", "}}") if (e := _entries(text + closing)) is not None), [])
    begun, best = float((folder / "started").read_text()), float("inf")
    for count, entry in enumerate(entries, 1):
        if not isinstance(entry["time"], float) or entry["time"] >= best:
            continue
        best, key = entry["time"], canonical({n: entry[n] for n in names})
        if key in near:
            seconds = datetime.fromisoformat(entry["timestamp"]).timestamp() - begun
            return {"seconds": seconds, "evaluations": count, "winner": key}
    return None


def _entries(text: str) -> list[dict[str, Any]] | None:
    try:
        return list(json.loads(text)["cache"].values())
    except (json.JSONDecodeError, KeyError):
        return None
