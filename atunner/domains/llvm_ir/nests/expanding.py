"""Scalars that are new in every turn of some loops, as small arrays with one element for each turn of a tile."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from atunner.domains.llvm_ir.nests.blocking import Tile
from atunner.domains.llvm_ir.nests.distribution import loop_row
from atunner.domains.llvm_ir.nests.expressions import Access, Affine, Expression, Name, replaced
from atunner.domains.llvm_ir.nests.nest import Array, Loop, Nest, Statement


@dataclass(frozen=True)
class Expanded:
    """A nest with its private scalars expanded. groups: statements that share them, with the tiles they stay within."""

    nest: Nest
    groups: tuple[Mapping[str, tuple[Tile, ...]], ...]


def expanded(nest: Nest, jam: int, rows: int, width: int) -> Expanded:
    """Give each private scalar an element for each turn within a tile: of `jam` turns, or of rows x width turns.

    Dependences may take the elements of all turns for different ones as long as tiles run one after the other.
    """
    groups: list[dict[str, tuple[Tile, ...]]] = []
    folded: dict[str, tuple[Access, Array]] = {}
    for array in nest.arrays:
        users = [s for s in nest.statements if array.key in {a.array for a in (s.target, *s.reads)}]
        loops = _common(users) if array.private and users else ()
        sizes = {1: (jam,), 2: (rows, width)}.get(len(loops))
        if sizes is None or any(loop.step != 1 for loop in loops):
            continue
        names = tuple(Name(loop.key, loop.name, loop.type) for loop in loops)
        extents = tuple(Affine({}, size) for size in sizes)
        folded[array.key] = Access(array.key, names, array.element), replace(array, dims=extents, folded=True)
        tiles = tuple(Tile(loop_row(users[0], level), size) for level, size in enumerate(sizes))
        groups.append({s.name: tiles for s in nest.statements if s.loops[: len(loops)] == loops})

    def leaf(expression: Expression) -> Expression | None:
        return folded[expression.array][0] if isinstance(expression, Access) and expression.array in folded else None

    statements = tuple(
        replace(s, target=replaced(s.target, leaf), value=replaced(s.value, leaf), folded=bool(folded))
        for s in nest.statements
    )
    arrays = tuple(folded[array.key][1] if array.key in folded else array for array in nest.arrays)
    return Expanded(replace(nest, arrays=arrays, statements=statements), tuple(_merged(groups)))


def _common(users: list[Statement]) -> tuple[Loop, ...]:
    """The loops around a scalar's declaration: those of its first statement, which is where it gets its value."""
    first = users[0].loops
    return first if all(s.loops[: len(first)] == first for s in users) else ()


def _merged(groups: list[dict[str, tuple[Tile, ...]]]) -> list[dict[str, tuple[Tile, ...]]]:
    """Groups of the same statements are one."""
    kept: list[dict[str, tuple[Tile, ...]]] = []
    for group in groups:
        if not any(group.keys() == other.keys() for other in kept):
            kept.append(group)
    return kept
