"""The leaderboard and the failures as rows; terminal, page and CSV show the same ones."""

import re
from collections import Counter, defaultdict

from pydantic import Field

from atunner.core.candidate import Params
from atunner.core.metric import goals, metrics_of, quantities, unit_of
from atunner.core.profile import Occupancy, Profile
from atunner.core.record import RunRecord
from atunner.core.status import Provenance, Status
from atunner.core.trial import Comparison, Trial
from atunner.core.value import Value
from atunner.reports import wording

NO_FAMILY = "unnamed"
COUNTED = ("inputs", "cases")
"""Figures of a check that count inputs."""

TIME_AT = re.compile(r"^time_us_at_(\d+)_threads?$")
"""How a CPU measurement at another number of threads is named among a profile's counters."""


class Resources(Value):
    """What a candidate takes of the device: the worst of its kernels; sizes in bytes."""

    kernels: int
    registers: int
    static_shared: int
    dynamic_shared: int
    spill_bytes: int
    occupancy: Occupancy | None


class Row(Value):
    """One line of the leaderboard. rank 0 is the baseline; base: what that is called in a cell.

    relative: figure over the baseline's, of the same provenance. times: microseconds by number of threads.
    checked: inputs on which the results were right, None where the checks do not count them. beside: what was measured
    or computed beside the objective, in words.
    """

    rank: int
    candidate: str
    family: str
    params: Params
    origin: str
    value: float
    unit: str
    provenance: Provenance
    relative: float | None = None
    comparison: Comparison | None = None
    times: dict[int, float] = Field(default_factory=dict)
    bound_us: float | None = None
    checked: int | None = None
    resources: Resources | None = None
    base: str = "naive"
    beside: dict[str, str] = Field(default_factory=dict)


class Failure(Value):
    """All trials that ended in one status: how many, and the commonest reason as one of them gave it."""

    status: Status
    count: int
    reason: str
    share: float


def resources(profile: Profile | None) -> Resources | None:
    """The worst of all kernels of a candidate; None where machine code was not read."""
    if profile is None or not profile.kernels:
        return None
    kernels = profile.kernels
    occupancies = [k.occupancy for k in kernels if k.occupancy]
    return Resources(
        kernels=len(kernels),
        registers=max(k.registers for k in kernels),
        static_shared=max(k.static_shared for k in kernels),
        dynamic_shared=max(k.dynamic_shared for k in kernels),
        spill_bytes=sum(k.spill_bytes for k in kernels),
        occupancy=min(occupancies, key=lambda o: o.fraction, default=None),
    )


def inputs_checked(trial: Trial) -> int | None:
    """How many inputs the results were right on, by the checks' own count; None where none of them counts."""
    counts = [c.figures[name] for c in trial.checks if c.passed for name in COUNTED if name in c.figures]
    whole = [int(c) for c in counts if isinstance(c, int | float)]
    return sum(whole) if whole else None


def times_by_threads(trial: Trial) -> dict[int, float]:
    """Microseconds by number of threads, where the profile has them (time_us_at_4_threads)."""
    counters = trial.profile.counters if trial.profile else None
    found = {int(m[1]): v for k, v in (counters.values if counters else {}).items() if (m := TIME_AT.match(k))}
    return dict(sorted(found.items()))


def row(record: RunRecord, trial: Trial, rank: int) -> Row | None:
    """The line of one trial; None when it has no figure."""
    if trial.status is not Status.OK or trial.measurement is None:
        return None
    confirmed = record.confirmed if trial.candidate.id == record.best else None
    return Row(
        rank=rank,
        candidate=trial.candidate.id,
        family=trial.candidate.family or NO_FAMILY,
        params=trial.candidate.params,
        origin=trial.candidate.origin,
        value=trial.measurement.value,
        unit=trial.measurement.unit,
        provenance=trial.measurement.provenance,
        relative=wording.relative(record, trial.measurement),
        comparison=confirmed or trial.comparison,
        times=times_by_threads(trial),
        bound_us=trial.profile.bound_us if trial.profile else None,
        checked=inputs_checked(trial),
        resources=resources(trial.profile),
        base=wording.base_short(record),
        beside=_beside(record, trial),
    )


def _beside(record: RunRecord, trial: Trial) -> dict[str, str]:
    shown = [*(g.metric for g in goals(record.task)), *(m.name for m in metrics_of(record.task))]
    told, first = quantities(trial), record.task.objective.metric
    return {n: wording.duration(told[n], unit_of(n)) for n in dict.fromkeys(shown) if n in told and n != first}


def leaderboard(record: RunRecord) -> tuple[Row, ...]:
    """Verified candidates, best first; only figures of this run's provenance are among them."""
    rows = (row(record, trial, rank) for rank, trial in enumerate(record.ranked, start=1))
    return tuple(r for r in rows if r is not None)


def baseline(record: RunRecord) -> Row | None:
    """The naive baseline's line."""
    return row(record, record.baseline, 0) if record.baseline else None


def failures(record: RunRecord) -> tuple[Failure, ...]:
    """Every status but OK with its count and its commonest reason, the commonest status first.

    What failed before it was judged counts too: it was not built, does not fit, or failed in its race.
    """
    groups: dict[Status, list[str]] = defaultdict(list)
    for trial in record.trials:
        if trial.status is not Status.OK:
            groups[trial.status].append(first_line(trial.feedback))
    judged = {t.candidate.id for t in record.trials}
    for screening in record.screenings:
        if screening.reason and screening.candidate.id not in judged:
            status, reason = _failed_early(screening.reason)
            groups[status].append(first_line(reason))
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    return tuple(_failure(status, reasons) for status, reasons in ordered)


def _failed_early(reason: str) -> tuple[Status, str]:
    """The status and the words of a screening's reason, which begins with the status where there was an error."""
    word, _, rest = reason.partition(": ")
    found = next((s for s in Status if s.value == word), None)
    if found is not None:
        return found, rest
    return (Status.NOT_BUILT if reason.startswith("its build") else Status.REJECTED), reason


def _failure(status: Status, reasons: list[str]) -> Failure:
    kinds = Counter(re.sub(r"\d+", "#", reason) for reason in reasons)
    kind, count = kinds.most_common(1)[0]
    example = next(r for r in reasons if re.sub(r"\d+", "#", r) == kind)
    return Failure(status=status, count=len(reasons), reason=example, share=count / len(reasons))


def first_line(text: str) -> str:
    """The first line that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")


def status_counts(record: RunRecord) -> dict[Status, int]:
    """Trials by status, in the order of Status."""
    counts = Counter(t.status for t in record.trials)
    return {status: counts[status] for status in Status if counts[status]}


def screened(record: RunRecord) -> tuple[int, int]:
    """How many candidates were looked at, and how many of them could be built and scored."""
    return len(record.screenings), sum(s.score is not None for s in record.screenings)
