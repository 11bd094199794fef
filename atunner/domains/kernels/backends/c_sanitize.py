"""A C candidate under its compiler's sanitizers: steps beyond a buffer and undefined behaviour, with file and line."""

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atunner.core.errors import Crashed, NotBuilt, Wrong
from atunner.core.program import Buffer
from atunner.core.trial import Check
from atunner.operators import Arrays
from atunner.tools.process import Finished, ProgramTimedOut

VERSION = "1"
MAIN = "c_sanitize.c"
FLAGS = ("-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
OPTIONS = {
    "ASAN_OPTIONS": "abort_on_error=0:exitcode=99:detect_leaks=0:symbolize=1:handle_segv=1:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "halt_on_error=1:exitcode=99:print_stacktrace=0",
}
TIMEOUT_S = 30.0
READ = ("input", "inout")
_ABSENT = re.compile(
    r"cannot find .*(?:asan|ubsan|libclang_rt)|unsupported option .*-fsanitize|unrecognized .*sanitize"
)
_UNDEFINED = re.compile(r"([^\s/:]+\.[ch]):(\d+):\d+: runtime error: (.*)")
_ADDRESS = re.compile(r"ERROR: AddressSanitizer: ([\w-]+)")
_FRAME = re.compile(r"#\d+ 0x[0-9a-f]+ in (\w+) (?:\S*/)?([^\s/:]+\.[ch]):(\d+)")
_SIZE = re.compile(r"(READ|WRITE) of size (\d+)")


@dataclass(frozen=True)
class Subject:
    """One candidate for one problem. argv: how it is compiled but for our flags. sources: files by name."""

    argv: tuple[str, ...]
    sources: Mapping[str, str]
    buffers: tuple[Buffer, ...]
    label: str


Compile = Callable[[tuple[str, ...], Path], str]
Run = Callable[[tuple[str, ...], Path, float, Mapping[str, str]], Finished]


def sanitized(subject: Subject, inputs: Arrays, compile_: Compile, run: Run) -> Check:
    """Build with the sanitizers and run once.

    compile_, run: how a compiler and a program that is not trusted are started.

    Raises:
        Wrong: with the first complaint. Crashed: it did not come to its end. NotBuilt: it does not compile so.
    """
    with tempfile.TemporaryDirectory(prefix="atunner-sanitize-") as name:
        folder = Path(name)
        for file, text in {**subject.sources, MAIN: _main()}.items():
            (folder / Path(file).name).write_text(text, encoding="utf-8")
        try:
            compile_((*subject.argv, *FLAGS, MAIN, "-o", "check", "-lm"), folder)
        except NotBuilt as error:
            if _ABSENT.search(str(error)):
                return _said("not here: the compiler has none")
            raise
        _write(folder / "in", subject.buffers, inputs)
        argv = (str(folder / "check"), str(len(subject.buffers)))
        try:
            done = run(argv, folder, TIMEOUT_S, OPTIONS)
        except ProgramTimedOut:
            return _said(f"no verdict within {TIMEOUT_S:g} s on {subject.label}")
    if done.code:
        raise _fault(done, subject.label)
    return _said(f"addresses and undefined behaviour: nothing found on {subject.label}")


def _said(detail: str) -> Check:
    return Check(name="sanitizers", version=VERSION, passed=True, detail=detail)


def _main() -> str:
    return (files("atunner.domains.kernels.backends") / MAIN).read_text(encoding="utf-8")


def _write(folder: Path, buffers: Sequence[Buffer], inputs: Arrays) -> None:
    folder.mkdir()
    for index, buffer in enumerate(buffers):
        kind = np.dtype(buffer.dtype)
        content: NDArray[np.generic] = np.full(buffer.elements * kind.itemsize, 0xFF, np.uint8)
        if buffer.role in READ:
            content = np.ascontiguousarray(inputs[buffer.name])
        (folder / str(index)).write_bytes(content.tobytes())


def _fault(done: Finished, label: str) -> Wrong | Crashed:
    """What a sanitizer said first, in one line."""
    undefined = _UNDEFINED.search(done.output)
    if undefined:
        return Wrong(f"Undefined behaviour at {undefined[1]}:{undefined[2]}: {undefined[3].strip()} ({label}).")
    address = _ADDRESS.search(done.output)
    if address is None:
        return Crashed(f"Under the sanitizers it ended with code {done.code} ({label}).")
    size, frame = _SIZE.search(done.output), _FRAME.search(done.output)
    what = f"{size[1].lower()} of {size[2]} bytes, " if size else ""
    where = f" in {frame[1]} at {frame[2]}:{frame[3]}" if frame else ""
    return Wrong(f"The sanitizer found a bad address: {what}{address[1]}{where} ({label}).")
