"""The matmul operator: its problems, reference and tolerance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from atunner.core.facts import OperatorFacts
from atunner.core.program import Buffer, Problem
from atunner.operators import Arrays, KernelSet
from atunner.operators.matmul import c, cuda
from atunner.operators.matmul.facts import facts_of
from atunner.operators.shapes import (
    accumulation_tolerance,
    checked_dtype,
    checked_settings,
    checked_shape,
    checked_sizes,
    seeded_inputs,
)


@dataclass(frozen=True)
class Matmul:
    """The product of an m x k and a k x n matrix."""

    name: ClassVar[str] = "matmul"
    summary: ClassVar[str] = "matrix product c[m,n] = a[m,k] b[k,n], row-major"
    shape_help: ClassVar[str] = "m,n,k: rows and columns of the result, then the length of the sums"
    default_shape: ClassVar[tuple[int, ...]] = (1024, 1024, 1024)
    kernels: Mapping[str, KernelSet] = field(default_factory=lambda: {"cuda": cuda.KERNELS, "c": c.KERNELS})

    def problem(self, shape: tuple[int, ...], settings: Mapping[str, int | str], dtype: str) -> Problem:
        """The full problem.

        Raises:
            UserError: an illegal shape, a setting (there are none) or an unknown dtype.
        """
        dims = checked_shape(self.name, shape, ("m", "n", "k"))
        checked_settings(self.name, settings, {}, least={})
        return _problem(dims, checked_dtype(self.name, dtype))

    def facts(self, problem: Problem, given: frozenset[str]) -> OperatorFacts:
        """FLOPs, bytes, access and reuse; there are no settings to assume."""
        return facts_of(problem)

    def inputs(self, problem: Problem, seed: int, scale: float) -> Arrays:
        """Seeded normal values for a (m, k) and b (k, n)."""
        return seeded_inputs(problem, seed, scale)

    def reference(self, problem: Problem, inputs: Arrays) -> Arrays:
        """The product c (m, n) in float64."""
        return {"c": inputs["a"].astype(np.float64) @ inputs["b"].astype(np.float64)}

    def tolerance(self, problem: Problem, inputs: Arrays, reference: Arrays) -> Arrays:
        """Largest allowed error of each element, from the sum of the absolute products behind it."""
        magnitude = np.abs(inputs["a"].astype(np.float64)) @ np.abs(inputs["b"].astype(np.float64))
        truth = reference["c"].astype(np.float64)
        return {"c": accumulation_tolerance(magnitude, truth, problem.dims["k"], problem.dtype)}

    def derived(self, problem: Problem) -> tuple[Problem, ...]:
        """Five small sizes: one; primes; whole tiles; one beyond a tile; a long sum. An extent of 1 stays 1."""
        sizes = ((1, 1, 1), (37, 53, 19), (64, 96, 32), (65, 33, 129), (4, 12, 1021))
        fixed = {name: 1 for name in ("m", "n") if problem.dims[name] == 1}
        found = (_problem(dict(zip("mnk", size, strict=True)) | fixed, problem.dtype) for size in sizes)
        return tuple({p.model_dump_json(): p for p in found}.values())


def _problem(dims: dict[str, int], dtype: str) -> Problem:
    buffers = (
        Buffer(name="a", dtype=dtype, shape=(dims["m"], dims["k"]), role="input"),
        Buffer(name="b", dtype=dtype, shape=(dims["k"], dims["n"]), role="input"),
        Buffer(name="c", dtype=dtype, shape=(dims["m"], dims["n"]), role="output"),
    )
    return Problem(operator="matmul", dims=dims, dtype=dtype, buffers=checked_sizes("matmul", buffers))
