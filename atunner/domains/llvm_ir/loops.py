"""Loop metadata in IR before any pass: the loop that begins at a line gets llvm.loop properties."""

import re
from collections.abc import Sequence

from atunner.core.errors import Rejected
from atunner.domains.llvm_ir.evidence.ir_text import bodies
from atunner.domains.llvm_ir.recipe import LoopHint

PROPERTIES = frozenset(
    {
        "vectorize.enable",
        "vectorize.width",
        "interleave.count",
        "unroll.count",
        "unroll.disable",
        "unroll.full",
        "unroll_and_jam.count",
        "unroll_and_jam.enable",
        "distribute.enable",
    }
)
_BACK = re.compile(r"^\s*br .*!llvm\.loop !(\d+)")
_NODE = re.compile(r"^!(\d+) = (?:distinct )?!(.*)$", re.MULTILINE)
_PLACE = re.compile(r"DILocation\(line: (\d+)")


def loops_of(text: str) -> dict[tuple[str, int], int]:
    """(function, line) -> number of the llvm.loop node, for IR with line tables."""
    nodes = {int(number): body for number, body in _NODE.findall(text)}
    found = {}
    for name, lines in bodies(text):
        for line in lines:
            back = _BACK.match(line)
            if back:
                node = int(back[1])
                place = next((_PLACE.search(nodes.get(int(n), "")) for n in _references(nodes.get(node, ""))), None)
                if place:
                    found[name, int(place[1])] = node
    return found


def hinted(text: str, hints: Sequence[LoopHint]) -> str:
    """The module with each hint's properties in its loop's node.

    Raises:
        Rejected: no loop begins there, or a property is unknown.
    """
    loops = loops_of(text)
    last = max((int(number) for number, _ in _NODE.findall(text)), default=0)
    for hint in hints:
        unknown = {name for name, _ in hint.properties} - PROPERTIES
        if unknown:
            raise Rejected(f"Unknown loop property {sorted(unknown)[0]!r}. Known: {', '.join(sorted(PROPERTIES))}.")
        node = loops.get((hint.function, hint.line))
        if node is None:
            known = ", ".join(f"{line}" for name, line in sorted(loops) if name == hint.function)
            raise Rejected(f"No loop of {hint.function} begins at line {hint.line}. Loops begin at: {known or 'none'}.")
        added = []
        for name, value in hint.properties:
            last += 1
            added.append(last)
            text += f'\n!{last} = !{{!"llvm.loop.{name}"{_operand(value)}}}'
        text = _extended(text, node, added)
    return f"{text}\n"


def _operand(value: int | bool) -> str:
    if isinstance(value, bool):
        return f", i1 {str(value).lower()}"
    return f", i32 {value}" if value else ""


def _extended(text: str, node: int, added: Sequence[int]) -> str:
    return re.sub(
        rf"^(!{node} = distinct !\{{.*)\}}$",
        lambda m: f"{m[1]}, {', '.join(f'!{n}' for n in added)}}}",
        text,
        count=1,
        flags=re.MULTILINE,
    )


def _references(body: str) -> list[str]:
    return re.findall(r"!(\d+)", body)[1:]
