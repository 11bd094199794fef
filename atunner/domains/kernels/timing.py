"""Timing: the device's samples held against the parent's own clock, and two candidates side by side."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from atunner.core.errors import NotMeasured, Rejected
from atunner.core.measurement import Measurement
from atunner.core.statistics import MINIMUM_GAIN, paired_ratio, relative_error
from atunner.core.trial import Check, Comparison
from atunner.core.value import Value
from atunner.domains.kernels.disturbance import UNDISTURBED, Seen, disturbance

VERSION = "2"
CLOCKS_AGREE = 0.10
UNEVEN = 1.5
LEAST = 10
LEAST_BLOCKS = 5
SURE = 3.0
LOOKS = 4
PATIENCE = 6
"""How many times the planned time is spent when the clocks cannot be told apart yet."""
START_US = 200.0
LOOP_US = 0.05
"""What a call may cost beside the candidate: the loop round it and its share of reading the clock."""
SAMPLE_US = 4.0
"""A sample should take at least this long: reading the clock costs some 0.03 us."""


class TimingPlan(Value):
    """How long to measure. Times in seconds, of the candidate's own calls and what belongs to them; compare_s: of both.

    cold: every slot is flushed from the caches before its call; else it is as a producer on the same core leaves it.
    relative_error: stop when the median's standard error is below this share of it. block_us: calls of one block should
    take about this long, so that the parent's clock can resolve them. least_pairs: of a comparison.
    """

    cold: bool = False
    warmup_s: float = 0.005
    least_s: float = 0.02
    most_s: float = 0.05
    compare_s: float = 2.0
    relative_error: float = 0.01
    least_samples: int = LEAST
    least_pairs: int = 8
    block_us: float = 500.0
    timeout_s: float = 10.0


@dataclass(frozen=True)
class Sizes:
    """Calls of a small and a large block, whose difference the parent's clock can resolve; calls for each sample."""

    small: int
    large: int
    batch: int = 1


@dataclass(frozen=True)
class Block:
    """Calls made back to back. samples_us: the device's or the worker's clock, for one call (a batch's mean).

    wall_us: the parent's clock over the whole block. cpu_us: CPU time of the process in it. waited_us: time it was
    ready but another had the core. idle_us, idle_cpu_us: the pause before the block and the CPU time used in it.
    seen: what was seen of the cores meanwhile.
    """

    samples_us: NDArray[np.float64]
    calls: int
    wall_us: float
    cpu_us: float = 0.0
    waited_us: float = 0.0
    idle_us: float = 0.0
    idle_cpu_us: float = 0.0
    seen: Seen = UNDISTURBED

    @property
    def total_us(self) -> float:
        """All calls by the untrusted clock."""
        return float(self.samples_us.mean()) * self.calls

    @property
    def disturbance(self) -> str:
        """What disturbed it (preempted, stolen, slow clock); "" when nothing did."""
        return disturbance(self.wall_us, self.waited_us, self.seen)


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

    def block(self, calls: int, batch: int = 1) -> Block:
        """Make calls back to back, with one sample for every `batch` of them; `calls` is a multiple of it."""
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

    A machine under load can make honest clocks differ; before a candidate is refused, up to eight
    times as many blocks are taken.

    Raises:
        Rejected: its own clock contradicts ours. NotMeasured: it is too short, or the machine too loud, for two clocks.
        Wrong, Crashed, TimedOut: as the calls say.
    """
    sizes = warmed(session, plan)
    rng = random.Random(seed)
    blocks: list[Block] = []
    _take(session, sizes, plan, rng, blocks)
    checks = _looked(session, sizes, rng, blocks)
    used = undisturbed(blocks)
    dropped = [b for b in blocks if all(b is not u for u in used)]
    return Timing(
        samples_us=_samples(used),
        dropped_us=_samples(dropped),
        checks=(*checks, _conditions("disturbed samples", [b.disturbance for b in blocks], _samples(dropped))),
    )


def _looked(session: Session, sizes: Sizes, rng: random.Random, blocks: list[Block]) -> tuple[Check, ...]:
    """The verdict, with a second and a third look before a refusal."""
    for _ in range(LOOKS - 1):
        try:
            return verdict(blocks, sizes, session.threads)
        except (Rejected, NotMeasured):
            for _ in range(len(blocks) // 2):
                _pair(session, sizes, rng, blocks)
    return verdict(blocks, sizes, session.threads)


def _take(session: Session, sizes: Sizes, plan: TimingPlan, rng: random.Random, blocks: list[Block]) -> None:
    started = time.perf_counter()
    while not _enough(blocks, sizes, session.threads, plan, time.perf_counter() - started):
        _pair(session, sizes, rng, blocks)


def _pair(session: Session, sizes: Sizes, rng: random.Random, blocks: list[Block]) -> None:
    for calls in rng.sample((sizes.small, sizes.large), 2):
        blocks.append(session.block(calls, sizes.batch))


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
        if (
            pairs >= plan.least_pairs
            and (pairs & 3) == 0
            and _settled(first, second, plan, time.perf_counter() - started)
        ):
            break
    kept = _kept(first, second)
    ratio = paired_ratio([first.figures[i] for i in kept], [second.figures[i] for i in kept], seed)
    checks = [
        check.model_copy(update={"name": f"{check.name}, {name}"})
        for name, side in (("baseline", first), ("candidate", second))
        for check in verdict(side.blocks, side.sizes, side.session.threads)
    ]
    spoilt = [a or b for a, b in zip(first.disturbances, second.disturbances, strict=True)]
    dropped = tuple(f for i in range(len(spoilt)) if i not in kept for f in (first.figures[i], second.figures[i]))
    return Comparison(
        ratio=ratio.value,
        low=ratio.low,
        high=ratio.high,
        minimum_gain=minimum_gain,
        baseline=first.measurement(kept),
        candidate=second.measurement(kept),
        checks=(*checks, _conditions("disturbed pairs", spoilt, dropped)),
    )


def _kept(first: "_Side", second: "_Side") -> list[int]:
    """Pairs in which neither side was disturbed; all of them when that would leave fewer than half."""
    quiet = [i for i, pair in enumerate(zip(first.disturbances, second.disturbances, strict=True)) if not any(pair)]
    return quiet if len(quiet) * 2 >= len(first.figures) else list(range(len(first.figures)))


class _Side:
    """One of two candidates in a comparison: two blocks, one figure and what disturbed them for each pair."""

    def __init__(self, session: Session, plan: TimingPlan) -> None:
        self.session = session
        self.sizes = warmed(session, plan)
        self.blocks: list[Block] = []
        self.figures: list[float] = []
        self.disturbances: list[str] = []

    def go(self, rng: random.Random) -> None:
        order = rng.sample((self.sizes.small, self.sizes.large), 2)
        made = [self.session.block(calls, self.sizes.batch) for calls in order]
        self.blocks += made
        self.figures.append(float(np.quantile(np.concatenate([b.samples_us for b in made]), 0.25)))
        self.disturbances.append(next((b.disturbance for b in made if b.disturbance), ""))

    def measurement(self, pairs: Sequence[int]) -> Measurement:
        """The samples of these pairs."""
        blocks = [block for i in pairs for block in self.blocks[2 * i : 2 * i + 2]]
        return Measurement(unit="us", samples=_samples(blocks), source=self.session.source)


def _settled(first: _Side, second: _Side, plan: TimingPlan, elapsed: float) -> bool:
    """Known well enough for a verdict either way, or out of time."""
    if elapsed > plan.compare_s:
        return True
    if elapsed < 2 * plan.least_s or len(first.figures) < 20:
        return False
    kept = _kept(first, second)
    ratio = paired_ratio([first.figures[i] for i in kept], [second.figures[i] for i in kept])
    return ratio.high - ratio.low < 2 * plan.relative_error * ratio.value


def warmed(session: Session, plan: TimingPlan) -> Sizes:
    """Warm up, and choose the block sizes; short calls share a sample, so that reading the clock costs little."""
    started, call_us = time.perf_counter(), float("inf")
    calls = 1
    while True:
        block = session.block(calls)
        call_us = min(call_us, float(np.median(block.samples_us)), block.wall_us / block.calls)
        large = max(3, min(session.most, int(plan.block_us / max(call_us, 0.02)) + 1))
        if time.perf_counter() - started >= plan.warmup_s and calls >= min(large, session.most):
            break
        calls = min(large, calls * 8)
    batch = max(1, min(large // 4, int(SAMPLE_US / max(call_us, 0.02))))
    return Sizes(small=max(1, large // 4 // batch) * batch, large=large // batch * batch, batch=batch)


def undisturbed(blocks: Sequence[Block]) -> list[Block]:
    """Blocks that nothing disturbed; all of them when that would leave fewer than half."""
    quiet = [b for b in blocks if not b.disturbance]
    return quiet if len(quiet) * 2 >= len(blocks) else list(blocks)


def verdict(blocks: Sequence[Block], sizes: Sizes, threads: int) -> tuple[Check, ...]:
    """Hold the samples against the parent's clock.

    Raises:
        Rejected: the clocks disagree, one call does the work of others, or work goes on outside the calls.
        NotMeasured: the parent's clock cannot tell.
    """
    used = undisturbed(blocks)
    hidden = slope(blocks, sizes, threads)
    checks = [_two_clocks(used, hidden), _even(blocks, sizes, threads), _idle(blocks, threads)]
    if threads == 1:
        checks.append(_one_thread(used))
    for check in checks:
        if not check.passed:
            raise Rejected(check.detail)
    sample = _sample(used)
    if max(hidden.error, hidden.us - 2 * hidden.error) > _allowed(used):
        raise NotMeasured(
            f"A call takes {sample:.3g} us; the host's clock differs by {hidden.us:+.2g} us and is known to "
            f"{hidden.error:.2g} us only: too short a call, or too loud a machine, for two clocks to agree."
        )
    return tuple(checks)


@dataclass(frozen=True)
class Hidden:
    """Microseconds a call by which the parent's clock exceeds the samples, its standard error, and which clock."""

    us: float
    error: float
    clock: str
    blocks: int = 0

    @property
    def sure(self) -> float:
        """Standard errors that make a claim: more when the error itself is known from a few blocks only."""
        return SURE + 12.0 / max(1, self.blocks)


def slope(blocks: Sequence[Block], sizes: Sizes, threads: int) -> Hidden:
    """What the samples hide of a call.

    The difference wall - sum(samples) of a block is overhead (waking up, two pipes) plus what the samples hide of each
    call; the two block sizes tell them apart. Waking up late only ever adds, so the lower half of them is taken. On one
    core the kernel's account of the process's CPU time is a second clock, which stands still while others have it;
    there a disturbed block only ever falls short, so the upper half is taken.
    """
    name, spent = "host clock", [b.wall_us for b in blocks]
    if threads == 1 and all(b.cpu_us > 0 for b in blocks):
        name, spent = "CPU clock", [b.cpu_us for b in blocks]
    rest = np.array(spent) - np.array([b.total_us for b in blocks])
    calls = np.array([b.calls for b in blocks])
    return _slope(name, rest[calls == sizes.small], rest[calls == sizes.large], sizes.large - sizes.small)


def _slope(name: str, few: NDArray[np.float64], many: NDArray[np.float64], span: int) -> Hidden:
    late = name == "host clock"
    few, many = (np.sort(v)[: -(-v.size // 2)] if late else np.sort(v)[v.size // 2 :] for v in (few, many))
    if not span or min(few.size, many.size) < 3:
        return Hidden(0.0, float("inf"), name)
    return Hidden(
        float(np.median(many) - np.median(few)) / span, float(np.hypot(_error(few), _error(many))) / span, name
    )


def _error(values: NDArray[np.float64]) -> float:
    """Standard error of the median, from the median absolute deviation: outliers count once."""
    spread = 1.4826 * float(np.median(np.abs(values - np.median(values))))
    return 1.2533 * spread / float(np.sqrt(values.size))


def _sample(blocks: Sequence[Block]) -> float:
    return float(np.median(np.concatenate([b.samples_us for b in blocks])))


def _two_clocks(blocks: Sequence[Block], hidden: Hidden) -> Check:
    sample = _sample(blocks)
    passed = hidden.us - hidden.sure * hidden.error <= _allowed(blocks)
    share = hidden.us / sample
    detail = f"the {hidden.clock} adds {share:+.1%} to the samples (at most {CLOCKS_AGREE:.0%})"
    figures: dict[str, JsonValue] = {"hidden_us": hidden.us, "error_us": hidden.error, "clock": hidden.clock}
    if not passed:
        detail = (
            f"The samples say {sample:.4g} us a call, the {hidden.clock} of the judge {sample + hidden.us:.4g} us: "
            f"they differ by {share:+.0%}, at most {CLOCKS_AGREE:.0%} is accepted."
        )
    return Check(name="two clocks", passed=passed, detail=detail, figures=figures)


def _even(blocks: Sequence[Block], sizes: Sizes, threads: int) -> Check:
    """The CPU time of a quiet block, shared among its calls, against the middle sample: does one work for others?"""
    large = [b for b in blocks if b.calls == sizes.large]
    spent = [(b.cpu_us / threads if b.cpu_us else b.total_us) / b.calls for b in large]
    start = START_US / sizes.large
    whole, single = float(np.quantile(spent, 0.25)), _sample(blocks)
    passed = whole <= UNEVEN * single + start
    detail = f"a call's share of a quiet block is {whole:.4g} us, the middle call takes {single:.4g} us"
    return Check(
        name="even calls",
        passed=passed,
        detail=detail if passed else f"Some calls do the work of others: {detail}.",
        figures={"mean_us": whole, "call_us": single},
    )


def _conditions(name: str, disturbances: Sequence[str], dropped: tuple[float, ...]) -> Check:
    """How many blocks or pairs were disturbed, by what, and the figures that are kept on record but not used."""
    found = Counter(one for one in disturbances if one)
    counted = ", ".join(f"{number} {one}" for one, number in sorted(found.items())) or "none"
    used = "dropped" if dropped or not found else "too many to drop: all are used"
    figures: dict[str, JsonValue] = {"of": len(disturbances), "dropped_us": [float(f"{one:.5g}") for one in dropped]}
    return Check(
        name=name, version=VERSION, passed=True, detail=f"{counted} of {len(disturbances)} ({used})",
        figures=figures | dict(found),
    )  # fmt: skip


def _idle(blocks: Sequence[Block], threads: int) -> Check:
    """CPU time in and between the blocks against what undisturbed calls use, with room for starting a block."""
    used = sum(b.cpu_us + b.idle_cpu_us for b in blocks)
    sample = _sample(blocks)
    room = sum(1.25 * threads * sample * b.calls + START_US for b in blocks)
    passed = used <= room
    detail = f"CPU time {used / 1e3:.1f} ms, of which the calls explain {room / 1e3:.1f} ms"
    return Check(
        name="idle when done", passed=passed, detail=detail if passed else f"Work goes on outside the calls: {detail}."
    )


def _one_thread(blocks: Sequence[Block]) -> Check:
    share = float(np.median([b.cpu_us / b.wall_us for b in blocks]))
    passed = share <= 1.0 + CLOCKS_AGREE
    detail = f"CPU time is {share:.0%} of wall time on one core"
    return Check(name="one thread", passed=passed, detail=detail if passed else f"Hidden threads: {detail}.")


def _enough(blocks: Sequence[Block], sizes: Sizes, threads: int, plan: TimingPlan, elapsed: float) -> bool:
    samples = sum(b.samples_us.size for b in blocks)
    if samples < plan.least_samples or len(blocks) < 2 * LEAST_BLOCKS:
        return False
    if elapsed < plan.least_s:
        return False
    quiet = undisturbed(blocks)
    late = elapsed >= plan.most_s
    if not late and relative_error(_samples(quiet)) > plan.relative_error:
        return False
    resolved = slope(blocks, sizes, threads).error < (0.8 if late else 0.3) * _allowed(quiet)
    return resolved or elapsed >= PATIENCE * plan.most_s


def _allowed(blocks: Sequence[Block]) -> float:
    """Microseconds that the clocks may differ by."""
    return CLOCKS_AGREE * _sample(blocks) + LOOP_US


def _samples(blocks: Sequence[Block]) -> tuple[float, ...]:
    return tuple(float(s) for b in blocks for s in b.samples_us)
