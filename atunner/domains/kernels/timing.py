"""Timing: one candidate until its figure is known, or two side by side."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from pydantic import JsonValue

from atunner.core.errors import NotMeasured, Rejected
from atunner.core.measurement import Measurement
from atunner.core.statistics import MINIMUM_GAIN, paired_ratio, relative_error
from atunner.core.trial import Check, Comparison
from atunner.core.value import Value
from atunner.domains.kernels.blocks import Block, Sizes, samples_of, undisturbed
from atunner.domains.kernels.clocks import allowed_us, slope, verdict

VERSION = "2"
LEAST = 10
LEAST_BLOCKS = 5
LOOKS = 4
PATIENCE = 6
"""How many times the planned time is spent when the clocks cannot be told apart yet."""
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
        samples_us=samples_of(used),
        dropped_us=samples_of(dropped),
        checks=(*checks, _conditions("disturbed samples", [b.disturbance for b in blocks], samples_of(dropped))),
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
        return Measurement(unit="us", samples=samples_of(blocks), source=self.session.source)


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


def _enough(blocks: Sequence[Block], sizes: Sizes, threads: int, plan: TimingPlan, elapsed: float) -> bool:
    samples = sum(b.samples_us.size for b in blocks)
    if samples < plan.least_samples or len(blocks) < 2 * LEAST_BLOCKS:
        return False
    if elapsed < plan.least_s:
        return False
    quiet = undisturbed(blocks)
    late = elapsed >= plan.most_s
    if not late and relative_error(samples_of(quiet)) > plan.relative_error:
        return False
    resolved = slope(blocks, sizes, threads).error < (0.8 if late else 0.3) * allowed_us(quiet)
    return resolved or elapsed >= PATIENCE * plan.most_s
