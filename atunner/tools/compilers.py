"""C compilers: which are here, how they are called, what they say."""

import re
import shutil
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from atunner.core.errors import NotBuilt
from atunner.core.value import Value
from atunner.tools.process import ASKED_S, ProgramMissing, ProgramTimedOut, run
from atunner.tools.yielding import Yielding

NAMES = ("gcc", "clang", "clang-19", "clang-18", "clang-17", "clang-16", "clang-15", "clang-14", "cc")

_FLAG = re.compile(
    r"-O(?:[0-3s]|fast)|-std=(?:gnu|c)[0-9a-z]{2}|-m[a-z0-9.-]+(?:=[a-z0-9.,+-]+)?|-ffast-math"
    r"|-f(?:no-)?[a-z0-9-]+(?:=[a-z0-9.-]+)?|--param=[a-z0-9-]+=[0-9]+"
)
_NEVER = re.compile(
    r"-f(?:no-)?(?:plugin|dump|profile|sanitize|instrument|use-ld|lto|pass|auto-profile|branch-probabilities|test|"
    r"diagnostics|stack-usage|callgraph|save|record|pre-include|working-directory|working|cs-profile|xray|"
    r"embed|bolt|split|shlib|offload|module|visibility|common|pie|pic|PIC|leading-underscore)"
)
_NO_OPENMP = re.compile(r"cannot find -lomp\b|unable to find library -lomp\b|'omp\.h' file not found")
_ERROR = re.compile(r"(?:error|fatal error|undefined reference|multiple definition)", re.IGNORECASE)


class Compiler(Value):
    """A C compiler on this machine. version: its first line."""

    name: str
    path: str
    version: str


@lru_cache
def compiler(name: str) -> Compiler:
    """The compiler of that name.

    Raises:
        ProgramMissing: it is not on PATH.
    """
    path = shutil.which(name)
    if path is None:
        raise ProgramMissing(f"{name} is not on this machine; `atunner doctor` says how to get it.")
    said = run(path, "--version", timeout_s=ASKED_S).output.splitlines()
    return Compiler(name=name, path=path, version=said[0] if said else name)


def here() -> tuple[str, ...]:
    """The compilers of this machine by name."""
    return tuple(name for name in NAMES if shutil.which(name))


def allowed(flags: Sequence[str]) -> tuple[str, ...]:
    """`flags` again, when each may only change how the code is generated.

    Raises:
        NotBuilt: a flag reads or writes files, loads code into the compiler, or is unknown.
    """
    for flag in flags:
        if not _FLAG.fullmatch(flag) or _NEVER.match(flag):
            raise NotBuilt(f"The flag {flag!r} is not allowed: use -O, -m, -f and --param flags for code generation.")
    return tuple(flags)


def compile_shared(argv: Sequence[str], cwd: Path, timeout_s: float = 60.0, yielding: Yielding | None = None) -> str:
    """Run a compiler that makes a shared object in `cwd`; its warnings. yielding: to whose timing it gives way.

    Raises:
        NotBuilt: it refused, with the first errors, or did not end in its time.
    """
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TMPDIR": str(cwd)}
    try:
        done = run(*argv, cwd=cwd, timeout_s=timeout_s, env=env, yielding=yielding)
    except ProgramTimedOut as error:
        raise NotBuilt(f"The compiler did not end within {timeout_s:g} s (build time-out).") from error
    if done.code:
        raise NotBuilt(refusal(argv, done.output, cwd))
    return done.output


def refusal(argv: Sequence[str], output: str, cwd: Path) -> str:
    """Why a compiler refused: its first errors, or that its OpenMP runtime is not here."""
    if not _NO_OPENMP.search(output):
        return diagnostics(output, cwd)
    name = Path(next(word for word in argv if Path(word).name in NAMES)).name
    package = f"libomp-{name.removeprefix('clang-')}-dev" if name.startswith("clang-") else "libomp-dev"
    return f"{name} has no OpenMP runtime here; install {package}, or take gcc: --compiler gcc."


def diagnostics(output: str, cwd: Path, lines: int = 8) -> str:
    """The first errors in a compiler's output, without folder names."""
    text = output.replace(f"{cwd}/", "")
    errors = [line.strip() for line in text.splitlines() if _ERROR.search(line)]
    return "\n".join(errors[:lines]) or text.strip()[:800] or "The compiler failed and said nothing."
