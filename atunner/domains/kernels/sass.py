"""SASS text as instructions, and what each instruction is: its class, its bytes, its FLOPs."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_LINE = re.compile(r"^\s*/\*([0-9a-f]+)\*/\s+(?:\{\s*)?(@!?U?P\w+\s+)?([A-Z][\w.]*)\s*([^;]*);", re.MULTILINE)


class Instruction(NamedTuple):
    """One machine instruction. guard: "P0", "!P0" or "" (always)."""

    offset: int
    guard: str
    opcode: str
    operands: tuple[str, ...]


class Meaning(NamedTuple):
    """What one execution by a thread means. space: of `traffic`, "" when no memory. flops: fused multiply-add is 2."""

    kind: str
    space: str = ""
    bytes: int = 0
    flops: float = 0.0
    tensor_flops: float = 0.0


def instructions(text: str, base: int = 0) -> Iterator[Instruction]:
    """Parse the disassembler's lines; offsets are relative to `base`. Padding (NOP) is left out."""
    for offset, guard, opcode, operands in _LINE.findall(text):
        if opcode != "NOP":
            yield Instruction(int(offset, 16) - base, guard.strip().lstrip("@"), opcode, _split(operands))


def _split(operands: str) -> tuple[str, ...]:
    return tuple(part.strip().removesuffix(".reuse") for part in operands.split(",")) if operands.strip() else ()


_INTEGER = [
    "IADD",
    "IADD3",
    "IMAD",
    "IMUL",
    "LEA",
    "LOP",
    "LOP3",
    "SHF",
    "SHL",
    "SHR",
    "ISETP",
    "IMNMX",
    "VIMNMX",
    "VIMNMX3",
    "IABS",
    "ISCADD",
    "POPC",
    "FLO",
    "BREV",
    "PRMT",
    "BMSK",
    "SGXT",
    "VIADD",
    "VIADDMNMX",
    "XMAD",
    "IDP",
    "I2IP",
    "LOP32I",
    "ISUB",
    "VABSDIFF",
    "LEPC",
]
_CLASS = {
    **dict.fromkeys(_INTEGER, "int"),
    **dict.fromkeys(["FFMA", "FFMA2", "FFMA32I"], "ffma"),
    **dict.fromkeys(
        [
            "FADD",
            "FADD2",
            "FMUL",
            "FMUL2",
            "FMUL32I",
            "FADD32I",
            "FMNMX",
            "FMNMX3",
            "FSEL",
            "FSETP",
            "FSET",
            "FCHK",
            "FSWZADD",
        ],
        "fp32",
    ),
    **dict.fromkeys(["HFMA2", "HADD2", "HMUL2", "HMNMX2", "HSETP2", "HSET2", "HFMA2_MMA"], "half"),
    **dict.fromkeys(["DFMA", "DADD", "DMUL", "DSETP", "DMNMX"], "fp64"),
    **dict.fromkeys(["MUFU", "F2F", "F2I", "I2F", "FRND", "F2FP", "I2FP"], "mufu"),
    **dict.fromkeys(["LDG", "LD"], "ldg"),
    **dict.fromkeys(["STG", "ST"], "stg"),
    **dict.fromkeys(["LDGSTS", "UBLKCP", "UTMALDG", "UTMASTG", "UTMAREDG", "UTMAPF"], "async"),
    **dict.fromkeys(["LDS", "LDSM"], "lds"),
    **dict.fromkeys(["STS", "STSM"], "sts"),
    **dict.fromkeys(["LDL", "STL"], "local"),
    **dict.fromkeys(["LDC", "ULDC", "LDCU"], "constant"),
    **dict.fromkeys(["ATOM", "ATOMG", "ATOMS", "RED", "REDG", "REDS", "REDUX", "CREDUX"], "atomic"),
    **dict.fromkeys(["BAR", "DEPBAR", "LDGDEPBAR", "SYNCS", "ARRIVES", "MEMBAR", "WARPSYNC", "ERRBAR", "FENCE"], "bar"),
    **dict.fromkeys(["SHFL", "VOTE", "VOTEU", "MATCH"], "shfl"),
    **dict.fromkeys(["BRA", "BRX", "JMP", "CALL", "RET", "EXIT", "BSSY", "BSYNC", "BREAK", "BMOV", "YIELD"], "control"),
    **dict.fromkeys(["MOV", "SEL", "S2R", "S2UR", "CS2R", "R2P", "P2R", "R2UR", "PLOP3", "UMOV", "USEL"], "other"),
}
_SPACE = {
    "LDG": "global_load",
    "LD": "global_load",
    "LDGSTS": "global_load",
    "STG": "global_store",
    "ST": "global_store",
    "LDS": "shared_load",
    "LDSM": "shared_load",
    "STS": "shared_store",
    "STSM": "shared_store",
    "LDL": "local",
    "STL": "local",
}
_TENSOR = ("HMMA", "IMMA", "DMMA", "BMMA", "QMMA", "OMMA", "HGMMA", "IGMMA", "QGMMA", "UTCHMMA", "UTCQMMA", "UTCIMMA")
# Products m*n*k of one warp-wide instruction, by the shape in its name (PTX ISA, "mma" instruction shapes).
_SHAPES = {"884": 8 * 8 * 4, "8816": 8 * 8 * 16, "1688": 16 * 8 * 8, "16816": 16 * 8 * 16, "16832": 16 * 8 * 32}
WARP = 32


@lru_cache(maxsize=4096)
def meaning(opcode: str, uniform_guard: bool = False) -> Meaning:
    """Class, bytes and FLOPs of an opcode with its modifiers, by one thread."""
    name, *modifiers = opcode.split(".")
    if name in _TENSOR:
        return Meaning("tensor", tensor_flops=2.0 * _products(modifiers) / WARP)
    kind = _CLASS.get(name) or _CLASS.get(name.removeprefix("U")) or _prefix(name)
    if name in ("IMAD", "HFMA2") and modifiers and modifiers[0] in ("MOV", "MMA"):
        return Meaning("other" if modifiers[0] == "MOV" else "half", flops=0.0 if modifiers[0] == "MOV" else 4.0)
    space = _SPACE.get(name, "")
    return Meaning(kind, space, _width(name, modifiers) // 8 if space else 0, _flops(name))


def _prefix(name: str) -> str:
    return "tensor" if "MMA" in name else "other"


def _products(modifiers: list[str]) -> int:
    for modifier in modifiers:
        shape = re.match(r"(\d+)x(\d+)x(\d+)$", modifier)
        if shape:
            return int(shape[1]) * int(shape[2]) * int(shape[3])
        if modifier in _SHAPES:
            return _SHAPES[modifier]
    return _SHAPES["16816"]


def _width(name: str, modifiers: list[str]) -> int:
    """Bits that one thread moves; a matrix load of four 8 x 8 tiles gives each thread 128."""
    if name in ("LDSM", "STSM"):
        return 32 * next((int(m) for m in modifiers if m in ("1", "2", "4")), 1)
    return next((int(m) for m in modifiers if m in ("64", "128", "256")), _narrow(modifiers))


def _narrow(modifiers: list[str]) -> int:
    if any(m in ("U8", "S8") for m in modifiers):
        return 8
    return 16 if any(m in ("U16", "S16") for m in modifiers) else 32


def _flops(name: str) -> float:
    table = {"FFMA": 2.0, "FFMA2": 4.0, "FADD": 1.0, "FMUL": 1.0, "FADD2": 2.0, "FMUL2": 2.0, "HFMA2": 4.0}
    return table.get(name, {"HADD2": 2.0, "HMUL2": 2.0, "DFMA": 2.0, "DADD": 1.0, "DMUL": 1.0}.get(name, 0.0))


def width_bits(opcode: str) -> int:
    """Bits a thread moves by one global access, 0 for anything else."""
    found = meaning(opcode)
    return found.bytes * 8 if found.space.startswith("global") else 0


def is_constant_move(instruction: Instruction) -> bool:
    """Whether a half-precision multiply-add only puts a constant into a register, as the compiler likes to do."""
    return instruction.opcode.startswith("HFMA2") and instruction.operands[1:3] == ("-RZ", "RZ")
