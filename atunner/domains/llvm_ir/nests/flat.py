"""Rows in an array of one dimension: `a[i * n + j]` is read as `a[i][j]` with rows of n elements.

Both mean one address, whatever i and j are. That no two pairs mean the same one takes 0 <= j < n; that is tested where
the rewritten nest runs, as it is for declared rows (`guarding.within`), so a wrong guess costs speed and nothing else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from atunner.core.polynomial import Polynomial, Term, plus, product
from atunner.domains.llvm_ir.nests.expressions import (
    WIDE,
    Access,
    Affine,
    Binary,
    Cast,
    Expression,
    Literal,
    Name,
    Unary,
    accesses,
    affine,
    replaced,
)
from atunner.domains.llvm_ir.nests.nest import Array, Loop, Statement

LEAST_ROW = 16
"""A row of a constant length is no shorter, unless what is added to its begin is known to stay inside it."""


def polynomial(expression: Expression) -> Polynomial | None:
    """Sums of products of names of integer type; None for anything else."""
    match expression:
        case Cast(operand, kind):
            return polynomial(operand) if kind in WIDE and operand.type in WIDE else None
        case Unary("-", operand, _):
            inner = polynomial(operand)
            return None if inner is None else {term: -count for term, count in inner.items()}
        case Binary("+" | "-" | "*" as operator, left, right, kind) if kind in WIDE:
            first, second = polynomial(left), polynomial(right)
            if first is None or second is None:
                return None
            return product(first, second) if operator == "*" else plus(first, second, 1 if operator == "+" else -1)
        case _:
            form = affine(expression)
            return None if form is None else {(): form.constant, **{(key,): n for key, n in form.terms.items()}}


@dataclass(frozen=True)
class Row:
    """The length of a row: `factor` times a name, or a constant."""

    name: str
    factor: int

    @property
    def extent(self) -> Affine:
        """As an extent of an array."""
        return Affine({self.name: self.factor}) if self.name else Affine({}, self.factor)


@dataclass(frozen=True)
class Use:
    """One subscript, with the loops around it."""

    form: Polynomial
    loops: tuple[Loop, ...]

    def moves(self) -> list[tuple[Term | None, int]]:
        """What each loop variable is multiplied with: names, and how many times."""
        keys, found = {loop.key for loop in self.loops}, list[tuple[Term | None, int]]()
        for term, count in self.form.items():
            inside = [key for key in term if key in keys]
            if inside:
                rest = list(term)
                rest.remove(inside[0])
                found.append((tuple(rest) if len(inside) == 1 else None, abs(count)))
        return found

    def parted(self, row: Row) -> "tuple[Use, Use] | None":
        """Which row, and where in it; None where what is left is not affine, or surely leaves the row."""
        keys = {loop.key for loop in self.loops}
        whole, rest = dict[Term, int](), dict[Term, int]()
        for term, count in self.form.items():
            times = 0
            if not row.name or row.name in term:
                times = int(count / row.factor) if row.name or keys & set(term) else 0
            if times:
                outer = list(term)
                if row.name:
                    outer.remove(row.name)
                whole[tuple(outer)] = whole.get(tuple(outer), 0) + times
            if count - times * row.factor:
                rest[term] = count - times * row.factor
        moved = _first(rest, self.loops, row)
        if moved is None:
            return None
        begun: Polynomial = {(): moved}
        length: Polynomial = {(row.name,) if row.name else (): row.factor * moved}
        inside = Use(plus(rest, length, -1), self.loops)
        return None if inside._leaves(row) else (Use(plus(whole, begun), self.loops), inside)

    def _leaves(self, row: Row) -> bool:
        """Whether a row of a constant length is too short for the last element, as far as that is known."""
        last = _bound(self.form, self.loops, up=True)
        if row.name or last is None:
            return last is None
        return last.constant >= row.factor if not last.terms else row.factor < LEAST_ROW


def _first(form: Polynomial, loops: Sequence[Loop], row: Row) -> int | None:
    """How many rows the least value lies behind 0; None where it is not affine."""
    least = _bound(form, loops, up=False)
    if least is None:
        return None
    if not row.name:
        return least.constant // row.factor
    begun = least.terms.get(row.name, 0) // row.factor
    others = [key for key in least.terms if key != row.name]
    return (
        begun - 1 if least.constant < 0 and not others and least.terms.get(row.name, 0) == begun * row.factor else begun
    )


def _bound(form: Polynomial, loops: Sequence[Loop], *, up: bool) -> Affine | None:
    """The least or the greatest value over the loops, over what stays as it is; None for what is not affine."""
    if any(len(term) > 1 for term in form):
        return None
    value = Affine({term[0]: count for term, count in form.items() if term}, form.get((), 0))
    for loop in reversed(loops):
        count = value.terms.get(loop.key, 0)
        end = loop.upper if (count > 0) == up else loop.lower
        value = value.plus(Affine({loop.key: 1}), -count).plus(end, count) if count else value
    return value


def row_of(uses: Sequence[Use]) -> Row | None:
    """The shortest row that parts all subscripts of an array; None where there is none."""
    moves = [move for use in uses for move in use.moves()]
    if any(names is None for names, _ in moves):
        return None
    found = sorted({(len(names or ()), count, names or ()) for names, count in moves})
    neighbours = any(not depth and count == 1 for depth, count, _ in found)
    for depth, count, names in found:
        if depth > 1 or (not depth and (count == 1 or not neighbours)):
            continue
        row = Row(names[0] if names else "", count)
        if all(use.parted(row) for use in uses):
            return row
    return None


def parted(
    statements: Sequence[Statement], arrays: Mapping[str, Array], named: Mapping[str, Name]
) -> tuple[tuple[Statement, ...], dict[str, Array]]:
    """The statements with rows told apart, and the arrays with rows; what has none stays as it is."""
    made, changed = dict(arrays), dict[tuple[str, Expression, tuple[Loop, ...]], tuple[Expression, ...]]()
    for array in arrays.values():
        if len(array.dims) != 1:
            continue
        found = [(s, a) for s in statements for a in (s.target, *accesses(s.value)) if a.array == array.key]
        forms = [(polynomial(a.subscripts[0]), s.loops) for s, a in found]
        uses = [Use(form, loops) for form, loops in forms if form is not None]
        subs, rows = _split(uses)
        if rows and len(uses) == len(found):
            made[array.key] = replace(array, dims=(None, *(row.extent for row in rows)))
            for (statement, access), use in zip(found, subs, strict=True):
                spelled = tuple(_spelled(form, named) for form in use)
                changed[array.key, access.subscripts[0], statement.loops] = spelled
    return tuple(_changed(statement, changed) for statement in statements), made


def _split(uses: Sequence[Use]) -> tuple[list[tuple[Polynomial, ...]], list[Row]]:
    """The subscripts of each use, the outermost first, and the rows that they are inside of."""
    inner: list[tuple[Polynomial, ...]] = [() for _ in uses]
    rows: list[Row] = []
    while uses and (row := row_of(uses)):
        halves = [half for use in uses if (half := use.parted(row))]
        inner = [(half[1].form, *rest) for half, rest in zip(halves, inner, strict=True)]
        uses, rows = [half[0] for half in halves], [row, *rows]
    return [(use.form, *rest) for use, rest in zip(uses, inner, strict=True)], rows


def _spelled(form: Polynomial, named: Mapping[str, Name]) -> Expression:
    whole: Expression = Literal(str(form.get((), 0)), "long")
    for term, count in sorted(form.items()):
        part: Expression = Literal(str(count), "long")
        for key in term:
            part = Binary("*", part, named[key], "long")
        whole = Binary("+", whole, part, "long") if term else whole
    return whole


def _changed(
    statement: Statement, changed: Mapping[tuple[str, Expression, tuple[Loop, ...]], tuple[Expression, ...]]
) -> Statement:
    def leaf(expression: Expression) -> Expression | None:
        if not isinstance(expression, Access) or len(expression.subscripts) != 1:
            return None
        other = changed.get((expression.array, expression.subscripts[0], statement.loops))
        return None if other is None else replace(expression, subscripts=other)

    return replace(statement, target=replaced(statement.target, leaf), value=replaced(statement.value, leaf))


def not_affine(statements: Iterable[Statement]) -> bool:
    """Whether a subscript is left that is no affine form."""
    return any(affine(sub) is None for s in statements for a in (s.target, *s.reads) for sub in a.subscripts)
