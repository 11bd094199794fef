"""Reading a description that came over the network, in a process of its own: it can neither look around nor grow."""

import json
import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PosixPath
from tempfile import TemporaryDirectory

from pydantic import JsonValue

from atunner.core.errors import UserError
from atunner.tools.process import ProgramTimedOut, run

TIMEOUT_S, CPU_S, MEMORY_BYTES = 30, 15, 4 << 30


class Inside(PosixPath):
    """A path whose files lie beside it: a description may name them, and nothing that lies elsewhere."""

    def __truediv__(self, name: object) -> "Inside":
        if Path(str(name)).name != str(name) or str(name) == "..":
            raise UserError(f"The file {str(name)[:80]!r} must be sent along and be named without folders.")
        found: Inside = super().__truediv__(str(name))
        return found


def kernel_of(files: Mapping[str, str], main: str, sizes: Sequence[int]) -> dict[str, JsonValue]:
    """The kernel that these files describe, as JSON.

    Raises:
        UserError: what is wrong with them, in one line.
    """
    asked = json.dumps({"files": dict(files), "main": main, "sizes": list(sizes)})
    try:
        done = run(sys.executable, "-P", "-m", "atunner.jobs.reading", timeout_s=TIMEOUT_S, stdin=asked)
    except ProgramTimedOut as error:
        raise UserError(f"{main} took longer than {TIMEOUT_S} s to read; make its space smaller.") from error
    try:
        answer = json.loads(done.output.splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise UserError(f"{main} could not be read within {CPU_S} s and {MEMORY_BYTES >> 30} GiB.") from error
    if "kernel" not in answer:
        raise UserError(str(answer.get("error", "it could not be read")))
    kernel: dict[str, JsonValue] = answer["kernel"]
    return kernel


def main() -> None:
    """Read the request from standard input and say the kernel, or what is wrong, as one line of JSON."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        answer: dict[str, JsonValue] = {"kernel": _read(json.load(sys.stdin))}
    except UserError as error:
        answer = {"error": str(error)}
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


def _read(asked: Mapping[str, object]) -> JsonValue:
    from atunner.search.formats import read_kernel

    files, sizes = asked["files"], asked["sizes"]
    assert isinstance(files, dict)
    assert isinstance(sizes, list)
    with TemporaryDirectory(prefix="atunner-read-") as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        kernel = read_kernel(Inside(folder) / str(asked["main"]), sizes)
    named = [a.file for a in kernel.arguments if a.file] + list(kernel.answer.files.values())
    if named:
        raise UserError(f"{Path(named[0]).name}: data files cannot be sent; use generated inputs, a Python reference.")
    return kernel.model_dump(mode="json")


if __name__ == "__main__":
    main()
