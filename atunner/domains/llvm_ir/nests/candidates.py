"""Ways to block one statement alone, the most promising first."""

from collections.abc import Iterator

from atunner.domains.llvm_ir.nests.blocking import MARK, Blocking, Panel, Tile
from atunner.domains.llvm_ir.nests.distribution import Cluster, loop_row
from atunner.domains.llvm_ir.nests.expressions import Access, Expression, accesses
from atunner.domains.llvm_ir.nests.printing import Printed
from atunner.domains.llvm_ir.nests.reading import ARITHMETIC
from atunner.domains.llvm_ir.nests.sizes import Numbers, even
from atunner.domains.llvm_ir.nests.vectors import offset, overlaps, shared, strided, uses, vectorizable

BLOCKS = 48
"""Blocks of rows that share a panel, at most."""


def candidates(leaf: Cluster, numbers: Numbers) -> Iterator[Blocking]:
    """Every way to block the one statement of a cluster; each has still to be proved."""
    statement = leaf.statements[0]
    free = range(leaf.level, len(statement.loops))
    in_target = [level for level in free if uses(statement.target, statement, level)]
    reduced = [level for level in free if level not in in_target]
    leading = [level for level in reduced if level < min(in_target, default=0)]
    lanes = numbers.bytes // ARITHMETIC[statement.target.type]
    for outside in ([], leading) if leading else ([],):
        sums = [level for level in reduced if level not in outside]
        for vector in reversed(in_target if lanes > 1 else []):
            others = [u for u in in_target if u != vector]
            if vectorizable(statement, vector, lanes):
                if numbers.pack and sums and others:
                    yield from _packed(leaf, numbers, sums, others, vector, everything=True)
                yield from _vectors(leaf, numbers, outside, sums, others, vector)
            elif sums and others:
                yield from _packed(leaf, numbers, sums, others, vector, everything=False)
        if sums and in_target:
            yield from _jammed(leaf, numbers, outside, sums, in_target)
    if len(free) > 1:
        yield from _waves(leaf, numbers)


def _vectors(
    leaf: Cluster, numbers: Numbers, outside: list[int], reduced: list[int], others: list[int], vector: int
) -> Iterator[Blocking]:
    statement = leaf.statements[0]
    lanes = numbers.bytes // ARITHMETIC[statement.target.type]
    row = {level: loop_row(statement, level) for level in (*outside, *reduced, *others, vector)}
    wide = Tile(row[vector], lanes * numbers.vectors, offset(statement, vector), unrolled=True, vector=True)
    outer = [Tile(row[level], 1) for level in (*outside, *others)]
    if others and (reduced or overlaps(statement, others[-1])):
        outer[-1] = Tile(row[others[-1]], numbers.rows, offset(statement, others[-1]), unrolled=True)
    inner = tuple(row[level] for level in reduced)
    depth = [Tile(inner[-1], numbers.depth)] if reduced and numbers.depth else []
    if reduced and not others and not depth:
        depth = [Tile(inner[-1], numbers.jam)]
    rest = (*(row[u] for u in others), *inner, row[vector])
    yield Blocking(statement, leaf.heads[leaf.statements[0].name], (*depth, *outer, wide), inner, rest, lanes)


def _packed(
    leaf: Cluster, numbers: Numbers, reduced: list[int], others: list[int], vector: int, *, everything: bool
) -> Iterator[Blocking]:
    """Values that many vectors share are computed once, into panels: those with a stride, or all."""
    statement, inner, row_loop = leaf.statements[0], reduced[-1], others[-1]
    lanes = numbers.bytes // ARITHMETIC[statement.target.type]
    wide = shared(statement, vector, inner)
    if not everything:
        wide = [v for v in wide if any(strided(statement, a, vector) for a in accesses(v))]
    narrow = [v for v in shared(statement, row_loop, inner) if not isinstance(v, Access)]
    kept: dict[Expression, Printed] = {value: Printed("x", True) for value in wide}
    if not (wide or narrow) or not vectorizable(statement, vector, lanes, kept):
        return
    if any(statement.loops[level].step != 1 for level in (inner, vector, row_loop)):
        return
    row = {level: loop_row(statement, level) for level in (*reduced, *others, vector)}
    depth, width = even(statement, inner, numbers.depth or 256, 2), lanes * numbers.vectors
    height = even(statement, row_loop, numbers.rows * BLOCKS, numbers.rows)
    begin = offset(statement, row_loop)
    tiles, panels = [Tile(row[inner], depth)], []
    if narrow:
        tiles += [Tile(row[row_loop], height, begin), MARK]
        panels.append(Panel(2, tuple(narrow), row_loop, inner, depth, height, vector=False, along=True))
    tiles.append(Tile(row[vector], width, offset(statement, vector), unrolled=True, vector=True))
    if wide:
        along = any(strided(statement, a, vector) for v in wide for a in accesses(v))
        panels.append(Panel(len(tiles), tuple(wide), vector, inner, depth, width, vector=True, along=along))
        tiles.append(MARK)
    tiles += [Tile(row[level], 1) for level in others[:-1]]
    tiles.append(Tile(row[row_loop], numbers.rows, begin, unrolled=True))
    sums = tuple(row[level] for level in reduced)
    rest = (*(row[u] for u in others), *sums, row[vector])
    yield Blocking(statement, leaf.heads[leaf.statements[0].name], tuple(tiles), sums, rest, lanes, tuple(panels))


def _jammed(
    leaf: Cluster, numbers: Numbers, outside: list[int], reduced: list[int], others: list[int]
) -> Iterator[Blocking]:
    statement = leaf.statements[0]
    row = {level: loop_row(statement, level) for level in (*outside, *reduced, *others)}
    inner = tuple(row[level] for level in reduced)
    rest = (*(row[u] for u in others), *inner)
    for jammed in reversed(others):
        tiles = [Tile(row[u], 1) for u in (*outside, *others) if u != jammed]
        tile = Tile(row[jammed], numbers.jam, offset(statement, jammed), unrolled=True)
        yield Blocking(statement, leaf.heads[leaf.statements[0].name], (*tiles, tile), inner, rest)


def _waves(leaf: Cluster, numbers: Numbers) -> Iterator[Blocking]:
    """Rows that lag behind each other, so that what they compute at one time is independent."""
    statement = leaf.statements[0]
    rows = [loop_row(statement, level) for level in range(leaf.level, len(statement.loops))]
    *outer, row, last = rows
    if not any(access.array == statement.target.array for access in statement.reads):
        return
    for lag in (0, 1, 2, 3):
        level = len(statement.loops) - 2
        jammed = Tile(row, numbers.jam, offset(statement, level), unrolled=True, parallel=True)
        tiles = (*(Tile(o, 1) for o in outer), jammed, Tile(last.plus(row, lag), 1))
        yield Blocking(statement, leaf.heads[leaf.statements[0].name], tiles, (), (row,))
