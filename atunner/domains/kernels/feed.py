"""What timed calls are fed: contents that never come twice, and at secret places some whose answer is known."""

import random
from dataclasses import dataclass

import numpy as np

from atunner.core.errors import Wrong
from atunner.core.program import Problem
from atunner.domains.kernels.oracle import Draw, Oracle, Truth, written_buffers
from atunner.operators import Arrays, Operator

BASES = 2
CHECKED = 0.1
LOOKED_AT = 16
"""Elements of an unanswered call's output that are looked at, at places that nobody knows beforehand."""
PLACES = 0x91ACE5
FIRST_NUMBER = 1000
"""Draws of the feed are numbered from here, so that none is one of verification's."""


@dataclass(frozen=True)
class Fed:
    """Inputs of one timed call: `inputs` rotated by `shift`. truth: the answer, when this call is checked in full."""

    inputs: Arrays
    shift: int
    truth: Truth | None


class Feed:
    """An endless supply of inputs for one problem.

    One call in ten is checked in full. Its answer comes from the oracle's cache: the same few checked contents serve
    every candidate of a run, but no process sees one of them twice until `answers` of them are used up.
    """

    def __init__(self, oracle: Oracle, problem: Problem, seed: int, answers: int | None = None) -> None:
        self.problem = problem
        self._oracle = oracle
        self._random = random.Random(seed)
        self._places = np.random.default_rng(seed ^ PLACES)
        self._elements = max(b.elements for b in problem.buffers)
        self._answers = answers or max(3, min(24, (48 << 20) // (self._elements * 32)))
        self._order = self._random.sample(range(self._answers), self._answers)
        self._bases = [oracle.base(problem, Draw(number=FIRST_NUMBER + i)) for i in range(BASES)]
        self._used = 0
        self._fed = 0

    @property
    def operator(self) -> Operator:
        """What is computed."""
        return self._oracle.operator

    def draw(self, problem: Problem) -> Arrays:
        """Inputs for another problem of the same operator."""
        return self._oracle.inputs(problem, Draw(number=FIRST_NUMBER + self._random.randrange(1 << 20)))

    @property
    def checked(self) -> int:
        """Calls fed so far whose outputs are checked in full."""
        return self._used

    def next(self) -> Fed:
        """Inputs for one more call; early calls and then one in ten at random carry their answer."""
        self._fed += 1
        if self._used < CHECKED * self._fed or self._random.random() < CHECKED / 2:
            return self._answered()
        shift = self._random.randrange(1, max(2, self._elements))
        return Fed(self._bases[self._random.randrange(BASES)], shift, None)

    def _answered(self) -> Fed:
        index = self._order[self._used % self._answers]
        self._used += 1
        # The rotation of an answered draw is drawn from the oracle's secret, so it can be cached.
        shift = random.Random(self._oracle.secret + index).randrange(1, max(2, self._elements))
        draw = Draw(number=FIRST_NUMBER + index % BASES, shift=shift)
        truth = self._oracle.truth(self.problem, draw)
        return Fed(truth.inputs, 0, truth)

    def hold(self, fed: Fed, outputs: Arrays) -> None:
        """Check the outputs of a timed call as far as they can be.

        Raises:
            Wrong: out of tolerance, or (unanswered calls) left as poisoned.
        """
        if fed.truth is not None:
            found = fed.truth.mismatch(outputs)
            if found is not None:
                raise Wrong(f"A timed call was wrong though verification passed: {found}.")
            return
        for buffer in written_buffers(self.problem):
            if buffer.role == "output" and outputs[buffer.name].dtype.kind == "f":
                self._written(buffer.name, outputs)

    def _written(self, name: str, outputs: Arrays) -> None:
        flat = outputs[name].reshape(-1)
        seen = flat[self._places.integers(0, flat.size, LOOKED_AT)].view(np.uint8).reshape(LOOKED_AT, -1)
        if bool((seen == 0xFF).all(axis=1).any()):
            raise Wrong(f"A timed call left elements of {name} unwritten though verification passed.")
