"""Integers that are the same whenever a function runs: sizes that a program sets once and hands down."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from atunner.domains.llvm_ir.nests.expressions import Affine, Expression, Literal, Name, replaced
from atunner.domains.llvm_ir.nests.nest import Array, Condition, Loop, Nest
from atunner.domains.llvm_ir.nests.syntax import Node

SUFFIX = {"int": "", "long": "L", "long long": "LL", "unsigned long": "UL"}
ROUNDS = 4
"""How many calls deep a size is followed."""


def known(functions: Sequence[Node]) -> Mapping[str, int]:
    """Key of a variable or parameter -> the value that it has, as far as the program's own calls tell.

    What is read from here is tested again where the program runs, so that a function that is also called from elsewhere
    stays right.
    """
    changed = {key for function in functions for key in _changed(function)}
    values: dict[str, int] = {}
    for function in functions:
        for node in function.walk():
            if node.kind == "VarDecl" and node.type in SUFFIX and node.key not in changed and node.children:
                value = _value(node.children[-1], {})
                values |= {} if value is None else {node.key: value}
    for _ in range(ROUNDS):
        values |= _handed(functions, values, changed)
    return values


def _changed(function: Node) -> set[str]:
    """Variables that are assigned, or whose address is taken."""
    found = set()
    for node in function.walk():
        writes = node.kind == "CompoundAssignOperator" or (node.kind == "BinaryOperator" and node.opcode == "=")
        if writes or (node.kind == "UnaryOperator" and node.opcode in {"++", "--", "&"}):
            found |= {n.declared.key for n in node.children[0].walk() if n.kind == "DeclRefExpr"}
    return found


def _handed(functions: Sequence[Node], values: Mapping[str, int], changed: set[str]) -> dict[str, int]:
    """Parameters that get one value in every call of the program."""
    parameters = {f.name: [child for child in f.children if child.kind == "ParmVarDecl"] for f in functions}
    given: dict[str, set[int | None]] = {}
    for function in functions:
        for node in function.walk():
            if node.kind != "CallExpr":
                continue
            called = next((n.declared.name for n in node.children[0].walk() if n.kind == "DeclRefExpr"), "")
            for parameter, argument in zip(parameters.get(called, ()), node.children[1:], strict=False):
                given.setdefault(parameter.key, set()).add(_value(argument, values))
    counted = {p.key for own in parameters.values() for p in own if p.type in SUFFIX and p.key not in changed}
    single = {key: next(iter(found)) for key, found in given.items() if key in counted and len(found) == 1}
    return {key: value for key, value in single.items() if value is not None}


def _value(node: Node, values: Mapping[str, int]) -> int | None:
    match node.kind:
        case "ImplicitCastExpr" | "ParenExpr" | "ConstantExpr" | "CStyleCastExpr":
            return _value(node.children[0], values) if node.type in SUFFIX else None
        case "IntegerLiteral":
            return int(node.text("value"))
        case "DeclRefExpr":
            return values.get(node.declared.key)
        case "BinaryOperator" if node.opcode in {"+", "-", "*"}:
            left, right = (_value(child, values) for child in node.children)
            if left is None or right is None:
                return None
            return {"+": left + right, "-": left - right, "*": left * right}[node.opcode]
        case _:
            return None


def fixed(nest: Nest, values: Mapping[str, int]) -> Nest:
    """The nest with the values of parameters in place of their names; the nest keeps what was taken for granted."""
    outer = (*nest.parameters, *nest.scalars)
    taken = {name: values[name.key] for name in outer if name.key in values and name.type in SUFFIX}
    if not taken:
        return nest
    known = {name.key: value for name, value in taken.items()}

    def leaf(expression: Expression) -> Expression | None:
        if not isinstance(expression, Name) or expression.key not in known or expression.type not in SUFFIX:
            return None
        return Literal(f"{known[expression.key]}{SUFFIX[expression.type]}", expression.type)

    return replace(
        nest,
        arrays=tuple(_array(array, known) for array in nest.arrays),
        parameters=tuple(name for name in nest.parameters if name not in taken),
        scalars=tuple(name for name in nest.scalars if name.key not in known),
        statements=tuple(
            replace(
                s,
                loops=tuple(_loop(loop, known) for loop in s.loops),
                conditions=tuple(Condition(replaced(c.test, leaf), c.holds) for c in s.conditions),
                target=replaced(s.target, leaf),
                value=replaced(s.value, leaf),
            )
            for s in nest.statements
        ),
        taken=tuple(taken.items()),
    )


def _array(array: Array, known: Mapping[str, int]) -> Array:
    return replace(array, dims=tuple(extent and _form(extent, known) for extent in array.dims))


def _loop(loop: Loop, known: Mapping[str, int]) -> Loop:
    return replace(loop, lower=_form(loop.lower, known), upper=_form(loop.upper, known))


def _form(form: Affine, known: Mapping[str, int]) -> Affine:
    rest = {key: factor for key, factor in form.terms.items() if key not in known}
    return Affine(rest, form.constant + sum(factor * known[key] for key, factor in form.terms.items() if key in known))
