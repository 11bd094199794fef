"""A plan for a whole nest: each statement apart, blocked in the best way that its dependences allow."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from atunner.domains.llvm_ir.nests.blocking import Blocking, Pieces, Tile
from atunner.domains.llvm_ir.nests.distribution import Leaf, leaves, loop_row
from atunner.domains.llvm_ir.nests.expressions import Access
from atunner.domains.llvm_ir.nests.legality import legal
from atunner.domains.llvm_ir.nests.nest import Statement
from atunner.domains.llvm_ir.nests.polyhedra import Polyhedra, subscript
from atunner.domains.llvm_ir.nests.printing import NotVectorizable, Printer
from atunner.domains.llvm_ir.nests.reading import ARITHMETIC


@dataclass(frozen=True)
class Numbers:
    """Sizes of blocks. bytes: of one vector. rows, vectors: of a block. jam: statements interleaved without vectors.

    depth: iterations of a reduction that a block runs at once; 0 for all.
    """

    bytes: int = 32
    rows: int = 4
    vectors: int = 2
    jam: int = 8
    depth: int = 0


def plan(polyhedra: Polyhedra, numbers: Numbers) -> dict[str, Pieces]:
    """Statement -> its pieces. Each candidate that is taken was proved legal."""
    return {leaf.statement.name: _best(polyhedra, leaf, numbers) for leaf in leaves(polyhedra)}


def _best(polyhedra: Polyhedra, leaf: Leaf, numbers: Numbers) -> Pieces:
    for blocking in _candidates(leaf, numbers):
        pieces = Pieces(polyhedra, blocking)
        if legal(polyhedra, {leaf.statement.name: pieces}):
            return pieces
    return Pieces(polyhedra, _as_it_was(leaf))


def _as_it_was(leaf: Leaf) -> Blocking:
    rows = tuple(loop_row(leaf.statement, level) for level in range(leaf.level, len(leaf.statement.loops)))
    return Blocking(leaf.statement, leaf.head, tuple(Tile(row, 1) for row in rows), (), ())


def _candidates(leaf: Leaf, numbers: Numbers) -> Iterator[Blocking]:
    statement = leaf.statement
    free = range(leaf.level, len(statement.loops))
    in_target = [level for level in free if uses(statement.target, statement, level)]
    reduced = [level for level in free if level not in in_target]
    lanes = numbers.bytes // ARITHMETIC[statement.target.type]
    for vector in reversed(in_target):
        if lanes > 1 and vectorizable(statement, vector, lanes):
            yield from _vectors(leaf, numbers, reduced, [u for u in in_target if u != vector], vector)
    if reduced and in_target:
        yield from _jammed(leaf, numbers, reduced, in_target)


def _vectors(leaf: Leaf, numbers: Numbers, reduced: list[int], others: list[int], vector: int) -> Iterator[Blocking]:
    statement = leaf.statement
    lanes = numbers.bytes // ARITHMETIC[statement.target.type]
    row = {level: loop_row(statement, level) for level in (*reduced, *others, vector)}
    wide = Tile(row[vector], lanes * numbers.vectors, offset(statement, vector), unrolled=True, vector=True)
    outer = [Tile(row[level], 1) for level in others]
    if others and reduced:
        outer[-1] = Tile(row[others[-1]], numbers.rows, offset(statement, others[-1]), unrolled=True)
    inner = tuple(row[level] for level in reduced)
    depth = [Tile(inner[-1], numbers.depth)] if reduced and numbers.depth else []
    if reduced and not others and not depth:
        depth = [Tile(inner[-1], numbers.jam)]
    rest = (*(row[u] for u in others), *inner, row[vector])
    yield Blocking(statement, leaf.head, (*depth, *outer, wide), inner, rest, lanes)


def _jammed(leaf: Leaf, numbers: Numbers, reduced: list[int], others: list[int]) -> Iterator[Blocking]:
    statement = leaf.statement
    row = {level: loop_row(statement, level) for level in (*reduced, *others)}
    inner = tuple(row[level] for level in reduced)
    rest = (*(row[u] for u in others), *inner)
    for jammed in reversed(others):
        tiles = [Tile(row[u], 1) for u in others if u != jammed]
        tile = Tile(row[jammed], numbers.jam, offset(statement, jammed), unrolled=True)
        yield Blocking(statement, leaf.head, (*tiles, tile), inner, rest)


def uses(access: Access, statement: Statement, level: int) -> bool:
    """Whether an element depends on a loop of its statement."""
    key = statement.loops[level].key
    return any(key in subscript(sub).terms for sub in access.subscripts)


def offset(statement: Statement, level: int) -> int:
    """Where a loop with a constant lower bound begins, so that blocks begin there too."""
    loop = statement.loops[level]
    return loop.lower.constant if loop.step > 0 and not loop.lower.terms else 0


def vectorizable(statement: Statement, level: int, lanes: int) -> bool:
    """Whether neighbouring turns of a loop make a vector."""
    loop = statement.loops[level]
    if loop.step != 1:
        return False
    names: Mapping[str, str] = _Any()
    printer = Printer(names, {}, {}, {loop.key: 1}, lanes, {})
    try:
        printer.splat(statement.value)
        return printer.varies(statement.target)
    except NotVectorizable:
        return False


class _Any(dict[str, str]):
    """Names for an expression that is printed only to see whether it can be."""

    def __missing__(self, key: str) -> str:
        return "x"
