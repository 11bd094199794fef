"""A candidate, judged."""

from pydantic import Field, JsonValue

from atunner.core.candidate import Candidate
from atunner.core.measurement import Measurement
from atunner.core.profile import Profile
from atunner.core.status import Status
from atunner.core.task import Spent
from atunner.core.value import Value


class Check(Value):
    """The verdict of one check, kept as evidence. `detail` has shape, seed, error and tolerance in words."""

    name: str
    version: str = "1"
    passed: bool
    detail: str = ""
    figures: dict[str, JsonValue] = Field(default_factory=dict)


class Comparison(Value):
    """Candidate against baseline, interleaved in one session: speed-up with its interval.

    ratio: median of baseline / candidate for a figure to minimise, so above 1 is better. low, high: 95 %
    bootstrap interval. minimum_gain: what `is_better` demanded beyond 1. checks: of both sides' samples.
    """

    ratio: float
    low: float
    high: float
    minimum_gain: float
    baseline: Measurement
    candidate: Measurement
    checks: tuple[Check, ...] = ()

    @property
    def better(self) -> bool:
        """A statement of statistics: the lower bound is above 1 + minimum gain."""
        return self.low > 1.0 + self.minimum_gain


class Trial(Value):
    """What the judge found. Only an OK trial has a measurement.

    feedback: for the proposer, short. profile: what limits it (static facts or counters).
    """

    candidate: Candidate
    status: Status
    feedback: str = ""
    measurement: Measurement | None = None
    checks: tuple[Check, ...] = ()
    profile: Profile | None = None
    comparison: Comparison | None = None
    cost: Spent = Spent()


class Screening(Value):
    """A cheap look at a candidate before it is judged: compiled, inspected, scored; not a result.

    score: relative cost by the ranking model, or the least time of a few unverified calls where candidates are raced
    (lower is better); None when it could not be built or is known not to fit: then `reason` says why. It orders what to
    judge next and is never published as a figure. built: digest of what the build made, "" where nobody looked: two
    candidates that became the same are one evaluation.
    """

    candidate: Candidate
    score: float | None = None
    reason: str = ""
    profile: Profile | None = None
    built: str = ""
