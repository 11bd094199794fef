"""Which way to compute the same thing is likely faster: a relative cost from machine code and device facts.

For each kernel the busiest pipe of a multiprocessor gives cycles per warp; the warps in flight say how much of that
pipe they can keep busy; blocks per multiprocessor and clock turn it into time; memory traffic bounds it from below.
Every constant is a published property of the hardware (sources beside each); none was fitted to measured kernels.
"""

import math
from collections.abc import Mapping

from atunner.core.device import Device
from atunner.core.occupancy import WARP, Block, number_of, occupancy
from atunner.core.profile import StaticFacts
from atunner.core.value import Value

# CUDA C++ Programming Guide, "Hardware Multithreading": 4 warp schedulers; an arithmetic result is ready after 4 cycles
# (compute capability 7.x and later), so 16 warps are needed to issue in every cycle.
SCHEDULERS = 4
ARITHMETIC_LATENCY = 4
# Same guide, "Shared Memory": 32 banks of 4 bytes a cycle.
SHARED_BYTES_PER_CYCLE = 128
# Z. Jia et al., "Dissecting the NVIDIA Volta GPU Architecture via Microbenchmarking", 2018: L2 to SM port, also of its
# successors (A100 white paper: 5120 B a cycle for 108 SMs).
GLOBAL_BYTES_PER_CYCLE = 64
# Gap between two dependent kernels of one stream, within a CUDA graph or a full queue.
LAUNCH_US = 1.0
# Lanes a cycle of one multiprocessor by compute capability, from the guide's table "Throughput of Native Arithmetic
# Instructions": fp32, half (a lane does two values), fp64, int. A row holds until the next one.
_THROUGHPUT = {
    70: (64, 64, 32, 64),
    75: (64, 64, 2, 64),
    80: (64, 128, 32, 64),
    86: (128, 64, 2, 64),
    89: (128, 64, 2, 64),
    90: (128, 128, 64, 64),
    100: (128, 128, 64, 64),
    120: (128, 64, 2, 64),
}
# Dense half-precision FLOPs a cycle of one multiprocessor: NVIDIA's architecture white papers.
_TENSOR_FLOPS = {70: 1024, 75: 1024, 80: 2048, 86: 1024, 90: 4096, 100: 8192, 120: 1024}
SPECIAL_RESULTS = 16
SHUFFLE_RESULTS = 32
ATOMIC_RESULTS = 16

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


def utilisation(warps: int) -> float:
    """Share of its rate that a pipe reaches with so many resident warps.

    The balanced-job bound of a closed queueing network (Zahorjan et al., CACM 25(2), 1982): N / (N + N* - 1) with N
    warps on a scheduler, of which N* = ARITHMETIC_LATENCY saturate it.
    """
    each = warps / SCHEDULERS
    return each / (each + ARITHMETIC_LATENCY - 1)


def pipes(kernel: StaticFacts, device: Device) -> dict[str, float]:
    """Cycles of one multiprocessor that a warp of this kernel occupies each pipe for."""
    mix, traffic = kernel.mix, kernel.traffic
    fp32, half, fp64, integer = _throughput(number_of(device.arch))
    return {
        "issue": sum(mix.values()) / SCHEDULERS,
        "fp32": _cycles(mix, ("ffma", "fp32"), fp32),
        "half": _cycles(mix, ("half",), half),
        "fp64": _cycles(mix, ("fp64",), fp64),
        "int": _cycles(mix, ("int",), integer),
        "special": _cycles(mix, ("mufu",), SPECIAL_RESULTS),
        "shuffle": _cycles(mix, ("shfl",), SHUFFLE_RESULTS),
        "atomic": _cycles(mix, ("atomic",), ATOMIC_RESULTS),
        "tensor": _tensor(kernel, device),
        "shared_memory": _bytes(traffic, ("shared_load", "shared_store")) / SHARED_BYTES_PER_CYCLE,
        "global_access": _bytes(traffic, ("global_load", "global_store", "local")) / GLOBAL_BYTES_PER_CYCLE,
    }


def _throughput(number: int) -> tuple[int, int, int, int]:
    return _THROUGHPUT[max(row for row in _THROUGHPUT if row <= max(number, 70))]


def _cycles(mix: Mapping[str, float], classes: tuple[str, ...], results: int) -> float:
    return sum(mix.get(name, 0.0) for name in classes) * WARP / results


def _bytes(traffic: Mapping[str, float], spaces: tuple[str, ...]) -> float:
    return sum(traffic.get(space, 0.0) for space in spaces) * WARP


def _tensor(kernel: StaticFacts, device: Device) -> float:
    if not kernel.tensor_flops:
        return 0.0
    if {"fp16_tflops", "sm_count", "clock_mhz"} <= device.facts.keys():
        per_cycle = device.get("fp16_tflops") * 1e6 / (device.get("sm_count") * device.get("clock_mhz"))
    else:
        number = number_of(device.arch)
        per_cycle = _TENSOR_FLOPS[max(row for row in _TENSOR_FLOPS if row <= max(number, 70))]
    return kernel.tensor_flops * WARP / per_cycle
