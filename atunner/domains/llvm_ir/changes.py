"""Held-out variants of a program that takes no input: other sizes and other numbers in the lines that set it up.

What a rewrite computes at the size and with the numbers that it has seen proves little: a table of answers would do.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from atunner.domains.llvm_ir.program import Change, Input, Program

LEAST_SIZE = 8
MOST_CHANGES = 2
_SIZE = re.compile(r"^(\s*#\s*define\s+[A-Za-z_]\w*\s+\(?)(\d+)(\)?\s*)$")
_SETUP = re.compile(r"[\])\w]\s*=[^=].*[/%*+]")
_NUMBER = re.compile(r"(?<![\w.])(\d+\.\d+|\d+)(?=[uUlLfF]{0,3}(?![\w.\]]))")


def proposals(program: Program) -> Iterator[Change]:
    """Changes worth trying, the most telling first; each has still to be tried on the program itself."""
    lines = program.source.split("\n")
    once = [line for line in lines if lines.count(line) == 1]
    for name, scale in (("smaller sizes", 0.37), ("odd sizes", 0.61)):
        sizes = tuple(_sizes(once, scale))
        if sizes:
            yield Change(name=name, lines=sizes)
    setup = [line for line in once if _SETUP.search(line) and not _controls(line) and _NUMBER.search(_right(line))]
    for line in setup[:6]:
        yield Change(name=f"other numbers in {line.strip()[:60]!r}", lines=((line, _renumbered(line)),))


def _sizes(lines: Sequence[str], scale: float) -> Iterator[tuple[str, str]]:
    for line in lines:
        found = _SIZE.match(line)
        if found and int(found[2]) >= LEAST_SIZE:
            yield line, f"{found[1]}{max(LEAST_SIZE - 1, int(int(found[2]) * scale) | 1)}{found[3]}"


def _controls(line: str) -> bool:
    """Loops, conditions and the preprocessor's lines: what decides where is written, not what."""
    return bool(re.match(r"\s*(?:for|while|if|else|switch|return|#)", line))


def _right(line: str) -> str:
    return line.split("=", 1)[1] if "=" in line else ""


def _renumbered(line: str) -> str:
    """The line with the last number right of its first = a little larger."""
    left, right = line.split("=", 1)
    found = list(_NUMBER.finditer(right))[-1]
    new = f"{float(found[1]) * 1.25:g}" if "." in found[1] else str(int(found[1]) + 1)
    new = f"{new}.0" if "." in found[1] and "." not in new else new
    return f"{left}={right[: found.start()]}{new}{right[found.end() :]}"


def other_inputs(given: Input) -> Iterator[Input]:
    """Inputs like the given one: every whole number among its arguments a little or much smaller."""
    if not any(arg.isdigit() and int(arg) > 1 for arg in given.args):
        return
    for scale in (0.37, 0.61):
        args = tuple(str(max(1, int(int(a) * scale) | 1)) if a.isdigit() else a for a in given.args)
        yield given.model_copy(update={"args": args})


def tried(program: Program, works: Callable[[Change], bool]) -> tuple[Change, ...]:
    """The changes that keep the program sound and change what it prints, at most one of sizes and one of numbers."""
    found: list[Change] = []
    for change in proposals(program):
        of_sizes = "sizes" in change.name
        if any(("sizes" in kept.name) == of_sizes for kept in found):
            continue
        if works(change):
            found.append(change)
        if len(found) == MOST_CHANGES:
            break
    return tuple(found)
