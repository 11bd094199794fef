"""The only maker of trials: check, build, verify, measure, verify again. The same for every domain."""

import time
from typing import Protocol

from atunner.core.candidate import Candidate
from atunner.core.errors import CandidateError, NotMeasured
from atunner.core.measurement import Measurement
from atunner.core.ports import Built
from atunner.core.profile import Profile
from atunner.core.status import Provenance, Status
from atunner.core.task import Spent, Task
from atunner.core.trial import Check, Trial

FEEDBACK = 2000
"""Characters of feedback that a proposer is told at most."""


class Stages(Protocol[Built]):
    """The part of a Domain that the judge calls."""

    def check(self, task: Task, candidate: Candidate) -> tuple[Check, ...]:
        """The static gate. Raises Rejected."""
        ...

    def build(self, task: Task, candidate: Candidate) -> Built:
        """Compile. Raises NotBuilt."""
        ...

    def verify(self, task: Task, built: Built) -> tuple[Check, ...]:
        """Compare with the reference. Raises Wrong, Crashed, TimedOut, NotVerified."""
        ...

    def measure(self, task: Task, built: Built) -> Measurement:
        """The objective's figure. Raises NotMeasured and those of verify."""
        ...

    def profile(self, task: Task, built: Built) -> Profile:
        """What limits this candidate. Raises NotMeasured."""
        ...


class _Found:
    def __init__(self) -> None:
        self.checks: list[Check] = []
        self.measurement: Measurement | None = None
        self.profile: Profile | None = None


def judge(domain: Stages[Built], task: Task, candidate: Candidate) -> Trial:
    """Judge one candidate.

    A CandidateError of any stage becomes the trial's status and feedback, and what was found before it is kept; then
    there is no measurement, whatever was measured.

    Raises:
        ToolError, UserError: the world's or the task's fault; there is no trial.
    """
    started = time.perf_counter()
    found = _Found()
    status, feedback = Status.OK, ""
    try:
        _stages(domain, task, candidate, found)
    except CandidateError as error:
        status, feedback = error.status, str(error)[:FEEDBACK]
    good = status is Status.OK
    return Trial(
        candidate=candidate,
        status=status,
        feedback=feedback,
        measurement=found.measurement if good else None,
        checks=tuple(found.checks),
        profile=found.profile,
        cost=Spent(trials=1, seconds=time.perf_counter() - started),
    )


def _stages(domain: Stages[Built], task: Task, candidate: Candidate, found: _Found) -> None:
    found.checks += domain.check(task, candidate)
    built = domain.build(task, candidate)
    found.checks += domain.verify(task, built)
    measurement = domain.measure(task, built)
    if measurement.provenance is Provenance.MEASURED:
        found.checks += (_after(check) for check in domain.verify(task, built))
    found.measurement = measurement
    try:
        found.profile = domain.profile(task, built)
    except NotMeasured:
        found.profile = None


def _after(check: Check) -> Check:
    return check.model_copy(update={"name": f"{check.name}, after timing"})
