"""The roofline of the run's device, and where the operator stands under it."""

from atunner.core.record import RunRecord
from atunner.core.roofline import ceilings
from atunner.core.value import Value
from atunner.reports import wording

PROBED = "measured here"
"""How the source of a ceiling begins that a short probe found on this machine."""

SEEN, SPAN = 7.0, 4.0
"""A probe beside other work reaches less than the processor does, each ceiling by its own share: ridges of one machine
were seen a factor of SEEN apart. The middle of such a range is within its root of either end; SPAN leaves room for a
little more than that."""

BOUND_BY = "every tensor moved once at DRAM bandwidth, or all FLOPs at the dense fp32 peak"
NEEDED = frozenset({"fp32_tflops", "dram_gbs"})


class Roofline(Value):
    """Ceilings in FLOP/s and byte/s; intensity in FLOP/byte at minimal traffic (Williams, Waterman, Patterson 2009).

    span: the factor by which the ridge may be off either way; 1 where the ceilings are those of a data sheet.
    """

    peak: float
    bandwidth: float
    flops: float
    min_bytes: float
    span: float = 1.0

    @property
    def ridge(self) -> float:
        """The intensity at which both ceilings meet."""
        return self.peak / self.bandwidth

    @property
    def intensity(self) -> float:
        """The operator's own."""
        return self.flops / self.min_bytes

    @property
    def ridge_low(self) -> float:
        """The least that the ridge may be."""
        return self.ridge / self.span

    @property
    def ridge_high(self) -> float:
        """The most that it may be."""
        return self.ridge * self.span

    @property
    def side(self) -> str:
        """Which roof the operator is under: memory, compute, or "" where that is not sure."""
        if self.intensity < self.ridge_low:
            return "memory"
        return "compute" if self.intensity >= self.ridge_high else ""

    @property
    def words(self) -> str:
        """Where the operator stands, in a sentence that says what is not sure."""
        here = (
            f"The operator has {wording.number(self.intensity)} FLOP/byte, the ridge is at {wording.number(self.ridge)}"
        )
        found = f"{self.side} is its roof." if self.side else "either may be its roof."
        if self.span == 1.0:
            return f"{here}: {found}"
        low, high = wording.number(self.ridge_low), wording.number(self.ridge_high)
        return (
            f"{here}, found by a short probe and so uncertain (other work disturbs those: on one machine they lay a "
            f"factor of {SEEN:g} apart), anywhere from {low} to {high}: {found}"
        )

    @property
    def bound_us(self) -> float:
        """No implementation that starts in DRAM takes less."""
        return max(self.flops / self.peak, self.min_bytes / self.bandwidth) * 1e6

    def ceiling(self, intensity: float) -> float:
        """FLOP/s that the device can reach at this intensity."""
        return min(self.peak, intensity * self.bandwidth)


def roofline(record: RunRecord) -> Roofline | None:
    """None where the record lacks the operator's facts or the device's ceilings."""
    facts, device = record.facts, record.device
    if facts is None or not facts.counted or device is None or not device.facts.keys() >= NEEDED:
        return None
    roofs = ceilings(device)
    return Roofline(
        peak=roofs.tflops * 1e12,
        bandwidth=roofs.gbs * 1e9,
        flops=facts.flops,
        min_bytes=facts.min_bytes,
        span=SPAN if any(device.facts[name].source.startswith(PROBED) for name in NEEDED) else 1.0,
    )
