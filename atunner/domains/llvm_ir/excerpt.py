"""What a model is shown of a program: all of it where it is short, else the functions in which its time goes."""

from collections.abc import Iterable, Sequence

from atunner.core.tokens import count
from atunner.domains.llvm_ir.edits import span
from atunner.domains.llvm_ir.evidence.ir_text import bodies, in_loops
from atunner.domains.llvm_ir.program import HotLine

SHOWN = 3000
"""Tokens of source in a brief, about half of it."""


def hottest(source: str, names: Iterable[str], hot: Sequence[HotLine]) -> tuple[str, ...]:
    """The functions of a C source by the time of their lines, those without any left out."""
    shares: dict[str, float] = {}
    for name in names:
        found = span(source, name)
        if found:
            first, last = (source.count("\n", 0, place) + 1 for place in found)
            shares[name] = sum(line.share for line in hot if first <= line.line <= last)
    return tuple(sorted((n for n, share in shares.items() if share), key=lambda n: -shares[n]))


def excerpt(file: str, text: str, names: Sequence[str], limit: int = SHOWN) -> str:
    """The text if it is short; else as many of these functions as fit, the first of them at least in part.

    names: the hottest first; what a rewrite made of a function goes with it.
    """
    if count(text) <= limit:
        return text
    parts = _defines(text, names) if file.endswith(".ll") else _functions(text, names)
    kept = dict[str, str]()
    for name, part in parts.items():
        if kept and count("\n".join([*kept.values(), part])) > limit:
            break
        kept[name] = part
    if not kept:
        return _cut(text.splitlines(), limit)
    shown = "\n".join(kept.values())
    mark = ";" if file.endswith(".ll") else "//"
    told = f"{mark} {len(text.splitlines())} lines in all, too long to be shown; this is {', '.join(kept)}:"
    return "\n".join([told, shown if count(shown) <= limit else _cut(shown.splitlines(), limit)])


def _functions(source: str, names: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in names:
        place = span(source, name)
        if place:
            made = source.find(f"atunner_{name}_")
            nest = source[made:].partition("(")[0] if made >= 0 else ""
            inner = span(source, nest) if nest else None
            found[name] = "\n".join(source[begin:end] for begin, end in filter(None, (inner, place)))
    return found


def _defines(ir: str, names: Sequence[str]) -> dict[str, str]:
    """Functions of IR; of one that is long by itself, its head and its loops."""
    known = dict(bodies(ir))
    wanted = [name for name in names if name in known] or sorted(known, key=lambda n: -len(known[n]))[:1]
    return {name: "\n".join(_loops(known[name])) for name in wanted}


def _loops(lines: list[str]) -> list[str]:
    if count("\n".join(lines)) <= SHOWN:
        return lines
    inside = in_loops(lines)
    return [line for number, line in enumerate(lines) if number == 0 or number in inside]


def _cut(lines: Sequence[str], limit: int) -> str:
    """The first lines, and how many are left out."""
    kept, left = list[str](), limit
    for line in lines:
        left -= count(line) + 1
        if left < 0:
            break
        kept.append(line)
    return "\n".join([*kept, f"({len(lines) - len(kept)} more lines left out)"])
