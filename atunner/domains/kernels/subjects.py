"""From tasks to their subjects: the operator, the backend for the task's language, and what it is verified on."""

from functools import cached_property
from typing import Any

from atunner.core.errors import UnknownName, UserError
from atunner.core.program import Problem
from atunner.core.task import Task
from atunner.domains.kernels.admission import held_out
from atunner.domains.kernels.backends.cuda import COMPILERS, CudaBackend
from atunner.domains.kernels.gpu.present import Here, present, target_among
from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.subject import Config, Subject, c_backend, problem_of, settings_of, shape_of
from atunner.domains.kernels.verify import Plan


class Subjects:
    """The subjects of a worker's tasks, each resolved once."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._known: dict[str, Subject] = {}

    def of(self, task: Task) -> Subject:
        """The task's subject. Raises UserError: no kernels in its language. UnknownName: no such compiler."""
        if task.id not in self._known:
            self._known[task.id] = self._resolve(task)
        return self._known[task.id]

    @cached_property
    def gpus(self) -> tuple[Here, ...]:
        """The GPUs of this machine, when the target is of their maker."""
        return present(self._config.gpu_driver) if self._config.device.vendor.lower() == "nvidia" else ()

    def _resolve(self, task: Task) -> Subject:
        chosen, problem, given = problem_of(task)
        language = str(task.spec["language"])
        if language not in chosen.kernels:
            raise UserError(f"{chosen.name} has no kernels in {language}. Known: {', '.join(sorted(chosen.kernels))}.")
        oracle = Oracle(chosen)
        hidden = held_out(oracle, shape_of(task), settings_of(task), problem.dtype)
        if language == "c":
            compiler = str(task.spec.get("compiler") or "gcc")
            backend: Any = c_backend(self._config, self._config.workers, compiler)
            plan = Plan(oracle, problem, hidden)
        else:
            backend = self._cuda_backend(task, problem)
            small, *others = chosen.derived(problem)
            plan = Plan(oracle, problem, hidden) if backend.here else Plan(oracle, small, (*others, *hidden))
        return Subject(chosen, problem, language, given, backend, oracle, plan, hidden)

    def _cuda_backend(self, task: Task, problem: Problem) -> CudaBackend:
        config, compiler = self._config, str(task.spec.get("compiler") or COMPILERS[0])
        if compiler not in COMPILERS:
            raise UnknownName("compiler for CUDA", compiler, COMPILERS)
        here = target_among(config.device, self.gpus)
        return CudaBackend(config.cache, config.device, problem, config.sandbox, compiler, here)
