"""What limits a candidate: one bottleneck, named from static facts, counters and the roofline, with the evidence.

The order follows Nsight Compute's rules: a grid that cannot fill the device is looked at before anything else. Counters
of a run outweigh what machine code suggests.
"""

from collections.abc import Callable
from enum import StrEnum

from atunner.core.device import Device
from atunner.core.occupancy import WARP
from atunner.core.pipes import pipes
from atunner.core.profile import Profile, StaticFacts
from atunner.core.roofline import Bound
from atunner.core.value import Value

# Nsight Compute calls 80 % of a ceiling near the limit, and agents that tune by rooflines stop at 95 %.
AT_LIMIT = 0.9
# Nsight Compute's SOLBottleneck rule: when neither compute nor memory reaches 60 % of its peak, latency is the cause.
LOW_THROUGHPUT = 60.0
LOW_OCCUPANCY = 0.25
# A kernel this short is mostly launched: the cost of a launch is 2 to 5 us outside a graph.
SHORT_US = 10.0
SHORT_BOUND_US = 2.0
COMPUTE_COUNTER = "sm__throughput.avg.pct_of_peak_sustained_elapsed"
MEMORY_COUNTER = "gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed"


class Bottleneck(StrEnum):
    """The one thing to change."""

    MEMORY = "memory"
    COMPUTE = "compute"
    LATENCY = "latency"
    LAUNCH = "launch"
    SHARED_MEMORY = "shared_memory"
    OCCUPANCY = "occupancy"
    AT_LIMIT = "at_limit"
    UNKNOWN = "unknown"


class Finding(Value):
    """A bottleneck with its evidence. headroom: figure over roofline bound, None when unknown."""

    bottleneck: Bottleneck
    evidence: tuple[str, ...]
    headroom: float | None = None


class Subject(Value):
    """What is diagnosed: the profile of one candidate on one device, its bound, and its time where it was measured."""

    profile: Profile
    device: Device
    bound: Bound
    time_us: float | None = None


def diagnose(subject: Subject) -> Finding:
    """The first rule that applies; every rule says what it saw."""
    rules: tuple[Callable[[Subject], Finding | None], ...] = (
        _limit,
        _launched,
        _fill,
        _throughputs,
        _spills,
        _resident,
        _pipes,
    )
    for rule in rules if subject.device.kind == "gpu" else (_limit, _counted):
        found = rule(subject)
        if found is not None:
            return found.model_copy(update={"headroom": _headroom(subject)})
    return Finding(bottleneck=_roof(subject), evidence=(_roof_line(subject),), headroom=_headroom(subject))


def _headroom(subject: Subject) -> float | None:
    bound = max(subject.bound.compute_us, subject.bound.memory_us)
    return subject.time_us / bound if subject.time_us and bound else None


def _roof(subject: Subject) -> Bottleneck:
    if not subject.bound.us:
        return Bottleneck.UNKNOWN
    memory = subject.bound.memory_us > subject.bound.compute_us
    return Bottleneck.MEMORY if memory else Bottleneck.COMPUTE


def _roof_line(subject: Subject) -> str:
    b = subject.bound
    if not b.us:
        return "the work is not counted, so no roof is known"
    return f"roofline: compute {b.compute_us:.4g} us, memory {b.memory_us:.4g} us, so {_roof(subject)} is the roof"


def _limit(subject: Subject) -> Finding | None:
    headroom = _headroom(subject)
    if headroom is None or 1.0 / headroom < AT_LIMIT:
        return None
    text = f"measured {subject.time_us:.4g} us is {100 / headroom:.0f} % of the roofline bound"
    return Finding(bottleneck=Bottleneck.AT_LIMIT, evidence=(text,))


def _kernel(subject: Subject) -> StaticFacts | None:
    """The kernel that does most of the work."""
    kernels = subject.profile.kernels
    return max(kernels, key=lambda k: k.blocks * k.threads_per_block * sum(k.mix.values()), default=None)


def _fill(subject: Subject) -> Finding | None:
    kernel = _kernel(subject)
    if kernel is None or kernel.occupancy is None or not kernel.occupancy.blocks:
        return None
    slots = kernel.occupancy.blocks * int(subject.device.get("sm_count"))
    if kernel.blocks >= slots:
        return None
    sms = int(subject.device.get("sm_count"))
    text = f"{kernel.kernel}: {kernel.blocks} blocks on {sms} multiprocessors with room for {slots}: not full"
    return Finding(bottleneck=Bottleneck.LAUNCH if kernel.blocks < sms else Bottleneck.LATENCY, evidence=(text,))


def _launched(subject: Subject) -> Finding | None:
    if subject.time_us is None or subject.time_us > SHORT_US or subject.bound.us > SHORT_BOUND_US:
        return None
    count = max(1, len(subject.profile.kernels))
    text = f"measured {subject.time_us:.4g} us for {count} launches; the roofline asks for {subject.bound.us:.3g} us"
    return Finding(bottleneck=Bottleneck.LAUNCH, evidence=(text, "launching costs 2 to 5 us each outside a graph"))


def _throughputs(subject: Subject) -> Finding | None:
    """Counters of Nsight Compute: the larger of the two speeds of light, or latency when both are low."""
    values = subject.profile.counters.values if subject.profile.counters else {}
    compute, memory = values.get(COMPUTE_COUNTER), values.get(MEMORY_COUNTER)
    if compute is None or memory is None:
        return None
    text = f"Nsight Compute: compute {compute:.0f} % and memory {memory:.0f} % of their peaks"
    if max(compute, memory) < LOW_THROUGHPUT:
        return Finding(bottleneck=Bottleneck.LATENCY, evidence=(f"{text}, both below {LOW_THROUGHPUT:.0f} %",))
    return Finding(bottleneck=Bottleneck.MEMORY if memory >= compute else Bottleneck.COMPUTE, evidence=(text,))


def _spills(subject: Subject) -> Finding | None:
    kernel = _kernel(subject)
    if kernel is None or not kernel.spill_bytes:
        return None
    text = f"{kernel.kernel}: {kernel.registers} registers and {kernel.spill_bytes} bytes spilled a thread"
    return Finding(bottleneck=Bottleneck.MEMORY, evidence=(text, "spills go through local memory"))


def _resident(subject: Subject) -> Finding | None:
    kernel = _kernel(subject)
    if kernel is None or kernel.occupancy is None or kernel.occupancy.fraction >= LOW_OCCUPANCY:
        return None
    o = kernel.occupancy
    text = f"{kernel.kernel}: {o.warps} warps resident ({o.fraction:.0%}), limited by {o.limiter}; {o.next_cliff}"
    return Finding(bottleneck=Bottleneck.OCCUPANCY, evidence=(text.rstrip("; "),))


def _pipes(subject: Subject) -> Finding | None:
    """The busiest pipe of a multiprocessor, unless DRAM alone needs longer than it."""
    kernel = _kernel(subject)
    if kernel is None or not kernel.mix or not subject.device.arch.startswith("sm_"):
        return None
    cycles = pipes(kernel, subject.device)
    order = sorted(cycles, key=lambda name: -cycles[name])
    busiest = ", ".join(f"{name} {cycles[name]:.4g}" for name in order[:3])
    warps = kernel.blocks * -(-kernel.threads_per_block // WARP)
    rate = subject.device.get("sm_count") * subject.device.get("clock_mhz")
    busy_us = cycles[order[0]] * warps / rate
    evidence = (
        f"{kernel.kernel}: cycles a warp needs of each pipe: {busiest}",
        f"{order[0]} is busy for {busy_us:.4g} us, DRAM for {subject.bound.memory_us:.4g} us at least",
        _roof_line(subject),
    )
    memory = subject.bound.memory_us >= busy_us
    found = Bottleneck.MEMORY if memory else _OF_PIPE.get(order[0], Bottleneck.COMPUTE)
    return Finding(bottleneck=found, evidence=evidence)


_OF_PIPE = {"shared_memory": Bottleneck.SHARED_MEMORY, "global_access": Bottleneck.MEMORY}


def _counted(subject: Subject) -> Finding | None:
    """CPU: instructions per cycle and cache misses per kilo-instruction where perf counts, else the roofline alone."""
    counters = subject.profile.counters.values if subject.profile.counters else {}
    evidence = [_roof_line(subject)]
    headroom = _headroom(subject)
    if headroom is not None:
        evidence.insert(0, f"measured {subject.time_us:.4g} us is {headroom:.3g}x the roofline bound")
    cycles, instructions = counters.get("cycles"), counters.get("instructions")
    if not cycles or not instructions:
        return Finding(bottleneck=_roof(subject), evidence=(*evidence, "no hardware counters here"))
    ipc = instructions / cycles
    misses = counters.get("cache-misses", counters.get("cache_misses", 0.0)) / instructions * 1000
    evidence.append(f"perf: {ipc:.2f} instructions a cycle, {misses:.2f} cache misses per 1000 instructions")
    if misses > 10:
        return Finding(bottleneck=Bottleneck.MEMORY, evidence=tuple(evidence))
    return Finding(bottleneck=Bottleneck.LATENCY if ipc < 1.0 else _roof(subject), evidence=tuple(evidence))
