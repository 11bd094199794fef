"""Blocks of statements that share a schedule: the deepest are blocked, the others left over."""

from collections.abc import Iterator, Mapping

from atunner.domains.llvm_ir.nests.blocking import Blocking, Tile
from atunner.domains.llvm_ir.nests.coupling import Coupled
from atunner.domains.llvm_ir.nests.distribution import Cluster
from atunner.domains.llvm_ir.nests.expressions import Affine
from atunner.domains.llvm_ir.nests.nest import Statement
from atunner.domains.llvm_ir.nests.reading import ARITHMETIC
from atunner.domains.llvm_ir.nests.sizes import Numbers
from atunner.domains.llvm_ir.nests.vectors import uses, vectorizable


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
