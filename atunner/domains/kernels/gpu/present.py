"""Which GPU of this machine is the target, if one is."""

import re
from collections.abc import Iterable

from pydantic import Field

from atunner.core.device import Device
from atunner.core.value import Value
from atunner.domains.kernels.bundle_runner.driver import Driver, NoDevice
from atunner.tools.hardware import Gpu, gpus

_MAKER = re.compile(r"nvidia|geforce|tesla|quadro|[^a-z0-9]")


class Here(Value):
    """A GPU of this machine. library: its driver, "" for the system's. clocks: the highest, in MHz."""

    name: str
    arch: str
    uuid: str = ""
    driver: str = ""
    clocks: dict[str, int] = Field(default_factory=dict)
    library: str = ""

    def command(self, *argv: str) -> tuple[str, ...]:
        """`argv` as a program that sees this GPU and no other; the rest of the environment says where drivers are."""
        return ("env", f"CUDA_VISIBLE_DEVICES={self.uuid}", *argv) if self.uuid else argv


def present(library: str = "") -> tuple[Here, ...]:
    """The GPUs of this machine: as NVML tells them, or the one that the driver library `library` has."""
    if not library:
        return tuple(_here(gpu) for gpu in gpus())
    try:
        driver = Driver(library)
    except NoDevice:
        return ()
    return (Here(name=driver.name, arch=driver.arch, driver=driver.version, library=library),)


def target_among(device: Device, found: Iterable[Here]) -> Here | None:
    """The GPU that `device` means: one of its names and its architecture; another product is not the target."""
    names = {_plain(name) for name in (device.name, *device.aliases)}
    base = re.sub(r"(?<=\d)[af]$", "", device.arch)
    return next((gpu for gpu in found if gpu.arch == base and _plain(gpu.name) in names), None)


def _here(gpu: Gpu) -> Here:
    return Here(name=gpu.name, arch=gpu.arch, uuid=gpu.uuid, driver=gpu.driver, clocks=gpu.clocks)


def _plain(name: str) -> str:
    return _MAKER.sub("", name.lower())
