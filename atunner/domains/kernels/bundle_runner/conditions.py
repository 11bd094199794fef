"""The state of the device while it is timed: clocks, heat, power and throttling, where NVML is here."""

from dataclasses import asdict, dataclass
from typing import Any

# nvml.h: hardware slowdown 0x8, software thermal slowdown 0x20, hardware thermal 0x40, power brake 0x80.
SLOWED = 0x8 | 0x20 | 0x40 | 0x80


@dataclass(frozen=True)
class Condition:
    """One look at the device. throttled: its clock was held down by heat or by a fault of power."""

    sm_mhz: int
    memory_mhz: int
    celsius: int
    watts: float
    throttled: bool

    def as_json(self) -> dict[str, Any]:
        """For the result file."""
        return asdict(self)


class Conditions:
    """Looks at the device at PCI bus id `place`; `look` gives None where pynvml is not installed or not permitted."""

    def __init__(self, place: str) -> None:
        self.nvml: Any = None
        self.problem = ""
        try:
            import pynvml
        except ImportError:
            self.problem = "pynvml (nvidia-ml-py) is not installed: clocks and throttling were not watched"
            return
        try:
            pynvml.nvmlInit()
            self.handle = pynvml.nvmlDeviceGetHandleByPciBusId(place.encode())
        except pynvml.NVMLError as error:
            self.problem = f"NVML: {error}: clocks and throttling were not watched"
            return
        self.nvml = pynvml

    def look(self) -> Condition | None:
        """The state now."""
        nvml = self.nvml
        if nvml is None:
            return None
        try:
            return Condition(
                sm_mhz=nvml.nvmlDeviceGetClockInfo(self.handle, nvml.NVML_CLOCK_SM),
                memory_mhz=nvml.nvmlDeviceGetClockInfo(self.handle, nvml.NVML_CLOCK_MEM),
                celsius=nvml.nvmlDeviceGetTemperature(self.handle, nvml.NVML_TEMPERATURE_GPU),
                watts=nvml.nvmlDeviceGetPowerUsage(self.handle) / 1000,
                throttled=bool(nvml.nvmlDeviceGetCurrentClocksThrottleReasons(self.handle) & SLOWED),
            )
        except nvml.NVMLError as error:
            self.problem = f"NVML: {error}"
            return None

    def standing(self) -> dict[str, str]:
        """What does not change while we measure: uuid, driver, other processes."""
        nvml = self.nvml
        if nvml is None:
            return {"watched": self.problem}
        try:
            others = len(nvml.nvmlDeviceGetComputeRunningProcesses(self.handle))
            return {
                "uuid": _text(nvml.nvmlDeviceGetUUID(self.handle)),
                "driver": _text(nvml.nvmlSystemGetDriverVersion()),
                "compute processes": str(others),
            }
        except nvml.NVMLError as error:
            return {"watched": f"NVML: {error}"}


def _text(found: str | bytes) -> str:
    return found.decode() if isinstance(found, bytes) else found
