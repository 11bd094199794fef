"""Which statements must share loops: components of the dependence graph, loop by loop from outside."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import islpy as isl

from atunner.domains.llvm_ir.nests.blocking import Tile
from atunner.domains.llvm_ir.nests.expressions import Affine
from atunner.domains.llvm_ir.nests.nest import Statement
from atunner.domains.llvm_ir.nests.polyhedra import Dependence, Polyhedra


@dataclass(frozen=True)
class Cluster:
    """Statements that depend on each other in a circle, or one alone, under rows that they share.

    heads: statement -> those rows. level: how many of its loops are settled by them. links: dependences that no
    shared row settles.
    """

    statements: tuple[Statement, ...]
    heads: Mapping[str, tuple[Tile, ...]]
    level: int
    links: tuple[tuple[Dependence, isl.Map], ...]


def clusters(polyhedra: Polyhedra, tied: Sequence[Collection[str]] = ()) -> list[Cluster]:
    """The statements of a nest as far apart as the dependences let them be, in an order that these allow.

    tied: statements that stay together all the same.
    """
    links = tuple((d, d.pairs) for d in polyhedra.dependences)
    statements = polyhedra.nest.statements
    return _apart(Cluster(statements, {s.name: () for s in statements}, 0, links), tied)


def inside(polyhedra: Polyhedra, cluster: Cluster) -> list[Cluster]:
    """The parts of a cluster within one turn of its next loop."""
    row = loop_row(cluster.statements[0], cluster.level)
    rows = {statement.name: (Tile(row, 1),) for statement in cluster.statements}
    return within(polyhedra, cluster, rows, cluster.level + 1)


def within(polyhedra: Polyhedra, cluster: Cluster, rows: Mapping[str, tuple[Tile, ...]], level: int) -> list[Cluster]:
    """The parts of a cluster within one piece of some rows of each statement."""
    links = []
    for dependence, pairs in cluster.links:
        kept = pairs.intersect(_same_piece(polyhedra, dependence, rows))
        if not kept.is_empty():
            links.append((dependence, kept))
    heads = {name: (*head, *rows[name]) for name, head in cluster.heads.items()}
    return _apart(Cluster(cluster.statements, heads, level, tuple(links)))


def _apart(cluster: Cluster, tied: Sequence[Collection[str]] = ()) -> list[Cluster]:
    edges = {
        s.name: {d.after.statement.name for d, _ in cluster.links if d.before.statement.name == s.name}
        for s in cluster.statements
    }
    for group in tied:
        for name in group:
            edges[name] |= set(group)
    found = []
    for number, names in enumerate(components([s.name for s in cluster.statements], edges)):
        members = tuple(s for s in cluster.statements if s.name in names)
        links = tuple((d, m) for d, m in cluster.links if {d.before.statement.name, d.after.statement.name} <= names)
        heads = {name: (*cluster.heads[name], Tile(Affine({}, number), 1)) for name in names}
        found.append(Cluster(members, heads, cluster.level, links))
    return found


def loop_row(statement: Statement, level: int) -> Affine:
    """The loop at that level, in the direction in which it runs."""
    return Affine({f"i{level}": 1 if statement.loops[level].step > 0 else -1})


def _same_piece(polyhedra: Polyhedra, dependence: Dependence, rows: Mapping[str, tuple[Tile, ...]]) -> isl.Map:
    first, second = dependence.before.statement, dependence.after.statement
    before = polyhedra.scheduled(first, [tile.text for tile in rows[first.name]])
    return before.apply_range(polyhedra.scheduled(second, [tile.text for tile in rows[second.name]]).reverse())


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
