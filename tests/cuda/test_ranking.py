"""The ranking model follows the hardware's rules: what costs more work is never ranked cheaper."""

import math

import pytest

from atunner.core.device import Device, Fact
from atunner.core.pipes import utilisation
from atunner.core.profile import StaticFacts
from atunner.domains.kernels.ranking import predict

FACTS = {"sm_count": 108, "clock_mhz": 1410, "dram_gbs": 1555, "fp16_tflops": 312}
A100 = Device(
    name="A100",
    vendor="NVIDIA",
    kind="gpu",
    arch="sm_80",
    facts={name: Fact(value=value, unit="", source="data sheet") for name, value in FACTS.items()},
)
KERNEL = StaticFacts(
    arch="sm_80",
    kernel="k",
    registers=32,
    threads_per_block=256,
    blocks=4096,
    mix={"ffma": 1000, "lds": 100, "int": 100},
    traffic={"shared_load": 400, "global_load": 64, "global_store": 4},
    flops=2000,
)


def cost(**changes: object) -> float:
    return predict((KERNEL.model_copy(update=changes),), flops=1e9, bytes_min=1e6, device=A100).cost


@pytest.mark.parametrize(
    "worse",
    [
        {"mix": {"ffma": 2000, "lds": 100, "int": 100}},
        {"traffic": {"shared_load": 16000, "global_store": 4}},
        {"traffic": {"global_load": 16000, "global_store": 4}},
        {"registers": 168},
        {"static_shared": 80_000},
        {"blocks": 8192},
        {"tensor_flops": 1e6},
    ],
)
def test_more_of_what_is_scarce_costs_more(worse: dict[str, object]) -> None:
    assert cost(**worse) > cost()


def test_few_large_blocks_cost_more_than_the_same_work_in_many() -> None:
    few = cost(blocks=16, mix={"ffma": 64_000})
    many = cost(blocks=1024, mix={"ffma": 1000})

    assert few > 2 * many


def test_memory_traffic_is_a_floor() -> None:
    found = predict((KERNEL,), flops=1e9, bytes_min=1e10, device=A100)

    assert found.limiter == "memory"
    assert found.cost >= 1e10 / 1555e3


def test_a_block_that_does_not_fit_has_no_finite_cost() -> None:
    found = predict((KERNEL.model_copy(update={"static_shared": 200_000}),), 1e9, 1e6, A100)

    assert not found.fits
    assert math.isinf(found.cost)


def test_every_further_launch_costs() -> None:
    half = KERNEL.model_copy(update={"blocks": KERNEL.blocks // 2})

    assert predict((half, half), 1e9, 1e6, A100).cost > predict((KERNEL,), 1e9, 1e6, A100).cost


def test_unknown_loops_are_scaled_to_the_problems_arithmetic() -> None:
    short = KERNEL.model_copy(update={"mix": {"ffma": 10}, "flops": 20, "traffic": {}, "unknown_loops": 1})
    done = 20 * KERNEL.blocks * KERNEL.threads_per_block

    one = predict((short,), done, 1.0, A100).cost - 1.0
    hundred = predict((short,), 100.0 * done, 1.0, A100).cost - 1.0

    assert hundred == pytest.approx(100 * one)


def test_more_warps_never_keep_a_pipe_less_busy() -> None:
    shares = [utilisation(warps) for warps in range(1, 65)]

    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 1
