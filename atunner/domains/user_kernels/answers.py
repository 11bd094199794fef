"""Where right answers come from: a Python reference in a child process, a file, or the untuned kernel itself."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from atunner.core.candidate import Candidate, Params
from atunner.core.errors import NotBuilt, UserError
from atunner.core.program import Problem
from atunner.domains.kernels.backends import Case, Job
from atunner.domains.kernels.backends.cuda import CudaBackend
from atunner.domains.kernels.cpu_check import Instance, Mode
from atunner.domains.kernels.cpu_check import build as build_check
from atunner.domains.kernels.cpu_check import run as run_check
from atunner.domains.kernels.cpu_check.building import Checked
from atunner.domains.kernels.oracle import Draw, Oracle, written_buffers
from atunner.domains.user_kernels.python_answer import PythonAnswer
from atunner.operators import Arrays
from atunner.operators.user import UserKernel, UserOperator
from atunner.operators.user.operator import Answering, UserFamily, stored


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


def commonest(failures: Sequence[str]) -> str:
    """Failures counted, the commonest first."""
    counted = {text: failures.count(text) for text in dict.fromkeys(failures)}
    return "; ".join(f"{n} x {text.rstrip('.')}" for text, n in sorted(counted.items(), key=lambda pair: -pair[1])[:3])
