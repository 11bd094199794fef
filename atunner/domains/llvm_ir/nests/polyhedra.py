"""Instances, accesses and dependences of a nest as exact integer sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import islpy as isl

from atunner.domains.llvm_ir.nests.expressions import (
    Access,
    Affine,
    Binary,
    Expression,
    Select,
    Unary,
    accesses,
    affine,
)
from atunner.domains.llvm_ir.nests.nest import Loop, Nest, Statement

INTEGERS = frozenset({"int", "unsigned int", "long", "unsigned long", "long long", "unsigned long long"})


@dataclass(frozen=True)
class Reference:
    """One use of an array by a statement."""

    statement: Statement
    access: Access
    writes: bool


@dataclass(frozen=True)
class Dependence:
    """Pairs of instances that touch the same element, one of them writing it: `before` must stay before `after`.

    commutes: both only take a maximum (or both a minimum) of integers into the element, so either may come first, but
    not one amid the other.
    """

    before: Reference
    after: Reference
    pairs: isl.Map
    commutes: bool = False


class Polyhedra:
    """The sets of one nest. Parameters are p0, p1 ...; loop variables of a statement are i0, i1 ... from outside in."""

    def __init__(self, nest: Nest) -> None:
        self.nest = nest
        self.parameters = {name.key: f"p{number}" for number, name in enumerate(nest.parameters)}
        self.prefix = f"[{', '.join(self.parameters.values())}] -> "
        self.depth = max(len(statement.place) for statement in nest.statements)
        self.arrays = {array.key: f"A{number}" for number, array in enumerate(nest.arrays)}

    def spelled(self, statement: Statement) -> dict[str, str]:
        """How the names of a statement are spelled in its sets."""
        return self.parameters | {loop.key: f"i{depth}" for depth, loop in enumerate(statement.loops)}

    def point(self, statement: Statement, name: str = "") -> str:
        """`S0[i0, i1]`."""
        return f"{name or statement.name}[{', '.join(f'i{depth}' for depth in range(len(statement.loops)))}]"

    def points(self, text: str) -> isl.Set:
        """A set over this nest's parameters."""
        return isl.Set(f"{self.prefix}{{ {text} }}")

    def relation(self, text: str) -> isl.Map:
        """A map over this nest's parameters."""
        return isl.Map(f"{self.prefix}{{ {text} }}")

    @cached_property
    def domains(self) -> Mapping[str, isl.Set]:
        """Statement -> its instances."""
        return {statement.name: self._domain(statement) for statement in self.nest.statements}

    def _domain(self, statement: Statement) -> isl.Set:
        spelled = self.spelled(statement)
        limits = [_limits(loop, spelled, f"e{depth}") for depth, loop in enumerate(statement.loops)]
        for condition in statement.conditions:
            text = test_text(condition.test, spelled)
            limits.append(text if condition.holds else f"not ({text})")
        return self.points(f"{self.point(statement)} : {' and '.join(limits) or 'true'}")

    def time(self, statement: Statement) -> isl.Map:
        """When an instance runs in the program."""
        rows = _original(statement, self.depth)
        return self.scheduled(statement, rows).intersect_domain(self.domains[statement.name])

    def scheduled(self, statement: Statement, rows: Sequence[str]) -> isl.Map:
        """The map of a statement's instances to a vector of times."""
        return self.relation(f"{self.point(statement)} -> [{', '.join(rows)}]")

    def touched(self, reference: Reference) -> isl.Map:
        """Instance -> element."""
        statement, access = reference.statement, reference.access
        spelled = self.spelled(statement)
        subs = ", ".join(subscript(sub).text(spelled) for sub in access.subscripts)
        text = f"{self.point(statement)} -> {self.arrays[access.array]}[{subs}]"
        return self.relation(text).intersect_domain(self.domains[statement.name])

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """Every use: each statement's target as written, its other elements as read."""
        found = []
        for statement in self.nest.statements:
            found.append(Reference(statement, statement.target, True))
            found += [Reference(statement, access, False) for access in statement.reads]
        return tuple(found)

    @cached_property
    def dependences(self) -> tuple[Dependence, ...]:
        """All of them, memory-based, between every two references to one array."""
        found = []
        for before in self.references:
            for after in self.references:
                if before.access.array == after.access.array and (before.writes or after.writes):
                    pairs = self._same(before, after)
                    if not pairs.is_empty():
                        found.append(Dependence(before, after, pairs, commuting(before, after)))
        return tuple(found)

    def _same(self, before: Reference, after: Reference) -> isl.Map:
        same = self.touched(before).apply_range(self.touched(after).reverse())
        return same.intersect(self.earlier(self.time(before.statement), self.time(after.statement)))

    def earlier(self, first: isl.Map, second: isl.Map) -> isl.Map:
        """Pairs of instances of which the first has the smaller time."""
        space = first.get_space().range()
        return first.apply_range(isl.Map.lex_lt(space)).apply_range(second.reverse())


def subscript(expression: Expression) -> Affine:
    """The affine form of a subscript, which was checked when it was read."""
    form = affine(expression)
    assert form is not None
    return form


def commuting(before: Reference, after: Reference) -> bool:
    """Whether two uses of one element are parts of integer maxima (or minima) into it."""
    kinds = {_extremum(reference) for reference in (before, after)}
    return len(kinds) == 1 and "" not in kinds


def _extremum(reference: Reference) -> str:
    """`<` when the statement keeps the smaller of its target and something else, `>` for the larger, else empty."""
    target, value = reference.statement.target, reference.statement.value
    if reference.access != target or not isinstance(value, Select) or not isinstance(value.test, Binary):
        return ""
    test, operator = value.test, value.test.operator
    if target.type not in INTEGERS or operator not in {"<", "<=", ">", ">="}:
        return ""
    if (test.left, test.right) == (value.no, value.yes):
        operator = {"<": ">", ">": "<"}[operator[0]]
    elif (test.left, test.right) != (value.yes, value.no):
        return ""
    other = test.right if test.left == target else test.left
    return operator[0] if target in (test.left, test.right) and target not in accesses(other) else ""


def _limits(loop: Loop, spelled: Mapping[str, str], free: str) -> str:
    here = spelled[loop.key]
    text = f"{loop.lower.text(spelled)} <= {here} <= {loop.upper.text(spelled)}"
    if abs(loop.step) == 1:
        return text
    start = loop.lower if loop.step > 0 else loop.upper
    return f"{text} and exists {free}: {here} = {start.text(spelled)} + {loop.step}*{free}"


def _original(statement: Statement, depth: int) -> list[str]:
    rows, loops = [], iter(enumerate(statement.loops))
    for place in statement.place:
        if place is None:
            level, loop = next(loops)
            rows.append(f"i{level}" if loop.step > 0 else f"-i{level}")
        else:
            rows.append(str(place))
    return rows + ["0"] * (depth - len(rows))


def test_text(test: Expression, spelled: Mapping[str, str]) -> str:
    """An affine condition as text of isl."""
    if isinstance(test, Unary):
        return f"not ({test_text(test.operand, spelled)})"
    assert isinstance(test, Binary)
    if test.operator in {"&&", "||"}:
        word = "and" if test.operator == "&&" else "or"
        return f"(({test_text(test.left, spelled)}) {word} ({test_text(test.right, spelled)}))"
    operator = {"==": "=", "!=": "!="}.get(test.operator, test.operator)
    return f"{subscript(test.left).text(spelled)} {operator} {subscript(test.right).text(spelled)}"
