"""C text of expressions, for one instance or for a vector of neighbouring ones."""

from collections.abc import Mapping
from dataclasses import dataclass

from atunner.domains.llvm_ir.nests.expressions import (
    Access,
    Affine,
    Binary,
    Call,
    Cast,
    Expression,
    Literal,
    Name,
    Select,
    Unary,
    accesses,
)
from atunner.domains.llvm_ir.nests.polyhedra import subscript
from atunner.domains.llvm_ir.nests.reading import ARITHMETIC

LANES = (2, 4, 8, 16, 32, 64)
_SHORT = {
    "double": "f64",
    "float": "f32",
    "int": "i32",
    "unsigned int": "u32",
    "long": "i64",
    "long long": "i64",
    "unsigned long": "u64",
    "unsigned long long": "u64",
}
_MASK = {8: "i64", 4: "i32"}
VECTOR_OPERATORS = frozenset({"+", "-", "*", "/"})
MASK_OPERATORS = frozenset({"<", "<=", ">", ">=", "==", "!="})


class NotVectorizable(Exception):
    """The expression has no vector form here; the caller takes another plan."""


def vector_type(element: str, lanes: int) -> str:
    """The name of a vector type; declared by `typedefs`. Raises NotVectorizable."""
    if element not in _SHORT:
        raise NotVectorizable(element)
    return f"atunner_{_SHORT[element]}x{lanes}"


def typedefs(text: str) -> str:
    """Declarations of the vector types that occur in `text`."""
    lines: list[str] = []
    for element, short in _SHORT.items():
        for lanes in LANES:
            name = f"atunner_{short}x{lanes}"
            if name in text and not any(f" {name} " in line for line in lines):
                size = ARITHMETIC[element]
                traits = f"vector_size({size * lanes}), aligned({size}), may_alias"
                lines.append(f"typedef {element} {name} __attribute__(({traits}));")
    return "\n".join(lines)


@dataclass(frozen=True)
class Printed:
    """C text, and whether its value is a vector."""

    text: str
    vector: bool


@dataclass(frozen=True)
class Printer:
    """Prints the expressions of one statement.

    names: key -> C name of what the nest takes from outside. variables: key of a loop variable -> C text of its value.
    step: what one lane adds to the loop variables (by key); empty for one instance. kept: values that are in
    registers or panels, and where. folds: sizes of arrays whose subscripts count modulo them.
    """

    names: Mapping[str, str]
    variables: Mapping[str, str]
    types: Mapping[str, str]
    step: Mapping[str, int]
    lanes: int
    kept: Mapping[Expression, Printed]
    folds: Mapping[str, tuple[int, ...]]

    def scalar(self, expression: Expression) -> str:
        """The value of one instance."""
        if expression in self.kept:
            return self.kept[expression].text
        match expression:
            case Literal(text, _):
                return text
            case Name(key, _, _):
                return f"(({self.types[key]})({self.variables[key]}))" if key in self.variables else self.names[key]
            case Access():
                return self.element(expression)
            case Binary(operator, left, right, _):
                return f"({self.scalar(left)} {operator} {self.scalar(right)})"
            case Unary(operator, operand, _):
                return f"({operator}{self.scalar(operand)})"
            case Cast(operand, kind):
                return f"(({kind}){self.scalar(operand)})"
            case Select(test, yes, no, _):
                return f"({self.scalar(test)} ? {self.scalar(yes)} : {self.scalar(no)})"
            case Call(name, arguments, _):
                return f"__builtin_{name}({', '.join(map(self.scalar, arguments))})"

    def element(self, access: Access) -> str:
        """The lvalue of one element."""
        forms = [self.index(subscript(sub)) for sub in access.subscripts]
        sizes = self.folds.get(access.array, ())
        forms = [f"({form}) % {size}" for form, size in zip(forms, sizes, strict=True)] if sizes else forms
        return self.names[access.array] + "".join(f"[{form}]" for form in forms)

    def index(self, form: Affine) -> str:
        """A subscript."""
        pieces: list[str] = []
        for key, value in form.terms.items():
            word = f"({self.variables[key]})" if key in self.variables else f"(long){self.names[key]}"
            word = word if abs(value) == 1 else f"{abs(value)} * {word}"
            pieces += ["-" if value < 0 else "+", word]
        if form.constant or not pieces:
            pieces += ["-" if form.constant < 0 else "+", str(abs(form.constant))]
        return " ".join(pieces).removeprefix("+ ")

    def varies(self, access: Access) -> bool:
        """Whether neighbouring instances use neighbouring elements; False when they use the same one.

        Raises:
            NotVectorizable: neither.
        """
        changes = [sum(v * self.step.get(k, 0) for k, v in subscript(sub).terms.items()) for sub in access.subscripts]
        if not any(changes):
            return False
        if changes[-1] == 1 and not any(changes[:-1]):
            return True
        raise NotVectorizable("stride")

    def value(self, expression: Expression) -> Printed:
        """The value of all lanes: a vector, or one scalar when they agree.

        Raises:
            NotVectorizable: there is no such form.
        """
        if expression in self.kept:
            return self.kept[expression]
        return self._computed(expression) if self.lanes > 1 else Printed(self.scalar(expression), False)

    def _computed(self, expression: Expression) -> Printed:
        match expression:
            case Access():
                return self._access(expression)
            case Name(key, _, _) if self.step.get(key):
                raise NotVectorizable("a loop variable as a value")
            case Binary(operator, left, right, kind):
                return self._binary(operator, self.value(left), self.value(right), kind, left.type)
            case Unary(operator, operand, _):
                inner = self.value(operand)
                if inner.vector and operator != "-":
                    raise NotVectorizable(operator)
                return Printed(f"({operator}{inner.text})", inner.vector)
            case Select(test, yes, no, kind):
                return self._select(test, yes, no, kind)
            case Cast() | Call():
                if self._mixed(expression):
                    raise NotVectorizable("a conversion or call of vectors")
                return Printed(self.scalar(expression), False)
            case _:
                return Printed(self.scalar(expression), False)

    def splat(self, expression: Expression) -> str:
        """The value as a vector; subtracting zero changes no bit."""
        printed = self.value(expression)
        if printed.vector:
            return printed.text
        return f"({printed.text} - ({vector_type(expression.type, self.lanes)}){{0}})"

    def _mixed(self, expression: Expression) -> bool:
        operands = expression.arguments if isinstance(expression, Call) else (expression.operand,)  # type: ignore[union-attr]
        return any(self.value(operand).vector for operand in operands)

    def _access(self, access: Access) -> Printed:
        if not self.varies(access):
            return Printed(self.element(access), False)
        return Printed(f"(*({vector_type(access.type, self.lanes)} *)&{self.element(access)})", True)

    def _binary(self, operator: str, left: Printed, right: Printed, kind: str, operand: str) -> Printed:
        vector = left.vector or right.vector
        if vector and (operator not in VECTOR_OPERATORS or kind != operand or kind not in _SHORT):
            raise NotVectorizable(operator)
        return Printed(f"({left.text} {operator} {right.text})", vector)

    def _select(self, test: Expression, yes: Expression, no: Expression, kind: str) -> Printed:
        printed = [self.value(part) for part in (test, yes, no)] if not isinstance(test, Binary) else []
        if isinstance(test, Binary):
            printed = [self.value(part) for part in (test.left, test.right, yes, no)]
        if not any(part.vector for part in printed):
            return Printed(f"({self.scalar(test)} ? {printed[-2].text} : {printed[-1].text})", False)
        if not isinstance(test, Binary) or test.operator not in MASK_OPERATORS or test.left.type != kind:
            raise NotVectorizable("a choice")
        if not {*accesses(yes), *accesses(no)} <= {*accesses(test)}:
            raise NotVectorizable("a choice that keeps an element from being read")
        mask = f"atunner_{_MASK[ARITHMETIC[kind]]}x{self.lanes}"
        whole = vector_type(kind, self.lanes)
        chosen = f"({self.splat(test.left)} {test.operator} {self.splat(test.right)})"
        first, second = f"({mask}){self.splat(yes)}", f"({mask}){self.splat(no)}"
        return Printed(f"(({whole})(({first} & ({mask}){chosen}) | ({second} & ~({mask}){chosen})))", True)
