"""A tiny operator of our own for tests of the judge: y = a x + b, and row sums for what is linear and accumulates."""

from collections.abc import Mapping

import numpy as np

from atunner.core.candidate import Candidate
from atunner.core.facts import OperatorFacts
from atunner.core.program import PROGRAM_FILE, Buffer, Launch, Problem, Program, Workspace
from atunner.operators import Arrays, KernelSet


class RowSum:
    """y[i] = sum_j x[i, j] * w[j], float32."""

    name = "row_sum"
    summary = "weighted sum of each row"
    shape_help = "rows,columns"
    default_shape = (37, 53)
    kernels: Mapping[str, KernelSet] = {}

    def problem(self, shape: tuple[int, ...], settings: Mapping[str, int | str], dtype: str) -> Problem:
        rows, columns = shape
        buffers = (
            Buffer(name="x", shape=(rows, columns), role="input"),
            Buffer(name="w", shape=(columns,), role="input"),
            Buffer(name="y", shape=(rows,), role="output"),
        )
        return Problem(operator=self.name, dims={"rows": rows, "columns": columns}, buffers=buffers)

    def facts(self, problem: Problem, given: frozenset[str]) -> OperatorFacts:
        rows, columns = problem.dims["rows"], problem.dims["columns"]
        tensors = {b.name: b.shape for b in problem.buffers}
        return OperatorFacts(
            operator=self.name,
            dtype="float32",
            settings=(),
            tensors=tensors,
            flops=2.0 * rows * columns,
            min_bytes=4.0 * (rows * columns + rows + columns),
        )

    def inputs(self, problem: Problem, seed: int, scale: float) -> Arrays:
        rng = np.random.default_rng(seed)
        return {
            b.name: (rng.standard_normal(b.shape) * scale).astype(np.float32)
            for b in problem.buffers
            if b.role == "input"
        }

    def reference(self, problem: Problem, inputs: Arrays) -> Arrays:
        return {"y": inputs["x"].astype(np.float64) @ inputs["w"].astype(np.float64)}

    def tolerance(self, problem: Problem, inputs: Arrays, reference: Arrays) -> Arrays:
        size = np.abs(inputs["x"].astype(np.float64)) @ np.abs(inputs["w"].astype(np.float64))
        return {"y": size * 2.0**-24 * (4 + problem.dims["columns"])}

    def derived(self, problem: Problem) -> tuple[Problem, ...]:
        return tuple(self.problem(shape, {}, "float32") for shape in ((1, 1), (3, 17), (33, 8)))


ROW_SUM = RowSum()
ARGS = ("x", "w", "y", "int32:rows", "int32:columns")

HONEST = """
void row_sum(const float *x, const float *w, float *y, int rows, int columns) {
    for (int i = 0; i < rows; i++) {
        float sum = 0;
        for (int j = 0; j < columns; j++) sum += x[i * (long)columns + j] * w[j];
        y[i] = sum;
    }
}
"""


def candidate(
    source: str,
    args: tuple[str, ...] = ARGS,
    kernels: tuple[str, ...] = ("row_sum",),
    flags: tuple[str, ...] = (),
    workspaces: tuple[Workspace, ...] = (),
    deterministic: bool = True,
) -> Candidate:
    program = Program(
        language="c",
        source="kernel.c",
        launches=tuple(Launch(kernel=k, args=args) for k in kernels),
        flags=flags,
        workspaces=workspaces,
        deterministic=deterministic,
    )
    return Candidate(files={"kernel.c": source, PROGRAM_FILE: program.model_dump_json()})
