"""The native programs that run what a model wrote: compiled once for this machine and kept by content."""

import hashlib
import os
import tempfile
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

from atunner.core.errors import ToolError
from atunner.tools.process import run

SOURCES = {"worker": ("worker.c", "confine.c"), "launcher": ("launcher.c", "confine.c"), "bulk": ("bulk.c",)}
FLAGS = ("-std=gnu11", "-O2", "-Wall")
LIBRARY_FLAGS = {"bulk": ("-shared", "-fPIC")}


def program(name: str, cache: Path, compiler: str = "gcc") -> Path:
    """The program `name` (worker or launcher) or the library bulk, compiled into `cache` when it is not there yet.

    Raises:
        ToolError: no compiler, or it refuses our source.
    """
    path = cache / "runner" / f"{name}-{_digest(name, compiler)}"
    if not path.exists():
        with as_file(files("atunner.tools.runner")) as folder:
            _compile(compiler, [*LIBRARY_FLAGS.get(name, ()), *(str(folder / s) for s in SOURCES[name])], path)
    return path


@lru_cache
def _digest(name: str, compiler: str) -> str:
    digest = hashlib.sha256(" ".join((compiler, *FLAGS, *LIBRARY_FLAGS.get(name, ()))).encode())
    for source in (*SOURCES[name], "confine.h"):
        digest.update((files("atunner.tools.runner") / source).read_bytes())
    return digest.hexdigest()[:16]


def _compile(compiler: str, arguments: list[str], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / "program"
        done = run(compiler, *FLAGS, *arguments, "-o", str(made), "-ldl", timeout_s=60)
        if done.code:
            raise ToolError(f"{compiler} could not compile the run worker: {done.output.strip()[:300]}")
        os.replace(made, path)  # noqa: PTH105  one step, so that a half-written file is never run
