from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gpu.conftest import FAKE, kernel, matmul
from support import need

from atunner.core.device import Device
from atunner.core.errors import NotBuilt, TimedOut
from atunner.core.program import PROGRAM_FILE, Geometry, Program
from atunner.domains.kernels.backends.cuda import CudaBackend
from atunner.domains.kernels.cpu_check import Instance, Mode
from atunner.domains.kernels.cpu_check import build as build_check
from atunner.domains.kernels.cpu_check import run as run_check
from atunner.domains.kernels.cubin import Kernel
from atunner.domains.kernels.gpu.limits import admit
from atunner.operators import operator
from atunner.tools import nvrtc

T4 = Device(name="Tesla T4", vendor="nvidia", kind="gpu", arch="sm_75")


def launch(
    grid: tuple[int, int, int] = (1, 1, 1), block: tuple[int, int, int] = (128, 1, 1), shared: int = 0
) -> Geometry:
    return Geometry(kernel="k", grid=grid, block=block, shared_bytes=shared, args=())


def refusal(launches: list[Geometry], kernels: list[Kernel]) -> str:
    """Why the device does not take them, "" when it does."""
    try:
        admit(launches, kernels, T4)
    except NotBuilt as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("asked", "registers", "says"),
    [
        (launch(block=(1025, 1, 1)), 32, "k: a block of (1025, 1, 1) has 1025 threads; a block has at most 1024"),
        (launch(block=(1, 1, 65)), 32, "and (1024, 1024, 64) in x, y and z"),
        (launch(grid=(1, 65536, 1)), 32, "a grid of (1, 65536, 1) is too large; at most (2147483647, 65535, 65535)"),
        (launch(grid=(0, 1, 1)), 32, "must be at least 1"),
        (launch(shared=65537), 32, "needs 65537 bytes of shared memory; Tesla T4 (sm_75) gives at most 65536"),
        (launch(block=(1024, 1, 1)), 128, "1024 threads of 128 registers do not fit"),
    ],
)
def test_what_the_device_does_not_take_is_refused_in_one_line(asked: Geometry, registers: int, says: str) -> None:
    said = refusal([asked], [Kernel(name="k", code=b"", registers=registers, shared=0, stack=0)])

    assert says in said
    assert "\n" not in said


@pytest.mark.parametrize("over", [{"shared": 49153}, {"block": (1024, 2, 1)}, {"grid": (2**31, 65535, 65535)}])
def test_a_launch_at_the_limits_is_taken_and_the_next_one_refused(over: dict[str, Any]) -> None:
    kernels = [Kernel(name="k", code=b"", registers=64, shared=16384, stack=0)]
    most: dict[str, Any] = {"grid": (2**31 - 1, 65535, 65535), "block": (1024, 1, 1), "shared": 49152}

    assert refusal([launch(**most)], kernels) == ""
    assert refusal([launch(**{**most, **over})], kernels).startswith("k")


@pytest.mark.parametrize(
    ("block", "shared", "says"), [("2048", "0", "2048 threads"), ("128", "200000", "200000 bytes of shared memory")]
)
def test_a_candidate_over_the_limits_is_not_built(cache: Path, block: str, shared: str, says: str) -> None:
    need("NVRTC", nvrtc.available())
    with pytest.raises(NotBuilt, match=says):
        CudaBackend(cache, FAKE, matmul()).build(matmul(), kernel(block=block, shared=shared))


@pytest.mark.parametrize("grid", ["m / 0", "cdiv(q, 2)"])
def test_a_launch_that_cannot_be_computed_is_not_built(cache: Path, grid: str) -> None:
    need("NVRTC", nvrtc.available())
    good = kernel()
    files = {**good.files, PROGRAM_FILE: good.files[PROGRAM_FILE].replace("cdiv(m * n, 128)", grid)}
    with pytest.raises(NotBuilt):
        CudaBackend(cache, FAKE, matmul()).build(matmul(), good.model_copy(update={"files": files}))


def test_a_kernel_that_never_ends_is_stopped_on_the_cpu(tmp_path: Path, cache: Path) -> None:
    need("g++")
    source = kernel().files["k.cu"].replace("float sum = 0.0f;", "float sum = 0.0f; while (sum == 0.0f) { c[0] = 1; }")
    program = Program.model_validate_json(kernel().files[PROGRAM_FILE])
    checked = build_check(source, program, [Instance(matmul(), {})], Mode.FAST, tmp_path / "built", cache / "check")
    given = operator("matmul").inputs(matmul(), 1, 1.0)

    with pytest.raises(TimedOut, match=r"the check of k.cu did not end within 1 s") as caught:
        run_check(checked, 0, {name: np.asarray(value) for name, value in given.items()}, timeout_s=1.0)

    assert "\n" not in str(caught.value)
