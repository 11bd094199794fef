"""LLVM IR as text: functions, instructions and opcodes, read without any LLVM library (clang 14 to 19 and later)."""

import re
from collections import Counter
from collections.abc import Iterator

from pydantic import Field

from atunner.core.value import Value

_WORDS = (
    "ret br switch indirectbr invoke callbr resume catchswitch catchret cleanupret unreachable fneg",
    "add fadd sub fsub mul fmul udiv sdiv fdiv urem srem frem shl lshr ashr and or xor",
    "extractelement insertelement shufflevector extractvalue insertvalue",
    "alloca load store fence cmpxchg atomicrmw getelementptr",
    "trunc zext sext fptrunc fpext fptoui fptosi uitofp sitofp ptrtoint inttoptr bitcast addrspacecast ptrtoaddr",
    "icmp fcmp phi select freeze call va_arg landingpad catchpad cleanuppad",
)
OPCODES = frozenset(word for line in _WORDS for word in line.split())
"""Every instruction of the language reference; any other word is a continued line, never an opcode."""

_NAME = r'(?:"(?:[^"\\]|\\.)*"|[-\w.$]+)'
_DEFINE = re.compile(rf"^define\b.*?@({_NAME})\s*\(")
_LABEL = re.compile(rf"^\s*{_NAME}:")
_LABEL_NAME = re.compile(rf"^\s*({_NAME}):")
_TARGET = re.compile(rf"\blabel %({_NAME})")
_INSTRUCTION = re.compile(rf"^\s*(?:%{_NAME}\s*=\s*)?(?:(?:tail|musttail|notail)\s+)?([a-z_]+)\b")
_RESULT = re.compile(rf"^\s*%{_NAME}\s*=")
_DEBUG = re.compile(r"^\s*#dbg_|\bcall void @llvm\.dbg\.")
_VECTOR = re.compile(r"<(?:vscale x )?\d+ x [^<>]+>")


class Function(Value):
    """One `define`. lines: of code, its own and its end included; comments, blank and debug lines are not code."""

    name: str
    lines: int
    opcodes: dict[str, int] = Field(default_factory=dict)
    vector: int = 0

    @property
    def instructions(self) -> int:
        """How many instructions it has."""
        return sum(self.opcodes.values())


class Module(Value):
    """What the text of a module holds. lines: of code in all functions."""

    functions: tuple[Function, ...]

    @property
    def lines(self) -> int:
        """Lines of code of all functions."""
        return sum(f.lines for f in self.functions)

    @property
    def instructions(self) -> int:
        """Instructions of all functions."""
        return sum(f.instructions for f in self.functions)

    @property
    def opcodes(self) -> dict[str, int]:
        """Opcode -> count over all functions, by name."""
        total: Counter[str] = Counter()
        for function in self.functions:
            total.update(function.opcodes)
        return dict(sorted(total.items()))

    def function(self, name: str) -> Function | None:
        """The function of that name."""
        return next((f for f in self.functions if f.name == name), None)


def parse(text: str) -> Module:
    """Read a module; what stands outside functions (types, globals, attributes, metadata) is not counted."""
    return Module(functions=tuple(_function(name, body) for name, body in bodies(text)))


def bodies(text: str) -> Iterator[tuple[str, list[str]]]:
    """Name and lines of each `define`, from its first line to its closing brace."""
    name, lines = "", list[str]()
    for line in text.splitlines():
        if not lines:
            found = _DEFINE.match(line)
            if not found:
                continue
            name = found[1].strip('"')
        lines.append(line)
        if line.startswith("}"):
            yield name, lines
            lines = []


def in_loops(body: list[str]) -> frozenset[int]:
    """Which lines of a function (by index) lie in a block that can be reached from itself."""
    blocks, block = list[int](), 0
    labels: dict[str, int] = {}
    follows: dict[int, set[str]] = {0: set()}
    for line in body:
        label = _LABEL_NAME.match(line)
        if label and not line.lstrip().startswith(";"):
            block += 1
            labels[label[1].strip('"')] = block
            follows[block] = set()
        blocks.append(block)
        follows[block].update(name.strip('"') for name in _TARGET.findall(line))
    after = {b: {labels[name] for name in names if name in labels} for b, names in follows.items()}
    cyclic = {b for b in after if b in _reached(after, b)}
    return frozenset(n for n, b in enumerate(blocks) if b in cyclic)


def _reached(after: dict[int, set[int]], start: int) -> set[int]:
    """Every block that can come after `start`."""
    found: set[int] = set()
    waiting = list(after[start])
    while waiting:
        block = waiting.pop()
        if block not in found:
            found.add(block)
            waiting += after[block]
    return found


def _function(name: str, body: list[str]) -> Function:
    code = [line for line in body if _is_code(line)]
    counts: Counter[str] = Counter()
    vector = 0
    for line in _instructions(code[1:-1]):
        found = _INSTRUCTION.match(line)
        if found and found[1] in OPCODES:
            counts[found[1]] += 1
            vector += _on_vectors(line, found[1])
    return Function(name=name, lines=len(code), opcodes=dict(sorted(counts.items())), vector=vector)


def _is_code(line: str) -> bool:
    bare = line.strip()
    return bool(bare) and not bare.startswith(";") and not _DEBUG.search(line)


def _instructions(lines: list[str]) -> Iterator[str]:
    """First lines of instructions: labels and the cases of a switch are none."""
    in_cases = False
    for line in lines:
        if in_cases:
            in_cases = "]" not in line
        elif not _LABEL.match(line):
            in_cases = line.lstrip().startswith("switch ") and "]" not in line
            yield line


def _on_vectors(line: str, opcode: str) -> bool:
    """Whether it computes, loads or stores a vector (not merely passes one among other operands)."""
    head = line.split(" = ", 1)[-1] if _RESULT.match(line) else line
    return opcode != "getelementptr" and bool(_VECTOR.search(head.split(", align", 1)[0]))
