"""The last look at a kernel before anything is built: its space, its parameters and where to start."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from atunner.core.candidate import Params
from atunner.core.errors import UserError
from atunner.core.space import Space
from atunner.operators.user import Argument, UserKernel, given_inputs, problem_of
from atunner.search.formats.source import check_used
from atunner.search.space import SearchSpace

STARTS = 12


def admitted(kernel: UserKernel, rules: Sequence[Callable[..., object]] = ()) -> UserKernel:
    """The kernel with its starts and the digests of its files filled in.

    Raises:
        UserError: no valid configuration (names the constraint and its parameters), a parameter that nothing reads, an
            argument whose shape has no value, a file that is missing, or an answer that does not fit the inputs.
    """
    launch, arguments = kernel.launch, kernel.arguments
    texts = [*launch.grid, *launch.block, launch.shared_bytes, *(a.value for a in arguments)]
    check_used([p.name for p in kernel.space.parameters], kernel.source, kernel.file, " ".join(texts))
    problem_of(kernel, kernel.sizes)
    filled = kernel.model_copy(update={"arguments": tuple(_digested(a) for a in arguments), "answer": _answer(kernel)})
    return filled.model_copy(update={"starts": starts(kernel.space, kernel.default, rules)})


def starts(space: Space, default: Params, rules: Sequence[Callable[..., object]] = ()) -> tuple[Params, ...]:
    """Valid configurations to begin with: the default or the nearest valid one, then others from all over the space."""
    if not space.parameters:
        return ({},)
    built = SearchSpace(space, rules)
    middle = {p.name: default.get(p.name, p.values[0]) for p in space.parameters}
    points = [built.params(int(i)) for i in built.sample(np.random.default_rng(0), STARTS)]
    if middle in built:
        return (middle, *(p for p in points if p != middle))[:STARTS]
    points.sort(key=lambda p: sum(p[n] != v for n, v in middle.items()))
    return tuple(points[:STARTS])


def _digested(argument: Argument) -> Argument:
    if argument.fill != "file":
        return argument
    return argument.model_copy(update={"digest": digest(Path(argument.file), f"the argument {argument.name!r}")})


def _answer(kernel: UserKernel) -> object:
    answer = kernel.answer
    if answer.kind != "file":
        return answer
    if not given_inputs(kernel):
        loose = [a.name for a in kernel.arguments if a.role in ("input", "inout") and a.fill == "random"]
        raise UserError(
            f"An answer in a file needs inputs that are always the same, but {', '.join(loose)} is random; "
            "give its file, or a Python reference."
        )
    return answer.model_copy(
        update={"digests": {n: digest(Path(f), f"the answer {n}") for n, f in answer.files.items()}}
    )


def digest(path: Path, what: str) -> str:
    """SHA-256 of a file. Raises UserError."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"Cannot read {path} for {what}: {error.strerror}.") from error
