"""From tasks on a user's kernel to their subjects: a backend for its language, and the answers it is held against."""

from typing import Any

from pydantic import ValidationError

from atunner.core.candidate import Params
from atunner.core.errors import UserError
from atunner.core.task import Task
from atunner.domains.kernels.backends.c import CBackend
from atunner.domains.kernels.backends.c import Options as COptions
from atunner.domains.kernels.backends.hip import HipBackend
from atunner.domains.kernels.backends.opencl import OpenclBackend
from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.subject import Subject
from atunner.domains.kernels.subjects import Subjects
from atunner.domains.user_kernels.answers import UserOracle, UserPlan, answering
from atunner.domains.user_kernels.checked import checked_problem
from atunner.operators.user import UserKernel, UserOperator, problem_of

MEASURED = ("c", "opencl")
"""Languages whose devices are always those of this machine."""


class UserSubjects(Subjects):
    """The same, with an operator made from the user's description."""

    def _resolve(self, task: Task) -> Subject:
        kernel, config = kernel_of(task), self._config
        problem = problem_of(kernel, kernel.sizes)
        if kernel.language == "c":
            options = COptions(
                compiler=str(task.spec.get("compiler") or "gcc"),
                threads=config.workers,
                sandbox=config.sandbox,
            )
            backend: Any = CBackend(config.cache, options)
        elif kernel.language == "opencl":
            backend = OpenclBackend(config.cache, config.device, config.workers, config.sandbox)
        elif kernel.language == "hip":
            backend = HipBackend(config.cache, config.device, problem, config.sandbox)
        else:
            backend = self._cuda_backend(task, problem)
        made = UserOperator(kernel, answering(kernel, backend, baseline_of(task), config.cache))
        oracle: Oracle = UserOracle(made)
        whole = kernel.language in MEASURED or backend.here is not None
        plan = UserPlan(oracle, problem if whole else checked_problem(kernel, problem))
        return Subject(made, problem, kernel.language, frozenset(problem.dims), backend, oracle, plan)


def kernel_of(task: Task) -> UserKernel:
    """The user's description. Raises UserError: the task has none that can be read."""
    try:
        return UserKernel.model_validate(task.spec.get("kernel"))
    except ValidationError as error:
        raise UserError(f"The task {task.name} does not describe a kernel: {error.errors()[0]['msg']}.") from error


def baseline_of(task: Task) -> Params:
    """The parameters that its baseline runs with; none before admission."""
    chosen = task.spec.get("baseline")
    return chosen if isinstance(chosen, dict) else {}
