"""ELF files, as far as we need to read them: what a 64-bit little-endian shared object imports."""

import struct
from pathlib import Path

from atunner.core.errors import ToolError

_DYNSYM = 11
_UNDEFINED = 0


def imported(path: Path) -> frozenset[str]:
    """Names of the undefined dynamic symbols, without versions (ELF-64 object file format: Elf64_Shdr, Elf64_Sym).

    Raises:
        ToolError: it is not such a file.
    """
    content = path.read_bytes()
    try:
        return _undefined(content)
    except (struct.error, IndexError, ValueError) as error:
        raise ToolError(f"{path.name} is not a 64-bit ELF shared object: {error}.") from error


def _undefined(content: bytes) -> frozenset[str]:
    if content[:6] != b"\x7fELF\x02\x01":
        raise ValueError("wrong magic")
    (table,) = struct.unpack_from("<Q", content, 0x28)
    size, count = struct.unpack_from("<HH", content, 0x3A)
    headers = [struct.unpack_from("<IIQQQQIIQQ", content, table + i * size) for i in range(count)]
    found = set()
    for _, kind, _, _, offset, length, link, _, _, _ in headers:
        if kind == _DYNSYM:
            names = headers[link][4]
            for at in range(offset + 24, offset + length, 24):
                name, _, _, section = struct.unpack_from("<IBBH", content, at)
                if section == _UNDEFINED:
                    start = names + name
                    found.add(content[start : content.index(b"\0", start)].decode("ascii", "replace"))
    return frozenset(found)
