"""Which statements must share loops: components of the dependence graph, loop by loop from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import islpy as isl

from atunner.domains.llvm_ir.nests.blocking import Tile
from atunner.domains.llvm_ir.nests.expressions import Affine
from atunner.domains.llvm_ir.nests.nest import Statement
from atunner.domains.llvm_ir.nests.polyhedra import Dependence, Polyhedra


@dataclass(frozen=True)
class Cluster:
    """Statements that depend on each other in a circle, or one alone, under rows that they share.

    level: how many of their loops are in those rows. links: dependences that no shared row settles.
    """

    statements: tuple[Statement, ...]
    head: tuple[Tile, ...]
    level: int
    links: tuple[tuple[Dependence, isl.Map], ...]


def clusters(polyhedra: Polyhedra) -> list[Cluster]:
    """The statements of a nest as far apart as the dependences let them be, in an order that these allow."""
    links = tuple((d, d.pairs) for d in polyhedra.dependences)
    return _apart(Cluster(polyhedra.nest.statements, (), 0, links))


def inside(polyhedra: Polyhedra, cluster: Cluster) -> list[Cluster]:
    """The parts of a cluster within one turn of its next loop."""
    row = loop_row(cluster.statements[0], cluster.level)
    links = []
    for dependence, pairs in cluster.links:
        kept = pairs.intersect(same_row(polyhedra, dependence, cluster.level))
        if not kept.is_empty():
            links.append((dependence, kept))
    return _apart(Cluster(cluster.statements, (*cluster.head, Tile(row, 1)), cluster.level + 1, tuple(links)))


def _apart(cluster: Cluster) -> list[Cluster]:
    edges = {
        s.name: {d.after.statement.name for d, _ in cluster.links if d.before.statement.name == s.name}
        for s in cluster.statements
    }
    found = []
    for number, names in enumerate(components([s.name for s in cluster.statements], edges)):
        group = tuple(s for s in cluster.statements if s.name in names)
        links = tuple((d, m) for d, m in cluster.links if {d.before.statement.name, d.after.statement.name} <= names)
        found.append(Cluster(group, (*cluster.head, Tile(Affine({}, number), 1)), cluster.level, links))
    return found


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
