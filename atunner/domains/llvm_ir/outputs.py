"""Two printed results compared: byte by byte, or number by number within a tolerance of the largest one."""

import math
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atunner.core.errors import Wrong
from atunner.domains.llvm_ir.program import Level

AROUND = 24
_NUMBER = re.compile(
    r"[+-]?(?:0x[0-9a-f.]+(?:p[+-]?\d+)?|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|inf(?:inity)?)", re.IGNORECASE
)
_HEXADECIMAL = re.compile(r"(?<!\S)[+-]?0x[0-9a-f.]+(?:p[+-]?\d+)?(?!\S)")

Numbers = NDArray[np.float64]
Sections = tuple[tuple[str, Numbers], ...]


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
    error = _worst(_kept(expected), _read(got.decode(errors="replace")))
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
    return _worst(_read(expected), _read(got))


def _worst(expected: Sections, got: Sections) -> float:
    found = 0.0 if len(expected) == len(got) and expected else math.inf
    for (word, numbers), (other, given) in zip(expected, got, strict=False):
        if word != other or len(numbers) != len(given):
            return math.inf
        found = max(found, _error(numbers, given))
    return found


@lru_cache(maxsize=4)
def _kept(text: bytes) -> Sections:
    """What is expected, which is compared with many results."""
    return _read(text.decode(errors="replace"))


def _read(text: str) -> Sections:
    """None at all where something looks like a number and is none, as 0x1..2."""
    try:
        return tuple(_sections(text))
    except (ValueError, OverflowError):
        return ()


def _error(expected: Numbers, got: Numbers) -> float:
    """Of one section. What is not finite has to be the same in both."""
    apart = (expected != got) & ~(np.isnan(expected) & np.isnan(got))
    if not apart.any():
        return 0.0
    finite = np.abs(expected[np.isfinite(expected)])
    largest = float(finite.max(initial=0.0))
    if not (np.isfinite(expected[apart]).all() and np.isfinite(got[apart]).all()) or not largest:
        return math.inf
    with np.errstate(over="ignore"):
        return float((np.abs(expected[apart] - got[apart]) / largest).max())


def _sections(text: str) -> Iterator[tuple[str, Numbers]]:
    """Each word with the numbers that follow it. Raises ValueError, OverflowError."""
    word, numbers = "", list[float]()
    for line in text.splitlines():
        tokens = line.split()
        if line.count("0x") == len(tokens) == len(_HEXADECIMAL.findall(line)):
            numbers += map(float.fromhex, tokens)
            continue
        for token in tokens:
            if _NUMBER.fullmatch(token):
                numbers.append(float.fromhex(token) if "x" in token.lower() else float(token))
            else:
                yield word, np.array(numbers)
                word, numbers = token, []
    yield word, np.array(numbers)
