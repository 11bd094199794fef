"""The roofline: what a device allows, whatever the kernel does.

S. Williams, A. Waterman, D. Patterson, "Roofline", CACM 52(4), 2009: time >= max(FLOPs / peak, bytes / bandwidth).
"""

from collections.abc import Mapping

from atunner.core.device import Device
from atunner.core.value import Value

# fp32_tflops is the figure without tensor cores; tf32 needs them, so float32 code reaches it only by using them.
PEAK_OF = {"float32": "fp32_tflops", "tf32": "tf32_tflops", "float16": "fp16_tflops", "bfloat16": "fp16_tflops"}


class Ceilings(Value):
    """The two roofs. tflops: peak of the arithmetic that `compute` names; gbs: DRAM bandwidth in 1e9 bytes/s."""

    tflops: float
    gbs: float
    compute: str

    @property
    def ridge(self) -> float:
        """FLOPs per byte where the roofs meet: below it memory is the bound."""
        return self.tflops * 1e3 / self.gbs


class Bound(Value):
    """The least time that the roofs allow, and which of them says so (memory or compute)."""

    us: float
    memory_us: float
    compute_us: float
    intensity: float

    @property
    def limiter(self) -> str:
        """The higher of the two roofs' times."""
        return "memory" if self.memory_us >= self.compute_us else "compute"


def ceilings(device: Device, dtype: str = "float32", tensor: str = "") -> Ceilings:
    """The roofs of a device for one kind of arithmetic.

    tensor: "tf32_tflops" or "fp16_tflops" when tensor cores are used.

    Raises:
        KeyError: the knowledge base has no such figure for this device.
    """
    name = tensor or PEAK_OF.get(dtype, "fp32_tflops")
    return Ceilings(tflops=_compute(device, name), gbs=device.get("dram_gbs"), compute=name)


def _compute(device: Device, name: str) -> float:
    if name in device.facts or device.kind != "cpu":
        return device.get(name)
    # A CPU's peak follows from its parts: one fused multiply-add is two FLOPs a lane.
    lanes = device.get("simd_bits") / (16 if name == "fp16_tflops" else 32)
    return device.get("cores") * device.get("clock_mhz") * lanes * device.get("fma_units") * 2 / 1e6


def bound(roofs: Ceilings, flops: float, bytes_moved: float) -> Bound:
    """The roofline bound of `flops` and `bytes_moved`, in microseconds."""
    memory = bytes_moved / (roofs.gbs * 1e3)
    compute = flops / (roofs.tflops * 1e6)
    return Bound(
        us=max(memory, compute),
        memory_us=memory,
        compute_us=compute,
        intensity=flops / bytes_moved if bytes_moved else float("inf"),
    )


def attained(time_us: float, limit: Bound) -> Mapping[str, float]:
    """Share of each roof that a run of `time_us` reached: {"memory": 0..1, "compute": 0..1}."""
    return {"memory": limit.memory_us / time_us, "compute": limit.compute_us / time_us}
