"""Runs on C programs as figures: before and after, and one step for each candidate; from the record only."""

from collections.abc import Mapping
from pathlib import PurePath

from pydantic import Field, JsonValue

from atunner.core.profile import Profile
from atunner.core.record import RunRecord
from atunner.core.status import Provenance, Status
from atunner.core.trial import Trial
from atunner.core.value import Value
from atunner.reports.wording import SECONDS

DOMAIN = "llvm_ir"
NOT_AVAILABLE = "n/a"
PORTFOLIO = frozenset({"portfolio", "flags"})
"""Families of builds by flags alone."""
TOLERANCES = {"exact": "exact", "tolerance": "tol:1e-6", "fast": "tol:1e-3"}


class Build(Value):
    """What is known of one build; None is n/a. cpu_ms: processor time of one run."""

    cycles: float | None = None
    instructions: float | None = None
    cache_misses: float | None = None
    cpu_ms: float | None = None
    ir_lines: int | None = None
    opcodes: dict[str, int] = Field(default_factory=dict)


class Step(Value):
    """One candidate. iteration: 0 is the baseline. edit: its kind. ratio: baseline over candidate, unconfirmed."""

    iteration: int
    candidate: str
    origin: str
    edit: str
    verdict: str
    feedback: str = ""
    build: Build = Build()
    ratio: float | None = None
    tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0


class Kernel(Value):
    """One program's run. ratio, low, high: as confirmed; 1 without an interval where the baseline was kept,
    None where nothing was confirmed.
    """

    name: str
    level: str
    original: Build
    optimised: Build
    ratio: float | None
    low: float | None = None
    high: float | None = None
    portfolio_best: float | None = None
    evals: int = 0
    seed: int | None = None
    steps: tuple[Step, ...] = ()
    provenance: Provenance = Provenance.MEASURED

    @property
    def check(self) -> str:
        """How results were compared: exact, or within what part of the largest number; and when not measured, that."""
        compared = TOLERANCES.get(self.level, NOT_AVAILABLE)
        return compared if self.provenance is Provenance.MEASURED else f"{compared} ({self.provenance})"


def kernel(record: RunRecord, seed: int | None = None) -> Kernel:
    """The figures of a run of this domain; without an accepted winner the baseline is both before and after."""
    base, winner = record.baseline, record.winner
    original = _build(base)
    confirmed = record.confirmed
    improved = kept(record) != ""
    return Kernel(
        name=name_of(record),
        level=str(record.task.spec.get("level", "exact")),
        original=original,
        optimised=_build(winner) if improved else original,
        ratio=confirmed.ratio if improved and confirmed else 1.0,
        low=confirmed.low if improved and confirmed else None,
        high=confirmed.high if improved and confirmed else None,
        portfolio_best=_portfolio(record),
        evals=record.spent.trials,
        seed=seed,
        steps=tuple(_steps(record)),
        provenance=record.provenance,
    )


def kept(record: RunRecord) -> str:
    """The id of the winner where it is better than the baseline by the confirmation, else ""."""
    base, winner = record.baseline, record.winner
    if winner is None or (base is not None and winner.candidate.id == base.candidate.id):
        return ""
    return winner.candidate.id if record.confirmed is not None and record.confirmed.better else ""


def with_profiles(record: RunRecord, before: Profile, after: Profile) -> RunRecord:
    """The record with the profiles that were taken of the baseline and the winner when the run was over."""
    base = record.baseline.candidate.id if record.baseline else ""
    taken = {kept(record) or base: after, base: before}
    trials = tuple(
        t.model_copy(update={"profile": taken[t.candidate.id]}) if t.candidate.id in taken else t for t in record.trials
    )
    baseline = record.baseline.model_copy(update={"profile": before}) if record.baseline else None
    return record.model_copy(update={"trials": trials, "baseline": baseline})


def name_of(record: RunRecord) -> str:
    """The program's name, as its files are called."""
    return PurePath(str(record.task.spec.get("name") or record.task.name)).name


def _tried(record: RunRecord) -> list[Trial]:
    base = record.baseline.candidate.id if record.baseline else ""
    return [trial for trial in record.trials if trial.candidate.id != base]


def _steps(record: RunRecord) -> list[Step]:
    first = [record.baseline] if record.baseline else []
    return [_step(record, trial, number) for number, trial in enumerate([*first, *_tried(record)], 0 if first else 1)]


def _step(record: RunRecord, trial: Trial, number: int) -> Step:
    good = trial.status is Status.OK
    return Step(
        iteration=number,
        candidate=trial.candidate.id,
        origin=trial.candidate.origin,
        edit="baseline" if number == 0 else trial.candidate.family or "unnamed",
        verdict="baseline" if number == 0 else _verdict(record, trial),
        feedback=trial.feedback,
        build=_build(trial) if good else Build(),
        ratio=_ratio(record, trial),
        tokens=trial.cost.tokens,
        usd=trial.cost.usd,
        seconds=trial.cost.seconds,
    )


def _verdict(record: RunRecord, trial: Trial) -> str:
    """What became of a candidate: its status, or for a verified one whether it was kept."""
    if trial.status is not Status.OK:
        return trial.status.value
    return "kept" if trial.candidate.id == kept(record) else "verified"


def _ratio(record: RunRecord, trial: Trial) -> float | None:
    base = record.baseline.measurement if record.baseline else None
    own = trial.measurement
    if trial.status is not Status.OK or base is None or own is None or base.unit != own.unit or not own.value:
        return None
    return base.value / own.value


def _portfolio(record: RunRecord) -> float | None:
    """The best ratio of a build by flags alone, as the search measured it."""
    found = [
        ratio
        for trial in _tried(record)
        if trial.candidate.family in PORTFOLIO and (ratio := _ratio(record, trial)) is not None
    ]
    return max(found, default=None)


def _build(trial: Trial | None) -> Build:
    """Counters of the trial's profile, its own figure, and what its checks say of its IR."""
    if trial is None:
        return Build()
    values = trial.profile.counters.values if trial.profile and trial.profile.counters else {}
    own = trial.measurement
    cycles, cpu_ms = values.get("cycles"), _times_ms(values)
    if own is not None and own.unit == "cycles":
        cycles = own.value
    elif own is not None and own.unit in SECONDS:
        cpu_ms = own.value * SECONDS[own.unit] * 1000
    figures = _ir_figures(trial)
    return Build(
        cycles=cycles,
        instructions=values.get("instructions"),
        cache_misses=values.get("cache-misses"),
        cpu_ms=cpu_ms,
        ir_lines=_whole(figures.get("ir_lines")),
        opcodes=_counts(figures.get("opcodes")),
    )


def _times_ms(values: Mapping[str, float]) -> float | None:
    user = values.get("user-time")
    return user * 1000 if user is not None else None


def _ir_figures(trial: Trial) -> dict[str, JsonValue]:
    return next((c.figures for c in trial.checks if "ir_lines" in c.figures), {})


def _whole(value: JsonValue) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _counts(value: JsonValue) -> dict[str, int]:
    return {k: int(v) for k, v in value.items() if isinstance(v, int | float)} if isinstance(value, dict) else {}
