"""From compiled code to facts: registers, shared memory, spills, instruction mix, traffic, occupancy."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from atunner.core.occupancy import Block, number_of, occupancy
from atunner.core.profile import StaticFacts
from atunner.domains.kernels import cubin
from atunner.domains.kernels.sass import Instruction, instructions, is_constant_move, meaning, width_bits
from atunner.domains.kernels.thread_state import Geometry
from atunner.domains.kernels.walk import Path, walk
from atunner.tools.cuobjdump import disassemble
from atunner.tools.nvrtc import Compiled

_RESOURCES = re.compile(
    r"Compiling entry function '(?P<name>\S+)' for.*?"
    r"(?P<stack>\d+) bytes stack frame, (?P<stores>\d+) bytes spill stores, (?P<loads>\d+) bytes spill loads",
    re.DOTALL,
)


class LaunchShape(NamedTuple):
    """How a kernel is launched; grid (0, 0, 0) when it is not known."""

    block: tuple[int, int, int]
    grid: tuple[int, int, int] = (0, 0, 0)
    dynamic_shared: int = 0

    @property
    def threads(self) -> int:
        """Threads in one block."""
        return self.block[0] * self.block[1] * self.block[2]


class Spills(NamedTuple):
    """Bytes that one thread spills, as the assembler said."""

    stores: int
    loads: int


class _Part(NamedTuple):
    """A kernel of one cubin, and where its code lies among all that are disassembled together."""

    kernel: cubin.Kernel
    compiled: Compiled
    base: int


def inspect_all(
    compiled: Sequence[Compiled], launches: Sequence[Mapping[str, LaunchShape]]
) -> list[tuple[StaticFacts, ...]]:
    """Facts of each cubin's kernels, in the order given; all code of an architecture is disassembled at once.

    launches: for each cubin the launches by symbol; a kernel that is not among them gets its launch bounds or 256
    threads.

    Raises:
        ToolError: not a cubin, or no disassembler.
    """
    parts: dict[str, list[_Part]] = {}
    code: dict[str, bytearray] = {}
    for item in compiled:
        for kernel in cubin.kernels(item.cubin, item.arch):
            joined = code.setdefault(item.arch, bytearray())
            parts.setdefault(item.arch, []).append(_Part(kernel, item, len(joined)))
            joined += kernel.code
    listed = {arch: _by_offset(disassemble(bytes(joined), arch), parts[arch]) for arch, joined in code.items()}
    found: dict[int, list[StaticFacts]] = {}
    shapes = {id(item): shape for item, shape in zip(compiled, launches, strict=True)}
    for arch, members in parts.items():
        for part, listing in zip(members, listed[arch], strict=True):
            shape = shapes[id(part.compiled)].get(part.kernel.name) or _default_shape(part.kernel)
            found.setdefault(id(part.compiled), []).append(facts(part.kernel, part.compiled, listing, shape))
    return [tuple(found.get(id(item), ())) for item in compiled]


def inspect(compiled: Compiled, launches: Mapping[str, LaunchShape]) -> tuple[StaticFacts, ...]:
    """Facts of every kernel in one cubin; see `inspect_all`."""
    return inspect_all([compiled], [launches])[0]


def _default_shape(kernel: cubin.Kernel) -> LaunchShape:
    return LaunchShape((kernel.max_threads or 256, 1, 1))


def _by_offset(text: str, parts: Sequence[_Part]) -> list[tuple[Instruction, ...]]:
    """Instructions of each part, with offsets from the part's own start."""
    parsed = list(instructions(text))
    listings: list[tuple[Instruction, ...]] = []
    position = 0
    for part in parts:
        end = part.base + len(part.kernel.code)
        first = position
        while position < len(parsed) and parsed[position].offset < end:
            position += 1
        listings.append(tuple(_moved(one, part.base) for one in parsed[first:position]))
    return listings


def _moved(instruction: Instruction, base: int) -> Instruction:
    operands = instruction.operands
    if base and operands and instruction.opcode.split(".")[0] in ("BRA", "CALL") and operands[-1].startswith("0x"):
        operands = (*operands[:-1], hex(int(operands[-1], 16) - base))
    return instruction._replace(offset=instruction.offset - base, operands=operands)


def spills(log: str) -> dict[str, Spills]:
    """What the assembler's log says of register spills, by kernel."""
    return {m["name"]: Spills(int(m["stores"]), int(m["loads"])) for m in _RESOURCES.finditer(log)}


def facts(kernel: cubin.Kernel, compiled: Compiled, listing: Sequence[Instruction], shape: LaunchShape) -> StaticFacts:
    """The facts of one kernel under one launch."""
    path = walk(listing, Geometry(block=shape.block, grid=shape.grid), number_of(compiled.arch))
    spilled = spills(compiled.log).get(kernel.name, Spills(0, 0))
    block = Block(threads=shape.threads, registers=kernel.registers, shared=kernel.shared + shape.dynamic_shared)
    return StaticFacts(
        arch=compiled.arch,
        kernel=kernel.name,
        registers=kernel.registers,
        static_shared=kernel.shared,
        dynamic_shared=shape.dynamic_shared,
        spill_bytes=spilled.stores + spilled.loads,
        local_array_bytes=_local_arrays(kernel, listing, spilled),
        threads_per_block=shape.threads,
        blocks=shape.grid[0] * shape.grid[1] * shape.grid[2],
        occupancy=occupancy(compiled.arch, block),
        widths=_widths(listing),
        unknown_loops=path.unknown_loops,
        notes=_notes(kernel, spilled, path),
        **_executed(listing, path),
    )


def _local_arrays(kernel: cubin.Kernel, listing: Sequence[Instruction], spilled: Spills) -> int:
    """Stack that is not spills: all of it without spills; else only where an address is computed at run time."""
    if not spilled.stores:
        return kernel.stack
    computed = any(
        one.opcode.startswith(("LDL", "STL")) and not any(part.startswith("[R1") for part in one.operands)
        for one in listing
    )
    return max(0, kernel.stack - spilled.stores) if computed else 0


def _widths(listing: Sequence[Instruction]) -> dict[str, int]:
    counted = Counter(bits for one in listing if (bits := width_bits(one.opcode)))
    return {str(bits): counted[bits] for bits in sorted(counted)}


def _executed(listing: Sequence[Instruction], path: Path) -> dict[str, dict[str, float] | float]:
    mix: dict[str, float] = defaultdict(float)
    traffic: dict[str, float] = defaultdict(float)
    flops, tensor = 0.0, 0.0
    for one, times in zip(listing, path.weights, strict=True):
        if not times:
            continue
        means = meaning(one.opcode)
        constant = is_constant_move(one)
        mix["other" if constant else means.kind] += times
        if means.space:
            traffic[means.space] += means.bytes * times
        flops += 0.0 if constant else means.flops * times
        tensor += means.tensor_flops * times
    return {"mix": dict(mix), "traffic": dict(traffic), "flops": flops, "tensor_flops": tensor}


def _notes(kernel: cubin.Kernel, spilled: Spills, path: Path) -> tuple[str, ...]:
    notes = []
    if spilled.stores or spilled.loads:
        notes.append(f"spills {spilled.stores} B of stores and {spilled.loads} B of loads a thread")
    if path.unknown_loops:
        notes.append(f"{path.unknown_loops} loops have a trip count that is not in the code; they are counted once")
    return tuple(notes)
