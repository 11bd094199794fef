from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from gpu.conftest import FAKE, kernel, matmul

from atunner.core.device import Device
from atunner.core.errors import Crashed, NotMeasured, TimedOut, UnknownName, Wrong
from atunner.core.judge import judge
from atunner.core.status import Provenance, Status
from atunner.core.task import Task
from atunner.domains.kernels import timing
from atunner.domains.kernels.backends.cuda import CudaBackend
from atunner.domains.kernels.blocks import Block
from atunner.domains.kernels.domain import Kernels
from atunner.domains.kernels.feed import Feed
from atunner.domains.kernels.gpu.present import Here, target_among
from atunner.domains.kernels.gpu.session import TRIES, GpuSession
from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.timing import TimingPlan
from atunner.domains.kernels.verify import Plan, verify
from atunner.knowledge_base.devices import named
from atunner.operators import operator

ORACLE = Oracle(operator("matmul"), secret=7)
PLAN = TimingPlan(cold=True, least_s=0.02, most_s=0.3, compare_s=1.0, block_us=1500.0)


def fed() -> Feed:
    return Feed(ORACLE, matmul(), seed=3)


@contextmanager
def loud() -> Iterator[None]:
    """The stand-in calculates on the host: a host at other work has no quiet clock, and says so."""
    try:
        yield
    except NotMeasured as error:
        pytest.skip(f"this machine is at other work: {error}")


def session(backend: CudaBackend, name: str, plan: TimingPlan = PLAN) -> timing.Session:
    return backend.session(backend.build(matmul(), kernel(name)), fed(), plan)


def test_a_right_kernel_is_verified_at_every_shape_on_the_device(backend: CudaBackend) -> None:
    checks = verify(backend, Plan(ORACLE, matmul()), kernel(), backend.build(matmul(), kernel()))

    shapes = 1 + len([p for p in operator("matmul").derived(matmul()) if p != matmul()])
    assert f"on {shapes} shapes" in checks[0].detail
    assert {c.name for c in checks} == {"correctness", "memory", "determinism"}


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("matmul_wrong", Wrong, "c[8, 10]: expected"),
        ("matmul_outside", Wrong, "wrote behind the end of c, at byte +0"),
        ("matmul_input", Wrong, "the input a was changed"),
        ("matmul_fault", Crashed, "Fake GPU refused the candidate: cuCtxSynchronize: CUDA_ERROR_ILLEGAL_ADDRESS"),
        ("matmul_forever", TimedOut, "A kernel did not end within 2 s on Fake GPU and was stopped"),
        ("matmul_dies", Crashed, "process on Fake GPU ended with code"),
        ("matmul_unknown", Crashed, "CUDA_ERROR_NOT_FOUND"),
    ],
)
def test_what_goes_wrong_on_the_device_is_one_line(
    backend: CudaBackend, name: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error) as caught:
        verify(backend, Plan(ORACLE, matmul()), kernel(name), backend.build(matmul(), kernel(name)))

    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_kernel_is_timed_by_two_clocks_that_agree(backend: CudaBackend) -> None:
    with loud(), session(backend, "matmul_slow") as timed:
        found = timing.measure(timed, PLAN)

    assert 395.0 < found.measurement("Fake GPU").value < 800.0
    assert {check.name for check in found.checks} >= {"two clocks", "even calls"}


def test_two_kernels_are_compared_in_turn_and_each_in_its_own_process(backend: CudaBackend) -> None:
    plan = PLAN.model_copy(update={"block_us": 5000.0, "compare_s": 2.0})
    with loud(), session(backend, "matmul_slow", plan) as first, session(backend, "matmul", plan) as second:
        found = timing.compare(first, second, plan)

    assert found.better
    assert 2.0 < found.ratio < 6.0
    assert found.candidate.source == "Fake GPU"


def test_a_kernel_that_stops_working_once_it_is_timed_is_found_out(backend: CudaBackend) -> None:
    with pytest.raises(Wrong, match="though verification passed"), session(backend, "matmul_lazy") as timed:
        timing.measure(timed, PLAN)


class Hot(GpuSession):
    """A device that throttles for its first blocks."""

    hot = 0

    def _block(self, calls: int, batch: int) -> tuple[Block, bool]:
        self.hot -= 1
        return Block(samples_us=np.ones(calls), calls=calls, wall_us=1.0), self.hot >= 0


@pytest.mark.parametrize("hot", [0, TRIES - 1])
def test_blocks_of_a_throttled_device_are_dropped(backend: CudaBackend, here: Here, hot: int) -> None:
    found = Hot(here, backend.build(matmul(), kernel()).loaded, fed(), PLAN)
    found.hot = hot

    assert found.block(4).calls == 4
    assert found.dropped == hot


def test_a_device_that_only_throttles_gives_no_figure(backend: CudaBackend, here: Here) -> None:
    found = Hot(here, backend.build(matmul(), kernel()).loaded, fed(), PLAN)
    found.hot = TRIES

    with pytest.raises(NotMeasured, match="held its clock down"):
        found.block(4)


def test_the_conditions_of_the_device_are_told(backend: CudaBackend, here: Here) -> None:
    found = GpuSession(here, backend.build(matmul(), kernel()).loaded, fed(), PLAN)
    found.looks += [{"sm_mhz": mhz, "celsius": 50} for mhz in (1200, 1410)]

    assert "SM clock 1200 to 1410 MHz" in found.conditions()


def domain(cache: Path, driver: str, device: Device) -> Kernels:
    return Kernels({"cache": str(cache), "device": device.model_dump(mode="json"), "gpu_driver": driver})


def task(compiler: str = "") -> Task:
    return Task(name="matmul", target="Fake", spec={"operator": "matmul", "shape": [9, 11, 13], "compiler": compiler})


def test_the_target_that_is_here_is_measured(cache: Path, driver: str) -> None:
    kernels = domain(cache, driver, FAKE)
    admitted = kernels.admit(task())

    assert kernels.provenance(admitted) is Provenance.MEASURED
    assert kernels.environment(admitted).device == "Fake GPU"


def test_the_judge_takes_a_kernel_through_all_stages_on_the_device(cache: Path, driver: str) -> None:
    kernels = domain(cache, driver, Device.model_validate({**named("A100").model_dump(), "name": "Fake GPU"}))
    admitted = kernels.admit(task())

    with loud():
        trial = judge(kernels, admitted, kernel("matmul_slow"))
        if trial.status is Status.NOT_MEASURED:
            raise NotMeasured(trial.feedback)

    assert trial.status is Status.OK, trial.feedback
    assert trial.measurement is not None
    assert trial.measurement.provenance is Provenance.MEASURED
    assert trial.measurement.source == "Fake GPU"
    assert trial.measurement.environment == kernels.environment(admitted).id
    assert {"correctness", "correctness, after timing"} <= {check.name for check in trial.checks}
    assert trial.profile is not None
    assert trial.profile.bound_us is not None


def test_the_winner_is_confirmed_on_the_device(cache: Path, driver: str) -> None:
    kernels = domain(cache, driver, FAKE)
    admitted = kernels.admit(task())
    slow, quick = (kernels.build(admitted, kernel(name)) for name in ("matmul_slow", "matmul"))

    with loud():
        found = kernels.compare(admitted, slow, quick)

    assert found is not None
    assert found.better


def test_another_gpu_than_the_target_stays_predicted_and_is_named(cache: Path, driver: str) -> None:
    kernels = domain(cache, driver, FAKE.model_copy(update={"name": "NVIDIA A100"}))
    admitted = kernels.admit(task())

    assert kernels.provenance(admitted) is Provenance.PREDICTED
    assert kernels.environment(admitted).device == "NVIDIA A100 (not on this machine, which has Fake GPU)"


def test_a_compiler_that_is_not_known_is_named(cache: Path, driver: str) -> None:
    with pytest.raises(UnknownName, match="nvrtc"):
        domain(cache, driver, FAKE).admit(task("gcc"))


@pytest.mark.parametrize(
    ("name", "arch", "found"),
    [
        ("NVIDIA A100-SXM4-80GB", "sm_80", True),
        ("A100 SXM4 80GB", "sm_80", True),
        ("NVIDIA A100-PCIE-40GB", "sm_80", False),
        ("NVIDIA A100-SXM4-80GB", "sm_90", False),
    ],
)
def test_the_target_is_found_by_name_and_architecture(name: str, arch: str, found: bool) -> None:
    device = Device(
        name="NVIDIA A100-SXM4-80GB", vendor="nvidia", kind="gpu", arch="sm_80", aliases=("A100", "A100-SXM4-80GB")
    )

    assert (target_among(device, [Here(name=name, arch=arch)]) is not None) is found
