"""One thread's registers and predicates, where their values are known: integers only.

A value that is not known (loaded from memory, a parameter, floating point) is None, and so is everything made of it.
"""

from collections.abc import Callable
from typing import NamedTuple

from atunner.core.value import Value
from atunner.domains.kernels.sass import Instruction

MASK = 0xFFFFFFFF
Word = int | None


class Geometry(Value):
    """The launch as the thread sees it: block and grid extents; grid (0, 0, 0) when it is not known."""

    block: tuple[int, int, int] = (256, 1, 1)
    grid: tuple[int, int, int] = (0, 0, 0)

    def special(self, name: str) -> Word:
        """A special register of a thread in the middle of the grid, where boundary checks do not bite."""
        axis = {"X": 0, "Y": 1, "Z": 2}.get(name[-1], 0)
        if name.startswith("SR_TID"):
            return self.block[axis] // 2
        if name.startswith("SR_CTAID"):
            return self.grid[axis] // 2 if self.grid[axis] else 1
        return 0 if name in ("SR_LANEID", "SRZ") else None

    def constant(self, offset: int, number: int) -> Word:
        """A word of constant bank 0: block extents, then grid extents; parameters are not known."""
        start = 0x360 if number >= 100 else 0
        extents = (*self.block, *self.grid)
        index, rest = divmod(offset - start, 4)
        inside = 0 <= index < len(extents) and rest == 0
        return extents[index] or None if inside else None


class Comparison(NamedTuple):
    """The operands that a predicate was made from, and how they were compared."""

    left: int
    right: int
    test: str


class State:
    """Registers and predicates of the thread; `compared` remembers how each predicate came about.

    saved: the same for predicates that the compiler put away in registers.
    """

    def __init__(self, geometry: Geometry, number: int) -> None:
        self.geometry = geometry
        self.number = number
        self.words: dict[str, Word] = {}
        self.predicates: dict[str, bool | None] = {}
        self.compared: dict[str, Comparison | None] = {}
        self.saved: dict[str, Comparison | None] = {}

    def read(self, operand: str) -> Word:
        """The value of a register, an immediate or a constant-bank word."""
        if operand in ("RZ", "URZ", "SRZ"):
            return 0
        if operand in self.words:
            return self.words[operand]
        if operand[0] in "-~" and operand[1:2] in ("R", "U", "c"):
            word = self.read(operand[1:])
            return None if word is None else (-word if operand[0] == "-" else ~word) & MASK
        if operand[0].isdigit() or operand[0] == "-":
            return immediate(operand)
        if operand.startswith("c[0x0][0x") and operand.endswith("]"):
            return self.geometry.constant(int(operand[7:-1], 16), self.number)
        return None

    def truth(self, name: str) -> bool | None:
        """The value of a predicate, with its negation."""
        if name.startswith("!"):
            value = self.truth(name[1:])
            return None if value is None else not value
        return True if name in ("", "PT", "UPT") else self.predicates.get(name)


def immediate(text: str) -> Word:
    """A number as a 32-bit word; None for anything else."""
    try:
        return int(text, 0) & MASK
    except ValueError:
        return None


_NO_RESULT = frozenset(
    [
        "STG",
        "STS",
        "STL",
        "ST",
        "RED",
        "REDG",
        "BAR",
        "DEPBAR",
        "LDGDEPBAR",
        "MEMBAR",
        "LDGSTS",
        "BSSY",
        "BSYNC",
        "WARPSYNC",
    ]
)


def forget(state: State, instruction: Instruction) -> None:
    """Whatever the instruction writes is not known from here on."""
    name, *modifiers = instruction.opcode.split(".")
    if name in _NO_RESULT:
        return
    for operand in instruction.operands[:2]:
        if is_predicate(operand):
            state.predicates[operand] = None
            state.compared[operand] = None
        elif operand[0] in "RU" and operand not in ("RZ", "URZ"):
            for register in registers(operand, _span(name, modifiers)):
                state.words[register] = None
                state.saved.pop(register, None)
            return


def _span(name: str, modifiers: list[str]) -> int:
    if "MMA" in name or "128" in modifiers:
        return 4
    return 2 if "64" in modifiers or "WIDE" in modifiers or name[0] == "D" or name == "CS2R" else 1


def registers(first: str, count: int) -> list[str]:
    """The names of `count` registers from `first` on."""
    prefix = first.rstrip("0123456789")
    digits = first[len(prefix) :]
    return [f"{prefix}{int(digits) + i}" for i in range(count)] if digits else [first]


def is_predicate(operand: str) -> bool:
    """Whether an operand is a predicate, negated or not."""
    bare = operand.lstrip("!").removeprefix("U")
    return len(bare) == 2 and bare[0] == "P" and bare[1] in "0123456T"


def plain(instruction: Instruction) -> tuple[str, ...]:
    """Operands without predicates: destination first."""
    return tuple(operand for operand in instruction.operands if not is_predicate(operand))


def write(state: State, instruction: Instruction, word: Word) -> None:
    """Set the register that the instruction writes."""
    forget(state, instruction)
    state.words[plain(instruction)[0]] = None if word is None else word & MASK


def signed(word: int) -> int:
    """A 32-bit word as a signed integer."""
    return word - (1 << 32) if word & 0x80000000 else word


TESTS: dict[str, Callable[[int, int], bool]] = {
    "LT": lambda a, b: a < b,
    "LE": lambda a, b: a <= b,
    "GT": lambda a, b: a > b,
    "GE": lambda a, b: a >= b,
    "EQ": lambda a, b: a == b,
    "NE": lambda a, b: a != b,
}


def holds(comparison: Comparison) -> bool:
    """Whether the comparison is true."""
    return TESTS[comparison.test](comparison.left, comparison.right)
