"""Right answers from the user's own Python function, which runs in a sandboxed process that is kept for many calls."""

import json
import os
import select
import sys
import tempfile
import time
import weakref
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np

from atunner.core.errors import UserError
from atunner.core.expression import compiled, evaluate
from atunner.core.program import Buffer, Problem
from atunner.domains.kernels.backends.cuda import within_folders
from atunner.domains.kernels.oracle import written_buffers
from atunner.operators import Arrays
from atunner.operators.user import UserKernel
from atunner.tools.process import end, start
from atunner.tools.runner import program
from atunner.tools.sandbox import Limits, confined, strongest

TIMEOUT_S = 120.0


class PythonAnswer:
    """The user's function, called for each problem and input; its process starts at once, beside other work."""

    def __init__(self, kernel: UserKernel, cache: Path) -> None:
        self._kernel, self._cache = kernel, cache
        self._child: _Child | None = _Child(cache, kernel.answer.text)

    def __call__(self, problem: Problem, inputs: Arrays) -> Arrays:
        """The outputs by name. Raises UserError: it failed, or gave another shape."""
        answer = self._kernel.answer
        if self._child is None:
            self._child = _Child(self._cache, answer.text)
        outputs = [b.name for b in written_buffers(problem)]
        call = {"function": answer.function, "sizes": self._numbers(problem), "outputs": outputs}
        try:
            made = self._child.ask(call, inputs)
        except UserError:
            self._child.close()
            self._child = None
            raise
        return {b.name: fitting(made, b, "The Python reference") for b in written_buffers(problem)}

    def _numbers(self, problem: Problem) -> dict[str, Any]:
        """The sizes, and the scalar arguments that do not depend on a parameter: answers must not either."""
        found: dict[str, Any] = {}
        for argument in self._kernel.arguments:
            if argument.role == "scalar" and compiled(argument.value)[1] <= problem.dims.keys():
                found[argument.name] = evaluate(argument.value, problem.dims)
        return {**found, **problem.dims}


class _Child:
    """The process, its folder and its two pipes; it ends with this object."""

    def __init__(self, cache: Path, text: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="atunner-reference-")
        self.folder, self._number = Path(self._folder.name), 0
        (self.folder / "reference.py").write_text(text, encoding="utf-8")
        commands, self._control = os.pipe()
        self._reply, replies = os.pipe()
        try:
            self._process = self._started(cache, commands, replies)
        finally:
            os.close(commands)
            os.close(replies)
        self.close = weakref.finalize(self, _ended, self._process, self._control, self._reply, self._folder)

    def _started(self, cache: Path, commands: int, replies: int) -> Any:
        chain, launcher = within_folders(strongest(cache)), program("launcher", cache)
        with as_file(files("atunner.domains.user_kernels") / "answer_child.py") as child:
            readable = [Path(sys.prefix), Path(sys.base_prefix), child.parent, Path(np.__file__).parent.parent]
            argv = (sys.executable, "-I", str(child), str(self.folder), str(commands), str(replies))
            limits = Limits(memory_bytes=0, cpu_s=3600)
            wrapped = confined(chain, launcher, argv, (self.folder,), limits, readable=readable)
        env = {"PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        return start(*wrapped, cwd=self.folder, env=env, descriptors=(commands, replies))

    def ask(self, call: dict[str, Any], inputs: Arrays) -> Arrays:
        """The outputs of one call. Raises UserError."""
        self._number += 1
        given, made = (self.folder / f"{name}-{self._number}.npz" for name in ("inputs", "outputs"))
        np.savez(given, **inputs)  # type: ignore[arg-type]  # numpy's stubs name its own options
        os.write(self._control, json.dumps({**call, "number": self._number}).encode() + b"\n")
        failure = json.loads(self._line())["failure"]
        given.unlink()
        if failure:
            raise UserError(f"The Python reference failed: {failure}.")
        with np.load(made, allow_pickle=False) as found:
            arrays = {n: found[n] for n in found.files}
        made.unlink()
        return arrays

    def _line(self) -> bytes:
        deadline, line = time.monotonic() + TIMEOUT_S, b""
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._reply], [], [], left)[0]:
                raise UserError(f"The Python reference did not end within {TIMEOUT_S:g} s; make the problem smaller.")
            chunk = os.read(self._reply, 1 << 16)
            if not chunk:
                raise UserError("The Python reference ended its process; it must return its answer.")
            line += chunk
        return line


def _ended(process: Any, control: int, reply: int, folder: tempfile.TemporaryDirectory[str]) -> None:
    end(process)
    os.close(control)
    os.close(reply)
    folder.cleanup()


def fitting(made: dict[str, Any], buffer: Buffer, who: str) -> Any:
    """The output of that name in its shape. Raises UserError: missing, of another shape, or no numbers."""
    if buffer.name not in made:
        raise UserError(f"{who} gave no {buffer.name!r}; it gave {', '.join(made) or 'nothing'}.")
    value = made[buffer.name]
    if value.shape != buffer.shape and value.shape != (buffer.elements,):
        raise UserError(f"{who} gave {buffer.name!r} of shape {value.shape}; {buffer.shape} is needed.")
    if value.dtype.kind not in "fiub":
        raise UserError(f"{who} gave {buffer.name!r} of type {value.dtype}; numbers are needed.")
    return value.reshape(buffer.shape)
