"""PyTorch as a yardstick on the CPU: same problem, same threads, timed in turn with a candidate."""

import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from atunner.core.errors import NotMeasured
from atunner.core.program import Problem
from atunner.domains.kernels import torch_worker
from atunner.domains.kernels.blocks import Block
from atunner.tools.process import end, start


def python_with_torch(named: str) -> str:
    """The interpreter that has PyTorch: the one that settings name, else this one if it has it, else ""."""
    if named:
        return named
    return sys.executable if importlib.util.find_spec("torch") is not None else ""


class TorchSession:
    """A timing session of PyTorch's own operator.

    Raises:
        NotMeasured: that interpreter has no PyTorch, or its process ended.
    """

    most = 1 << 16

    def __init__(self, python: str, problem: Problem, threads: int, cpus: tuple[int, ...]) -> None:
        self.threads = threads
        self._argv = (python, "-I", str(Path(torch_worker.__file__)))
        shapes = [list(b.shape) for b in problem.buffers if b.role != "output"]
        self._job = {"operator": problem.operator, "dims": problem.dims, "shapes": shapes, "threads": threads}
        self._cpus = cpus
        self.source = "PyTorch"

    def __enter__(self) -> Self:
        asked, self._ask = os.pipe()
        self._told, answers = os.pipe()
        pinned = ("taskset", "-c", ",".join(map(str, self._cpus)))
        arguments = (json.dumps(self._job), str(asked), str(answers))
        self._process = start(*pinned, *self._argv, *arguments, env={}, descriptors=(asked, answers))
        os.close(asked)
        os.close(answers)
        self._answers: IO[str] = os.fdopen(self._told)
        self.source = f"PyTorch {self._answer()}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._ask)
        self._answers.close()
        end(self._process)

    def block(self, calls: int, batch: int = 1) -> Block:
        """Make calls back to back."""
        started = time.perf_counter_ns()
        os.write(self._ask, f"{calls} {batch}\n".encode())
        samples = self._answer()
        wall = (time.perf_counter_ns() - started) / 1e3
        return Block(np.asarray(samples, dtype=np.float64), calls, wall)

    def _answer(self) -> Any:
        line = self._answers.readline()
        if not line:
            raise NotMeasured(f"{self._argv[0]} has no PyTorch, or its process ended.")
        return json.loads(line)
