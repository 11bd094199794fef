"""Statements that walk over one large array row by row, so that they can share strips of its rows."""

from collections.abc import Mapping

from atunner.domains.llvm_ir.nests.blocking import Tile
from atunner.domains.llvm_ir.nests.expressions import Affine
from atunner.domains.llvm_ir.nests.nest import Statement
from atunner.domains.llvm_ir.nests.polyhedra import Polyhedra, subscript


def strips(polyhedra: Polyhedra, size: int) -> list[dict[str, Affine]]:
    """Groups of consecutive statements: each with the row of its schedule that is a row of the array they share.

    No group holds a dependence from a later strip to an earlier one.
    """
    found: list[dict[str, Affine]] = []
    for array in polyhedra.nest.arrays:
        if len(array.dims) == 2:
            found += _groups(polyhedra, array.key, size, {name for group in found for name in group})
    return found


def _groups(polyhedra: Polyhedra, array: str, size: int, taken: set[str]) -> list[dict[str, Affine]]:
    groups: list[dict[str, Affine]] = []
    group: dict[str, Affine] = {}
    users = 0
    for statement in polyhedra.nest.statements:
        row = None if statement.name in taken else _row(statement, array)
        joins = row is not None or (bool(group) and _shares(polyhedra, statement, group))
        wider = {**group, statement.name: row or Affine({"i0": 1})}
        if joins and statement.name not in taken and _in_order(polyhedra, wider, size):
            group, users = wider, users + (row is not None)
            continue
        groups += [group] if users > 1 else []
        group, users = ({statement.name: row}, 1) if row else ({}, 0)
    return groups + ([group] if users > 1 else [])


def _row(statement: Statement, array: str) -> Affine | None:
    """The loop that is the row of the array, for statements that touch each element of it once."""
    if len(statement.loops) != 2:
        return None
    for access in (statement.target, *statement.reads):
        if access.array == array:
            form = subscript(access.subscripts[0])
            for level, loop in enumerate(statement.loops):
                if form.terms == {loop.key: 1} and not form.constant and loop.step == 1:
                    return Affine({f"i{level}": 1})
    return None


def _shares(polyhedra: Polyhedra, statement: Statement, group: Mapping[str, Affine]) -> bool:
    """Whether a statement lies in the loop that is the row of the last one of the group."""
    last = next(s for s in polyhedra.nest.statements if s.name == list(group)[-1])
    alike = bool(statement.loops) and statement.loops[0] == last.loops[0] and statement.place[:2] == last.place[:2]
    return alike and group[last.name] == Affine({"i0": 1})


def _in_order(polyhedra: Polyhedra, group: Mapping[str, Affine], size: int) -> bool:
    for dependence in polyhedra.dependences:
        first, second = dependence.before.statement, dependence.after.statement
        if first.name in group and second.name in group:
            times = polyhedra.scheduled(first, [Tile(group[first.name], size).text])
            later = polyhedra.scheduled(second, [Tile(group[second.name], size).text])
            backwards = polyhedra.earlier(later, times).reverse()
            if not dependence.pairs.intersect(backwards).is_empty():
                return False
    return True
