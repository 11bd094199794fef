"""One compile for all instances of a candidate."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atunner.core.errors import NotBuilt, Wrong
from atunner.core.program import Program
from atunner.domains.kernels.cpu_check.driver import Instance, Layout, driver, layout
from atunner.domains.kernels.cpu_check.rewrite import rewrite
from atunner.domains.kernels.cpu_check.toolchain import Compiler, Mode, Prepared, compiler, prepare
from atunner.tools.process import ProgramTimedOut
from atunner.tools.process import run as run_program

__all__ = ["Checked", "Instance", "build"]


@dataclass(frozen=True)
class Checked:
    """A compiled checker. executable: in `folder`, which the caller owns. name: of the source, for messages."""

    executable: Path
    folder: Path
    name: str
    source: str
    mode: Mode
    layouts: tuple[Layout, ...]


def build(  # noqa: PLR0913 - the six of the port, and the compiler for those who ask for one
    source: str,
    program: Program,
    instances: Sequence[Instance],
    mode: Mode,
    folder: Path,
    cache: Path,
    chosen: Compiler | None = None,
    timeout_s: float = 120,
) -> Checked:
    """Compile `source` once for all `instances`; `cache` keeps what is the same for every candidate.

    Raises:
        NotBuilt: the compiler refused it, with its message. NotVerified: it uses what the check does not know.
        Wrong: the compiler knows that a local variable is read before it has a value.
        ToolError: no compiler.
    """
    layouts = tuple(layout(program, one) for one in instances)
    ready = rewrite(source, program.source)
    prepared = prepare(chosen or compiler(), mode, cache)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "check.cpp").write_text(driver(ready, program, instances, layouts), encoding="utf-8")
    _compile(prepared, program, folder, "check.o", timeout_s)
    if mode is Mode.CHECKED and prepared.compiler.family == "g++":
        # Without instrumentation g++ sees through local arrays too.
        _compile(prepare(prepared.compiler, Mode.FAST, cache), program, folder, os.devnull, timeout_s)
    path = prepared.compiler.path
    linked = run_program(path, "-no-pie", "check.o", *prepared.objects, "-o", "check", cwd=folder, timeout_s=timeout_s)
    if linked.code:
        raise NotBuilt(_shortened(linked.output))
    return Checked(folder / "check", folder, program.source, source, mode, layouts)


def _compile(prepared: Prepared, program: Program, folder: Path, output: str, timeout_s: float) -> None:
    flags = (*prepared.flags, *_standard(program, prepared.compiler), "-c", "check.cpp", "-o", output)
    try:
        done = run_program(prepared.compiler.path, *flags, cwd=folder, timeout_s=timeout_s)
    except ProgramTimedOut as error:
        raise NotBuilt(f"the host compiler did not end within {timeout_s:g} s.") from error
    if done.code:
        raise NotBuilt(_shortened(done.output))
    _warned(done.output, program.source)


def _standard(program: Program, used: Compiler) -> tuple[str, ...]:
    """A newer language standard, where the program asks for one; g++ then reads the header anew."""
    asked = [flag for flag in program.flags if re.fullmatch(r"--?std=c\+\+(20|23)", flag)]
    return tuple(f"-{flag.lstrip('-')}" for flag in asked[-1:] if used.family == "g++")


def _warned(output: str, name: str) -> None:
    """What the compiler knows of local variables, which no run can tell.

    Raises:
        Wrong: a local variable is read before it has a value.
    """
    pattern = rf"^{re.escape(name)}:(\d+):\d+: warning: (.*uninitialized) .*\[-Wuninitialized\]"
    if found := re.search(pattern, output, re.MULTILINE):
        raise Wrong(f"{name}:{found.group(1)}: uninitialised: {found.group(2)}.")


def _shortened(output: str) -> str:
    lines = [line for line in output.splitlines() if re.search(r"error|undefined|multiple definition", line)]
    return "\n".join(lines[:8] or output.splitlines()[:8]).replace("atunner_0::", "")
