"""Typed C expressions of a loop nest, and the affine part of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import overload


@dataclass(frozen=True)
class Literal:
    """A constant as it is written."""

    text: str
    type: str


@dataclass(frozen=True)
class Name:
    """A scalar that the nest does not write, or a loop variable. key: which declaration."""

    key: str
    name: str
    type: str


@dataclass(frozen=True)
class Access:
    """An element of an array; a scalar that the nest writes is an array without dimensions."""

    array: str
    subscripts: tuple["Expression", ...]
    type: str


@dataclass(frozen=True)
class Binary:
    """Two operands; their types are those that C's conversions gave."""

    operator: str
    left: "Expression"
    right: "Expression"
    type: str


@dataclass(frozen=True)
class Unary:
    """One operand: - + ! ~."""

    operator: str
    operand: "Expression"
    type: str


@dataclass(frozen=True)
class Cast:
    """A conversion, written or implied."""

    operand: "Expression"
    type: str


@dataclass(frozen=True)
class Select:
    """`test ? yes : no`."""

    test: "Expression"
    yes: "Expression"
    no: "Expression"
    type: str


@dataclass(frozen=True)
class Call:
    """A call of a mathematical function without effects."""

    name: str
    arguments: tuple["Expression", ...]
    type: str


Expression = Literal | Name | Access | Binary | Unary | Cast | Select | Call


def parts(expression: Expression) -> tuple[Expression, ...]:
    """The direct operands."""
    match expression:
        case Binary(_, left, right, _):
            return (left, right)
        case Unary(_, operand, _) | Cast(operand, _):
            return (operand,)
        case Select(test, yes, no, _):
            return (test, yes, no)
        case Call(_, arguments, _):
            return arguments
        case _:
            return ()


def accesses(expression: Expression) -> Iterator[Access]:
    """Every element that is read, left to right, with repeats."""
    if isinstance(expression, Access):
        yield expression
    for part in parts(expression):
        yield from accesses(part)


def names(expression: Expression) -> Iterator[Name]:
    """Every scalar that is read, in subscripts too."""
    if isinstance(expression, Name):
        yield expression
    below = expression.subscripts if isinstance(expression, Access) else parts(expression)
    for part in below:
        yield from names(part)


Leaf = Callable[[Expression], Expression | None]


@overload
def replaced(expression: Access, leaf: Leaf) -> Access: ...


@overload
def replaced(expression: Expression, leaf: Leaf) -> Expression: ...


def replaced(expression: Expression, leaf: Leaf) -> Expression:
    """The expression with each part, from outside in, that `leaf` has another for."""
    other = leaf(expression)
    if other is not None:
        return other
    match expression:
        case Access(_, subscripts, _):
            return replace(expression, subscripts=tuple(replaced(sub, leaf) for sub in subscripts))
        case Binary(_, left, right, _):
            return replace(expression, left=replaced(left, leaf), right=replaced(right, leaf))
        case Unary(_, operand, _) | Cast(operand, _):
            return replace(expression, operand=replaced(operand, leaf))
        case Select(test, yes, no, _):
            return replace(expression, test=replaced(test, leaf), yes=replaced(yes, leaf), no=replaced(no, leaf))
        case Call(_, arguments, _):
            return replace(expression, arguments=tuple(replaced(argument, leaf) for argument in arguments))
        case _:
            return expression


@dataclass(frozen=True)
class Affine:
    """Integer multiples of names, plus a constant."""

    terms: Mapping[str, int] = field(default_factory=dict)
    constant: int = 0

    def __hash__(self) -> int:
        return hash((frozenset(self.terms.items()), self.constant))

    def plus(self, other: "Affine", factor: int = 1) -> "Affine":
        """This form plus `factor` times the other."""
        terms = dict(self.terms)
        for key, value in other.terms.items():
            terms[key] = terms.get(key, 0) + factor * value
        return Affine({k: v for k, v in terms.items() if v}, self.constant + factor * other.constant)

    def times(self, factor: int) -> "Affine":
        """The form with all coefficients multiplied."""
        return Affine().plus(self, factor)

    def text(self, spelled: Mapping[str, str]) -> str:
        """As an expression of isl and of C."""
        pieces = [f"{value}*{spelled[key]}" for key, value in sorted(self.terms.items(), key=lambda t: spelled[t[0]])]
        return " + ".join([*pieces, str(self.constant)])


WIDE = frozenset({"int", "long", "long long", "unsigned long", "ptrdiff_t", "size_t"})


def affine(expression: Expression) -> Affine | None:
    """The affine form over names of integer type; None when it is not one."""
    match expression:
        case Literal(text, _):
            return _number(text)
        case Name(key, _, kind):
            return Affine({key: 1}) if kind in WIDE else None
        case Cast(operand, kind):
            return affine(operand) if kind in WIDE and operand.type in WIDE else None
        case Unary("-", operand, _):
            inner = affine(operand)
            return inner.times(-1) if inner else None
        case Unary("+", operand, _):
            return affine(operand)
        case Binary(operator, left, right, kind) if kind in WIDE:
            return _combined(operator, affine(left), affine(right))
        case _:
            return None


def _combined(operator: str, left: Affine | None, right: Affine | None) -> Affine | None:
    if left is None or right is None:
        return None
    if operator in {"+", "-"}:
        return left.plus(right, 1 if operator == "+" else -1)
    if operator == "*" and not left.terms:
        return right.times(left.constant)
    if operator == "*" and not right.terms:
        return left.times(right.constant)
    return None


def _number(text: str) -> Affine | None:
    try:
        return Affine({}, int(text.rstrip("uUlL"), 0))
    except ValueError:
        return None
