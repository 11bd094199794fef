"""Two clocks over synthetic sessions: what each kind of lie looks like from outside."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

import numpy as np
import pytest

from atunner.core.errors import NotMeasured, Rejected
from atunner.domains.kernels.blocks import Block, Sizes
from atunner.domains.kernels.clocks import verdict
from atunner.domains.kernels.timing import TimingPlan, compare, measure

PLAN = TimingPlan(most_s=0.05, least_s=0.0, compare_s=0.2)


class Synthetic:
    """A device whose calls take `call_us` by the parent's clock; `lie` says what the samples claim."""

    source = "synthetic"
    most = 64

    def __init__(
        self,
        call_us: float,
        lie: Callable[[np.ndarray], np.ndarray] = lambda s: s,
        threads: int = 1,
        noise: float = 0.01,
        idle_cpu_us: float = 0.0,
        wall_noise_us: float = 0.0,
    ) -> None:
        self.threads = threads
        self.call_us, self.lie, self.noise, self.idle = call_us, lie, noise, idle_cpu_us
        self.wall_noise_us = wall_noise_us
        self.rng = np.random.default_rng(1)

    def block(self, calls: int, batch: int = 1) -> Block:
        true = self.call_us * (1 + self.noise * self.rng.standard_normal(calls // batch))
        spent = float(true.sum()) * batch
        late = abs(self.rng.standard_cauchy()) * 20 + self.rng.uniform(0, 1) * self.wall_noise_us
        return Block(
            samples_us=self.lie(true), calls=calls, wall_us=spent + 30 + late, cpu_us=spent + 15, idle_cpu_us=self.idle
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("call_us", [0.3, 20.0, 5000.0])
def test_honest_samples_are_accepted(call_us: float, threads: int) -> None:
    timing = measure(Synthetic(call_us, threads=threads), PLAN)

    assert timing.measurement("synthetic").value == pytest.approx(call_us, rel=0.02)
    assert {c.name for c in timing.checks} >= {"two clocks", "even calls", "idle when done"}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_samples_that_hide_time_are_rejected(share: float, threads: int) -> None:
    with pytest.raises(Rejected, match="differ by"):
        measure(Synthetic(50.0, lambda s: s * share, threads=threads), PLAN)


def test_one_call_that_does_the_work_of_others_is_rejected() -> None:
    def uneven(samples: np.ndarray) -> np.ndarray:
        return np.concatenate([[samples.sum()], np.zeros(samples.size - 1) + 1e-3])

    with pytest.raises(Rejected, match="work of others"):
        measure(Synthetic(50.0, uneven), PLAN)


def test_work_between_the_blocks_is_rejected() -> None:
    with pytest.raises(Rejected, match="outside the calls"):
        measure(Synthetic(50.0, threads=2, idle_cpu_us=5000.0), PLAN)


def test_a_machine_too_loud_for_two_clocks_gives_no_figure() -> None:
    with pytest.raises(NotMeasured, match="too loud"):
        measure(Synthetic(5.0, threads=2, wall_noise_us=5000.0), PLAN)


def test_a_comparison_finds_a_gain_and_no_gain() -> None:
    better = compare(Synthetic(100.0), Synthetic(90.0), PLAN)
    same = compare(Synthetic(100.0), Synthetic(100.0), PLAN)

    assert better.better
    assert better.ratio == pytest.approx(100 / 90, rel=0.02)
    assert not same.better


def test_a_comparison_rejects_a_lying_candidate() -> None:
    with pytest.raises(Rejected, match="differ by"):
        compare(Synthetic(100.0), Synthetic(100.0, lambda s: s / 2), PLAN)


def test_a_host_clock_that_saw_nothing_is_no_figure_and_no_crash() -> None:
    blocks = [
        Block(samples_us=np.full(calls, 10.0), calls=calls, wall_us=0.0, cpu_us=10.0 * calls)
        for calls in (5, 20)
        for _ in range(8)
    ]

    with pytest.raises(NotMeasured, match="the machine is too loud"):
        verdict(blocks, Sizes(small=5, large=20), threads=1)
