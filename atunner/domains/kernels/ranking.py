"""Which way to compute the same thing is likely faster: a relative cost from machine code and device facts.

For each kernel the busiest pipe of a multiprocessor gives cycles per warp; the warps in flight say how much of that
pipe they can keep busy; blocks per multiprocessor and clock turn it into time; memory traffic bounds it from below.
Every constant is a published property of the hardware (`core.pipes`); none was fitted to measured kernels.
"""

import math

from atunner.core.device import Device
from atunner.core.occupancy import WARP, Block, occupancy
from atunner.core.pipes import pipes, utilisation
from atunner.core.profile import StaticFacts
from atunner.core.value import Value

# Gap between two dependent kernels of one stream, within a CUDA graph or a full queue.
LAUNCH_US = 1.0

ERROR = (
    "orders configurations of one kernel (Spearman 0.88 on A100, 0.95 on A4000, 144 recorded convolutions); "
    "its first choice was up to 1.54x off, the best of its first ten at most 1.08x: measure several. "
    "It does not see bank conflicts, uncoalesced access or cache misses"
)


class Prediction(Value):
    """A relative cost (lower is better): it orders candidates of one problem on one device and is not a time.

    limiter: what the cost comes from. parts: the share of each, in the same unit. fits: False when a block is too
    large for the device.
    """

    cost: float
    limiter: str
    parts: dict[str, float]
    fits: bool = True
    error: str = ERROR


def predict(facts: tuple[StaticFacts, ...], flops: float, bytes_min: float, device: Device) -> Prediction:
    """Relative cost of launching these kernels one after the other.

    flops, bytes_min: what the problem needs at least; bytes_min bounds memory traffic, and flops scales code with loops
    whose trip count is not known.

    Raises:
        KeyError: the device has no sm_count, clock_mhz or dram_gbs. UserError: it is not an NVIDIA architecture.
    """
    parts: dict[str, float] = {}
    scale = _scale(facts, flops)
    for kernel in facts:
        time = _kernel_us(kernel, device, scale)
        if time is None:
            return Prediction(cost=math.inf, limiter="does not fit", parts={}, fits=False)
        parts[time.limiter] = parts.get(time.limiter, 0.0) + time.us
    stored = sum(kernel.traffic.get("global_store", 0.0) * _threads(kernel) for kernel in facts)
    memory = max(bytes_min, stored) / (device.get("dram_gbs") * 1e3)
    busy = sum(parts.values())
    launches = LAUNCH_US * len(facts)
    limiter = max(parts, key=parts.__getitem__, default="memory") if busy >= memory else "memory"
    return Prediction(cost=max(busy, memory) + launches, limiter=limiter, parts=parts | {"memory": memory})


class _Time(Value):
    us: float
    limiter: str


def _threads(kernel: StaticFacts) -> int:
    return max(1, kernel.blocks) * max(1, kernel.threads_per_block)


def _scale(facts: tuple[StaticFacts, ...], flops: float) -> float:
    """How often unknown loops run at least, so that the kernels do the problem's arithmetic."""
    if not any(kernel.unknown_loops for kernel in facts):
        return 1.0
    done = sum((kernel.flops + kernel.tensor_flops) * _threads(kernel) for kernel in facts)
    return max(1.0, flops / done) if done else 1.0


def _kernel_us(kernel: StaticFacts, device: Device, scale: float) -> _Time | None:
    block = Block(
        threads=kernel.threads_per_block,
        registers=kernel.registers,
        shared=kernel.static_shared + kernel.dynamic_shared,
    )
    resident = occupancy(device.arch, block)
    if resident.blocks == 0:
        return None
    cycles = pipes(kernel, device)
    limiter = max(cycles, key=cycles.__getitem__)
    warps = -(-kernel.threads_per_block // WARP)
    share = max(1, kernel.blocks) / device.get("sm_count")
    # A block is never split over multiprocessors, so a share below one costs a whole block.
    in_flight = min(resident.blocks, math.ceil(share)) * warps
    busy = max(share, 1.0) * warps * cycles[limiter] * scale / utilisation(in_flight)
    return _Time(us=busy / device.get("clock_mhz"), limiter=limiter)
