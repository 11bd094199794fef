"""The test that every plan must pass: each dependence still runs forwards."""

from collections.abc import Mapping

import islpy as isl

from atunner.domains.llvm_ir.nests.blocking import Pieces
from atunner.domains.llvm_ir.nests.polyhedra import Dependence, Polyhedra, Reference

WIDTH = 24
"""Rows of time that are compared; shorter times are filled with zeros."""


def legal(polyhedra: Polyhedra, pieces: Mapping[str, Pieces]) -> bool:
    """Whether all dependences among the statements of `pieces` hold under their new times."""
    return all(
        holds(polyhedra, dependence, pieces)
        for dependence in polyhedra.dependences
        if dependence.before.statement.name in pieces and dependence.after.statement.name in pieces
    )


def holds(polyhedra: Polyhedra, dependence: Dependence, pieces: Mapping[str, Pieces]) -> bool:
    """Whether one dependence holds: by the times of memory, and inside one run of accumulators by their own order."""
    before, after, pairs = dependence.before, dependence.after, dependence.pairs
    if before.statement is after.statement and _target(before) and _target(after):
        here = pieces[before.statement.name]
        if here.blocking.accumulates:
            inside = pairs.intersect(here.together())
            pairs = pairs.subtract(inside)
            if not _forwards(inside, here.times(WIDTH), here.times(WIDTH)):
                return False
    return _forwards(pairs, _memory_time(before, pieces), _memory_time(after, pieces))


def _target(reference: Reference) -> bool:
    return reference.access == reference.statement.target


def _memory_time(reference: Reference, pieces: Mapping[str, Pieces]) -> isl.Map:
    here = pieces[reference.statement.name]
    return here.visible(WIDTH, written=reference.writes) if _target(reference) else here.times(WIDTH)


def _forwards(pairs: isl.Map, first: isl.Map, second: isl.Map) -> bool:
    if pairs.is_empty():
        return True
    times = pairs.apply_domain(first).apply_range(second)
    return bool(times.is_subset(isl.Map.lex_lt(times.get_space().domain())))
