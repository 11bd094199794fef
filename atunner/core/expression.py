"""Arithmetic and boolean expressions over named numbers, checked by syntax tree before they are compiled."""

import ast
import math
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import CodeType
from typing import Any

from atunner.core.errors import UserError

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "int": int,
    "float": float,
    "len": len,
    "round": round,
    "sum": sum,
    "log2": math.log2,
    "sqrt": math.sqrt,
    "ceil": math.ceil,
    "floor": math.floor,
    "cdiv": lambda a, b: -(-a // b),
}

_ALLOWED = (
    ast.Expression,
    ast.BoolOp,
    ast.BinOp,
    ast.UnaryOp,
    ast.IfExp,
    ast.Compare,
    ast.Call,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.Tuple,
    ast.List,
    ast.operator,
    ast.boolop,
    ast.unaryop,
    ast.cmpop,
)


@lru_cache(maxsize=4096)
def compiled(text: str) -> tuple[CodeType, frozenset[str]]:
    """Code object and free names of `text`.

    Raises:
        UserError: the text is not an expression, or uses more than arithmetic, comparison and the
            functions in FUNCTIONS.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError) as error:
        raise UserError(f"Not an expression: {text!r}. Use Python arithmetic over the parameter names.") from error
    called = set()
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise UserError(f"Not allowed in an expression: {type(node).__name__} in {text!r}.")
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
                raise UserError(f"Unknown function in {text!r}. Known: {', '.join(sorted(FUNCTIONS))}.")
            called.add(node.func.id)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            _small_power(node, text)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Mod):
            _numbers(node, text)
    free = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - called
    return compile(tree, "<expression>", "eval"), frozenset(free)


def _numbers(node: ast.BinOp, text: str) -> None:
    """Words and lists are not multiplied: a short text could fill all memory."""
    for side in (node.left, node.right):
        inner = (n for n in _operands(side) if isinstance(n, ast.List | ast.Tuple | ast.Constant))
        if any(not isinstance(n, ast.Constant) or isinstance(n.value, str | bytes) for n in inner):
            raise UserError(f"Only numbers may be multiplied or divided: {text!r}.")


def _operands(node: ast.expr) -> Iterator[ast.expr]:
    """What the value of an expression may be made of; a comparison and most calls make a number of their own."""
    if isinstance(node, ast.BinOp):
        yield from (*_operands(node.left), *_operands(node.right))
    elif isinstance(node, ast.BoolOp):
        yield from (found for value in node.values for found in _operands(value))
    elif isinstance(node, ast.IfExp):
        yield from (*_operands(node.body), *_operands(node.orelse))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"min", "max", "sum"}:
        for given in node.args:
            inner = given.elts if isinstance(given, ast.List | ast.Tuple) else [given]
            yield from (found for each in inner for found in _operands(each))
    else:
        yield node


def _small_power(node: ast.BinOp, text: str) -> None:
    exponent = node.right
    if not isinstance(exponent, ast.Constant) or not isinstance(exponent.value, int) or not 0 <= exponent.value <= 64:
        raise UserError(f"Only constant powers from 0 to 64 are allowed: {text!r}.")


def evaluate(text: str, names: Mapping[str, Any]) -> Any:
    """The value of `text` with `names` bound.

    Raises:
        UserError: a name is missing, or the arithmetic fails.
    """
    code, free = compiled(text)
    missing = free - names.keys()
    if missing:
        known = f"Known: {', '.join(sorted(names))}" if names else "No name is known here: give a number"
        raise UserError(f"Unknown name {sorted(missing)[0]!r} in {text!r}. {known}.")
    try:
        return eval(code, {"__builtins__": {}, **FUNCTIONS}, dict(names))
    except (ArithmeticError, TypeError, ValueError) as error:
        raise UserError(f"{text!r} failed: {error}.") from error
