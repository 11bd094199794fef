"""Small operators to hold the judge against: a weighted row sum (linear) and an update in place (non-linear)."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from atunner.core.facts import OperatorFacts
from atunner.core.program import Buffer, Problem
from atunner.operators import Arrays, KernelSet


class RowSum:
    """y[i] = sum_j x[i, j] * w[j], float32."""

    name = "row_sum"
    summary = "weighted sum of each row"
    shape_help = "rows,columns"
    default_shape: tuple[int, ...] = (37, 53)
    kernels: Mapping[str, KernelSet] = MappingProxyType({})

    def problem(self, shape: tuple[int, ...], settings: Mapping[str, int | str], dtype: str) -> Problem:
        """shape: rows, columns."""
        rows, columns = shape
        buffers = (
            Buffer(name="x", shape=(rows, columns), role="input"),
            Buffer(name="w", shape=(columns,), role="input"),
            Buffer(name="y", shape=(rows,), role="output"),
        )
        return Problem(operator=self.name, dims={"rows": rows, "columns": columns}, buffers=buffers)

    def facts(self, problem: Problem, given: frozenset[str]) -> OperatorFacts:
        """One multiplication and one addition for each element of x."""
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
        """Normal values."""
        rng = np.random.default_rng(seed)
        return {
            b.name: (rng.standard_normal(b.shape) * scale).astype(np.float32)
            for b in problem.buffers
            if b.role in ("input", "inout")
        }

    def reference(self, problem: Problem, inputs: Arrays) -> Arrays:
        """The product of x and w in float64."""
        return {"y": inputs["x"].astype(np.float64) @ inputs["w"].astype(np.float64)}

    def tolerance(self, problem: Problem, inputs: Arrays, reference: Arrays) -> Arrays:
        """Any order of summation: (columns + 4) u sum |x w| (N. Higham, Accuracy and Stability, section 4.2)."""
        size = np.abs(inputs["x"].astype(np.float64)) @ np.abs(inputs["w"].astype(np.float64))
        return {"y": size * 2.0**-24 * (4 + problem.dims["columns"])}

    def derived(self, problem: Problem) -> tuple[Problem, ...]:
        """One element, primes, and one more row than a tile."""
        return tuple(self.problem(shape, {}, "float32") for shape in ((1, 1), (3, 17), (33, 8)))


class Swish(RowSum):
    """x := x * w / (1 + exp(-x)) in place, float32; w is one factor for each column."""

    name = "swish_in_place"
    summary = "x * w / (1 + exp(-x)), in place"

    def problem(self, shape: tuple[int, ...], settings: Mapping[str, int | str], dtype: str) -> Problem:
        """shape: rows, columns."""
        rows, columns = shape
        buffers = (
            Buffer(name="x", shape=(rows, columns), role="inout"),
            Buffer(name="w", shape=(columns,), role="input"),
        )
        return Problem(operator=self.name, dims={"rows": rows, "columns": columns}, buffers=buffers)

    def reference(self, problem: Problem, inputs: Arrays) -> Arrays:
        """In float64."""
        x, w = inputs["x"].astype(np.float64), inputs["w"].astype(np.float64)
        return {"x": x * w / (1 + np.exp(-np.clip(x, -700, 700)))}

    def tolerance(self, problem: Problem, inputs: Arrays, reference: Arrays) -> Arrays:
        """Four roundings and an exponential good to some ulp of its argument; at least 1e-30, where exp overflows."""
        size = np.abs(reference["x"].astype(np.float64))
        return {"x": size * 2.0**-24 * (16 + np.abs(inputs["x"].astype(np.float64))) + 1e-30}


ROW_SUM = RowSum()
SWISH = Swish()
OPERATORS = {operator.name: operator for operator in (ROW_SUM, SWISH)}
