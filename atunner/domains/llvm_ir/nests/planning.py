"""A plan for a whole nest: each statement apart, blocked in the best way that its dependences allow."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from atunner.domains.llvm_ir.nests.blocking import MARK, Blocking, Panel, Pieces, Tile
from atunner.domains.llvm_ir.nests.coupling import Coupled, coupled
from atunner.domains.llvm_ir.nests.distribution import Cluster, clusters, inside, loop_row, within
from atunner.domains.llvm_ir.nests.effort import PROOF, TooIntricate, limited
from atunner.domains.llvm_ir.nests.expanding import expanded
from atunner.domains.llvm_ir.nests.expressions import Access, Affine, Binary, Expression, Select, accesses, names, parts
from atunner.domains.llvm_ir.nests.legality import mended
from atunner.domains.llvm_ir.nests.nest import Statement
from atunner.domains.llvm_ir.nests.polyhedra import Polyhedra, subscript
from atunner.domains.llvm_ir.nests.printing import NotVectorizable, Printed, Printer
from atunner.domains.llvm_ir.nests.reading import ARITHMETIC
from atunner.domains.llvm_ir.nests.strips import strips

BLOCKS = 48
"""Blocks of rows that share a panel, at most."""


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


@dataclass(frozen=True)
class Plan:
    """The pieces of each statement, and the nest that they are pieces of: its private scalars may be expanded.

    apart: blocks become functions of their own.
    """

    polyhedra: Polyhedra
    pieces: Mapping[str, Pieces]
    apart: bool = False


@lru_cache(maxsize=128)
def plan(polyhedra: Polyhedra, numbers: Numbers) -> Plan:
    """Block each statement of a nest in the first way that is proved legal."""
    wide = _expanded(polyhedra, numbers)
    if wide:
        return wide
    groups = strips(polyhedra, numbers.strip) if numbers.strip else []
    tiles = [{name: (Tile(row, numbers.strip),) for name, row in group.items()} for group in groups]
    return Plan(polyhedra, _grouped_pieces(polyhedra, numbers, tiles), bool(numbers.apart))


def _expanded(polyhedra: Polyhedra, numbers: Numbers) -> Plan | None:
    """A plan with private scalars expanded; None when there are none, or they cannot be."""
    elements = [array.element for array in polyhedra.nest.arrays if array.private]
    if not elements:
        return None
    lanes = max(numbers.bytes // ARITHMETIC[elements[0]], 1)
    inner, groups = _widened(polyhedra, numbers.jam, numbers.rows, lanes * numbers.vectors)
    return Plan(inner, _grouped_pieces(inner, numbers, groups), bool(numbers.apart)) if groups else None


@lru_cache(maxsize=64)
def _widened(
    polyhedra: Polyhedra, jam: int, rows: int, width: int
) -> tuple[Polyhedra, tuple[Mapping[str, tuple[Tile, ...]], ...]]:
    """The nest with its private scalars expanded, and the groups that share them; no groups where that is not legal."""
    wide = expanded(polyhedra.nest, jam, rows, width)
    inner = Polyhedra(wide.nest)
    if not all(_in_tiles(inner, group) for group in wide.groups):
        return inner, ()
    found = [frozenset(s.name for s in cluster.statements) for cluster in clusters(inner, wide.groups)]
    return inner, () if any(frozenset(group) not in found for group in wide.groups) else wide.groups


def _in_tiles(polyhedra: Polyhedra, group: Mapping[str, tuple[Tile, ...]]) -> bool:
    """Whether no dependence among a group leads from a later tile to an earlier one."""
    for dependence in polyhedra.dependences:
        first, second = dependence.before.statement, dependence.after.statement
        if first.name in group and second.name in group:
            times = polyhedra.scheduled(first, [tile.text for tile in group[first.name]])
            later = polyhedra.scheduled(second, [tile.text for tile in group[second.name]])
            if not dependence.pairs.intersect(polyhedra.earlier(later, times).reverse()).is_empty():
                return False
    return True


def _grouped_pieces(
    polyhedra: Polyhedra, numbers: Numbers, groups: Sequence[Mapping[str, tuple[Tile, ...]]]
) -> dict[str, Pieces]:
    pieces: dict[str, Pieces] = {}
    for cluster in clusters(polyhedra, groups):
        names = {statement.name for statement in cluster.statements}
        group = next((g for g in groups if g.keys() == names), None)
        for part in within(polyhedra, cluster, group, 0) if group else [cluster]:
            pieces |= _planned(polyhedra, part, numbers)
    return pieces


def _planned(polyhedra: Polyhedra, cluster: Cluster, numbers: Numbers) -> Mapping[str, Pieces]:
    if len(cluster.statements) == 1:
        return _best(polyhedra, cluster, numbers)
    if numbers.steps and cluster.level == 0:
        found = _over_time(polyhedra, cluster, numbers)
        if found:
            return found
    split: dict[str, Pieces] = {}
    for part in inside(polyhedra, cluster):
        split |= _planned(polyhedra, part, numbers)
    deepest = max(len(s.loops) for s in cluster.statements)
    if cluster.level == 0 and not any(_cut(split[s.name]) for s in cluster.statements if len(s.loops) == deepest):
        return _together(polyhedra, cluster, numbers) or split
    return split


def takes_steps(polyhedra: Polyhedra, numbers: Numbers) -> bool:
    """Whether several turns of an outer loop can sweep over some arrays together."""
    groups = [cluster for cluster in clusters(polyhedra) if len(cluster.statements) > 1]
    return any(_over_time(polyhedra, cluster, numbers) for cluster in groups)


def _over_time(polyhedra: Polyhedra, cluster: Cluster, numbers: Numbers) -> Mapping[str, Pieces] | None:
    """Several steps of an outer loop at once, row by row of what they sweep over, each a little behind the last."""
    schedule = coupled(polyhedra, cluster.statements)
    if schedule is None or schedule.band < 3:
        return None
    blockings = [_swept(cluster, statement, schedule, numbers) for statement in cluster.statements]
    return _proved(polyhedra, blockings)


def _swept(cluster: Cluster, statement: Statement, schedule: Coupled, numbers: Numbers) -> Blocking:
    """Rows of time: piece of steps, how far the sweep is, step, statement; then the loops of one row as they are."""
    first, second = schedule.rows[statement.name][:2]
    lanes = numbers.bytes // ARITHMETIC[statement.target.type]
    deep = range(2, len(statement.loops))
    own = Tile(Affine({}, cluster.statements.index(statement)), 1)
    tiles = [
        Tile(first, numbers.steps),
        Tile(second, 1),
        Tile(first, 1),
        own,
        *(Tile(loop_row(statement, d), 1) for d in deep),
    ]
    last = len(statement.loops) - 1
    wide = last >= 2 and lanes > 1 and vectorizable(statement, last, lanes)
    if wide:
        width = lanes * numbers.vectors
        tiles[-1] = Tile(loop_row(statement, last), width, offset(statement, last), unrolled=True, vector=True)
    rest = (loop_row(statement, last),)
    return Blocking(statement, cluster.heads[statement.name], tuple(tiles), (), rest, lanes if wide else 1)


def _cut(pieces: Pieces) -> bool:
    return bool(pieces.blocking.unrolled) and not pieces.origins.is_empty()


def _together(polyhedra: Polyhedra, cluster: Cluster, numbers: Numbers) -> Mapping[str, Pieces] | None:
    schedule = coupled(polyhedra, cluster.statements)
    if schedule is None or schedule.band < 2:
        return None
    for blockings in group_candidates(cluster, schedule, numbers):
        found = _proved(polyhedra, blockings)
        if found:
            return found
    return None


def _proved(polyhedra: Polyhedra, blockings: Sequence[Blocking]) -> Mapping[str, Pieces] | None:
    """The pieces that are legal, without the blocks that are not; None when it cannot be shown with some effort."""
    if not all(blocking.settled for blocking in blockings):
        return None
    try:
        with limited(PROOF):
            return mended(polyhedra, {b.statement.name: Pieces(polyhedra, b) for b in blockings})
    except TooIntricate:
        return None


def _best(polyhedra: Polyhedra, leaf: Cluster, numbers: Numbers) -> Mapping[str, Pieces]:
    name = leaf.statements[0].name
    for blocking in _candidates(leaf, numbers):
        found = _proved(polyhedra, [blocking])
        if found:
            return found
    return {name: Pieces(polyhedra, _as_it_was(leaf))}


def _as_it_was(leaf: Cluster) -> Blocking:
    rows = tuple(loop_row(leaf.statements[0], level) for level in range(leaf.level, len(leaf.statements[0].loops)))
    return Blocking(
        leaf.statements[0], leaf.heads[leaf.statements[0].name], tuple(Tile(row, 1) for row in rows), (), ()
    )


def _candidates(leaf: Cluster, numbers: Numbers) -> Iterator[Blocking]:
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
    if others and (reduced or _overlaps(statement, others[-1])):
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
    wide = _shared(statement, vector, inner)
    if not everything:
        wide = [v for v in wide if any(strided(statement, a, vector) for a in accesses(v))]
    narrow = [v for v in _shared(statement, row_loop, inner) if not isinstance(v, Access)]
    kept: dict[Expression, Printed] = {value: Printed("x", True) for value in wide}
    if not (wide or narrow) or not vectorizable(statement, vector, lanes, kept):
        return
    if any(statement.loops[level].step != 1 for level in (inner, vector, row_loop)):
        return
    row = {level: loop_row(statement, level) for level in (*reduced, *others, vector)}
    depth, width = _even(statement, inner, numbers.depth or 256, 2), lanes * numbers.vectors
    height = _even(statement, row_loop, numbers.rows * BLOCKS, numbers.rows)
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


def _even(statement: Statement, level: int, most: int, unit: int) -> int:
    """The size of equal pieces of a loop, none larger than `most`, in whole units; `most` where its length is open."""
    loop = statement.loops[level]
    if loop.lower.terms or loop.upper.terms:
        return most
    length = max(loop.upper.constant - loop.lower.constant + 1, 1)
    return min(most, -(-length // -(-length // most) // unit) * unit)


def _shared(statement: Statement, across: int, inner: int) -> list[Expression]:
    """The largest parts of the value that depend on just these two loops and not on the target's array."""
    pair = {statement.loops[across].key, statement.loops[inner].key}
    found: list[Expression] = []

    def visit(expression: Expression) -> None:
        keys = {name.key for name in names(expression)} & {loop.key for loop in statement.loops}
        if keys <= pair and all(a.array != statement.target.array for a in accesses(expression)):
            if keys == pair and expression not in found:
                found.append(expression)
            return
        for part in certain(expression):
            visit(part)

    visit(statement.value)
    return found


def certain(expression: Expression) -> tuple[Expression, ...]:
    """The operands that are evaluated whatever their values are."""
    lazy = isinstance(expression, Select) or (isinstance(expression, Binary) and expression.operator in {"&&", "||"})
    return parts(expression)[:1] if lazy else parts(expression)


def strided(statement: Statement, access: Access, level: int) -> bool:
    """Whether neighbouring turns of a loop use elements that are no neighbours."""
    key = statement.loops[level].key
    changes = [subscript(sub).terms.get(key, 0) for sub in access.subscripts]
    return any(changes[:-1]) or (bool(changes) and changes[-1] not in {0, 1})


def _overlaps(statement: Statement, level: int) -> bool:
    """Whether neighbouring turns of a loop read some elements in common, as a stencil does."""
    key = statement.loops[level].key
    seen: dict[object, set[tuple[int, ...]]] = {}
    for access in statement.reads:
        forms = [subscript(sub) for sub in access.subscripts]
        if any(key in form.terms for form in forms):
            steady = tuple(tuple(sorted(form.terms.items())) for form in forms)
            seen.setdefault((access.array, steady), set()).add(tuple(f.constant for f in forms if key in f.terms))
    return any(len(places) > 1 for places in seen.values())


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


def uses(access: Access, statement: Statement, level: int) -> bool:
    """Whether an element depends on a loop of its statement."""
    key = statement.loops[level].key
    return any(key in subscript(sub).terms for sub in access.subscripts)


def offset(statement: Statement, level: int) -> int:
    """Where a loop with a constant lower bound begins, so that blocks begin there too."""
    loop = statement.loops[level]
    if statement.folded:
        return 0
    return loop.lower.constant if loop.step > 0 and not loop.lower.terms else 0


def vectorizable(
    statement: Statement, level: int, lanes: int, kept: Mapping[Expression, Printed] | None = None
) -> bool:
    """Whether neighbouring turns of a loop make a vector."""
    loop = statement.loops[level]
    if loop.step != 1:
        return False
    names: Mapping[str, str] = _Any()
    printer = Printer(names, {}, {}, {loop.key: 1}, lanes, kept or {}, {})
    try:
        printer.splat(statement.value)
        return printer.varies(statement.target)
    except NotVectorizable:
        return False


class _Any(dict[str, str]):
    """Names for an expression that is printed only to see whether it can be."""

    def __missing__(self, key: str) -> str:
        return "x"


def group_candidates(cluster: Cluster, schedule: Coupled, numbers: Numbers) -> Iterator[list[Blocking]]:
    """Tiles for the rows that statements share; the deepest statements are blocked, the others are left over."""
    deepest = max(len(s.loops) for s in cluster.statements)
    hot = [s for s in cluster.statements if len(s.loops) == deepest]
    for vector in reversed(range(schedule.band)):
        if all(_row_vectorizable(s, schedule.rows[s.name][vector], numbers) for s in hot):
            sizes = _sizes(hot[0], schedule, numbers, vector)
            if sizes:
                yield [_grouped(cluster, s, schedule, sizes, vector, numbers, s in hot) for s in cluster.statements]
    for jam in _jams(hot[0], schedule, numbers):
        yield [_grouped(cluster, s, schedule, jam, None, numbers, s in hot) for s in cluster.statements]


def _level(row: Affine) -> int | None:
    """The loop that a row is, forwards or backwards."""
    keys = [key for key in row.terms if key.startswith("i")]
    return int(keys[0][1:]) if len(keys) == 1 and abs(row.terms[keys[0]]) == 1 else None


def _row_vectorizable(statement: Statement, row: Affine, numbers: Numbers) -> bool:
    level, lanes = _level(row), numbers.bytes // ARITHMETIC[statement.target.type]
    return level is not None and row.terms[f"i{level}"] == 1 and vectorizable(statement, level, lanes)


def _in_target(statement: Statement, schedule: Coupled) -> list[int]:
    """Rows of the band that choose the element that a statement writes."""
    levels = [_level(row) for row in schedule.rows[statement.name][: schedule.band]]
    return [
        place for place, level in enumerate(levels) if level is not None and uses(statement.target, statement, level)
    ]


def _sizes(statement: Statement, schedule: Coupled, numbers: Numbers, vector: int) -> dict[int, int]:
    targets = _in_target(statement, schedule)
    lanes = numbers.bytes // ARITHMETIC[statement.target.type]
    if vector not in targets:
        return {}
    return {t: lanes * numbers.vectors if t == vector else numbers.rows for t in targets}


def _jams(statement: Statement, schedule: Coupled, numbers: Numbers) -> Iterator[dict[int, int]]:
    targets = _in_target(statement, schedule)
    if len(targets) == 2:
        yield {targets[0]: numbers.rows, targets[1]: numbers.rows}
    for target in targets:
        yield {t: numbers.jam if t == target else 1 for t in targets}


def _grouped(
    cluster: Cluster,
    statement: Statement,
    schedule: Coupled,
    sizes: Mapping[int, int],
    vector: int | None,
    numbers: Numbers,
    hot: bool,
) -> Blocking:
    rows = schedule.rows[statement.name]
    tiles = tuple(
        Tile(rows[place], size, unrolled=hot and size > 1, vector=hot and place == vector)
        for place, size in sorted(sizes.items())
    )
    taken = {tile.row for tile in tiles}
    inner = tuple(row for row in rows if row not in taken and any(k.startswith("i") for k in row.terms))
    lanes = numbers.bytes // ARITHMETIC[statement.target.type] if vector is not None and hot else 1
    return Blocking(statement, cluster.heads[statement.name], tiles, inner if hot else (), rows, lanes, blocked=hot)
