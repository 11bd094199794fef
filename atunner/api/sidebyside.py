"""Two sources side by side: equal lines beside each other, changed ones with what changed in them marked."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import zip_longest

from markupsafe import Markup

from atunner.api import highlight
from atunner.core.candidate import Candidate
from atunner.core.value import Value
from atunner.reports import difference, wording

CONTEXT = 5
LONGEST = 400
"""Characters beyond which a line is not compared within."""

ALIKE = 0.4
"""Share of equal characters from which two changed lines count as one line that was altered."""


class Side(Value):
    """One cell. number: of the line, 0 for an empty cell. kind: same, gone, new or none."""

    number: int = 0
    kind: str = "none"
    html: str = ""


class Pair(Value):
    """One row; skip: how many equal lines were left out here, then both sides are empty."""

    old: Side = Side()
    new: Side = Side()
    skip: int = 0


class Change(Value):
    """What a parameter was and became; "" where the candidate has none of that name."""

    name: str
    old: str
    new: str


def changes(before: Candidate, after: Candidate) -> tuple[Change, ...]:
    """Every parameter of either candidate, those that differ first."""
    names = dict.fromkeys([*before.params, *after.params])
    found = [Change(name=n, old=_word(before, n), new=_word(after, n)) for n in names]
    return tuple(sorted(found, key=lambda c: c.old == c.new))


def _word(candidate: Candidate, name: str) -> str:
    return wording.plain(candidate.params[name]) if name in candidate.params else ""


def pairs(before: Candidate, after: Candidate) -> tuple[Pair, ...]:
    """The rows of the diff; empty when the sources are equal."""
    (old_name, old), (new_name, new) = difference.source(before), difference.source(after)
    if old == new:
        return ()
    left, right = highlight.pieces(old_name, old), highlight.pieces(new_name, new)
    matcher = SequenceMatcher(None, highlight.split(old), highlight.split(new), autojunk=False)
    found: list[Pair] = []
    last = 0
    for group in matcher.get_grouped_opcodes(CONTEXT):
        if group[0][1] > last:
            found.append(Pair(skip=group[0][1] - last))
        for tag, a, b, c, d in group:
            found.extend(_rows(tag, (left[a:b], a), (right[c:d], c)))
        last = group[-1][2]
    if last < len(left):
        found.append(Pair(skip=len(left) - last))
    return tuple(found)


Block = tuple[list[highlight.Line], int]


def _rows(tag: str, old: Block, new: Block) -> Iterator[Pair]:
    same = tag == "equal"
    for at, (a, b) in enumerate(zip_longest(old[0], new[0])):
        marks = ([], []) if same or a is None or b is None else _spans(_text(a), _text(b))
        yield Pair(
            old=Side() if a is None else _side(a, old[1] + at + 1, "same" if same else "gone", marks[0]),
            new=Side() if b is None else _side(b, new[1] + at + 1, "same" if same else "new", marks[1]),
        )


def _side(line: highlight.Line, number: int, kind: str, spans: list[tuple[int, int]]) -> Side:
    html: Markup = highlight.cut(line, spans) if spans else highlight.html(line)
    return Side(number=number, kind=kind, html=str(html))


def _text(line: highlight.Line) -> str:
    return "".join(text for _, text in line)


def _spans(old: str, new: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The characters that differ, where the two lines are one line that was altered."""
    if max(len(old), len(new)) > LONGEST:
        return [], []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < ALIKE:
        return [], []
    codes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    return [(a, b) for _, a, b, _, _ in codes if b > a], [(c, d) for _, _, _, c, d in codes if d > c]
