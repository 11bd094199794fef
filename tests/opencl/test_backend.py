"""The OpenCL backend on this machine's processor: what it builds, runs, refuses and times."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from opencl_kernels import SCALE, candidate, problem

from atunner.core.device import Device
from atunner.core.errors import NotBuilt, Rejected, UserError
from atunner.domains.kernels.backends import Case, Job
from atunner.domains.kernels.backends.opencl import OpenclBackend
from atunner.domains.kernels.backends.opencl_device import OpenclDevice, chosen
from atunner.domains.kernels.timing import TimingPlan
from atunner.knowledge_base.devices import device


def ran(backend: OpenclBackend, made: Any, n: int = 4096) -> Any:
    x = np.arange(n, dtype=np.float32)
    built = backend.build(problem(n), made)
    return x, backend.run_cases([Job(built, [Case({"x": x}), Case({"x": x}, 1)], "scale")])[0]


def test_a_kernel_is_built_once_and_run(backend: OpenclBackend) -> None:
    x, (first, other) = ran(backend, candidate())

    assert np.array_equal(first.outputs["y"], 3 * x)
    assert np.array_equal(other.outputs["y"], 3 * x)
    assert not first.faults
    built = backend.build(problem(), candidate())
    assert built.digest == backend.build(problem(), candidate()).digest
    assert built.facts[0]["kernel"] == "scale"


def test_what_is_written_outside_of_a_tensor_is_seen(backend: OpenclBackend) -> None:
    _, (first, _) = ran(backend, candidate(SCALE.replace("y[i] =", "y[i + 8] =")))

    assert "behind the end of y" in first.faults[0]


def test_a_changed_input_is_seen(backend: OpenclBackend) -> None:
    text = SCALE.replace("__global const", "__global").replace("y[i] =", "x[i] = y[i] =")
    _, (first, _) = ran(backend, candidate(text))

    assert first.faults[0] == "the input x was changed"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (candidate(SCALE.replace("3 *", "three *")), "use of undeclared identifier 'three'"),
        (candidate(SCALE.replace("scale(", "other(")), "INVALID_KERNEL_NAME"),
        (candidate(block=8192), "INVALID_WORK_GROUP_SIZE"),
        (candidate(flags=("-I/etc",)), "'-I/etc' is not allowed"),
    ],
)
def test_what_cannot_be_built_says_why(backend: OpenclBackend, made: Any, said: str) -> None:
    with pytest.raises(NotBuilt, match=said):
        backend.build(problem(), made)


def test_the_gate_holds_for_opencl(backend: OpenclBackend) -> None:
    with pytest.raises(Rejected, match="system"):
        backend.check(problem(), candidate("int system(const char *);\n" + SCALE.replace("3 *", "system(0) *")))


def test_timed_calls_are_held_against_two_clocks(backend: OpenclBackend, feed: Any) -> None:
    plan = TimingPlan()
    built = backend.build(problem(1 << 18), candidate())
    with backend.device(), backend.session(built, feed(1 << 18), plan) as session:
        block = session.block(8)

    assert block.samples_us.shape == (8,)
    assert 0 < block.samples_us.min() < block.wall_us + 1000
    assert session.threads == 1
    assert block.cpu_us > 0


def test_a_target_without_a_device_says_what_there_is() -> None:
    pocl = OpenclDevice(
        name="pthread", platform="PoCL", kind="cpu", version="3", driver="1", place=(0, 0), units=2, align=128
    )
    gpu = Device(name="Radeon X", vendor="AMD", kind="gpu", arch="gfx90a")

    assert chosen(device("host"), [pocl]) == pocl
    with pytest.raises(UserError, match=r"No OpenCL device .* is Radeon X. There are: pthread \(cpu\)"):
        chosen(gpu, [pocl])
    with pytest.raises(UserError, match="pip install"):
        chosen(device("host"), [])


def test_a_cpu_device_leaves_cores_to_others(cache: Path, backend: OpenclBackend) -> None:
    assert len(backend.cpus) == 1
