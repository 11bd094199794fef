"""One statement cut into blocks: an outline of tiles, a body that is unrolled and vectorised, and what is left over.

Times of a blocked statement are [head, tiles, phase, inner, unrolled, vector]; the phases are

    0 left over, before   1 load the accumulators   2 the body   3 store them   4 left over, after

A panel is filled at the start of each piece of its outer tiles: the rows of that are [head, outer tiles, 0, row by
row], and all other phases have 1 there.

Everything here is exact: a block is full when each of its points is an instance, and all else is left over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from functools import cached_property, lru_cache

import islpy as isl

from atunner.domains.llvm_ir.nests.expressions import Affine, Expression
from atunner.domains.llvm_ir.nests.nest import Statement
from atunner.domains.llvm_ir.nests.polyhedra import Polyhedra, subscript


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
        row = _text(self.row)
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
            return [*self.outline, str(int(phase)), *map(_text, self.rest)]
        points = [
            _text(t.row) if not t.vector else f"{self.lanes}*floor(({_text(t.row)} - {t.offset})/{self.lanes})"
            for t in self.unrolled
            if not t.parallel
        ]
        return [*self.outline, str(int(phase)), *map(_text, self.inner), *points]

    def starts(self, phase: Phase) -> list[str]:
        """The rows of a piece's own instances: those of the body are origins, for which rows need no rounding."""
        rows = self.rows(phase)
        if phase in {Phase.LOAD, Phase.BODY, Phase.STORE}:
            for place, tile in enumerate(self.tiles, len(self.head)):
                rows[place] = _text(tile.row) if tile.unrolled else rows[place]
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


class Pieces:
    """The pieces of one blocked statement, as sets over its loop variables."""

    def __init__(self, polyhedra: Polyhedra, blocking: Blocking, excluded: isl.Set | None = None) -> None:
        self.polyhedra = polyhedra
        self.blocking = blocking
        self.domain = polyhedra.domains[blocking.statement.name]
        self.excluded = excluded

    def without(self, instances: isl.Set) -> "Pieces":
        """The same with the blocks of these instances left over."""
        removed = instances.intersect(self.covered).apply(self.box.reverse())
        return Pieces(self.polyhedra, self.blocking, self.excluded.union(removed) if self.excluded else removed)

    @cached_property
    def box(self) -> isl.Map:
        """The origin of a block -> its points."""
        steps = self.blocking.steps() or {}
        count = len(self.blocking.statement.loops)
        moved = [f"i{d}" for d in range(count)]
        limits = []
        for number, (tile, step) in enumerate(steps.items()):
            limits.append(f"0 <= a{number} < {tile.size}")
            for d, amount in step.items():
                moved[d] += f" + {amount}*a{number}"
        names = [f"a{number}" for number in range(len(limits))]
        limits += [f"j{d} = {text}" for d, text in enumerate(moved)]
        exists = f"exists ({', '.join(names)}: {' and '.join(limits)})" if names else " and ".join(limits) or "true"
        left = self.polyhedra.point(self.blocking.statement)
        right = f"{self.blocking.statement.name}[{', '.join(f'j{d}' for d in range(count))}]"
        return self.polyhedra.relation(f"{left} -> {right} : {exists}")

    @cached_property
    def origins(self) -> isl.Set:
        """First points of the full blocks."""
        if not self.blocking.blocked:
            return isl.Set.empty(self.domain.get_space())
        limits = [f"({_text(t.row)} - {t.offset}) mod {t.size} = 0" for t in self.blocking.unrolled if t.size > 1]
        point = self.polyhedra.point(self.blocking.statement)
        aligned = self.polyhedra.points(f"{point} : {' and '.join(limits) or 'true'}")
        outside = isl.Set.universe(self.domain.get_space()).subtract(self.domain)
        broken = self.box.intersect_range(outside).domain()
        whole = self.domain.intersect(aligned).subtract(broken)
        if self.blocking.crosses:
            outline = self._map(self.blocking.outline, self.domain)
            whole = whole.subtract(self.box.subtract(outline.apply_range(outline.reverse())).domain())
        return (whole.subtract(self.excluded) if self.excluded else whole).coalesce()

    @cached_property
    def covered(self) -> isl.Set:
        """Instances that lie in full blocks."""
        return self.origins.apply(self.box).coalesce()

    @cached_property
    def left(self) -> isl.Set:
        """Instances that lie in none."""
        return self.domain.subtract(self.covered).coalesce()

    def _map(self, rows: Sequence[str], domain: isl.Set) -> isl.Map:
        return self.polyhedra.scheduled(self.blocking.statement, rows).intersect_domain(domain)

    @cached_property
    def before(self) -> isl.Set:
        """Left-over instances that come before the body of their tile."""
        if not self.blocking.accumulates or not self.blocking.blocked:
            return isl.Set.empty(self.left.get_space())
        outline, inner = self.blocking.outline, [_text(row) for row in self.blocking.inner]
        same = self._map(outline, self.left).apply_range(self._map(outline, self.covered).reverse())
        earlier = self.polyhedra.earlier(self._map(inner, self.left), self._map(inner, self.covered))
        return same.intersect(earlier).domain().coalesce()

    @cached_property
    def after(self) -> isl.Set:
        """Left-over instances that come after it."""
        return self.left.subtract(self.before).coalesce()

    @cached_property
    def loads(self) -> isl.Set:
        """One origin for each run of the inner rows: where its accumulators are loaded and stored."""
        outline = self._map(self.blocking.outline, self.origins)
        inner = self._map([_text(row) for row in self.blocking.inner], self.origins)
        first = outline.reverse().apply_range(inner).lexmin()
        return outline.range_product(inner).intersect_range(first.wrap()).domain().coalesce()

    def filled(self, panel: Panel) -> isl.Set:
        """One covered instance for each value of a panel."""
        blocking = self.blocking
        keys = self._map([*blocking.around(panel), f"i{panel.across}", f"i{panel.inner}"], self.covered)
        whole = self._map([f"i{d}" for d in range(len(blocking.statement.loops))], self.covered)
        first = keys.reverse().apply_range(whole).lexmin().range()
        return first.set_tuple_name(blocking.statement.name).coalesce()

    @property
    def parts(self) -> dict[Phase, isl.Set]:
        """Phase -> instances (of the body: origins), the empty ones left out."""
        parts = {Phase.BEFORE: self.before, Phase.BODY: self.origins, Phase.AFTER: self.after}
        if self.blocking.accumulates:
            parts |= {Phase.LOAD: self.loads, Phase.STORE: self.loads}
        return {phase: part for phase, part in parts.items() if not part.is_empty()}

    @cached_property
    def width(self) -> int:
        """How many rows its times need."""
        blocking = self.blocking
        rows = [blocking.rows(phase) for phase in Phase] + [blocking.filling(panel) for panel in blocking.panels]
        return max(map(len, rows))

    def schedule(self, width: int) -> isl.UnionMap:
        """Piece -> time, for the generation of loops. S0_2 is phase 2 of S0, and S0_p1 fills its panel 1."""
        blocking = self.blocking
        pieces = [(str(int(phase)), blocking.starts(phase), part) for phase, part in self.parts.items()]
        if not self.origins.is_empty():
            pieces += [(f"p{n}", blocking.filling(p), self.filled(p)) for n, p in enumerate(blocking.panels)]
        whole = isl.UnionMap("{ }")
        for name, rows, part in pieces:
            times = self._map(rows + ["0"] * (width - len(rows)), part)
            whole = whole.union(isl.UnionMap.from_map(self._named(name, part).reverse().apply_range(times)))
        return whole

    def _named(self, name: str, part: isl.Set) -> isl.Map:
        """Instance -> the same under the name of its piece, followed by the origins of its panels."""
        statement = self.blocking.statement
        extra = [row for panel in self.blocking.panels for row in self.blocking.origin(panel)]
        extra = extra if name == str(int(Phase.BODY)) else []
        if name.startswith("p"):
            extra = self.blocking.origin(self.blocking.panels[int(name[1:])])
        point = ", ".join([*(f"i{d}" for d in range(len(statement.loops))), *extra])
        here = self.polyhedra.point(statement)
        return self.polyhedra.relation(f"{here} -> {statement.name}_{name}[{point}]").intersect_domain(part)

    @lru_cache  # noqa: B019  as short-lived as the plan
    def times(self, width: int) -> isl.Map:
        """Instance -> when it runs."""
        parts = ((Phase.BEFORE, self.before), (Phase.BODY, self.covered), (Phase.AFTER, self.after))
        return self._union([(phase, part) for phase, part in parts], width)

    @lru_cache  # noqa: B019  as short-lived as the plan
    def visible(self, width: int, *, written: bool) -> isl.Map:
        """Instance -> when its target is written to memory, or read from there."""
        if not self.blocking.accumulates:
            return self.times(width)
        phase = Phase.STORE if written else Phase.LOAD
        return self._union([(Phase.BEFORE, self.before), (phase, self.covered), (Phase.AFTER, self.after)], width)

    def _union(self, parts: Sequence[tuple[Phase, isl.Set]], width: int) -> isl.Map:
        whole = None
        for phase, part in parts:
            rows = self.blocking.rows(phase)
            piece = self._map(rows + ["0"] * (width - len(rows)), part)
            whole = piece if whole is None else whole.union(piece)
        assert whole is not None
        return whole

    def together(self) -> isl.Map:
        """Pairs of covered instances that share one run of the inner rows."""
        outline = self._map(self.blocking.outline, self.covered)
        return outline.apply_range(outline.reverse())


def _text(row: Affine) -> str:
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
