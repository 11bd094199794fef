"""Operators: what to compute. One file (or folder) each, and one line in the table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from atunner.core.candidate import Candidate, Params
from atunner.core.facts import OperatorFacts
from atunner.core.plugins import load, names
from atunner.core.program import PROGRAM_FILE, Problem, Program
from atunner.core.space import Space

Arrays = dict[str, NDArray[np.generic]]

BUILT_IN = {
    "conv2d": "atunner.operators.conv2d:OPERATOR",
    "matmul": "atunner.operators.matmul:OPERATOR",
    "softmax": "atunner.operators.softmax:OPERATOR",
    "layer_norm": "atunner.operators.layer_norm:OPERATOR",
    "reduce_sum": "atunner.operators.reduce_sum:OPERATOR",
}


@dataclass(frozen=True)
class KernelFamily:
    """One algorithm for one operator in one language.

    source: file in `atunner/operators/kernels/`. space: the tunables for a problem (values that cannot apply to it are
    already left out). default: a sensible point that is valid for every problem. techniques: knowledge-base names.
    """

    name: str
    summary: str
    source: str
    program: Program
    space: Callable[[Problem], Space]
    techniques: tuple[str, ...] = ()

    def text(self) -> str:
        """The source as shipped."""
        return _source(self.source)

    def realise(self, params: Params, origin: str = "search") -> Candidate:
        """The candidate at one point of the space."""
        return Candidate(
            files={self.program.source: self.text(), PROGRAM_FILE: self.program.model_dump_json(indent=1)},
            params=params,
            family=self.name,
            origin=origin,
        )


@lru_cache
def _source(name: str) -> str:
    return (files("atunner.operators") / "kernels" / name).read_text(encoding="utf-8")


@dataclass(frozen=True)
class KernelSet:
    """All that one language has for an operator; `baseline` is naive and has no parameters."""

    baseline: KernelFamily
    families: tuple[KernelFamily, ...] = field(default_factory=tuple)


class Operator(Protocol):
    """What an operator must say. Arrays are row-major; references are float64."""

    name: str
    summary: str
    shape_help: str
    default_shape: tuple[int, ...]
    kernels: Mapping[str, KernelSet]

    def problem(self, shape: tuple[int, ...], settings: Mapping[str, int | str], dtype: str) -> Problem:
        """The full problem. Raises UserError on an illegal shape, setting or dtype."""
        ...

    def facts(self, problem: Problem, given: frozenset[str]) -> OperatorFacts:
        """FLOPs, bytes, access and reuse; settings not in `given` are marked as assumed."""
        ...

    def inputs(self, problem: Problem, seed: int, scale: float) -> Arrays:
        """Seeded inputs by buffer name; values of magnitude about `scale`."""
        ...

    def reference(self, problem: Problem, inputs: Arrays) -> Arrays:
        """The outputs by buffer name, computed in float64 from the given inputs."""
        ...

    def tolerance(self, problem: Problem, inputs: Arrays, reference: Arrays) -> Arrays:
        """Largest allowed absolute error of each output element: dtype, accumulation length and magnitudes."""
        ...

    def derived(self, problem: Problem) -> tuple[Problem, ...]:
        """Small problems of the same kind for verification: ones, primes, tile edges; cheap for an fp64 reference."""
        ...


def operator(name: str) -> Operator:
    """The operator of that name. Raises UnknownName."""
    found: Operator = load("operators", name, BUILT_IN)
    return found


def known() -> list[str]:
    """All operator names."""
    return names("operators", BUILT_IN)
