"""What no launch may ask of a device: found before anything is started on it."""

from collections.abc import Iterable

from atunner.core.device import Device
from atunner.core.errors import NotBuilt
from atunner.core.occupancy import MAX_THREADS, Block, limits, occupancy
from atunner.core.program import Geometry
from atunner.domains.kernels.cubin import Kernel

MOST_BLOCKS = (2**31 - 1, 65535, 65535)
"""Of a grid in x, y and z; CUDA C++ Programming Guide, technical specifications per compute capability."""
MOST_THREADS = (1024, 1024, 64)


def admit(launches: Iterable[Geometry], kernels: Iterable[Kernel], device: Device) -> None:
    """Hold every launch against the device's limits; `kernels` are those of the machine code.

    Raises:
        NotBuilt: one line with what was asked and what the device gives.
    """
    known = {kernel.name: kernel for kernel in kernels}
    for launch in launches:
        _shape(launch)
        if launch.kernel in known:
            _resources(launch, known[launch.kernel], device)


def _shape(launch: Geometry) -> None:
    if min(*launch.grid, *launch.block) < 1:
        raise NotBuilt(
            f"{launch.kernel}: grid {launch.grid} and block {launch.block} must be at least 1 in x, y and z."
        )
    if launch.threads > MAX_THREADS or any(a > b for a, b in zip(launch.block, MOST_THREADS, strict=True)):
        raise NotBuilt(
            f"{launch.kernel}: a block of {launch.block} has {launch.threads} threads; a block has at most "
            f"{MAX_THREADS}, and {MOST_THREADS} in x, y and z."
        )
    if any(a > b for a, b in zip(launch.grid, MOST_BLOCKS, strict=True)):
        raise NotBuilt(f"{launch.kernel}: a grid of {launch.grid} is too large; at most {MOST_BLOCKS} in x, y and z.")


def _resources(launch: Geometry, kernel: Kernel, device: Device) -> None:
    asked, most = kernel.shared + launch.shared_bytes, limits(device.arch).shared_per_block
    if asked > most:
        raise NotBuilt(
            f"{launch.kernel}: a block needs {asked} bytes of shared memory; {device.name} ({device.arch}) gives at "
            f"most {most}."
        )
    block = Block(threads=launch.threads, registers=kernel.registers, shared=asked)
    if not occupancy(device.arch, block).blocks:
        raise NotBuilt(
            f"{launch.kernel}: {launch.threads} threads of {kernel.registers} registers do not fit on a multiprocessor "
            f"of {device.name}; use fewer of either, or __launch_bounds__({launch.threads})."
        )
