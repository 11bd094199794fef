"""A HIP kernel for an AMD GPU that is not here: compiled for it, checked on the CPU, and a clear word on the rest."""

import json
from typing import Any

import pytest
from support import need

from atunner.domains.kernels.backends.hip import read_metadata

ADD = """
#include <hip/hip_runtime.h>
extern "C" __global__ void add(float *y, const float *x, int n) {
    int i = blockIdx.x * block_size_x + threadIdx.x;
    if (i < n) y[i] += x[i];
}
"""
TEXT = """
kernel: add.hip
problem_size: 1000
parameters: {block_size_x: [64, 128]}
arguments:
  y: float32[problem_size_x] inout
  x: float32[problem_size_x]
  n: int32 = problem_size_x
"""
METADATA = """
amdhsa.kernels:
  - .args:
      - .address_space: global
    .group_segment_fixed_size: 512
    .name:           add
    .private_segment_fixed_size: 16
    .vgpr_count:     40
    .vgpr_spill_count: 2
amdhsa.target:   amdgcn-amd-amdhsa--gfx90a
"""


def kernel_file(folder: Any, source: str = ADD) -> Any:
    folder.write("add.hip", source)
    return folder.write("add.yaml", TEXT)


def test_a_kernel_is_compiled_for_an_amd_gpu(folder: Any, tune: Any, capfd: pytest.CaptureFixture[str]) -> None:
    need("hipcc")
    need("g++")

    assert tune(kernel_file(folder), "--target-gpu", "MI210", "--json") == 0
    record = json.loads(capfd.readouterr().out)
    assert record["stop_reason"].startswith("2 of 2 configurations of add were compiled for gfx90a")
    assert record["trials"] == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("x[i]", "missing[i]", "not_built: kernel.hip:5"),
        ("i < n", "true", "wrong"),
        ("y[i] +=", "system(0); y[i] +=", "rejected"),
    ],
)
def test_a_kernel_that_fails_says_why(
    folder: Any, tune: Any, capfd: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    need("hipcc")
    need("g++")

    assert tune(kernel_file(folder, ADD.replace(old, new)), "--target-gpu", "MI210") == 2
    assert said in capfd.readouterr().err


def test_a_target_of_another_vendor_is_refused(folder: Any, tune: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert tune(kernel_file(folder), "--target-gpu", "A100") == 2
    assert "compiled for AMD GPUs such as MI210" in capfd.readouterr().err


def test_what_a_kernel_takes_is_read_from_the_assembly() -> None:
    (found,) = read_metadata(METADATA, "gfx90a")

    assert (found.kernel, found.registers, found.static_shared) == ("add", 40, 512)
    assert (found.spill_bytes, found.local_array_bytes) == (8, 16)
