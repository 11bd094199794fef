"""Where right answers come from: a Python reference in a child process, a file, or the untuned kernel itself."""

import json
import sys
import tempfile
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np

from atunner.core.candidate import Candidate, Params
from atunner.core.errors import NotBuilt, UserError
from atunner.core.program import Buffer, Problem
from atunner.domains.kernels.backends import Case, Job
from atunner.domains.kernels.backends.cuda import CudaBackend, within_folders
from atunner.domains.kernels.cpu_check import Instance, Mode
from atunner.domains.kernels.cpu_check import build as build_check
from atunner.domains.kernels.cpu_check import run as run_check
from atunner.domains.kernels.cpu_check.building import Checked
from atunner.domains.kernels.oracle import Draw, Oracle, written_buffers
from atunner.operators import Arrays
from atunner.operators.user import UserKernel, UserOperator
from atunner.operators.user.operator import Answering, UserFamily, stored
from atunner.tools.process import ProgramTimedOut, run
from atunner.tools.runner import program
from atunner.tools.sandbox import Limits, confined, strongest

TIMEOUT_S = 120.0


class PythonAnswer:
    """The user's function, called in a sandboxed child for each problem and input."""

    def __init__(self, kernel: UserKernel, cache: Path) -> None:
        self._kernel, self._cache = kernel, cache
        self._chain = within_folders(strongest(cache))

    def __call__(self, problem: Problem, inputs: Arrays) -> Arrays:
        """The outputs by name. Raises UserError: it failed, or gave another shape."""
        with tempfile.TemporaryDirectory(prefix="atunner-reference-") as name:
            folder = Path(name)
            self._write(folder, problem, inputs)
            self._run(folder)
            with np.load(folder / "outputs.npz", allow_pickle=False) as found:
                made = {n: found[n] for n in found.files}
        return {b.name: _fitting(made, b, "The Python reference") for b in written_buffers(problem)}

    def _write(self, folder: Path, problem: Problem, inputs: Arrays) -> None:
        answer = self._kernel.answer
        outputs = [b.name for b in written_buffers(problem)]
        call = {"function": answer.function, "sizes": dict(problem.dims), "outputs": outputs}
        (folder / "call.json").write_text(json.dumps(call), encoding="utf-8")
        (folder / "reference.py").write_text(answer.text, encoding="utf-8")
        np.savez(folder / "inputs.npz", **inputs)  # type: ignore[arg-type]  # numpy's stubs name its own options

    def _run(self, folder: Path) -> None:
        launcher = program("launcher", self._cache)
        with as_file(files("atunner.domains.user_kernels") / "answer_child.py") as child:
            readable = [Path(sys.prefix), Path(sys.base_prefix), child.parent, Path(np.__file__).parent.parent]
            argv = (sys.executable, "-I", str(child), str(folder))
            limits = Limits(memory_bytes=0, cpu_s=int(TIMEOUT_S))
            wrapped = confined(self._chain, launcher, argv, (folder,), limits, readable=readable)
            env = {"PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
            try:
                done = run(*wrapped, cwd=folder, timeout_s=TIMEOUT_S, env=env)
            except ProgramTimedOut as error:
                raise UserError(
                    f"The Python reference did not end within {TIMEOUT_S:g} s; make the problem smaller."
                ) from error
        if done.code:
            last = (done.output.strip().splitlines() or ["it said nothing"])[-1]
            raise UserError(f"The Python reference failed: {last}.")


class FileAnswer:
    """The answer for inputs that are always the same."""

    def __init__(self, kernel: UserKernel) -> None:
        self._answer = kernel.answer

    def __call__(self, problem: Problem, inputs: Arrays) -> Arrays:
        """The stored outputs. Raises UserError: missing, changed, or of another shape."""
        found = {}
        for buffer in written_buffers(problem):
            if buffer.name not in self._answer.files:
                raise UserError(f"The answer has no file for the output {buffer.name!r}.")
            file, digest = self._answer.files[buffer.name], self._answer.digests.get(buffer.name, "")
            found[buffer.name] = stored(file, digest, buffer, f"the answer {buffer.name!r}")
        return found


class KernelAnswer:
    """What the untuned kernel computes at one configuration; no better than that kernel is."""

    def __init__(self, backend: Any, kernel: UserKernel, params: Params, cache: Path) -> None:
        self._backend, self._cache = backend, cache
        self._candidate: Candidate = UserFamily(kernel, kernel.name).realise(params)
        self._checked: dict[str, Checked] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="atunner-untuned-")

    def __call__(self, problem: Problem, inputs: Arrays) -> Arrays:
        """Its outputs. Raises what running a candidate raises."""
        if not isinstance(self._backend, CudaBackend) or self._backend.here is not None:
            built = self._backend.build(problem, self._candidate)
            outputs: Arrays = self._backend.run_cases([Job(built, [Case(inputs)], "the untuned kernel")])[0][0].outputs
            return outputs
        return self._on_cpu(self._backend, problem, inputs)

    def _on_cpu(self, backend: CudaBackend, problem: Problem, inputs: Arrays) -> Arrays:
        """One compile for each problem, then one process for each input."""
        key = problem.model_dump_json()
        if key not in self._checked:
            built = backend.build(problem, self._candidate)
            folder = Path(self._folder.name) / str(len(self._checked))
            instances = [Instance(problem, self._candidate.params)]
            self._checked[key] = build_check(
                built.source, built.program, instances, Mode.FAST, folder, self._cache / "check"
            )
        outputs = run_check(self._checked[key], 0, inputs)
        return {b.name: outputs[b.name] for b in written_buffers(problem)}


class UserOracle(Oracle):
    """Random arguments vary as always; what the user gave as a file or a constant stays as it is."""

    def inputs(self, problem: Problem, draw: Draw) -> Arrays:
        """Inputs only."""
        made = super().inputs(problem, draw)
        operator = self.operator
        if not isinstance(operator, UserOperator):
            return made
        fixed = [a.name for a in operator.kernel.arguments if a.fill != "random" and a.name in made]
        if not fixed:
            return made
        plain = operator.inputs(problem, 0, 1.0)
        return {**made, **{n: plain[n] for n in fixed}}


def answering(kernel: UserKernel, backend: Any, params: Params, cache: Path) -> Answering:
    """The answer that the user's description asks for."""
    if kernel.answer.kind == "python":
        return PythonAnswer(kernel, cache)
    return FileAnswer(kernel) if kernel.answer.kind == "file" else KernelAnswer(backend, kernel, params, cache)


def no_answer(problem: Problem, inputs: Arrays) -> Arrays:
    """Where nothing is run, nothing is answered. Raises NotBuilt."""
    raise NotBuilt("no code is made for this target")


def _fitting(made: dict[str, Any], buffer: Buffer, who: str) -> Any:
    if buffer.name not in made:
        raise UserError(f"{who} gave no {buffer.name!r}; it gave {', '.join(made) or 'nothing'}.")
    value = made[buffer.name]
    if value.shape != buffer.shape and value.shape != (buffer.elements,):
        raise UserError(f"{who} gave {buffer.name!r} of shape {value.shape}; {buffer.shape} is needed.")
    if value.dtype.kind not in "fiub":
        raise UserError(f"{who} gave {buffer.name!r} of type {value.dtype}; numbers are needed.")
    return value.reshape(buffer.shape)


def commonest(failures: Sequence[str]) -> str:
    """Failures counted, the commonest first."""
    counted = {text: failures.count(text) for text in dict.fromkeys(failures)}
    return "; ".join(f"{n} x {text.rstrip('.')}" for text, n in sorted(counted.items(), key=lambda pair: -pair[1])[:3])
