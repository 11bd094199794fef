"""How near two tasks are: the same place first, then the same words, then the sizes, in log space."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import JsonValue

from atunner.core.task import Task

SIZES = re.compile(r"\d+([,x]\d+)*")
MISSING = math.log(2.0)


@dataclass(frozen=True)
class Features:
    """A task's spec as numbers and words, by path."""

    numbers: dict[str, float] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)


def features(task: Task) -> Features:
    """Numbers and words of the spec; a text such as "1,3,224,224" counts as numbers."""
    found = Features()
    for path, leaf in _leaves("", task.spec):
        if isinstance(leaf, str):
            found.words[path] = leaf
        elif leaf is not None:
            found.numbers[path] = float(leaf)
    return found


def _leaves(path: str, value: JsonValue) -> Iterator[tuple[str, str | float | None]]:
    if isinstance(value, str) and SIZES.fullmatch(value):
        value = [int(part) for part in re.split("[,x]", value)]
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _leaves(f"{path}.{name}", part)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _leaves(f"{path}.{index}", part)
    else:
        yield path, value


def mismatches(one: Features, other: Features) -> int:
    """How many words differ or are on one side only."""
    return sum(one.words.get(path) != other.words.get(path) for path in one.words.keys() | other.words.keys())


def distance(one: Features, other: Features) -> float:
    """Euclidean distance of the logarithms; a number on one side only counts as a factor of two."""
    total = 0.0
    for path in one.numbers.keys() | other.numbers.keys():
        if path in one.numbers and path in other.numbers:
            total += (_log(one.numbers[path]) - _log(other.numbers[path])) ** 2
        else:
            total += MISSING**2
    return math.sqrt(total)


def _log(number: float) -> float:
    return math.copysign(math.log1p(abs(number)), number)
