"""One bottleneck is named, with the figures that show it, and measured evidence outweighs machine code."""

import pytest

from atunner.core.device import Device, Fact
from atunner.core.diagnosis import COMPUTE_COUNTER, MEMORY_COUNTER, Bottleneck, Subject, diagnose
from atunner.core.occupancy import Block, occupancy
from atunner.core.profile import Counters, Profile, StaticFacts
from atunner.core.roofline import bound, ceilings


def device(kind: str, arch: str, **facts: float) -> Device:
    known = {name: Fact(value=value, unit="", source="data sheet") for name, value in facts.items()}
    return Device(name="d", vendor="v", kind=kind, arch=arch, facts=known)


A100 = device("gpu", "sm_80", sm_count=108, clock_mhz=1410, dram_gbs=1555, fp32_tflops=19.5)
CPU = device("cpu", "x86-64-v3", cores=2, clock_mhz=3000, simd_bits=256, fma_units=2, dram_gbs=20)


def kernel(**changes: object) -> StaticFacts:
    facts = StaticFacts(
        arch="sm_80",
        kernel="k",
        registers=32,
        threads_per_block=256,
        blocks=10_000,
        mix={"ffma": 1000, "lds": 100},
        traffic={"shared_load": 400, "global_load": 64},
    ).model_copy(update=changes)
    block = Block(threads=facts.threads_per_block, registers=facts.registers, shared=facts.static_shared)
    return facts.model_copy(update={"occupancy": occupancy("sm_80", block)})


def subject(
    profile: Profile, on: Device = A100, flops: float = 5e9, moved: float = 1e6, time_us: float | None = None
) -> Subject:
    return Subject(profile=profile, device=on, bound=bound(ceilings(on), flops, moved), time_us=time_us)


def ncu(compute: float, memory: float) -> Counters:
    return Counters(source="ncu", values={COMPUTE_COUNTER: compute, MEMORY_COUNTER: memory})


@pytest.mark.parametrize(
    ("case", "bottleneck", "evidence"),
    [
        (subject(Profile(kernels=(kernel(),))), Bottleneck.COMPUTE, "fp32"),
        (
            subject(Profile(kernels=(kernel(traffic={"shared_load": 16_000}),))),
            Bottleneck.SHARED_MEMORY,
            "shared_memory",
        ),
        (subject(Profile(kernels=(kernel(traffic={"global_load": 9000}),))), Bottleneck.MEMORY, "global_access"),
        (subject(Profile(kernels=(kernel(),)), moved=1e10), Bottleneck.MEMORY, "memory is the roof"),
        (subject(Profile(kernels=(kernel(blocks=16),))), Bottleneck.LAUNCH, "16 blocks on 108 multiprocessors"),
        (subject(Profile(kernels=(kernel(blocks=200),))), Bottleneck.LATENCY, "not full"),
        (subject(Profile(kernels=(kernel(spill_bytes=64),))), Bottleneck.MEMORY, "64 bytes spilled"),
        (subject(Profile(kernels=(kernel(registers=255),))), Bottleneck.OCCUPANCY, "limited by registers"),
        (subject(Profile(kernels=(kernel(),)), time_us=270.0), Bottleneck.AT_LIMIT, "95 % of the roofline"),
        (subject(Profile(kernels=(kernel(),)), flops=1e6, time_us=6.0), Bottleneck.LAUNCH, "6 us for 1 launches"),
        (subject(Profile(kernels=(kernel(),), counters=ncu(30, 40))), Bottleneck.LATENCY, "both below 60 %"),
        (subject(Profile(kernels=(kernel(),), counters=ncu(30, 85))), Bottleneck.MEMORY, "memory 85 %"),
        (
            subject(Profile(counters=Counters(source="perf", values={"cycles": 1e9, "instructions": 5e8})), CPU),
            Bottleneck.LATENCY,
            "0.50 instructions a cycle",
        ),
        (
            subject(
                Profile(
                    counters=Counters(source="perf", values={"cycles": 1e9, "instructions": 2e9, "cache-misses": 4e7})
                ),
                CPU,
            ),
            Bottleneck.MEMORY,
            "20.00 cache misses per 1000",
        ),
        (subject(Profile(counters=Counters(source="user time only")), CPU), Bottleneck.COMPUTE, "no hardware counters"),
    ],
)
def test_the_bottleneck_is_named_with_its_evidence(case: Subject, bottleneck: Bottleneck, evidence: str) -> None:
    found = diagnose(case)

    assert found.bottleneck is bottleneck
    assert evidence in "; ".join(found.evidence)


def test_headroom_is_the_figure_over_the_bound() -> None:
    case = subject(Profile(kernels=(kernel(),)), time_us=2564.1)

    assert diagnose(case).headroom == pytest.approx(10.0, rel=1e-3)
