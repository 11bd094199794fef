"""The judge's stages for one kernel problem: what a domain hands to `core.judge`."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from atunner.core.candidate import Candidate
from atunner.core.errors import Rejected
from atunner.core.measurement import Measurement
from atunner.core.profile import Profile
from atunner.core.program import Problem
from atunner.core.task import Task
from atunner.core.trial import Check, Comparison
from atunner.domains.kernels import timing, verify
from atunner.domains.kernels.backends import Backend
from atunner.domains.kernels.feed import Feed
from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.timing import TimingPlan

B = TypeVar("B")

CEILING = 0.95
"""Faster than this share of the roofline's bound is not believed."""


@dataclass(frozen=True)
class Terms:
    """What a kernel is judged by. hidden: held-out problems. bound_us: the roofline's bound here, if known."""

    oracle: Oracle
    problem: Problem
    hidden: Sequence[Problem] = ()
    timing: TimingPlan = field(default_factory=TimingPlan)
    bound_us: float | None = None


@dataclass(frozen=True)
class Ready(Generic[B]):
    """A candidate and what the backend built of it for the main problem."""

    candidate: Candidate
    built: B


class Stages(Generic[B]):
    """check, build, verify, measure, profile and compare for one problem and one backend; the task is already in it."""

    def __init__(self, backend: Backend[B], terms: Terms) -> None:
        self.backend = backend
        self.terms = terms
        self._plan = verify.Plan(terms.oracle, terms.problem, terms.hidden)
        self._timed: dict[str, tuple[Check, ...]] = {}

    def check(self, task: Task, candidate: Candidate) -> tuple[Check, ...]:
        """The static gate. Raises Rejected."""
        return self.backend.check(self.terms.problem, candidate)

    def build(self, task: Task, candidate: Candidate) -> Ready[B]:
        """Compile. Raises NotBuilt, Rejected."""
        return Ready(candidate, self.backend.build(self.terms.problem, candidate))

    def verify(self, task: Task, built: Ready[B]) -> tuple[Check, ...]:
        """Every case of the plan; after a measurement also what its checks said. Raises as `verify.verify`."""
        checks = verify.verify(self.backend, self._plan, built.candidate, built.built)
        return (*checks, *self._timed.pop(built.candidate.id, ()))

    def measure(self, task: Task, built: Ready[B]) -> Measurement:
        """Time it. Raises as `timing.measure`; Rejected when it is faster than the device can be."""
        with self.backend.device(), self._session(built) as session:
            timed = timing.measure(session, self.terms.timing)
            source = session.source
        found = timed.measurement(source, self.backend.environment().id)
        self._timed[built.candidate.id] = (*timed.checks, possible(found, self.terms.bound_us))
        return found

    def profile(self, task: Task, built: Ready[B]) -> Profile:
        """Counters. Raises NotMeasured."""
        with self.backend.device():
            return self.backend.profile(built.built, self._feed())

    def compare(self, task: Task, baseline: Ready[B], candidate: Ready[B]) -> Comparison:
        """Both in new processes on new inputs, interleaved. Raises as `timing.compare`."""
        with self.backend.device(), self._session(baseline) as first, self._session(candidate) as second:
            return timing.compare(first, second, self.terms.timing, seed=secrets.randbits(32))

    def _feed(self) -> Feed:
        return Feed(self.terms.oracle, self.terms.problem, secrets.randbits(63))

    def _session(self, built: Ready[B]) -> timing.Session:
        return self.backend.session(built.built, self._feed(), self.terms.timing)


def possible(found: Measurement, bound_us: float | None) -> Check:
    """Whether a figure is one that the device can reach.

    Raises:
        Rejected: it is faster than that.
    """
    if bound_us is None:
        return Check(name="roofline", passed=True, detail="no ceiling is known for this device")
    detail = f"{found.value:.4g} us against a bound of {bound_us:.4g} us"
    if found.value < CEILING * bound_us:
        raise Rejected(f"Quarantined: {detail}; faster than the device allows, so it does not do the work.")
    return Check(name="roofline", passed=True, detail=detail, figures={"bound_us": bound_us})
