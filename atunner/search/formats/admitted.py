"""The last look at a kernel before anything is built: its space, its parameters and where to start."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from atunner.core.candidate import Params
from atunner.core.errors import UserError
from atunner.core.expression import evaluate
from atunner.core.space import Space
from atunner.operators.user import Argument, UserKernel, given_inputs, problem_of
from atunner.search.formats.source import check_used
from atunner.search.space import SearchSpace

STARTS = 12
KEYWORDS = frozenset(
    {
        *("auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else"),
        *("enum", "extern", "float", "for", "goto", "if", "inline", "int", "long", "register"),
        *(
            "restrict",
            "return",
            "short",
            "signed",
            "sizeof",
            "static",
            "struct",
            "switch",
            "typedef",
            "union",
            "unsigned",
            "void",
            "volatile",
            "while",
        ),
    }
)
"""Of C, and so of the others."""


def admitted(kernel: UserKernel, rules: Sequence[Callable[..., object]] = ()) -> UserKernel:
    """The kernel with its starts and the digests of its files filled in.

    Raises:
        UserError: no valid configuration (names the constraint and its parameters), a parameter that nothing reads or
            whose name the source cannot give up, an argument whose shape has no value, a scalar that its type cannot
            hold, a file that is missing, or an answer that does not fit the inputs.
    """
    launch, arguments = kernel.launch, kernel.arguments
    _check_names(kernel)
    texts = [*launch.grid, *launch.block, launch.shared_bytes, *(a.value for a in arguments)]
    check_used([p.name for p in kernel.space.parameters], kernel.source, kernel.file, " ".join(texts))
    problem_of(kernel, kernel.sizes)
    filled = kernel.model_copy(update={"arguments": tuple(_digested(a) for a in arguments), "answer": _answer(kernel)})
    found = starts(kernel.space, kernel.default, rules)
    for argument in arguments:
        if argument.role == "scalar":
            _check_scalar(argument, {**kernel.sizes, **found[0]})
    return filled.model_copy(update={"starts": found})


def _check_names(kernel: UserKernel) -> None:
    """A parameter is a macro, so it may be no word that the source needs for something else. Raises UserError."""
    arguments = {a.name for a in kernel.arguments}
    for name in (p.name for p in kernel.space.parameters):
        taken = "an argument" if name in arguments else "the kernel itself" if name == kernel.name else ""
        taken = taken or ("a word of the language" if name in KEYWORDS else "")
        if taken:
            raise UserError(f"The parameter {name!r} of {kernel.file} is {taken}, too; give it another name.")
    for parameter in kernel.space.parameters:
        broken = [v for v in parameter.values if isinstance(v, str) and not v.isprintable()]
        if broken:
            raise UserError(f"The parameter {parameter.name} has the value {broken[0]!r}; a macro is one line of text.")


def _check_scalar(argument: Argument, names: Mapping[str, Any]) -> None:
    """What is passed must fit its type. Raises UserError."""
    value, what = evaluate(argument.value, names), f"The argument {argument.name!r} is {argument.dtype}"
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise UserError(f"{what} and its value {argument.value} = {value!r}; a number is needed.")
    kind = np.dtype(argument.dtype).kind if argument.dtype != "bfloat16" else "b"
    if kind == "f":
        with np.errstate(over="ignore"):
            if not np.isfinite(np.dtype(argument.dtype).type(value)):
                raise UserError(
                    f"{what} and its value {argument.value} = {value}, too large for it. Give another type."
                )
    if kind not in "iu":
        return
    if value != int(value):
        raise UserError(
            f"{what} and its value {argument.value} = {value}; a whole number is needed, say with // or int()."
        )
    room = np.iinfo(argument.dtype)
    if not room.min <= value <= room.max:
        raise UserError(
            f"{what} and its value {argument.value} = {value}; {room.min} to {room.max} fit. Give another type."
        )


def starts(space: Space, default: Params, rules: Sequence[Callable[..., object]] = ()) -> tuple[Params, ...]:
    """Valid configurations to begin with: the default or the nearest valid one, then others from all over the space."""
    if not space.parameters:
        return ({},)
    built = SearchSpace(space, rules)
    middle = {p.name: default.get(p.name, p.values[0]) for p in space.parameters}
    points = [built.params(int(i)) for i in built.sample(np.random.default_rng(0), STARTS)]
    if middle in built:
        return (middle, *(p for p in points if p != middle))[:STARTS]
    listed = {p.name: p.values for p in space.parameters}

    def away(point: Params) -> tuple[int, int]:
        """How many parameters differ, and by how many steps of their lists."""
        other = [n for n, v in middle.items() if point[n] != v]
        known = [n for n in other if middle[n] in listed[n]]
        return len(other), sum(abs(listed[n].index(point[n]) - listed[n].index(middle[n])) for n in known)

    points.sort(key=away)
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
