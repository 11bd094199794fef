"""A CUDA kernel for a GPU that is not here: compiled, checked on the CPU, predicted."""

import json
from typing import Any

import pytest
from support import need

from atunner.core.errors import UserError
from atunner.core.status import Provenance
from atunner.domains.user_kernels.checked import checked_problem
from atunner.operators.user import problem_of
from atunner.search.formats import read_kernel
from atunner.tools import nvrtc

ADD = """
extern "C" __global__ void add(float *y, const float *x, int n) {
    int i = blockIdx.x * block_size_x + threadIdx.x;
    if (careless || i < n) y[i] += x[i];
}
"""
TEXT = """
kernel: add.cu
problem_size: SIZE
parameters: {block_size_x: [64, 128], careless: [0, 1]}
arguments:
  y: float32[LENGTH] inout
  x: float32[LENGTH]
  n: int32 = problem_size_x
"""


def kernel_file(folder: Any, size: int, length: str = "problem_size_x") -> Any:
    folder.write("add.cu", ADD)
    return folder.write("add.yaml", TEXT.replace("SIZE", str(size)).replace("LENGTH", length))


def test_a_kernel_that_leaves_its_tensors_is_found_without_a_gpu(
    folder: Any, tune: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    need("nvrtc", nvrtc.available(), "NVRTC is not installed")
    need("g++")

    assert tune(kernel_file(folder, 1000), "--target-gpu", "A100", "--budget", "4", "--json") == 0
    record = json.loads(capfd.readouterr().out)
    told = {(t["candidate"]["params"]["careless"], t["status"]) for t in record["trials"]}
    assert told == {(0, "ok"), (1, "wrong")}
    assert record["provenance"] == Provenance.PREDICTED
    assert "add.cu:4" in next(t["feedback"] for t in record["trials"] if t["status"] == "wrong")


def test_a_large_problem_is_checked_at_smaller_sizes(folder: Any) -> None:
    kernel = read_kernel(kernel_file(folder, 1 << 24))
    small = checked_problem(kernel, problem_of(kernel, kernel.sizes))

    assert small.dims["problem_size_x"] == 1 << 17
    assert {b.elements for b in small.buffers} == {1 << 17}


def test_a_large_problem_whose_tensors_do_not_follow_is_refused(folder: Any) -> None:
    kernel = read_kernel(kernel_file(folder, 1 << 24, str(1 << 24)))

    with pytest.raises(UserError, match="too many to check on the CPU"):
        checked_problem(kernel, problem_of(kernel, kernel.sizes))
