"""Value lists as T1 files write them: literals, ranges, and one comprehension over a range or a list."""

import ast
import re
from collections.abc import Iterable
from typing import Any

from pydantic import JsonValue

from atunner.core.errors import UserError
from atunner.core.expression import evaluate

MOST = 65_535
LARGEST = 2**63


def values(name: str, text: str) -> tuple[JsonValue, ...]:
    """The values of a parameter, from `[16, 32]`, `range(1, 9)`, `list(range(8))` or `[16 * i for i in range(1, 9)]`.

    Raises:
        UserError: another form, named with the parameter.
    """
    try:
        found = _listed(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, TypeError) as error:
        raise UserError(f"Values of parameter {name!r} are not a list or a range: {text!r}.") from error
    if not found:
        raise UserError(f"The parameter {name!r} has no values: {text!r}. Give at least one.")
    storable(name, found)
    return found


def storable(name: str, found: Iterable[object]) -> None:
    """Raise UserError for a number that no macro and no file could hold: infinite, none, or beyond 64 bits."""
    for value in found:
        if isinstance(value, int | float) and not abs(value) < LARGEST:
            raise UserError(f"The parameter {name!r} has the value {value!r}; a finite number below 2**63 is needed.")


def _listed(node: ast.expr) -> tuple[JsonValue, ...]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        if node.func.id == "range":
            span = range(*(int(ast.literal_eval(a)) for a in node.args))
            if len(span) > MOST:
                raise ValueError("too long")
            return tuple(span)
        if node.func.id == "list" and len(node.args) == 1:
            return _listed(node.args[0])
    if isinstance(node, ast.ListComp):
        return _comprehended(node)
    found = ast.literal_eval(node)
    if not isinstance(found, list | tuple):
        raise TypeError("not a list")
    return tuple(found)


def _comprehended(node: ast.ListComp) -> tuple[JsonValue, ...]:
    if len(node.generators) != 1 or not isinstance(node.generators[0].target, ast.Name):
        raise ValueError("more than one loop")
    loop = node.generators[0]
    name, each = node.generators[0].target.id, ast.unparse(node.elt)
    tests = [ast.unparse(test) for test in loop.ifs]
    found = _listed(loop.iter)
    return tuple(_at(each, name, v) for v in found if all(_at(test, name, v) for test in tests))


def _at(text: str, name: str, value: JsonValue) -> Any:
    """`text` with the loop's variable written out, so that 2**i has a constant exponent."""
    return evaluate(re.sub(rf"\b{name}\b", repr(value), text), {})
