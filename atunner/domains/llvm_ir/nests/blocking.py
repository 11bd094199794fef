"""One statement cut into blocks: an outline of tiles, a body that is unrolled and vectorised, and what is left over.

Times of a blocked statement are [head, tiles, phase, inner, unrolled, vector]; the phases are

    0 left over, before   1 load the accumulators   2 the body   3 store them   4 left over, after

A panel is filled at the start of each piece of its outer tiles: the rows of that are [head, outer tiles, 0, row by
row], and all other phases have 1 there.

Everything here is exact: a block is full when each of its points is an instance, and all else is left over.
"""

from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction

from atunner.domains.llvm_ir.nests.expressions import Affine, Expression
from atunner.domains.llvm_ir.nests.nest import Statement
from atunner.domains.llvm_ir.nests.polyhedra import subscript


class Phase(IntEnum):
    """Where a piece of a blocked statement stands among the others of its tile."""

    BEFORE = 0
    LOAD = 1
    BODY = 2
    STORE = 3
    AFTER = 4


@dataclass(frozen=True)
class Tile:
    """A row of the schedule cut into pieces of `size`. unrolled: the points of a piece are written out in the body.

    row: over i0, i1 ... and parameters. offset: where pieces begin, modulo size. vector: they make vectors.
    parallel: they run at once, one beside the other.
    """

    row: Affine
    size: int
    offset: int = 0
    unrolled: bool = False
    vector: bool = False
    parallel: bool = False

    @property
    def text(self) -> str:
        """The row of the first point of the piece."""
        row = row_text(self.row)
        return row if self.size == 1 else f"{self.offset} + {self.size}*floor(({row} - {self.offset})/{self.size})"


MARK = Tile(Affine({}, 1), 1)
"""Stands between outer tiles, whose pieces have a panel of their own, and the tiles within."""


@dataclass(frozen=True)
class Panel:
    """What a block computes once for many of its vectors: values that depend on one loop across it and one inner loop.

    mark: place of its mark among the tiles. depth, width: size along the inner loop and across. vector: read as
    vectors, so that neighbours across lie side by side; else neighbours along the inner loop do. along: filled along
    the inner loop, because that is how its operands lie.
    """

    mark: int
    values: tuple[Expression, ...]
    across: int
    inner: int
    depth: int
    width: int
    vector: bool
    along: bool

    def index(self, row: str, column: str) -> str:
        """Where a value lies."""
        return f"({row}) * {self.width} + {column}" if self.vector else f"({column}) * {self.depth} + {row}"


@dataclass(frozen=True)
class Blocking:
    """How one statement is cut.

    lanes: width of a vector; 1 for none. rest: the order of what is left over. blocked: False leaves everything over.
    """

    statement: Statement
    head: tuple[Tile, ...]
    tiles: tuple[Tile, ...]
    inner: tuple[Affine, ...]
    rest: tuple[Affine, ...]
    lanes: int = 1
    panels: tuple[Panel, ...] = ()
    blocked: bool = True

    @property
    def unrolled(self) -> tuple[Tile, ...]:
        """Tiles whose points are written out, the vector last."""
        return tuple(sorted((t for t in self.tiles if t.unrolled), key=lambda t: t.vector))

    @property
    def outline(self) -> list[str]:
        """Rows before the phase."""
        return [tile.text for tile in (*self.head, *self.tiles)]

    def around(self, panel: Panel) -> list[str]:
        """Rows before those that fill a panel."""
        return [tile.text for tile in (*self.head, *self.tiles[: panel.mark])]

    def origin(self, panel: Panel) -> list[str]:
        """First inner turn and first turn across of a panel."""
        rows = {key: tile for tile in self.tiles[: panel.mark] for key in tile.row.terms}
        return [rows[f"i{loop}"].text for loop in (panel.inner, panel.across)]

    def filling(self, panel: Panel) -> list[str]:
        """The rows of time at which a panel is filled."""
        pair = (panel.across, panel.inner) if panel.along else (panel.inner, panel.across)
        return [*self.around(panel), "0", *(f"i{loop}" for loop in pair)]

    @property
    def crosses(self) -> bool:
        """Whether the points of a block might lie in two pieces of an outer tile."""
        rows = {tile.row for tile in self.unrolled}
        return any(t.size > 1 and not t.unrolled and t.row in rows for t in (*self.head, *self.tiles))

    @property
    def accumulates(self) -> bool:
        """Whether the target stays in registers while the inner rows advance."""
        return bool(self.inner)

    @property
    def settled(self) -> bool:
        """Whether the outline decides which element the target is, so that it can stay in a register meanwhile."""
        if not self.accumulates:
            return True
        depth = range(len(self.statement.loops))
        keys = [loop.key for loop in self.statement.loops]
        fixed = [t.row for t in (*self.head, *self.tiles) if t.size == 1 or t.unrolled]
        known = [[Fraction(row.terms.get(f"i{d}", 0)) for d in depth] for row in fixed]
        wanted = [subscript(sub).terms for sub in self.statement.target.subscripts]
        return _rank(known) == _rank([*known, *([Fraction(terms.get(key, 0)) for key in keys] for terms in wanted)])

    def rows(self, phase: Phase) -> list[str]:
        """The rows of time of one phase."""
        if phase in {Phase.LOAD, Phase.STORE}:
            return [*self.outline, str(int(phase))]
        if phase is not Phase.BODY:
            return [*self.outline, str(int(phase)), *map(row_text, self.rest)]
        points = [
            row_text(t.row) if not t.vector else f"{self.lanes}*floor(({row_text(t.row)} - {t.offset})/{self.lanes})"
            for t in self.unrolled
            if not t.parallel
        ]
        return [*self.outline, str(int(phase)), *map(row_text, self.inner), *points]

    def starts(self, phase: Phase) -> list[str]:
        """The rows of a piece's own instances: those of the body are origins, for which rows need no rounding."""
        rows = self.rows(phase)
        if phase in {Phase.LOAD, Phase.BODY, Phase.STORE}:
            for place, tile in enumerate(self.tiles, len(self.head)):
                rows[place] = row_text(tile.row) if tile.unrolled else rows[place]
        return rows[: len(rows) - sum(not t.parallel for t in self.unrolled)] if phase is Phase.BODY else rows

    def steps(self) -> dict[Tile, dict[int, int]] | None:
        """Tile -> how the loop variables change when its row advances by one and all other rows stay.

        None when the rows do not determine the loop variables in integers.
        """
        rows = list(dict.fromkeys([*(t.row for t in (*self.head, *self.tiles)), *self.inner]))
        depth = len(self.statement.loops)
        rows = [row for row in rows if any(key.startswith("i") for key in row.terms)]
        matrix = [[Fraction(row.terms.get(f"i{d}", 0)) for d in range(depth)] for row in rows]
        inverse = _inverse(matrix)
        if inverse is None:
            return None
        return {
            tile: {d: int(inverse[d][rows.index(tile.row)]) for d in range(depth) if inverse[d][rows.index(tile.row)]}
            for tile in self.unrolled
        }


def row_text(row: Affine) -> str:
    """A row of a schedule, over i0, i1 ... and parameters."""
    return row.text({key: key for key in row.terms})


def _rank(matrix: list[list[Fraction]]) -> int:
    rows, rank = [row for row in matrix if any(row)], 0
    while rows:
        pivot = rows.pop()
        column = next(c for c, value in enumerate(pivot) if value)
        rest = [[a - row[column] / pivot[column] * b for a, b in zip(row, pivot, strict=True)] for row in rows]
        rows, rank = [row for row in rest if any(row)], rank + 1
    return rank


def _inverse(matrix: list[list[Fraction]]) -> list[list[Fraction]] | None:
    """The inverse by elimination; None when it is not one of integers."""
    size = len(matrix)
    if any(len(row) != size for row in matrix):
        return None
    work = [row + [Fraction(int(r == c)) for c in range(size)] for r, row in enumerate(matrix)]
    for column in range(size):
        pivot = next((r for r in range(column, size) if work[r][column]), None)
        if pivot is None:
            return None
        work[column], work[pivot] = work[pivot], work[column]
        work[column] = [value / work[column][column] for value in work[column]]
        for r in range(size):
            if r != column and work[r][column]:
                factor = work[r][column]
                work[r] = [a - factor * b for a, b in zip(work[r], work[column], strict=True)]
    inverse = [row[size:] for row in work]
    return inverse if all(value.denominator == 1 for row in inverse for value in row) else None
