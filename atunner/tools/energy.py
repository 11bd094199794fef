"""Counters of energy: the processor's own (RAPL) as Linux tells it, and a GPU's as its driver tells it (NVML)."""

import re
from pathlib import Path
from typing import Any, Protocol

from atunner.core.errors import ToolError, UserError

POWERCAP = Path("/sys/class/powercap")
_PACKAGE = re.compile(r"intel-rapl:\d+")

Reading = tuple[int, ...]
"""What each part of a counter stands at."""


class Counter(Protocol):
    """Energy since some start. least_s: how long must be watched for one part in 500. source: what it counts."""

    least_s: float
    source: str

    def read(self) -> Reading:
        """What it stands at. Raises ToolError: it is gone."""
        ...

    def joules(self, before: Reading, after: Reading) -> float:
        """What was used between two readings."""
        ...


class Rapl:
    """The packages of this machine's processors, idle cores included; it moves about a thousand times a second.

    Raises:
        UserError: there is none that can be read.
    """

    least_s = 0.5
    source = "RAPL"

    def __init__(self, root: Path = POWERCAP) -> None:
        # What is beside packages is a part of one (intel-rapl:0:1) or the whole machine (psys): it would count twice.
        self._folders = [f for f in sorted(root.glob("intel-rapl:*")) if _PACKAGE.fullmatch(f.name) and not _whole(f)]
        if not self._folders:
            raise UserError(f"Energy cannot be read here: there is no RAPL counter in {root}; tune for time or gflops.")
        try:
            self._counted()
            self._most = tuple(int((f / "max_energy_range_uj").read_text()) for f in self._folders)
        except OSError as error:
            raise UserError(f"Energy cannot be read: {error.filename} needs more rights ({error.strerror}).") from error

    def read(self) -> Reading:
        """Microjoules of each package."""
        try:
            return self._counted()
        except OSError as error:
            raise ToolError(f"The counter {error.filename} cannot be read any more: {error.strerror}.") from error

    def joules(self, before: Reading, after: Reading) -> float:
        """The sum over the packages; a counter starts again at its end."""
        moved = zip(before, after, self._most, strict=True)
        return sum(b - a if b >= a else b - a + most for a, b, most in moved) * 1e-6

    def _counted(self) -> Reading:
        return tuple(int((f / "energy_uj").read_text()) for f in self._folders)


class Nvml:
    """One NVIDIA GPU since its driver was loaded, from Volta on; it moves some twenty times a second.

    Raises:
        UserError: the driver has no such counter.
    """

    least_s = 2.0
    source = "NVML"

    def __init__(self, uuid: str, library: Any = None) -> None:
        import pynvml

        self._nvml = nvml = library or pynvml
        try:
            nvml.nvmlInit()
            self._gpu = nvml.nvmlDeviceGetHandleByUUID(uuid) if uuid else nvml.nvmlDeviceGetHandleByIndex(0)
            self._millijoules()
        except nvml.NVMLError as error:
            raise UserError(f"Energy of the GPU cannot be read (NVML: {error}); tune for time or gflops.") from error

    def read(self) -> Reading:
        """Millijoules."""
        try:
            return (self._millijoules(),)
        except self._nvml.NVMLError as error:
            raise ToolError(f"The GPU's counter of energy cannot be read any more: {error}.") from error

    def joules(self, before: Reading, after: Reading) -> float:
        """What the whole board used."""
        return (after[0] - before[0]) * 1e-3

    def _millijoules(self) -> int:
        return int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._gpu))


def _whole(folder: Path) -> bool:
    name = folder / "name"
    return name.exists() and name.read_text().strip() == "psys"
