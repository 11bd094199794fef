"""Objectives besides time: GFLOP/s from the user's count of operations, and energy where a counter can be read."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from atunner.core.device import Device
from atunner.core.errors import NotMeasured, UserError
from atunner.core.expression import evaluate
from atunner.core.measurement import Measurement
from atunner.core.statistics import MINIMUM_GAIN, paired_ratio
from atunner.core.trial import Comparison
from atunner.domains.kernels.gpu.present import Here, target_among
from atunner.domains.kernels.timing import Session
from atunner.operators.user import UserKernel
from atunner.tools.energy import Counter, Nvml, Rapl

STRETCHES, PAIRS = 5, 8

Clock = Callable[[], float]


def counter_of(device: Device, gpus: Iterable[Here], powercap: Path) -> Counter:
    """The counter of the device that runs the kernel. Raises UserError: there is none that can be read."""
    if device.kind == "cpu":
        return Rapl(powercap)
    here = target_among(device, gpus)
    if here is None:
        raise UserError(f"Energy of {device.name} cannot be read: NVML has no such GPU; tune for time or gflops.")
    return Nvml(here.uuid)


def flops_of(kernel: UserKernel) -> float:
    """The kernel's operations. Raises UserError: they were not given."""
    if not kernel.flops:
        raise UserError(f"GFLOP/s of {kernel.name} need its operations; give flops: EXPRESSION over its sizes in YAML.")
    return float(evaluate(kernel.flops, kernel.sizes))


def energy(session: Session, counter: Counter, clock: Clock = time.perf_counter) -> tuple[float, ...]:
    """Joules of a call, one sample for each of a few stretches."""
    session.block(session.most)
    return tuple(stretch(session, counter, clock) for _ in range(STRETCHES))


def stretch(session: Session, counter: Counter, clock: Clock = time.perf_counter) -> float:
    """Joules of a call, from calls for as long as the counter needs.

    What was used is the calls' by their share of the stretch: inputs are renewed and outputs looked at in between.

    Raises:
        NotMeasured: the counter did not move.
    """
    before, started, calls, busy_us = counter.read(), clock(), 0, 0.0
    while (now := clock()) - started < counter.least_s:
        block = session.block(session.most)
        calls, busy_us = calls + block.calls, busy_us + block.total_us
    used = counter.joules(before, counter.read())
    if used <= 0 or not calls:
        raise NotMeasured(f"the {counter.source} counter did not move in {now - started:.3g} s")
    return used / calls * min(1.0, busy_us / 1e6 / (now - started))


def compared_energy(
    baseline: Session, candidate: Session, counter: Counter, clock: Clock = time.perf_counter
) -> Comparison:
    """Both in turn, the order turned round each time, so that drift of the machine meets both alike."""
    first, second = list[float](), list[float]()
    for session in (baseline, candidate):
        session.block(session.most)
    for pair in range(PAIRS):
        sides = [(baseline, first), (candidate, second)]
        for session, samples in sides if pair % 2 else sides[::-1]:
            samples.append(stretch(session, counter, clock))
    ratio = paired_ratio(first, second)
    return Comparison(
        ratio=ratio.value,
        low=ratio.low,
        high=ratio.high,
        minimum_gain=MINIMUM_GAIN,
        baseline=_joules(first, baseline.source),
        candidate=_joules(second, candidate.source),
    )


def _joules(samples: list[float], source: str) -> Measurement:
    return Measurement(unit="J", samples=tuple(samples), source=source)
