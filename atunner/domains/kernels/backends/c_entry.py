"""How a C candidate is entered and compiled: one function that makes its launches, and the compiler's arguments."""

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

from atunner.core.candidate import Candidate
from atunner.core.errors import NotBuilt
from atunner.core.expression import evaluate
from atunner.core.program import Buffer, Problem, Program
from atunner.tools.compilers import Compiler, allowed

FLAGS = ("-O3", "-march=native")
ALWAYS = ("-fPIC", "-shared", "-std=gnu11", "-fopenmp", "-w", "-Wl,-z,defs", "-lm")
ENTRY = "atunner_entry.c"
SCALARS = {"int32": "int", "int64": "long long", "float32": "float", "float64": "double"}
SHARED = frozenset({"-o", "made.so", "-shared", "-fPIC", "-Wl,-z,defs"})
"""Of the arguments, those that only a shared object needs."""


def workspaces(made: Program, problem: Problem, candidate: Candidate) -> tuple[Buffer, ...]:
    """The scratch buffers that the program asks for, at this problem. Raises UserError."""
    names = _names(problem, candidate)
    return tuple(
        Buffer(name=w.name, dtype=w.dtype, shape=(max(1, int(evaluate(w.elements, names))),), role="workspace")
        for w in made.workspaces
    )


def entry_source(made: Program, problem: Problem, candidate: Candidate, buffers: Sequence[Buffer]) -> str:
    """The C function that the worker calls: every launch in order, pointers by position, scalars as constants."""
    names = _names(problem, candidate)
    order = {buffer.name: f"p[{index}]" for index, buffer in enumerate(buffers)}
    declared, calls = {}, []
    for launch in made.launches:
        arguments = [_argument(text, order, names) for text in launch.args]
        declared[launch.kernel] = f"extern void {launch.kernel}({', '.join(kind for kind, _ in arguments)});"
        calls.append(f"    {launch.kernel}({', '.join(value for _, value in arguments)});")
    if not all(kernel.isidentifier() for kernel in declared):
        raise NotBuilt(f"Not a C function name: {', '.join(k for k in declared if not k.isidentifier())}.")
    body = "\n".join(calls)
    return "\n".join([*declared.values(), f"void atunner_entry(void *const *p)\n{{\n{body}\n}}", ""])


def _argument(text: str, order: dict[str, str], names: dict[str, object]) -> tuple[str, str]:
    kind, _, expression = text.partition(":")
    if expression and kind in SCALARS:
        value = evaluate(expression, names)
        if kind.startswith("int"):
            return SCALARS[kind], f"{int(value)}{'LL' if kind == 'int64' else ''}"
        if not math.isfinite(value):
            raise NotBuilt(f"The argument {text!r} is not finite.")
        return SCALARS[kind], f"({SCALARS[kind]}){float(value).hex()}"
    if text not in order:
        scalars = ", ".join(f"{name}:EXPR" for name in SCALARS)
        raise NotBuilt(f"The launch passes {text!r}; there are {', '.join(order)} and {scalars}.")
    return "void *", order[text]


def command_line(tool: Compiler, made: Program, problem: Problem, candidate: Candidate) -> tuple[str, ...]:
    """The compiler with all that it is told; OpenMP where the candidate uses it."""
    macros = [f"-D{name}={value}" for name, value in sorted(problem.macros(candidate.params).items())]
    extra = allowed(made.flags)
    openmp = "-fopenmp" in extra or any(
        word in text for text in candidate.files.values() for word in ("pragma omp", "omp.h")
    )
    always = [a for a in ALWAYS if a != "-fopenmp" or openmp]
    sources = [Path(made.source).name, ENTRY]
    return (tool.path, *FLAGS, *extra, *macros, *sources, "-o", "made.so", *always)


def for_entry(argv: Sequence[str], made: str) -> tuple[str, ...]:
    """The same compiler with the same flags, for the entry alone, as an object file of that name; macros are not its.

    The flags are kept because they may change how functions are called.
    """
    source = argv.index(ENTRY) - 1
    flags = [word for word in argv[1:source] if not word.startswith("-D")]
    always = [
        word for word in argv[argv.index(ENTRY) + 3 :] if not word.startswith(("-Wl,", "-l")) and word != "-shared"
    ]
    return (argv[0], *flags, ENTRY, "-c", "-o", made, *always)


def digest_of(tool: Compiler, argv: Sequence[str], candidate: Candidate, entry: str) -> str:
    """What a build is kept by: everything that it is made of."""
    digest = hashlib.sha256()
    for part in (tool.version, *argv, entry, *(f"{k}\0{v}" for k, v in sorted(candidate.files.items()))):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:32]


def _names(problem: Problem, candidate: Candidate) -> dict[str, object]:
    return {**problem.dims, **candidate.params}
