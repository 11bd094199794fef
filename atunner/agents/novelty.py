"""How alike two sources are: what a search over kernels need not see twice."""

import re
from collections.abc import Iterable, Mapping

from atunner.core.value import Value

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|\S")
_NUMBER = re.compile(r"\d")
SHINGLE = 4
"""Tokens in a row that are compared as one."""


class Twin(Value):
    """The most alike of the known sources. likeness: 1 when they differ only in names, numbers, comments or spaces."""

    name: str
    likeness: float


def tokens(source: str) -> list[str]:
    """The source without comments and spaces, every number as 0: numbers are what search is for."""
    found = _TOKEN.findall(_COMMENT.sub(" ", source))
    return ["0" if _NUMBER.match(token) else token for token in found]


def renamed(found: Iterable[str]) -> tuple[str, ...]:
    """The tokens with every name replaced by the number of its first occurrence."""
    numbers: dict[str, str] = {}
    return tuple(numbers.setdefault(t, f"v{len(numbers)}") if t[0].isalpha() or t[0] == "_" else t for t in found)


def likeness(one: str, other: str) -> float:
    """Shared runs of tokens over all of them (Jaccard), 1 for sources that differ only in names and numbers."""
    first, second = tokens(one), tokens(other)
    if renamed(first) == renamed(second):
        return 1.0
    a, b = _shingles(first), _shingles(second)
    return len(a & b) / len(a | b) if a | b else 1.0


def twin(source: str, known: Mapping[str, str]) -> Twin | None:
    """The known source that is most like this one; None when nothing is known."""
    found = (Twin(name=name, likeness=likeness(source, text)) for name, text in known.items())
    return max(found, key=lambda t: t.likeness, default=None)


def _shingles(found: list[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(found[i : i + SHINGLE]) for i in range(max(1, len(found) - SHINGLE + 1)))
