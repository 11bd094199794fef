"""Sums of products of names: enough to say how large an index can get, and to print it as people would."""

import ast
import re
from collections.abc import Callable, Collection, Mapping

from atunner.core.polynomial import Polynomial, plus
from atunner.core.polynomial import product as multiplied

MOST_TERMS = 64


class Unclear(ValueError):
    """An index of which the text does not say how large it can get."""


def number(value: int) -> Polynomial:
    """A constant."""
    return {(): value} if value else {}


def name(text: str) -> Polynomial:
    """One name."""
    return {(text,): 1}


def product(a: Polynomial, b: Polynomial) -> Polynomial:
    """The product. Raises Unclear where it grows too long to be an index."""
    found = multiplied(a, b)
    if len(found) > MOST_TERMS:
        raise Unclear("its index is too long")
    return found


def rounded(found: Polynomial) -> Polynomial:
    """Without what is taken away from a longer product, or from anything by a number."""
    most = max((len(t) for t, f in found.items() if f > 0), default=0)
    return {t: f for t, f in found.items() if f > 0 or not 0 <= len(t) < max(most, 1)}


def names_in(found: Polynomial) -> frozenset[str]:
    """The names of a polynomial."""
    return frozenset(n for term in found for n in term)


def text(found: Polynomial) -> str:
    """As an expression, the longest products first."""
    if not found:
        return "0"
    parts = []
    for term, factor in sorted(found.items(), key=lambda pair: (-len(pair[0]), pair[0])):
        product_text = " * ".join(([] if abs(factor) == 1 and term else [str(abs(factor))]) + list(term))
        parts.append((" - " if factor < 0 else " + ") + product_text)
    joined = "".join(parts)
    return joined[3:] if joined.startswith(" + ") else "-" + joined[3:]


def parsed(c_text: str) -> ast.expr:
    """The tree of an integer expression of C, without its casts. Raises Unclear."""
    plain = re.sub(r"\(\s*(?:const\s+)?(?:unsigned\s+|signed\s+)?(?:int|long|size_t|u?int\d+_t|uint)\s*\)", " ", c_text)
    plain = re.sub(r"\b(\d+)[uUlL]+\b", r"\1", plain)
    plain = re.sub(r"\b(blockIdx|threadIdx|blockDim|gridDim)\s*\.\s*([xyz])", r"\1_\2", plain)
    if re.search(r"[?{}=<>!&|^~;]", plain):
        raise Unclear(f"its index {' '.join(c_text.split())} is more than sums and products")
    try:
        return ast.parse(" ".join(plain.replace("/", "//").split()), mode="eval").body
    except SyntaxError as error:
        raise Unclear(f"its index {' '.join(c_text.split())} is more than sums and products") from error


Largest = Callable[[str], Polynomial]


def largest(node: ast.expr, value: Largest, fixed: Collection[str] = ()) -> Polynomial:
    """The largest value of an expression whose names are 0 or more and at most `value(name)`. Raises Unclear.

    fixed: names that have that very value, so that they may be taken away; of others the least, 0, is.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return number(node.value)
    if isinstance(node, ast.Name):
        return value(node.id)
    if isinstance(node, ast.Call):
        return value(called(node))
    if isinstance(node, ast.BinOp):
        return _joined(node, value, fixed)
    raise Unclear(f"its index has {ast.unparse(node)!r} in it")


def _joined(node: ast.BinOp, value: Largest, fixed: Collection[str]) -> Polynomial:
    left, right = largest(node.left, value, fixed), largest(node.right, value, fixed)
    if isinstance(node.op, ast.Sub):
        known = {n.id for n in ast.walk(node.right) if isinstance(n, ast.Name)} <= set(fixed)
        called_there = any(isinstance(n, ast.Call) for n in ast.walk(node.right))
        return plus(left, right, -1) if known and not called_there else left
    if isinstance(node.op, ast.Add):
        return plus(left, right)
    if isinstance(node.op, ast.Mult):
        return product(left, right)
    if isinstance(node.op, ast.Mod):
        return plus(right, number(1), -1)
    if isinstance(node.op, ast.FloorDiv) and names_in(left) and text(right) != "0":
        return name(f"(({text(left)}) // ({text(right)}))")
    raise Unclear(f"its index has {ast.unparse(node)!r} in it")


def called(node: ast.Call) -> str:
    """A call as one name, as in get_global_id_0. Raises Unclear for what has other arguments than one number."""
    known = isinstance(node.func, ast.Name) and len(node.args) == 1 and isinstance(node.args[0], ast.Constant)
    if not known:
        raise Unclear(f"its index calls {ast.unparse(node)}")
    return f"{node.func.id}_{node.args[0].value}"  # type: ignore[attr-defined]  # as known says


def exact(node: ast.expr, value: Mapping[str, ast.expr]) -> Polynomial:
    """The expression itself as a polynomial, names that are defined written out. Raises Unclear."""

    def of(found: str) -> Polynomial:
        return exact(value[found], {n: v for n, v in value.items() if n != found}) if found in value else name(found)

    return largest(node, of)
