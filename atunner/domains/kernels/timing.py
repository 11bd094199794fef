"""Timing: the device's samples held against the parent's own clock, and two candidates side by side."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from atunner.core.errors import NotMeasured, Rejected
from atunner.core.measurement import Measurement
from atunner.core.statistics import MINIMUM_GAIN, interval, is_better, is_equal, paired_ratio, relative_error
from atunner.core.trial import Check, Comparison
from atunner.core.value import Value

CLOCKS_AGREE = 0.10
UNEVEN = 1.5
DISTURBED = 0.02
LEAST = 10


class TimingPlan(Value):
    """How long to measure. Times in seconds, of the candidate's own calls and what belongs to them.

    cold: every slot is flushed from the caches before its call; else it is as a producer on the same core leaves it.
    relative_error: stop when the median's standard error is below this share of it. block_us: calls of one block should
    take about this long, so that the parent's clock can resolve them.
    """

    cold: bool = False
    warmup_s: float = 0.01
    least_s: float = 0.03
    most_s: float = 1.0
    relative_error: float = 0.005
    least_samples: int = LEAST
    block_us: float = 2000.0
    timeout_s: float = 10.0


@dataclass(frozen=True)
class Block:
    """Calls made back to back. samples_us: the device's or the worker's clock, one per call (or per batch: `calls`).

    wall_us: the parent's clock over the whole block. cpu_us: CPU time of the process in it. waited_us: time it was
    ready but another had the core. idle_us, idle_cpu_us: the pause after the block and the CPU time used in it.
    """

    samples_us: NDArray[np.float64]
    calls: int
    wall_us: float
    cpu_us: float = 0.0
    waited_us: float = 0.0
    idle_us: float = 0.0
    idle_cpu_us: float = 0.0

    @property
    def total_us(self) -> float:
        """All calls by the untrusted clock."""
        return float(self.samples_us.mean()) * self.calls

    @property
    def disturbed(self) -> bool:
        """Whether another process took the core for more than 2 % of the block."""
        return self.waited_us > DISTURBED * self.wall_us


class Session(Protocol):
    """One candidate on one device, ready to be called; a context manager.

    `block` makes `calls` calls (at most `most`), each on contents that the process has not seen, and checks their
    outputs. Raises Wrong, Crashed, TimedOut.
    """

    source: str
    threads: int

    @property
    def most(self) -> int:
        """Calls in one block at most."""
        ...

    def block(self, calls: int) -> Block:
        """Make calls back to back."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


class Timing(Value):
    """Samples that two clocks agree on. dropped: samples of disturbed blocks, recorded and not used."""

    samples_us: tuple[float, ...]
    dropped_us: tuple[float, ...] = ()
    checks: tuple[Check, ...] = ()

    def measurement(self, source: str, environment: str = "") -> Measurement:
        """As a measured figure in microseconds."""
        return Measurement(unit="us", samples=self.samples_us, source=source, environment=environment)


def measure(session: Session, plan: TimingPlan, seed: int = 0) -> Timing:
    """Time one candidate until its median is known well enough or the time is up.

    Raises:
        Rejected: its own clock contradicts ours. NotMeasured: it is too short, or the machine too loud, for two clocks.
        Wrong, Crashed, TimedOut: as the calls say.
    """
    sizes = warmed(session, plan)
    rng = random.Random(seed)
    blocks: list[Block] = []
    started = time.perf_counter()
    while not _enough(blocks, sizes, plan, time.perf_counter() - started):
        for size in rng.sample(sizes, len(sizes)):
            blocks.append(session.block(size))
    checks = verdict(blocks, sizes, session.threads)
    used = undisturbed(blocks)
    dropped = [b for b in blocks if all(b is not u for u in used)]
    return Timing(samples_us=_samples(used), dropped_us=_samples(dropped), checks=checks)


def compare(
    baseline: Session, candidate: Session, plan: TimingPlan, minimum_gain: float = MINIMUM_GAIN, seed: int = 0
) -> Comparison:
    """Both candidates in turn, in random order within each pair, so that drift of the machine meets both alike.

    Raises:
        Rejected, NotMeasured, Wrong, Crashed, TimedOut: as `measure`, of the candidate or the baseline.
    """
    first, second = _Side(baseline, plan), _Side(candidate, plan)
    rng = random.Random(seed)
    started = time.perf_counter()
    while True:
        for side in rng.sample((first, second), 2):
            side.go(rng)
        pairs = len(first.figures)
        if pairs >= 8 and (pairs & 3) == 0 and _settled(first, second, plan, time.perf_counter() - started):
            break
    ratio = paired_ratio(first.figures, second.figures, seed)
    for side in (first, second):
        verdict(side.blocks, side.sizes, side.session.threads)
    return Comparison(
        ratio=ratio.value,
        low=ratio.low,
        high=ratio.high,
        minimum_gain=minimum_gain,
        baseline=Measurement(unit="us", samples=_samples(first.blocks), source=baseline.source),
        candidate=Measurement(unit="us", samples=_samples(second.blocks), source=candidate.source),
    )


class _Side:
    """One of two candidates in a comparison: its blocks and one figure for each pair."""

    def __init__(self, session: Session, plan: TimingPlan) -> None:
        self.session = session
        self.sizes = warmed(session, plan)
        self.blocks: list[Block] = []
        self.figures: list[float] = []

    def go(self, rng: random.Random) -> None:
        made = [self.session.block(size) for size in rng.sample(self.sizes, 2)]
        self.blocks += made
        self.figures.append(float(np.quantile(np.concatenate([b.samples_us for b in made]), 0.25)))


def _settled(first: _Side, second: _Side, plan: TimingPlan, elapsed: float) -> bool:
    """Known well enough for a verdict either way, or out of time."""
    if elapsed > 4 * plan.most_s:
        return True
    if elapsed < 2 * plan.least_s or len(first.figures) < 20:
        return False
    ratio = paired_ratio(first.figures, second.figures)
    return ratio.high - ratio.low < 4 * plan.relative_error * ratio.value


def warmed(session: Session, plan: TimingPlan) -> tuple[int, int]:
    """Warm up, and choose the two block sizes whose difference the parent's clock can resolve."""
    started, call_us = time.perf_counter(), float("inf")
    calls = 1
    while True:
        block = session.block(calls)
        call_us = min(call_us, float(np.median(block.samples_us)), block.wall_us / block.calls)
        large = max(2, min(session.most, int(plan.block_us / max(call_us, 0.02)) + 1))
        if time.perf_counter() - started >= plan.warmup_s and calls >= min(large, session.most):
            return (max(1, large // 4), large)
        calls = min(large, calls * 8)


def undisturbed(blocks: Sequence[Block]) -> list[Block]:
    """Blocks in which nobody else took the core; all of them when that would leave fewer than half."""
    quiet = [b for b in blocks if not b.disturbed]
    return quiet if len(quiet) * 2 >= len(blocks) else list(blocks)


def verdict(blocks: Sequence[Block], sizes: tuple[int, int], threads: int) -> tuple[Check, ...]:
    """Hold the samples against the parent's clock.

    Raises:
        Rejected: the clocks disagree, one call does the work of others, or work goes on outside the calls.
        NotMeasured: the parent's clock cannot tell.
    """
    used = undisturbed(blocks)
    checks = [_two_clocks(used, sizes), _even(used, sizes)]
    checks.append(_idle(blocks))
    if threads == 1:
        checks.append(_one_thread(used))
    for check in checks:
        if not check.passed:
            raise Rejected(check.detail)
    return tuple(checks)


def slope(blocks: Sequence[Block], sizes: tuple[int, int]) -> tuple[float, float]:
    """Microseconds a call by which the parent's clock exceeds the samples, and the standard error of that.

    The difference wall - sum(samples) of a block is overhead (waking up, two pipes) plus what the samples hide of each
    call; the two block sizes tell them apart. Medians over blocks: a preempted block weighs no more than another.
    """
    small, large = sizes
    rest = {size: np.array([b.wall_us - b.total_us for b in blocks if b.calls == size]) for size in sizes}
    if small == large or min(r.size for r in rest.values()) == 0:
        return 0.0, float("inf")
    span = large - small
    centre = {size: float(np.median(r)) for size, r in rest.items()}
    spread = sum(
        (1.2533 * 1.4826 * float(np.median(np.abs(r - centre[size])))) ** 2 / r.size for size, r in rest.items()
    )
    return (centre[large] - centre[small]) / span, float(np.sqrt(spread)) / span


def _two_clocks(blocks: Sequence[Block], sizes: tuple[int, int]) -> Check:
    hidden, error = slope(blocks, sizes)
    sample = float(np.median(np.concatenate([b.samples_us for b in blocks])))
    share = hidden / sample
    if abs(hidden) - 2 * error <= CLOCKS_AGREE * sample:
        if error > CLOCKS_AGREE * sample:
            raise NotMeasured(
                f"A call takes {sample:.3g} us, too short for the host's clock on this machine (its slope is known to "
                f"{error:.2g} us only); use a larger problem."
            )
        detail = f"the host's clock adds {share:+.1%} a call (at most {CLOCKS_AGREE:.0%})"
        return Check(name="two clocks", passed=True, detail=detail, figures={"hidden_us": hidden, "error_us": error})
    return Check(
        name="two clocks",
        passed=False,
        detail=f"The samples say {sample:.4g} us a call, the host's clock {sample + hidden:.4g} us: "
        f"they differ by {share:+.0%}, at most {CLOCKS_AGREE:.0%} is accepted.",
        figures={"hidden_us": hidden, "error_us": error},
    )


def _even(blocks: Sequence[Block], sizes: tuple[int, int]) -> Check:
    large = [b for b in blocks if b.calls == sizes[1]]
    whole = float(np.quantile([b.total_us / b.calls for b in large], 0.25))
    single = float(np.quantile(np.concatenate([b.samples_us for b in large]), 0.25))
    passed = whole <= UNEVEN * max(single, 1e-3) + 0.05
    detail = f"mean call of a quiet block {whole:.4g} us, quiet call {single:.4g} us"
    return Check(
        name="even calls",
        passed=passed,
        detail=detail if passed else f"Some calls do the work of others: {detail}.",
        figures={"mean_us": whole, "call_us": single},
    )


def _idle(blocks: Sequence[Block]) -> Check:
    share = [b.idle_cpu_us / b.idle_us for b in blocks if b.idle_us > 200.0]
    worst = float(np.median(share)) if share else 0.0
    passed = worst < 0.25
    detail = f"CPU time used between blocks: {worst:.0%} of the pause"
    return Check(
        name="idle when done", passed=passed, detail=detail if passed else f"Work goes on after the call: {detail}."
    )


def _one_thread(blocks: Sequence[Block]) -> Check:
    share = float(np.median([b.cpu_us / b.wall_us for b in blocks]))
    passed = share <= 1.0 + CLOCKS_AGREE
    detail = f"CPU time is {share:.0%} of wall time on one core"
    return Check(name="one thread", passed=passed, detail=detail if passed else f"Hidden threads: {detail}.")


def _enough(blocks: Sequence[Block], sizes: tuple[int, int], plan: TimingPlan, elapsed: float) -> bool:
    samples = sum(b.samples_us.size for b in blocks)
    if samples < plan.least_samples or len(blocks) < 6:
        return False
    if elapsed >= plan.most_s:
        return True
    quiet = _samples(undisturbed(blocks))
    _, error = slope(undisturbed(blocks), sizes)
    known = relative_error(quiet) <= plan.relative_error and error < 0.5 * CLOCKS_AGREE * float(np.median(quiet))
    return known and elapsed >= plan.least_s


def _samples(blocks: Sequence[Block]) -> tuple[float, ...]:
    return tuple(float(s) for b in blocks for s in b.samples_us)


__all__ = [
    "Block",
    "Session",
    "Timing",
    "TimingPlan",
    "compare",
    "interval",
    "is_better",
    "is_equal",
    "measure",
]
