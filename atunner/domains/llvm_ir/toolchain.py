"""Clang and the LLVM tools of its version: found under plain and versioned names, tried and not assumed."""

import re
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from atunner.core.errors import UserError
from atunner.core.value import Value
from atunner.tools.process import ASKED_S, ProgramMissing, ProgramTimedOut, run

OLDEST = 14
NEWEST = 22
NAMES = (*(f"clang-{n}" for n in range(NEWEST, OLDEST - 1, -1)), "clang")
COMPANIONS = (
    "opt",
    "llc",
    "llvm-mca",
    "llvm-extract",
    "llvm-link",
    "llvm-as",
    "llvm-dis",
    "llvm-diff",
    "llvm-profdata",
    "llvm-cov",
)
POLLY = ("-mllvm", "-polly")
SANITIZED = ("-fsanitize=address,undefined",)
_VERSION = re.compile(r"version (\d+)\.\S*")


class Toolchain(Value):
    """One clang with its companions.

    name: as it was found, e.g. clang-19. clang: its path. tools: companion -> path, only those that are here.
    polly: whether `-mllvm -polly` works. sanitizers: whether ASan and UBSan programs can be linked.
    """

    name: str
    version: str
    major: int
    clang: str
    tools: dict[str, str]
    polly: bool
    sanitizers: bool

    def tool(self, name: str) -> str:
        """The path of a companion such as opt or llvm-mca.

        Raises:
            ProgramMissing: this version's is not on the machine; names the package.
        """
        if name not in self.tools:
            raise ProgramMissing(
                f"{name} of LLVM {self.major} is not on this machine; Debian and Ubuntu have it in llvm-{self.major}."
            )
        return self.tools[name]


def installed() -> tuple[str, ...]:
    """The names of every clang on PATH that is new enough, newest first."""
    return tuple(name for name in NAMES if (found := shutil.which(name)) and _major(found) >= OLDEST)


@lru_cache
def toolchain(name: str = "") -> Toolchain:
    """The clang of that name, or the newest one.

    Raises:
        ProgramMissing: there is none. UserError: it is older than LLVM 14, or not a clang.
    """
    if not name:
        name = next(iter(installed()), "")
    if not name:
        raise ProgramMissing("clang is not on this machine; Debian and Ubuntu have it in clang-19, or clang.")
    path = shutil.which(name)
    if path is None:
        here = ", ".join(installed()) or "none; Debian and Ubuntu have it in clang-19"
        raise ProgramMissing(f"{name} is not on this machine. Here: {here}.")
    major = _major(path)
    if major < OLDEST:
        raise UserError(f"{name} is not a clang of version {OLDEST} or newer; give one with --clang.")
    return Toolchain(
        name=name,
        version=run(path, "--version", timeout_s=ASKED_S).output.splitlines()[0],
        major=major,
        clang=path,
        tools={tool: found for tool in COMPANIONS if (found := _companion(tool, path, major))},
        polly=_links(path, POLLY),
        sanitizers=_links(path, SANITIZED),
    )


@lru_cache
def _major(path: str) -> int:
    """The major version of a clang; 0 when it says none."""
    done = run(path, "--version", timeout_s=ASKED_S)
    found = _VERSION.search(done.output)
    return int(found[1]) if done.code == 0 and found and "clang" in done.output else 0


def _companion(tool: str, clang: str, major: int) -> str:
    """The tool of the same version: beside clang itself, under its versioned name, or plain of that version."""
    beside = Path(clang).resolve().parent / tool
    if beside.exists():
        return str(beside)
    versioned = shutil.which(f"{tool}-{major}")
    if versioned:
        return versioned
    plain = shutil.which(tool)
    if plain and f"version {major}." in run(plain, "--version", timeout_s=ASKED_S).output:
        return plain
    return ""


def _links(clang: str, flags: tuple[str, ...]) -> bool:
    """Whether a program of one line compiles and links with these flags."""
    with tempfile.TemporaryDirectory(prefix="atunner-clang-") as folder:
        (Path(folder) / "one.c").write_text("int main(void) { return 0; }\n", encoding="utf-8")
        try:
            done = run(clang, "-O3", *flags, "one.c", "-o", "one", cwd=Path(folder), timeout_s=ASKED_S)
        except ProgramTimedOut:
            return False
        return done.code == 0
