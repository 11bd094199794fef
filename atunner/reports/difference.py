"""The winner's source against the baseline's, line by line."""

from collections.abc import Iterator
from difflib import SequenceMatcher, unified_diff

from atunner.core.candidate import Candidate
from atunner.core.program import PROGRAM_FILE
from atunner.core.value import Value


class Line(Value):
    """One line of a diff. kind: same, gone, new or skip. old, new: line numbers, None where there is none."""

    kind: str
    old: int | None
    new: int | None
    text: str


CONTEXT = 4
RECIPE_FILE = "build.json"
"""How the file of a C program is compiled."""


def source(candidate: Candidate) -> tuple[str, str]:
    """Name and text of the file that is compiled: the only one besides program.json, or the first by name."""
    names = sorted(n for n in candidate.files if n not in {PROGRAM_FILE, RECIPE_FILE})
    return (names[0], candidate.files[names[0]]) if names else ("", "")


def lines(before: str, after: str) -> tuple[Line, ...]:
    """The whole diff with four lines of context; left-out stretches are one `skip` line."""
    old, new = before.splitlines(), after.splitlines()
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    found: list[Line] = []
    last = (0, 0)
    for group in matcher.get_grouped_opcodes(CONTEXT):
        start = (group[0][1], group[0][3])
        if start != last:
            found.append(Line(kind="skip", old=None, new=None, text=f"{start[1] - last[1]} equal lines"))
        found.extend(line for opcode in group for line in _opcode(opcode, old, new))
        last = (group[-1][2], group[-1][4])
    if last[1] < len(new) and found:
        found.append(Line(kind="skip", old=None, new=None, text=f"{len(new) - last[1]} equal lines"))
    return tuple(found)


def _opcode(opcode: tuple[str, int, int, int, int], old: list[str], new: list[str]) -> Iterator[Line]:
    tag, old_start, old_end, new_start, new_end = opcode
    if tag == "equal":
        for offset in range(old_end - old_start):
            number = old_start + offset
            yield Line(kind="same", old=number + 1, new=new_start + offset + 1, text=old[number])
        return
    for number in range(old_start, old_end):
        yield Line(kind="gone", old=number + 1, new=None, text=old[number])
    for number in range(new_start, new_end):
        yield Line(kind="new", old=None, new=number + 1, text=new[number])


def patch(baseline: Candidate, best: Candidate) -> str:
    """The same as a unified diff that `patch` takes."""
    (name, before), (_, after) = source(baseline), source(best)
    return "".join(
        unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}")
    )
