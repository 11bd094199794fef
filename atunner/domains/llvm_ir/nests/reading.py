"""From clang's tree to typed expressions; what is not understood is refused by name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from atunner.core.errors import UserError
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
)
from atunner.domains.llvm_ir.nests.nest import Array
from atunner.domains.llvm_ir.nests.syntax import Node

ARITHMETIC = {
    "double": 8,
    "float": 4,
    "int": 4,
    "unsigned int": 4,
    "long": 8,
    "unsigned long": 8,
    "long long": 8,
    "unsigned long long": 8,
    "short": 2,
    "unsigned short": 2,
    "char": 1,
    "signed char": 1,
    "unsigned char": 1,
}
PURE = frozenset(
    name + suffix
    for name in ("sqrt", "fabs", "exp", "log", "pow", "sin", "cos", "tan", "tanh", "floor", "ceil", "fmin", "fmax")
    for suffix in ("", "f")
)
_TYPE = re.compile(r"(?P<base>[a-z ]+?)\s*(?P<star>\*|\(\*(?:const|restrict|__restrict)?\))?(?P<dims>(?:\[[^\]]*\])*)$")


class NotUnderstood(UserError):
    """The loop nest uses something that no template knows."""


@dataclass
class Scope:
    """What the names of a function mean while one region of it is read.

    text: the program. written: scalars that the region assigns. exposed: whose address is taken, or global.
    visible: declarations by name, for extents of variable length. assigned: what the function assigns anywhere.
    inside: declared in the region. risky: types of scalars that a write through a pointer might change.
    seen: scalars that were read.
    """

    text: bytes
    written: frozenset[str]
    exposed: frozenset[str]
    visible: Mapping[str, Node]
    assigned: frozenset[str]
    inside: frozenset[str]
    arrays: dict[str, Array] = field(default_factory=dict)
    iterators: set[str] = field(default_factory=set)
    risky: set[str] = field(default_factory=set)
    seen: dict[str, Name] = field(default_factory=dict)

    def array(self, declared: Node) -> Array:
        """The array that a declaration makes."""
        if declared.key not in self.arrays:
            self.arrays[declared.key] = self._array(declared)
        return self.arrays[declared.key]

    def _array(self, declared: Node) -> Array:
        if declared.key in self.exposed and declared.type in ARITHMETIC:
            raise NotUnderstood(f"{declared.name} is written in the nest and its address is taken elsewhere.")
        found = _TYPE.match(declared.type.replace("const ", "").replace("restrict", "").strip())
        if not found or found["base"].strip() not in ARITHMETIC:
            raise NotUnderstood(f"{declared.name} has the type {declared.type}, not an array of numbers.")
        extents = [self._extent(text) for text in re.findall(r"\[([^\]]*)\]", found["dims"])]
        dims = (None, *extents) if found["star"] else tuple(extents)
        element = found["base"].strip()
        private = declared.key in self.inside
        return Array(declared.key, declared.name, element, dims, not found["star"], private)

    def _extent(self, text: str) -> Affine:
        if text.isdigit():
            return Affine({}, int(text))
        node = self.visible.get(text)
        if node is None or node.key in self.assigned or node.type not in {"int", "long", "unsigned long"}:
            raise NotUnderstood(f"The extent [{text}] is neither a number nor an integer that stays as it is.")
        self.seen.setdefault(node.key, Name(node.key, node.name, node.type))
        return Affine({node.key: 1})


def expression(node: Node, scope: Scope) -> Expression:
    """The typed expression of a node.

    Raises:
        NotUnderstood: it has effects, pointers, or a construct without a reading here.
    """
    reader = _READERS.get(node.kind)
    if reader is None:
        raise NotUnderstood(f"{node.kind or 'An empty expression'} has no reading here.")
    return reader(node, scope)


def access(node: Node, scope: Scope) -> Access:
    """The element that an lvalue means. Raises NotUnderstood."""
    base, subscripts = _based(node)
    array = scope.array(base)
    if len(subscripts) != len(array.dims):
        raise NotUnderstood(f"{array.name} is used with {len(subscripts)} subscripts, not {len(array.dims)}.")
    return Access(array.key, tuple(expression(sub, scope) for sub in subscripts), array.element)


ZERO = Node({"kind": "IntegerLiteral", "value": "0", "type": {"qualType": "int"}})


def _based(node: Node) -> tuple[Node, list[Node]]:
    if node.kind == "ParenExpr" or (
        node.kind == "ImplicitCastExpr" and node.text("castKind") in {"ArrayToPointerDecay", "LValueToRValue", "NoOp"}
    ):
        return _based(node.children[0])
    if node.kind == "ArraySubscriptExpr":
        base, subscripts = _based(node.children[0])
        return base, [*subscripts, node.children[1]]
    if node.kind == "UnaryOperator" and node.opcode == "*":
        base, subscripts = _based(node.children[0])
        return base, [*subscripts, ZERO]
    if node.kind == "DeclRefExpr":
        return node.declared, []
    raise NotUnderstood(f"{node.kind} is no element of a named array.")


def _literal(node: Node, scope: Scope) -> Expression:
    """As it is spelled in the program, so that its value and type stay."""
    if node.type not in ARITHMETIC:
        raise NotUnderstood(f"A constant of type {node.type} has no reading here.")
    return Literal(scope.text[node.begin : node.end].decode() if node.begin >= 0 else node.text("value"), node.type)


def _reference(node: Node, scope: Scope) -> Expression:
    declared = node.declared
    if declared.key in scope.written:
        return access(node, scope)
    if node.type.replace("const ", "") not in ARITHMETIC or declared.kind not in {"VarDecl", "ParmVarDecl"}:
        raise NotUnderstood(f"{declared.name} is no scalar number.")
    if declared.key in scope.exposed and declared.key not in scope.iterators:
        scope.risky.add(declared.type)
    return scope.seen.setdefault(declared.key, Name(declared.key, declared.name, node.type.replace("const ", "")))


def _cast(node: Node, scope: Scope) -> Expression:
    kind = node.text("castKind")
    inner = expression(node.children[0], scope)
    if kind in {"LValueToRValue", "NoOp"}:
        return inner
    if kind in {"IntegralCast", "FloatingCast", "IntegralToFloating", "FloatingToIntegral"} and node.type in ARITHMETIC:
        return Cast(inner, node.type)
    raise NotUnderstood(f"A conversion of kind {kind} to {node.type} has no reading here.")


def _binary(node: Node, scope: Scope) -> Expression:
    if node.opcode not in {
        *("+", "-", "*", "/", "%", "<", "<=", ">", ">=", "==", "!=", "&&", "||", "&", "|", "^", "<<", ">>")
    }:
        raise NotUnderstood(f"The operator {node.opcode} inside an expression has no reading here.")
    left, right = (expression(child, scope) for child in node.children)
    return Binary(node.opcode, left, right, node.type)


def _unary(node: Node, scope: Scope) -> Expression:
    if node.opcode == "*":
        return access(node, scope)
    if node.opcode not in {"-", "+", "!", "~"}:
        raise NotUnderstood(f"The operator {node.opcode} inside an expression has no reading here.")
    return Unary(node.opcode, expression(node.children[0], scope), node.type)


def _select(node: Node, scope: Scope) -> Expression:
    test, yes, no = (expression(child, scope) for child in node.children)
    return Select(test, yes, no, node.type)


def _call(node: Node, scope: Scope) -> Expression:
    callee = node.children[0]
    while callee.kind in {"ImplicitCastExpr", "ParenExpr"}:
        callee = callee.children[0]
    name = callee.declared.name.removeprefix("__builtin_")
    if callee.kind != "DeclRefExpr" or name not in PURE or node.type not in ARITHMETIC:
        raise NotUnderstood(f"A call of {name or 'a pointer'} may have effects.")
    return Call(name, tuple(expression(child, scope) for child in node.children[1:]), node.type)


def _inner(node: Node, scope: Scope) -> Expression:
    return expression(node.children[0], scope)


_READERS = {
    "IntegerLiteral": _literal,
    "FloatingLiteral": _literal,
    "CharacterLiteral": _literal,
    "DeclRefExpr": _reference,
    "ArraySubscriptExpr": access,
    "ImplicitCastExpr": _cast,
    "CStyleCastExpr": _cast,
    "BinaryOperator": _binary,
    "UnaryOperator": _unary,
    "ConditionalOperator": _select,
    "CallExpr": _call,
    "ParenExpr": _inner,
    "ConstantExpr": _inner,
}
