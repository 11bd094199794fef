"""What the text of one kernel says: its definitions, its bounds, and how each argument is used."""

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property

from atunner.core.errors import UserError
from atunner.core.polynomial import Polynomial, plus
from atunner.transform.polynomial import Unclear, largest, name, number, parsed, rounded

AXES = "xyz"
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(\d+)[ \t]*$", re.M)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)
_KIND = r"(?:const\s+|unsigned\s+|register\s+)*\b(?:int|long|size_t|uint|unsigned|auto|ptrdiff_t|u?int\d+_t)\b"
_DECLARED = re.compile(rf"{_KIND}\s+(\w+\s*=[^;]*);")
_BOUND = re.compile(r"\b(\w+)\s*(?:\+\s*([\w\s*+]*?))?(<=?)\s*([^;&|?{}<>=]+)")
_STEP = re.compile(r"\b(\w+)\s*\+=\s*(\w+)\s*\)")
_RETURN = re.compile(r"\bif\s*\(((?:[^(){}]|\([^(){}]*\))*)\)\s*\{?\s*return\b")
_BEYOND = re.compile(r"\b(\w+)\s*(>=?)\s*([^;&|?{}<>=]+)")
_WRITE = re.compile(r"\s*(=(?!=)|[-+*/%&|^]=|<<=|>>=|\+\+|--)")
_ATOMIC = re.compile(r"\batomic\w*\s*\(\s*&?\s*(?:\([^()]*\)\s*)?$")


@dataclass
class Uses:
    """How one argument is used. indices: as written. bare: it is used without an index, as when it is passed on."""

    indices: list[str] = field(default_factory=list)
    reads: int = 0
    sets: int = 0
    changes: int = 0
    bare: int = 0

    @property
    def role(self) -> str:
        """input, output or inout; what is passed on may be anything."""
        if self.bare:
            return "inout"
        if not self.sets and not self.changes:
            return "input"
        return "output" if not self.reads and not self.changes else "inout"


class Body:
    """The function `kernel` of a source. sizes: its integer arguments; tuned: its parameters."""

    def __init__(self, source: str, kernel: str, sizes: frozenset[str], tuned: frozenset[str] = frozenset()) -> None:
        clean = _COMMENT.sub(" ", source)
        self.macros = {n: int(v) for n, v in _MACRO.findall(clean)}
        self.tuned = tuned | frozenset(re.findall(r"^[ \t]*#[ \t]*ifndef[ \t]+(\w+)", clean, re.M))
        self.text = _function(_DIRECTIVE.sub(" ", clean), kernel)
        self.sizes = sizes
        self.threads: dict[str, str] = {}

    @cached_property
    def definitions(self) -> dict[str, ast.expr]:
        """Integer variables with what they are set to where they are declared; loop counters have bounds instead."""
        found: dict[str, ast.expr] = {}
        for text in _DECLARED.findall(self.text):
            for part in _split(text):
                left, equals, right = part.partition("=")
                try:
                    if equals and left.strip() not in found:
                        found[left.strip()] = parsed(right)
                except Unclear:
                    continue
        return found

    @cached_property
    def bounds(self) -> dict[str, str]:
        """Variables with what they stay below: from loops, ifs and early returns; a loop by TILE ends TILE before."""
        early = " ".join(_RETURN.findall(self.text))
        found: dict[str, str] = {}
        for variable, sign, text in _BEYOND.findall(early):
            found.setdefault(variable, f"({_balanced(text)})" + ("" if sign == ">=" else " + 1"))
        for variable, more, sign, text in _BOUND.findall(self.text):
            moved = f" - ({more.strip()})" if more.strip() else ""
            found.setdefault(variable, f"({_balanced(text)}){moved}" + ("" if sign == "<" else " + 1"))
        for variable, step in _STEP.findall(self.text):
            if step in (*self.tuned, *self.macros) and variable in found and f"- ({step})" not in found[variable]:
                found[variable] += f" - ({step} - 1)"
        return found

    def uses(self, argument: str) -> Uses:
        """How an argument is used in the body."""
        found = Uses()
        for match in re.finditer(rf"(?<![\w.>]){re.escape(argument)}\b", self.text):
            rest = self.text[match.end() :].lstrip()
            if not rest.startswith("["):
                found.bare += 1
                continue
            index, after = _bracketed(rest)
            found.indices.append(index)
            if after.lstrip().startswith("["):
                found.bare += 1
            before = self.text[: match.start()]
            sign = _WRITE.match(after)
            if _ATOMIC.search(before) or re.search(r"(\+\+|--)\s*$", before) or (sign and sign[1] != "="):
                found.changes += 1
            elif sign:
                found.sets += 1
            elif re.search(r"&\s*$", before):
                found.bare += 1
            else:
                found.reads += 1
        return found

    def extent(self, index: str, axes: dict[str, str] | None = None) -> Polynomial:
        """How many elements a buffer has, by one index. axes: known extents of grid axes. Raises Unclear.

        A border that an index leaves out is there all the same: n * m - m - 1 becomes n * m.
        """
        return rounded(plus(self._most(parsed(index), frozenset(), axes or {}), number(1)))

    def axis(self, variable: str) -> str:
        """The axis of the grid that a variable runs along, also by way of others; "" where it is none."""
        names, left = set[str](), [variable]
        while left:
            one = left.pop()
            if one in names or one not in self.definitions:
                continue
            names.add(one)
            if found := axis_of(self.definitions[one]):
                return found
            left += [n.id for n in ast.walk(self.definitions[one]) if isinstance(n, ast.Name)]
        return ""

    def limit(self, variable: str, axes: dict[str, str] | None = None) -> Polynomial:
        """How many values a variable takes. Raises Unclear."""
        return plus(self._most(ast.Name(id=variable), frozenset(), axes or {}), number(1))

    def _most(self, node: ast.expr, inside: frozenset[str], axes: dict[str, str]) -> Polynomial:
        return largest(node, lambda n: self._value(n, inside, axes), self.sizes | self.tuned | self.macros.keys())

    def _value(self, variable: str, inside: frozenset[str], axes: dict[str, str]) -> Polynomial:
        if variable in self.sizes or variable in self.tuned:
            return name(variable)
        if variable in self.macros:
            return number(self.macros[variable])
        if variable.startswith("threadIdx_") and variable[-1] in self.threads:
            return plus(self._most(parsed(self.threads[variable[-1]]), inside, axes), number(1), -1)
        if variable in inside:
            raise Unclear(f"{variable!r} depends on itself")
        within = inside | {variable}
        if variable in self.bounds:
            return plus(self._most(parsed(self.bounds[variable]), within, axes), number(1), -1)
        if variable in self.definitions:
            axis = self.axis(variable)
            if axis in axes:
                return plus(name(axes[axis]), number(1), -1)
            return self._most(self.definitions[variable], within, axes)
        raise Unclear(f"nothing in the source bounds {variable!r}")


def axis_of(node: ast.expr) -> str:
    """The axis of the grid that an expression runs along, "" where it is none."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id.startswith("blockIdx_"):
            return part.id[-1]
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.args:
            place = part.args[0]
            if part.func.id in ("get_global_id", "get_group_id") and isinstance(place, ast.Constant):
                return AXES[int(str(place.value))] if str(place.value) in "012" else ""
    return ""


def _function(clean: str, kernel: str) -> str:
    head = re.search(rf"\b{re.escape(kernel)}\s*\([^(){{}};]*\)\s*\{{", clean)
    if head is None:
        raise UserError(f"The kernel {kernel} has no body in the source; give the whole function.")
    depth = 1
    for at in range(head.end(), len(clean)):
        depth += {"{": 1, "}": -1}.get(clean[at], 0)
        if not depth:
            return clean[head.end() : at]
    raise UserError(f"The kernel {kernel} does not end: {depth} braces are open. Give the whole function.")


def _bracketed(text: str) -> tuple[str, str]:
    """What stands in the brackets that `text` begins with, and what follows them."""
    depth = 0
    for at, character in enumerate(text):
        depth += {"[": 1, "]": -1}.get(character, 0)
        if not depth:
            return text[1:at], text[at + 1 :]
    return text[1:], ""


def _balanced(text: str) -> str:
    """The text up to a parenthesis that it did not open, or to a comma outside of parentheses."""
    depth = 0
    for at, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0 or (character == "," and not depth):
            return text[:at].strip()
    return text.strip()


def _split(text: str) -> list[str]:
    """Parts between commas that stand outside of parentheses."""
    parts, depth, last = [], 0, 0
    for at, character in enumerate(text):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if character == "," and not depth:
            parts.append(text[last:at])
            last = at + 1
    return [*parts, text[last:]]
