"""How many blocks of a kernel live on one multiprocessor, and what holds the next one back.

The rules are those of NVIDIA's `cuda_occupancy.h` (runtime 13.x); the limits are those of the architecture traits in
CCCL 13.3 (`cuda::arch_traits`), which agree with the compute-capability table of the CUDA C++ Programming Guide.
"""

import re
from functools import lru_cache

from atunner.core.errors import UserError
from atunner.core.profile import Occupancy
from atunner.core.value import Value

WARP = 32
REGISTER_GRANULE = 256
PARTITIONS = 4
MAX_REGISTERS = 255
MAX_THREADS = 1024
STATIC_SHARED = 48 * 1024
REGISTERS_PER_SM = 65536


class Limits(Value):
    """What one multiprocessor of an architecture holds; sizes in bytes.

    shared_reserved: taken by the driver from each block. shared_per_block: the most that a launch may ask for,
    static and dynamic together, after opting in. barriers: named barriers of a multiprocessor,
    0 where they never limit.
    """

    arch: str
    warps: int
    blocks: int
    shared: int
    shared_reserved: int
    shared_granule: int
    barriers: int = 0
    source: str = "cuda::arch_traits of CCCL 13.3; cuda_occupancy.h of runtime 13"

    @property
    def threads(self) -> int:
        """Resident threads per multiprocessor."""
        return self.warps * WARP

    @property
    def shared_per_block(self) -> int:
        """Opt-in limit of one block."""
        return self.shared - self.shared_reserved


# arch: (warps, blocks, shared KiB, named barriers)
_TABLE = {
    70: (64, 32, 96, 0),
    72: (64, 32, 96, 0),
    75: (32, 16, 64, 0),
    80: (64, 32, 164, 0),
    86: (48, 16, 100, 0),
    87: (48, 16, 164, 0),
    88: (48, 16, 100, 0),
    89: (48, 24, 100, 0),
    90: (64, 32, 228, 64),
    100: (64, 32, 228, 64),
    103: (64, 32, 228, 32),
    107: (32, 16, 228, 16),
    110: (48, 24, 228, 24),
    120: (48, 24, 100, 24),
    121: (48, 24, 100, 24),
}

ARCHITECTURES = tuple(f"sm_{number}" for number in _TABLE)


class Block(Value):
    """What one block of a kernel asks for. shared: static plus dynamic bytes; barriers: named barriers used."""

    threads: int
    registers: int
    shared: int = 0
    barriers: int = 1


def number_of(arch: str) -> int:
    """The compute capability times ten: 90 for sm_90, sm_90a and compute_90.

    Raises:
        UserError: not an architecture's name.
    """
    found = re.fullmatch(r"(?:sm|compute)_(\d+)[af]?", arch)
    if found is None:
        raise UserError(f"{arch!r} is not a CUDA architecture. Write it like sm_80.")
    return int(found[1])


@lru_cache
def limits(arch: str) -> Limits:
    """The limits of an architecture; a suffix (sm_90a) does not change them.

    Raises:
        UserError: no such architecture is known.
    """
    number = number_of(arch)
    if number not in _TABLE:
        raise UserError(f"No occupancy limits known for {arch}. Known: {', '.join(ARCHITECTURES)}.")
    warps, blocks, shared, barriers = _TABLE[number]
    modern = number >= 80
    return Limits(
        arch=f"sm_{number}",
        warps=warps,
        blocks=blocks,
        shared=shared * 1024,
        shared_reserved=1024 if modern else 0,
        shared_granule=128 if modern else 256,
        barriers=barriers,
    )


def occupancy(arch: str, block: Block) -> Occupancy:
    """Resident blocks and warps on one multiprocessor with the largest shared-memory carve-out.

    Zero blocks means that the launch would fail. Where two resources limit alike, the first of registers,
    shared_memory, warps, blocks, barriers is named.
    """
    known = limits(arch)
    bounds = _bounds(known, block)
    count = min(bounds.values())
    warps = _ceil(block.threads, WARP)
    return Occupancy(
        blocks=count,
        warps=count * warps,
        fraction=count * warps / known.warps,
        limiter=next(name for name, bound in bounds.items() if bound == count),
        next_cliff=_cliff(known, block, count),
    )


def _bounds(known: Limits, block: Block) -> dict[str, int]:
    fits = 0 < block.threads <= MAX_THREADS and block.registers <= MAX_REGISTERS
    warps = _ceil(max(block.threads, 1), WARP)
    return {
        "registers": _by_registers(block.registers, warps) if fits else 0,
        "shared_memory": _by_shared(known, block.shared),
        "warps": known.warps // warps if fits else 0,
        "blocks": known.blocks,
        "barriers": known.barriers // block.barriers if known.barriers and block.barriers else known.blocks,
    }


def _by_registers(registers: int, warps: int) -> int:
    per_warp = _round_up(registers * WARP, REGISTER_GRANULE)
    if per_warp == 0:
        return REGISTERS_PER_SM
    if per_warp * _round_up(warps, PARTITIONS) > REGISTERS_PER_SM:
        return 0
    return (REGISTERS_PER_SM // PARTITIONS // per_warp) * PARTITIONS // warps


def _by_shared(known: Limits, shared: int) -> int:
    if shared > known.shared_per_block:
        return 0
    per_block = _round_up(shared + known.shared_reserved, known.shared_granule)
    return known.shared // per_block if per_block else known.shared


def _cliff(known: Limits, block: Block, count: int) -> str:
    """The smallest change of one resource alone that gives a further resident block, in words."""
    wanted = count + 1
    bounds = _bounds(known, block)
    short = [name for name, bound in bounds.items() if bound < wanted]
    if count * _ceil(block.threads, WARP) == known.warps:
        return ""
    if short == ["registers"]:
        for registers in range(block.registers - 1, 0, -1):
            if _by_registers(registers, _ceil(block.threads, WARP)) >= wanted:
                return f"{registers} registers or fewer (now {block.registers}) would give {wanted} blocks"
    if short == ["shared_memory"]:
        room = known.shared // wanted // known.shared_granule * known.shared_granule - known.shared_reserved
        if 0 <= room < block.shared:
            return f"{room} B of shared memory or less per block (now {block.shared}) would give {wanted} blocks"
    if short == ["warps"]:
        threads = known.warps // wanted * WARP
        if wanted * threads <= count * block.threads:
            return ""
        return f"blocks of {threads} threads or fewer (now {block.threads}) would give {wanted} blocks"
    if len(short) > 1:
        return f"{' and '.join(short)} both hold back block {wanted}"
    return ""


def _ceil(value: int, step: int) -> int:
    return -(-value // step)


def _round_up(value: int, step: int) -> int:
    return _ceil(value, step) * step
