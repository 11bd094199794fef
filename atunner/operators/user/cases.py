"""Tests of a user's kernel: inputs and expected outputs that were given, or recipes for inputs."""

import zlib
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from atunner.core.program import Buffer
from atunner.core.value import Value


class GivenArray(Value):
    """An array in a .npy file, held against its SHA-256."""

    file: str
    digest: str = ""


class Recipe(Value):
    """How the contents of one input are drawn from a seed.

    kind: uniform (between low and high), normal (around low, high away), integers (low to high), constant (low), ramp
    (low to high in order), or sparse (nine of ten are 0, the others uniform).
    """

    kind: Literal["uniform", "normal", "integers", "constant", "ramp", "sparse"] = "uniform"
    low: float = Field(default=-1.0, allow_inf_nan=False)
    high: float = Field(default=1.0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _ordered(self) -> "Recipe":
        if self.high < self.low:
            raise ValueError(f"low is {self.low:g} and high is {self.high:g}")
        return self

    def drawn(self, buffer: Buffer, seed: int) -> NDArray[np.generic]:
        """The contents of `buffer` for a seed."""
        generator = np.random.default_rng((seed, zlib.crc32(buffer.name.encode())))
        found = self._numbers(buffer.elements, generator)
        kind = np.dtype(buffer.dtype).kind
        return (found if kind == "f" else np.rint(found)).astype(buffer.dtype).reshape(buffer.shape)

    def _numbers(self, count: int, generator: np.random.Generator) -> NDArray[np.float64]:
        if self.kind == "normal":
            return generator.normal(self.low, max(abs(self.high), 1e-30), count)
        if self.kind == "integers":
            return np.floor(generator.uniform(self.low, self.high + 1, count))
        if self.kind == "constant":
            return np.full(count, self.low)
        if self.kind == "ramp":
            return np.linspace(self.low, self.high, count)
        drawn = generator.uniform(self.low, self.high, count)
        return drawn if self.kind == "uniform" else np.where(generator.random(count) < 0.1, drawn, 0.0)


class GivenTest(Value):
    """One test. sizes: where it has others than the kernel; inputs that are named neither here nor there are random.

    outputs: what is right, by argument; others are answered like any other input. origin: user, or model:NAME.
    """

    name: str
    sizes: dict[str, int] = Field(default_factory=dict)
    inputs: dict[str, GivenArray] = Field(default_factory=dict)
    recipes: dict[str, Recipe] = Field(default_factory=dict)
    outputs: dict[str, GivenArray] = Field(default_factory=dict)
    origin: str = "user"


def cases_at(tests: tuple[GivenTest, ...], sizes: Mapping[str, int], at: Mapping[str, int]) -> tuple[GivenTest, ...]:
    """The tests whose problem has the sizes `at`. sizes: the kernel's own."""
    return tuple(t for t in tests if {**sizes, **t.sizes} == dict(at))


def case_of(tests: tuple[GivenTest, ...], number: int, generated: bool) -> GivenTest | None:
    """The test that a draw takes, in turn; None for random inputs. generated: random inputs have a turn too."""
    turns = len(tests) + (1 if generated else 0)
    if not turns or number % turns >= len(tests):
        return None
    return tests[number % turns]
