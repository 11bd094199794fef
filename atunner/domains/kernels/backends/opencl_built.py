"""An OpenCL candidate as compiled, and how a worker is told of it: options, launches, and where its buffers lie."""

import hashlib
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atunner.core.candidate import Candidate
from atunner.core.errors import NotBuilt
from atunner.core.expression import evaluate
from atunner.core.program import Buffer, Geometry, Problem, Program
from atunner.domains.kernels.arena import Plan as SlotPlan

FLAG = re.compile(r"-cl-[a-z0-9-]+(?:=[A-Za-z0-9.]+)?|-D[A-Za-z_]\w*(?:=-?[A-Za-z0-9_.]+)?|-w|-Werror")
SCALARS = frozenset({"int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"})


@dataclass(frozen=True)
class OpenclBuilt:
    """A candidate compiled for one problem. folder: what the driver made of it; facts: of each kernel."""

    folder: Path
    problem: Problem
    candidate: Candidate
    program: Program
    buffers: tuple[Buffer, ...]
    facts: tuple[dict[str, Any], ...]

    @property
    def digest(self) -> str:
        """SHA-256 of all that the driver made."""
        found = hashlib.sha256()
        for path in sorted(self.folder.rglob("*.so")) + sorted(self.folder.rglob("*.bc")):
            found.update(path.read_bytes())
        return found.hexdigest()

    @property
    def launches(self) -> list[dict[str, Any]]:
        """What a worker is told of the launches."""
        names: dict[str, object] = {**self.problem.dims, **self.candidate.params}
        known = {b.name for b in self.buffers}
        return [_launch(one, names, known) for one in self.program.geometry(names)]

    def told(self) -> dict[str, Any]:
        """What a worker is told of the program."""
        return {
            "source": self.candidate.files[self.program.source],
            "options": options(self.program, self.problem, self.candidate),
            "launches": self.launches,
        }


def told(plan: SlotPlan) -> dict[str, Any]:
    """One slot as a worker takes it: bytes from the start of the arena."""
    places = {p.buffer.name: [p.start, p.stop - p.start] for p in plan.places}
    return {"low": plan.low, "high": plan.high, "places": places}


def options(made: Program, problem: Problem, candidate: Candidate) -> list[str]:
    """The compiler's options: the program's own, then a macro for each size and parameter.

    Raises:
        NotBuilt: an option that may do more than change the code.
    """
    for flag in made.flags:
        if not FLAG.fullmatch(flag):
            raise NotBuilt(f"The option {flag!r} is not allowed: use -cl- options and -D.")
    return [*made.flags, *(f"-D{n}={v}" for n, v in sorted(problem.macros(candidate.params).items()))]


def _launch(one: Geometry, names: dict[str, object], buffers: set[str]) -> dict[str, Any]:
    if one.shared_bytes:
        raise NotBuilt("OpenCL kernels declare their local memory; shared_bytes is for CUDA and HIP.")
    return {
        "kernel": one.kernel,
        "global": [g * b for g, b in zip(one.grid, one.block, strict=True)],
        "local": list(one.block),
        "args": [_argument(text, names, buffers) for text in one.args],
    }


def _argument(text: str, names: dict[str, object], buffers: set[str]) -> dict[str, Any]:
    kind, _, expression = text.partition(":")
    if expression and kind in SCALARS:
        value = evaluate(expression, names)
        if not math.isfinite(value):
            raise NotBuilt(f"The argument {text!r} is not finite.")
        return {"scalar": kind, "value": float(value) if kind.startswith("float") else int(value)}
    if text not in buffers:
        raise NotBuilt(f"The launch passes {text!r}; there are {', '.join(sorted(buffers))} and TYPE:EXPR.")
    return {"buffer": text}
