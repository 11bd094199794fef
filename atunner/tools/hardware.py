"""What this machine is: its processor as the kernel tells it, its GPUs as the driver tells them, ceilings measured."""

import os
import platform
import re
from functools import lru_cache
from pathlib import Path

from atunner.core.device import Fact
from atunner.core.value import Value
from atunner.tools import ceilings as probe

CPUINFO = Path("/proc/cpuinfo")
MEMINFO = Path("/proc/meminfo")
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
LIVE = "read live"
# https://gitlab.com/x86-psABIs/x86-64-ABI: the feature levels, by one flag of each that the level below lacks.
LEVELS = (
    ("x86-64-v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
    ("x86-64-v3", {"avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}),
    ("x86-64-v2", {"cx16", "popcnt", "sse4_1", "sse4_2", "ssse3"}),
)
# Widest vectors first; AArch64 calls its 128-bit unit asimd.
WIDTHS = (("avx512f", 512), ("avx2", 256), ("avx", 256), ("sse2", 128), ("asimd", 128))
# AMD's first cores with 512-bit vectors (family 25) run them on 256-bit units, two of which make one.
HALF_WIDE_512 = {("AuthenticAMD", 25)}


class Cpu(Value):
    """The processor of this machine. cores: those this process may use. clock_mhz: as the kernel tells it.

    caches: l1d_bytes, l2_bytes, l3_bytes of one cache each, as far as they are told.
    """

    model: str
    vendor: str
    arch: str
    cores: int
    simd_bits: int
    fma_units: int
    clock_mhz: float
    caches: dict[str, int]
    memory_bytes: int
    flags: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


class Gpu(Value):
    """A GPU that the driver sees. arch: sm_80 and the like."""

    index: int
    name: str
    uuid: str
    arch: str
    memory_bytes: int
    driver: str
    clocks: dict[str, int]


@lru_cache
def cpu() -> Cpu:
    """This machine's processor; takes a millisecond and measures nothing."""
    told = _first_processor()
    flags = frozenset((told.get("flags") or told.get("Features") or "").split())
    vendor = told.get("vendor_id", told.get("CPU implementer", "unknown"))
    width = next((bits for flag, bits in WIDTHS if flag in flags), 64)
    return Cpu(
        model=told.get("model name", platform.machine()),
        vendor=vendor,
        arch=_arch(flags),
        cores=len(os.sched_getaffinity(0)),
        simd_bits=width,
        fma_units=_fma_units(vendor, int(told.get("cpu family", 0)), flags, width),
        clock_mhz=float(told.get("cpu MHz", 0.0)),
        caches=_caches(),
        memory_bytes=_memory(),
        flags=flags,
        notes=("a virtual machine: caches and clock are what the hypervisor tells",) if "hypervisor" in flags else (),
    )


def _first_processor() -> dict[str, str]:
    block = CPUINFO.read_text(errors="replace").split("\n\n", 1)[0]
    pairs = (line.split(":", 1) for line in block.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def _arch(flags: frozenset[str]) -> str:
    if platform.machine() != "x86_64":
        return platform.machine()
    return next((name for name, needed in LEVELS if needed <= flags), "x86-64")


def _fma_units(vendor: str, family: int, flags: frozenset[str], width: int) -> int:
    if not flags & {"fma", "asimd"}:
        return 1
    return 1 if width == 512 and (vendor, family) in HALF_WIDE_512 else 2


def _caches() -> dict[str, int]:
    found: dict[str, int] = {}
    for index in sorted(CACHES.glob("index*")):
        level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        if kind == "Instruction":
            continue
        found["l1d_bytes" if level == "1" else f"l{level}_bytes"] = _bytes(size)
    return found


def _bytes(size: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([KMG]?)", size).groups()  # type: ignore[union-attr]  # the kernel's own format
    return int(number) << {"": 0, "K": 10, "M": 20, "G": 30}[unit]


def _memory() -> int:
    line = next(line for line in MEMINFO.read_text().splitlines() if line.startswith("MemTotal:"))
    return int(line.split()[1]) * 1024


def facts(cpu: Cpu) -> dict[str, Fact]:
    """The processor's figures as read, and its fp32 peak as it follows from them."""
    told = {name: Fact(value=size, unit="bytes", source=LIVE) for name, size in cpu.caches.items()}
    lanes = cpu.simd_bits // 32
    peak = cpu.cores * cpu.clock_mhz * lanes * cpu.fma_units * 2 / 1e6
    return told | {
        "cores": Fact(value=cpu.cores, unit="cores", source=LIVE, note="that this process may use"),
        "simd_bits": Fact(value=cpu.simd_bits, unit="bits", source=LIVE),
        "fma_units": Fact(value=cpu.fma_units, unit="units", source="by model", note=f"of {cpu.simd_bits} bits each"),
        "clock_mhz": Fact(value=cpu.clock_mhz, unit="MHz", source=LIVE, note="as the kernel tells it"),
        "memory_bytes": Fact(value=cpu.memory_bytes, unit="bytes", source=LIVE),
        "fp32_tflops": Fact(value=peak, unit="TFLOP/s", source="computed", note="cores x clock x lanes x units x 2"),
    }


def ceilings(cpu: Cpu, kept: Path | None = None) -> dict[str, Fact]:
    """DRAM bandwidth measured here (a quarter of a second); with a C compiler also clock and fp32 peak.

    kept: the folder in which the best of the first few probes since the machine was started is kept and found.
    """
    found = (
        probe.measure(cpu.cores) if kept is None else probe.remembered(kept, f"{cpu.model} x {cpu.cores}", cpu.cores)
    )
    source = f"measured here, {found.by}"
    measured = {"dram_gbs": Fact(value=found.dram_gbs, unit="GB/s", source=source, note="triad over all cores")}
    if found.clock_mhz is not None:
        note = "dependent additions by processor time"
        measured["clock_mhz"] = Fact(value=found.clock_mhz, unit="MHz", source=source, note=note)
    if found.fp32_tflops is not None:
        note = "independent fused multiply-adds on one core by processor time, times the cores"
        measured["fp32_tflops"] = Fact(value=found.fp32_tflops, unit="TFLOP/s", source=source, note=note)
    return measured


def gpus() -> list[Gpu]:
    """The GPUs of this machine, as NVIDIA's driver tells them; none without a driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        return [_gpu(index) for index in range(pynvml.nvmlDeviceGetCount())]
    finally:
        pynvml.nvmlShutdown()


def _gpu(index: int) -> Gpu:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    kinds = {"graphics": pynvml.NVML_CLOCK_GRAPHICS, "sm": pynvml.NVML_CLOCK_SM, "memory": pynvml.NVML_CLOCK_MEM}
    return Gpu(
        index=index,
        name=str(pynvml.nvmlDeviceGetName(handle)),
        uuid=str(pynvml.nvmlDeviceGetUUID(handle)),
        arch=f"sm_{major}{minor}",
        memory_bytes=int(pynvml.nvmlDeviceGetMemoryInfo(handle).total),
        driver=str(pynvml.nvmlSystemGetDriverVersion()),
        clocks={name: int(pynvml.nvmlDeviceGetMaxClockInfo(handle, kind)) for name, kind in kinds.items()},
    )
