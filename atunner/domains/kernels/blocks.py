"""Calls made back to back, and which of them nothing disturbed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atunner.domains.kernels.disturbance import UNDISTURBED, Seen, disturbance


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


def undisturbed(blocks: Sequence[Block]) -> list[Block]:
    """Blocks that nothing disturbed; all of them when that would leave fewer than half."""
    quiet = [b for b in blocks if not b.disturbance]
    return quiet if len(quiet) * 2 >= len(blocks) else list(blocks)


def samples_of(blocks: Sequence[Block]) -> tuple[float, ...]:
    """All their samples, in microseconds a call."""
    return tuple(float(s) for b in blocks for s in b.samples_us)


def middle(blocks: Sequence[Block]) -> float:
    """The median of their samples."""
    return float(np.median(np.concatenate([b.samples_us for b in blocks])))
