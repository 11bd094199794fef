"""Host compilers, and the parts that are compiled once for each of them."""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from atunner.core.errors import ToolError
from atunner.tools.process import ASKED_S, run

RUNTIME = Path(__file__).parent / "runtime"
_UNITS = ("block", "warp", "sites", "main", "access", "copies")
_COMMON = ("-std=c++17", "-g1", "-fno-omit-frame-pointer", "-fno-pie", "-fno-exceptions", "-fno-rtti")
_DEVICE = (
    "-fwrapv",
    "-fno-strict-aliasing",
    "-ftrivial-auto-var-init=pattern",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fstack-clash-protection",
    "-Wuninitialized",
)
_WATCHED = ("-fsanitize=thread,bounds,alignment,null,integer-divide-by-zero",)
_TUNED = {
    "g++": ("--param=tsan-distinguish-volatile=1", "--param=tsan-instrument-func-entry-exit=0"),
    "clang": (
        "-mllvm",
        "-tsan-instrument-func-entry-exit=0",
        "-mllvm",
        "-tsan-distinguish-volatile",
        "-mllvm",
        "-tsan-instrument-read-before-write",
    ),
}


class Mode(StrEnum):
    """FAST: results, guard pages, barriers and warps. CHECKED: every access as well."""

    FAST = "fast"
    CHECKED = "checked"


@dataclass(frozen=True)
class Compiler:
    """A C++ compiler on this machine. family: g++ or clang. version: its first line."""

    path: str
    family: str
    version: str

    def flags(self, mode: Mode) -> tuple[str, ...]:
        """Flags for a candidate's translation unit and the header that it includes."""
        optimise = ("-O2", "-funroll-loops") if mode is Mode.FAST else ("-O1", *_WATCHED, *_TUNED[self.family])
        return (*_COMMON, *_DEVICE, *optimise)


@dataclass(frozen=True)
class Prepared:
    """What a candidate is compiled with: flags that name the precompiled header, and the runtime's objects."""

    compiler: Compiler
    mode: Mode
    flags: tuple[str, ...]
    objects: tuple[str, ...]


@lru_cache
def compilers() -> tuple[Compiler, ...]:
    """The compilers on this machine, the one with the strongest checks first.

    g++ comes first: it warns of uninitialised variables and tells every access, also of whole structures.
    """
    found: list[Compiler] = []
    for name, family in (("g++", "g++"), ("clang++-19", "clang"), ("clang++", "clang")):
        if path := shutil.which(name):
            version = run(path, "--version", timeout_s=ASKED_S).output.splitlines()[0]
            if _tells_all(family, version) and not any(c.version == version for c in found):
                found.append(Compiler(path, family, version))
    return tuple(found)


def _tells_all(family: str, version: str) -> bool:
    """Whether the instrumentation tells every access; clang before 15 keeps copies of structures to itself."""
    number = re.search(r"version (\d+)", version)
    return family == "g++" or (number is not None and int(number.group(1)) >= 15)


def compiler() -> Compiler:
    """The compiler that is used when none is asked for.

    Raises:
        ToolError: there is none.
    """
    if not compilers():
        raise ToolError("No C++ compiler found to check CUDA kernels on the CPU: install g++ or clang.")
    return compilers()[0]


def prepare(chosen: Compiler, mode: Mode, cache: Path, timeout_s: float = 300) -> Prepared:
    """Compile the runtime and precompile its header, once for each compiler, mode and version of the runtime.

    Raises:
        ToolError: the compiler cannot compile the runtime.
    """
    flags = chosen.flags(mode)
    folder = cache / f"cpu-check-{_key(chosen, flags)}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file is closed, also by a crash
        if not (folder / "ready").exists():
            _make(chosen, mode, folder, timeout_s)
            (folder / "ready").touch()
    header = folder / "cuda.h"
    include = ("-include", str(header)) if chosen.family == "g++" else ("-include-pch", f"{header}.gch")
    return Prepared(chosen, mode, (*flags, *include), tuple(str(folder / f"{unit}.o") for unit in _UNITS))


def _key(chosen: Compiler, flags: Sequence[str]) -> str:
    digest = hashlib.sha256(repr((chosen.path, chosen.version, flags)).encode())
    for file in sorted((*RUNTIME.glob("*.h"), *RUNTIME.glob("*.cpp"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _make(chosen: Compiler, mode: Mode, folder: Path, timeout_s: float) -> None:
    for file in RUNTIME.glob("*.h"):
        shutil.copy(file, folder / file.name)
    _compile(chosen, folder, timeout_s, *chosen.flags(mode), "-x", "c++-header", "cuda.h", "-o", "cuda.h.gch")
    checked = ("-DATUNNER_CHECKED",) if mode is Mode.CHECKED else ()
    for unit in _UNITS:
        source = os.fspath(RUNTIME / f"{unit}.cpp")
        _compile(chosen, folder, timeout_s, *_COMMON, "-O2", *checked, f"-I{RUNTIME}", "-c", source, "-o", f"{unit}.o")


def _compile(chosen: Compiler, folder: Path, timeout_s: float, *arguments: str) -> None:
    done = run(chosen.path, *arguments, cwd=folder, timeout_s=timeout_s)
    if done.code:
        first = next((line for line in done.output.splitlines() if re.search("error", line)), done.output[:300])
        raise ToolError(f"{chosen.path} cannot compile the CPU check's runtime: {first}")
