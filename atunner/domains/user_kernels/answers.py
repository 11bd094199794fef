"""Where right answers come from: a Python reference in a child process, a file, or the untuned kernel itself."""

import re
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from atunner.core.candidate import Candidate, Params
from atunner.core.errors import NotBuilt, UserError, Wrong
from atunner.core.program import Buffer, Problem
from atunner.domains.kernels.backends import Case, Job
from atunner.domains.kernels.backends.cuda import CudaBackend
from atunner.domains.kernels.cpu_check import Instance, Mode
from atunner.domains.kernels.cpu_check import build as build_check
from atunner.domains.kernels.cpu_check import run as run_check
from atunner.domains.kernels.cpu_check.building import Checked
from atunner.domains.kernels.oracle import Draw, Oracle, written_buffers
from atunner.domains.kernels.verify import Plan, Step
from atunner.domains.user_kernels.python_answer import PythonAnswer
from atunner.operators import Arrays
from atunner.operators.user import UserKernel, UserOperator
from atunner.operators.user.cases import GivenArray, GivenTest, case_of, cases_at
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


class TestedAnswer:
    """The expected outputs of the user's tests where their inputs come, else the answer as always."""

    def __init__(self, kernel: UserKernel, inner: Answering) -> None:
        self._kernel, self._inner = kernel, inner

    def __call__(self, problem: Problem, inputs: Arrays) -> Arrays:
        """The outputs by name. Raises UserError: a file is gone or has changed."""
        buffers = {b.name: b for b in problem.buffers}
        for test in cases_at(self._kernel.tests, self._kernel.sizes, problem.dims):
            given = {n: _stored(test, n, test.inputs[n], buffers[n]) for n in test.inputs}
            if not test.outputs or not all(np.array_equal(inputs[n], v) for n, v in given.items()):
                continue
            known = {n: _stored(test, n, test.outputs[n], buffers[n]) for n in test.outputs}
            whole = all(b.name in known for b in written_buffers(problem))
            return known if whole else {**self._inner(problem, inputs), **known}
        return self._inner(problem, inputs)


class UserOracle(Oracle):
    """Random arguments vary as always; what the user gave as a file, a constant or a test stays as it is."""

    def inputs(self, problem: Problem, draw: Draw) -> Arrays:
        """Inputs only; draws take the user's tests in turn."""
        made = self._fixed(problem, draw)
        kernel = self.operator.kernel if isinstance(self.operator, UserOperator) else None
        tests = cases_at(kernel.tests, kernel.sizes, problem.dims) if kernel else ()
        test = case_of(tests, draw.number, kernel.generated) if kernel and tests else None
        if test is None:
            return made
        buffers, seed = {b.name: b for b in problem.buffers}, self.seed(problem, draw)
        told = {n: _stored(test, n, given, buffers[n]) for n, given in test.inputs.items()}
        return {**made, **{n: r.drawn(buffers[n], seed) for n, r in test.recipes.items() if n in made}, **told}

    def _fixed(self, problem: Problem, draw: Draw) -> Arrays:
        made = super().inputs(problem, draw)
        operator = self.operator
        if not isinstance(operator, UserOperator):
            return made
        fixed = [a.name for a in operator.kernel.arguments if a.fill != "random" and a.name in made]
        if not fixed:
            return made
        plain = operator.inputs(problem, 0, 1.0)
        return {**made, **{n: plain[n] for n in fixed}}


def _stored(test: GivenTest, name: str, given: GivenArray, buffer: Buffer) -> Any:
    return stored(given.file, given.digest, buffer, f"{name!r} of the test {test.name!r}")


def draws_of(kernel: UserKernel, problem: Problem) -> tuple[Draw, ...]:
    """The first draw of each of the user's tests of this problem."""
    tests = cases_at(kernel.tests, kernel.sizes, problem.dims)
    return tuple(Draw(number=n) for n in range(len(tests)))


class UserPlan(Plan):
    """The cases as always; where the user gave more tests than these take, one more for each."""

    @cached_property
    def steps(self) -> tuple[tuple[Step, ...], ...]:
        """The cases of each shape."""
        kernel = self.oracle.operator.kernel if isinstance(self.oracle.operator, UserOperator) else None
        found = []
        for shape, steps in zip(self.shapes, super().steps, strict=True):
            seen = {s.draw.number for s in steps if s.draw.kind == "normal"}
            draws = draws_of(kernel, shape.problem) if kernel else ()
            more = [Step(d, d.number % 2, f"test {d.number + 1}") for d in draws if d.number not in seen]
            found.append((*steps, *more))
        return tuple(found)


def first_look(backend: Any, plan: Plan, candidate: Candidate, kernel: UserKernel) -> None:
    """Run a candidate on the first input, or once on each of the user's tests. Raises CandidateError."""
    for shape in plan.shapes:
        draws = draws_of(kernel, shape.problem)
        names = [f" ({t.name})" for t in cases_at(kernel.tests, kernel.sizes, shape.problem.dims)] or [""]
        if not draws and not shape.main:
            continue
        truths = [plan.oracle.truth(shape.problem, d) for d in draws or (Draw(number=0),)]
        built = backend.build(shape.problem, candidate)
        ran = backend.run_cases([Job(built, [Case(t.inputs) for t in truths], kernel.name)])[0]
        for truth, one, name in zip(truths, ran, names, strict=True):
            if one.faults:
                raise Wrong(f"it {one.faults[0]}{name}")
            found = truth.mismatch(one.outputs)
            if found is not None:
                raise Wrong(f"Wrong result: {found}{name}")


def answering(kernel: UserKernel, backend: Any, params: Params, cache: Path) -> Answering:
    """The answer that the user's description asks for, and before it that of the user's tests."""
    inner = _answering(kernel, backend, params, cache)
    return TestedAnswer(kernel, inner) if kernel.tests else inner


def _answering(kernel: UserKernel, backend: Any, params: Params, cache: Path) -> Answering:
    if kernel.answer.kind == "python":
        return PythonAnswer(kernel, cache)
    return FileAnswer(kernel) if kernel.answer.kind == "file" else KernelAnswer(backend, kernel, params, cache)


def no_answer(problem: Problem, inputs: Arrays) -> Arrays:
    """Where nothing is run, nothing is answered. Raises NotBuilt."""
    raise NotBuilt("no code is made for this target")


def commonest(failures: Sequence[str]) -> str:
    """Failures counted by kind, whatever their figures; the commonest first, each as its first one said it."""
    kinds: dict[str, list[str]] = {}
    for text in failures:
        kinds.setdefault(re.sub(r"[\d.,+-]+", "#", text), []).append(text)
    told = sorted(kinds.values(), key=len, reverse=True)[:3]
    return "; ".join(f"{len(same)} x {same[0].rstrip('.')}" for same in told)
