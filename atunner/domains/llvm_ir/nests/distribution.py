"""Which statements must share loops: components of the dependence graph, loop by loop from outside."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import islpy as isl

from atunner.domains.llvm_ir.nests.blocking import Tile
from atunner.domains.llvm_ir.nests.expressions import Affine
from atunner.domains.llvm_ir.nests.nest import Statement
from atunner.domains.llvm_ir.nests.polyhedra import Dependence, Polyhedra


@dataclass(frozen=True)
class Leaf:
    """One statement alone under the rows that it shares with others. level: how many of its loops are in them."""

    statement: Statement
    head: tuple[Tile, ...]
    level: int


def leaves(polyhedra: Polyhedra) -> tuple[Leaf, ...]:
    """Every statement apart from all others, as far as the dependences let it, in an order that they allow."""
    links = [(d, d.pairs) for d in polyhedra.dependences]
    return tuple(_split(polyhedra, polyhedra.nest.statements, 0, links, ()))


def _split(
    polyhedra: Polyhedra,
    statements: Sequence[Statement],
    level: int,
    links: Sequence[tuple[Dependence, isl.Map]],
    head: tuple[Tile, ...],
) -> Iterator[Leaf]:
    edges = {
        s.name: {d.after.statement.name for d, _ in links if d.before.statement.name == s.name} for s in statements
    }
    for number, names in enumerate(components([s.name for s in statements], edges)):
        group = [s for s in statements if s.name in names]
        rows = (*head, Tile(Affine({}, number), 1))
        if len(group) == 1:
            yield Leaf(group[0], rows, level)
            continue
        row = loop_row(group[0], level)
        inside = []
        for dependence, pairs in links:
            if dependence.before.statement in group and dependence.after.statement in group:
                kept = pairs.intersect(same_row(polyhedra, dependence, level))
                if not kept.is_empty():
                    inside.append((dependence, kept))
        yield from _split(polyhedra, group, level + 1, inside, (*rows, Tile(row, 1)))


def loop_row(statement: Statement, level: int) -> Affine:
    """The loop at that level, in the direction in which it runs."""
    return Affine({f"i{level}": 1 if statement.loops[level].step > 0 else -1})


def same_row(polyhedra: Polyhedra, dependence: Dependence, level: int) -> isl.Map:
    """Pairs of instances in the same turn of a loop."""
    first, second = dependence.before.statement, dependence.after.statement
    row = [f"i{level}"]
    return polyhedra.scheduled(first, row).apply_range(polyhedra.scheduled(second, row).reverse())


def components(nodes: Sequence[str], edges: Mapping[str, set[str]]) -> list[set[str]]:
    """Strongly connected components, each before those that it leads to; else in the order of `nodes`."""
    reach = {node: {node} for node in nodes}
    changed = True
    while changed:
        changed = False
        for node in nodes:
            wider = reach[node].union(*(reach[n] for n in edges[node] if n in reach), edges[node] & reach.keys())
            if wider != reach[node]:
                reach[node], changed = wider, True
    left, ordered = list(nodes), []
    while left:
        first = next(n for n in left if all(m in reach[n] for m in left if n in reach[m]))
        group = {m for m in left if m in reach[first] and first in reach[m]}
        ordered.append(group)
        left = [n for n in left if n not in group]
    return ordered
