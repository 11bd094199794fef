"""A plan for a whole nest: each statement apart, blocked in the best way that its dependences allow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from atunner.domains.llvm_ir.nests.blocking import Blocking, Tile
from atunner.domains.llvm_ir.nests.candidates import candidates
from atunner.domains.llvm_ir.nests.coupling import coupled
from atunner.domains.llvm_ir.nests.distribution import Cluster, clusters, inside, loop_row, within
from atunner.domains.llvm_ir.nests.effort import PROOF, TooIntricate, limited
from atunner.domains.llvm_ir.nests.expanding import expanded
from atunner.domains.llvm_ir.nests.grouping import group_candidates
from atunner.domains.llvm_ir.nests.legality import mended
from atunner.domains.llvm_ir.nests.pieces import Pieces
from atunner.domains.llvm_ir.nests.polyhedra import Polyhedra
from atunner.domains.llvm_ir.nests.reading import ARITHMETIC
from atunner.domains.llvm_ir.nests.sizes import Numbers
from atunner.domains.llvm_ir.nests.strips import strips
from atunner.domains.llvm_ir.nests.sweeping import swept


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
    blockings = [swept(cluster, statement, schedule, numbers) for statement in cluster.statements]
    return _proved(polyhedra, blockings)


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
    for blocking in candidates(leaf, numbers):
        found = _proved(polyhedra, [blocking])
        if found:
            return found
    return {name: Pieces(polyhedra, _as_it_was(leaf))}


def _as_it_was(leaf: Cluster) -> Blocking:
    rows = tuple(loop_row(leaf.statements[0], level) for level in range(leaf.level, len(leaf.statements[0].loops)))
    return Blocking(
        leaf.statements[0], leaf.heads[leaf.statements[0].name], tuple(Tile(row, 1) for row in rows), (), ()
    )
