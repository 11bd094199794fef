from collections.abc import Callable
from pathlib import Path

import pytest
from opencl_kernels import problem
from support import need

from atunner.core.program import Launch, Problem
from atunner.core.space import Space
from atunner.domains.kernels.backends.opencl import OpenclBackend
from atunner.domains.kernels.backends.opencl_device import devices
from atunner.domains.kernels.feed import Feed
from atunner.domains.kernels.oracle import Oracle
from atunner.knowledge_base.devices import device
from atunner.operators import Arrays
from atunner.operators.user import Argument, UserKernel, UserOperator


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def backend(cache: Path) -> OpenclBackend:
    here = any(d.kind == "cpu" for d in devices())
    need("pocl", here, "no OpenCL device for this processor; pip install 'atunner[opencl]'")
    need("gcc")
    return OpenclBackend(cache, device("host"))


def _scaled(problem: Problem, inputs: Arrays) -> Arrays:
    return {"y": 3 * inputs["x"]}


@pytest.fixture(scope="session")
def feed() -> Callable[[int], Feed]:
    arguments = (
        Argument(name="y", role="output", shape=("n",)),
        Argument(name="x", role="input", shape=("n",)),
        Argument(name="n", dtype="int32", role="scalar", value="n"),
    )
    kernel = UserKernel(
        name="scale",
        language="opencl",
        file="scale.cl",
        source="",
        arguments=arguments,
        launch=Launch(kernel="scale", args=()),
        space=Space(),
    )
    return lambda n: Feed(Oracle(UserOperator(kernel, _scaled)), problem(n), 1)
