"""The pipes of a GPU's multiprocessor: how long a warp of a kernel occupies each, and how busy warps keep them.

Every constant is a published property of the hardware, with its source beside it.
"""

from collections.abc import Mapping

from atunner.core.device import Device
from atunner.core.occupancy import WARP, number_of
from atunner.core.profile import StaticFacts

# CUDA C++ Programming Guide, "Hardware Multithreading": 4 warp schedulers; an arithmetic result is ready after 4 cycles
# (compute capability 7.x and later), so 16 warps are needed to issue in every cycle.
SCHEDULERS = 4
ARITHMETIC_LATENCY = 4
# Same guide, "Shared Memory": 32 banks of 4 bytes a cycle.
SHARED_BYTES_PER_CYCLE = 128
# Z. Jia et al., "Dissecting the NVIDIA Volta GPU Architecture via Microbenchmarking", 2018: L2 to SM port, also of its
# successors (A100 white paper: 5120 B a cycle for 108 SMs).
GLOBAL_BYTES_PER_CYCLE = 64
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
