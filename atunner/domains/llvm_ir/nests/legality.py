"""The test that every plan must pass: each dependence still runs forwards."""

from collections.abc import Mapping

import islpy as isl

from atunner.domains.llvm_ir.nests.pieces import Pieces
from atunner.domains.llvm_ir.nests.polyhedra import Dependence, Polyhedra, Reference


def legal(polyhedra: Polyhedra, pieces: Mapping[str, Pieces]) -> bool:
    """Whether all dependences among the statements of `pieces` hold under their new times."""
    return all(broken(dependence, pieces).is_empty() for dependence in among(polyhedra, pieces))


def mended(polyhedra: Polyhedra, pieces: Mapping[str, Pieces], rounds: int = 3) -> Mapping[str, Pieces] | None:
    """The pieces without those blocks that break a dependence; None when no block is left, or it does not help."""
    for _ in range(rounds):
        found = [(d, pairs) for d in among(polyhedra, pieces) if not (pairs := broken(d, pieces)).is_empty()]
        if not found:
            return pieces
        smaller = dict(pieces)
        for dependence, pairs in found:
            for name, instances in (
                (dependence.before.statement.name, pairs.domain()),
                (dependence.after.statement.name, pairs.range()),
            ):
                smaller[name] = smaller[name].without(instances)
        pieces = smaller
        if all(piece.origins.is_empty() for piece in pieces.values()):
            return None
    return pieces if legal(polyhedra, pieces) else None


def among(polyhedra: Polyhedra, pieces: Mapping[str, Pieces]) -> list[Dependence]:
    """The dependences whose statements are both in `pieces`."""
    names = pieces.keys()
    return [d for d in polyhedra.dependences if d.before.statement.name in names and d.after.statement.name in names]


def broken(dependence: Dependence, pieces: Mapping[str, Pieces]) -> isl.Map:
    """The pairs that would run backwards or at once: by the times of memory, and inside accumulators by their own."""
    before, after, pairs = dependence.before, dependence.after, dependence.pairs
    width = max(pieces[r.statement.name].width for r in (before, after))
    inside = isl.Map.empty(pairs.get_space())
    if before.statement is after.statement and _target(before) and _target(after):
        here = pieces[before.statement.name]
        if here.blocking.accumulates:
            shared = pairs.intersect(here.together())
            pairs = pairs.subtract(shared)
            inside = _backwards(shared, here.times(width), here.times(width))
    wrong = _backwards(pairs, _memory_time(before, pieces, width), _memory_time(after, pieces, width))
    if not dependence.commutes:
        return wrong.union(inside)
    read = [_memory_time(Reference(r.statement, r.access, False), pieces, width) for r in (before, after)]
    written = [_memory_time(Reference(r.statement, r.access, True), pieces, width) for r in (before, after)]
    late = _backwards(pairs, written[0], read[1])
    return late.intersect(_backwards(late.reverse(), written[1], read[0]).reverse())


def _target(reference: Reference) -> bool:
    return reference.access == reference.statement.target


def _memory_time(reference: Reference, pieces: Mapping[str, Pieces], width: int) -> isl.Map:
    here = pieces[reference.statement.name]
    return here.visible(width, written=reference.writes) if _target(reference) else here.times(width)


def _backwards(pairs: isl.Map, first: isl.Map, second: isl.Map) -> isl.Map:
    """The pairs whose first time is not before the second."""
    if pairs.is_empty():
        return pairs
    times = pairs.apply_domain(first).apply_range(second)
    wrong = times.subtract(isl.Map.lex_lt(times.get_space().domain()))
    if wrong.is_empty():
        return isl.Map.empty(pairs.get_space())
    return pairs.intersect(wrong.apply_domain(first.reverse()).apply_range(second.reverse()))
