"""The pieces of one blocked statement: which instances are whole blocks, and which are left over."""

from collections.abc import Sequence
from functools import cached_property, lru_cache

import islpy as isl

from atunner.domains.llvm_ir.nests.blocking import Blocking, Panel, Phase, row_text
from atunner.domains.llvm_ir.nests.polyhedra import Polyhedra


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
        limits = [f"({row_text(t.row)} - {t.offset}) mod {t.size} = 0" for t in self.blocking.unrolled if t.size > 1]
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
        outline, inner = self.blocking.outline, [row_text(row) for row in self.blocking.inner]
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
        inner = self._map([row_text(row) for row in self.blocking.inner], self.origins)
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
