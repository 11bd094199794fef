"""The sizes of a plan: what a pick says, and how a loop is cut evenly."""

from dataclasses import dataclass

from atunner.domains.llvm_ir.nests.nest import Statement


@dataclass(frozen=True)
class Numbers:
    """Sizes of blocks. bytes: of one vector. rows, vectors: of a block. jam: statements interleaved without vectors.

    depth: iterations of a reduction that a block runs at once; 0 for all. pack: copy panels of what vectors read.
    apart: blocks are functions of their own.
    strip: rows of a large array that all statements use before the next ones; 0 for all. steps: turns of an outer loop
    that sweep over the arrays together; 0 for one after the other. loose: sums in any order.
    """

    bytes: int = 32
    rows: int = 4
    vectors: int = 2
    jam: int = 8
    depth: int = 0
    pack: int = 0
    apart: int = 0
    strip: int = 0
    steps: int = 0
    loose: bool = False


def even(statement: Statement, level: int, most: int, unit: int) -> int:
    """The size of equal pieces of a loop, none larger than `most`, in whole units; `most` where its length is open."""
    loop = statement.loops[level]
    if loop.lower.terms or loop.upper.terms:
        return most
    length = max(loop.upper.constant - loop.lower.constant + 1, 1)
    return min(most, -(-length // -(-length // most) // unit) * unit)
