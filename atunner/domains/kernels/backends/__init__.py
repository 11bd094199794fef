"""Backends: one language each. They compile, run given inputs and return what came out; they decide nothing.

A domain glues them together:

    backend.check(problem, candidate); built = backend.build(problem, candidate)
    verify.verify(backend, verify.Plan(oracle, problem, hidden), candidate, built)
    with backend.session(built, Feed(oracle, problem, seed), plan) as session: timing.measure(session, plan)
    with backend.session(base, ...) as a, backend.session(built, ...) as b: timing.compare(a, b, plan)
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from atunner.core.candidate import Candidate
from atunner.core.measurement import Environment
from atunner.core.plugins import load, names
from atunner.core.profile import Profile
from atunner.core.program import Problem
from atunner.core.trial import Check
from atunner.domains.kernels.feed import Feed
from atunner.domains.kernels.timing import Session, TimingPlan
from atunner.operators import Arrays

Built = TypeVar("Built")

BUILT_IN = {
    "c": "atunner.domains.kernels.backends.c:CBackend",
    "cuda": "atunner.domains.kernels.backends.cuda:CudaBackend",
    "hip": "atunner.domains.kernels.backends.hip:HipBackend",
    "opencl": "atunner.domains.kernels.backends.opencl:OpenclBackend",
}


@dataclass(frozen=True)
class Case:
    """One run of a built candidate: arrays of the input and inout buffers by name.

    storage: which set of buffers is used; equal numbers within a job mean equal addresses, other numbers other ones.
    """

    inputs: Arrays
    storage: int = 0


@dataclass(frozen=True)
class Ran:
    """What one run left. outputs: copies of the output and inout buffers, poisoned before the run.

    faults: what the runner saw and the candidate must not do (guard zone overwritten, input changed), in words.
    """

    outputs: Arrays
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job(Generic[Built]):
    """Cases for one problem, run in order in one process. label: how messages call the problem."""

    built: Built
    cases: Sequence[Case]
    label: str


class Backend(Protocol[Built]):
    """One language. What it builds knows its problem and its candidate."""

    language: str

    def check(self, problem: Problem, candidate: Candidate) -> tuple[Check, ...]:
        """The static gate. Raises Rejected."""
        ...

    def build(self, problem: Problem, candidate: Candidate) -> Built:
        """Compile for this problem; a second call with the same content costs nothing. Raises NotBuilt, Rejected."""
        ...

    def run_cases(self, jobs: Sequence[Job[Built]]) -> list[list[Ran]]:
        """Outputs of every case, away from this process. Raises Crashed, TimedOut, NotVerified."""
        ...

    def device(self) -> AbstractContextManager[None]:
        """The device for one measurement at a time, whichever process of this machine wants it."""
        ...

    def session(self, built: Built, feed: Feed, plan: TimingPlan) -> Session:
        """A timing session on the device, for `timing.measure` and `timing.compare`.

        Raises:
            NotMeasured: there is no device.
        """
        ...

    def profile(self, built: Built, feed: Feed) -> Profile:
        """What limits this candidate. Raises NotMeasured where nothing can be said."""
        ...

    def environment(self) -> Environment:
        """Where figures of this backend come from."""
        ...


def backend(language: str) -> Any:
    """The class of the backend for `language`. Raises UnknownName."""
    return load("backends", language, BUILT_IN)


def known() -> list[str]:
    """All languages."""
    return names("backends", BUILT_IN)
