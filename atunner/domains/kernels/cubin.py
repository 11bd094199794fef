"""What a cubin (an ELF file) says of its kernels: code, registers, shared memory, launch bounds."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from atunner.core.errors import ToolError
from atunner.core.occupancy import number_of

# Attributes in .nv.info sections, by the names that NVIDIA's dumper prints for them.
REQUIRED_THREADS, MAX_THREADS, FRAME_SIZE, REGISTER_COUNT = 0x10, 0x05, 0x11, 0x2F
SIZED = 4
RESERVED_SHARED = 1024


@dataclass(frozen=True)
class Kernel:
    """One entry function. stack: bytes of local memory a thread; max_threads: from `__launch_bounds__`, 0 without."""

    name: str
    code: bytes
    registers: int
    shared: int
    stack: int
    max_threads: int = 0


@dataclass
class _Section:
    name: str
    link: int
    info: int
    size: int
    body: bytes


@dataclass
class _Info:
    registers: dict[int, int] = field(default_factory=dict)
    stack: dict[int, int] = field(default_factory=dict)


def kernels(cubin: bytes, arch: str) -> tuple[Kernel, ...]:
    """All entry functions, in the file's order.

    Raises:
        ToolError: not a cubin.
    """
    if cubin[:4] != b"\x7fELF" or len(cubin) < 64:
        raise ToolError("Expected a cubin (an ELF file), got something else.")
    try:
        sections = list(_sections(cubin))
        return tuple(_kernels(sections, number_of(arch)))
    except struct.error as error:
        raise ToolError(f"The cubin is damaged: {error}.") from error


def _sections(cubin: bytes) -> Iterator[_Section]:
    (table,) = struct.unpack_from("<Q", cubin, 0x28)
    size, count, names = struct.unpack_from("<HHH", cubin, 0x3A)
    rows = [struct.unpack_from("<IIQQQQIIQQ", cubin, table + i * size) for i in range(count)]
    strings = rows[names][4]
    for name, kind, _, _, offset, length, link, info, *_ in rows:
        start = strings + name
        text = cubin[start : cubin.index(b"\0", start)].decode()
        no_bits = kind == 8
        yield _Section(text, link, info, length, b"" if no_bits else cubin[offset : offset + length])


def _kernels(sections: list[_Section], number: int) -> Iterator[Kernel]:
    by_name = {section.name: section for section in sections}
    names = _symbol_names(by_name)
    info = _info(by_name[".nv.info"].body) if ".nv.info" in by_name else _Info()
    registers = {names[i]: n for i, n in info.registers.items() if i < len(names)}
    stack = {names[i]: n for i, n in info.stack.items() if i < len(names)}
    reserved = RESERVED_SHARED if number >= 90 else 0
    for section in sections:
        name = section.name.removeprefix(".text.")
        own = by_name.get(f".nv.info.{name}")
        if name == section.name or own is None:
            continue
        shared = by_name.get(f".nv.shared.{name}")
        yield Kernel(
            name=name,
            code=section.body,
            registers=registers.get(name, section.info >> 24),
            shared=max(0, shared.size - reserved) if shared else 0,
            stack=stack.get(name, 0),
            max_threads=_max_threads(own.body),
        )


def _symbol_names(by_name: dict[str, _Section]) -> list[str]:
    symbols, strings = by_name[".symtab"].body, by_name[".strtab"].body
    starts = [struct.unpack_from("<I", symbols, offset)[0] for offset in range(0, len(symbols), 24)]
    return [strings[start : strings.index(b"\0", start)].decode() for start in starts]


def _attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + 4 <= len(body):
        form, attribute, value = struct.unpack_from("<BBH", body, offset)
        offset += 4
        if form == SIZED:
            yield attribute, body[offset : offset + value]
            offset += value


def _info(body: bytes) -> _Info:
    found = _Info()
    for attribute, payload in _attributes(body):
        if attribute == REGISTER_COUNT:
            symbol, count = struct.unpack("<II", payload)
            found.registers[symbol] = count
        elif attribute == FRAME_SIZE:
            symbol, size = struct.unpack("<II", payload)
            found.stack[symbol] = size
    return found


def _max_threads(body: bytes) -> int:
    for attribute, payload in _attributes(body):
        if attribute in (REQUIRED_THREADS, MAX_THREADS) and len(payload) == 12:
            x, y, z = struct.unpack("<III", payload)
            return int(x * y * z)
    return 0
