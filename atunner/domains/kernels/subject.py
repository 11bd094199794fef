"""A kernel task, resolved: its problem, language, backend, oracle and the problems that it is verified on."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import Field

from atunner.core.device import Device
from atunner.core.errors import UserError
from atunner.core.program import Problem
from atunner.core.task import Task
from atunner.core.value import Value
from atunner.domains.kernels import admission
from atunner.domains.kernels.backends.c import CBackend
from atunner.domains.kernels.backends.c import Options as COptions
from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.verify import Plan
from atunner.operators import KernelFamily, KernelSet, Operator, operator
from atunner.tools.energy import POWERCAP


class Config(Value):
    """What a worker needs to make the domain: values only. sandbox: the level that policy demands.

    gpu_driver: a CUDA driver library in place of the system's. powercap: where Linux tells of the processor's energy.
    """

    cache: Path
    device: Device
    workers: int = Field(default=1, ge=1)
    sandbox: str = "rlimits"
    torch_python: str = ""
    gpu_driver: str = ""
    powercap: Path = POWERCAP


@dataclass(frozen=True)
class Subject:
    """One admitted task, resolved: its operator, problem, language and backend. Kept a worker's life long."""

    operator: Operator
    problem: Problem
    language: str
    given: frozenset[str]
    backend: Any
    oracle: Oracle
    plan: Plan
    hidden: tuple[Problem, ...] = ()

    @property
    def measured_here(self) -> bool:
        """Whether its figures are times of this machine."""
        return self.language == "c" or self.backend.here is not None

    @property
    def kernels(self) -> KernelSet:
        """Baseline and families in the task's language."""
        return self.operator.kernels[self.language]

    def family(self, name: str) -> KernelFamily:
        """A family by name; "naive" is the baseline's."""
        found = [f for f in (self.kernels.baseline, *self.kernels.families) if f.name == name]
        if not found:
            raise UserError(f"{self.operator.name} has no {self.language} family named {name!r}.")
        return found[0]


def admitted_subject(subject: Subject) -> None:
    """Task admission: a trivial kernel must fail on at least one of the problems that candidates are verified on.

    Raises:
        UserError: "not measurable here", with the reason.
    """
    refused: UserError | None = None
    for shape in reversed(subject.plan.shapes):
        try:
            admission.admit(subject.oracle, shape.problem)
        except UserError as error:
            refused = refused or error
        else:
            return
    if refused is not None:
        raise refused


def shape_of(task: Task) -> tuple[int, ...]:
    """The shape as admitted."""
    found = task.spec["shape"]
    return tuple(int(str(e)) for e in found) if isinstance(found, list) else ()


def settings_of(task: Task) -> dict[str, int | str]:
    """The settings as given."""
    found = task.spec.get("settings")
    return {k: v for k, v in found.items() if isinstance(v, int | str)} if isinstance(found, dict) else {}


def problem_of(task: Task) -> tuple[Operator, Problem, frozenset[str]]:
    """Operator, problem, and which settings the user gave."""
    spec = task.spec
    chosen = operator(str(spec["operator"]))
    shape, settings = spec["shape"], spec.get("settings") or {}
    if not isinstance(shape, list) or not isinstance(settings, dict):
        raise UserError(f"The task of {chosen.name} was not admitted: it has no shape or settings.")
    numbers = {k: v for k, v in settings.items() if isinstance(v, int | str)}
    problem = chosen.problem(tuple(int(str(e)) for e in shape), numbers, str(spec.get("dtype", "float32")))
    given = frozenset(numbers) | (frozenset() if spec.get("assumed_shape") else frozenset(("shape",)))
    return chosen, problem, given


def check_memory(problem: Problem, device: Device) -> None:
    """Raises UserError when the tensors do not fit in the device's memory."""
    if "memory_bytes" not in device.facts:
        return
    needed = sum(b.elements * 4 for b in problem.buffers)
    if needed > device.get("memory_bytes"):
        there = device.get("memory_bytes") / 1e9
        raise UserError(
            f"The tensors need {needed / 1e9:.3g} GB and {device.name} has {there:.3g} GB; make them smaller."
        )


@lru_cache
def _c_backend_of(cache: Path, threads: int, compiler: str, sandbox: str) -> CBackend:
    return CBackend(cache, COptions(compiler=compiler, threads=threads, sandbox=sandbox))


def c_backend(config: Config, threads: int, compiler: str) -> CBackend:
    """One backend for each number of threads and compiler."""
    return _c_backend_of(config.cache, threads, compiler, config.sandbox)
