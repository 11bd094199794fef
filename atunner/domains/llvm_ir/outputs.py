"""Two printed results compared: byte by byte, or number by number within a tolerance of the largest one."""

import math
import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from atunner.core.errors import Wrong
from atunner.domains.llvm_ir.program import Level

AROUND = 24
_NUMBER = re.compile(
    r"[+-]?(?:0x[0-9a-f.]+(?:p[+-]?\d+)?|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|inf(?:inity)?)", re.IGNORECASE
)


def compare(reference: Path, candidate: Path, level: Level) -> str:
    """How near the candidate's result is, in words.

    Raises:
        Wrong: it is not near enough for the level; says where, what was expected and what came.
    """
    expected, got = reference.read_bytes(), candidate.read_bytes()
    if expected == got:
        return f"{len(got)} bytes, every one equal"
    if level is Level.EXACT:
        raise Wrong(f"Wrong result at level exact: {first_difference(expected, got)}")
    error = worst(expected.decode(errors="replace"), got.decode(errors="replace"))
    if not error <= level.tolerance:
        raise Wrong(
            f"Wrong result: an error of {error:.3g} of the largest number, level {level} allows {level.tolerance:g}; "
            f"first {first_difference(expected, got)}"
        )
    return f"worst error {error:.3g} of the largest number, {level.tolerance:g} allowed"


def first_difference(expected: bytes, got: bytes) -> str:
    """Where two texts begin to differ, with what is there."""
    at = next((i for i, (a, b) in enumerate(zip(expected, got, strict=False)) if a != b), min(len(expected), len(got)))
    left = max(0, max(expected.rfind(b" ", 0, at), expected.rfind(b"\n", 0, at)) + 1)
    return f"at byte {at}: expected {_shown(expected, left)}, got {_shown(got, left)}"


def _shown(text: bytes, at: int) -> str:
    return repr(text[at : at + AROUND].decode(errors="replace")) if at < len(text) else "the end"


def worst(expected: str, got: str) -> float:
    """The largest error, relative to the largest number of its section; infinite where the two are not alike.

    A section begins at each word that is no number, so that arrays of different sizes are told apart.
    """
    found = 0.0
    for first, second in zip_longest(_sections(expected), _sections(got)):
        if first is None or second is None or first[0] != second[0] or len(first[1]) != len(second[1]):
            return math.inf
        largest = max((abs(x) for x in first[1] if math.isfinite(x)), default=0.0)
        for a, b in zip(first[1], second[1], strict=True):
            found = max(found, _error(a, b, largest))
    return found


def _error(a: float, b: float, largest: float) -> float:
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    if not (math.isfinite(a) and math.isfinite(b)) or not largest:
        return math.inf
    return abs(a - b) / largest


def _sections(text: str) -> Iterator[tuple[str, list[float]]]:
    """Each word with the numbers that follow it."""
    word, numbers = "", list[float]()
    for token in text.split():
        if _NUMBER.fullmatch(token):
            numbers.append(float.fromhex(token) if "x" in token.lower() else float(token))
        else:
            yield word, numbers
            word, numbers = token, []
    yield word, numbers
