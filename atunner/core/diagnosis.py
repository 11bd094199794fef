"""What limits a candidate: one bottleneck, named from static facts, counters and the roofline, with the evidence.

The order follows Nsight Compute's rules: a grid that cannot fill the device is looked at before anything else.
"""

from collections.abc import Callable
from enum import StrEnum

from atunner.core.device import Device
from atunner.core.profile import Profile, StaticFacts
from atunner.core.roofline import Bound
from atunner.core.value import Value

AT_LIMIT = 0.9
LOW_OCCUPANCY = 0.25


class Bottleneck(StrEnum):
    """The one thing to change."""

    MEMORY = "memory"
    COMPUTE = "compute"
    LATENCY = "latency"
    LAUNCH = "launch"
    SHARED_MEMORY = "shared_memory"
    OCCUPANCY = "occupancy"
    AT_LIMIT = "at_limit"


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
    rules: tuple[Callable[[Subject], Finding | None], ...] = (_limit, _fill, _spills, _shared, _resident, _mix)
    for rule in rules if subject.device.kind == "gpu" else (_limit, _counted):
        found = rule(subject)
        if found is not None:
            return found.model_copy(update={"headroom": _headroom(subject)})
    return Finding(bottleneck=_roof(subject), evidence=(_roof_line(subject),), headroom=_headroom(subject))


def _headroom(subject: Subject) -> float | None:
    bound = max(subject.bound.compute_us, subject.bound.memory_us)
    return subject.time_us / bound if subject.time_us and bound else None


def _roof(subject: Subject) -> Bottleneck:
    memory = subject.bound.memory_us > subject.bound.compute_us
    return Bottleneck.MEMORY if memory else Bottleneck.COMPUTE


def _roof_line(subject: Subject) -> str:
    b = subject.bound
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


def _spills(subject: Subject) -> Finding | None:
    kernel = _kernel(subject)
    if kernel is None or not kernel.spill_bytes:
        return None
    text = f"{kernel.kernel}: {kernel.registers} registers and {kernel.spill_bytes} bytes spilled a thread"
    return Finding(bottleneck=Bottleneck.MEMORY, evidence=(text, "spills go through local memory"))


def _shared(subject: Subject) -> Finding | None:
    """More shared-memory traffic than 128 bytes a cycle carry in the time that the FMAs take to issue."""
    kernel = _kernel(subject)
    if kernel is None:
        return None
    moved = sum(v for k, v in kernel.traffic.items() if k.startswith("shared"))
    arithmetic = kernel.mix.get("ffma", 0.0) + kernel.mix.get("fp32", 0.0)
    shared_cycles, fma_cycles = moved * 32 / 128, arithmetic * 32 / 128
    if not moved or shared_cycles <= 1.5 * fma_cycles:
        return None
    text = f"{kernel.kernel}: {moved:.4g} bytes through shared memory for {arithmetic:.4g} FMAs a thread"
    return Finding(bottleneck=Bottleneck.SHARED_MEMORY, evidence=(text,))


def _resident(subject: Subject) -> Finding | None:
    kernel = _kernel(subject)
    if kernel is None or kernel.occupancy is None or kernel.occupancy.fraction >= LOW_OCCUPANCY:
        return None
    o = kernel.occupancy
    text = f"{kernel.kernel}: {o.warps} warps resident ({o.fraction:.0%}), limited by {o.limiter}; {o.next_cliff}"
    return Finding(bottleneck=Bottleneck.OCCUPANCY, evidence=(text.rstrip("; "),))


def _mix(subject: Subject) -> Finding | None:
    """Share of instructions that do arithmetic: below a half the issue slots go to moving and addressing."""
    kernel = _kernel(subject)
    total = sum(kernel.mix.values()) if kernel else 0.0
    if kernel is None or not total:
        return None
    useful = sum(kernel.mix.get(c, 0.0) for c in ("ffma", "fp32", "mufu", "tensor")) / total
    loads = sum(kernel.mix.get(c, 0.0) for c in ("ldg", "stg", "lds", "sts")) / total
    text = f"{kernel.kernel}: {useful:.0%} of the instructions are arithmetic, {loads:.0%} move data"
    evidence = (text, _roof_line(subject))
    if _roof(subject) is Bottleneck.MEMORY:
        return Finding(bottleneck=Bottleneck.MEMORY, evidence=evidence)
    moving = useful < 0.5 and kernel.mix.get("ldg", 0.0) > kernel.mix.get("lds", 0.0)
    return Finding(bottleneck=Bottleneck.MEMORY if moving else Bottleneck.COMPUTE, evidence=evidence)


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
