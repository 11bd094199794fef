"""Mutants of correct kernels: small mistakes as people and models make them, to see whether verification notices."""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from atunner.core.status import Status
from atunner.core.value import Value
from atunner.domains.kernels.gate import Token, tokens
from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.selftest import corpus, judged
from atunner.domains.kernels.selftest.problems import OPERATORS

INDICES = ("i", "j", "rows", "columns")
SUBJECTS = (
    "naive",
    "four-sums",
    "simd-pragma",
    "vector-types",
    "double-sums",
    "columns-outside",
    "local-copy",
    "heap-scratch",
    "split-k",
    "threads",
    "in-place",
    "in-place-by-blocks",
)

CUDA_SUBJECTS = (
    "thread-a-row",
    "grid-stride",
    "four-sums",
    "double-sums",
    "fused",
    "device-function",
    "block-a-row",
    "warp-a-row",
    "weights-in-dynamic-shared-memory",
    "split-k",
    "in-place",
    "in-place-by-elements",
)
OF_LANGUAGE = {"c": ("honest", SUBJECTS), "cuda": ("honest_cuda", CUDA_SUBJECTS)}
"""The corpus of each language, and which of its entries mistakes are made in; CUDA is checked on the CPU."""


@dataclass(frozen=True)
class Mutator:
    """A kind of mistake. spots: the tokens where it can be made. made: what stands there afterwards."""

    name: str
    spots: Callable[[list[Token], int], bool]
    made: Callable[[list[Token], int, random.Random], str]


class Mutant(Value):
    """One mutant and what the judge said. killed: it was refused."""

    subject: str
    kind: str
    line: int
    before: str
    after: str
    status: Status
    feedback: str

    @property
    def killed(self) -> bool:
        """Whether the judge refused it for what it computes or does."""
        return self.status not in (Status.OK, Status.NOT_MEASURED)


def mutants(cache: Path, count: int, seed: int, language: str = "c") -> Iterator[Mutant]:
    """`count` mutants that compile, drawn with `seed`, each judged. Raises ToolError when there is no compiler."""
    rng = random.Random(seed)
    name, chosen = OF_LANGUAGE[language]
    subjects = [e for e in corpus(name) if e.name in chosen]
    oracles = {name: Oracle(operator) for name, operator in OPERATORS.items()}
    seen: set[str] = set()
    made = 0
    while made < count:
        entry, mutator = rng.choice(subjects), rng.choice(MUTATORS)
        drawn = _drawn(entry.text, mutator, rng)
        if drawn is None or drawn[0] in seen:
            continue
        text, at, after = drawn
        seen.add(text)
        trial = judged(entry.model_copy(update={"source": text, "gate": True}), oracles[entry.problem], cache)
        if trial.status is Status.NOT_BUILT:
            continue
        made += 1
        yield Mutant(
            subject=entry.name,
            kind=mutator.name,
            line=at.line,
            before=at.text,
            after=after,
            status=trial.status,
            feedback=trial.feedback,
        )


def _drawn(text: str, mutator: Mutator, rng: random.Random) -> tuple[str, Token, str] | None:
    """The text with one mistake in it, where it was made and what stands there now."""
    start = text.index("{", text.index("void "))
    found = [t for t in tokens(text) if t.kind not in ("comment",)]
    places = _offsets(text, found)
    spots = [i for i, t in enumerate(found) if places[i] > start and mutator.spots(found, i)]
    if not spots:
        return None
    index = rng.choice(spots)
    after = mutator.made(found, index, rng)
    at = places[index]
    return text[:at] + after + text[at + len(found[index].text) :], found[index], after


def _offsets(text: str, found: list[Token]) -> list[int]:
    places, at = [], 0
    for token in found:
        at = text.index(token.text, at)
        places.append(at)
        at += len(token.text)
    return places


def _text(found: list[Token], index: int) -> str:
    return found[index].text if 0 <= index < len(found) else ""


def _bound(found: list[Token], index: int) -> bool:
    """A lone < or > between an index and its bound."""
    return found[index].text == "<" and _text(found, index + 1) not in ("<", "=") and _text(found, index - 1) != "<"


def _stop(found: list[Token], index: int) -> bool:
    return found[index].text in ("rows", "columns") and _text(found, index - 1) == "<"


def _subscript(found: list[Token], index: int) -> bool:
    """An index variable inside brackets."""
    depth = 0
    for token in reversed(found[max(0, index - 12) : index]):
        depth += token.text == "]"
        if token.text == "[" and not depth:
            return found[index].text in INDICES
        depth -= token.text == "["
    return False


def _operator(found: list[Token], index: int) -> bool:
    """A binary * or - or + between two values."""
    before, after = found[index - 1], found[min(index + 1, len(found) - 1)]
    value = before.kind in ("name", "number") or before.text in ("]", ")")
    types = ("float", "double", "int", "const", "v8")
    return (
        found[index].text in ("*", "+", "-")
        and value
        and before.text not in types
        and (after.kind in ("name", "number") or after.text == "(")
        and before.text != after.text
    )


def _accumulates(found: list[Token], index: int) -> bool:
    return (
        found[index].text == "+" and _text(found, index + 1) == "=" and _text(found, index - 1) not in ("i", "j", "b")
    )


def _starts(found: list[Token], index: int) -> bool:
    return found[index].text == "0" and _text(found, index - 1) == "=" and _text(found, index - 2) in ("i", "j")


def _array(found: list[Token], index: int) -> bool:
    return found[index].text in ("x", "w") and _text(found, index + 1) == "["


def _factor(found: list[Token], index: int) -> bool:
    """An input read in an expression: not the left side of an assignment."""
    return _array(found, index) and _text(found, index - 1) in ("=", "*", "+", "(", "]")


def _tail(found: list[Token], index: int) -> bool:
    """The bound of a remainder loop, whose initial part is empty."""
    return (
        found[index].text == "columns"
        and _text(found, index - 1) == "<"
        and re.fullmatch(r"\(;j|\{;j|;;j", "".join(_text(found, index - k) for k in (4, 3, 2))) is not None
    )


def _barrier(found: list[Token], index: int) -> bool:
    """A barrier of the block; one of the warp is left in its place."""
    return found[index].text == "__syncthreads"


def _another(found: list[Token], index: int, rng: random.Random) -> str:
    return rng.choice([name for name in INDICES[:2] if name != found[index].text])


MUTATORS = (
    Mutator("off-by-one bound", _bound, lambda found, index, rng: "<="),
    Mutator("bound one too small", _stop, lambda found, index, rng: f"{found[index].text} - 1"),
    Mutator("starts at one", _starts, lambda found, index, rng: "1"),
    Mutator("wrong index", _subscript, _another),
    Mutator("wrong operator", _operator, lambda found, index, rng: {"*": "+", "+": "-", "-": "+"}[found[index].text]),
    Mutator("overwrites its sum", _accumulates, lambda found, index, rng: " "),
    Mutator("subtracts from its sum", _accumulates, lambda found, index, rng: "-"),
    Mutator("swapped operands", _array, lambda found, index, rng: "w" if found[index].text == "x" else "x"),
    Mutator("missing tail", _tail, lambda found, index, rng: "columns / 4 * 4 - 3"),
    Mutator("dropped barrier", _barrier, lambda found, index, rng: "__syncwarp"),
    Mutator("lower precision", _factor, lambda found, index, rng: f"(float)(_Float16){found[index].text}"),
)
